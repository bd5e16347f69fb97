/* SPDX-License-Identifier: ISC */
/*
 * fetch.h - the FETCH command's own data, shared by cmd_fetch.c (what to ask
 * for, when) and fetch_items.c (how an answer is written).
 */
#pragma once

#include "imap/kept.h"

struct fetch {
	const struct imap_fetch *c;
	unsigned attrs;   /* c->attrs and what is implied */
	uint32_t want;    /* FETCH_* bits for the store; 0: view only */
	bool header_only; /* sections need the message's header only */
	struct buf uids;  /* UID set: all of the command */
	struct str left;  /* of uids: what was not asked for yet */
	size_t asked;     /* bytes of left in the request under way */
	uint64_t next;    /* view only: UID to go on with */
	bool is_pieces;   /* some section is a partial one */
	struct buf seen;  /* UID set: \Seen was set by this command */
	struct buf scratch;
	struct buf vanished; /* UID set: expunged since CHANGEDSINCE */
	struct buf again;    /* UID set: to be read once more, whole */
	bool is_again;
	bool is_damaged;
	bool is_cut; /* sections were left out: too much for one response */
};

/* Write the responses for a list of msg_fetch_item. False: malformed. */
bool fetch_put_items(struct session *s, struct str items);
/* The one item whose body is in a descriptor. False: malformed. */
bool fetch_put_big(struct session *s, const struct msg_fetch_reply *r, int fd);
/* True: the message was read in pieces before, and is answered. */
bool fetch_put_kept(struct session *s, uint32_t uid);
/* "UID 7 MODSEQ (9) FLAGS (...)", as asked. */
void fetch_put_view_items(struct session *s, const struct ipc_entry *e);
