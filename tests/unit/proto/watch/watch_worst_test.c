/* SPDX-License-Identifier: ISC */
/* watch_worst_test.c - several checks seen as one. */
#include "../../test.h"
#include "proto/watch/watch_worst.h"

#include <stdlib.h>

#define HOUR_S UINT64_C(3600)
#define DAY_S  (24 * HOUR_S)
#define T0     (UINT64_C(20780) * DAY_S)

static struct watch_worst
worst_of(const struct watch_state *states, size_t n)
{
	struct watch_worst w = { 0 };

	for (size_t i = 0; i < n; i++)
		watch_worst_take(&w, &states[i]);
	return w;
}

static struct watch_state
in_state(enum watch_status status, uint64_t since_ms)
{
	return (struct watch_state){ .status = status,
		.known = status == WATCH_UNKNOWN ? WATCH_UP : status,
		.since_ms = since_ms };
}

TEST(the_worst_state_wins_and_unknown_is_worse_than_up)
{
	const struct watch_state s[] = { in_state(WATCH_UP, 10),
		in_state(WATCH_UP, 30), in_state(WATCH_UNKNOWN, 20),
		in_state(WATCH_DEGRADED, 50), in_state(WATCH_DOWN, 40),
		in_state(WATCH_DOWN, 35) };
	static const struct {
		size_t n;
		enum watch_status want, shared;
		uint64_t since_ms;
	} cases[] = {
		{ 0, WATCH_UNKNOWN, WATCH_UNKNOWN, 0 },
		{ 2, WATCH_UP, WATCH_UP, 30 },
		{ 3, WATCH_UNKNOWN, WATCH_UNKNOWN, 20 },
		{ 4, WATCH_DEGRADED, WATCH_DEGRADED, 50 },
		{ 5, WATCH_DOWN, WATCH_DEGRADED, 40 },
		{ 6, WATCH_DOWN, WATCH_DEGRADED, 35 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_worst w = worst_of(s, cases[i].n);

		assert_int_equal(watch_worst_status(&w), cases[i].want);
		assert_int_equal(watch_worst_shared(&w), cases[i].shared);
		assert_int_equal(
		    watch_worst_since_ms(&w, cases[i].want), cases[i].since_ms);
	}
}

TEST(down_only_when_all_of_what_shares_the_work_are)
{
	const struct watch_state s[] = { in_state(WATCH_DOWN, 40),
		in_state(WATCH_DOWN, 35) };
	struct watch_worst w = worst_of(s, 2);

	assert_int_equal(watch_worst_shared(&w), WATCH_DOWN);
	assert_int_equal(watch_worst_since_ms(&w, WATCH_DOWN), 35);
}

/* Just started: what was down before must not be passed over as mute. */
TEST(a_check_whose_first_probes_fail_is_not_passed_over)
{
	struct watch_state s[] = { in_state(WATCH_UP, 10),
		in_state(WATCH_UNKNOWN, 0) };
	struct watch_worst w;

	s[1].known = WATCH_UNKNOWN;
	s[1].n_vantages = 1;
	w = worst_of(s, 2);
	assert_int_equal(watch_worst_status(&w), WATCH_UP);
	s[1].vantages[0].bad_run = 1;
	w = worst_of(s, 2);
	assert_int_equal(watch_worst_status(&w), WATCH_UNKNOWN);
}

TEST(a_check_that_never_answered_says_nothing_where_another_did)
{
	struct watch_state s[] = { { .status = WATCH_UNKNOWN },
		in_state(WATCH_UP, 7) };
	struct watch_worst w = worst_of(s, 2);

	assert_int_equal(watch_worst_status(&w), WATCH_UP);
	w = worst_of(s, 1);
	assert_int_equal(watch_worst_status(&w), WATCH_UNKNOWN);
	s[1] = in_state(WATCH_DOWN, 7);
	w = worst_of(s, 2);
	assert_int_equal(watch_worst_shared(&w), WATCH_DOWN);
}

static struct watch_ring *
ring_new(void)
{
	struct watch_ring *r = calloc(1, sizeof(*r));
	uint8_t *bytes = calloc(1, WATCH_RING_BYTES);

	assert_true(r != NULL && bytes != NULL);
	(void)watch_ring_open(r, bytes);
	return r;
}

static void
ring_free(struct watch_ring *r)
{
	free(r->bytes);
	free(r);
}

TEST(of_each_hour_the_check_that_was_down_longest_counts)
{
	struct watch_ring *a = ring_new(), *b = ring_new();
	const struct watch_ring *both[] = { a, b };
	struct watch_worst_sum sum;
	uint32_t ppm;

	/* Both fail together for a while, and b alone two hours later. */
	watch_ring_spend(a, WATCH_SECOND_UP, T0, T0 + 600);
	watch_ring_spend(a, WATCH_SECOND_DOWN, T0 + 600, T0 + 900);
	watch_ring_spend(a, WATCH_SECOND_UP, T0 + 900, T0 + 4 * HOUR_S);
	watch_ring_spend(b, WATCH_SECOND_UP, T0, T0 + 700);
	watch_ring_spend(b, WATCH_SECOND_DOWN, T0 + 700, T0 + 900);
	watch_ring_spend(b, WATCH_SECOND_UP, T0 + 900, T0 + 2 * HOUR_S);
	watch_ring_spend(
	    b, WATCH_SECOND_DOWN, T0 + 2 * HOUR_S, T0 + 2 * HOUR_S + 60);
	watch_ring_spend(
	    b, WATCH_SECOND_DEGRADED, T0 + 2 * HOUR_S + 60, T0 + 3 * HOUR_S);

	watch_worst_sum(both, 2, T0 - DAY_S, T0 + DAY_S, &sum);
	assert_int_equal(sum.first_s, T0);
	assert_int_equal(sum.seconds[WATCH_SECOND_DOWN], 300 + 60);
	assert_int_equal(sum.seconds[WATCH_SECOND_DEGRADED], HOUR_S - 60);
	assert_int_equal(watch_worst_known_s(&sum), 4 * HOUR_S);
	assert_true(watch_worst_uptime_ppm(&sum, &ppm));
	assert_int_equal(ppm, (4 * HOUR_S - 360) * 1000000 / (4 * HOUR_S));
	ring_free(a);
	ring_free(b);
}

TEST(since_when_it_is_watched_does_not_move)
{
	uint64_t born = T0 + 1225, now = born + 30;
	struct watch_ring *a = ring_new(), *b = ring_new();
	const struct watch_ring *both[] = { a, b };

	watch_ring_spend(a, WATCH_SECOND_UP, born, now);
	assert_int_equal(watch_worst_first_s(both, 2, T0, now), born);
	watch_ring_spend(a, WATCH_SECOND_DOWN, now, born + 300);
	watch_ring_spend(b, WATCH_SECOND_UP, born + 7, born + 300);
	/* Nobody watched for a quarter of an hour. */
	watch_ring_spend(a, WATCH_SECOND_UP, born + 1200, born + 1500);
	now = T0 + HOUR_S;
	assert_int_equal(watch_worst_first_s(both, 2, T0, now), born);
	/* When the minutes are gone, and then the five minutes. */
	now += 3 * DAY_S;
	watch_ring_spend(a, WATCH_SECOND_UP, now, now + 1);
	assert_int_equal(watch_worst_first_s(both, 2, T0, now), born);
	now += 80 * DAY_S;
	watch_ring_spend(a, WATCH_SECOND_UP, now, now + 1);
	assert_in_range(
	    watch_worst_first_s(both, 2, T0, now), T0, T0 + HOUR_S - 1);
	assert_int_equal(watch_worst_first_s(both, 2, 0, now), 0);
	ring_free(a);
	ring_free(b);
}

TEST(planned_work_is_neither_up_nor_down_and_nothing_is_no_uptime)
{
	struct watch_ring *a = ring_new();
	const struct watch_ring *one[] = { a };
	struct watch_worst_sum sum;
	uint32_t ppm;

	watch_worst_sum(one, 1, T0, T0 + DAY_S, &sum);
	assert_int_equal(sum.first_s, 0);
	assert_false(watch_worst_uptime_ppm(&sum, &ppm));
	watch_ring_spend(a, WATCH_SECOND_MAINTENANCE, T0, T0 + 600);
	watch_worst_sum(one, 1, T0, T0 + DAY_S, &sum);
	assert_int_equal(sum.seconds[WATCH_SECOND_MAINTENANCE], 600);
	assert_false(watch_worst_uptime_ppm(&sum, &ppm));
	watch_worst_sum(one, 0, T0, T0 + DAY_S, &sum);
	assert_int_equal(watch_worst_known_s(&sum), 0);
	ring_free(a);
}

TEST(work_on_one_does_not_hide_that_another_is_down)
{
	struct watch_ring *a = ring_new(), *b = ring_new();
	const struct watch_ring *both[] = { a, b };
	struct watch_worst_sum sum;

	watch_ring_spend(a, WATCH_SECOND_DOWN, T0, T0 + HOUR_S - 600);
	watch_ring_spend(a, WATCH_SECOND_UP, T0 + HOUR_S - 600, T0 + HOUR_S);
	watch_ring_spend(b, WATCH_SECOND_MAINTENANCE, T0, T0 + HOUR_S);
	watch_worst_sum(both, 2, T0, T0 + HOUR_S, &sum);
	assert_int_equal(sum.seconds[WATCH_SECOND_DOWN], HOUR_S - 600);
	assert_int_equal(sum.seconds[WATCH_SECOND_MAINTENANCE], 600);
	assert_int_equal(sum.seconds[WATCH_SECOND_UP], 0);
	assert_int_equal(watch_worst_known_s(&sum), HOUR_S);
	ring_free(a);
	ring_free(b);
}

TEST(a_second_of_a_year_is_not_all)
{
	struct watch_worst_sum sum = { 0 };
	uint32_t ppm = 7;

	assert_false(watch_worst_uptime_ppm(&sum, &ppm));
	sum.seconds[WATCH_SECOND_UP] = 366 * DAY_S - 1;
	sum.seconds[WATCH_SECOND_MAINTENANCE] = 5;
	assert_true(watch_worst_uptime_ppm(&sum, &ppm) && ppm == 1000000);
	sum.seconds[WATCH_SECOND_DOWN] = 1;
	assert_true(watch_worst_uptime_ppm(&sum, &ppm) && ppm == 999999);
}

TEST_MAIN(UNIT(work_on_one_does_not_hide_that_another_is_down),
    UNIT(a_second_of_a_year_is_not_all),
    UNIT(the_worst_state_wins_and_unknown_is_worse_than_up),
    UNIT(since_when_it_is_watched_does_not_move),
    UNIT(down_only_when_all_of_what_shares_the_work_are),
    UNIT(a_check_whose_first_probes_fail_is_not_passed_over),
    UNIT(a_check_that_never_answered_says_nothing_where_another_did),
    UNIT(of_each_hour_the_check_that_was_down_longest_counts),
    UNIT(planned_work_is_neither_up_nor_down_and_nothing_is_no_uptime))
