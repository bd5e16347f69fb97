/* SPDX-License-Identifier: ISC */
/*
 * watch_property_test.c - what people may rely on, over simulated years.
 *
 * Everything runs with the default settings. WATCH_SHOW=1 in the
 * environment prints the measured distributions.
 */
#include "../../test.h"
#include "watch_sim.h"

#include <stdlib.h>

#define RUNS 2000

static bool
always_up(const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	(void)w, (void)check, (void)vantage, (void)t;
	return true;
}

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

static void
show(const char *what, uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_u64);
	if (getenv("WATCH_SHOW"))
		print_message("%s: n=%zu p5=%.1f p50=%.1f p95=%.1f p99=%.1f "
			      "max=%.1f s\n",
		    what, n, (double)v[n / 20] / 1e3, (double)v[n / 2] / 1e3,
		    (double)v[n * 19 / 20] / 1e3, (double)v[n * 99 / 100] / 1e3,
		    (double)v[n - 1] / 1e3);
}

TEST(single_lost_packets_never_alarm)
{
	static const unsigned ppm[] = { 1000, 10000, 50000, 200000 };
	static struct sim w;

	for (size_t i = 0; i < ARRAY_LEN(ppm); i++) {
		sim_init(&w, 1, 1, 11 + i);
		w.is_up = always_up;
		w.loss_ppm = ppm[i];
		w.only_single = true;
		sim_run(&w, SIM_START_MS + 20 * DAY_MS);
		CHECK(w.n_alerts == 0, "no alert");
		CHECK(w.n_to[WATCH_DOWN] == 0, "never down");
		CHECK(w.n_to[WATCH_UNKNOWN] == 0, "never unknown");
		CHECK(w.n_to[WATCH_UP] >= 1, "up");
		CHECK(w.n_probes > 54000, "was probed all the time");
	}
}

TEST(independent_losses_alarm_rarely)
{
	static struct sim w;
	size_t alerts[2];

	for (size_t i = 0; i < 2; i++) {
		sim_init(&w, 1, i == 0 ? 1 : 3, 5);
		w.is_up = always_up;
		w.loss_ppm = 10000;
		sim_run(&w, SIM_START_MS + 120 * DAY_MS);
		alerts[i] = w.n_alerts / 2;
	}
	if (getenv("WATCH_SHOW"))
		print_message("1 %% loss, 120 days: %zu false alarms from one "
			      "place, %zu from three\n",
		    alerts[0], alerts[1]);
	CHECK(alerts[0] <= 3, "about one a year from one place");
	CHECK(alerts[1] == 0, "none from three");
}

/* An outage at a random moment: how long until it is told? */
static void
measure_detection(size_t vantages, bool refuses, unsigned loss_ppm,
    uint64_t *ret_p95, const char *what)
{
	static struct sim w;
	static uint64_t took[RUNS];
	/* A lost packet after the outage costs an interval and its probe;
	 * one just before it counts as its beginning. */
	uint64_t early = loss_ppm > 0 ? 31000 : 0;
	uint64_t slowest = loss_ppm > 0 ? 80000 : 41000;

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 1, vantages, 1000 + i);
		w.is_up = down_in_between;
		w.refuses = refuses;
		w.loss_ppm = loss_ppm;
		w.only_single = true;
		w.down_ms[0] = SIM_START_MS + 5 * MINUTE_MS +
		               sim_random(&w, 5 * MINUTE_MS);
		w.down_ms[1] = w.down_ms[0] + 10 * MINUTE_MS;
		sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
		CHECK(w.n_alerts == 2, "down and up again");
		CHECK(w.alerts[0].now == WATCH_TOLD_DOWN, "down");
		CHECK(w.alerts[0].is_new, "a new incident");
		CHECK(w.alerts[0].since_ms + early >= w.down_ms[0], "since");
		CHECK(w.alerts[0].since_ms < w.down_ms[0] + 31000, "since");
		CHECK(w.alerts[1].now == WATCH_TOLD_FINE, "up");
		CHECK(w.alerts[1].at_ms < w.down_ms[1] + slowest, "soon up");
		took[i] = w.alerts[0].at_ms - w.down_ms[0];
	}
	show(what, took, RUNS);
	*ret_p95 = took[RUNS * 19 / 20];
	CHECK(took[RUNS - 1] < 65000, "the worst");
}

TEST(a_real_outage_is_told_within_a_minute)
{
	uint64_t p95;

	measure_detection(1, false, 0, &p95, "one place, time-outs");
	CHECK(p95 <= 60000, "time-outs");
	measure_detection(1, true, 0, &p95, "one place, refused");
	CHECK(p95 <= 60000, "refused");
	measure_detection(3, false, 0, &p95, "three places, time-outs");
	CHECK(p95 <= 60000, "three places");
	measure_detection(1, false, 10000, &p95, "one place, 1 % lost");
	CHECK(p95 <= 60000, "with losses");
}

TEST(an_outage_shorter_than_its_confirmation_is_not_told)
{
	static struct sim w;

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 1, 1, 77 + i);
		w.is_up = down_in_between;
		w.down_ms[0] =
		    SIM_START_MS + 5 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.down_ms[1] = w.down_ms[0] + sim_random(&w, 15000);
		sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
		CHECK(w.n_alerts == 0, "no alert");
		CHECK(w.n_to[WATCH_DOWN] == 0, "not down");
	}
}

/* A check that asked for its own number of failures in a row. */
static void
ask_for(struct sim *w, uint8_t failures)
{
	struct watch_config *c = &w->checks[0].state.config;

	c->down_after = failures;
	watch_config_confirm(c, 15000);
}

TEST(where_one_failure_is_enough_one_lost_packet_alarms)
{
	static const uint8_t failures[] = { 1, 2, 5 };
	static struct sim w;

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		sim_init(&w, 1, 1, 77);
		ask_for(&w, failures[i]);
		w.is_up = always_up;
		w.loss_ppm = 10000;
		w.only_single = true;
		sim_run(&w, SIM_START_MS + DAY_MS);
		CHECK((w.n_alerts > 0) == (failures[i] == 1), "only then");
		CHECK((w.n_to[WATCH_DOWN] > 0) == (failures[i] == 1), "down");
	}
}

TEST(more_failures_are_told_later_and_surely)
{
	static struct sim w;
	uint64_t before = 0;

	for (uint8_t n = 1; n <= 10; n++) {
		uint64_t took = 0;

		for (size_t i = 0; i < 100; i++) {
			sim_init(&w, 1, 1, 4000 + i);
			ask_for(&w, n);
			w.is_up = down_in_between;
			w.down_ms[0] = SIM_START_MS + 5 * MINUTE_MS +
			               sim_random(&w, 5 * MINUTE_MS);
			w.down_ms[1] = w.down_ms[0] + 20 * MINUTE_MS;
			sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
			CHECK(w.n_alerts == 2, "down and up again");
			took += w.alerts[0].at_ms - w.down_ms[0];
		}
		CHECK(took > before, "later than one failure less");
		before = took;
	}
}

/* Up and down in turn, each for down_ms[2]. */
static bool
flapping(const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	(void)check, (void)vantage;
	if (t < w->down_ms[0] || t >= w->down_ms[1])
		return true;
	return (t - w->down_ms[0]) / w->down_ms[2] % 2 == 1;
}

TEST(flapping_is_one_incident)
{
	static const unsigned seconds[] = { 45, 60, 90, 120, 240, 400, 700,
		1000, 1500 };
	static struct sim w;
	size_t most = 0;

	for (size_t i = 0; i < ARRAY_LEN(seconds) * 50; i++) {
		unsigned period = seconds[i % ARRAY_LEN(seconds)];
		size_t unstable = 0;

		sim_init(&w, 1, 1, 31 + i);
		w.is_up = flapping;
		w.down_ms[0] = SIM_START_MS + 10 * MINUTE_MS;
		w.down_ms[1] = w.down_ms[0] + 8 * HOUR_MS;
		w.down_ms[2] = period * UINT64_C(1000);
		sim_run(&w, w.down_ms[1] + 4 * HOUR_MS);
		CHECK(w.n_alerts >= 2 && w.n_alerts <= SIM_ALERTS_MAX, "told");
		for (size_t k = 0; k < w.n_alerts; k++) {
			unstable += w.alerts[k].now == WATCH_TOLD_UNSTABLE;
			CHECK(w.alerts[k].is_new == (k == 0), "one new");
			CHECK(w.alerts[k].incident == 1, "one incident");
		}
		CHECK(w.alerts[w.n_alerts - 1].now == WATCH_TOLD_FINE, "ends");
		CHECK(w.checks[0].state.status == WATCH_UP, "up");
		/* Faster than five changes an hour: one message for it. */
		if (period <= 400) {
			CHECK(unstable == 1, "one message");
			CHECK(w.n_alerts <= 6, "few messages");
			most = MAX(most, w.n_alerts);
		}
	}
	if (getenv("WATCH_SHOW"))
		print_message("flapping for 8 h: at most %zu messages\n", most);
}

TEST(a_watcher_that_was_away_knows_nothing)
{
	static struct sim w;

	for (size_t i = 0; i < RUNS; i++) {
		uint64_t away = 2 * MINUTE_MS + 1000 * (1 + i * 5);

		sim_init(&w, 2, 1 + i % 2 * 2, 99 + i);
		w.is_up = always_up;
		w.away_ms[0] =
		    SIM_START_MS + 10 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.away_ms[1] = w.away_ms[0] + away;
		sim_run(&w, w.away_ms[1] + 10 * MINUTE_MS);
		CHECK(w.n_to[WATCH_DOWN] == 0, "never down");
		CHECK(w.n_to[WATCH_UNKNOWN] == 2, "unknown, each once");
		CHECK(w.n_alerts == 0, "nobody is told");
		CHECK(w.checks[0].state.status == WATCH_UP, "up again");
	}
}

/* Stopped for a few seconds, with probes on their way. */
TEST(a_watcher_that_starves_alarms_nobody)
{
	static struct sim w;

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 4, 1, 7 + i);
		w.is_up = always_up;
		w.loss_ppm = 20000;
		w.only_single = true;
		w.away_ms[0] = SIM_START_MS + 10 * MINUTE_MS;
		w.away_ms[1] = w.away_ms[0] + sim_random(&w, 100000);
		sim_run(&w, w.away_ms[1] + 10 * MINUTE_MS);
		CHECK(w.n_to[WATCH_DOWN] == 0, "never down");
		CHECK(w.n_alerts == 0, "nobody is told");
	}
}

TEST(an_outage_seen_across_an_absence_stays_one_incident)
{
	static struct sim w;

	for (size_t i = 0; i < 200; i++) {
		sim_init(&w, 1, 1, 15 + i);
		w.is_up = down_in_between;
		w.down_ms[0] = SIM_START_MS + 10 * MINUTE_MS;
		w.down_ms[1] = w.down_ms[0] + 60 * MINUTE_MS;
		w.away_ms[0] = w.down_ms[0] + 20 * MINUTE_MS;
		w.away_ms[1] = w.away_ms[0] + 3 * MINUTE_MS + i * 1000;
		sim_run(&w, w.down_ms[1] + 10 * MINUTE_MS);
		CHECK(w.n_alerts == 2, "down, up");
		CHECK(w.n_to[WATCH_DOWN] == 2, "down, unknown, down");
		CHECK(w.n_to[WATCH_UNKNOWN] == 1, "unknown in between");
	}
}

/* Ten children behind a parent; the whole lot fails at one moment. */
TEST(a_failed_parent_is_one_alert)
{
	static const uint16_t parent[] = { 0 }, child[] = { 1 };
	static struct sim w;
	static uint64_t took[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 12, 1, 3000 + i);
		w.is_up = down_in_between;
		w.refuses = i % 2 == 0;
		w.loss_ppm = i % 3 == 0 ? 10000 : 0;
		w.only_single = true;
		for (size_t k = 1; k < 11; k++)
			CHECK(watch_set_parents(&w.set, k, parent, 1), "set");
		CHECK(watch_set_parents(&w.set, 11, child, 1), "grandchild");
		w.down_ms[0] =
		    SIM_START_MS + 5 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.down_ms[1] =
		    w.down_ms[0] + MINUTE_MS + sim_random(&w, HOUR_MS);
		sim_run(&w, w.down_ms[1] + 10 * MINUTE_MS);
		CHECK(w.n_alerts == 2, "one alert and its end");
		CHECK(w.alerts[0].check == 0, "of the parent");
		CHECK(w.n_to[WATCH_DOWN] == 12, "all are seen down");
		took[i] = w.alerts[0].at_ms - w.down_ms[0];
	}
	show("a parent with eleven dependents", took, RUNS);
	CHECK(took[RUNS * 19 / 20] <= 60000, "in time");
}

static bool
only_the_child(const struct sim *w, size_t check, size_t vantage, uint64_t t)
{
	return check == 0 || down_in_between(w, check, vantage, t);
}

TEST(a_failed_child_is_told_in_time)
{
	static const uint16_t parent[] = { 0 };
	static struct sim w;
	static uint64_t took[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		sim_init(&w, 2, 1, 4000 + i);
		w.is_up = only_the_child;
		CHECK(watch_set_parents(&w.set, 1, parent, 1), "set");
		w.down_ms[0] =
		    SIM_START_MS + 5 * MINUTE_MS + sim_random(&w, MINUTE_MS);
		w.down_ms[1] = w.down_ms[0] + 20 * MINUTE_MS;
		sim_run(&w, w.down_ms[1] + 5 * MINUTE_MS);
		CHECK(w.n_alerts == 2 && w.alerts[0].check == 1, "told");
		took[i] = w.alerts[0].at_ms - w.down_ms[0];
	}
	show("a child whose parent is well", took, RUNS);
	CHECK(took[RUNS * 19 / 20] <= 60000, "in time");
}

TEST_MAIN(UNIT(single_lost_packets_never_alarm),
    UNIT(independent_losses_alarm_rarely),
    UNIT(a_real_outage_is_told_within_a_minute),
    UNIT(an_outage_shorter_than_its_confirmation_is_not_told),
    UNIT(where_one_failure_is_enough_one_lost_packet_alarms),
    UNIT(more_failures_are_told_later_and_surely),
    UNIT(flapping_is_one_incident), UNIT(a_watcher_that_was_away_knows_nothing),
    UNIT(a_watcher_that_starves_alarms_nobody),
    UNIT(an_outage_seen_across_an_absence_stays_one_incident),
    UNIT(a_failed_parent_is_one_alert), UNIT(a_failed_child_is_told_in_time))
