/* SPDX-License-Identifier: ISC */
/*
 * pool.h - helper threads: work there, the answer on the main thread.
 *
 * Without threads a job is worked on at once; its done function runs in
 * pool_finish() all the same, so that callers see one order of things.
 */
#pragma once

#include "store/local/zblob.h"

struct worker {
	struct zblob *z;
	struct buf in, out; /* scratch, kept from job to job */
};

struct job {
	struct job *next;
	void (*work)(struct job *job, struct worker *w);
	void (*done)(struct job *job); /* frees the job */
};

struct pool;
struct pool *pool_new(unsigned threads, int event_fd);
/* Finishes all jobs; their done functions are the caller's (pool_finish). */
void pool_stop(struct pool *p);
void pool_free(struct pool *p);
void pool_add(struct pool *p, struct job *job);
/* Do the work now, in the calling (main) thread; done comes with the next
 * pool_finish(). For small jobs: handing them over would take longer. */
void pool_run(struct pool *p, struct job *job);
unsigned pool_threads(const struct pool *p);
/* Run the done functions of what is finished. */
void pool_finish(struct pool *p);
