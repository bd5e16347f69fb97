/* SPDX-License-Identifier: ISC */
/*
 * watch_sum.c - reading the rings: sums over a time, uptime, days.
 */
#include "proto/watch/watch_ring.h"

#define DAY_S UINT64_C(86400)

struct reach {
	uint64_t newest[WATCH_LEVELS];
};

static struct reach
find_reach(const struct watch_ring *ring)
{
	struct reach r = { { 0 } };
	const uint8_t *page = ring->bytes;

	for (unsigned l = 0; l < WATCH_LEVELS; l++)
		for (unsigned p = watch_level_pages((enum watch_level)l); p > 0;
		     p--, page += WATCH_PAGE_BYTES)
			r.newest[l] = MAX(r.newest[l], watch_page_newest(page));
	return r;
}

/* Which level tells best of the time at t, up to end? */
static enum watch_level
choose_level(const struct reach *r, uint64_t t, uint64_t end)
{
	for (unsigned l = WATCH_LEVELS; l-- > 0;) {
		uint64_t width = watch_level_width((enum watch_level)l);

		if (t % width == 0 && t + width <= end)
			return (enum watch_level)l;
	}
	for (unsigned l = 0; l < WATCH_HOURS; l++) {
		enum watch_level level = (enum watch_level)l;

		if (t / watch_level_width(level) + watch_level_cells(level) >
		    r->newest[l])
			return level;
	}
	return WATCH_HOURS;
}

static void
add_cell(struct watch_sum *sum, const struct watch_cell *cell, uint64_t part,
    uint64_t width)
{
	uint64_t weight = 0;

	for (size_t i = 0; i < WATCH_CLASSES; i++) {
		uint64_t s = cell->seconds[i] * part / width;

		sum->seconds[i] += s;
		weight += s;
	}
	/* Samples may be there before their seconds are settled. */
	weight = MAX(weight, 1u);
	sum->weight += weight;
	sum->loss += cell->loss * weight;
	watch_sketch_spread(&sum->latency, &cell->latency, (uint32_t)weight);
}

void
watch_ring_sum(const struct watch_ring *ring, uint64_t from_s, uint64_t to_s,
    struct watch_sum *ret)
{
	struct reach r = find_reach(ring);
	uint64_t hours = watch_level_width(WATCH_HOURS);
	uint64_t kept = hours * watch_level_cells(WATCH_HOURS);
	uint64_t t;

	memset(ret, 0, sizeof(*ret));
	ret->range_s = to_s > from_s ? to_s - from_s : 0;
	/* Nothing is kept outside; a range of an age ends soon all the same. */
	to_s = MIN(to_s, (r.newest[WATCH_HOURS] + 1) * hours);
	t = to_s > kept ? MAX(from_s, to_s - kept) : from_s;
	while (t < to_s) {
		enum watch_level level = choose_level(&r, t, to_s);
		uint64_t width = watch_level_width(level);
		uint64_t end = MIN(t - t % width + width, to_s);
		struct watch_cell cell;

		if (watch_ring_cell(ring, level, t, &cell))
			add_cell(ret, &cell, end - t, width);
		t = end;
	}
}

bool
watch_sum_uptime_ppm(const struct watch_sum *sum, uint32_t *ret)
{
	uint64_t up =
	    sum->seconds[WATCH_SECOND_UP] + sum->seconds[WATCH_SECOND_DEGRADED];
	uint64_t all = up + sum->seconds[WATCH_SECOND_DOWN];

	if (all == 0)
		return false;
	*ret = (uint32_t)(up * 1000000 / all);
	return true;
}

uint32_t
watch_sum_coverage_ppm(const struct watch_sum *sum)
{
	uint64_t known = 0;

	for (size_t i = 0; i < WATCH_CLASSES; i++)
		known += sum->seconds[i];
	return sum->range_s == 0 ? 0
	                         : (uint32_t)(known * 1000000 / sum->range_s);
}

uint32_t
watch_sum_loss_ppm(const struct watch_sum *sum)
{
	return sum->weight == 0
	           ? 0
	           : (uint32_t)(sum->loss * 1000000 / 255 / sum->weight);
}

static enum watch_day_kind
kind_of(const struct watch_day *d)
{
	if (d->seconds[WATCH_SECOND_DOWN] > 0)
		return WATCH_DAY_DOWN;
	if (d->seconds[WATCH_SECOND_DEGRADED] > 0)
		return WATCH_DAY_DEGRADED;
	if (d->seconds[WATCH_SECOND_UP] > 0)
		return WATCH_DAY_UP;
	return d->seconds[WATCH_SECOND_MAINTENANCE] > 0 ? WATCH_DAY_PLANNED
	                                                : WATCH_DAY_NONE;
}

void
watch_ring_days(const struct watch_ring *ring, uint64_t today_s, uint64_t now_s,
    struct watch_day *ret, size_t n)
{
	struct watch_sum sum;

	ASSERT(today_s >= n * DAY_S);
	now_s -= now_s % 60;
	for (size_t i = 0; i < n; i++) {
		struct watch_day *d = &ret[i];
		uint64_t from = today_s - (n - 1 - i) * DAY_S;
		uint64_t known = 0;

		watch_ring_sum(
		    ring, from, MAX(from, MIN(from + DAY_S, now_s)), &sum);
		*d = (struct watch_day){ .from_s = from };
		for (size_t k = 0; k < WATCH_CLASSES; k++) {
			d->seconds[k] = (uint32_t)sum.seconds[k];
			known += sum.seconds[k];
		}
		d->unknown_s = (uint32_t)(sum.range_s - known);
		d->kind = kind_of(d);
	}
}
