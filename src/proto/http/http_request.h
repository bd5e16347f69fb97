/* SPDX-License-Identifier: ISC */
/*
 * http_request.h - read the head of an HTTP/1.x request (RFC 9112, RFC 9110).
 *
 * Strict wherever two readers of the same bytes could see two different
 * requests: lines end with CRLF, nothing is folded, a body has one length only,
 * one Host. What is refused has a status for its answer, and the connection
 * ends with it.
 *
 * Layer: proto. No I/O, no clock, no allocation. Strings point into the head.
 */
#pragma once

#include "base/str.h"

#define HTTP_HEAD_MAX   KIB(16) /* bytes, with the empty line */
#define HTTP_FIELDS_MAX 100
#define HTTP_TARGET_MAX KIB(8)
#define HTTP_METHOD_MAX 32

struct http_field {
	struct str name, value;
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* a method that is none of these: 501 */
};

enum http_body_kind {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,
	HTTP_BODY_CHUNKED,
};

struct http_request {
	enum http_method method;
	uint8_t minor;    /* of HTTP/1.x */
	struct str path;  /* as sent, begins with "/"; or "*" */
	struct str query; /* behind "?", as sent */
	struct str host;  /* as sent, with a port when it has one */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
	enum http_body_kind body;
	uint64_t length; /* of HTTP_BODY_LENGTH */
	bool is_kept;    /* the connection goes on behind the answer */
	bool expects_continue;
};

enum http_frame {
	HTTP_FRAME_MORE, /* the head is not complete yet */
	HTTP_FRAME_HEAD, /* *ret_head and *ret_used are set */
	HTTP_FRAME_TOO_LONG,
};

/*
 * Cut a head off the start of in, which holds everything received and not yet
 * consumed. Empty lines in front of it are passed over (RFC 9112 section 2.2)
 * and counted in *ret_used. *seen: bytes that were looked at already, 0 at
 * first and after each head; the answer does not depend on how in grew.
 */
enum http_frame http_frame_head(
    struct str in, size_t *seen, struct str *ret_head, size_t *ret_used);

/* 0, or the status that refuses it: 400, 414, 431, 501, 505. *ret is undefined
 * then. */
int http_request_parse(struct str head, struct http_request *ret) WARN_UNUSED;

/* The value of the first field of that name; false: there is none. */
bool http_request_field(
    const struct http_request *r, struct str name, struct str *ret) WARN_UNUSED;
/* Those of all fields of that name, one by one: *i is 0 at first. A list may
 * stand in several lines (RFC 9110 section 5.3). */
bool http_request_next_field(const struct http_request *r, struct str name,
    size_t *i, struct str *ret) WARN_UNUSED;

/* A token of RFC 9110 section 5.6.2. */
bool http_is_token(struct str s);
