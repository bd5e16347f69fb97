/* SPDX-License-Identifier: ISC */
/* backoff_test.c - delays between the starts of a process. */
#include "../test.h"
#include "supervisor/backoff.h"

TEST(who_served_is_started_again_at_once_however_often)
{
	struct backoff b = { 0 };

	for (int i = 0; i < 1000; i++)
		CHECK(backoff_next(&b, BACKOFF_HEALTHY_MS) == 0, "at once");
}

TEST(who_cannot_serve_waits_longer_and_longer)
{
	struct backoff b = { 0 };
	uint64_t before = 0;

	CHECK(backoff_next(&b, 0) == 0, "the first at once");
	CHECK(backoff_next(&b, 0) == BACKOFF_FIRST_MS, "then a little");
	for (int i = 0; i < 100; i++) {
		uint64_t delay = backoff_next(&b, BACKOFF_HEALTHY_MS - 1);

		CHECK(delay >= before && delay <= BACKOFF_MAX_MS, "grows");
		before = delay;
	}
	CHECK(before == BACKOFF_MAX_MS, "up to the maximum");
	CHECK(backoff_next(&b, BACKOFF_HEALTHY_MS) == 0, "health forgives");
	CHECK(backoff_next(&b, 0) == BACKOFF_FIRST_MS, "and counts anew");
}

TEST_MAIN(UNIT(who_served_is_started_again_at_once_however_often),
    UNIT(who_cannot_serve_waits_longer_and_longer))
