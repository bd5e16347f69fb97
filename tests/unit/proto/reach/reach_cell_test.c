/* SPDX-License-Identifier: ISC */
/* reach_cell_test.c - counts, round trips, alerts, accounts, bytes. */
#include "../../test.h"
#include "proto/reach/reach_cell.h"
#include "proto/reach/reach_public.h"

/* Hashes of accounts: any that are well spread (splitmix64). */
static uint64_t
hash_of(uint64_t i)
{
	uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static const struct reach_who nobody = { .epoch = 1 };

static void
sign_in(struct reach_cell *c, uint64_t from, uint64_t n, uint64_t epoch)
{
	struct reach_event e = { .stages = REACH_GREETED | REACH_TLS |
		                           REACH_SIGNED_IN };

	for (uint64_t i = from; i < from + n; i++) {
		e.account = i + 1;
		reach_cell_add(c, &e,
		    &(struct reach_who){ .account = hash_of(epoch << 32 | i),
			.organisation = hash_of(epoch << 32 | i % 5),
			.epoch = epoch });
	}
}

TEST(every_connection_is_counted_in_its_places)
{
	struct reach_cell c = { 0 };

	reach_cell_add(
	    &c, &(struct reach_event){ .stages = REACH_KNOWN }, &nobody);
	reach_cell_add(&c,
	    &(struct reach_event){ .stages = REACH_KNOWN | REACH_SIGNED_IN },
	    &nobody);
	CHECK(
	    c.counts[REACH_N_KNOWN] == 2 && c.counts[REACH_N_KNOWN_FAILED] == 1,
	    "known devices");
	c = (struct reach_cell){ 0 };
	for (uint8_t end = 0; end < REACH_ENDS; end++)
		reach_cell_add(&c,
		    &(struct reach_event){ .end = end,
			.stages = end % 2 ? REACH_GREETED : REACH_TLS,
			.retransmits = end == 3 },
		    &nobody);
	CHECK(c.counts[REACH_ATTEMPTS] == REACH_ENDS, "attempts");
	CHECK(c.counts[REACH_N_GREETED] == REACH_ENDS / 2, "greeted");
	CHECK(c.counts[REACH_N_TLS] == REACH_ENDS - REACH_ENDS / 2, "tls");
	CHECK(c.counts[REACH_N_SIGNED_IN] == 0, "nobody signed in");
	CHECK(c.counts[REACH_N_STALLED] == 1, "one had to send again");
	for (size_t i = REACH_N_WELL; i <= REACH_N_SERVER; i++)
		CHECK(c.counts[i] == 1, "each end once");
}

TEST(round_trips_are_at_most_a_fifth_off)
{
	for (uint32_t us = 300; us < 7000000; us += us / 7) {
		struct reach_cell c = { 0 };
		double got;

		reach_cell_add(
		    &c, &(struct reach_event){ .rtt_us = us }, &nobody);
		got = reach_cell_rtt_us(&c, 500);
		CHECK(got > us * 0.80 && got < us * 1.26, "near it");
	}
}

TEST(quantiles_are_those_of_the_connections)
{
	struct reach_cell c = { 0 };

	CHECK(reach_cell_rtt_us(&c, 500) == 0, "nothing is known");
	for (unsigned i = 0; i < 100; i++)
		reach_cell_add(&c,
		    &(struct reach_event){ .rtt_us = i < 90 ? 20000 : 900000 },
		    &nobody);
	CHECK(reach_cell_rtt_us(&c, 500) < 26000, "the half");
	CHECK(reach_cell_rtt_us(&c, 900) < 26000, "nine in ten");
	CHECK(reach_cell_rtt_us(&c, 950) > 700000, "95 in 100");
}

TEST(alerts_are_few_and_none_is_lost)
{
	struct reach_cell c = { 0 };

	for (unsigned i = 0; i < 10; i++)
		reach_cell_add(&c,
		    &(struct reach_event){ .alert = (uint8_t)(40 + i) },
		    &nobody);
	for (unsigned i = 0; i < 20; i++)
		reach_cell_add(
		    &c, &(struct reach_event){ .alert = 42 }, &nobody);
	CHECK(reach_cell_alerts(&c) == 30, "all of them");
	CHECK(reach_cell_alert(&c).alert == 42 && reach_cell_alert(&c).n == 21,
	    "the commonest");
}

TEST(tls_fails_by_alert_version_and_side)
{
	static const struct reach_event events[] = {
		{ .end = REACH_END_TLS, .alert = 48, .tls = REACH_TLS_13 },
		{ .end = REACH_END_TLS, .alert = 48, .tls = REACH_TLS_12 },
		{ .end = REACH_END_TLS, .own_alert = 70, .tls = REACH_TLS_10 },
		{ .end = REACH_END_TLS, .own_alert = 70, .tls = REACH_TLS_10 },
		{ .end = REACH_END_TLS, .own_alert = 70, .tls = REACH_TLS_10 },
		{ .end = REACH_END_TLS, .tls = REACH_TLS_13 },
		/* It knew our certificate after all, and then did not. */
		{ .stages = REACH_TLS, .alert = 46, .tls = REACH_TLS_13 },
		{ .stages = REACH_TLS, .tls = REACH_TLS_12 },
	};
	struct reach_cell c = { 0 };
	struct reach_alert most;

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		reach_cell_add(&c, &events[i], &nobody);
	CHECK(c.counts[REACH_N_TLS] == 2 && c.counts[REACH_N_TLS_13] == 1,
	    "done, by version");
	CHECK(reach_cell_alerts(&c) == 3, "those of clients");
	CHECK(reach_cell_alert(&c).alert == 48 && reach_cell_alert(&c).n == 2,
	    "the commonest of them, of all versions");
	most = reach_cell_failure(&c);
	CHECK(most.alert == 70 && most.is_ours && most.tls == REACH_TLS_10 &&
		  most.n == 3,
	    "the commonest of all");
	for (size_t i = 0; i < 5; i++)
		CHECK(c.alerts[i].n > 0, "five kinds");
	CHECK(c.alerts[5].n == 0, "and no more");
}

/* What is said to people stands on it. */
TEST(there_are_never_fewer_accounts_than_are_promised)
{
	for (uint64_t n = 0; n < 400; n++) {
		struct reach_cell c = { 0 };

		sign_in(&c, n * 1000, n, 7);
		sign_in(&c, n * 1000, n / 2, 7); /* again */
		CHECK(reach_accounts_least(&c.accounts) <= n, "at least");
		CHECK(reach_accounts_guess(&c.accounts) >=
			  reach_accounts_least(&c.accounts),
		    "a guess is not less");
	}
}

TEST(accounts_are_guessed_within_a_third)
{
	static const uint64_t counts[] = { 5, 20, 60, 120, 300, 1000, 20000 };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		double n = (double)counts[i], got;
		struct reach_cell c = { 0 };

		sign_in(&c, 0, counts[i], 3);
		got = reach_accounts_guess(&c.accounts);
		CHECK(got > n * 0.7 && got < n * 1.35, "near it");
	}
}

TEST(two_keys_never_count_an_account_twice)
{
	struct reach_cell a = { 0 }, b = { 0 };

	sign_in(&a, 0, 15, 1);
	sign_in(&b, 0, 15, 2); /* the same people, hashed anew */
	reach_cell_merge(&a, &b);
	CHECK(reach_accounts_least(&a.accounts) <= 15, "merged");
	CHECK(reach_accounts_guess(&a.accounts) < 20, "guessed");
	sign_in(&b, 0, 15, 3);
	CHECK(reach_accounts_least(&b.accounts) <= 15, "counted on");
	/* Of one key they do add up. */
	a = (struct reach_cell){ 0 };
	b = (struct reach_cell){ 0 };
	sign_in(&a, 0, 15, 1);
	sign_in(&b, 15, 15, 1);
	reach_cell_merge(&a, &b);
	CHECK(reach_accounts_least(&a.accounts) > 20, "thirty of one key");
}

TEST(organisations_are_never_too_many)
{
	struct reach_cell a = { 0 }, b = { 0 };

	for (uint64_t n = 0; n < 300; n++) {
		struct reach_cell c = { 0 };

		sign_in(&c, 0, n, n + 1);
		CHECK(reach_accounts_organisations(&c.accounts) <= MIN(n, 5),
		    "at most five");
	}
	sign_in(&a, 0, 40, 1);
	sign_in(&b, 0, 40, 2);
	CHECK(reach_accounts_organisations(&a.accounts) >= 3, "several");
	reach_cell_merge(&a, &b);
	CHECK(reach_accounts_organisations(&a.accounts) <= 5, "of two keys");
	sign_in(&a, 0, 40, 3);
	CHECK(reach_accounts_organisations(&a.accounts) <= 5, "of three");
}

/* Form 1: what an older version wrote. */
TEST(cells_of_the_older_form_are_read)
{
	static const uint8_t old[] = {
		3, 0x1a, 0x91, 0, 0, 0xe1, 3, 5, 4, /* AS37146, 993 */
		2, 0, 9, 2, 7,                      /* counts */
		0,                                  /* round trips */
		46, 3, 48, 1, 0,                    /* alerts */
		0, 0, 0,                            /* accounts */
	};
	struct wire w = wire_read(str_make(old, sizeof(old)));
	struct reach_cell c;

	reach_cell_get(&w, 1, &c);
	CHECK(wire_is_complete(&w), "all of it");
	CHECK(c.counts[REACH_ATTEMPTS] == 9 && c.counts[REACH_N_TLS] == 7,
	    "counts");
	CHECK(reach_cell_alerts(&c) == 4 && reach_cell_alert(&c).alert == 46,
	    "alerts");
}

/* Form 2: without lots, and each register in use behind its place. */
TEST(cells_of_the_second_form_are_read)
{
	struct reach_cell c,
	    made = { .key = { { REACH_NET_AS, 37146 }, 993, 5, 4 } };
	struct buf b = BUF_INIT(KIB(1));
	struct wire w;

	sign_in(&made, 0, 500, 7);
	reach_key_put(&b, &made.key);
	buf_put(&b, "\1\0\11\0\0", 5); /* counts, round trips, alerts */
	wire_put_u8(&b, REACH_SKETCH_BYTES);
	for (size_t i = 0; i < REACH_SKETCH_BYTES; i++) {
		made.accounts.registers[i] =
		    MAX(made.accounts.registers[i], (uint8_t)1);
		wire_put_u8(&b, (uint8_t)i);
		wire_put_varint(&b, made.accounts.registers[i]);
	}
	wire_put_u64(&b, made.accounts.epoch);
	wire_put_u64(&b, made.accounts.organisations);
	buf_put(&b, "\0\0\0", 3);
	w = wire_read(buf_str(&b));
	reach_cell_get(&w, 2, &c);
	CHECK(wire_is_complete(&w), "all of it");
	CHECK(c.counts[REACH_ATTEMPTS] == 9, "counts");
	CHECK(memcmp(&c.accounts, &made.accounts, sizeof(c.accounts)) == 0,
	    "accounts");
	w = wire_read(buf_str(&b));
	reach_cell_get(&w, 3, &c);
	CHECK(!wire_is_complete(&w), "and that is no cell of today");
	buf_done(&b);
}

/* --- lots ---------------------------------------------------------------------- */

static void
come(struct reach_cell *c, uint8_t stages, enum reach_end end, bool is_session)
{
	struct reach_event e = { .stages = stages, .end = (uint8_t)end };

	reach_cell_add(c, &e,
	    &(struct reach_who){
		.account = stages & REACH_SIGNED_IN ? UINT64_C(3) << 60 : 0,
		.client = UINT64_C(9) << 60,
		.epoch = 1,
		.may_sign_in = true,
		.is_session = is_session });
}

TEST(people_are_counted_by_lots)
{
	static const uint8_t in = REACH_TLS | REACH_SIGNED_IN;
	struct reach_cell c = { 0 }, sum;

	come(&c, in, REACH_END_WELL, true);
	come(&c, in | REACH_CUT, REACH_END_RESET, true);
	CHECK(c.counts[REACH_N_SESSIONS] == 2 && c.counts[REACH_N_CUT] == 1,
	    "sessions");
	CHECK(c.lots[REACH_LOTS_IN][3] == 2 && c.lots[REACH_LOTS_CUT][3] == 1,
	    "by account");
	CHECK(c.clients == 1U << 9, "from one address");
	CHECK(c.lots[REACH_LOTS_OUT][9] == 0, "they got in");
	come(&c, REACH_TLS, REACH_END_LEFT, false);
	come(&c, REACH_KNOWN, REACH_END_AUTH, false);
	CHECK(c.lots[REACH_LOTS_OUT][9] == 2, "those who did not, by client");
	come(&c, REACH_TLS, REACH_END_AUTH, false);
	come(&c, 0, REACH_END_BAN, false);
	come(&c, 0, REACH_END_LIMIT, false);
	CHECK(c.lots[REACH_LOTS_OUT][9] == 2, "guesses are not missed");
	CHECK(c.counts[REACH_N_SESSIONS] == 2, "none of these is a session");
	come(&c, REACH_TLS | REACH_CUT, REACH_END_RESET, true);
	CHECK(c.lots[REACH_LOTS_CUT][9] == 1, "another server, by client");
	sum = c;
	sum.clients = 1;
	reach_cell_merge(&sum, &c);
	CHECK(sum.lots[REACH_LOTS_IN][3] == 4 && sum.clients == (1U << 9 | 1),
	    "they add up");
	c.lots[REACH_LOTS_IN][3] = UINT16_MAX - 1;
	reach_cell_merge(&sum, &c);
	CHECK(sum.lots[REACH_LOTS_IN][3] == UINT16_MAX, "saturated");
}

TEST(nobody_counts_for_more_than_the_third)
{
	uint32_t lots[REACH_LOTS] = { 500, 2, [14] = 9 };

	CHECK(reach_lots_capped(lots, 1) == 511, "as they are");
	CHECK(reach_lots_capped(lots, 2) == 20, "two");
	CHECK(reach_lots_capped(lots, 3) == 6, "three");
	lots[1] = 0;
	CHECK(reach_lots_capped(lots, 3) == 0, "there are two");
}

static void
check_round_trip(const struct reach_cell *c)
{
	struct buf b = BUF_INIT(REACH_CELL_BYTES_MAX), again = b;
	struct reach_cell got;
	struct wire w;

	reach_cell_put(&b, c);
	CHECK(!b.failed, "within the limit");
	w = wire_read(buf_str(&b));
	reach_cell_get(&w, REACH_CELL_FORM, &got);
	CHECK(wire_is_complete(&w), "all is read");
	CHECK(memcmp(got.lots, c->lots, sizeof(got.lots)) == 0 &&
		  got.clients == c->clients,
	    "lots");
	reach_cell_put(&again, &got);
	CHECK(str_eq(buf_str(&b), buf_str(&again)), "the same bytes");
	for (size_t n = 0; n < b.n; n++) {
		w = wire_read(str_first(buf_str(&b), n));
		reach_cell_get(&w, REACH_CELL_FORM, &got);
		CHECK(w.failed, "a part is no cell");
	}
	buf_done(&b);
	buf_done(&again);
}

TEST(cells_survive_their_bytes)
{
	struct reach_cell c = { .key = { { REACH_NET_AS, 37146 }, 993, 5, 4 } };

	check_round_trip(&c);
	sign_in(&c, 0, 1000, UINT64_MAX);
	check_round_trip(&c);
	/* The largest that there can be. */
	memset(c.counts, 0xff, sizeof(c.counts));
	memset(c.rtt, 0xff, sizeof(c.rtt));
	for (size_t i = 0; i < REACH_ALERT_KINDS; i++)
		c.alerts[i] = (struct reach_alert){ .alert = (uint8_t)(i + 1),
			.tls = REACH_TLS_13,
			.is_ours = true,
			.n = UINT32_MAX };
	memset(c.accounts.registers, 50, sizeof(c.accounts.registers));
	c.accounts.other_least = REACH_SKETCH_BYTES;
	c.accounts.other_guess = UINT32_MAX;
	c.accounts.organisations = UINT64_MAX;
	c.accounts.other_organisations = 64;
	memset(c.lots, 0xff, sizeof(c.lots));
	c.clients = UINT16_MAX;
	check_round_trip(&c);
	/* Half of the registers, one by one. */
	memset(c.accounts.registers + 64, 0, 64);
	check_round_trip(&c);
	memset(c.lots[REACH_LOTS_OUT], 0, sizeof(c.lots[REACH_LOTS_OUT]));
	c.lots[REACH_LOTS_OUT][5] = 300;
	check_round_trip(&c);
}

TEST(counts_do_not_run_over)
{
	struct reach_cell a = { 0 }, b;

	a.counts[REACH_ATTEMPTS] = UINT32_MAX - 1;
	b = a;
	reach_cell_merge(&a, &b);
	CHECK(a.counts[REACH_ATTEMPTS] == UINT32_MAX, "saturated");
}

/* --- the gate ------------------------------------------------------------------ */

TEST(nothing_is_said_about_few)
{
	struct reach_cell few = { 0 }, many = { 0 };
	struct reach_public p = { .accounts = &few.accounts, .now = 100000 };

	sign_in(&few, 0, REACH_GATE - 1, 1);
	sign_in(&many, 0, 2 * REACH_GATE, 1);
	CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "19 accounts");
	p.accounts = &many.accounts;
	CHECK(reach_public_answer(&p) == REACH_OTHERS_YES, "40 accounts");
	p.since = p.now - 2 * REACH_LATE_S;
	p.raised = p.now - REACH_LATE_S;
	p.usual_accounts = REACH_GATE - 1;
	p.usual_organisations = REACH_GATE_ORGANISATIONS;
	CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "usually 19");
	p.usual_accounts = REACH_GATE;
	CHECK(reach_public_answer(&p) == REACH_OTHERS_NO, "usually 20");
	p.usual_organisations = 2.75;
	CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "of two domains");
	p.usual_organisations = REACH_GATE_ORGANISATIONS;
	p.raised++;
	CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "too fresh");
}

/* A whole company behind one address: its own office would be told apart. */
TEST(nothing_is_said_about_one_organisation)
{
	struct reach_cell c = { 0 };
	struct reach_public p = { .accounts = &c.accounts, .now = 100000 };
	struct reach_event e = { .stages = REACH_SIGNED_IN };

	for (uint64_t i = 0; i < 60; i++) {
		e.account = i + 1;
		reach_cell_add(&c, &e,
		    &(struct reach_who){ .account = hash_of(i),
			.organisation = hash_of(i % 2),
			.epoch = 1 });
	}
	CHECK(reach_accounts_least(p.accounts) >= REACH_GATE, "many");
	CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "of two domains");
}

TEST(people_decide_sooner_and_for_good)
{
	struct reach_cell many = { 0 };
	struct reach_public p = { .accounts = &many.accounts,
		.now = 100000,
		.since = 99000,
		.raised = 99990,
		.usual_accounts = 50,
		.usual_organisations = 9 };

	sign_in(&many, 0, 60, 1);
	CHECK(!reach_public_may_tell(&p), "found ten seconds ago");
	p.decision = REACH_APPROVED;
	CHECK(reach_public_may_tell(&p), "somebody looked");
	p.usual_accounts = 5;
	CHECK(!reach_public_may_tell(&p), "not about five, whoever says so");
	p.usual_accounts = 50;
	p.decision = REACH_DISMISSED;
	p.raised = 1;
	CHECK(!reach_public_may_tell(&p), "never");
	CHECK(reach_public_answer(&p) == REACH_OTHERS_YES, "as if it were not");
}

/* Whoever they are: an estimate would let some of them through. */
TEST(nineteen_never_pass_the_gate)
{
	unsigned guessed = 0;

	for (uint64_t set = 1; set < 300; set++) {
		struct reach_cell c = { 0 };
		struct reach_public p = { .accounts = &c.accounts };

		sign_in(&c, 0, REACH_GATE - 1, set);
		CHECK(reach_public_answer(&p) == REACH_NOT_ENOUGH, "19");
		guessed += reach_accounts_guess(&c.accounts) >= REACH_GATE;
	}
	CHECK(guessed > 0, "an estimate is not enough");
}

TEST_MAIN(UNIT(every_connection_is_counted_in_its_places),
    UNIT(round_trips_are_at_most_a_fifth_off),
    UNIT(quantiles_are_those_of_the_connections),
    UNIT(alerts_are_few_and_none_is_lost),
    UNIT(tls_fails_by_alert_version_and_side),
    UNIT(organisations_are_never_too_many),
    UNIT(cells_of_the_older_form_are_read),
    UNIT(cells_of_the_second_form_are_read), UNIT(people_are_counted_by_lots),
    UNIT(nobody_counts_for_more_than_the_third),
    UNIT(there_are_never_fewer_accounts_than_are_promised),
    UNIT(accounts_are_guessed_within_a_third),
    UNIT(two_keys_never_count_an_account_twice),
    UNIT(cells_survive_their_bytes), UNIT(counts_do_not_run_over),
    UNIT(nothing_is_said_about_few),
    UNIT(nothing_is_said_about_one_organisation),
    UNIT(people_decide_sooner_and_for_good), UNIT(nineteen_never_pass_the_gate))
