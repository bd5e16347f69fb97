/* SPDX-License-Identifier: ISC */
/*
 * imap_set.c - sequence sets. See imap_set.h.
 */
#include "proto/imap/imap_set.h"

static bool
parse_number(struct str s, uint32_t *ret)
{
	if (str_eq(s, STR("*"))) {
		*ret = IMAP_SET_STAR;
		return true;
	}
	/* nz-number: no leading zero, so "0" is none either. */
	if (s.n == 0 || s.p[0] == '0')
		return false;
	return str_to_u32(s, UINT32_MAX, ret);
}

static bool
parse_range(struct str s, struct imap_range *ret)
{
	struct str lo;
	struct str hi = str_split(s, ':', &lo);

	if (!parse_number(lo, &ret->lo))
		return false;
	if (lo.n == s.n) {
		ret->hi = ret->lo;
		return true;
	}
	return parse_number(hi, &ret->hi);
}

static size_t
count_parts(struct str s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ',';
	return n;
}

bool
imap_set_parse(struct arena *a, struct str text, struct imap_set *ret)
{
	struct imap_set set = { .n = count_parts(text) };
	struct imap_range *ranges;

	if (str_eq(text, STR("$"))) {
		*ret = (struct imap_set){ .is_saved = true };
		return true;
	}
	if (set.n > IMAP_MAX_SET_RANGES)
		return false;
	ranges = arena_calloc(a, set.n, sizeof(*ranges));
	if (!ranges)
		return false;

	for (size_t i = 0; i < set.n; i++) {
		struct str part;

		text = str_split(text, ',', &part);
		if (!parse_range(part, &ranges[i]))
			return false;
	}
	set.ranges = ranges;
	*ret = set;
	return true;
}

/* Stars become max, ends are put in order. False: nothing is left of it. */
static bool
resolve(struct imap_range r, uint32_t max, struct imap_range *ret)
{
	uint32_t a = r.lo == IMAP_SET_STAR ? max : r.lo;
	uint32_t b = r.hi == IMAP_SET_STAR ? max : r.hi;

	ret->lo = MIN(a, b);
	ret->hi = MIN(MAX(a, b), max);
	return ret->lo <= ret->hi;
}

static int
compare_ranges(const void *va, const void *vb)
{
	const struct imap_range *a = va, *b = vb;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

static size_t
merge(struct imap_range *ranges, size_t n)
{
	size_t out = 0;

	for (size_t i = 1; i < n; i++) {
		struct imap_range *last = &ranges[out];

		if (ranges[i].lo > (uint64_t)last->hi + 1)
			ranges[++out] = ranges[i];
		else
			last->hi = MAX(last->hi, ranges[i].hi);
	}
	return n ? out + 1 : 0;
}

bool
imap_set_normalise(struct arena *a, const struct imap_set *set, uint32_t max,
    struct imap_set *ret)
{
	struct imap_range *ranges = arena_calloc(a, set->n, sizeof(*ranges));
	bool is_sorted = true;
	size_t n = 0;

	if (!ranges)
		return false;
	for (size_t i = 0; max && i < set->n; i++) {
		if (!resolve(set->ranges[i], max, &ranges[n]))
			continue;
		if (n && ranges[n].lo < ranges[n - 1].lo)
			is_sorted = false;
		n++;
	}
	if (!is_sorted)
		qsort(ranges, n, sizeof(*ranges), compare_ranges);

	*ret = (struct imap_set){ .ranges = ranges, .n = merge(ranges, n) };
	return true;
}

bool
imap_set_has(const struct imap_set *set, uint32_t value)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (value < set->ranges[mid].lo)
			hi = mid;
		else if (value > set->ranges[mid].hi)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

uint64_t
imap_set_count(const struct imap_set *set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set->n; i++)
		sum += (uint64_t)set->ranges[i].hi - set->ranges[i].lo + 1;
	return sum;
}

bool
imap_set_next(struct imap_set_iter *it, uint32_t *ret)
{
	const struct imap_range *r;

	if (it->range >= it->set->n)
		return false;
	r = &it->set->ranges[it->range];
	*ret = r->lo + it->off;
	if (*ret == r->hi) {
		it->range++;
		it->off = 0;
	} else {
		it->off++;
	}
	return true;
}

static void
put_number(struct buf *b, uint32_t v)
{
	if (v == IMAP_SET_STAR)
		buf_put_char(b, '*');
	else
		buf_put_u64(b, v);
}

static void
put_range(struct buf *b, uint32_t lo, uint32_t hi)
{
	put_number(b, lo);
	if (lo != hi) {
		buf_put_char(b, ':');
		put_number(b, hi);
	}
}

void
imap_set_format(struct buf *b, const struct imap_set *set)
{
	if (set->is_saved)
		buf_put_char(b, '$');
	for (size_t i = 0; i < set->n; i++) {
		if (i)
			buf_put_char(b, ',');
		put_range(b, set->ranges[i].lo, set->ranges[i].hi);
	}
}

static void
flush_run(struct imap_set_writer *w)
{
	if (w->lo == 0)
		return;
	if (w->has_output)
		buf_put_char(w->b, ',');
	put_range(w->b, w->lo, w->hi);
	w->has_output = true;
	w->lo = 0;
}

void
imap_set_writer_add(struct imap_set_writer *w, uint32_t v)
{
	ASSERT(v > 0);
	if (w->lo && w->hi < UINT32_MAX && v == w->hi + 1) {
		w->hi = v;
		return;
	}
	flush_run(w);
	w->lo = w->hi = v;
}

void
imap_set_writer_end(struct imap_set_writer *w)
{
	flush_run(w);
}
