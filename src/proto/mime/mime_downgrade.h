/* SPDX-License-Identifier: ISC */
/*
 * mime_downgrade.h - a message made fit for a server without 8BITMIME or
 * BINARYMIME (RFC 6152 section 3, RFC 3030 section 3).
 *
 * Parts that cannot pass as they are get quoted-printable (text) or base64
 * (all else) as their transfer encoding; everything else stays, byte for
 * byte. Decoded, each part has the content that it had. Signatures over the
 * changed bytes no longer fit: DKIM signing has to come behind this.
 *
 * Header fields stay as they are: 8BITMIME never was about them.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/mime/mime_parse.h"

enum mime_downgrade {
	MIME_DOWNGRADE_NOT_NEEDED, /* nothing was appended: send it as it is */
	MIME_DOWNGRADE_DONE,
	/* A limit of the parser was met, and 8-bit bytes are behind it: fail
	 * with 5.6.3. */
	MIME_DOWNGRADE_TOO_COMPLEX,
	MIME_DOWNGRADE_TOO_LARGE, /* more than out may hold */
};

/*
 * Append the message in its 7-bit form. NULL limits are the default ones.
 * On the last two answers out has content of no use. out should have room for
 * three times the message.
 */
enum mime_downgrade mime_downgrade(struct str message,
    const struct mime_limits *limits, struct buf *out) WARN_UNUSED;

/*
 * Content that 7bit cannot carry (RFC 2045 section 2.7): 8-bit bytes, NUL, a
 * bare CR or LF, a line of more than 998 bytes.
 */
bool mime_is_7bit(struct str content);

/* Append in as quoted-printable: CRLF is a line end, nothing else is. */
void mime_downgrade_qp(struct str in, struct buf *out);
