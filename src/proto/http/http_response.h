/* SPDX-License-Identifier: ISC */
/*
 * http_response.h - write the head of an HTTP/1.1 response (RFC 9112 section 4).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

struct http_response {
	unsigned status;
	uint64_t now;    /* of the Date field */
	uint64_t length; /* of the body; not told with 1xx, 204, 304 */
	bool is_kept;    /* else the connection ends behind it */
};

/* "Not Found"; "Unknown" for a status without a name here. */
const char *http_reason(unsigned status);
/* The status line, Date, Content-Length, and Connection where it says more than
 * the protocol does by itself. Fields and an empty line come behind. */
void http_response_begin(struct buf *out, const struct http_response *r);
/* A field; what in value would end it or begin another is left out. */
void http_response_field(struct buf *out, const char *name, struct str value);
void http_response_end(struct buf *out);
