/* SPDX-License-Identifier: ISC */
/*
 * results_batch.h - results that travel together.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"
#include "proc/ipc_msgs.h"

#define RESULTS_BATCH_BYTES KIB(900)
#define RESULTS_BATCH_MAX   2000

struct held;

/* What goes with a result until the store has answered. */
struct result_of {
	struct held *held; /* its lease; NULL: not ours */
	uint32_t slot;     /* of the slate, or SLATE_NONE */
};

struct results_batch {
	struct results_batch *next;
	void *owner;     /* of who sends it */
	struct buf list; /* msg_queue_result, back to back */
	struct result_of *of;
	size_t n, cap;
	bool is_replay; /* left by an earlier process */
	bool is_asked;
};

struct results_batch *results_batch_new(void *owner);
void results_batch_free(struct results_batch *b);
bool results_batch_is_full(const struct results_batch *b);
/* Strings are copied. */
void results_batch_add(struct results_batch *b,
    const struct msg_queue_result *result, struct result_of of);
/*
 * Leave the first half in b; the other one is returned, and stands behind b in
 * its list. Not of a batch of one.
 */
struct results_batch *results_batch_split(struct results_batch *b);
/* The first (of one: the only) result; borrows from b. */
struct msg_queue_result results_batch_first(const struct results_batch *b);
