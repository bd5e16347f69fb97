/* SPDX-License-Identifier: ISC */
/*
 * taglist.h - cut "name=value; name=value" into its fields.
 *
 * The policies that are published as TXT records look like this. They differ
 * in what they forgive, so this only cuts and judges nothing.
 *
 * Layer: base. No I/O, no allocation.
 */
#pragma once

#include "base/str.h"

/*
 * Take the next field of *rest; name and value are without spaces and tabs
 * around them and point into it. A field without "=" is all name, and its
 * value is STR_NONE (an empty value has a pointer). A field with nothing in
 * it has an empty name. False at the end; what follows the last semicolon is
 * no field when it is blank.
 */
bool taglist_next(
    struct str *rest, struct str *ret_name, struct str *ret_value) WARN_UNUSED;

enum taglist_found {
	TAGLIST_NONE,
	TAGLIST_ONE,
	TAGLIST_SEVERAL,
};

/*
 * Among the TXT records of a name, the one that begins with version ("v=STSv1"),
 * blanks, and a semicolon. *ret is set when there is exactly one.
 */
enum taglist_found taglist_find(const struct str *records, size_t n,
    struct str version, struct str *ret) WARN_UNUSED;
