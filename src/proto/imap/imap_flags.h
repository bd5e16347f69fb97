/* SPDX-License-Identifier: ISC */
/*
 * imap_flags.h - message flags: system flags are bits, keywords are names.
 *
 * The store keeps the same bits, so that nothing is translated between a
 * STORE command and the record on disk. \Recent belongs to a session and is
 * never stored (RFC 3501 2.3.2, RFC 9051 dropped it).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum imap_flag {
	IMAP_FLAG_SEEN = 1 << 0,
	IMAP_FLAG_ANSWERED = 1 << 1,
	IMAP_FLAG_FLAGGED = 1 << 2,
	IMAP_FLAG_DELETED = 1 << 3,
	IMAP_FLAG_DRAFT = 1 << 4,
	IMAP_FLAG_RECENT = 1 << 5, /* session only */
};
#define IMAP_FLAGS_STORED 0x1fU /* the bits that a client may set */

#define IMAP_MAX_KEYWORD_BYTES 64
#define IMAP_MAX_KEYWORDS      64 /* in one flag list */

struct imap_flags {
	unsigned bits;              /* of enum imap_flag */
	const struct str *keywords; /* as the client wrote them, no doubles */
	size_t n_keywords;
};

enum imap_flag_kind {
	IMAP_FLAG_KIND_SYSTEM,  /* *ret_bit is set */
	IMAP_FLAG_KIND_KEYWORD, /* a legal keyword */
	IMAP_FLAG_KIND_BAD,     /* not a flag, unknown \Name or too long */
};

/*
 * What one flag as written in a command means. \Recent is BAD: a client may
 * not set it. Case does not matter for system flags nor for keywords.
 */
enum imap_flag_kind imap_flag_parse(struct str name, unsigned *ret_bit);

/* A keyword: an atom of at most IMAP_MAX_KEYWORD_BYTES. */
bool imap_keyword_is_valid(struct str name);

/*
 * Append "\Seen \Flagged $Forwarded" (no parentheses) in a fixed order.
 * keywords are trusted to be valid.
 */
void imap_put_flags(struct buf *b, unsigned bits, const struct str *keywords,
    size_t n_keywords);
