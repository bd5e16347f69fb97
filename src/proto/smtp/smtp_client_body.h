/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_body.h - a message made ready for DATA, piece by piece.
 *
 * Dots are doubled (RFC 5321 section 4.5.2). What leaves here has CRLF as its
 * only line end, whatever came in: a bare LF or CR, passed on, would let the
 * next server see another end of the message than we mean.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/buf.h"

struct smtp_client_body {
	bool is_inside;   /* of a line: a dot is no danger now */
	bool is_after_cr; /* a CR came, which is not written yet */
	/* Set by the caller: the bytes that the server will have, who takes
	 * the dots away again. */
	bool has_no_dots;
};

/* The most that n bytes become, with what was held before them. */
#define SMTP_CLIENT_BODY_GROWTH(n) (2 * (n) + 2)

/* Append the piece in its form for DATA. A zeroed struct is the start. */
void smtp_client_body_put(
    struct smtp_client_body *b, struct str in, struct buf *out);
/* Append the end: a line end where the last line has none, and ".". */
void smtp_client_body_end(struct smtp_client_body *b, struct buf *out);
