/* SPDX-License-Identifier: ISC */
/*
 * bounces.h - what comes back of news and confirmations, and what follows from it: see
 * proto/status/status_bounce.h.
 *
 * The return path has a tag when its domain is one of this server, which is asked of the
 * store each minute; else what comes back goes to the sender's address, and only what
 * is refused at once counts. Rows of table BOUNCE, which anybody who was written to can
 * cause, are looked at together: one reading of all subscribers for each lot.
 */
#pragma once

#include "proto/status/status_message.h"
#include "watch/server.h"

struct bounces *bounces_new(struct server *sv);
/* The store is there (again). */
void bounces_load(struct bounces *b);
/* MSG_LEDGER_CHANGED of table BOUNCE. False: it is malformed. */
bool bounces_changed(
    struct bounces *b, const struct msg_ledger_changed *c) WARN_UNUSED;
/* Each second. */
void bounces_tick(struct bounces *b);

/* The sender in the envelope of a message; from: that in its header. */
void bounces_put_path(struct bounces *b, const struct status_message *m,
    struct str from, struct buf *to);
/* "550 5.1.1 No such user": does it say that the receiver does not exist? */
bool bounces_is_dead(const struct bounces *b, struct str said);
/* A message to a subscriber was refused for that. */
void bounces_refused(
    struct bounces *b, const struct status_message *m, struct str said);
