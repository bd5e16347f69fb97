/* SPDX-License-Identifier: ISC */
/*
 * results.h - tell the store what became of entries.
 *
 * Results of a round travel together, and are kept until the store has
 * answered: when it goes away they are sent again to its successor.
 */
#pragma once

#include "send/held.h"

struct results;

struct results *results_new(struct runtime *rt);
/* Strings are copied. held: the entry's lease; it is given back when the store
 * has answered. */
void results_add(struct results *r, const struct msg_queue_result *result,
    struct held *held);
/* The store is there (again). */
void results_resume(struct results *r);
/* Nothing waits for the store. */
bool results_are_done(const struct results *r);
/* fn runs from the loop when that becomes true. */
void results_when_done(struct results *r, loop_fn fn, void *arg);
