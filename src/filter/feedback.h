/* SPDX-License-Identifier: ISC */
/*
 * feedback.h - a message that came to a domain's address for reports: what is
 * in it becomes rows of the ledger, before the message is answered.
 */
#pragma once

#include "filter/feedback_read.h"
#include "proc/runtime.h"

struct report;

/* What is in the message; NULL: no report that is kept, and why is in the
 * log. The message is not needed any more at the return. */
struct report *feedback_take(
    struct str message, const struct feedback_context *context) WARN_UNUSED;
void feedback_drop(struct report *r); /* NULL is fine */

/* DONE: it is on disk. PERMFAIL: it never can be, and why is in the log.
 * TEMPFAIL: the sender shall come again. */
typedef void (*feedback_fn)(void *arg, enum outcome outcome);
/* Takes r. fn runs later, from the loop. */
void feedback_put(
    struct runtime *rt, struct report *r, feedback_fn fn, void *arg);
