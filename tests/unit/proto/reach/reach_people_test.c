/* SPDX-License-Identifier: ISC */
/*
 * reach_people_test.c - weeks of people on networks of all kinds, in simulated time:
 * whose sessions are broken off, and who does not get in. What is found and when, and
 * that nothing is found of telephones, schools, holidays, scanners and single fools.
 */
#include "../../test.h"
#include "proto/reach/reach_judge.h"

#include <math.h>

#define DAY           288 /* steps of five minutes */
#define WEEK          (7 * DAY)
#define CELLS         12
#define HOUR_OF(step) ((step) / CELLS)
#define MONDAY        (UINT64_C(4) * 24 * 12) /* at 00:00 UTC */

static uint64_t seed;

static double
any(void)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static uint64_t
hash_of(uint64_t i)
{
	uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* --- networks --------------------------------------------------------------------- */

enum habit { HOME, PHONES, SCHOOL };

struct net {
	enum habit habit;
	unsigned people, addresses; /* 0: an address each */
	struct reach_profile profile;
	struct reach_recent recent;
	struct reach_signal cut, few, quiet;
	double day, air; /* how this day, and this hour, differ */
	uint64_t step;
	/* of the hour */
	double sums[REACH_MEANS], sessions, clients;
	unsigned peopled;
	uint32_t lots[REACH_LOTS];
};

/* What is unusual in five minutes. */
struct weather {
	double cut;       /* of the sessions; 0: as usual */
	double kept_out;  /* of the people: they try again and again */
	double away;      /* of the people: on holiday */
	unsigned retries; /* of who is kept out; 0: 3 */
	unsigned broken;  /* sessions of one account, all broken off */
	unsigned busy;    /* sessions of one account, all well */
	unsigned scanned; /* connections of one client that never signs in */
	unsigned guesses; /* wrong passwords from everywhere */
	unsigned again;   /* more sessions of each who gets in */
	bool is_blip;     /* everything breaks off once */
	bool is_subscriber_line_down; /* of them nothing comes at all */
};

static const struct reach_key key = { { REACH_NET_AS, 36962 }, 993, 5, 4 };

static struct net
net_of(enum habit habit, unsigned people, unsigned addresses)
{
	struct net n = { .habit = habit,
		.people = people,
		.addresses = addresses,
		.day = 1,
		.air = 1,
		.step = MONDAY };

	reach_profile_init(&n.profile, &key);
	return n;
}

/* Of the people, so many have to do with us in five minutes. */
static double
activity(const struct net *n)
{
	unsigned hour = reach_hour_of_week(HOUR_OF(n->step)) % 24;
	unsigned day = reach_hour_of_week(HOUR_OF(n->step)) / 24;
	bool is_night = hour < 6;

	switch (n->habit) {
	case HOME:
		return is_night ? 0.03 : day < 5 ? 0.3 : 0.2;
	case PHONES:
		return is_night ? 0.1 : 0.35;
	case SCHOOL:
		break;
	}
	return day < 5 && hour >= 7 && hour < 16 ? 0.5 : 0.005;
}

/* What breaks off anyway: telephones that vanish; lines that are made anew at
 * night. */
static double
usually_cut(const struct net *n)
{
	bool is_night = reach_hour_of_week(HOUR_OF(n->step)) % 24 < 6;

	switch (n->habit) {
	case HOME:
		return is_night ? 0.4 : 0.02;
	case PHONES:
		return (is_night ? 0.3 : 0.15) * n->air;
	case SCHOOL:
		break;
	}
	return 0.01;
}

static void
connect_as(struct net *n, struct reach_cell *c, unsigned one, uint8_t stages,
    enum reach_end end)
{
	unsigned client = n->addresses > 0 ? one % n->addresses : one;
	bool is_in = stages & REACH_SIGNED_IN;
	struct reach_event e = { .stages = stages,
		.end = (uint8_t)end,
		.account = is_in ? one + 1 : 0 };

	reach_cell_add(c, &e,
	    &(struct reach_who){ .account = is_in ? hash_of(one) : 0,
		.client = hash_of(client + UINT64_C(1000000)),
		.epoch = 1,
		.may_sign_in = true,
		.is_session = is_in });
}

#define TLS (REACH_GREETED | REACH_TLS)
#define IN  (TLS | REACH_SIGNED_IN)

static void
come(struct net *n, struct reach_cell *c, unsigned one, double cut)
{
	bool is_cut = any() < cut;

	connect_as(n, c, one, is_cut ? IN | REACH_CUT : IN,
	    is_cut ? REACH_END_RESET : REACH_END_WELL);
}

/* A tenth have several programs or telephones that open three at once. */
static void
one_person(
    struct net *n, struct reach_cell *c, unsigned one, const struct weather *w)
{
	unsigned times = one % 10 == 0 ? 3 : 1 + (any() < 0.3);
	double cut = w->is_blip ? 0.9 : w->cut > 0 ? w->cut : usually_cut(n);

	if (any() < w->kept_out) {
		times *= w->retries > 0 ? w->retries : 3;
		for (; times > 0 && !w->is_subscriber_line_down; times--)
			connect_as(n, c, one, TLS, REACH_END_LEFT);
		return;
	}
	for (times += w->again; times > 0; times--)
		come(n, c, one, cut);
}

static void
all_people(struct net *n, struct reach_cell *c, const struct weather *w)
{
	double share = activity(n) * n->day * (1 - w->away);

	for (unsigned one = 0; one < n->people; one++)
		if (any() < share)
			one_person(n, c, one, w);
	for (unsigned i = 0; i < w->broken; i++)
		come(n, c, 7, 1);
	for (unsigned i = 0; i < w->busy; i++)
		come(n, c, 7, 0);
	for (unsigned i = 0; i < w->scanned; i++)
		connect_as(n, c, 50000, TLS, REACH_END_LEFT);
	for (unsigned i = 0; i < w->guesses; i++)
		connect_as(n, c, 60000 + i % 40, TLS, REACH_END_AUTH);
}

/* --- time ------------------------------------------------------------------------- */

static void
learn(struct net *n)
{
	uint64_t hour = HOUR_OF(n->step - 1);
	bool is_odd =
	    n->cut.is_raised || n->few.is_raised || n->quiet.is_raised;
	uint32_t most = reach_lots_capped(n->lots, 1);
	uint32_t cut = reach_lots_capped(n->lots, REACH_LOT_RANK);

	for (size_t m = 0; m < REACH_MEANS; m++)
		n->sums[m] /= CELLS;
	reach_profile_learn(&n->profile, hour, n->sums, is_odd);
	reach_profile_learn_cut(
	    &n->profile, hour, n->sessions - (most - cut), cut, is_odd);
	reach_profile_learn_clients(
	    &n->profile, n->peopled > 0 ? n->clients / n->peopled : 0, is_odd);
	memset(n->sums, 0, sizeof(n->sums));
	memset(n->lots, 0, sizeof(n->lots));
	n->sessions = n->clients = 0;
	n->peopled = 0;
}

static void
note(struct net *n, const struct reach_cell *c, const struct reach_step *s)
{
	n->sums[REACH_MEAN_ATTEMPTS] += s->attempts;
	n->sums[REACH_MEAN_SIGNED_IN] += s->signed_in;
	n->sums[REACH_MEAN_ACCOUNTS] += s->accounts;
	n->sessions += s->sessions;
	n->clients += __builtin_popcount(c->clients);
	n->peopled += c->clients != 0;
	for (size_t i = 0; i < REACH_LOTS; i++)
		n->lots[i] += c->lots[REACH_LOTS_CUT][i];
}

static void
judge(struct net *n)
{
	uint64_t now = (n->step + 1) * 300;
	struct reach_profile *p = &n->profile;
	struct reach_finding f;

	f = reach_judge_cut(&n->recent, reach_profile_phi_cut(p));
	reach_signal_step(&n->cut, &f, now);
	f = reach_judge_few(&n->recent, reach_profile_phi_accounts(p),
	    reach_few_rank(reach_profile_clients(p)));
	reach_signal_step(&n->few, &f, now);
	f = reach_judge_quiet(&n->recent, reach_profile_phi(p));
	reach_signal_step(&n->quiet, &f, now);
}

/* Five minutes. */
static void
pass(struct net *n, const struct weather *w)
{
	struct reach_cell c = { .key = key };
	struct reach_step s = { .is_known = true };

	if (n->step % DAY == 0)
		n->day = 0.85 + 0.3 * any();
	if (n->step % CELLS == 0)
		n->air = 0.6 + any();
	all_people(n, &c, w);
	s.attempts = c.counts[REACH_ATTEMPTS];
	s.signed_in = c.counts[REACH_N_SIGNED_IN];
	s.sessions = c.counts[REACH_N_SESSIONS];
	s.accounts = reach_accounts_guess(&c.accounts);
	memcpy(s.lots, c.lots, sizeof(s.lots));
	s.has_usual =
	    reach_profile_usual(&n->profile, HOUR_OF(n->step), s.usual);
	s.usual_cut = reach_profile_cut(&n->profile, HOUR_OF(n->step));
	reach_recent_push(&n->recent, &s);
	judge(n);
	note(n, &c, &s);
	if (++n->step % CELLS == 0)
		learn(n);
}

static void
fine(const struct net *n, const char *when)
{
	CHECK(!n->cut.is_raised, when);
	CHECK(!n->few.is_raised, when);
}

static const struct weather usual;

/* Whole days, and then until ten in the morning. */
static void
usual_days(struct net *n, unsigned days)
{
	for (uint64_t end = n->step + (uint64_t)days * DAY; n->step < end;) {
		pass(n, &usual);
		fine(n, "a usual day");
	}
	while (n->step % DAY != 120) {
		pass(n, &usual);
		fine(n, "a usual morning");
	}
}

/* Minutes until it is raised, at most hours. */
static unsigned
minutes_until(struct net *n, const bool *is_raised, const struct weather *w,
    unsigned hours)
{
	unsigned minutes = 0;

	for (; minutes < hours * 60 && !*is_raised; minutes += 5)
		pass(n, w);
	return minutes;
}

/* --- what is found ------------------------------------------------------------------ */

/* Large packets are lost from ten on: who gets one is cut off. */
TEST(sessions_that_break_off_are_suspected_soon)
{
	static const struct {
		enum habit habit;
		unsigned people, addresses, within;
	} cases[] = { { HOME, 400, 0, 20 }, { HOME, 100, 0, 25 },
		{ HOME, 30, 0, 45 }, { PHONES, 300, 0, 45 },
		{ PHONES, 80, 0, 65 }, { SCHOOL, 60, 1, 25 },
		{ PHONES, 1000, 1, 40 } };
	static const struct weather lossy = { .cut = 0.7 };
	static struct net n;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		seed = 11 + i;
		n = net_of(cases[i].habit, cases[i].people, cases[i].addresses);
		usual_days(&n, 22);
		CHECK(minutes_until(&n, &n.cut.is_raised, &lossy, 3) <=
			  cases[i].within,
		    "in time");
		CHECK(!n.few.is_raised, "they get in");
		CHECK(n.cut.last.seen * 2 > n.cut.last.of &&
			  n.cut.last.usual < 0.25,
		    "with its numbers");
		for (unsigned k = 0; k < 24; k++)
			pass(&n, &usual);
		CHECK(!n.cut.is_raised, "over");
	}
}

/* Nine in ten try again and again, and do not get in: as many connections. */
TEST(people_who_do_not_get_in_are_missed)
{
	static const struct {
		enum habit habit;
		unsigned people, addresses, within;
	} cases[] = { { HOME, 400, 0, 20 }, { HOME, 100, 0, 25 },
		{ PHONES, 300, 0, 20 }, { SCHOOL, 60, 1, 25 },
		{ PHONES, 1000, 1, 20 }, { PHONES, 1000, 2, 25 } };
	static const struct weather shut = { .kept_out = 0.9 };
	static struct net n;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		seed = 21 + i;
		n = net_of(cases[i].habit, cases[i].people, cases[i].addresses);
		usual_days(&n, 22);
		CHECK(minutes_until(&n, &n.few.is_raised, &shut, 3) <=
			  cases[i].within,
		    "in time");
		CHECK(!n.quiet.is_raised, "connections are as many as ever");
		CHECK(n.few.last.seen < n.few.last.usual / 2, "how many");
		for (unsigned k = 0; k < 18; k++)
			pass(&n, &usual);
		CHECK(!n.few.is_raised, "over");
	}
}

/* Of eight in ten nothing arrives; those who are left come again and again. */
TEST(few_who_retry_do_not_stand_for_many)
{
	static const struct weather shut = {
		.kept_out = 0.8, .is_subscriber_line_down = true, .again = 6
	};
	static const struct weather silent = { .kept_out = 0.8,
		.is_subscriber_line_down = true };
	static struct net n;

	seed = 31;
	n = net_of(HOME, 300, 0);
	usual_days(&n, 22);
	CHECK(minutes_until(&n, &n.few.is_raised, &shut, 1) <= 25, "they miss");
	CHECK(!n.quiet.is_raised, "connections are as many as ever");
	n = net_of(HOME, 300, 0);
	usual_days(&n, 22);
	for (unsigned k = 0; k < 12; k++) {
		pass(&n, &silent);
		fine(&n, "nothing but fewer connections");
	}
	CHECK(n.quiet.is_raised, "which has a signal of its own");
}

/* --- what is not ---------------------------------------------------------------------- */

/* Something odd and harmless, most of the time. */
static struct weather
any_weather(const struct net *n)
{
	struct weather w = { .away = 0 };
	uint64_t day = n->step / DAY, hour = HOUR_OF(n->step);

	/* Two weeks of holidays from the third week on. */
	if (day >= 18 && day < 32)
		w.away = n->habit == SCHOOL ? 0.95 : 0.6;
	if (hash_of(hour * 3) % 8 == 0)
		w.broken = 10 + (unsigned)(any() * 40);
	if (hash_of(hour * 5) % 8 == 0)
		w.busy = 10 + (unsigned)(any() * 80);
	/* Behind one address nothing tells it from people who try again. */
	if (hash_of(hour * 7) % 6 == 0 && n->addresses != 1)
		w.scanned = (unsigned)(any() * 200);
	if (hash_of(hour * 11) % 6 == 0)
		w.guesses = (unsigned)(any() * 300);
	w.is_blip = hash_of(n->step) % 100 == 0;
	return w;
}

/* 15 networks, seven weeks each: twice 210 000 judgements. */
TEST(usual_weeks_with_all_their_troubles_are_never_suspected)
{
	static const unsigned sizes[] = { 8, 20, 50, 120, 250 };
	static struct net n;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned h = HOME; h <= SCHOOL; h++) {
			seed = 100 * i + h;
			n = net_of((enum habit)h, sizes[i], h == SCHOOL);
			for (unsigned k = 0; k < 7 * WEEK; k++) {
				struct weather w = any_weather(&n);

				pass(&n, &w);
				fine(&n, "a day like any other");
			}
		}
}

/* The same once more with 10 000 people behind a few addresses. */
TEST(many_behind_one_address_are_no_one_fool)
{
	static struct net n;

	seed = 41;
	n = net_of(PHONES, 2000, 1);
	for (unsigned k = 0; k < 3 * WEEK + 120; k++) {
		struct weather w = { .away = any() < 0.5 ? 0.2 : 0 };

		pass(&n, &w);
		fine(&n, "a usual day");
	}
	CHECK(minutes_until(&n, &n.few.is_raised,
		  &(struct weather){ .kept_out = 0.9 }, 1) <= 20,
	    "they are missed");
}

/* Half of the customers have gone for good: fewer connections, and that is all. */
TEST(a_network_that_halves_is_only_quiet)
{
	static struct net n;

	seed = 51;
	n = net_of(HOME, 200, 0);
	usual_days(&n, 22);
	n.people = 90;
	for (unsigned k = 0; k < 3 * WEEK; k++) {
		pass(&n, &usual);
		fine(&n, "half as many");
	}
	n.people = 300;
	for (unsigned k = 0; k < WEEK; k++) {
		pass(&n, &usual);
		fine(&n, "many more");
	}
}

/* An hour in which telephones usually vanish is no measure for another. */
TEST(what_breaks_off_is_compared_with_the_same_hour)
{
	static const struct weather night = { .cut = 0.4 };
	static struct net n;

	seed = 61;
	n = net_of(HOME, 300, 0);
	usual_days(&n, 22);
	CHECK(minutes_until(&n, &n.cut.is_raised, &night, 2) < 120, "at noon");
	n = net_of(HOME, 300, 0);
	usual_days(&n, 22);
	while (n.step % DAY != 12)
		pass(&n, &usual);
	for (unsigned k = 0; k < 48; k++) {
		pass(&n, &night);
		fine(&n, "at night it is usual");
	}
}

TEST_MAIN(UNIT(sessions_that_break_off_are_suspected_soon),
    UNIT(people_who_do_not_get_in_are_missed),
    UNIT(few_who_retry_do_not_stand_for_many),
    UNIT(usual_weeks_with_all_their_troubles_are_never_suspected),
    UNIT(many_behind_one_address_are_no_one_fool),
    UNIT(a_network_that_halves_is_only_quiet),
    UNIT(what_breaks_off_is_compared_with_the_same_hour))
