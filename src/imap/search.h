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
	/* Of a key with a needle: what it said of that message. */
	uint32_t answered_uid; /* 0: none */
	enum verdict answer;
};

/*
 * A long text is looked through for each needle, and a client may send
 * hundreds: budget is how many bytes may still be. What was found out before
 * it was used up is remembered until the next message.
 */
struct search_program {
	struct search_node *root;
	unsigned needs;
	unsigned needles; /* keys with one */
	uint64_t now;
	size_t budget;
	bool is_paused; /* unknown only because of the budget: ask again */
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
/* One key with a needle is always asked, however small the budget is. */
enum verdict search_eval(
    struct search_program *p, const struct search_message *msg);
