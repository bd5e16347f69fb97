/* SPDX-License-Identifier: ISC */
/*
 * mime_cte.h - content transfer encodings (RFC 2045 section 6), decoded in a
 * stream.
 *
 * Tolerant: base64 skips what is not in its alphabet and starts anew after
 * padding; quoted-printable passes a "=" that begins nothing. Blanks at line
 * ends are dropped in quoted-printable (rule 3).
 *
 * Layer: proto.
 */
#pragma once

#include "base/buf.h"

enum mime_cte {
	MIME_CTE_IDENTITY, /* 7bit, 8bit, binary, and everything unknown */
	MIME_CTE_BASE64,
	MIME_CTE_QP,
};

/* More blanks than this in a row are kept, whatever follows. */
#define MIME_CTE_BLANKS_MAX 128

struct mime_cte_decoder {
	enum mime_cte cte;
	uint32_t bits; /* base64: what is not yet 24 bits */
	unsigned n_bits;
	unsigned n_held; /* quoted-printable: undecided bytes */
	char held[MIME_CTE_BLANKS_MAX + 4];
};

/*
 * The mechanism that a Content-Transfer-Encoding names, without comments
 * (RFC 2045 section 6.1) and quotes; empty when there is none.
 */
struct str mime_cte_name(struct str value);
/* From the value of Content-Transfer-Encoding, in any case. */
enum mime_cte mime_cte_of(struct str value);

void mime_cte_init(struct mime_cte_decoder *d, enum mime_cte cte);
/*
 * Append the decoded bytes of in. What is appended by all feeds and the
 * finish does not depend on how the input was split, and is no longer than
 * the input.
 */
void mime_cte_feed(struct mime_cte_decoder *d, struct str in, struct buf *out);
/* The end of the input: append what was held back; ready for a new part. */
void mime_cte_finish(struct mime_cte_decoder *d, struct buf *out);

/* Append base64 in lines of 76 characters, each ended by CRLF. */
void mime_cte_encode_base64(struct str in, struct buf *out);
