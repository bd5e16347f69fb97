/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * The first byte is the highest message number, the rest a sequence set.
 * Properties: the normal form is sorted, disjoint and not adjacent, holds
 * what the set says by a plain reading of RFC 3501, and what is written
 * parses to the same set.
 */
#include "proto/imap/imap_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 3501 9, seq-range, read number by number. */
static bool
contains(const struct imap_set *set, uint32_t max, uint32_t v)
{
	for (size_t i = 0; i < set->n; i++) {
		uint32_t a = set->ranges[i].lo, b = set->ranges[i].hi;

		a = a == IMAP_SET_STAR ? max : a;
		b = b == IMAP_SET_STAR ? max : b;
		if ((a <= v && v <= b) || (b <= v && v <= a))
			return true;
	}
	return false;
}

static void
check_normal(
    const struct imap_set *set, const struct imap_set *normal, uint32_t max)
{
	struct imap_set_iter it = { .set = normal };
	uint64_t count = 0;
	uint32_t v;

	for (size_t i = 0; i < normal->n; i++) {
		const struct imap_range *r = &normal->ranges[i];

		ASSERT(r->lo >= 1 && r->lo <= r->hi && r->hi <= max);
		ASSERT(i == 0 || r->lo > r[-1].hi + 1);
	}
	for (v = 1; v <= max; v++) {
		bool has = imap_set_has(normal, v);
		uint32_t next;

		ASSERT(has == contains(set, max, v));
		count += has;
		if (has)
			ASSERT(imap_set_next(&it, &next) && next == v);
	}
	ASSERT(!imap_set_next(&it, &v));
	ASSERT(count == imap_set_count(normal));
}

/* The normal form, written number by number, is the same text. */
static void
check_writer(const struct imap_set *normal, struct str want)
{
	struct buf out = BUF_INIT(MIB(1));
	struct imap_set_writer w = { .b = &out };
	struct imap_set_iter it = { .set = normal };
	uint32_t v;

	while (imap_set_next(&it, &v))
		imap_set_writer_add(&w, v);
	imap_set_writer_end(&w);
	ASSERT(str_eq(buf_str(&out), want));
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(MIB(1)), normal_text = BUF_INIT(MIB(1));
	struct imap_set set, again, normal, big;
	struct arena a;

	if (size < 1 || size > KIB(64))
		return 0;
	arena_init(&a, MIB(2));
	if (imap_set_parse(&a, str_make(data + 1, size - 1), &set)) {
		ASSERT(set.n <= IMAP_MAX_SET_RANGES);
		imap_set_format(&text, &set);
		ASSERT(imap_set_parse(&a, buf_str(&text), &again));
		ASSERT(again.n == set.n &&
		       (set.n == 0 || memcmp(again.ranges, set.ranges,
					  set.n * sizeof(*set.ranges)) == 0));
		ASSERT(imap_set_normalise(&a, &set, data[0], &normal));
		check_normal(&set, &normal, data[0]);
		imap_set_format(&normal_text, &normal);
		check_writer(&normal, buf_str(&normal_text));
		ASSERT(imap_set_normalise(&a, &set, UINT32_MAX, &big));
		for (size_t i = 1; i < big.n; i++)
			ASSERT(big.ranges[i].lo >
			       (uint64_t)big.ranges[i - 1].hi + 1);
	}
	arena_done(&a);
	buf_done(&text);
	buf_done(&normal_text);
	return 0;
}
