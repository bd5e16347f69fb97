/* SPDX-License-Identifier: ISC */
/* breaker_test.c - a way that was refused, in simulated time; its row. */
#include "../../test.h"

#include "conf/breaker_row.h"
#include "send/route/breaker.h"
#include "send/route/scope.h"

#define MINUTE 60000ULL
#define HOUR   (60 * MINUTE)
#define START  1790000000000ULL

static const struct breaker_pace usual = { 15 * MINUTE, 4 * HOUR };

TEST(a_ban_of_two_days)
{
	const uint64_t end = START + 48 * HOUR;
	struct breaker b = { 0 };
	uint64_t now, closed = 0;
	unsigned canaries = 0;

	CHECK(breaker_ask(&b, START) == BREAKER_FREE, "closed at first");
	CHECK(breaker_refused(&b, &usual, false, START, 0), "opens");
	for (now = START; closed == 0; now += MINUTE) {
		CHECK(now < end + 5 * HOUR, "found the way back");
		if (breaker_ask(&b, now) != BREAKER_CANARY)
			continue;
		canaries++;
		breaker_canary(&b, now);
		CHECK(
		    breaker_ask(&b, now + 1) == BREAKER_SHUT, "one at a time");
		if (now < end)
			CHECK(!breaker_refused(&b, &usual, true, now + 1000, 0),
			    "it was open");
		else
			breaker_close(&b, closed = now);
	}
	CHECK(b.since_ms == START, "since when");
	CHECK(canaries > 12 && canaries < 20, "few messages were risked");
	CHECK(breaker_ask(&b, now) == BREAKER_FREE, "all mail goes again");
}

TEST(pauses_double_up_to_their_limit)
{
	struct breaker b = { 0 };
	uint64_t now = START, pauses[] = { 15, 30, 60, 120, 240, 240 };

	(void)breaker_refused(&b, &usual, false, now, 0);
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		uint64_t at = now + pauses[i] * MINUTE;

		CHECK(breaker_ask(&b, at - 1) == BREAKER_SHUT, "not before");
		CHECK(breaker_ask(&b, at) == BREAKER_CANARY, "then");
		breaker_canary(&b, now = at);
		(void)breaker_refused(&b, &usual, true, now, 0);
	}
	(void)breaker_refused(&b, &usual, true, now, UINT32_MAX);
	CHECK(b.next_ms == now + 270 * MINUTE, "spread by an eighth at most");
}

TEST(others_under_way_say_nothing_new)
{
	struct breaker b = { 0 };

	CHECK(breaker_refused(&b, &usual, false, START, 0), "opens");
	CHECK(!breaker_refused(&b, &usual, false, START + MINUTE, 0), "once");
	CHECK(b.next_ms == START + 15 * MINUTE && b.since_ms == START, "same");
}

TEST(a_canary_of_which_nothing_is_heard)
{
	struct breaker b = { 0 };
	uint64_t now = START + 15 * MINUTE;

	(void)breaker_refused(&b, &usual, false, START, 0);
	breaker_canary(&b, now);
	CHECK(breaker_ask(&b, now + BREAKER_CANARY_MS - 1) == BREAKER_SHUT,
	    "patience");
	CHECK(breaker_ask(&b, now + BREAKER_CANARY_MS) == BREAKER_CANARY,
	    "another one");
	breaker_unsure(&b, now + MINUTE);
	CHECK(!b.has_canary && b.next_ms == now + 16 * MINUTE, "same pause");
}

TEST(a_provider_that_changes_its_mind)
{
	struct breaker b = { 0 };

	(void)breaker_refused(&b, &usual, false, START, 0);
	breaker_canary(&b, START + 15 * MINUTE);
	breaker_close(&b, START + 16 * MINUTE);
	CHECK(breaker_refused(&b, &usual, false, START + HOUR, 0), "again");
	CHECK(b.pause_ms == 30 * MINUTE && b.since_ms == START + HOUR,
	    "longer than before");
	breaker_close(&b, START + 2 * HOUR);
	CHECK(!breaker_is_over(&b, &usual, START + 3 * HOUR), "remembered");
	CHECK(breaker_is_over(&b, &usual, START + 7 * HOUR), "forgotten");
	CHECK(breaker_refused(&b, &usual, false, START + 7 * HOUR, 0), "new");
	CHECK(b.pause_ms == 15 * MINUTE, "from the start");
}

TEST(by_hand)
{
	struct breaker b = { 0 };

	breaker_force(&b, START);
	CHECK(
	    breaker_ask(&b, START + 1000 * HOUR) == BREAKER_SHUT, "no canary");
	CHECK(!breaker_refused(&b, &usual, false, START + HOUR, 0) &&
		  b.is_forced && b.since_ms == START,
	    "as the operator says");
	breaker_close(&b, START + 2 * HOUR);
	CHECK(breaker_ask(&b, START + 2 * HOUR) == BREAKER_FREE, "closed");
}

/* --- rows ------------------------------------------------------------------------- */

TEST(rows_of_the_ledger)
{
	const uint64_t accounts[] = { 1, 77, 1ULL << 40 };
	const struct breaker_row row = { .writer = BREAKER_BY_SEND,
		.scope = STR("microsoft"),
		.source = STR("192.0.2.1,2001:db8::1"),
		.since_ms = START,
		.next_ms = START + HOUR,
		.pause_ms = HOUR,
		.messages = 12345,
		.accounts = accounts,
		.n_accounts = 3,
		.has_more_accounts = true,
		.own_ip = STR("192.0.2.1"),
		.mx = STR("x.mail.protection.outlook.com"),
		.mx_ip = STR("198.51.100.1"),
		.domain = STR("contoso.example"),
		.code = 550,
		.reply = STR("5.7.606 Access denied\nbanned"),
		.rule = STR("ms-banned-ip"),
		.link = STR("https://sender.office.com/"),
		.instead = STR("relay.example:25") };
	uint64_t got[BREAKER_ACCOUNTS_MAX];
	struct breaker_row back;
	struct buf b = BUF_INIT(KIB(16));

	breaker_row_put(&b, &row);
	CHECK(breaker_row_get(buf_str(&b), got, &back), "read");
	CHECK(str_eq(back.scope, row.scope) && str_eq(back.link, row.link) &&
		  str_eq(back.instead, row.instead) &&
		  str_eq(back.reply, row.reply) && back.code == 550 &&
		  back.messages == 12345 && back.next_ms == row.next_ms,
	    "the same");
	CHECK(back.n_accounts == 3 && got[2] == 1ULL << 40 &&
		  back.has_more_accounts,
	    "accounts");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!breaker_row_get(str_first(buf_str(&b), n), got, &back),
		    "cut");
	buf_done(&b);
}

TEST(the_largest_row_fits_the_table)
{
	static uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	char text[4000];
	struct str s = { text, sizeof(text) };
	struct breaker_row row = { .scope = s,
		.source = s,
		.since_ms = UINT64_MAX,
		.next_ms = UINT64_MAX,
		.pause_ms = UINT64_MAX,
		.messages = UINT64_MAX,
		.accounts = accounts,
		.n_accounts = BREAKER_ACCOUNTS_MAX,
		.own_ip = s,
		.mx = s,
		.mx_ip = s,
		.domain = s,
		.reply = s,
		.rule = s,
		.link = s,
		.instead = s,
		.why = s };
	struct buf b = BUF_INIT(KIB(64)), key = BUF_INIT(160);
	uint64_t got[BREAKER_ACCOUNTS_MAX];
	struct breaker_row back;

	memset(text, 'x', sizeof(text));
	/* Numbers of accounts are given one after the other. */
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
		accounts[i] = (1ULL << 48) + i;
	breaker_row_put(&b, &row);
	CHECK(b.n <= KIB(8), "within value_max of ledger_tables.def");
	CHECK(breaker_row_get(buf_str(&b), got, &back), "reads back");
	breaker_key_put(&key, s, STR("default"));
	CHECK(!key.failed && key.n <= 160, "key");
	buf_done(&key);
	key = BUF_INIT(160);
	breaker_key_put(&key, STR("google"), STR("192.0.2.1"));
	CHECK(str_eq(buf_str(&key), STR("google 192.0.2.1")), "plain");
	buf_done(&key);
	buf_done(&b);
}

/* --- how much a refusal shuts ------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *domain_a, *mx_a, *domain_b, *mx_b;
	bool want;
} pairs[] = {
	{ "a.example", "a-example.mail.protection.outlook.com",
	  "b.example", "b-example.mail.protection.outlook.com", true },
	{ "a.example", "aspmx.l.google.com", "b.example", "aspmx.l.google.com", true },
	{ "a.example", "aspmx.l.google.com", "A.Example", "aspmx.l.google.com", false },
	/* Whoever has a domain has any number of names below it. */
	{ "x.a.example", "aspmx.l.google.com", "y.a.example", "aspmx.l.google.com", false },
	{ "a.co.uk", "aspmx.l.google.com", "b.co.uk", "aspmx.l.google.com", true },
	{ "a.example", "aspmx.l.google.com", "b.example", "b-example.mail.protection.outlook.com", false },
	{ "a.example", "mx.a.example", "b.example", "mx.a.example", false },
	{ "a.example", "aspmx.l.google.com", "b.example", "", false },
};
/* clang-format on */

TEST(a_provider_is_heard_through_two_organisations)
{
	struct provider_table *t = provider_table_new();
	struct suffixes *s = suffixes_load();

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct scope_witness a = { str_c(pairs[i].domain_a),
			str_c(pairs[i].mx_a) };
		struct scope_witness b = { str_c(pairs[i].domain_b),
			str_c(pairs[i].mx_b) };

		CHECK(scope_agree(t, s, &a, &b) == pairs[i].want,
		    pairs[i].domain_b);
		CHECK(scope_agree(t, s, &b, &a) == pairs[i].want,
		    pairs[i].domain_b);
	}
	suffixes_free(s);
	provider_table_free(t);
}

TEST(who_can_be_spoken_for)
{
	struct provider_table *t = provider_table_new();
	const struct scope_host shared = { .host = STR("aspmx.l.google.com") };
	const struct scope_host own = { .host = STR("mx.a.example") };
	const struct scope_host relay = { .host = STR("smtp-relay.google.com"),
		.is_relay = true,
		.port = 587 };
	struct buf b = BUF_INIT(KIB(1));

	CHECK(scope_is_shared(t, &shared), "of many organisations");
	CHECK(!scope_is_shared(t, &own), "of its own");
	CHECK(!scope_is_shared(t, &relay), "ours to choose");
	scope_put(t, &shared, &b);
	buf_put_char(&b, ' ');
	scope_put(t, &own, &b);
	buf_put_char(&b, ' ');
	scope_put(t, &relay, &b);
	CHECK(str_eq(buf_str(&b), STR("google mx:mx.a.example "
				      "relay:smtp-relay.google.com:587")),
	    "scopes");
	buf_reset(&b, b.cap);
	scope_put_domain(STR("a.example"), &b);
	CHECK(str_eq(scope_domain(buf_str(&b)), STR("a.example")), "back");
	CHECK(scope_domain(STR("mx:a.example")).n == 0, "no domain");
	buf_done(&b);
	provider_table_free(t);
}

TEST_MAIN(UNIT(a_ban_of_two_days), UNIT(pauses_double_up_to_their_limit),
    UNIT(others_under_way_say_nothing_new),
    UNIT(a_canary_of_which_nothing_is_heard),
    UNIT(a_provider_that_changes_its_mind), UNIT(by_hand),
    UNIT(rows_of_the_ledger), UNIT(the_largest_row_fits_the_table),
    UNIT(a_provider_is_heard_through_two_organisations),
    UNIT(who_can_be_spoken_for))
