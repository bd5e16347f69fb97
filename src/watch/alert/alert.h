/* SPDX-License-Identifier: ISC */
/*
 * alert.h - tell operators what happens to checks: what proto/watch says is to be
 * told goes to all contacts (table ALERT) that want it.
 *
 * What was told is kept in the ledger (status_contact.h), and put together with the
 * messages about it: a restart neither repeats nor forgets them.
 */
#pragma once

#include "proto/status/status_message.h"
#include "watch/server.h"

/* Each second: is there something to tell? */
void alert_tick(struct server *sv);
/* For the outbox: rows about what was told and is not in the ledger; then, whether
 * they were put. False: there are none. */
bool alert_put_rows(struct server *sv, struct buf *rows);
void alert_saved(struct server *sv, bool ok);
/*
 * These are removed: who was told that something is wrong with one hears that nobody
 * watches it any more, and what was told is forgotten. The checks may go afterwards.
 */
void alert_removed(struct server *sv, struct watched *const *v, size_t n);
/* Likewise what was removed while this process was not there. */
void alert_sweep(struct server *sv);
/*
 * Nothing was seen for a time, of which nothing is said but this, afterwards.
 * Times of the wall clock; why is for people.
 */
void alert_absence(
    struct server *sv, uint64_t from_ms, uint64_t to_ms, const char *why);
/* To one contact; what names the matter, unlike others. Sets of m whom it goes to and
 * when. */
void alert_send(struct server *sv, const struct status_contact *c,
    struct str what, struct status_message *m);

/* --- alert_late.c ---------------------------------------------------------------- */

/*
 * A message that waited, and its key in the ledger. Over: something newer was told about
 * all that it is about (which is on its way, too), or that is removed.
 */
bool alert_is_over(struct server *sv, struct str key,
    const struct status_message *m) WARN_UNUSED;
/* In front of a mail about several checks: which of them that is still true of, unless
 * it is of all. */
void alert_put_left(struct server *sv, struct str key,
    const struct status_message *m, struct buf *to);
/* Two to one receiver, about one incident: their order matters. */
bool alert_is_of_same(
    const struct status_message *a, const struct status_message *b) WARN_UNUSED;

/* --- alert_agent.c --------------------------------------------------------------- */

/* A vantage point elsewhere (places.h). */
struct alert_place {
	struct str id, network;
	uint64_t since_ms; /* it is not heard, by the wall clock */
	uint64_t mark_s;   /* what its row says of that: names this silence */
	bool is_silent;    /* or heard again */
};
void alert_agent(struct server *sv, const struct alert_place *p);
