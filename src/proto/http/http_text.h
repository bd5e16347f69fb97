/* SPDX-License-Identifier: ISC */
/*
 * http_text.h - the small texts of HTTP and of pages: percent-encoding, paths,
 * forms, cookies, dates, entity tags.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

/*
 * A path as it was sent, decoded, with "." and ".." resolved and without empty
 * segments: "/a//b/../c" is "/a/c"; a "/" at the end stays. False: bad
 * percent-encoding, a NUL or another control, not UTF-8, or more than out
 * holds. ".." never leads above the root.
 */
bool http_path_decode(struct str path, struct buf *out) WARN_UNUSED;

/* The next "name=value" of a query or a form (application/x-www-form-
 * urlencoded), as it was sent. */
bool http_form_next(
    struct str *rest, struct str *ret_name, struct str *ret_value) WARN_UNUSED;
/* "+" is a blank. False as above, but controls are fine (a text area has line
 * ends); NUL is not. */
bool http_form_decode(struct str s, struct buf *out) WARN_UNUSED;
/* The decoded value of the first field of that name; false: there is none, or
 * it is malformed. */
bool http_form_get(
    struct str form, struct str name, struct buf *out) WARN_UNUSED;
/* Percent-encode everything but unreserved characters (RFC 3986 section 2.3). */
void http_encode(struct buf *out, struct str s);

/* The value of a cookie in a Cookie field (RFC 6265 section 4.2.1). */
bool http_cookie_get(
    struct str field, struct str name, struct str *ret) WARN_UNUSED;

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
void http_date_format(struct buf *out, uint64_t t);
/* That form only. */
bool http_date_parse(struct str s, uint64_t *ret) WARN_UNUSED;

/* Does an If-None-Match field name this entity tag (with its quotes)? Weakly,
 * as RFC 9110 section 13.1.2 wants it; "*" names all. */
bool http_etag_matches(struct str field, struct str etag);

/* Does an If-Match field name this entity tag? Strongly, as section 13.1.1 wants
 * it: a weak tag is the same as none. field: all its lines, with commas in
 * between. Malformed is also a list of no tags, and "*" in a list: who sends
 * that means something, and it is not "anyhow". */
enum http_match { HTTP_MATCH_NO, HTTP_MATCH_YES, HTTP_MATCH_MALFORMED };
enum http_match http_if_match(struct str field, struct str etag) WARN_UNUSED;
