/* SPDX-License-Identifier: ISC */
/* handover_test.c - percentiles of what recipients waited, and what is forgotten. */
#include "../../test.h"
#include "send/result/handover.h"

#define MINUTE 60000

TEST(percentiles_are_never_too_small_nor_half_too_large)
{
	for (uint64_t ms = 20; ms < UINT64_C(700000000); ms += ms / 3) {
		struct handover h = { 0 };
		uint64_t got;

		handover_add(&h, ms, 0);
		got = handover_ms(&h, 500, 0);
		CHECK(got >= ms && got <= ms + ms / 2, "near it");
	}
}

TEST(a_few_slow_ones_are_seen_at_the_end_only)
{
	struct handover h = { 0 };

	CHECK(handover_ms(&h, 950, MINUTE) == 0, "nothing was delivered");
	for (unsigned i = 0; i < 100; i++)
		handover_add(&h, i < 94 ? 30 : 3600000, MINUTE);
	CHECK(handover_ms(&h, 500, MINUTE) == 32, "half of them");
	CHECK(handover_ms(&h, 940, MINUTE) == 32, "94 in 100");
	CHECK(handover_ms(&h, 950, MINUTE) >= 3600000, "95 in 100");
	CHECK(handover_ms(&h, 1000, MINUTE) >= 3600000, "all");
}

TEST(what_is_over_is_forgotten)
{
	struct handover h = { 0 };

	handover_add(&h, 5000, MINUTE);
	CHECK(handover_ms(&h, 500, 6 * MINUTE) > 0, "five minutes later");
	handover_add(&h, 20, 6 * MINUTE);
	CHECK(handover_ms(&h, 1000, 6 * MINUTE) >= 5000, "both");
	CHECK(handover_ms(&h, 1000, 11 * MINUTE) == 24, "the later one");
	CHECK(handover_ms(&h, 500, 60 * MINUTE) == 0, "an hour later");
	/* A wait for ever is in the last step. */
	handover_add(&h, UINT64_MAX, 61 * MINUTE);
	CHECK(handover_ms(&h, 500, 61 * MINUTE) > 0, "the largest");
}

TEST_MAIN(UNIT(percentiles_are_never_too_small_nor_half_too_large),
    UNIT(a_few_slow_ones_are_seen_at_the_end_only),
    UNIT(what_is_over_is_forgotten))
