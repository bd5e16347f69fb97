/* SPDX-License-Identifier: ISC */
/* watch_ring_test.c - five years of history, and what is read from it. */
#include "../../test.h"
#include "proto/watch/watch_ring.h"

#include <stdlib.h>

#define DAY_S   UINT64_C(86400)
#define START_S (UINT64_C(20780) * DAY_S)

struct fixture {
	struct watch_ring ring;
	uint8_t *bytes;
};

static void
setup(struct fixture *f)
{
	f->bytes = calloc(1, WATCH_RING_BYTES);
	assert_non_null(f->bytes);
	assert_int_equal(watch_ring_open(&f->ring, f->bytes), WATCH_RING_PAGES);
}

TEST(five_hundred_checks_fit)
{
	unsigned pages = 0;

	for (unsigned l = 0; l < WATCH_LEVELS; l++)
		pages += watch_level_pages(l);
	CHECK(pages == WATCH_RING_PAGES, "the sum of the levels");
	CHECK(500 * WATCH_RING_BYTES <= 400 * 1000 * 1000, "400 MB");
	CHECK(watch_level_cells(WATCH_HOURS) * UINT64_C(3600) >=
		  5 * 365 * DAY_S + DAY_S * 5 / 4,
	    "five years");
}

TEST(codes_are_within_three_percent)
{
	for (uint32_t us = 100; us < 90000000; us += 1 + us / 50) {
		uint32_t back = watch_code_to_us(watch_code_of_us(us));
		uint32_t off = back > us ? back - us : us - back;

		CHECK((uint64_t)off * 1000 <= (uint64_t)us * 30, "off");
	}
	CHECK(watch_code_of_us(0) == 1, "nothing is faster");
	CHECK(watch_code_of_us(UINT32_MAX) == 255, "nothing is slower");
	CHECK(watch_code_to_us(0) == 0, "none");
}

TEST(quantiles_survive_being_merged)
{
	static struct watch_sketch exact, merged;
	struct watch_quantiles a, b;
	uint64_t seed = 42;

	for (int cell = 0; cell < 24; cell++) {
		static struct watch_sketch one;

		memset(&one, 0, sizeof(one));
		for (int i = 0; i < 120; i++) {
			uint32_t us;

			seed =
			    seed * 6364136223846793005u + 1442695040888963407u;
			/* A skewed distribution that drifts over the day. */
			us = 9000 + (uint32_t)cell * 300 +
			     (uint32_t)(seed >> 50) * (uint32_t)(seed >> 60);
			watch_sketch_add(&one, watch_code_of_us(us), 1);
		}
		watch_sketch_merge(&exact, &one);
		a = watch_sketch_quantiles(&one);
		watch_sketch_spread(&merged, &a, 3600);
	}
	a = watch_sketch_quantiles(&exact);
	b = watch_sketch_quantiles(&merged);
	for (size_t i = 0; i < WATCH_QUANTILES; i++)
		CHECK(abs(a.v[i] - b.v[i]) <= 2, "two steps of 5.6 %");
	CHECK(merged.total == 24 * 3600, "no weight is lost");
}

TEST(seconds_add_up_at_every_level)
{
	struct fixture f;
	struct watch_sum sum;
	uint32_t ppm = 0;

	setup(&f);
	watch_ring_spend(&f.ring, WATCH_SECOND_UP, START_S, START_S + 5000);
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_DOWN, START_S + 5000, START_S + 5100);
	/* 900 s are unknown. */
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_MAINTENANCE, START_S + 6000, START_S + 7200);
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_DEGRADED, START_S + 7200, START_S + 10000);
	watch_ring_sum(&f.ring, START_S, START_S + 10000, &sum);
	CHECK(sum.range_s == 10000, "range");
	CHECK(sum.seconds[WATCH_SECOND_UP] == 5000, "up");
	CHECK(sum.seconds[WATCH_SECOND_DOWN] == 100, "down");
	CHECK(sum.seconds[WATCH_SECOND_MAINTENANCE] == 1200, "planned");
	CHECK(sum.seconds[WATCH_SECOND_DEGRADED] == 2786, "degraded");
	CHECK(watch_sum_uptime_ppm(&sum, &ppm), "measured");
	/* The last 40 s are two thirds of a minute that holds 40. */
	CHECK(ppm == 7786 * UINT64_C(1000000) / 7886, "uptime");
	CHECK(watch_sum_coverage_ppm(&sum) < 910001, "with its gap");
	CHECK(watch_sum_coverage_ppm(&sum) > 907000, "and no more");
	watch_ring_sum(&f.ring, START_S + 4980, START_S + 5040, &sum);
	CHECK(sum.seconds[WATCH_SECOND_DOWN] == 40, "a minute");
	free(f.bytes);
}

TEST(one_second_down_is_never_all_up)
{
	struct watch_sum sum = { 0 };
	uint32_t ppm = 7;

	CHECK(!watch_sum_uptime_ppm(&sum, &ppm) && ppm == 7, "nothing known");
	sum.seconds[WATCH_SECOND_UP] = 90 * DAY_S;
	sum.seconds[WATCH_SECOND_DOWN] = 1;
	CHECK(watch_sum_uptime_ppm(&sum, &ppm) && ppm == 999999, "rounded");
}

TEST(five_years_pass)
{
	struct fixture f;
	struct watch_sum sum;
	uint64_t end = START_S + 5 * 366 * DAY_S;

	setup(&f);
	for (uint64_t t = START_S; t < end; t += 3600) {
		enum watch_class class =
		    t % (10 * DAY_S) == 0 ? WATCH_SECOND_DOWN : WATCH_SECOND_UP;

		watch_ring_spend(&f.ring, class, t, t + 3600);
		watch_ring_sample(&f.ring, t + 1800, 20000, false);
	}
	watch_ring_sum(&f.ring, end - 5 * 365 * DAY_S, end, &sum);
	CHECK(watch_sum_coverage_ppm(&sum) == 1000000, "all is there");
	CHECK(sum.seconds[WATCH_SECOND_DOWN] / 3600 >= 182, "the hours down");
	CHECK(sum.seconds[WATCH_SECOND_DOWN] / 3600 <= 183, "the hours down");
	CHECK(abs(watch_sketch_quantile(&sum.latency, 500) -
		  watch_code_of_us(20000)) <= 0,
	    "latency");
	/* A range of an age ends soon, and tells only what is there. */
	watch_ring_sum(&f.ring, 0, UINT64_MAX / 2, &sum);
	CHECK(sum.seconds[WATCH_SECOND_UP] < 6 * 366 * DAY_S, "bounded");
	free(f.bytes);
}

TEST(a_year_without_the_watcher_is_unknown)
{
	struct fixture f;
	struct watch_sum sum;
	uint64_t later = START_S + 4 * 365 * DAY_S;

	setup(&f);
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_DOWN, START_S, START_S + 100 * DAY_S);
	watch_ring_spend(&f.ring, WATCH_SECOND_UP, later, later + DAY_S);
	watch_ring_sum(&f.ring, later - 300 * DAY_S, later + DAY_S, &sum);
	CHECK(sum.seconds[WATCH_SECOND_UP] == DAY_S, "a day is known");
	CHECK(sum.seconds[WATCH_SECOND_DOWN] == 0, "the old is not the new");
	CHECK(watch_sum_coverage_ppm(&sum) == 1000000 / 301, "coverage");
	free(f.bytes);
}

TEST(losses_and_a_restart)
{
	struct fixture f;
	struct watch_cell cell;
	struct watch_sum sum;

	setup(&f);
	for (unsigned i = 0; i < 120; i++) {
		uint64_t t = START_S + i * 30;

		/* Half-way the process is started again. */
		if (i == 60)
			CHECK(watch_ring_open(&f.ring, f.bytes) == 0, "sane");
		watch_ring_spend(&f.ring, WATCH_SECOND_UP, t, t + 30);
		watch_ring_sample(&f.ring, t, 15000 + i * 10, i % 10 == 0);
	}
	CHECK(watch_ring_cell(&f.ring, WATCH_HOURS, START_S, &cell), "cell");
	CHECK(cell.seconds[WATCH_SECOND_UP] == 3600, "an hour");
	CHECK(cell.loss >= 25 && cell.loss <= 28, "a tenth was lost");
	CHECK(abs(cell.latency.v[2] - watch_code_of_us(15600)) <= 1, "p50");
	watch_ring_sum(&f.ring, START_S, START_S + 3600, &sum);
	CHECK(watch_sum_loss_ppm(&sum) > 98000, "a tenth");
	CHECK(watch_sum_loss_ppm(&sum) < 110000, "a tenth");
	free(f.bytes);
}

/* The watcher was away for an hour; an agent was not. */
TEST(a_gap_is_filled)
{
	struct fixture f;
	struct watch_cell cell;
	struct watch_sketch answers = { 0 };

	setup(&f);
	watch_ring_spend(&f.ring, WATCH_SECOND_UP, START_S, START_S + 90);
	watch_ring_sample(&f.ring, START_S + 60, 15000, false);
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_UP, START_S + 3690, START_S + 3720);
	watch_ring_sample(&f.ring, START_S + 3700, 15000, false);
	/* What follows tells of all of it: what is known stays. */
	for (unsigned i = 0; i < 2; i++)
		watch_ring_fill_seconds(
		    &f.ring, WATCH_SECOND_DOWN, START_S, START_S + 3720);
	CHECK(watch_ring_cell(&f.ring, WATCH_HOURS, START_S, &cell) &&
		  cell.seconds[WATCH_SECOND_UP] == 90 &&
		  cell.seconds[WATCH_SECOND_DOWN] == 3510,
	    "an hour");
	CHECK(watch_ring_cell(&f.ring, WATCH_HOURS, START_S + 3600, &cell) &&
		  cell.seconds[WATCH_SECOND_UP] == 30 &&
		  cell.seconds[WATCH_SECOND_DOWN] == 90,
	    "the next one, and no second twice");
	watch_sketch_add(&answers, watch_code_of_us(80000), 1);
	for (uint64_t t = START_S; t < START_S + 3720; t += 60)
		watch_ring_fill(&f.ring, WATCH_MINUTES, t, &answers, 1);
	CHECK(watch_ring_cell(&f.ring, WATCH_MINUTES, START_S, &cell), "cell");
	CHECK(cell.seconds[WATCH_SECOND_UP] == 60, "as it was");
	CHECK(cell.seconds[WATCH_SECOND_DOWN] == 0, "as it was");
	CHECK(watch_ring_cell(&f.ring, WATCH_MINUTES, START_S + 60, &cell),
	    "the second");
	CHECK(cell.seconds[WATCH_SECOND_UP] == 30 &&
		  cell.seconds[WATCH_SECOND_DOWN] == 30,
	    "half of it was missing");
	CHECK(cell.loss == 0, "its samples stay");
	CHECK(watch_ring_cell(&f.ring, WATCH_MINUTES, START_S + 1800, &cell),
	    "in the gap");
	CHECK(cell.seconds[WATCH_SECOND_DOWN] == 60 && cell.loss == 128 &&
		  cell.latency.v[2] == watch_code_of_us(80000),
	    "filled");
	/* Once. */
	watch_ring_fill(&f.ring, WATCH_MINUTES, START_S + 1800, &answers, 1000);
	CHECK(watch_ring_cell(&f.ring, WATCH_MINUTES, START_S + 1800, &cell) &&
		  cell.loss == 128,
	    "it has some");
	free(f.bytes);
}

TEST(ninety_days)
{
	struct fixture f;
	struct watch_day days[90];
	uint64_t today = START_S + 89 * DAY_S;

	setup(&f);
	watch_ring_spend(&f.ring, WATCH_SECOND_UP, START_S + 5 * DAY_S,
	    START_S + 40 * DAY_S - 60);
	watch_ring_spend(&f.ring, WATCH_SECOND_DOWN, START_S + 40 * DAY_S - 60,
	    START_S + 40 * DAY_S);
	watch_ring_spend(&f.ring, WATCH_SECOND_MAINTENANCE,
	    START_S + 40 * DAY_S, START_S + 41 * DAY_S);
	watch_ring_spend(&f.ring, WATCH_SECOND_DEGRADED, START_S + 41 * DAY_S,
	    START_S + 41 * DAY_S + 60);
	watch_ring_spend(
	    &f.ring, WATCH_SECOND_UP, START_S + 41 * DAY_S + 60, today + 3600);
	watch_ring_days(&f.ring, today, today + 3600, days, 90);
	CHECK(days[0].kind == WATCH_DAY_NONE, "before it began");
	CHECK(days[0].unknown_s == DAY_S, "unknown, not up");
	CHECK(days[5].kind == WATCH_DAY_UP, "up");
	CHECK(days[39].kind == WATCH_DAY_DOWN, "the worst wins");
	CHECK(days[39].seconds[WATCH_SECOND_DOWN] == 60, "a minute");
	CHECK(days[40].kind == WATCH_DAY_PLANNED, "planned");
	CHECK(days[41].kind == WATCH_DAY_DEGRADED, "degraded");
	CHECK(days[89].kind == WATCH_DAY_UP, "today");
	CHECK(days[89].unknown_s == 0, "what is to come is not unknown");
	free(f.bytes);
}

TEST(foreign_pages_are_emptied)
{
	struct fixture f;
	static const size_t at[] = { 0, 2, 3, 4, 6, 15 };

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		f.bytes[3 * WATCH_PAGE_BYTES + at[i]] ^= 0x41;
		CHECK(
		    watch_ring_open(&f.ring, f.bytes) == 1, "one is not ours");
		CHECK(watch_ring_open(&f.ring, f.bytes) == 0, "now it is");
	}
	free(f.bytes);
}

TEST_MAIN(UNIT(five_hundred_checks_fit), UNIT(codes_are_within_three_percent),
    UNIT(quantiles_survive_being_merged), UNIT(seconds_add_up_at_every_level),
    UNIT(one_second_down_is_never_all_up), UNIT(five_years_pass),
    UNIT(a_year_without_the_watcher_is_unknown), UNIT(losses_and_a_restart),
    UNIT(a_gap_is_filled), UNIT(ninety_days), UNIT(foreign_pages_are_emptied))
