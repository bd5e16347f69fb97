/* SPDX-License-Identifier: ISC */
/*
 * accept.h - lists of what somebody takes and how gladly: "pt-BR, en;q=0.5".
 *
 * Accept-Language and its like in HTTP (RFC 9110 section 12.5) and in mail
 * (RFC 3282 section 3), without the comments of mail. Any bytes are a list:
 * what is not understood is not wanted.
 *
 * No allocation; the time grows with the length of the field.
 */
#pragma once

#include "base/str.h"

/* The next member of a comma-separated list, blanks around it and empty ones
 * left out. False at the end. */
bool accept_list_next(struct str *rest, struct str *ret) WARN_UNUSED;

/* The weight in thousandths that a field gives to a token; "*" counts for
 * those it does not name; 0: not wanted. */
unsigned accept_weight(struct str field, struct str token);

/*
 * Which of the languages ("en", "pt") a field prefers; of equals, the one that
 * it names first. "pt-BR" asks for "pt", too (RFC 4647 section 3.4); "*" asks
 * for none. False, and *ret untouched, when it wants none of them.
 */
bool accept_language(struct str field, const struct str *languages, size_t n,
    size_t *ret) WARN_UNUSED;
