/* SPDX-License-Identifier: ISC */
/*
 * results.h - tell the store what became of entries.
 *
 * Results of a round travel together, and are kept until the store has
 * answered: when it goes away they are sent again to its successor.
 */
#pragma once

#include "proc/runtime.h"

struct results;

struct results *results_new(struct runtime *rt);
/* Strings are copied. now_ms: wall clock. */
void results_add(struct results *r, const struct msg_queue_result *result);
/* The store is there (again). */
void results_resume(struct results *r);
/* Nothing waits for the store. */
bool results_are_done(const struct results *r);
/* fn runs from the loop when that becomes true. */
void results_when_done(struct results *r, loop_fn fn, void *arg);
