/* SPDX-License-Identifier: ISC */
/*
 * dsn_field.h - groups of header-like fields, as in delivery-status and
 * feedback-report parts (RFC 3464 section 2.1, RFC 5965 section 3).
 *
 * Reading is forgiving: lines end at LF, blank lines may be many, lines that
 * are no field are skipped. Writing is not: a value cannot end its field,
 * lines stay within limits, and unfolding gives back what was written.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* A longer value is cut when it is written, and when it is read. */
#define DSN_VALUE_MAX KIB(8)

struct dsn_field {
	struct str name;
	struct str value; /* unfolded, trimmed; from the arena if folded */
	size_t group;     /* counts from 0 */
};

struct dsn_field_iter {
	struct str rest;
	size_t group;
	bool has_any; /* a field in this group */
};

/*
 * The next field. False at the end, or when the arena is full. Values are
 * valid as long as input and arena.
 */
bool dsn_field_next(struct dsn_field_iter *it, struct arena *a,
    struct dsn_field *ret) WARN_UNUSED;

/* Cut "rfc822; a@example" at the semicolon, trimmed. Without one, *ret_type
 * is empty. */
struct str dsn_typed_value(struct str value, struct str *ret_type);

/*
 * Append "Name: value\r\n", folded. What is not printable becomes "?", line
 * ends a space, and so does non-ASCII text unless is_utf8 allows it. Nothing
 * is written when the value is empty. type, if any, is put before the value:
 * "Name: type; value".
 */
void dsn_field_put(struct buf *to, const char *name, const char *type,
    struct str value, bool is_utf8);
