/* SPDX-License-Identifier: ISC */
/* ages_test.c - the oldest of many, in little room. */
#include "../../test.h"
#include "store/queue/ages.h"

#define T0 UINT64_C(1790000000)
#define N  5000

TEST(one_is_known_exactly_and_none_is_none)
{
	struct ages a = { .used = 0 };

	CHECK(ages_oldest(&a) == 0, "none");
	ages_remove(&a, T0);
	CHECK(ages_oldest(&a) == 0, "nor removed");
	ages_add(&a, T0);
	ages_add(&a, T0 + 5);
	CHECK(ages_oldest(&a) == T0, "the older");
	ages_add(&a, T0 - 100);
	CHECK(ages_oldest(&a) == T0 - 100, "one that is older still");
	ages_remove(&a, T0 - 100);
	CHECK(ages_oldest(&a) == T0, "gone");
	ages_remove(&a, T0 - 200);
	ages_remove(&a, T0 + 5);
	ages_remove(&a, T0);
	CHECK(ages_oldest(&a) == 0 && a.used == 0, "all are gone");
}

/* Some come each minute for days, and leave in whatever order. */
static void
run(unsigned every, bool is_random)
{
	static uint64_t at[N];
	struct ages a = { .used = 0 };
	uint64_t seed = 5, worst = 0;
	size_t n = 0;

	for (size_t i = 0; i < N; i++) {
		uint64_t now = T0 + i * 97, oldest = now, got;
		size_t k;

		at[n++] = now;
		ages_add(&a, now);
		seed = seed * UINT64_C(6364136223846793005) + 1;
		k = is_random ? (size_t)(seed >> 33) % n : 0;
		if (i % every == 0) {
			ages_remove(&a, at[k]);
			memmove(
			    &at[k], &at[k + 1], (n - k - 1) * sizeof(at[0]));
			n--;
		}
		for (k = 0; k < n; k++)
			oldest = MIN(oldest, at[k]);
		got = ages_oldest(&a);
		CHECK(n == 0 ? got == 0 : got <= oldest, "never too young");
		if (n > 0 && now > oldest + 3600)
			worst =
			    MAX(worst, (oldest - got) * 100 / (now - oldest));
	}
	CHECK(worst <= 20, "nor much too old");
	for (size_t k = 0; k < n; k++)
		ages_remove(&a, at[k]);
	CHECK(a.used == 0, "none is left");
}

TEST(the_oldest_is_known_about)
{
	run(2, false);
	run(2, true);
	run(3, true);
	run(1, false);
	run(N + 1, true);
}

TEST_MAIN(UNIT(one_is_known_exactly_and_none_is_none),
    UNIT(the_oldest_is_known_about))
