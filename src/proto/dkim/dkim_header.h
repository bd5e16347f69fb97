/* SPDX-License-Identifier: ISC */
/*
 * dkim_header.h - the fields of a header, as signatures see them.
 *
 * Strict where other readers of headers are lenient: only CRLF ends a line,
 * everything else is data, because that is what the signer hashed. The
 * selection by h= takes fields of a name from the bottom up, each at most
 * once (RFC 6376 section 5.4.2).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/str.h"

/* A header beyond these is not judged: its signatures are refused. */
#define DKIM_HEADER_MAX MIB(1)
#define DKIM_FIELDS_MAX 2000

struct dkim_field {
	struct str name;  /* before the colon, without trailing blanks */
	struct str value; /* behind the colon, as it stands, folds included */
	struct str whole; /* the field, without its final CRLF */
};

/* The fields of one header, in its order. Borrows the header's bytes. */
struct dkim_header {
	struct dkim_field *v;
	size_t n;
	size_t cap;
};

/*
 * Split a header; reading stops at an empty line. Lines without a colon have
 * an empty name. False when a limit above is passed; ret then has no fields.
 * The caller ends it with dkim_header_done() in any case.
 */
bool dkim_header_parse(struct str header, struct dkim_header *ret) WARN_UNUSED;
void dkim_header_done(struct dkim_header *h);

/* Which fields a selection has taken so far. */
struct dkim_picker {
	const struct dkim_header *header;
	unsigned char taken[(DKIM_FIELDS_MAX + 7) / 8];
};

/* Field number except is never taken (it is the signature itself); pass
   header->n when there is none. */
void dkim_picker_init(
    struct dkim_picker *p, const struct dkim_header *header, size_t except);
/* The lowest field of this name that was not taken yet, or NULL. */
const struct dkim_field *dkim_picker_take(
    struct dkim_picker *p, struct str name);
