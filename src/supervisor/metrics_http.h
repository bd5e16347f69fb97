/* SPDX-License-Identifier: ISC */
/*
 * metrics_http.h - answer GET /metrics on a loopback port.
 *
 * So little of HTTP/1.1 that it can be seen to be right: one request a
 * connection, at most 4 KB, 5 s and 16 connections at once; header fields are
 * not looked at. No HTTP library in the one process that may be root.
 */
#pragma once

#include "base/buf.h"
#include "net/loop.h"

struct metrics_http;

/* Appends the text of the moment. */
typedef void (*metrics_text_fn)(void *arg, struct buf *b);

/* fd: a listening, non-blocking socket; taken. */
struct metrics_http *metrics_http_new(
    struct loop *l, int fd, metrics_text_fn text, void *arg);
/* Ends the connections too. NULL is fine. */
void metrics_http_free(struct metrics_http *h);

/* Pure, for tests: what to answer to the bytes so far. */
enum metrics_http_verdict {
	METRICS_HTTP_MORE,
	METRICS_HTTP_TEXT,      /* 200 */
	METRICS_HTTP_HEAD,      /* 200 without the text */
	METRICS_HTTP_NOT_FOUND, /* 404 */
	METRICS_HTTP_METHOD,    /* 405 */
	METRICS_HTTP_BAD,       /* 400 */
};
#define METRICS_HTTP_REQUEST_MAX 4096
enum metrics_http_verdict metrics_http_look(struct str in);
