/* SPDX-License-Identifier: ISC */
/* watch_state_test.c - one check, result by result. */
#include "../../test.h"
#include "proto/watch/watch_alert.h"

#define T0 UINT64_C(1795392000000)

static struct watch_events events;

/* A string of results of one place, at its own due times. */
static void
feed(struct watch_state *s, size_t vantage, const char *results)
{
	for (; *results; results++) {
		uint64_t t = watch_state_due_ms(s, vantage);
		struct watch_result r = { .started_ms = t, .ended_ms = t + 20 };

		r.outcome = *results == 'o'   ? WATCH_OK
		            : *results == 's' ? WATCH_SLOW
		            : *results == 'f' ? WATCH_FAILED
		                              : WATCH_INCONCLUSIVE;
		r.cause = *results == 'f' ? WATCH_REFUSED : WATCH_CAUSE_NONE;
		/* A watcher that did not run for 9 s. */
		if (*results == 'L') {
			r.outcome = WATCH_FAILED;
			r.ended_ms = t + 9000;
		}
		CHECK(watch_state_result(s, vantage, &r, &events), "taken");
	}
}

TEST(runs_of_results)
{
	static const struct {
		const char *results;
		enum watch_status status;
		bool is_suspected;
	} cases[] = {
		{ "", WATCH_UNKNOWN, false },
		{ "o", WATCH_UP, false },
		{ "f", WATCH_UNKNOWN, true },
		{ "ff", WATCH_UNKNOWN, true },
		{ "fff", WATCH_DOWN, false },
		{ "off", WATCH_UP, true },
		{ "offo", WATCH_UP, false },
		{ "offoff", WATCH_UP, true },
		{ "offif", WATCH_DOWN, false },
		{ "ofLLLf", WATCH_UP, true },
		{ "offf", WATCH_DOWN, false },
		{ "offfo", WATCH_DOWN, false },
		{ "offfof", WATCH_DOWN, false },
		{ "offfoo", WATCH_UP, false },
		{ "offfss", WATCH_UP, false },
		{ "offfsss", WATCH_DEGRADED, false },
		{ "oss", WATCH_UP, false },
		{ "osss", WATCH_DEGRADED, false },
		{ "osssoo", WATCH_DEGRADED, false },
		{ "osssooo", WATCH_UP, false },
		{ "osssooso", WATCH_DEGRADED, false },
		{ "ofofofofofofofofo", WATCH_UP, false },
		{ "ofofofofofofofofofo", WATCH_DEGRADED, false },
		{ "oiiiiiiiiii", WATCH_UNKNOWN, false },
	};
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_state s;

		watch_state_init(&s, &c, network, 1, T0);
		feed(&s, 0, cases[i].results);
		CHECK(s.status == cases[i].status, cases[i].results);
		CHECK(watch_state_is_suspected(&s) == cases[i].is_suspected,
		    cases[i].results);
	}
}

TEST(rechecks_are_due_after_5_and_15_seconds)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_state s;

	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "o");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 30000, "regular");
	feed(&s, 0, "f");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 35020, "first");
	feed(&s, 0, "f");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 45020, "second");
	feed(&s, 0, "f");
	CHECK(events.n == 1 && events.v[0].since_ms == T0 + 30000, "since");
	CHECK(strcmp(events.v[0].reason,
		  "3 failures in a row in 15 s: connection refused") == 0,
	    events.v[0].reason);
	CHECK(watch_state_due_ms(&s, 0) == T0 + 75020, "regular again");
}

TEST(rechecks_are_as_far_apart_as_was_asked)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default(), d = c;
	struct watch_state s;

	watch_config_confirm(&d, 15000);
	CHECK(memcmp(d.recheck_ms, c.recheck_ms, sizeof(c.recheck_ms)) == 0 &&
		  d.confirm_ms == c.confirm_ms && d.stale_ms == 105000,
	    "the default");
	watch_config_confirm(&c, 3000);
	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "of");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 31020, "first");
	feed(&s, 0, "f");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 33020, "second");
	/* A row of failures is one as long as its re-checks may take. */
	c = watch_config_default();
	c.timeout_ms = 30000;
	watch_config_confirm(&c, 120000);
	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "off");
	CHECK(watch_state_due_ms(&s, 0) == T0 + 150020, "far");
	feed(&s, 0, "f");
	CHECK(s.status == WATCH_DOWN, "down");
}

TEST(a_check_may_want_other_runs)
{
	static const struct {
		uint8_t down_after, up_after;
		const char *results;
		enum watch_status status;
		bool is_suspected;
	} cases[] = {
		{ 1, 2, "of", WATCH_DOWN, false },
		{ 1, 2, "f", WATCH_DOWN, false },
		{ 1, 2, "ofo", WATCH_DOWN, false },
		{ 1, 1, "ofo", WATCH_UP, false },
		{ 5, 2, "offff", WATCH_UP, true },
		{ 5, 2, "offffo", WATCH_UP, false },
		{ 5, 2, "offfff", WATCH_DOWN, false },
		{ 3, 4, "offfooo", WATCH_DOWN, false },
		{ 3, 4, "offfooofoooo", WATCH_UP, false },
		{ 10, 10, "offffffff", WATCH_UP, true },
		/* Lossy before it is down. */
		{ 10, 10, "offfffffff", WATCH_DEGRADED, true },
		{ 10, 10, "offffffffff", WATCH_DOWN, false },
		{ 10, 10, "offffffffffooooooooo", WATCH_DOWN, false },
		{ 10, 10, "offffffffffoooooooooo", WATCH_UP, false },
	};
	static const uint8_t network[] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_config c = watch_config_default();
		struct watch_state s;

		c.down_after = cases[i].down_after;
		c.up_after = cases[i].up_after;
		watch_config_confirm(&c, 15000);
		watch_state_init(&s, &c, network, 1, T0);
		feed(&s, 0, cases[i].results);
		CHECK(s.status == cases[i].status, cases[i].results);
		CHECK(watch_state_is_suspected(&s) == cases[i].is_suspected,
		    cases[i].results);
	}
}

/* However long probes and the times between them are. */
TEST(each_number_of_failures_in_a_row_is_reached)
{
	static const uint32_t confirm_ms[] = { 1000, 15000, 120000 };
	static const uint32_t timeouts[] = { 500, 5000, 300000 };
	static const uint8_t network[] = { 0 };

	for (size_t i = 0; i < 90; i++) {
		struct watch_config c = watch_config_default();
		struct watch_state s;
		unsigned n = 0;

		c.down_after = (uint8_t)(i / 9 + 1);
		c.timeout_ms = timeouts[i % 3];
		c.interval_ms = MAX(c.timeout_ms, 30000);
		watch_config_confirm(&c, confirm_ms[i / 3 % 3]);
		assert_true(watch_config_is_sane(&c));
		watch_state_init(&s, &c, network, 1, T0);
		while (s.status != WATCH_DOWN && n < 100) {
			uint64_t t = watch_state_due_ms(&s, 0);

			assert_true(watch_state_result(&s, 0,
			    &(struct watch_result){ .outcome = WATCH_FAILED,
				.cause = WATCH_TIMEOUT,
				.started_ms = t,
				.ended_ms = t + c.timeout_ms },
			    &events));
			n++;
		}
		assert_int_equal(n, c.down_after);
	}
}

TEST(one_failure_that_is_enough_says_so)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_state s;

	c.down_after = 1;
	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "of");
	CHECK(events.n == 1 && strcmp(events.v[0].reason,
				   "1 failure: connection refused") == 0,
	    events.v[0].reason);
}

TEST(losses_are_of_a_hundred)
{
	static const struct {
		uint32_t percent;
		uint8_t high, low;
	} cases[] = {
		{ 1, 1, 0 },
		{ 5, 1, 0 },
		{ 10, 2, 0 },
		{ 15, 3, 1 },
		{ 43, 9, 3 }, /* the default */
		{ 50, 11, 3 },
		{ 100, 21, 7 },
	};
	static const uint8_t network[] = { 0 };
	struct watch_config usual = watch_config_default();
	struct watch_state s;

	watch_config_loss(&usual, 43);
	assert_int_equal(usual.loss_high, watch_config_default().loss_high);
	assert_int_equal(usual.loss_low, watch_config_default().loss_low);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_config c = watch_config_default();

		watch_config_loss(&c, cases[i].percent);
		assert_int_equal(c.loss_high, cases[i].high);
		assert_int_equal(c.loss_low, cases[i].low);
		assert_true(watch_config_is_sane(&c));
		watch_state_init(&s, &c, network, 1, T0);
		/* Two lost of the last 21. */
		feed(&s, 0, "oofofoooooo");
		CHECK((s.status == WATCH_DEGRADED) == (cases[i].high <= 2),
		    "two are few or many");
	}
}

TEST(every_time_of_confirmation_is_sane)
{
	static const uint32_t intervals[] = { 2000, 10000, 30000, 86400000 };
	static const uint32_t timeouts[] = { 500, 5000, 300000 };

	for (uint32_t s = 1; s <= 120; s++)
		for (size_t i = 0; i < ARRAY_LEN(intervals); i++)
			for (size_t k = 0; k < ARRAY_LEN(timeouts); k++) {
				struct watch_config c = watch_config_default();

				c.interval_ms = intervals[i];
				c.timeout_ms = timeouts[k];
				watch_config_confirm(&c, s * 1000);
				CHECK(watch_config_is_sane(&c), "sane");
			}
}

TEST(places_vote)
{
	static const struct {
		uint8_t networks[3];
		const char *results[3];
		uint8_t quorum;
		enum watch_status status;
	} cases[] = {
		{ { 0, 1, 2 }, { "ooo", "ooo", "ooo" }, 0, WATCH_UP },
		{ { 0, 1, 2 }, { "fff", "ooo", "ooo" }, 0, WATCH_DEGRADED },
		{ { 0, 1, 2 }, { "fff", "fff", "ooo" }, 0, WATCH_DOWN },
		{ { 0, 0, 1 }, { "fff", "fff", "ooo" }, 0, WATCH_DEGRADED },
		{ { 0, 0, 0 }, { "fff", "fff", "ooo" }, 0, WATCH_DOWN },
		{ { 0, 1, 2 }, { "fff", "fff", "ooo" }, 3, WATCH_DEGRADED },
		{ { 0, 1, 2 }, { "fff", "fff", "fff" }, 3, WATCH_DOWN },
		/* One place alone against the world: nobody can tell. */
		{ { 0, 1, 2 }, { "fff", "", "" }, 0, WATCH_UNKNOWN },
		{ { 0, 1, 2 }, { "ooo", "", "" }, 0, WATCH_UP },
	};
	struct watch_config c = watch_config_default();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_state s;

		c.quorum = cases[i].quorum;
		watch_state_init(&s, &c, cases[i].networks, 3, T0);
		for (size_t k = 0; k < 3; k++)
			feed(&s, k, cases[i].results[k]);
		CHECK(s.status == cases[i].status, cases[i].results[0]);
	}
}

/* Agents come and go; what the others saw stays. */
TEST(places_come_and_go)
{
	static const uint8_t one[] = { 0 }, three[] = { 0, 1, 2 };
	static const uint8_t grow[] = { 0, WATCH_VANTAGE_NEW,
		WATCH_VANTAGE_NEW };
	static const uint8_t last[] = { 2 };
	struct watch_config c = watch_config_default();
	struct watch_state s;

	watch_state_init(&s, &c, one, 1, T0);
	feed(&s, 0, "offf");
	CHECK(s.status == WATCH_DOWN, "down, by the only one");
	watch_state_arrange(&s, three, grow, 3, T0 + 60000, &events);
	CHECK(s.n_vantages == 3 && s.networks == 3, "three");
	CHECK(s.vantages[0].verdict == WATCH_DOWN, "it still sees it down");
	CHECK(watch_state_due_ms(&s, 1) == T0 + 60000, "a new one looks now");
	CHECK(s.status == WATCH_UNKNOWN && events.n == 1, "nobody can tell");
	feed(&s, 1, "ooo");
	CHECK(s.status == WATCH_DEGRADED, "one of two");
	feed(&s, 2, "ooo");
	feed(&s, 0, "oo");
	CHECK(s.status == WATCH_UP, "all");
	feed(&s, 2, "fff");
	CHECK(s.status == WATCH_DEGRADED, "one of three");
	watch_state_arrange(&s, one, last, 1, s.clock_ms + 1, &events);
	CHECK(s.status == WATCH_DOWN && s.n_vantages == 1, "by who is left");
	CHECK(events.n >= 1 && events.v[0].since_ms == s.clock_ms, "since now");
	CHECK(watch_state_cause(&s) == WATCH_REFUSED, "its cause");
}

/* Results of elsewhere are under way for a while. */
TEST(a_late_result_does_not_turn_back_the_time)
{
	static const uint8_t networks[] = { 0, 1 };
	struct watch_config c = watch_config_default();
	struct watch_result r = { .outcome = WATCH_FAILED,
		.cause = WATCH_TIMEOUT };
	struct watch_state s;
	uint64_t last = 0;

	watch_state_init(&s, &c, networks, 2, T0);
	feed(&s, 0, "ooof");
	feed(&s, 0, "ff");
	for (unsigned i = 0; i < 3; i++) {
		r.started_ms = T0 + 50000 + i * 6000;
		r.ended_ms = r.started_ms + 5000;
		watch_state_tick(&s, T0 + 120000 + i * 6000, &events);
		CHECK(watch_state_result(&s, 1, &r, &events), "taken");
		for (size_t k = 0; k < events.n; k++) {
			CHECK(events.v[k].at_ms >= T0 + 120000 + i * 6000,
			    "decided when it came");
			CHECK(events.v[k].since_ms <= events.v[k].at_ms &&
				  events.v[k].since_ms >= last,
			    "times rise");
			last = events.v[k].since_ms;
		}
	}
	CHECK(s.status == WATCH_DOWN, "both");
	CHECK(watch_state_settled_ms(&s, s.clock_ms) >= last, "settled");
}

/* One place that needs longer to be sure does not move back what was told. */
TEST(what_was_told_of_a_time_stays_true)
{
	static const uint8_t networks[] = { 0, 1, 2 };
	static const struct {
		size_t vantage;
		uint64_t at_s;
	} failures[] = { { 1, 40 }, { 0, 60 }, { 0, 70 }, { 0, 80 }, { 1, 90 },
		{ 1, 95 } };
	struct watch_config c = watch_config_default();
	struct watch_result r = { .outcome = WATCH_FAILED,
		.cause = WATCH_TIMEOUT };
	struct watch_state s;
	uint64_t told = 0;

	watch_state_init(&s, &c, networks, 3, T0);
	for (size_t i = 0; i < 3; i++)
		feed(&s, i, "oo");
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		r.started_ms = r.ended_ms = T0 + failures[i].at_s * 1000;
		CHECK(watch_state_result(&s, failures[i].vantage, &r, &events),
		    "taken");
		if (events.n == 0)
			continue;
		CHECK(events.v[0].since_ms >= told, "not before the last one");
		told = events.v[0].since_ms;
	}
	CHECK(s.status == WATCH_DOWN && s.since_ms == T0 + 60000,
	    "down since it is known to be degraded");
}

/* What stands on it is not excused by a recovery that nobody saw. */
TEST(what_is_not_seen_any_more_has_not_recovered)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_state s;

	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "offf");
	CHECK(s.status == WATCH_DOWN && s.recovered_ms == 0, "down");
	watch_state_tick(&s, s.clock_ms + c.stale_ms + 1000, &events);
	CHECK(s.status == WATCH_UNKNOWN && events.n == 1, "not seen");
	CHECK(s.recovered_ms == 0, "not recovered");
	feed(&s, 0, "oo");
	CHECK(s.status == WATCH_UP && s.recovered_ms == s.since_ms, "now");
}

/* A failure now and then is no row of failures. */
TEST(failures_that_lie_far_apart_are_no_outage)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_result r = { .outcome = WATCH_FAILED };
	struct watch_state s;
	uint64_t first;

	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "oo");
	first = s.clock_ms + 1000;
	for (unsigned i = 0; i < 5; i++) {
		r.started_ms = r.ended_ms = first + i * (c.confirm_ms / 2 + 1);
		CHECK(watch_state_result(&s, 0, &r, &events), "taken");
		CHECK(s.status != WATCH_DOWN, "a minute apart");
	}
	/* The fifth began another row. */
	for (unsigned i = 1; i < c.down_after; i++) {
		r.started_ms = r.ended_ms = r.ended_ms + 1000;
		CHECK(watch_state_result(&s, 0, &r, &events), "taken");
	}
	CHECK(s.status == WATCH_DOWN, "a second apart");
}

TEST(a_state_ends_when_it_said_so)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_state s;
	uint64_t seen, wake;

	watch_state_init(&s, &c, network, 1, T0);
	CHECK(watch_state_wake_ms(&s) == UINT64_MAX, "nothing is known");
	feed(&s, 0, "oo");
	seen = s.clock_ms;
	wake = watch_state_wake_ms(&s);
	CHECK(wake == seen + c.stale_ms + 1, "stale");
	watch_state_tick(&s, wake - 1, &events);
	CHECK(events.n == 0 && s.status == WATCH_UP, "not yet");
	watch_state_tick(&s, wake, &events);
	CHECK(events.n == 1 && s.status == WATCH_UNKNOWN && s.since_ms == seen,
	    "then, since it was seen last");
	CHECK(strcmp(events.v[0].reason, "not checked for 100 s") == 0,
	    events.v[0].reason);
}

TEST(what_flaps_is_steady_when_it_said_so)
{
	static const uint8_t network[] = { 0 };
	struct watch_config c = watch_config_default();
	struct watch_state s;
	uint64_t wake;

	watch_state_init(&s, &c, network, 1, T0);
	feed(&s, 0, "ooo");
	while (!s.is_unstable)
		feed(&s, 0, s.status == WATCH_DOWN ? "oo" : "fff");
	for (unsigned i = 0; s.is_unstable && i < 1000; i++) {
		wake = watch_state_wake_ms(&s);
		if (wake > watch_state_due_ms(&s, 0) + 20) {
			feed(&s, 0, "o");
			CHECK(s.is_unstable, "it says when");
			continue;
		}
		watch_state_tick(&s, wake - 1, &events);
		CHECK(s.is_unstable && events.n == 0, "not yet");
		watch_state_tick(&s, wake, &events);
		CHECK(!s.is_unstable && events.n == 1 &&
			  events.v[0].kind == WATCH_STEADY,
		    "then");
	}
	CHECK(!s.is_unstable, "in the end");
}

TEST(who_sees_nothing_has_no_vote)
{
	static const uint8_t networks[] = { 0, 1, 2 };
	struct watch_config c = watch_config_default();
	struct watch_state s;

	watch_state_init(&s, &c, networks, 3, T0);
	feed(&s, 0, "ooo");
	feed(&s, 1, "fff");
	feed(&s, 2, "fff");
	CHECK(s.status == WATCH_DOWN, "two of three");
	watch_state_blind(&s, 1, s.clock_ms + 1, &events);
	CHECK(events.n == 1 && s.status == WATCH_DEGRADED, "one of two");
	watch_state_blind(&s, 0, s.clock_ms + 1, &events);
	CHECK(events.n == 1 && s.status == WATCH_UNKNOWN, "one alone");
	watch_state_blind(&s, 2, s.clock_ms + 1, &events);
	CHECK(s.status == WATCH_UNKNOWN && events.n == 0, "none");
	feed(&s, 0, "oo");
	CHECK(s.status == WATCH_UP, "it looks again");
}

TEST(rings_of_parents_are_refused)
{
	static const uint16_t zero[] = { 0 }, one[] = { 1 }, two[] = { 2 };
	static struct watch_check checks[3];
	struct watch_set set;

	watch_set_init(&set, checks, 3);
	CHECK(watch_set_parents(&set, 1, zero, 1), "1 on 0");
	CHECK(watch_set_parents(&set, 2, one, 1), "2 on 1");
	CHECK(!watch_set_parents(&set, 0, two, 1), "0 on 2");
	CHECK(!watch_set_parents(&set, 0, zero, 1), "0 on itself");
	CHECK(checks[0].n_parents == 0, "nothing changed");
}

TEST(maintenance_is_silent_until_it_ends)
{
	static const uint8_t network[] = { 0 };
	static struct watch_check check;
	struct watch_config c = watch_config_default();
	struct watch_alert alert;
	struct watch_set set;

	memset(&check, 0, sizeof(check));
	watch_set_init(&set, &check, 1);
	watch_state_init(&check.state, &c, network, 1, T0);
	check.n_windows = 1;
	check.windows[0] =
	    (struct watch_window){ T0 - 86400000 * 7, 3600000, 86400000 * 7 };
	feed(&check.state, 0, "offf");
	CHECK(check.state.status == WATCH_DOWN, "down");
	CHECK(!watch_set_alert(&set, 0, T0 + 60000, &alert), "silent");
	CHECK(watch_set_alert(&set, 0, T0 + 3600000, &alert), "over");
	CHECK(alert.now == WATCH_TOLD_DOWN && alert.is_new, "down");
	CHECK(!watch_set_alert(&set, 0, T0 + 3600001, &alert), "once");
}

TEST(slow_is_told_when_it_lasts)
{
	static const uint8_t network[] = { 0 };
	static struct watch_check check;
	struct watch_config c = watch_config_default();
	struct watch_alert alert;
	struct watch_set set;
	uint64_t at;

	memset(&check, 0, sizeof(check));
	watch_set_init(&set, &check, 1);
	watch_state_init(&check.state, &c, network, 1, T0);
	feed(&check.state, 0, "osss");
	CHECK(check.state.status == WATCH_DEGRADED, "degraded");
	at = check.state.decided_ms;
	CHECK(!watch_set_alert(&set, 0, at + 1000, &alert), "not yet");
	CHECK(watch_set_alert(&set, 0, at + set.slow_ms, &alert), "it lasts");
	CHECK(alert.now == WATCH_TOLD_DEGRADED && alert.is_new, "degraded");
	CHECK(!watch_set_alert(&set, 0, at + set.slow_ms + 1, &alert), "once");
	feed(&check.state, 0, "fff");
	at = check.state.decided_ms;
	CHECK(watch_set_alert(&set, 0, at, &alert), "worse");
	CHECK(alert.now == WATCH_TOLD_DOWN && !alert.is_new, "the same");
	CHECK(alert.before == WATCH_TOLD_DEGRADED, "it was slow");
	feed(&check.state, 0, "ooo");
	CHECK(watch_set_alert(&set, 0, at + 100000, &alert), "well");
	CHECK(alert.now == WATCH_TOLD_FINE && alert.incident == 1, "well");
}

TEST_MAIN(UNIT(runs_of_results), UNIT(a_check_may_want_other_runs),
    UNIT(each_number_of_failures_in_a_row_is_reached),
    UNIT(one_failure_that_is_enough_says_so), UNIT(losses_are_of_a_hundred),
    UNIT(rechecks_are_due_after_5_and_15_seconds),
    UNIT(rechecks_are_as_far_apart_as_was_asked),
    UNIT(every_time_of_confirmation_is_sane), UNIT(places_vote),
    UNIT(places_come_and_go), UNIT(a_late_result_does_not_turn_back_the_time),
    UNIT(what_was_told_of_a_time_stays_true),
    UNIT(what_is_not_seen_any_more_has_not_recovered),
    UNIT(failures_that_lie_far_apart_are_no_outage),
    UNIT(a_state_ends_when_it_said_so),
    UNIT(what_flaps_is_steady_when_it_said_so),
    UNIT(who_sees_nothing_has_no_vote), UNIT(rings_of_parents_are_refused),
    UNIT(maintenance_is_silent_until_it_ends), UNIT(slow_is_told_when_it_lasts))
