/* SPDX-License-Identifier: ISC */
/*
 * content.h - what a message asks of a server's way of transport, seen from
 * its bytes rather than from what was said about them: many programs send 8-bit
 * text and call it nothing.
 *
 * Pure. Fed in parts of any size.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>

/* RFC 5321 section 4.5.3.1.6: octets of a line, CRLF not counted. */
#define CONTENT_LINE_MAX 998

struct content {
	bool has_utf8_header; /* a header field is not ASCII */
	bool has_8bit;        /* the body is not */
	bool has_binary;      /* the body has NUL, or a bare CR or LF */
	bool has_long_line;   /* the body has a line over the limit */
	/* while it is fed */
	bool is_in_body, is_after_cr;
	size_t column; /* of the line, or of the empty one behind the header */
};

void content_feed(struct content *c, struct str part);
/* The end: a CR that came last is bare. */
void content_finish(struct content *c);
