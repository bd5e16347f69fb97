/* SPDX-License-Identifier: ISC */
/*
 * watch_sketch.c - the logarithmic steps, counting, quantiles.
 *
 * The steps are walked in integers instead of calling log(): 255 small
 * multiplications a sample are nothing beside a probe, and every machine
 * makes the same codes.
 */
#include "proto/watch/watch_sketch.h"

#define FIRST_US  100
#define FRACTION  10 /* bits behind the point of a bound */
#define TOTAL_MAX (1u << 31)

static uint64_t
next_bound(uint64_t bound)
{
	return bound * 19 / 18;
}

uint8_t
watch_code_of_us(uint32_t us)
{
	uint64_t bound = (uint64_t)FIRST_US << FRACTION;
	unsigned code = 1;

	while (code < WATCH_CODES - 1 && us > bound >> FRACTION) {
		bound = next_bound(bound);
		code++;
	}
	return (uint8_t)code;
}

uint32_t
watch_code_to_us(uint8_t code)
{
	uint64_t bound = (uint64_t)FIRST_US << FRACTION;

	if (code == 0)
		return 0;
	for (unsigned i = 1; i < code; i++)
		bound = next_bound(bound);
	/* The bound is the upper end; half a step down is its middle. */
	return (
	    uint32_t)((bound - bound / 38 + (1u << FRACTION) / 2) >> FRACTION);
}

void
watch_sketch_add(struct watch_sketch *s, uint8_t code, uint32_t weight)
{
	if (code == 0)
		return;
	weight = MIN(weight, TOTAL_MAX - s->total);
	s->counts[code] += weight;
	s->total += weight;
}

void
watch_sketch_merge(struct watch_sketch *to, const struct watch_sketch *s)
{
	for (unsigned i = 1; i < WATCH_CODES; i++)
		watch_sketch_add(to, (uint8_t)i, s->counts[i]);
}

/* weight over the steps from a to b, both included, to the last sample. */
static void
spread_evenly(struct watch_sketch *s, unsigned a, unsigned b, uint32_t weight)
{
	uint64_t steps = b - a + 1;

	for (unsigned i = 0; i < steps; i++) {
		uint64_t done = weight * (uint64_t)i / steps;
		uint64_t then = weight * (uint64_t)(i + 1) / steps;

		watch_sketch_add(s, (uint8_t)(a + i), (uint32_t)(then - done));
	}
}

void
watch_sketch_spread(
    struct watch_sketch *s, const struct watch_quantiles *q, uint32_t weight)
{
	/* Percent up to each quantile, and the rest behind the last. */
	static const uint8_t share[] = { 5, 25, 50, 75, 95, 100 };
	uint64_t done = 0;

	if (q->v[0] == 0)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(share); i++) {
		uint64_t then = (uint64_t)weight * share[i] / 100;
		uint8_t a = q->v[i == 0 ? 0 : i - 1];
		uint8_t b = q->v[MIN(i, WATCH_QUANTILES - 1u)];

		spread_evenly(s, a, b, (uint32_t)(then - done));
		done = then;
	}
}

uint8_t
watch_sketch_quantile(const struct watch_sketch *s, unsigned permille)
{
	uint64_t want = MAX(((uint64_t)s->total * permille + 999) / 1000, 1u);
	uint64_t sum = 0;

	for (unsigned i = 1; i < WATCH_CODES; i++) {
		sum += s->counts[i];
		if (sum >= want)
			return (uint8_t)i;
	}
	return 0;
}

struct watch_quantiles
watch_sketch_quantiles(const struct watch_sketch *s)
{
	static const uint16_t permille[] = { 50, 250, 500, 750, 950 };
	struct watch_quantiles q = { { 0 } };

	for (size_t i = 0; i < WATCH_QUANTILES; i++)
		q.v[i] = watch_sketch_quantile(s, permille[i]);
	return q;
}

bool
watch_quantiles_are_sane(const struct watch_quantiles *q)
{
	for (size_t i = 1; i < WATCH_QUANTILES; i++)
		if (q->v[i] < q->v[i - 1] || q->v[i - 1] == 0)
			return q->v[0] == 0 && q->v[WATCH_QUANTILES - 1] == 0 &&
			       q->v[1] == 0 && q->v[2] == 0 && q->v[3] == 0;
	return true;
}
