/* SPDX-License-Identifier: ISC */
/* watch_gather_test.c - what is told together, in simulated time. */
#include "../../test.h"
#include "watch_sim.h"

#include <stdlib.h>

#define RUNS 200

static bool
down_in_between(const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	(void)check, (void)vantage;
	return t < w->down_ms[0] || t >= w->down_ms[1];
}

static int
compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* 95 of 100. */
static bool
is_in_time(uint64_t took[RUNS], uint64_t limit_ms)
{
	qsort(took, RUNS, sizeof(*took), compare_u64);
	return took[RUNS * 19 / 20] <= limit_ms;
}

/* Ten checks of one system fail at one moment: not its ping, which speaks for it. */
static bool
all_but_the_first(const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	return check == 0 || down_in_between(w, check, vantage, t);
}

TEST(checks_of_a_system_are_told_together)
{
	static const uint16_t parent[] = { 0 };
	static struct sim w;
	static uint64_t took[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 11, 1, 7000 + i);
		w.is_up = all_but_the_first;
		w.refuses = i % 2 == 0;
		w.gathers = true;
		for (size_t k = 0; k < 11; k++) {
			w.checks[k].group = 1;
			CHECK(k == 0 || watch_set_parents(&w.set, k, parent, 1),
			    "set");
		}
		w.down_ms[0] =
		    SIM_START_MS + 5 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.down_ms[1] = w.down_ms[0] + 20 * MINUTE_MS;
		sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
		CHECK(w.n_alerts == 20, "each is told, and its end");
		CHECK(w.n_mails == 2, "in two mails");
		took[i] = w.alerts[9].at_ms - w.down_ms[0];
	}
	CHECK(is_in_time(took, 60000), "in time");
}

/* Five systems of one check each, which know nothing of each other, at one moment. */
TEST(systems_that_fail_together_are_few_mails)
{
	static struct sim w;
	static uint64_t took[RUNS];
	size_t mails = 0;

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 5, 1, 8000 + i);
		w.is_up = down_in_between;
		w.refuses = i % 2 == 0;
		w.gathers = true;
		w.down_ms[0] =
		    SIM_START_MS + 5 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.down_ms[1] = w.down_ms[0] + 20 * MINUTE_MS;
		sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
		CHECK(w.n_alerts == 10, "each is told, and its end");
		/* An interval is a minute long, and alerts wait 20 s. */
		CHECK(w.n_mails <= 8, "together");
		mails += w.n_mails;
		took[i] = w.alerts[0].at_ms - w.down_ms[0];
	}
	CHECK(mails <= 5 * RUNS, "half as many as alerts, or fewer");
	CHECK(is_in_time(took, 60000), "in time");
}

static bool
the_second_flaps_often(
    const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	if (check == 1)
		return t / 7000 % 2 == 0;
	return down_in_between(w, check, vantage, t);
}

/* What cannot make up its mind does not keep the others waiting. */
TEST(an_alert_waits_for_others_but_not_long)
{
	static struct sim alone, beside;

	for (size_t i = 0; i < RUNS; i++) {
		uint64_t from = SIM_START_MS + 5 * MINUTE_MS + i * 997;
		struct sim *both[] = { &alone, &beside };

		for (size_t k = 0; k < 2; k++) {
			sim_init(both[k], 2, 1, 9000 + i);
			both[k]->is_up = the_second_flaps_often;
			both[k]->gathers = k == 1;
			both[k]->down_ms[0] = from;
			both[k]->down_ms[1] = from + HOUR_MS;
			sim_run(both[k], from + 3 * MINUTE_MS);
		}
		for (size_t k = 0; k < beside.n_alerts; k++)
			if (beside.alerts[k].check == 0) {
				CHECK(beside.alerts[k].at_ms <=
					  beside.alerts[k].since_ms + 60000 +
					      WATCH_GATHER_MS + 2000,
				    "not long");
				break;
			}
		CHECK(alone.n_alerts > 0 && beside.n_alerts > 0, "told");
	}
}

TEST_MAIN(UNIT(checks_of_a_system_are_told_together),
    UNIT(systems_that_fail_together_are_few_mails),
    UNIT(an_alert_waits_for_others_but_not_long))
