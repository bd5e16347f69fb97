/* SPDX-License-Identifier: ISC */
/* status_join_test.c - those who ask for news, all together. */
#include "../../test.h"
#include "proto/status/status_join.h"

#define DAY_MS UINT64_C(86400000)

static unsigned
taken(struct status_joins *j, unsigned n, uint64_t from_ms, uint64_t apart_ms)
{
	unsigned ok = 0;

	for (unsigned i = 0; i < n; i++)
		ok += status_joins_take(j, from_ms + i * apart_ms);
	return ok;
}

TEST(a_day_s_worth_may_come_at_once)
{
	struct status_joins j = { 0 };

	assert_int_equal(taken(&j, 10000, 5000, 0), STATUS_JOINS_A_DAY);
	assert_false(status_joins_take(&j, 5000));
	/* Half a day later half of it is there again. */
	assert_int_equal(
	    taken(&j, 10000, 5000 + DAY_MS / 2, 0), STATUS_JOINS_A_DAY / 2);
	/* Who waits for a year has no more than a day's. */
	assert_int_equal(taken(&j, 10000, 366 * DAY_MS, 0), STATUS_JOINS_A_DAY);
}

TEST(in_the_long_run_it_is_so_many_a_day)
{
	struct status_joins j = { 0 };
	unsigned n = taken(&j, 40 * 86400, DAY_MS, 250);

	/* Ten days, and the one that was there at first. */
	assert_in_range(
	    n, 11 * STATUS_JOINS_A_DAY - 2, 11 * STATUS_JOINS_A_DAY + 2);
}

TEST_MAIN(UNIT(a_day_s_worth_may_come_at_once),
    UNIT(in_the_long_run_it_is_so_many_a_day))
