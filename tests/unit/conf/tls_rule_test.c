/* SPDX-License-Identifier: ISC */
/* tls_rule_test.c - which of the operator's rules about TLS counts. */
#include "../test.h"

#include "conf/tls_rule.h"

TEST(patterns)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{ "example.com", true },
		{ ".example.com", true },
		{ "mx:mx1.example.com", true },
		{ "mx:.example.com", true },
		{ "xn--bcher-kva.example", true },
		{ "com", true },
		{ "", false },
		{ ".", false },
		{ "mx:", false },
		{ "mx:.", false },
		{ "*", false },
		{ "example..com", false },
		{ "example.com.", false },
		{ "Example.com", false },
		{ "-a.example", false },
		{ "a-.example", false },
		{ "a b.example", false },
		{ "from:example.com", false },
		{ "b\xC3\xBC.example", false },
	};
	char longest[TLS_RULE_PATTERN_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(tls_rule_is_pattern(str_c(cases[i].text)) == cases[i].ok,
		    cases[i].text);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	longest[TLS_RULE_PATTERN_MAX - 1] = 'a';
	CHECK(tls_rule_is_pattern(str_make(longest, TLS_RULE_PATTERN_MAX)),
	    "just fits");
	CHECK(!tls_rule_is_pattern(str_make(longest, sizeof(longest))),
	    "too long");
}

TEST(words_and_rows_come_back)
{
	enum tls_rule back = TLS_RULE_AUTO;

	for (int i = TLS_RULE_AUTO; i <= TLS_RULE_NEVER; i++) {
		struct tls_rule_row row = { (enum tls_rule)i, 1790000000 };
		struct tls_rule_row read = { 0 };
		struct buf b = BUF_INIT(100);

		CHECK(tls_rule_parse(
			  str_c(tls_rule_str((enum tls_rule)i)), &back) &&
			  back == (enum tls_rule)i,
		    "word");
		tls_rule_row_encode(&row, &b);
		CHECK(tls_rule_row_decode(buf_str(&b), &read) &&
			  read.rule == row.rule && read.made == row.made,
		    "row");
		CHECK(!tls_rule_row_decode(
			  str_first(buf_str(&b), b.n - 1), &read),
		    "cut");
		buf_put_char(&b, 'x');
		CHECK(!tls_rule_row_decode(buf_str(&b), &read), "longer");
		b.p[0]++;
		CHECK(!tls_rule_row_decode(
			  str_first(buf_str(&b), b.n - 1), &read),
		    "of another version");
		buf_done(&b);
	}
	CHECK(!tls_rule_parse(STR("MUST"), &back), "case");
	CHECK(!tls_rule_row_decode(
		  STR("\1\x06\0\0\0\0\0\0\0\0"), &(struct tls_rule_row){ 0 }),
	    "no such rule");
}

TEST(the_nearest_counts)
{
	static const struct {
		const char *domain, *host;
		enum tls_rule want;
	} cases[] = {
		{ "example.com", "mx.example.net", TLS_RULE_MUST },
		{ "a.example.com", "mx.example.net", TLS_RULE_NEVER },
		{ "b.a.example.com", "mx.example.net", TLS_RULE_NEVER },
		{ "x.deep.example.com", "mx.example.net", TLS_RULE_VERIFY },
		{ "deep.example.com", "mx.example.net", TLS_RULE_NEVER },
		{ "example.org", "mx.example.net", TLS_RULE_DANE },
		{ "example.org", "other.example.net", TLS_RULE_MAY },
		{ "example.org", "example.net", TLS_RULE_AUTO },
		{ "notexample.com", "x.example", TLS_RULE_AUTO },
		{ "auto.example.org", "mx.example.net", TLS_RULE_AUTO },
		{ "com", "", TLS_RULE_AUTO },
	};
	struct tls_rules *rs = tls_rules_new();

	CHECK(
	    tls_rules_find(rs, STR("example.com"), STR("mx")) == TLS_RULE_AUTO,
	    "none at all");
	tls_rules_add(rs, STR(".example.com"), TLS_RULE_MAY);
	tls_rules_add(rs, STR("mx:.example.net"), TLS_RULE_MAY);
	tls_rules_add(rs, STR("example.com"), TLS_RULE_MUST);
	tls_rules_add(rs, STR("mx:mx.example.net"), TLS_RULE_DANE);
	tls_rules_add(rs, STR(".deep.example.com"), TLS_RULE_VERIFY);
	tls_rules_add(rs, STR("auto.example.org"), TLS_RULE_AUTO);
	tls_rules_add(rs, STR(".example.com"), TLS_RULE_NEVER);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(tls_rules_find(rs, str_c(cases[i].domain),
			  str_c(cases[i].host)) == cases[i].want,
		    cases[i].domain);
	tls_rules_free(rs);
	tls_rules_free(NULL);
}

TEST(there_is_a_limit)
{
	struct tls_rules *rs = tls_rules_new();
	char name[40];

	for (int i = 0; i < TLS_RULES_MAX; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		CHECK(tls_rules_add(rs, str_c(name), TLS_RULE_MUST), name);
	}
	CHECK(!tls_rules_add(rs, STR("more.example"), TLS_RULE_MUST), "more");
	CHECK(tls_rules_add(rs, STR("d7.example"), TLS_RULE_MAY), "again");
	CHECK(tls_rules_find(rs, STR("d7.example"), STR_NONE) == TLS_RULE_MAY,
	    "replaced");
	CHECK(
	    tls_rules_find(rs, STR("d9999.example"), STR_NONE) == TLS_RULE_MUST,
	    "the last");
	tls_rules_free(rs);
}

TEST_MAIN(UNIT(patterns), UNIT(words_and_rows_come_back),
    UNIT(the_nearest_counts), UNIT(there_is_a_limit))
