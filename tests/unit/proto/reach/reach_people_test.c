/* SPDX-License-Identifier: ISC */
/*
 * reach_people_test.c - weeks of people on networks of all kinds, in simulated time:
 * whose sessions are broken off, and who does not get in. What is found and when, and
 * that nothing is found of telephones, schools, holidays, scanners and single fools.
 */
#include "../../test.h"
#include "base/hash.h"
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

/* --- rules, one by one --------------------------------------------------------------- */

/* Three times five minutes, of 20 sessions each: cut of each lot. */
static struct reach_finding
cut_of(const unsigned cut[3][4], double usual_cut, double phi)
{
	struct reach_recent r = { 0 };

	for (size_t i = 0; i < 3; i++) {
		struct reach_step s = {
			.is_known = true, .sessions = 20, .usual_cut = usual_cut
		};

		for (size_t k = 0; k < 4; k++)
			s.lots[REACH_LOTS_CUT][k] = (uint16_t)cut[i][k];
		reach_recent_push(&r, &s);
	}
	return reach_judge_cut(&r, phi);
}

#define CUT(...) ((const unsigned[3][4])__VA_ARGS__)

TEST(many_are_broken_off_and_more_than_once)
{
	struct reach_finding f;

	f = cut_of(CUT({ { 5, 5, 5 }, { 5, 5, 5 }, { 5, 5, 5 } }), 0.02, 1);
	CHECK(f.verdict == REACH_ODD && f.seen == 30 && f.of == 40,
	    "three, but for the worst five minutes");
	f = cut_of(CUT({ { 15 }, { 15 }, { 15 } }), 0.02, 1);
	CHECK(f.verdict == REACH_NOTHING && f.seen == 0,
	    "one account: without it there are too few");
	f = cut_of(CUT({ { 8, 8 }, { 8, 8 }, { 8, 8 } }), 0.02, 1);
	CHECK(f.verdict != REACH_ODD, "two");
	f = cut_of(CUT({ { 5, 5, 5, 4 }, { 0 }, { 0 } }), 0.02, 1);
	CHECK(f.verdict == REACH_FINE, "once");
	f = cut_of(CUT({ { 5, 5, 5 }, { 5, 5, 5 }, { 5, 5, 5 } }), 0.5, 1);
	CHECK(f.verdict != REACH_ODD, "half of them are usual");
	f = cut_of(CUT({ { 5, 5, 5 }, { 5, 5, 5 }, { 5, 5, 5 } }), -1, 1);
	CHECK(f.verdict == REACH_NOTHING, "not known what is usual");
	f = cut_of(CUT({ { 5, 5, 5 }, { 5, 5, 5 }, { 5, 5, 5 } }), 0.02, 4);
	CHECK(f.verdict == REACH_NOTHING, "too few for its unrest");
	f = cut_of(CUT({ { 1, 1, 2 }, { 1, 1, 2 }, { 2, 2, 1 } }), 0.0, 1);
	CHECK(f.verdict != REACH_ODD, "a fifth");
}

/* Many: what is unlikely has to matter, too, and of a few it is not enough. */
TEST(how_many_are_broken_off_matters)
{
	static const struct {
		double usual;
		unsigned of, cut; /* of five minutes, of six lots */
		enum reach_verdict want;
	} cases[] = {
		{ 0.02, 3000, 600, REACH_FINE }, /* a fifth */
		{ 0.02, 3000, 900, REACH_ODD },
		{ 0.2, 3000, 1000, REACH_FINE }, /* less than twice */
		{ 0.2, 3000, 1300, REACH_ODD },
		{ 0.6, 3000, 2200, REACH_FINE }, /* 73 %: there is no twice */
		{ 0.6, 3000, 2600, REACH_ODD },
		{ 0.0, 6, 3, REACH_FINE }, /* six of twelve are too few */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reach_recent r = { 0 };
		struct reach_step s = { .is_known = true,
			.sessions = cases[i].of,
			.usual_cut = cases[i].usual };

		for (size_t k = 0; k < 6; k++)
			s.lots[REACH_LOTS_CUT][k] =
			    (uint16_t)(cases[i].cut / 6 +
				       (k < cases[i].cut % 6));
		for (size_t k = 0; k < 3; k++)
			reach_recent_push(&r, &s);
		CHECK(
		    reach_judge_cut(&r, 1).verdict == cases[i].want, "of many");
	}
}

TEST(how_many_are_missing_matters)
{
	struct reach_recent r = { 0 };
	struct reach_step s = { .is_known = true,
		.has_usual = true,
		.accounts = 600,
		.usual = { [REACH_MEAN_SIGNED_IN] = 1000,
		    [REACH_MEAN_ACCOUNTS] = 1000 },
		.lots[REACH_LOTS_OUT] = { 900, 900, 900 } };

	for (size_t i = 0; i < REACH_RECENT; i++)
		reach_recent_push(&r, &s);
	CHECK(reach_judge_few(&r, 1, 3).verdict == REACH_FINE, "six in ten");
	s.accounts = 300;
	for (size_t i = 0; i < REACH_RECENT; i++)
		reach_recent_push(&r, &s);
	CHECK(reach_judge_few(&r, 64, 3).verdict == REACH_ODD, "three in ten");
	CHECK(reach_judge_few(&r, 700, 3).verdict == REACH_BETWEEN,
	    "in units of its unrest");
	CHECK(reach_judge_few(&r, 1000, 3).verdict == REACH_NOTHING,
	    "too few of these");
}

/* An hour, of ten accounts and twelve sign-ins usually. */
static struct reach_finding
few_of(
    unsigned accounts, unsigned in, unsigned out, unsigned lots, unsigned rank)
{
	struct reach_recent r = { 0 };

	for (size_t i = 0; i < REACH_RECENT; i++) {
		struct reach_step s = { .is_known = true,
			.has_usual = true,
			.accounts = accounts,
			.usual = { [REACH_MEAN_ATTEMPTS] = 12,
			    [REACH_MEAN_SIGNED_IN] = 12,
			    [REACH_MEAN_ACCOUNTS] = 10 } };

		for (size_t k = 0; k < 4; k++)
			s.lots[REACH_LOTS_IN][k] = (uint16_t)(in / 4);
		for (size_t k = 0; k < lots; k++)
			s.lots[REACH_LOTS_OUT][k] = (uint16_t)(out / lots);
		reach_recent_push(&r, &s);
	}
	return reach_judge_few(&r, 1, rank);
}

TEST(who_is_missed_is_who_tries)
{
	struct reach_recent r = { 0 };

	CHECK(few_of(2, 4, 12, 4, 3).verdict == REACH_ODD, "a fifth");
	CHECK(few_of(6, 8, 12, 4, 3).verdict == REACH_FINE, "more than half");
	CHECK(few_of(2, 0, 12, 1, 3).verdict == REACH_NOTHING, "one client");
	CHECK(few_of(2, 0, 12, 2, 3).verdict == REACH_NOTHING, "two");
	CHECK(few_of(2, 0, 12, 1, 1).verdict == REACH_ODD,
	    "all have the address of one");
	CHECK(few_of(2, 4, 0, 4, 3).verdict == REACH_FINE, "fewer come");
	CHECK(reach_judge_few(&r, 1, 3).verdict == REACH_NOTHING, "a new one");
	CHECK(reach_few_rank(0) == 3 && reach_few_rank(1) == 1 &&
		  reach_few_rank(4) == 2 && reach_few_rank(16) == 3,
	    "how many have to try");
}

TEST(a_handful_of_accounts_is_too_few)
{
	for (unsigned usually = 4; usually <= 5; usually++) {
		struct reach_recent r = { 0 };
		struct reach_step s = { .is_known = true,
			.has_usual = true,
			.usual = { [REACH_MEAN_SIGNED_IN] = usually,
			    [REACH_MEAN_ACCOUNTS] = usually },
			.lots[REACH_LOTS_OUT] = { 2, 2, 2, 2 } };

		for (size_t i = 0; i < REACH_RECENT; i++)
			reach_recent_push(&r, &s);
		CHECK((reach_judge_few(&r, 1, 3).verdict == REACH_ODD) ==
			  (usually == REACH_FEW_USUAL),
		    "five");
	}
}

TEST(all_without_one_are_the_others)
{
	struct reach_step s = { .is_known = true,
		.has_usual = true,
		.accounts = 9,
		.usual = { [REACH_MEAN_SIGNED_IN] = 30,
		    [REACH_MEAN_ACCOUNTS] = 20 },
		.lots[REACH_LOTS_IN] = { 7, 2 },
		.lots[REACH_LOTS_OUT] = { 0, 5 } };
	struct reach_recent all = { 0 }, one = { 0 };

	reach_recent_push(&all, &s);
	s.accounts = 4;
	s.usual[REACH_MEAN_SIGNED_IN] = 10;
	s.usual[REACH_MEAN_ACCOUNTS] = 21;
	s.lots[REACH_LOTS_IN][0] = 5;
	s.lots[REACH_LOTS_OUT][1] = 6;
	reach_recent_push(&one, &s);
	reach_recent_less(&all, &one);
	s = all.steps[REACH_RECENT - 1];
	CHECK(s.accounts == 5, "accounts");
	CHECK(fabs(s.usual[REACH_MEAN_SIGNED_IN] - 20) < 1e-9 &&
		  s.usual[REACH_MEAN_ACCOUNTS] <= 0,
	    "what is usual, and never less than nothing");
	CHECK(s.lots[REACH_LOTS_IN][0] == 2 && s.lots[REACH_LOTS_IN][1] == 0 &&
		  s.lots[REACH_LOTS_OUT][1] == 0,
	    "lots");
}

/* --- what is learned ------------------------------------------------------------------- */

static void
learn_week(struct reach_profile *p, uint64_t hour, double sessions, double cut)
{
	double mean[REACH_MEANS] = { 9, 9, 9, 300000, 2000000 };

	reach_profile_learn(p, hour, mean, false);
	reach_profile_learn_cut(p, hour, sessions, cut, false);
}

TEST(the_usual_share_is_that_of_the_hour_or_of_all)
{
	struct reach_profile p;

	reach_profile_init(&p, &key);
	CHECK(reach_profile_cut(&p, 168) < 0, "not known");
	learn_week(&p, 168, 2000, 800);
	CHECK(reach_profile_cut(&p, 168) < 0, "once");
	learn_week(&p, 2 * 168, 2000, 800);
	CHECK(fabs(reach_profile_cut(&p, 168) - 0.4) < 0.01, "of this hour");
	for (uint64_t h = 1; h < 168; h++)
		learn_week(&p, 2 * 168 + h, 100, 10);
	CHECK(reach_profile_cut(&p, 3 * 168 + 1) < 0, "another one: once");
	learn_week(&p, 3 * 168 + 1, 0, 0);
	learn_week(&p, 4 * 168 + 1, 2, 0);
	CHECK(reach_profile_cut(&p, 5 * 168 + 1) > 0.07,
	    "two sessions say nothing against all the others");
	CHECK(reach_profile_phi_cut(&p) < 8, "its unrest is known by now");
	reach_profile_init(&p, &key);
	learn_week(&p, 2 * 168, 2000, 0);
	for (uint64_t h = 1; h < 160; h++)
		learn_week(&p, 2 * 168 + h, 900, 450);
	learn_week(&p, 3 * 168, 2000, 0);
	CHECK(reach_profile_cut(&p, 168) > 0.35,
	    "a good hour is no measure when all others are bad");
	learn_week(&p, 3 * 168 + 161, 3, 3);
	learn_week(&p, 4 * 168 + 161, 3, 3);
	CHECK(reach_profile_cut(&p, 161) < 0.6, "nor are three");
}

TEST(clients_are_learned_where_there_are_any)
{
	struct reach_profile p;

	reach_profile_init(&p, &key);
	CHECK(reach_profile_clients(&p) <= 0, "not known");
	reach_profile_learn_clients(&p, 1, false);
	reach_profile_learn_clients(&p, 0, false);
	reach_profile_learn_clients(&p, 99, true);
	CHECK(fabs(reach_profile_clients(&p) - 1) < 0.01, "one");
	for (unsigned i = 0; i < 200; i++)
		reach_profile_learn_clients(&p, 99, false);
	CHECK(fabs(reach_profile_clients(&p) - 16) < 0.2, "16 at most");
}

TEST(what_is_learned_of_people_survives_its_page)
{
	uint8_t page[REACH_PROFILE_BYTES], again[REACH_PROFILE_BYTES];
	struct reach_profile p, q;
	double mean[REACH_MEANS];

	reach_profile_init(&p, &key);
	for (uint64_t week = 1; week < 9; week++)
		learn_week(&p, week * 168, 900, 300);
	reach_profile_learn_clients(&p, 3.5, false);
	reach_profile_encode(&p, page);
	CHECK(reach_profile_decode(page, &q), "it is one");
	CHECK(q.phi_accounts == p.phi_accounts && q.phi_cut == p.phi_cut &&
		  q.cut == p.cut && q.clients == p.clients,
	    "of all hours");
	CHECK(q.hours[0].cut == p.hours[0].cut, "of an hour");
	CHECK(q.hours[1].cut == REACH_SHARE_UNKNOWN, "of an unknown one");
	CHECK(reach_profile_usual(&q, 168, mean) &&
		  fabs(mean[REACH_MEAN_ALERTS] - 65536) < 1 &&
		  fabs(mean[REACH_MEAN_ACCOUNTS] - 1048576) < 1,
	    "the largest means that there is room for");
	reach_profile_encode(&q, again);
	CHECK(memcmp(page, again, sizeof(page)) == 0, "the same");
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

/* Form 2: five means of four bytes, and nothing of sessions. */
TEST(profiles_of_the_second_form_are_read)
{
	uint8_t page[REACH_PROFILE_BYTES];
	struct buf b = BUF_INIT(REACH_PROFILE_BYTES);
	double mean[REACH_MEANS];
	struct reach_profile p;
	uint64_t sum;

	buf_put(&b, "mp\2\0", 4);
	reach_key_put(&b, &key);
	wire_put_u32(&b, 512);
	wire_put_u64(&b, 5000);
	wire_put_u64(&b, 0);
	wire_put_u32(&b, 65536 / 4);
	while (b.n < 64)
		buf_put_char(&b, '\0');
	for (unsigned h = 0; h < REACH_HOURS; h++) {
		buf_put(&b, "\3\4\377\377", 4);
		for (unsigned m = 1; m <= REACH_MEANS; m++)
			wire_put_u32(&b, m * 256);
	}
	ASSERT(b.n == sizeof(page));
	memcpy(page, b.p, sizeof(page));
	sum = hash64_seed(page + 33, sizeof(page) - 33, hash64(page, 25));
	for (unsigned i = 0; i < 8; i++)
		page[25 + i] = (uint8_t)(sum >> 8 * i);
	CHECK(reach_profile_decode(page, &p), "it is one");
	CHECK(reach_profile_usual(&p, 167, mean), "its hours are known");
	for (unsigned m = 0; m < REACH_MEANS; m++)
		CHECK(fabs(mean[m] - (m + 1)) < 1e-9, "each mean");
	CHECK(reach_profile_cut(&p, 167) < 0, "and of sessions nothing");
	CHECK(reach_profile_clients(&p) <= 0, "nor of clients");
	CHECK(fabs(reach_profile_phi(&p) - 2) < 1e-9 &&
		  reach_profile_phi_accounts(&p) > 7 &&
		  reach_profile_phi_cut(&p) > 7,
	    "caution, until it is known");
	buf_done(&b);
}

TEST_MAIN(UNIT(how_many_are_broken_off_matters),
    UNIT(how_many_are_missing_matters),
    UNIT(profiles_of_the_second_form_are_read),
    UNIT(sessions_that_break_off_are_suspected_soon),
    UNIT(people_who_do_not_get_in_are_missed),
    UNIT(few_who_retry_do_not_stand_for_many),
    UNIT(many_are_broken_off_and_more_than_once),
    UNIT(who_is_missed_is_who_tries), UNIT(a_handful_of_accounts_is_too_few),
    UNIT(all_without_one_are_the_others),
    UNIT(the_usual_share_is_that_of_the_hour_or_of_all),
    UNIT(clients_are_learned_where_there_are_any),
    UNIT(what_is_learned_of_people_survives_its_page),
    UNIT(usual_weeks_with_all_their_troubles_are_never_suspected),
    UNIT(many_behind_one_address_are_no_one_fool),
    UNIT(a_network_that_halves_is_only_quiet),
    UNIT(what_breaks_off_is_compared_with_the_same_hour))
