/* SPDX-License-Identifier: ISC */
/*
 * pool.h - helper threads: work there, the answer on the thread that asked.
 *
 * A job is worked on in a thread, and answered in pool_finish(). It owns all
 * that it works with: whoever asked may be gone when it is done. Threads take
 * no signals. All functions but the callbacks belong to one thread, that which
 * made the pool.
 */
#pragma once

#include "base/base.h"

struct pool_job {
	struct pool_job *next;
	/* In a thread: no loop, no log, nothing that another job has. own is
	 * what begin() made. */
	void (*work)(struct pool_job *job, void *own);
	/* In pool_finish(), once; may free the job. */
	void (*done)(struct pool_job *job);
};

struct pool_config {
	/* 0: work is done within pool_add(); its answer is pool_finish()'s all
	 * the same, so that callers see one order of things. */
	unsigned threads;
	/* Is written to (eventfd) when pool_finish() has something to do. */
	int event_fd;
	/* What each thread has for itself, one for the caller's too; may be
	 * NULL. rest() is called behind each job. */
	void *(*begin)(void *arg);
	void (*rest)(void *own);
	void (*end)(void *own);
	void *arg;
};

struct pool;

/* Threads start here, or the process dies. */
struct pool *pool_new(const struct pool_config *config);
/* Finishes all jobs; their done functions are the caller's (pool_finish). */
void pool_stop(struct pool *p);
/* After pool_stop(), and with nothing left to be answered; NULL is fine. */
void pool_free(struct pool *p);
/* Jobs are begun in the order in which they came. */
void pool_add(struct pool *p, struct pool_job *job);
/* Do the work now, in this thread; done comes with the next pool_finish(),
 * of which nobody is told. For small jobs: handing them over takes longer. */
void pool_run(struct pool *p, struct pool_job *job);
/* Run the done functions of what is finished. */
void pool_finish(struct pool *p);
unsigned pool_threads(const struct pool *p);
/* Jobs whose done function has not run yet. */
size_t pool_load(const struct pool *p);
