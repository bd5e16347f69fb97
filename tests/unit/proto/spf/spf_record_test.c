/* SPDX-License-Identifier: ISC */
/* spf_record_test.c - the grammar of records, term by term. */
#include "../../test.h"
#include "proto/spf/spf_record.h"

TEST(only_the_version_makes_an_spf_record)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
		{ "v=spf1", true },
		{ "V=sPf1 -all", true },
		{ "v=spf1 ", true },
		{ "v=spf10", false },
		{ "v=spf1\t-all", false },
		{ " v=spf1", false },
		{ "v=spf", false },
		{ "v=spf2.0/pra", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(spf_record_is_spf(str_c(cases[i].in)) == cases[i].want,
		    cases[i].in);
}

TEST(a_wrong_term_anywhere_is_found_and_named)
{
	static const struct {
		const char *in; /* behind the version */
		const char *bad;
	} cases[] = {
		{ " moo", "moo" },
		{ " -all moo", "moo" },
		{ " all:x", "all:x" },
		{ " all:a.com", "all:a.com" },
		{ " all/8", "all/8" },
		{ " all.", "all." },
		{ " ++all", "++all" },
		{ " - all", "-" },
		{ " +", "+" },
		{ "  include", "include" },
		{ " include:", "include:" },
		{ " include:com", "include:com" },
		{ " include:a.com/24", "include:a.com/24" },
		{ " include=a.com redirect:a.com", "redirect:a.com" },
		{ " a:", "a:" },
		{ " a/", "a/" },
		{ " a/33", "a/33" },
		{ " a/032", "a/032" },
		{ " a/-1", "a/-1" },
		{ " a//129", "a//129" },
		{ " a/24/64", "a/24/64" },
		{ " a/24///64", "a/24///64" },
		{ " a//64/24", "a//64/24" },
		{ " a/4294967297", "a/4294967297" },
		{ " a:192.0.2.1", "a:192.0.2.1" },
		{ " a:a.com:80", "a:a.com:80" },
		{ " a:%{c}.com", "a:%{c}.com" },
		{ " a:a.com\x80", "a:a.com\x80" },
		{ " mx: -all", "mx:" },
		{ " mx/0x10", "mx/0x10" },
		{ " ptr/24", "ptr/24" },
		{ " ptr:", "ptr:" },
		{ " ip4", "ip4" },
		{ " ip4:", "ip4:" },
		{ " ip4/8", "ip4/8" },
		{ " ip4:1.2.3", "ip4:1.2.3" },
		{ " ip4:1.2.3.4/33", "ip4:1.2.3.4/33" },
		{ " ip4:1.2.3.4/08", "ip4:1.2.3.4/08" },
		{ " ip4:1.2.3.4//24", "ip4:1.2.3.4//24" },
		{ " ip4:1.2.3.4/", "ip4:1.2.3.4/" },
		{ " ip4:01.2.3.4", "ip4:01.2.3.4" },
		{ " ip4:2001:db8::1", "ip4:2001:db8::1" },
		{ " ip6", "ip6" },
		{ " ip6:1.2.3.4", "ip6:1.2.3.4" },
		{ " ip6:::/129", "ip6:::/129" },
		{ " ip6:::1//64", "ip6:::1//64" },
		{ " exists", "exists" },
		{ " exists:a.com/24", "exists:a.com/24" },
		{ " redirect=", "redirect=" },
		{ " redirect=-all", "redirect=-all" },
		{ " -redirect=a.com", "-redirect=a.com" },
		{ " redirect=a.com REDIRECT=b.com", "REDIRECT=b.com" },
		{ " exp=", "exp=" },
		{ " exp=%{r}.a.com", "exp=%{r}.a.com" },
		{ " exp=a.com exp=a.com", "exp=a.com" },
		{ " =x", "=x" },
		{ " 1x=y", "1x=y" },
		{ " x=%", "x=%" },
		{ " x=%{t}", "x=%{t}" },
		{ " x/y=z", "x/y=z" },
		{ " all\t-all", "all\t-all" },
		{ " all\r", "all\r" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_record r = { .exp = STR("mine") };
		char *text = x_asprintf("v=spf1%s", cases[i].in);
		struct str bad;

		CHECK(spf_record_parse(str_c(text), &r, &bad), cases[i].in);
		CHECK(str_eq(bad, str_c(cases[i].bad)), cases[i].in);
		CHECK(str_eq(r.exp, STR("mine")), "untouched");
		free(text);
	}
}

TEST(terms_come_one_by_one_with_their_values)
{
	static const struct {
		const char *in;
		enum spf_term_kind kind;
		enum spf_result qualifier;
		const char *spec;
		unsigned prefix4;
		unsigned prefix6;
	} cases[] = {
		{ "all", SPF_TERM_ALL, SPF_PASS, "", 32, 128 },
		{ "-ALL", SPF_TERM_ALL, SPF_FAIL, "", 32, 128 },
		{ "~all", SPF_TERM_ALL, SPF_SOFTFAIL, "", 32, 128 },
		{ "?all", SPF_TERM_ALL, SPF_NEUTRAL, "", 32, 128 },
		{ "+all", SPF_TERM_ALL, SPF_PASS, "", 32, 128 },
		{ "include:a.com", SPF_TERM_INCLUDE, SPF_PASS, "a.com", 32,
		    128 },
		{ "-A", SPF_TERM_A, SPF_FAIL, "", 32, 128 },
		{ "a/0", SPF_TERM_A, SPF_PASS, "", 0, 128 },
		{ "a//0", SPF_TERM_A, SPF_PASS, "", 32, 0 },
		{ "a/24//64", SPF_TERM_A, SPF_PASS, "", 24, 64 },
		{ "a:b/c.com/24//64", SPF_TERM_A, SPF_PASS, "b/c.com", 24, 64 },
		{ "a:b/8.com", SPF_TERM_A, SPF_PASS, "b/8.com", 32, 128 },
		{ "a:%{d}/8", SPF_TERM_A, SPF_PASS, "%{d}", 8, 128 },
		{ "mx:%{l1r/}//8", SPF_TERM_MX, SPF_PASS, "%{l1r/}", 32, 8 },
		{ "mx", SPF_TERM_MX, SPF_PASS, "", 32, 128 },
		{ "ptr:a.com.", SPF_TERM_PTR, SPF_PASS, "a.com.", 32, 128 },
		{ "ip4:1.2.3.4/8", SPF_TERM_IP4, SPF_PASS, "", 8, 128 },
		{ "ip6:::1/64", SPF_TERM_IP6, SPF_PASS, "", 32, 64 },
		{ "exists:%{i}.a.com", SPF_TERM_EXISTS, SPF_PASS, "%{i}.a.com",
		    32, 128 },
		{ "Redirect=a.com", SPF_TERM_REDIRECT, SPF_NONE, "a.com", 32,
		    128 },
		{ "EXP=a.com", SPF_TERM_EXP, SPF_NONE, "a.com", 32, 128 },
		{ "x.y-z_1=a:b/c%{d}", SPF_TERM_OTHER, SPF_NONE, "a:b/c%{d}",
		    32, 128 },
		{ "x=", SPF_TERM_OTHER, SPF_NONE, "", 32, 128 },
		{ "a=b", SPF_TERM_OTHER, SPF_NONE, "b", 32, 128 },
	};
	struct buf all = BUF_INIT(KIB(4));
	struct spf_record r;
	struct spf_term t;
	struct str bad;

	buf_put_c(&all, "v=spf1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		buf_printf(&all, " %s%s", i % 3 ? "" : "  ", cases[i].in);
	buf_put_c(&all, "  ");
	CHECK(!spf_record_parse(buf_str(&all), &r, &bad), "all are right");
	CHECK(str_eq(r.redirect, STR("a.com")), "redirect");
	CHECK(str_eq(r.exp, STR("a.com")), "exp");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(spf_record_next(&r.terms, &t), cases[i].in);
		CHECK(str_eq(t.text, str_c(cases[i].in)), cases[i].in);
		CHECK(t.kind == cases[i].kind, cases[i].in);
		CHECK(t.qualifier == cases[i].qualifier, cases[i].in);
		CHECK(str_eq(t.spec, str_c(cases[i].spec)), cases[i].in);
		CHECK(t.prefix4 == cases[i].prefix4, cases[i].in);
		CHECK(t.prefix6 == cases[i].prefix6, cases[i].in);
	}
	CHECK(!spf_record_next(&r.terms, &t), "no more");
	buf_done(&all);
}

TEST(records_have_a_longest_length)
{
	struct buf text = BUF_INIT(2 * SPF_RECORD_MAX);
	struct spf_record r;
	struct str bad;

	buf_put_c(&text, "v=spf1");
	while (text.n < SPF_RECORD_MAX)
		buf_put_c(&text, " a");
	CHECK(text.n == SPF_RECORD_MAX, "even");
	CHECK(!spf_record_parse(buf_str(&text), &r, &bad), "the longest");
	buf_put_char(&text, ' ');
	CHECK(spf_record_parse(buf_str(&text), &r, &bad), "one too long");
	CHECK(bad.n == 0, "all of it");
	buf_done(&text);
}

TEST_MAIN(UNIT(only_the_version_makes_an_spf_record),
    UNIT(a_wrong_term_anywhere_is_found_and_named),
    UNIT(terms_come_one_by_one_with_their_values),
    UNIT(records_have_a_longest_length))
