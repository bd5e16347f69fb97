/* SPDX-License-Identifier: ISC */
/* suppress_test.c - when an address is not tried any more, in simulated time. */
#include "../../test.h"
#include "proto/suppress/suppress.h"

#define T0  UINT64_C(1790000000)
#define DAY UINT64_C(86400)

static const struct suppress_rule rule = { 3, 3 * DAY, 30 * DAY };

/* Refused at these days, each a message of its own. */
static struct suppress_row
refused_on(const unsigned *days, size_t n)
{
	struct suppress_row r = { 0 };

	for (size_t i = 0; i < n; i++)
		ASSERT(suppress_refused(
		    &rule, i ? &r : NULL, T0 + days[i] * DAY, i + 1, &r));
	return r;
}

TEST(several_messages_over_some_days)
{
	static const struct {
		const char *name;
		unsigned days[5];
		size_t n;
		bool is_on;
	} cases[] = {
		{ "one", { 0 }, 1, false },
		{ "many on one day", { 0, 0, 0, 0, 0 }, 5, false },
		{ "two far apart", { 0, 9 }, 2, false },
		{ "three in two days", { 0, 1, 2 }, 3, false },
		{ "three in three days", { 0, 1, 3 }, 3, true },
		{ "a fourth one late", { 0, 0, 1, 3 }, 4, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct suppress_row r = refused_on(cases[i].days, cases[i].n);

		CHECK(
		    (r.state == SUPPRESS_ON) == cases[i].is_on, cases[i].name);
		CHECK(suppress_is_on(&r, r.last) == cases[i].is_on,
		    cases[i].name);
	}
}

TEST(the_same_message_counts_once)
{
	struct suppress_row r = refused_on((unsigned[]){ 0, 2 }, 2);

	assert_false(suppress_refused(&rule, &r, T0 + 5 * DAY, 2, &r));
	assert_int_equal(r.messages, 2);
	assert_true(suppress_refused(&rule, &r, T0 + 5 * DAY, 9, &r));
	assert_int_equal(r.state, SUPPRESS_ON);
}

TEST(it_is_tried_again_after_a_while_that_doubles)
{
	struct suppress_row r = refused_on((unsigned[]){ 0, 1, 3 }, 3);
	uint64_t now = T0 + 3 * DAY, days = 30;

	for (unsigned i = 0; i < 7; i++) {
		assert_true(suppress_is_on(&r, now + days * DAY - 1));
		assert_false(suppress_is_on(&r, now + days * DAY));
		/* It is remembered that it was, until it has been tried. */
		assert_true(suppress_row_until(&r) > now + days * DAY);
		now += (days + 5) * DAY;
		days = MIN(days * 2, 480);
		assert_true(suppress_refused(&rule, &r, now, 100 + i, &r));
		assert_int_equal(r.since, T0 + 3 * DAY);
	}
}

TEST(the_operators_word_stays)
{
	struct suppress_row r = { .state = SUPPRESS_MANUAL, .since = T0 };

	assert_true(suppress_is_on(&r, T0 + 9999 * DAY));
	assert_int_equal(suppress_row_until(&r), 0);
	assert_false(suppress_refused(&rule, &r, T0, 1, &r));
	r.until = T0 + DAY;
	assert_true(suppress_is_on(&r, T0));
	assert_false(suppress_is_on(&r, T0 + DAY));
}

TEST(zero_messages_is_never)
{
	static const struct suppress_rule never = { 0, 0, 1 };
	struct suppress_row r;

	assert_false(suppress_refused(&never, NULL, T0, 1, &r));
}

TEST(rows_come_back_as_they_were)
{
	struct suppress_row r = refused_on((unsigned[]){ 0, 1, 3 }, 3), got;
	struct buf b = BUF_INIT(KIB(1));

	r.reply = STR("550 5.1.1 no such user");
	suppress_encode(&r, &b);
	assert_true(suppress_decode(buf_str(&b), &got));
	assert_int_equal(got.until, r.until);
	assert_int_equal(got.message, 3);
	assert_true(str_eq(got.reply, r.reply));
	for (size_t n = 0; n < b.n; n++)
		assert_false(suppress_decode(str_first(buf_str(&b), n), &got));
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_messages_over_some_days),
		cmocka_unit_test(the_same_message_counts_once),
		cmocka_unit_test(it_is_tried_again_after_a_while_that_doubles),
		cmocka_unit_test(the_operators_word_stays),
		cmocka_unit_test(zero_messages_is_never),
		cmocka_unit_test(rows_come_back_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
