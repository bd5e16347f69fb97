/* SPDX-License-Identifier: ISC */
/*
 * reach_people_rules_test.c - the rules of whose sessions are broken off and who does not
 * get in, one by one; and what is learned for them, as it lies on disk. Weeks of all of it
 * together are in reach_people_test.c.
 */
#include "../../test.h"
#include "base/hash.h"
#include "proto/reach/reach_judge.h"

#include <math.h>

static const struct reach_key key = { { REACH_NET_AS, 36962 }, 993, 5, 4 };

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

TEST_MAIN(UNIT(many_are_broken_off_and_more_than_once),
    UNIT(how_many_are_broken_off_matters), UNIT(how_many_are_missing_matters),
    UNIT(who_is_missed_is_who_tries), UNIT(a_handful_of_accounts_is_too_few),
    UNIT(all_without_one_are_the_others),
    UNIT(the_usual_share_is_that_of_the_hour_or_of_all),
    UNIT(clients_are_learned_where_there_are_any),
    UNIT(what_is_learned_of_people_survives_its_page),
    UNIT(profiles_of_the_second_form_are_read))
