/* SPDX-License-Identifier: ISC */
/*
 * pool.h - helper threads for what would keep the loop from its connections:
 * signatures, and messages that are encoded anew.
 *
 * A job is worked on in a thread, and answered in the loop. It owns all that
 * it works with: whoever asked may be gone when it is done.
 */
#pragma once

#include "net/loop.h"

#define POOL_THREADS_MAX 16

struct pool_job {
	struct pool_job *next;
	/* In a thread: no loop, no log, nothing that another job has. */
	void (*work)(struct pool_job *job);
	/* In the loop, once. */
	void (*done)(struct pool_job *job);
};

struct pool;

/* Threads start here. It lives as long as the process. */
struct pool *pool_new(struct loop *loop, unsigned threads);
/* Jobs are begun in the order in which they came. */
void pool_add(struct pool *p, struct pool_job *job);
/* Jobs whose done function has not run yet. */
size_t pool_load(const struct pool *p);
