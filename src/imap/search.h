/* SPDX-License-Identifier: ISC */
/*
 * search.h - a SEARCH program, prepared for one mailbox, and its evaluation
 * with as much of a message as is at hand.
 *
 * A key answers yes, no, or that it needs more than it was given. So the view
 * alone decides most messages, and the store is asked only for the rest.
 */
#pragma once

#include "imap/view.h"
#include "proto/imap/imap_search.h"
#include "proto/mime/mime_search.h"
#include "proto/mime/mime_structure.h"
#include "proto/mime/mime_text.h"

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_UNKNOWN };

struct search_node {
	const struct imap_search_key *key;
	struct search_node *child, *next;
	struct imap_set set;       /* SEQ and UID: normal form */
	int keyword;               /* KEYWORD: its number, or -1 */
	struct mime_needle needle; /* HEADER, BODY, TEXT */
	bool has_needle;
};

struct search_program {
	struct search_node *root;
	unsigned needs;
	uint64_t now;
};

/* What is known of a message; m NULL: the view's entry alone. */
struct search_message {
	const struct view *view;
	const struct ipc_entry *entry;
	uint32_t seq;
	const struct msg_fetch_item *m;
	const struct mime_structure *structure; /* NULL: not at hand */
	bool has_body;
	struct str header; /* of the shared bytes; whole */
};

/* Prepare. False: the arena is full, or a message number does not exist. */
bool search_prepare(struct search_program *p, struct arena *a,
    const struct imap_search *search, struct view *v);
void search_done(struct search_program *p);
enum verdict search_eval(
    const struct search_program *p, const struct search_message *msg);
