/* SPDX-License-Identifier: ISC */
/* agent_pace_test.c - results that come more often than anybody can probe. */
#include "../../test.h"
#include "proto/agent/agent_pace.h"

static unsigned
taken(struct agent_pace *p, unsigned n, uint64_t first_ms, unsigned apart_ms)
{
	unsigned ok = 0;

	for (unsigned i = 0; i < n; i++)
		ok += agent_pace_take(p, first_ms + (uint64_t)i * apart_ms);
	return ok;
}

TEST(who_probes_is_heard_always)
{
	struct agent_pace p = { 0 };

	assert_int_equal(taken(&p, 5000, 100000, AGENT_PACE_MS), 5000);
	/* A look at once, when others ask for it, now and then. */
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = 6000000 + i * 2 * AGENT_PACE_MS;

		assert_int_equal(taken(&p, 2, at, 0), 2);
	}
}

TEST(what_is_made_up_is_one_a_second_in_the_long_run)
{
	struct agent_pace p = { 0 };

	assert_int_equal(taken(&p, 2000, 500000, 0), AGENT_PACE_BURST);
	/* In ten seconds less a millisecond. */
	assert_int_equal(taken(&p, 10000, 500000, 1), 9);
	/* Who was silent has no more than the burst. */
	assert_int_equal(taken(&p, 2000, 9000000, 0), AGENT_PACE_BURST);
}

TEST(times_that_go_back_buy_nothing)
{
	struct agent_pace p = { 0 };

	assert_int_equal(taken(&p, 2000, 500000, 0), AGENT_PACE_BURST);
	assert_int_equal(taken(&p, 2000, 400000, 0), 0);
	assert_int_equal(taken(&p, 2000, 0, 0), 0);
}

TEST_MAIN(UNIT(who_probes_is_heard_always),
    UNIT(what_is_made_up_is_one_a_second_in_the_long_run),
    UNIT(times_that_go_back_buy_nothing))
