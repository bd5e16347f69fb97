/* SPDX-License-Identifier: ISC */
/*
 * http_body.h - the body of an HTTP/1.1 message, by length or in chunks
 * (RFC 9112 sections 6 and 7.1).
 *
 * Chunk extensions are read over within a limit; trailer fields are read over
 * within a limit, too, and mean nothing here.
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "proto/http/http_request.h"

#define HTTP_CHUNK_LINE_MAX 256 /* bytes of a chunk's head */
#define HTTP_TRAILER_MAX    KIB(4)

struct http_body {
	enum http_body_kind kind;
	uint64_t left;  /* bytes to come of the body, or of the chunk */
	uint64_t total; /* bytes that came */
	uint64_t max;
	size_t trailer; /* bytes read over */
	enum { CHUNK_HEAD, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER } state;
};

enum http_body_state {
	HTTP_BODY_MORE,    /* *ret_used is set, *ret_data may be empty */
	HTTP_BODY_DONE,    /* likewise; that was all */
	HTTP_BODY_TOO_BIG, /* final: 413 */
	HTTP_BODY_BAD,     /* final: 400 */
};

/* max: bytes of the whole body that are accepted. */
void http_body_init(struct http_body *b, enum http_body_kind kind,
    uint64_t length, uint64_t max);
/*
 * Take what can be taken from the start of in: at most one run of data, and the
 * bytes around it. The caller drops *ret_used bytes and calls again, as long
 * as *ret_used is not 0; *ret_data points into in.
 */
enum http_body_state http_body_next(
    struct http_body *b, struct str in, struct str *ret_data, size_t *ret_used);
