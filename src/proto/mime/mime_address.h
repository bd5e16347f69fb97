/* SPDX-License-Identifier: ISC */
/*
 * mime_address.h - address lists of RFC 5322 section 3.4, with the obsolete
 * forms of section 4.4 and much that is no RFC's: the fields strangers write
 * From and To with. Anything gives some list; garbage gives addresses
 * without a domain, as IMAP's ENVELOPE shows them (RFC 9051, 7.5.2).
 *
 * Layer: proto. Results are in the caller's arena or in its input.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum mime_address_kind {
	MIME_ADDRESS_MAILBOX,
	MIME_ADDRESS_GROUP,     /* name is the group's; its members follow */
	MIME_ADDRESS_GROUP_END, /* nothing else is set */
};

struct mime_address {
	struct mime_address *next;
	enum mime_address_kind kind;
	/*
	 * Quotes, escapes and folds are taken away; encoded words are not (see
	 * mime_word.h) and 8-bit bytes are as they came. Without a phrase the
	 * last comment is the name: "a@b.c (Name)". p is NULL when there is
	 * none; an empty quoted string is n == 0 with p set.
	 */
	struct str name;
	struct str route;  /* "@a,@b" of "<@a,@b:c@d>", or p is NULL */
	struct str local;  /* without quotes; p is NULL when there is none */
	struct str domain; /* p is NULL when there was no "@" */
};

/* Addresses beyond this are left off. */
#define MIME_ADDRESS_MAX 4096

/*
 * Parse the raw value of one address field (folds allowed). The list is as
 * long as the field was: NULL for an empty one. The result is valid as long
 * as both the arena and in are. When the arena or max is used up the list
 * ends there, with its group closed or not. *ret_truncated says so, if asked.
 */
struct mime_address *mime_address_parse(
    struct str in, size_t max, struct arena *a, bool *ret_truncated);

/*
 * Append "local@domain", quoted where RFC 5322 wants it. Nothing for a group.
 */
void mime_address_put_spec(const struct mime_address *addr, struct buf *out);
/*
 * Append the list as a field value on one line, groups included; parsing
 * that gives the same list again (but for routes, and for bytes that no
 * address can hold: CR, LF and NUL are left out).
 */
void mime_address_format(const struct mime_address *list, struct buf *out);
