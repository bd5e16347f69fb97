/* SPDX-License-Identifier: ISC */
/*
 * pop3_drop.h - the maildrop of one POP3 session: INBOX as it was at sign-in.
 *
 * Messages keep their numbers until the session ends (RFC 1939 section 3);
 * what arrives later is for the next session. DELE only marks. No I/O here.
 *
 *   load entries -> load sizes -> ready (drops what vanished in between)
 */
#pragma once

#include "proc/ipc_msgs.h"

/* Messages of one maildrop that a session can open: 24 bytes each. */
#define POP3_MESSAGES_MAX 4000000U

struct pop3_message {
	uint64_t size; /* octets as RETR sends them: CRLF, before stuffing */
	uint32_t uid;
	bool is_sized; /* the store still had it when it told the sizes */
	bool is_seen;
	bool is_deleted; /* by DELE */
};

struct pop3_drop {
	struct pop3_message *v;
	size_t n, cap;
	uint32_t mailbox;
	uint32_t uidvalidity;
	uint32_t left;  /* messages without a mark */
	uint64_t bytes; /* of those */
	size_t sized;   /* search position of pop3_drop_load_sizes() */
};

void pop3_drop_init(struct pop3_drop *d, const struct msg_mailbox *mb);
void pop3_drop_done(struct pop3_drop *d);

/* Entries (struct ipc_entry back to back) in ascending order of their UIDs.
 * False: malformed, or too many. */
bool pop3_drop_load(struct pop3_drop *d, struct str entries) WARN_UNUSED;
/* A list of msg_fetch_item with sizes, ascending. False: malformed. */
bool pop3_drop_load_sizes(struct pop3_drop *d, struct str items) WARN_UNUSED;
/* All is loaded: count. */
void pop3_drop_ready(struct pop3_drop *d);

/* Message number, from 1; NULL when there is none of that number. It may be
 * marked. Valid until the drop is done. */
struct pop3_message *pop3_drop_get(struct pop3_drop *d, uint32_t number);
/* Mark one that is not marked yet. */
void pop3_drop_delete(struct pop3_drop *d, struct pop3_message *m);
/* Take back all marks. */
void pop3_drop_reset(struct pop3_drop *d);

/*
 * Append the UIDs of marked messages to a UID set, beginning at index *at,
 * which moves on, until the set has reached max bytes. False: there were none.
 */
bool pop3_drop_marked(const struct pop3_drop *d, size_t *at, struct buf *uids,
    size_t max) WARN_UNUSED;

/* The unique id of a message: printable, at most 21 octets, stable. */
void pop3_drop_put_uidl(
    const struct pop3_drop *d, const struct pop3_message *m, struct buf *out);
