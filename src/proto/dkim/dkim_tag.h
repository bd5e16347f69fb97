/* SPDX-License-Identifier: ISC */
/*
 * dkim_tag.h - the tag=value lists of signatures and key records.
 *
 * RFC 6376 section 3.2: names are case-sensitive and occur once, blanks and
 * folds around names and values do not count, a semicolon may end the list.
 * A list that breaks one of these rules is refused as a whole, because two
 * readers that repair it differently would see two signatures.
 *
 * Layer: proto. No I/O, no clock, no allocation but in the buf handed in.
 */
#pragma once

#include "base/buf.h"

/* More tags than this are refused; the RFCs know fifteen. */
#define DKIM_TAGS_MAX 32

struct dkim_tag {
	struct str name;
	struct str value; /* without blanks and folds at both ends */
	size_t begin;     /* offsets in the list: behind the "=", and at */
	size_t end;       /* the semicolon or the end */
};

struct dkim_tags {
	struct dkim_tag v[DKIM_TAGS_MAX];
	size_t n;
};

/* False, and *ret undefined, when list is no tag list. Borrows from list. */
bool dkim_tags_parse(struct str list, struct dkim_tags *ret) WARN_UNUSED;
/* The tag, or NULL when the list has none of this name. */
const struct dkim_tag *dkim_tags_find(
    const struct dkim_tags *tags, const char *name);
/* Its value, or STR_NONE. */
struct str dkim_tags_get(const struct dkim_tags *tags, const char *name);

/*
 * Take the next member, trimmed, from a list with a separator: "a : b : c".
 * False at the end. An empty list has one empty member.
 */
bool dkim_list_next(struct str *rest, char separator, struct str *ret_member);

/* s without blanks and line ends at both ends. */
struct str dkim_trim(struct str s);

/*
 * Append the bytes of a base64 value that may be folded anywhere. False when
 * it is not base64 or empty; padding must be right (RFC 4648 section 4).
 */
bool dkim_base64(struct str value, struct buf *to) WARN_UNUSED;
