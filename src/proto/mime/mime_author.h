/* SPDX-License-Identifier: ISC */
/*
 * mime_author.h - who a message says that it is from: what a submission
 * server holds against the account that signed in (RFC 6409 section 6.1).
 *
 * It must not be fooled: what any reader might show as an author counts. So
 * members of groups count (RFC 6854), as do all mailboxes of all From and
 * Sender fields; and where more addresses can be seen than the grammar
 * finds, as in "a@b <c@d>", all of them. Encoded words are never addresses
 * (RFC 2047 section 5), so they stay as they are, and belong to nobody.
 *
 * Layer: proto.
 */
#pragma once

#include "base/arena.h"

/* Addresses beyond this are left off, and MIME_AUTHOR_MANY is said. */
#define MIME_AUTHORS_MAX 64
/* More memory than the authors of a message with that many need. */
#define MIME_AUTHORS_ARENA KIB(256)

enum {
	MIME_AUTHOR_TWICE = 1 << 0,     /* more than one From, or Sender */
	MIME_AUTHOR_UNCLEAR = 1 << 1,   /* a field without an address, or that
	                                   can be read in several ways */
	MIME_AUTHOR_NO_SENDER = 1 << 2, /* several in From: RFC 5322, 3.6.2 */
	MIME_AUTHOR_MANY = 1 << 3,
};

struct mime_authors {
	unsigned faults; /* of the enum above */
	/* local@domain without quotes, as written, each once. What has no
	 * domain is here without one. */
	struct str v[MIME_AUTHORS_MAX];
	size_t n;
};

/* Look at the header of message. Strings are in a; when that is full, MANY is
 * said. A message without From has no authors and no fault. */
void mime_authors_read(
    struct str message, struct arena *a, struct mime_authors *ret);

/*
 * The same for From alone: whom DMARC asks about (RFC 7489 section 6.6.1).
 * Of several From fields, of which there may be one only, all count: TWICE
 * is said, and MANY as well when there are more than MIME_FROM_FIELDS_MAX.
 * When one is UNCLEAR, or none has a domain, addresses within quotes and comments count as well.
 */
#define MIME_FROM_FIELDS_MAX 4
void mime_from_read(
    struct str message, struct arena *a, struct mime_authors *ret);
