/* SPDX-License-Identifier: ISC */
/*
 * results.h - tell the store what became of entries.
 *
 * Results of a round travel together, and are kept until the store has
 * answered: when it goes away they are sent again to its successor. When it
 * refuses them, one of them is to blame: it is found, and no other goes with it.
 */
#pragma once

#include "send/queue/held.h"
#include "send/result/results_batch.h"
#include "send/result/slate.h"

struct results;

/* Begins with what an earlier process left on the slate. */
struct results *results_new(struct runtime *rt, struct slate *slate);
/* Strings are copied. */
void results_add(struct results *r, const struct msg_queue_result *result,
    struct result_of of);
/* The store is there (again). */
void results_resume(struct results *r);
/* Nothing waits for the store. */
bool results_are_done(const struct results *r);
/* fn runs when the store has what an earlier process left: at once, or once
 * later; the last fn counts. */
void results_when_replayed(struct results *r, loop_fn fn, void *arg);
