/* SPDX-License-Identifier: ISC */
/*
 * mime_search.h - does the text of a message contain a string? For IMAP's
 * SEARCH: SUBJECT, FROM, HEADER, BODY, TEXT (RFC 9051 section 6.4.4).
 *
 * Compared are decoded texts, case-folded (mime_charset_fold()). An ASCII
 * string in text that needs no decoding is looked for in the stored bytes
 * themselves, 16 at a time. ASCII letters match without regard to case, and
 * by folding "k" also matches U+212A and "s" U+017F; the fast way knows it.
 *
 * Layer: proto.
 */
#pragma once

#include "proto/mime/mime_parse.h"

/* Longer strings (in bytes, folded) match nothing. */
#define MIME_NEEDLE_MAX 4096

struct mime_needle {
	struct buf folded;
	bool is_ascii;
	bool has_k_or_s;  /* which two other characters fold to */
	bool is_hopeless; /* too long, not UTF-8, or with a NUL */
	size_t a, b;      /* where its two rarest bytes are */
};

/* Prepare a UTF-8 string; the caller ends it with mime_needle_done(). */
void mime_needle_init(struct mime_needle *nd, struct str utf8);
void mime_needle_done(struct mime_needle *nd);

/* In UTF-8 text that is at hand. An empty needle is in every text. */
bool mime_search_utf8(const struct mime_needle *nd, struct str text);
/* In the raw value of a field, encoded words decoded. */
bool mime_search_value(const struct mime_needle *nd, struct str value);
/*
 * In any field of a name: in its value or, of a field of addresses, in what
 * the envelope has of one (RFC 9051: FROM is about the envelope's field). An
 * empty needle matches when the field is there (HEADER of RFC 9051).
 */
bool mime_search_field(
    const struct mime_needle *nd, struct str header, struct str name);
/*
 * In the texts that which names (mime_text.h): MIME_TEXT_BODY for BODY, which
 * matches no header fields (RFC 9051 section 6.4.4), both for TEXT. NULL
 * limits are the default ones.
 */
bool mime_search_message(const struct mime_needle *nd, struct str message,
    unsigned which, const struct mime_limits *limits);
