/* SPDX-License-Identifier: ISC */
/*
 * reach_judge_test.c - tails of distributions; profiles; weeks of traffic of
 * networks in simulated time: what is suspected, when, and when it is not.
 */
#include "../../test.h"
#include "proto/reach/reach_judge.h"
#include "proto/reach/reach_stat.h"

#include <math.h>

#define DAY           288 /* steps of five minutes */
#define WEEK          (7 * DAY)
#define CELLS         12
#define HOUR_OF(step) ((step) / CELLS)
/* A Monday at 00:00 UTC. */
#define MONDAY (UINT64_C(4) * 24 * 12)

/* --- tails ---------------------------------------------------------------------- */

static bool
is_near(double got, double want)
{
	return fabs(got - want) <= want * 1e-5;
}

TEST(tails_are_those_of_the_tables)
{
	CHECK(is_near(reach_poisson_lower(0, 14), 8.315287e-7), "e^-14");
	CHECK(is_near(reach_poisson_lower(3, 10), 0.01033605), "3 of 10");
	CHECK(is_near(reach_poisson_lower(4, 10), 0.02925269), "4 of 10");
	CHECK(is_near(reach_poisson_lower(3.9, 10), 0.01033605), "3.9 is 3");
	CHECK(is_near(reach_poisson_lower(900, 1000), 6.977673e-4),
	    "900 of 1000");
	CHECK(reach_poisson_lower(10, 10) >= 1, "as usual");
	CHECK(reach_poisson_lower(5, 0) >= 1, "nothing is usual");
	CHECK(is_near(reach_binomial_upper(8, 10, 0.5), 0.0546875), "8 of 10");
	CHECK(is_near(reach_binomial_upper(10, 10, 0.1), 1e-10), "all");
	CHECK(
	    is_near(reach_binomial_upper(6, 40, 0.05), 0.01387695), "6 of 40");
	CHECK(reach_binomial_upper(1, 40, 0.05) >= 1, "as usual");
	CHECK(reach_binomial_upper(0, 0, 0.5) >= 1, "nothing");
	CHECK(reach_binomial_upper(5, 3, 0.5) <= 0, "impossible");
	CHECK(reach_poisson_lower(1e6, 2e6) >= 0, "large numbers end");
	CHECK(reach_binomial_upper(4000000000, 4000000000, 0.5) < 1e-300,
	    "very large numbers");
}

/* --- profiles --------------------------------------------------------------------- */

static const struct reach_key key = { { REACH_NET_AS, 36962 }, 993, 5, 4 };

static void
learn(struct reach_profile *p, uint64_t hour, double mean, bool is_odd)
{
	double means[REACH_MEANS] = { mean, mean, mean, 0, mean / 2 };

	reach_profile_learn(p, hour, means, is_odd);
}

TEST(an_hour_is_known_after_two_weeks)
{
	struct reach_profile p;
	double usual[REACH_MEANS];

	reach_profile_init(&p, &key);
	learn(&p, 240, 10, false);
	learn(&p, 264, 10, false);
	CHECK(!reach_profile_usual(&p, 240 + 168, usual), "one week");
	learn(&p, 240 + 168, 30, false);
	CHECK(reach_profile_usual(&p, 240 + 2 * 168, usual), "two weeks");
	CHECK(is_near(usual[REACH_MEAN_ATTEMPTS], 20), "of that weekday");
	CHECK(!reach_profile_usual(&p, 241, usual), "another hour");
	CHECK(!reach_profile_usual(&p, 264, usual), "another day");
	/* What is learned twice, or late, does not count. */
	learn(&p, 240, 9999, false);
	CHECK(reach_profile_usual(&p, 240 + 2 * 168, usual) &&
		  is_near(usual[REACH_MEAN_ATTEMPTS], 20),
	    "as before");
}

TEST(what_is_new_becomes_usual_and_an_outage_hardly)
{
	struct reach_profile p, q;
	double usual[REACH_MEANS];

	reach_profile_init(&p, &key);
	for (uint64_t week = 1; week <= 5; week++)
		learn(&p, week * 168, 100, false);
	q = p;
	learn(&q, 6 * 168, 0, true);
	CHECK(reach_profile_usual(&q, 0, usual) &&
		  usual[REACH_MEAN_ATTEMPTS] > 94,
	    "an outage");
	for (uint64_t week = 6; week <= 15; week++)
		learn(&p, week * 168, 20, false);
	CHECK(reach_profile_usual(&p, 0, usual) &&
		  usual[REACH_MEAN_ATTEMPTS] < 30,
	    "ten weeks of less");
}

TEST(profiles_survive_their_pages)
{
	uint8_t page[REACH_PROFILE_BYTES], again[REACH_PROFILE_BYTES];
	struct reach_profile p, q;

	reach_profile_init(&p, &key);
	for (uint64_t hour = 1; hour < 400; hour++)
		learn(&p, hour, (double)(hour % 50) * 3.7, hour % 9 == 0);
	reach_profile_encode(&p, page);
	CHECK(reach_profile_decode(page, &q), "it is one");
	reach_profile_encode(&q, again);
	CHECK(memcmp(page, again, sizeof(page)) == 0, "the same");
	for (size_t i = 0; i < sizeof(page); i += 13) {
		memcpy(again, page, sizeof(page));
		again[i] ^= 4;
		CHECK(!reach_profile_decode(again, &q), "torn");
	}
	memset(page, 0, sizeof(page));
	CHECK(!reach_profile_decode(page, &q), "empty");
}

/* --- traffic -------------------------------------------------------------------------- */

static uint64_t seed;

static double
any(void)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static unsigned
poisson(double lambda)
{
	double limit = exp(-lambda), p = 1;
	unsigned n = 0;

	for (p = any(); p > limit; p *= any())
		n++;
	return n;
}

/* People: few at night, fewer at the weekend; each makes 1 to 4 connections. */
static unsigned
traffic(uint64_t step, double size)
{
	unsigned hour = reach_hour_of_week(HOUR_OF(step)) % 24;
	unsigned day = reach_hour_of_week(HOUR_OF(step)) / 24, n = 0;
	double people = size *
	                (hour < 6       ? 0.1
			    : hour < 20 ? 1.0
					: 0.4) *
	                (day >= 5 ? 0.4 : 1.0);

	for (unsigned i = poisson(people); i > 0; i--)
		n += 1 + (unsigned)(any() * 4);
	return n;
}

struct world {
	struct reach_profile profile;
	struct reach_recent recent;
	struct reach_signal quiet, stuck;
	double sums[REACH_MEANS];
	uint64_t step; /* the next one */
};

static void
world_init(struct world *w)
{
	*w = (struct world){ .step = MONDAY };
	reach_profile_init(&w->profile, &key);
}

/* Five minutes, of which attempts came in and tls of these got to TLS. */
static void
pass(struct world *w, unsigned attempts, unsigned tls)
{
	struct reach_step s = { .is_known = true,
		.attempts = attempts,
		.could_tls = attempts,
		.tls = tls };
	uint64_t now = (w->step + 1) * 300;
	struct reach_finding f;

	s.has_usual =
	    reach_profile_usual(&w->profile, HOUR_OF(w->step), s.usual);
	reach_recent_push(&w->recent, &s);
	f = reach_judge_quiet(&w->recent, reach_profile_phi(&w->profile));
	reach_signal_step(&w->quiet, &f, now);
	f = reach_judge_stuck(&w->recent, 0.02);
	reach_signal_step(&w->stuck, &f, now);
	w->sums[REACH_MEAN_ATTEMPTS] += attempts;
	w->sums[REACH_MEAN_TLS] += tls;
	if (++w->step % CELLS != 0)
		return;
	for (size_t m = 0; m < REACH_MEANS; m++)
		w->sums[m] /= CELLS;
	reach_profile_learn(&w->profile, HOUR_OF(w->step - 1), w->sums,
	    w->quiet.is_raised || w->stuck.is_raised);
	memset(w->sums, 0, sizeof(w->sums));
}

static void
usual_days(struct world *w, unsigned days, double size)
{
	for (unsigned i = 0; i < days * DAY; i++) {
		unsigned n = traffic(w->step, size);

		pass(w, n, n - (n > 20 && any() < 0.3));
	}
}

/* 30 networks of all sizes, six weeks each: 360 000 judgements. */
TEST(usual_weeks_are_never_suspected)
{
	static struct world w;

	for (unsigned net = 0; net < 30; net++) {
		seed = net + 1;
		world_init(&w);
		for (unsigned i = 0; i < 6 * WEEK; i++) {
			unsigned n = traffic(w.step, 0.3 * exp(net * 0.18));

			pass(&w, n, n - (n > 20 && any() < 0.3));
			CHECK(!w.quiet.is_raised, "fewer than usual");
			CHECK(!w.stuck.is_raised, "no TLS");
		}
	}
}

/* Four weeks, then nothing from 10:00 on, as on the page of the reference. */
TEST(a_network_that_falls_silent_is_suspected_soon)
{
	static const struct {
		double size;     /* people in five minutes */
		unsigned within; /* minutes; 0: it is too small to be told */
	} cases[] = { { 40, 20 }, { 8, 25 }, { 3, 65 }, { 0.2, 0 } };
	static struct world w;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned minutes = 0;

		seed = 5 + i;
		world_init(&w);
		usual_days(&w, 28, cases[i].size);
		for (unsigned k = 0; k < 120; k++) {
			unsigned n = traffic(w.step, cases[i].size);

			pass(&w, n, n);
		}
		for (; minutes < 180 && !w.quiet.is_raised; minutes += 5)
			pass(&w, 0, 0);
		CHECK(w.quiet.is_raised == (cases[i].within > 0), "raised");
		CHECK(!w.quiet.is_raised || minutes <= cases[i].within,
		    "in time");
		if (cases[i].within == 0)
			continue;
		CHECK(w.quiet.since <= (w.step - minutes / 5 + 2) * 300 &&
			  w.quiet.since >= (w.step - minutes / 5 - 14) * 300,
		    "since about then");
		/* Back: over within the hour and three more looks. */
		for (unsigned k = 0; k < 16; k++) {
			unsigned n = traffic(w.step, cases[i].size);

			pass(&w, n, n);
		}
		CHECK(!w.quiet.is_raised, "over");
	}
}

/* A third of the customers is cut off: not enough to shout. Nine in ten: is. */
TEST(a_dip_is_not_an_outage)
{
	static struct world w;

	seed = 77;
	world_init(&w);
	usual_days(&w, 28, 20);
	for (unsigned k = 0; k < 120; k++)
		pass(&w, traffic(w.step, 20), 0);
	CHECK(!w.quiet.is_raised, "as usual");
	for (unsigned k = 0; k < 12; k++)
		pass(&w, traffic(w.step, 20) * 2 / 3, 0);
	CHECK(!w.quiet.is_raised, "a third less");
	for (unsigned k = 0; k < 6; k++)
		pass(&w, traffic(w.step, 20) / 10, 0);
	CHECK(w.quiet.is_raised, "a tenth is left");
}

TEST(connections_that_do_not_get_to_tls_are_suspected)
{
	static struct world w;
	unsigned minutes = 0;

	seed = 9;
	world_init(&w);
	/* No history is needed for it. */
	for (unsigned k = 0; k < 120; k++)
		pass(&w, 8, 8);
	for (; minutes < 60 && !w.stuck.is_raised; minutes += 5)
		pass(&w, 8, 1);
	CHECK(w.stuck.is_raised && minutes <= 20, "in time");
	CHECK(w.stuck.last.of >= REACH_STUCK_MIN && w.stuck.last.seen > 0,
	    "with its numbers");
	/* Nobody comes at night: what was found stays. */
	for (unsigned k = 0; k < 24; k++)
		pass(&w, 0, 0);
	CHECK(w.stuck.is_raised, "nothing says that it is over");
	for (unsigned k = 0; k < 8; k++)
		pass(&w, 8, 8);
	CHECK(!w.stuck.is_raised, "over");
	for (unsigned k = 0; k < 24; k++)
		pass(&w, 1, 0);
	CHECK(!w.stuck.is_raised || w.stuck.last.of >= REACH_STUCK_MIN,
	    "not from a few");
}

TEST(what_nobody_speaks_of_any_more_ends)
{
	struct reach_signal s = { .is_raised = true, .since = 1 };
	struct reach_finding none = { .verdict = REACH_NOTHING };

	for (unsigned i = 1; i < REACH_FADE; i++)
		CHECK(!reach_signal_step(&s, &none, i * 300), "stays");
	CHECK(reach_signal_step(&s, &none, 999999) && !s.is_raised, "ends");
}

/* While the watcher did not run, zeros mean nothing. */
TEST(nothing_follows_from_what_was_not_seen)
{
	struct reach_step known = { .is_known = true,
		.has_usual = true,
		.usual = { 100 } },
			  gap = known;
	struct reach_recent r = { 0 };

	gap.is_known = false;
	CHECK(reach_judge_quiet(&r, 1).verdict == REACH_NOTHING, "a new one");
	for (unsigned i = 0; i < 3; i++)
		reach_recent_push(&r, &known);
	CHECK(reach_judge_quiet(&r, 1).verdict == REACH_ODD, "it was there");
	reach_recent_push(&r, &gap);
	CHECK(reach_judge_quiet(&r, 1).verdict == REACH_NOTHING, "a gap");
}

static struct reach_finding
quiet(double usual, unsigned seen, double phi)
{
	struct reach_step s = { .is_known = true,
		.has_usual = true,
		.usual = { usual },
		.attempts = seen };
	struct reach_recent r = { 0 };

	for (unsigned i = 0; i < 3; i++)
		reach_recent_push(&r, &s);
	return reach_judge_quiet(&r, phi);
}

/* A large network: every dip is significant, and few are an outage. */
TEST(numbers_and_the_size_of_the_effect_both_count)
{
	CHECK(quiet(4, 0, 1).verdict == REACH_NOTHING, "12 are too few");
	CHECK(quiet(5, 0, 1).verdict == REACH_ODD, "15 are not");
	CHECK(quiet(5, 0, 1.1).verdict == REACH_NOTHING, "in their unrest");
	CHECK(quiet(1000, 700, 1).p < 1e-30, "significant");
	CHECK(quiet(1000, 700, 1).verdict == REACH_FINE, "and no outage");
	CHECK(quiet(1000, 500, 1).verdict == REACH_ODD, "half is one");
	CHECK(quiet(20, 11, 3).verdict == REACH_FINE, "by chance");
	CHECK(quiet(30, 14, 4).verdict == REACH_BETWEEN, "neither");
}

TEST(a_signal_begins_and_ends_slowly)
{
	struct reach_finding odd = { .verdict = REACH_ODD, .minutes = 15 };
	struct reach_finding fine = { .verdict = REACH_FINE };
	struct reach_finding between = { .verdict = REACH_BETWEEN };
	struct reach_signal s = { 0 };

	CHECK(!reach_signal_step(&s, &odd, 9000) && !s.is_raised, "once");
	CHECK(!reach_signal_step(&s, &fine, 9300), "fine");
	CHECK(!reach_signal_step(&s, &odd, 9600), "once more");
	CHECK(!reach_signal_step(&s, &between, 9900), "not in a row");
	CHECK(!reach_signal_step(&s, &odd, 10200), "and once more");
	CHECK(reach_signal_step(&s, &odd, 10500) && s.is_raised, "twice");
	CHECK(s.since == 10200 - 900, "since the first of them");
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!reach_signal_step(&s, &fine, 10800), "not yet");
		CHECK(!reach_signal_step(&s, &fine, 11100), "not yet");
		CHECK(!reach_signal_step(&s, &odd, 11400), "again");
	}
	CHECK(!reach_signal_step(&s, &fine, 12000), "one");
	CHECK(!reach_signal_step(&s, &fine, 12300), "two");
	CHECK(reach_signal_step(&s, &fine, 12600) && !s.is_raised, "three");
}

static struct reach_finding
alerts(unsigned of, unsigned n, unsigned nets, double usual)
{
	struct reach_recent r = { 0 };
	struct reach_step s = { .is_known = true,
		.could_tls = of,
		.attempts = of,
		.alerts = n,
		.alert = 46,
		.alert_nets = nets,
		.has_usual = usual > 0,
		.usual = { [REACH_MEAN_ATTEMPTS] = 100,
		    [REACH_MEAN_ALERTS] = usual } };

	for (unsigned i = 0; i < 3; i++)
		reach_recent_push(&r, &s);
	return reach_judge_alerts(&r);
}

TEST(alerts_that_rise_are_suspected)
{
	CHECK(alerts(100, 10, 5, 0).verdict == REACH_ODD, "a tenth");
	CHECK(alerts(100, 10, 5, 0).alert == 46, "which one");
	CHECK(alerts(100, 10, 2, 0).verdict == REACH_FINE, "of one network");
	CHECK(alerts(100, 10, 5, 9).verdict == REACH_FINE, "as always");
	CHECK(alerts(100, 1, 5, 0).verdict == REACH_FINE, "one in a hundred");
	CHECK(alerts(3, 3, 5, 0).verdict == REACH_NOTHING, "of nine");
	CHECK(alerts(5, 2, 5, 0).verdict != REACH_ODD, "six alerts");
}

/* --- handshakes that fail ---------------------------------------------------------- */

TEST(three_networks_are_needed_and_none_counts_for_more)
{
	struct reach_tls_cap cap = { { 0 } };

	reach_tls_cap_see(&cap, 500);
	reach_tls_cap_see(&cap, 3);
	CHECK(reach_tls_cap(&cap, 500) == 0, "two");
	reach_tls_cap_see(&cap, 9);
	CHECK(reach_tls_cap(&cap, 500) == 3 && reach_tls_cap(&cap, 9) == 3,
	    "the third decides");
	reach_tls_cap_see(&cap, 8);
	CHECK(reach_tls_cap(&cap, 500) == 8 && reach_tls_cap(&cap, 3) == 3,
	    "of four");
}

/* A port with six networks; some of each one's handshakes always fail, at
 * night (when people sleep and machines do not) four times as many. */
struct port {
	struct reach_profile profile;
	struct reach_recent recent;
	struct reach_signal tls;
	double tried, failed;
	uint64_t step;
};

static double
usually_failing(uint64_t step)
{
	return reach_hour_of_week(HOUR_OF(step)) % 24 < 6 ? 0.12 : 0.03;
}

/* Five minutes: failing is the share, phones are lost ones of one network. */
static void
pass_tls(struct port *p, double failing, unsigned phones)
{
	struct reach_step s = { .is_known = true,
		.failure = { 45, REACH_TLS_13, false, 1 } };
	struct reach_tls_cap cap = { { 0 } };
	unsigned failed[6] = { 0 };
	struct reach_finding f;
	double usual[REACH_MEANS], mean[REACH_MEANS] = { 0 };

	for (size_t i = 0; i < 6; i++) {
		unsigned n = 5 + traffic(p->step, 6);

		for (unsigned k = 0; k < n; k++)
			failed[i] += any() < failing;
		s.tls_tried += n - failed[i];
		failed[i] += i == 2 ? phones : 0;
		reach_tls_cap_see(&cap, failed[i]);
	}
	for (size_t i = 0; i < 6; i++)
		s.tls_failed += reach_tls_cap(&cap, failed[i]);
	s.tls_tried += s.tls_failed;
	s.tls_failing =
	    reach_profile_usual(&p->profile, HOUR_OF(p->step), usual)
		? reach_profile_tls_failing(&p->profile, HOUR_OF(p->step))
		: -1;
	reach_recent_push(&p->recent, &s);
	f = reach_judge_tls(&p->recent);
	reach_signal_step(&p->tls, &f, (p->step + 1) * 300);
	p->tried += s.tls_tried;
	p->failed += s.tls_failed;
	if (++p->step % CELLS != 0)
		return;
	reach_profile_learn(
	    &p->profile, HOUR_OF(p->step - 1), mean, p->tls.is_raised);
	reach_profile_learn_hour(&p->profile, HOUR_OF(p->step - 1), p->tried,
	    p->failed, 4, p->tls.is_raised);
	p->tried = p->failed = 0;
}

static void
usual_tls(struct port *p, unsigned days)
{
	*p = (struct port){ .step = MONDAY };
	reach_profile_init(&p->profile, &key);
	for (unsigned i = 0; i < days * DAY; i++) {
		/* A phone with a wrong clock, for some hours of each day. */
		unsigned phones = p->step % DAY < 40 ? 25 : 0;

		pass_tls(p, usually_failing(p->step), phones);
		CHECK(!p->tls.is_raised, "as usual");
	}
}

/* Ten ports, six weeks each, and then, at ten, a certificate that is over. */
TEST(failing_handshakes_are_suspected_within_ten_minutes)
{
	static struct port p;

	for (unsigned i = 0; i < 10; i++) {
		unsigned minutes = 0;

		seed = 40 + i;
		usual_tls(&p, 42);
		while (p.step % DAY != 120)
			pass_tls(&p, usually_failing(p.step), 0);
		for (; minutes < 60 && !p.tls.is_raised; minutes += 5)
			pass_tls(&p, 0.6, 0);
		CHECK(minutes <= 10, "in time");
		CHECK(p.tls.last.failure.alert == 45 &&
			  p.tls.last.failure.tls == REACH_TLS_13,
		    "by what");
		CHECK(p.tls.last.seen * 3 > p.tls.last.of, "how many");
		for (unsigned k = 0; k < 16; k++)
			pass_tls(&p, usually_failing(p.step), 0);
		CHECK(!p.tls.is_raised, "over");
	}
}

TEST(handshakes_are_compared_with_the_same_hour)
{
	static struct port p;

	seed = 3;
	usual_tls(&p, 28);
	/* 00:00 to 01:00, twelve in a hundred fail; at noon that is odd. */
	for (unsigned k = 0; k < 12; k++)
		pass_tls(&p, 0.12, 0);
	CHECK(!p.tls.is_raised, "usual at night");
	while (p.step % DAY != 144)
		pass_tls(&p, usually_failing(p.step), 0);
	for (unsigned k = 0; k < 18; k++)
		pass_tls(&p, 0.2, 0);
	CHECK(p.tls.is_raised, "and not at noon");
}

TEST(what_is_not_known_is_not_judged)
{
	struct reach_step s = { .is_known = true,
		.tls_tried = 100,
		.tls_failed = 90,
		.tls_failing = -1 };
	struct reach_recent r = { 0 };

	for (unsigned i = 0; i < REACH_RECENT; i++)
		reach_recent_push(&r, &s);
	CHECK(reach_judge_tls(&r).verdict == REACH_NOTHING, "no history");
	s.tls_failing = 0.03;
	reach_recent_push(&r, &s);
	CHECK(reach_judge_tls(&r).verdict == REACH_ODD, "five minutes of it");
}

TEST(shares_and_organisations_survive_their_pages)
{
	uint8_t page[REACH_PROFILE_BYTES], again[REACH_PROFILE_BYTES];
	struct reach_profile p, q;
	double mean[REACH_MEANS] = { 1 };

	reach_profile_init(&p, &key);
	CHECK(reach_profile_tls_failing(&p, 5) < 0, "not known");
	for (uint64_t week = 1; week <= 3; week++) {
		reach_profile_learn(&p, week * 168, mean, false);
		reach_profile_learn_hour(&p, week * 168, 100, 25, 7, false);
		reach_profile_learn(&p, week * 168 + 1, mean, false);
		reach_profile_learn_hour(
		    &p, week * 168 + 1, 50, 50, 2.9, false);
	}
	reach_profile_encode(&p, page);
	CHECK(reach_profile_decode(page, &q), "it is one");
	CHECK(fabs(reach_profile_tls_failing(&q, 0) - 0.25) < 0.001, "a share");
	CHECK(reach_profile_tls_failing(&q, 1) > 0.99, "all");
	CHECK(reach_profile_tls_failing(&q, 2) < 0, "another hour");
	CHECK(is_near(reach_profile_organisations(&q, 0), 7), "seven");
	CHECK(reach_profile_organisations(&q, 1) < 3, "never rounded up");
	reach_profile_encode(&q, again);
	CHECK(memcmp(page, again, sizeof(page)) == 0, "the same");
}

static enum reach_verdict
sign_in(unsigned of, unsigned n, unsigned nets, double failing)
{
	struct reach_step s = { .is_known = true,
		.known = of,
		.known_failed = n,
		.failed_nets = nets };
	struct reach_recent r = { 0 };

	for (unsigned i = 0; i < 3; i++)
		reach_recent_push(&r, &s);
	return reach_judge_sign_in(&r, failing).verdict;
}

TEST(known_devices_that_cannot_sign_in_are_suspected)
{
	CHECK(sign_in(40, 20, 5, 0) == REACH_ODD, "half of them");
	CHECK(sign_in(40, 1, 5, 0) == REACH_FINE, "one with an old password");
	CHECK(sign_in(40, 20, 2, 0) == REACH_FINE, "of two networks");
	CHECK(sign_in(40, 20, 5, 0.5) == REACH_FINE, "as always");
	CHECK(sign_in(3, 3, 5, 0) == REACH_NOTHING, "nine of them");
}

TEST(how_many_fail_is_learned_slowly)
{
	uint8_t page[REACH_PROFILE_BYTES];
	struct reach_profile p, q;

	reach_profile_init(&p, &key);
	CHECK(reach_profile_failing(&p) <= 0, "nothing yet");
	for (unsigned i = 0; i < 200; i++)
		reach_profile_learn_failing(&p, 50, 10, false);
	CHECK(fabs(reach_profile_failing(&p) - 0.2) < 0.01, "a fifth");
	reach_profile_learn_failing(&p, 50, 50, true);
	reach_profile_learn_failing(&p, 0, 0, false);
	CHECK(fabs(reach_profile_failing(&p) - 0.2) < 0.01,
	    "not from an outage, nor from nothing");
	reach_profile_encode(&p, page);
	CHECK(reach_profile_decode(page, &q) && q.failing == p.failing,
	    "on disk, too");
}

TEST_MAIN(UNIT(tails_are_those_of_the_tables),
    UNIT(an_hour_is_known_after_two_weeks),
    UNIT(what_is_new_becomes_usual_and_an_outage_hardly),
    UNIT(profiles_survive_their_pages), UNIT(usual_weeks_are_never_suspected),
    UNIT(a_network_that_falls_silent_is_suspected_soon),
    UNIT(a_dip_is_not_an_outage),
    UNIT(connections_that_do_not_get_to_tls_are_suspected),
    UNIT(what_nobody_speaks_of_any_more_ends),
    UNIT(nothing_follows_from_what_was_not_seen),
    UNIT(numbers_and_the_size_of_the_effect_both_count),
    UNIT(a_signal_begins_and_ends_slowly),
    UNIT(known_devices_that_cannot_sign_in_are_suspected),
    UNIT(how_many_fail_is_learned_slowly),
    UNIT(three_networks_are_needed_and_none_counts_for_more),
    UNIT(failing_handshakes_are_suspected_within_ten_minutes),
    UNIT(handshakes_are_compared_with_the_same_hour),
    UNIT(what_is_not_known_is_not_judged),
    UNIT(shares_and_organisations_survive_their_pages),
    UNIT(alerts_that_rise_are_suspected))
