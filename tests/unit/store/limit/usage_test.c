/* SPDX-License-Identifier: ISC */
/*
 * usage_test.c - what is too much, and what is not like an account, in weeks
 * of simulated time.
 */
#include "../../test.h"
#include "store/limit/usage.h"

#define DAY0 20000U

static const struct usage_limits limits = { 2000, 500, 100 };

/* Day after day with the same counts, from DAY0 on; then the next morning. */
static struct usage
account(uint32_t days, uint32_t counted, uint32_t first)
{
	struct usage u = { 0 };
	struct usage_day d = { counted, first };

	for (uint32_t i = 0; i < days; i++) {
		usage_set_day(&u, DAY0 + i);
		usage_add(&u, counted, &d);
	}
	usage_set_day(&u, DAY0 + days);
	return u;
}

static enum usage_why
judge(const struct usage *u, uint32_t counted, uint32_t first)
{
	struct usage_day d = { counted, first };
	uint32_t found, limit;

	return usage_judge(u, &limits, &d, &found, &limit);
}

TEST(limits_and_surges)
{
	static const struct {
		const char *name;
		uint32_t days, counted, first; /* each day before */
		uint32_t now_counted, now_first;
		enum usage_why want;
	} cases[] = {
		{ "a new account", 0, 0, 0, 1, 1, USAGE_WITHIN },
		{ "a new one, up to its limit", 0, 0, 0, 500, 500,
		    USAGE_WITHIN },
		{ "a new one, over it", 0, 0, 0, 501, 501, USAGE_FIRST_TIME },
		{ "many known ones", 0, 0, 0, 2000, 10, USAGE_WITHIN },
		{ "too many known ones", 0, 0, 0, 2001, 10, USAGE_RECIPIENTS },
		{ "13 days old, suddenly", 13, 10, 2, 300, 300, USAGE_WITHIN },
		{ "14 days old, below the floor", 14, 10, 2, 100, 100,
		    USAGE_WITHIN },
		{ "14 days old, suddenly", 14, 10, 2, 101, 101,
		    USAGE_SURGE_FIRST },
		{ "one that finds people each day", 14, 80, 60, 240, 240,
		    USAGE_WITHIN },
		{ "more than 4 times as many", 14, 80, 60, 241, 241,
		    USAGE_SURGE_FIRST },
		{ "four times the floor, of known ones", 20, 10, 2, 400, 50,
		    USAGE_WITHIN },
		{ "more", 20, 10, 2, 401, 50, USAGE_SURGE_RECIPIENTS },
		{ "a busy one", 20, 450, 2, 1800, 50, USAGE_WITHIN },
		{ "a busy one, suddenly", 20, 450, 2, 1801, 50,
		    USAGE_SURGE_RECIPIENTS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct usage u =
		    account(cases[i].days, cases[i].counted, cases[i].first);

		CHECK(judge(&u, cases[i].now_counted, cases[i].now_first) ==
			  cases[i].want,
		    cases[i].name);
	}
}

TEST(the_reason_has_both_numbers)
{
	struct usage u = account(14, 10, 2);
	struct usage_day d = { 130, 120 };
	struct buf b = BUF_INIT(KIB(1));
	uint32_t found = 0, limit = 0;
	enum usage_why why = usage_judge(&u, &limits, &d, &found, &limit);

	usage_text(&b, why, found, limit);
	assert_string_equal(buf_c(&b),
	    "sudden change, first-time recipients today: 120, limit 100");
	buf_done(&b);
}

TEST(a_message_counts_with_those_before_it_on_the_day)
{
	struct usage u = account(0, 0, 0);
	struct usage_day d = { 100, 100 };

	usage_set_day(&u, DAY0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(judge(&u, 100, 100), USAGE_WITHIN);
		usage_add(&u, 100, &d);
	}
	assert_int_equal(judge(&u, 1, 1), USAGE_FIRST_TIME);
	assert_int_equal(judge(&u, 1, 0), USAGE_WITHIN);
	usage_set_day(&u, DAY0 + 1);
	assert_int_equal(judge(&u, 1, 1), USAGE_WITHIN);
}

TEST(zero_is_no_limit)
{
	static const struct usage_limits none = { 0, 0, 0 };
	struct usage u = account(20, 1, 1);
	struct usage_day d = { 4000000000U, 4000000000U };
	uint32_t found, limit;

	assert_int_equal(
	    usage_judge(&u, &none, &d, &found, &limit), USAGE_WITHIN);
	/* Counts stop at their end instead of going round. */
	usage_add(&u, 4000000000U, &d);
	usage_add(&u, 4000000000U, &d);
	assert_int_equal(u.today.first, UINT32_MAX);
	assert_int_equal(
	    usage_judge(&u, &limits, &d, &found, &limit), USAGE_FIRST_TIME);
}

TEST(the_largest_day_is_forgotten_after_four_weeks)
{
	struct usage u = { 0 };
	struct usage_day big = { 900, 90 }, small = { 3, 1 };

	usage_set_day(&u, DAY0);
	usage_add(&u, 900, &big);
	for (uint32_t i = 1; i <= USAGE_DAYS; i++) {
		usage_set_day(&u, DAY0 + i);
		assert_int_equal(usage_largest(&u).counted, 900);
		usage_add(&u, 3, &small);
	}
	usage_set_day(&u, DAY0 + USAGE_DAYS + 1);
	assert_int_equal(usage_largest(&u).counted, 3);
	/* A long silence, at once. */
	usage_set_day(&u, DAY0 + 10000);
	assert_int_equal(usage_largest(&u).counted, 0);
	assert_true(usage_is_idle(&u));
}

TEST(days_may_be_skipped_and_a_clock_may_go_back)
{
	struct usage u = { 0 };
	struct usage_day d = { 7, 5 };

	usage_set_day(&u, DAY0);
	usage_add(&u, 7, &d);
	usage_set_day(&u, DAY0 + 3);
	assert_int_equal(u.past[2].counted, 7);
	assert_int_equal(u.past[0].counted, 0);
	usage_add(&u, 7, &d);
	usage_set_day(&u, DAY0 + 1);
	assert_int_equal(u.day, DAY0 + 3);
	assert_int_equal(u.recipients, 7);
}

TEST(a_list_of_any_size_that_is_always_written_to_is_not_counted)
{
	struct usage_known k = { 0 };
	const struct usage_known *known = NULL;
	struct usage_day d;

	for (uint32_t i = 0; i < 5; i++) {
		d = (struct usage_day){ 0, 0 };
		assert_true(usage_count(known, DAY0 + 7 * i, &d, &k));
		known = &k;
		assert_int_equal(d.counted, i < USAGE_REGULAR_DAYS ? 1 : 0);
		assert_int_equal(d.first, i == 0 ? 1 : 0);
	}
	/* But for what is more than one message a day. */
	d = (struct usage_day){ 0, 0 };
	assert_false(usage_count(&k, DAY0 + 28, &d, &k));
	assert_int_equal(d.counted, 1);
	assert_int_equal(d.first, 0);
}

TEST(what_was_released_is_not_judged_again_and_becomes_usual)
{
	struct usage u = account(20, 10, 2);
	struct usage_day d = { 300, 300 };

	assert_int_equal(judge(&u, 300, 300), USAGE_SURGE_FIRST);
	usage_add(&u, 300, &d);
	u.state = USAGE_HELD;
	u.since = (uint64_t)u.day * 86400;
	usage_release(&u);
	assert_int_equal(u.state, USAGE_OPEN);
	assert_int_equal(judge(&u, 100, 100), USAGE_WITHIN);
	assert_int_equal(judge(&u, 101, 101), USAGE_SURGE_FIRST);
	usage_set_day(&u, u.day + 1);
	assert_int_equal(judge(&u, 400, 400), USAGE_WITHIN);
}

TEST(what_a_thief_sent_does_not_become_usual)
{
	struct usage u = account(20, 10, 2);
	struct usage_day d = { 400, 400 };

	usage_add(&u, 400, &d);
	u.state = USAGE_HELD;
	u.since = (uint64_t)u.day * 86400 + 7000;
	for (unsigned i = 0; i < 3; i++) {
		usage_set_day(&u, u.day + 1);
		usage_add(&u, 400, &d);
	}
	assert_int_equal(usage_largest(&u).first, 400);
	usage_disown(&u);
	usage_release(&u);
	assert_int_equal(usage_largest(&u).first, 2);
	assert_int_equal(judge(&u, 101, 101), USAGE_SURGE_FIRST);
}

TEST(records_come_back_as_they_were)
{
	struct usage u = account(20, 10, 2), got;
	struct buf b = BUF_INIT(KIB(1));

	u.state = USAGE_HELD;
	u.why = USAGE_SURGE_FIRST;
	u.found = 9000;
	u.limit = 100;
	u.since = 1790000000;
	u.told_day = DAY0;
	u.known = 12;
	u.max_recipients = UINT64_MAX;
	usage_encode(&b, &u);
	/* Days without mail at the end take no room. */
	assert_true(b.n < 90);
	assert_true(usage_decode(buf_str(&b), &got));
	assert_memory_equal(&u, &got, sizeof(u));
	for (size_t n = 0; n < b.n; n++)
		assert_false(usage_decode(str_first(buf_str(&b), n), &got));
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_and_surges),
		cmocka_unit_test(the_reason_has_both_numbers),
		cmocka_unit_test(
		    a_message_counts_with_those_before_it_on_the_day),
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(the_largest_day_is_forgotten_after_four_weeks),
		cmocka_unit_test(days_may_be_skipped_and_a_clock_may_go_back),
		cmocka_unit_test(
		    a_list_of_any_size_that_is_always_written_to_is_not_counted),
		cmocka_unit_test(
		    what_was_released_is_not_judged_again_and_becomes_usual),
		cmocka_unit_test(what_a_thief_sent_does_not_become_usual),
		cmocka_unit_test(records_come_back_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
