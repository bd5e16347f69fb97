/* SPDX-License-Identifier: ISC */
/* agent_test.c - rows of agents, their tokens, and which checks they get. */
#include "../../test.h"
#include "proto/status/status_agent.h"
#include "proto/status/status_check.h"

static struct status_agent
sample(void)
{
	return (struct status_agent){ .id = STR("Lusaka-2"),
		.network = STR("AS37146"),
		.place = STR("Lusaka, Zambia"),
		.made_s = 1790000000,
		.until_s = 1790003600,
		.token = STR("0123456789abcdef0123456789abcdef"),
		.key = STR("fedcba9876543210fedcba9876543210"),
		.enrolled_s = 1790000100,
		.seen_s = 1790000200 };
}

TEST(a_row_reads_back)
{
	struct status_agent a = sample(), back = { 0 };
	struct buf row = BUF_INIT(KIB(4));

	status_agent_encode(&a, &row);
	assert_true(status_agent_decode(buf_str(&row), &back));
	assert_true(str_eq(back.id, a.id) && str_eq(back.network, a.network));
	assert_true(str_eq(back.place, a.place) && str_eq(back.key, a.key));
	assert_true(str_eq(back.token, a.token));
	assert_int_equal(back.until_s, a.until_s);
	assert_int_equal(back.seen_s, a.seen_s);
	assert_true(status_agent_is_active(&back));
	/* A byte less, a byte more, another version: no row. */
	assert_false(
	    status_agent_decode(str_first(buf_str(&row), row.n - 1), &back));
	buf_put_char(&row, 0);
	assert_false(status_agent_decode(buf_str(&row), &back));
	row.p[0] = 9;
	assert_false(
	    status_agent_decode(str_first(buf_str(&row), row.n - 1), &back));
	buf_done(&row);
}

TEST(what_an_agent_may_not_be)
{
	struct status_fault fault;
	struct status_agent a = sample();

	assert_true(status_agent_is_sane(&a, &fault));
	a.id = STR("all");
	assert_false(status_agent_is_sane(&a, &fault));
	a.id = STR("Here");
	assert_false(status_agent_is_sane(&a, &fault));
	a.id = STR("a/b");
	assert_false(status_agent_is_sane(&a, &fault));
	a = sample();
	a.network = STR_NONE;
	assert_false(status_agent_is_sane(&a, &fault));
	a = sample();
	a.place = STR("a\nb");
	assert_false(status_agent_is_sane(&a, &fault));
	a = sample();
	a.key = STR("short");
	assert_false(status_agent_is_sane(&a, &fault));
	a = sample();
	a.revoked_s = 1;
	assert_false(status_agent_is_active(&a));
	a = sample();
	a.key = STR_NONE;
	assert_false(status_agent_is_active(&a));
}

TEST(tokens_name_their_agent)
{
	static const uint8_t secret[STATUS_AGENT_SECRET_BYTES] = { 0xab, 1 };
	struct buf token = BUF_INIT(KIB(1));
	struct str id;

	status_agent_token_format(&token, STR("a.b"), secret);
	assert_true(str_starts(buf_str(&token), STR("a.b.ab0100")));
	assert_int_equal(token.n, 3 + 1 + 40);
	assert_true(status_agent_token_split(buf_str(&token), &id));
	assert_true(str_eq(id, STR("a.b")));
	assert_false(status_agent_token_split(
	    str_first(buf_str(&token), token.n - 1), &id));
	token.p[token.n - 1] = 'G';
	assert_false(status_agent_token_split(buf_str(&token), &id));
	assert_false(status_agent_token_split(STR("abc"), &id));
	assert_false(status_agent_token_split(STR_NONE, &id));
	buf_done(&token);
}

/* --- which checks ------------------------------------------------------------- */

static struct status_check
check_of(const char *words)
{
	struct str kind, target, word,
	    rest = str_split(str_c(words), ' ', &kind);
	struct status_fault fault;
	struct status_check c;

	rest = str_split(rest, ' ', &target);
	assert_true(status_check_begin(&c, kind, target, &fault));
	while (rest.n > 0) {
		rest = str_split(rest, ' ', &word);
		assert_true(status_check_put(&c, word, &fault));
	}
	assert_true(status_check_finish(&c, &fault));
	return c;
}

TEST(an_agent_gets_what_it_should)
{
	static const struct {
		const char *words;
		bool here, lusaka, kitwe;
	} cases[] = {
		{ "tcp 192.0.2.1:25", true, true, true },
		{ "tcp mail.example.org:25", true, true, true },
		{ "tcp 192.0.2.1:25 at=here", true, false, false },
		{ "tcp 192.0.2.1:25 at=Lusaka", false, true, false },
		{ "tcp 192.0.2.1:25 at=lusaka at=here", true, true, false },
		{ "tcp 192.0.2.1:25 at=ALL", true, true, true },
		/* Passwords stay here unless it is said that they go. */
		{ "imap h.example.org login=a password=b", true, false, false },
		{ "imap h.example.org login=a password=b at=all", true, true,
		    true },
		{ "imap h.example.org login=a password=b at=kitwe", false,
		    false, true },
		/* Addresses that are another machine elsewhere. */
		{ "tcp 127.0.0.1:25", true, false, false },
		{ "tcp 10.1.2.3:25", true, false, false },
		{ "tcp 172.31.0.1:25", true, false, false },
		{ "tcp 172.32.0.1:25", true, true, true },
		{ "tcp 192.168.7.1:25", true, false, false },
		{ "tcp 100.64.0.1:25", true, false, false },
		{ "tcp 169.254.1.1:25", true, false, false },
		{ "tcp [::1]:25", true, false, false },
		{ "tcp [::2]:25", true, true, true },
		{ "tcp [fe80::1]:25", true, false, false },
		{ "tcp [fd00::1]:25", true, false, false },
		{ "tcp [::ffff:10.0.0.1]:25", true, false, false },
		{ "tcp [2001:db8::1]:25", true, true, true },
		{ "ping localhost", true, false, false },
		{ "ping printer.local", true, false, false },
		{ "ping locals.example", true, true, true },
		{ "tcp 127.0.0.1:25 at=all", true, true, true },
		{ "dns example.org server=127.0.0.1", true, false, false },
		{ "dns example.org server=192.0.2.53", true, true, true },
		{ "soa example.org server=192.0.2.53 server=10.0.0.1:5353",
		    true, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_check c = check_of(cases[i].words);

		CHECK(
		    status_check_is_here(&c) == cases[i].here, cases[i].words);
		CHECK(status_check_is_at(&c, STR("Lusaka")) == cases[i].lusaka,
		    cases[i].words);
		CHECK(status_check_is_at(&c, STR("kitwe")) == cases[i].kitwe,
		    cases[i].words);
	}
}

TEST_MAIN(UNIT(a_row_reads_back), UNIT(what_an_agent_may_not_be),
    UNIT(tokens_name_their_agent), UNIT(an_agent_gets_what_it_should))
