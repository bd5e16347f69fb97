/* SPDX-License-Identifier: ISC */
/*
 * dkim_canon.h - the two canonical forms, simple and relaxed, of header
 * fields and bodies (RFC 6376 section 3.4).
 *
 * The result goes to a sink in pieces; only their sequence means something.
 * A body is fed in parts of any size, and the result does not depend on
 * where it was cut. Memory is constant: what may turn out to be trailing
 * (empty lines, blanks) is counted, not kept.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/str.h"

enum dkim_canon {
	DKIM_SIMPLE,
	DKIM_RELAXED,
};

/* Where canonical bytes go. */
struct dkim_sink {
	void (*put)(void *arg, struct str bytes);
	void *arg;
};

/*
 * Put one header field, which is given without its final CRLF; the CRLF is
 * put as well when with_crlf (the signature's own field has none).
 */
void dkim_canon_field(enum dkim_canon canon, struct str field, bool with_crlf,
    const struct dkim_sink *to);

/* A body on its way. */
struct dkim_body {
	enum dkim_canon canon;
	struct dkim_sink to;
	uint64_t line_ends; /* seen, not yet put: may be trailing */
	bool has_cr;        /* seen, the next byte tells what it is */
	bool has_blank;     /* seen, may be at the end of a line */
	bool has_content;   /* something was put */
};

void dkim_body_init(
    struct dkim_body *b, enum dkim_canon canon, const struct dkim_sink *to);
void dkim_body_feed(struct dkim_body *b, struct str part);
/* The body has ended: put what closes it. */
void dkim_body_finish(struct dkim_body *b);
