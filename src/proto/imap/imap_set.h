/* SPDX-License-Identifier: ISC */
/*
 * imap_set.h - sequence sets: "1:4,7,9:*" (RFC 3501 9, sequence-set).
 *
 * A parsed set keeps the client's order and its stars. Work is done on the
 * normal form: ranges that are sorted, disjoint and not adjacent, so that a
 * caller merges it with its list of messages in one pass.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Ranges of one set. A line of 64 KiB could hold about 32,000. */
#define IMAP_MAX_SET_RANGES 16384
#define IMAP_SET_STAR       0U /* in a parsed set: "*" */

struct imap_range {
	uint32_t lo, hi; /* both inclusive */
};

struct imap_set {
	const struct imap_range *ranges;
	size_t n;
	bool is_saved; /* it was "$" (RFC 5182): ranges is empty */
};

/*
 * Parse the whole of text. False when it is not a set, has a 0, has more
 * than IMAP_MAX_SET_RANGES parts, or the arena is full; *ret is untouched
 * then. "$" is accepted. lo > hi may occur, as the client wrote it.
 */
bool imap_set_parse(
    struct arena *a, struct str text, struct imap_set *ret) WARN_UNUSED;

/*
 * The normal form of set when "*" means max: sorted, merged, no range above
 * max except the one that "*" gives. With max 0 (empty mailbox) the result
 * is empty. As RFC 3501 asks, "9:*" contains max even when max < 9.
 * Numbers above max are dropped. False when the arena is full.
 */
bool imap_set_normalise(struct arena *a, const struct imap_set *set,
    uint32_t max, struct imap_set *ret) WARN_UNUSED;

/* Is value in set? set must be normal. Logarithmic. */
bool imap_set_has(const struct imap_set *set, uint32_t value);

/* How many numbers a normal set holds. */
uint64_t imap_set_count(const struct imap_set *set);

/* Walk the numbers of a normal set in order: for (it = ...; next(&it, &v);) */
struct imap_set_iter {
	const struct imap_set *set;
	size_t range;
	uint32_t off; /* within the range */
};
bool imap_set_next(struct imap_set_iter *it, uint32_t *ret);

/* Write a set, stars included. Writes nothing for an empty set. */
void imap_set_format(struct buf *b, const struct imap_set *set);

/*
 * Writes numbers one by one as a compact set: for COPYUID, ESEARCH ALL and
 * VANISHED. Runs that ascend by one become "lo:hi"; the order of the numbers
 * is kept, because COPYUID pairs the n-th with the n-th (RFC 4315 3).
 *
 *	struct imap_set_writer w = { .b = b };
 *	for (...) imap_set_writer_add(&w, uid);
 *	imap_set_writer_end(&w);
 */
struct imap_set_writer {
	struct buf *b;
	uint32_t lo, hi; /* the open run; lo 0: none */
	bool has_output;
};
void imap_set_writer_add(struct imap_set_writer *w, uint32_t v);
void imap_set_writer_end(struct imap_set_writer *w);
