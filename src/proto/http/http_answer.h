/* SPDX-License-Identifier: ISC */
/*
 * http_answer.h - read the head of an HTTP/1.x response (RFC 9112 section 4),
 * for a client of one request.
 *
 * Layer: proto. No I/O, no clock, no allocation. Strings point into the head.
 */
#pragma once

#include "proto/http/http_request.h"

struct http_answer {
	unsigned status;
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
	/* NONE: there is none, or (ends_with_connection) it has no length. */
	enum http_body_kind body;
	bool ends_with_connection;
	uint64_t length;
};

/*
 * head: as http_frame_head() cuts it. is_head: the request was HEAD. False: it
 * is not HTTP, or says two things about its body.
 */
bool http_answer_parse(
    struct str head, bool is_head, struct http_answer *ret) WARN_UNUSED;
bool http_answer_field(
    const struct http_answer *a, struct str name, struct str *ret) WARN_UNUSED;
