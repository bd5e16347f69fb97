/* SPDX-License-Identifier: ISC */
/*
 * spf_name.h - domain names that can be asked for.
 *
 * SPF makes names out of what outsiders write, spaces and colons included, so
 * this is the rule of the DNS (lengths) and not that of host names. Only
 * printable ASCII passes: a name with other bytes is one that nobody
 * publishes (RFC 8616 section 4 says so of local parts).
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "base/str.h"

#define SPF_NAME_MAX  253 /* bytes, without a dot at the end */
#define SPF_LABEL_MAX 63

struct spf_name {
	size_t n;
	char p[SPF_NAME_MAX];
};

/*
 * Copy of text without one dot at its end. False, and *ret untouched, unless
 * all labels have 1 to 63 bytes and the whole has at most 253.
 */
bool spf_name_set(struct str text, struct spf_name *ret) WARN_UNUSED;

static inline struct str
spf_name_str(const struct spf_name *name)
{
	return str_make(name->p, name->n);
}
