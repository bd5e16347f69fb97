/* SPDX-License-Identifier: ISC */
/*
 * base64.h - strict base64 (RFC 4648 section 4), and SASL lines made of it.
 *
 * One byte string has exactly one encoding here: padding is required, unused
 * bits are zero, and nothing else (no spaces, no line ends) is skipped. The
 * forgiving decoder that mail bodies need is MIME's, not this one.
 *
 * Layer: base. No I/O.
 */
#pragma once

#include "base/buf.h"

/* Length of the encoding of n bytes. */
static inline size_t
base64_encoded_len(size_t n)
{
	return (n / 3 + (n % 3 != 0)) * 4;
}

/* Append the encoding of in; sets to->failed when it does not fit. */
void base64_encode(struct buf *to, struct str in);

/*
 * Append the decoded bytes. False when in is not canonical (nothing was
 * appended), or when they do not fit (to->failed is set as well).
 */
bool base64_decode(struct buf *to, struct str in) WARN_UNUSED;

/*
 * The same with the alphabet of URLs, without padding (RFC 4648 section 5, as
 * RFC 7515 section 2 wants it): one form for each byte string, too.
 */
void base64url_encode(struct buf *to, struct str in);
bool base64url_decode(struct buf *to, struct str in) WARN_UNUSED;

/* Longest line of a SASL exchange, CRLF not counted (RFC 4954 section 4.5). */
#define SASL_LINE_MAX 12286

enum sasl_line {
	SASL_LINE_OK,     /* the decoded response was appended */
	SASL_LINE_CANCEL, /* the client sent "*": end the exchange */
	SASL_LINE_BAD,    /* not base64: end the exchange with a syntax error */
};

/*
 * Decode what a client sends in a SASL exchange over a line protocol (SMTP:
 * RFC 4954, POP3: RFC 5034, IMAP: RFC 9051). An initial response, which
 * stands on the command's own line, is "=" when it has no bytes; a later one
 * is then an empty line, and may be "*" to cancel. An overlong line is the
 * framer's business; a response that is larger than to may grow is BAD. What
 * was appended may be a secret: the caller wipes the buffer.
 */
enum sasl_line sasl_line_decode(
    struct str line, bool is_initial, struct buf *to) WARN_UNUSED;
