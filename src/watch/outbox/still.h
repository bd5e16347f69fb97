/* SPDX-License-Identifier: ISC */
/*
 * still.h - a message waited: does its receiver still want it, and is what it says
 * still so?
 *
 *	alerts and tests  a contact has that address or URL
 *	confirmations     the subscription still waits for one
 *	news              the subscription is there, and the post is public (news.h)
 */
#pragma once

#include "proto/status/status_message.h"
#include "watch/server.h"

/*
 * DONE: send it; NOT_FOUND: not any more, and why says in words why; TEMPFAIL: the
 * store does not say. An alert is sent when it cannot be told: its contacts are in
 * memory, or the store was not there since we began. fn runs once, maybe inside of
 * this call. The message lives until then.
 */
typedef void (*still_fn)(void *arg, enum outcome outcome, const char *why);
void still_ask(
    struct server *sv, const struct status_message *m, still_fn fn, void *arg);

/* --- for its test ------------------------------------------------------------------ */

/* What the row of a subscriber says (empty: there is none); NULL: go on. */
const char *still_judge(const struct status_message *m, struct str row);
