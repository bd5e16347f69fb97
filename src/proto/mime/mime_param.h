/* SPDX-License-Identifier: ISC */
/*
 * mime_param.h - structured values: "token; name=value; name*0*=..." of
 * Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2183),
 * with the continuations and charsets of RFC 2231.
 *
 * Layer: proto. Results are in the caller's arena or in its input.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/*
 * Continuations are joined (RFC 2231 section 6 asks IMAP servers for it).
 * The name of an extended value keeps one "*" at its end and the value its
 * charset, language and percent-encoding: name*=utf-8''%C3%A4. Quotes and
 * escapes are taken away.
 */
struct mime_param {
	struct str name;
	struct str value;
};

struct mime_params {
	struct mime_param *v;
	size_t n;
};

/* Parameters beyond this, and pieces of one value, are left off. */
#define MIME_PARAM_MAX 64
/* Longer joined values are cut; values in one piece are as they came. */
#define MIME_PARAM_VALUE_MAX 8192

/*
 * Parse a raw value (folds allowed). *ret_head is what stands before the
 * first ";", without comments and blanks at its ends: "text/plain".
 * Never fails: what is not understood is skipped.
 */
void mime_param_parse(struct str in, struct arena *a, struct str *ret_head,
    struct mime_params *ret);

/* The parameter of this exact (but for ASCII case) name, or NULL. */
const struct mime_param *mime_param_find(
    const struct mime_params *params, struct str name);
/*
 * Append the value of a parameter as UTF-8: the extended form is preferred,
 * then the plain one, in which encoded words are decoded though RFC 2047
 * forbids them there. False when there is no such parameter.
 */
bool mime_param_decode(
    const struct mime_params *params, struct str name, struct buf *out);
