/* SPDX-License-Identifier: ISC */
/*
 * hasher.h - threads that compute password hashes beside the event loop.
 *
 * The queue is on the loop's side and bounded, so that a flood of sign-ins
 * costs a bounded time and memory, and each waiting one can still be answered
 * from the cache, or refused, at the moment its turn comes.
 */
#pragma once

#include "base/str.h"
#include "net/loop.h"

struct hasher;
struct hasher_job;

#define HASHER_QUEUE_MAX 256

struct hasher *hasher_new(struct loop *loop, unsigned threads);
/* Waits for the jobs that run; the others are forgotten. */
void hasher_free(struct hasher *h);

enum hasher_turn {
	HASHER_RUN, /* compute it */
	HASHER_YES, /* known by now to be right */
	HASHER_NO,  /* not worth it any more */
};

struct hasher_work {
	struct str hash, password; /* verifier.h; copied */
	/* Asked when its turn comes, on the loop's thread. */
	enum hasher_turn (*turn)(void *arg);
	/* The answer, on the loop's thread, never from inside submit. */
	void (*done)(void *arg, bool is_right);
	void *arg;
};

/* NULL when the queue is full. */
struct hasher_job *hasher_submit(
    struct hasher *h, const struct hasher_work *work);
/* turn and done will not run. The job must not be used afterwards. */
void hasher_cancel(struct hasher_job *job);
/* Jobs that wait or run. */
size_t hasher_load(const struct hasher *h);
