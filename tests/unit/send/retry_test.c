/* SPDX-License-Identifier: ISC */
/*
 * retry_test.c - five days of retries in milliseconds, with the times that an
 * operator has set for some mail.
 */
#include "../test.h"
#include "send/queue/schedule.h"

#define MINUTE UINT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct schedule usual = { 3 * MINUTE, 2 * HOUR, 5 * DAY,
	4 * HOUR };

/* Rules as the ledger has them. */
struct rules {
	const char *pattern;
	struct retry_rule rule;
};

#define FIRST  (1U << RETRY_TIME_FIRST)
#define LONG   (1U << RETRY_TIME_MAX)
#define EXPIRE (1U << RETRY_TIME_EXPIRE)
#define DELAY  (1U << RETRY_TIME_DELAY)

static const struct rules rules[] = {
	{ "slow.example", { FIRST | LONG, { 1800, 6 * 3600, 0, 0 } } },
	{ ".big.example", { EXPIRE, { 0, 0, 86400, 0 } } },
	{ ".mail.big.example", { EXPIRE, { 0, 0, 2 * 86400, 0 } } },
	{ "a.mail.big.example", { DELAY, { 0, 0, 0, 0 } } },
	{ "from:news.example", { EXPIRE | DELAY, { 0, 0, 43200, 3600 } } },
	{ "from:ceo@news.example", { FIRST, { 60, 0, 0, 0 } } },
	{ "priority:high", { FIRST | DELAY, { 30, 0, 0, 600 } } },
	{ "priority:low", { FIRST, { 3600, 0, 0, 0 } } },
};

static bool
find(UNUSED const void *arg, struct str key, struct str *ret)
{
	static struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (str_starts(key, STR(RETRY_RULE_PREFIX)) &&
		    str_eq(str_from(key, strlen(RETRY_RULE_PREFIX)),
			str_c(rules[i].pattern))) {
			buf_done(&b);
			b = BUF_INIT(KIB(1));
			retry_rule_encode(&rules[i].rule, &b);
			*ret = buf_str(&b);
			return true;
		}
	return false;
}

/* A life in which every attempt fails. */
struct life {
	unsigned attempts;
	uint64_t second_ms, longest_ms, notice_ms, end_ms;
};

static struct life
live(const char *domain, const char *sender, int priority)
{
	struct retry_mail mail = { str_c(domain), str_c(sender), priority };
	struct schedule s =
	    schedule_with(&usual, retry_rules_for(&mail, find, NULL));
	struct schedule_entry e = { .arrival_ms = DAY, .attempts = 1 };
	uint64_t now = DAY;
	struct life l = { 0 };

	for (;; e.attempts++) {
		uint64_t next;

		l.attempts++;
		if (schedule_is_over(&s, &e, now))
			break;
		if (schedule_is_late(&s, &e, now)) {
			l.notice_ms = now - DAY;
			e.is_delay_told = true;
		}
		next = schedule_next(&s, &e, now, UINT32_MAX / 2);
		ASSERT(next > now && l.attempts < 100000);
		if (l.attempts == 1)
			l.second_ms = next - now;
		l.longest_ms = MAX(l.longest_ms, next - now);
		now = next;
	}
	l.end_ms = now - DAY;
	return l;
}

static bool
is_about(uint64_t is, uint64_t want)
{
	return is + 1000 > want && is < want + 1000;
}

TEST(each_mail_has_its_own_five_days)
{
	static const struct {
		const char *domain, *sender;
		int priority;
		uint64_t second, longest, end;
		bool has_notice;
	} cases[] = {
		{ "x.example", "a@b.example", 0, 3 * MINUTE, 2 * HOUR, 5 * DAY,
		    true },
		{ "slow.example", "a@b.example", 0, 30 * MINUTE, 6 * HOUR,
		    5 * DAY, true },
		{ "Slow.Example", "", 0, 30 * MINUTE, 6 * HOUR, 5 * DAY, true },
		{ "big.example", "a@b.example", 0, 3 * MINUTE, 2 * HOUR,
		    5 * DAY, true },
		{ "x.big.example", "a@b.example", 0, 3 * MINUTE, 2 * HOUR, DAY,
		    true },
		{ "x.mail.big.example", "a@b.example", 0, 3 * MINUTE, 2 * HOUR,
		    2 * DAY, true },
		{ "a.mail.big.example", "a@b.example", 0, 3 * MINUTE, 2 * HOUR,
		    2 * DAY, false },
		{ "x.example", "a@news.example", 0, 3 * MINUTE, 2 * HOUR,
		    12 * HOUR, true },
		{ "x.example", "CEO@news.example", 0, MINUTE, 2 * HOUR,
		    12 * HOUR, true },
		/* The recipient's domain comes last. */
		{ "x.big.example", "ceo@news.example", 0, MINUTE, 2 * HOUR, DAY,
		    true },
		{ "x.example", "a@b.example", 5, MINUTE / 2, 2 * HOUR, 5 * DAY,
		    true },
		{ "x.example", "a@b.example", -1, HOUR, 2 * HOUR, 5 * DAY,
		    true },
		{ "slow.example", "a@b.example", -1, 30 * MINUTE, 6 * HOUR,
		    5 * DAY, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct life l =
		    live(cases[i].domain, cases[i].sender, cases[i].priority);

		CHECK(is_about(l.second_ms, cases[i].second), cases[i].domain);
		CHECK(
		    is_about(l.longest_ms, cases[i].longest), cases[i].domain);
		CHECK(is_about(l.end_ms, cases[i].end), cases[i].domain);
		CHECK(
		    (l.notice_ms > 0) == cases[i].has_notice, cases[i].domain);
	}
}

TEST(a_notice_comes_when_its_rule_says)
{
	struct life l = live("x.example", "a@news.example", 0);

	assert_true(l.notice_ms >= HOUR && l.notice_ms < 2 * HOUR);
	l = live("x.example", "a@b.example", 3);
	assert_true(l.notice_ms >= 10 * MINUTE && l.notice_ms < 30 * MINUTE);
}

TEST(patterns)
{
	static const struct {
		const char *pattern;
		bool is_one;
	} cases[] = {
		{ "example.org", true },
		{ ".example.org", true },
		{ "from:example.org", true },
		{ "from:alice@example.org", true },
		{ "priority:high", true },
		{ "priority:urgent", false },
		{ "", false },
		{ ".", false },
		{ "Example.org", false },
		{ "example..org", false },
		{ "alice@example.org", false },
		{ "from:@example.org", false },
		{ "from:", false },
		{ "mx:example.org", false },
		{ "a b.example", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(retry_rule_is_pattern(str_c(cases[i].pattern)) ==
			  cases[i].is_one,
		    cases[i].pattern);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mail_has_its_own_five_days),
		cmocka_unit_test(a_notice_comes_when_its_rule_says),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
