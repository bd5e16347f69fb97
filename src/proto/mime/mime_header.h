/* SPDX-License-Identifier: ISC */
/*
 * mime_header.h - the fields of a message header, found in place.
 *
 * Works on messages as they were stored: lines end at LF, with or without a
 * CR before it; a bare CR is data. Only an empty line ends a header. Lines
 * that are no field (no colon, a name with blanks or controls, an mbox
 * "From " line) are still handed out, with an empty name, so that what is
 * iterated always adds up to the whole header. There is nothing to fail: any
 * bytes are a header and a body. RFC 5322 sections 2.2 and 4.
 *
 * Layer: proto. No I/O, no clock, no allocation but in the buf handed in.
 */
#pragma once

#include "base/buf.h"

struct mime_field {
	struct str name;  /* empty when the line is no field */
	struct str value; /* behind the colon, folds and blanks included, final
	                     line end excluded; all of a line that is no field */
	struct str whole; /* the field with its line ends */
	size_t off;       /* of whole, in the input */
};

struct mime_header_iter {
	struct str in;
	size_t off;      /* of what is looked at next */
	bool is_at_body; /* the empty line (or the end) was reached */
};

/* in is a header, or a whole message: iteration stops at the empty line. */
void mime_header_start(struct mime_header_iter *it, struct str in);
/*
 * The next field, in order. False at the end of the header; it->off is then
 * the offset of the body (behind the empty line).
 */
bool mime_header_next(struct mime_header_iter *it, struct mime_field *ret);

/*
 * Length of the header of message, the empty line included: the offset of
 * the body. All of the message when there is no empty line.
 */
size_t mime_header_length(struct str message);

/*
 * The first, the last or the nth (from 0) field of a name, without regard to
 * ASCII case. False, and *ret untouched, when there is none.
 */
bool mime_header_find(struct str in, struct str name, struct mime_field *ret);
bool mime_header_find_last(
    struct str in, struct str name, struct mime_field *ret);
bool mime_header_find_nth(
    struct str in, struct str name, size_t nth, struct mime_field *ret);
size_t mime_header_count(struct str in, struct str name);

/*
 * Append a raw value on one line: line ends are dropped (RFC 5322 section
 * 2.2.3), NUL and bare CR become a space, blanks at both ends go.
 */
void mime_header_unfold(struct str value, struct buf *out);

/*
 * Append, verbatim, the fields of header whose name is among the names (or,
 * with except, is not), then the empty line: BODY[HEADER.FIELDS (...)] of
 * RFC 9051 section 6.4.5.1. Lines that are no field count as not named.
 * The empty line is CRLF whatever the message uses.
 */
struct mime_names {
	const struct str *v;
	size_t n;
};
void mime_header_select(
    struct str header, struct mime_names names, bool except, struct buf *out);
