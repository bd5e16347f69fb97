/* SPDX-License-Identifier: ISC */
/*
 * outbox.h - what is to be sent to people, until it is: mails and webhooks.
 *
 * Each is a row of the ledger (proto/status/status_message.h), in table OUTBOX,
 * where others put what they want sent, or in table TOLD, which is role watch's own.
 * Here they are by their keys and times only; their text is read when it is their
 * turn. Own ones are held whole, and sent also while the store is away.
 *
 * A row says "sent" only behind a receiver's yes. Who dies in between sends once
 * more, with the same Message-ID: never less than once.
 */
#pragma once

#include "proto/status/status_message.h"
#include "watch/server.h"

struct outbox *outbox_new(struct server *sv);
/* The store is there (again). */
void outbox_load(struct outbox *o);
/* MSG_LEDGER_CHANGED of its table. False: it is malformed. */
bool outbox_changed(
    struct outbox *o, const struct msg_ledger_changed *c) WARN_UNUSED;
/* Each second. */
void outbox_tick(struct outbox *o);
/* Something that failed may work now: try all again soon. */
void outbox_hurry(struct outbox *o);

/*
 * Send a message of our own; key is behind STATUS_TOLD_MESSAGE and names it: one
 * that waits with the same key already stays as it is.
 */
void outbox_add(
    struct outbox *o, struct str key, const struct status_message *m);
/* All that was added is durable: what follows from that can be noted. */
bool outbox_is_saved(const struct outbox *o);
/* Was it read from the ledger since we began? */
bool outbox_is_loaded(const struct outbox *o);
/* MSG_WATCH_OUTBOX: which are under way just now. */
void outbox_list(struct outbox *o, struct ipc_peer *p, struct ipc_msg *m);
/* No round is under way, and what came of all of them is in the ledger. */
bool outbox_is_idle(const struct outbox *o);
/* Messages of our own that wait. */
size_t outbox_waiting(const struct outbox *o);
