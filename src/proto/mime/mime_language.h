/* SPDX-License-Identifier: ISC */
/*
 * mime_language.h - the language in which the author of a message would like
 * to be answered (RFC 3282).
 *
 * Layer: proto. No I/O, no clock, no allocation of the input's size.
 */
#pragma once

#include "base/buf.h"

/* Of a field's value; what is behind it does not count. */
#define MIME_LANGUAGE_FIELD_MAX KIB(1)

/*
 * Which of the languages ("en", "pt") the header of message asks for: by
 * Accept-Language, else, because who writes a language reads it, by
 * Content-Language; see accept_language(). The first field of each name
 * counts. False, and *ret untouched, when neither names one of them.
 */
bool mime_language(struct str message, const struct str *languages, size_t n,
    size_t *ret) WARN_UNUSED;
