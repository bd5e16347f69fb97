/* SPDX-License-Identifier: ISC */
/* mtasts_test.c - records, policies and hosts of MTA-STS. */
#include "../../test.h"
#include "proto/mtasts/mtasts.h"

TEST(one_right_record_has_an_id)
{
	static const struct {
		const char *in;
		enum mtasts_found want;
		const char *id;
	} cases[] = {
		/* RFC 8461 section 3.1. */
		{ "v=STSv1; id=20160831085700Z;", MTASTS_FOUND,
		    "20160831085700Z" },
		{ "v=STSv1;id=1", MTASTS_FOUND, "1" },
		{ "v=STSv1 ; id=a ;", MTASTS_FOUND, "a" },
		{ "v=STSv1; x-y.z=1; id=a; new=b", MTASTS_FOUND, "a" },
		{ "v=STSv1; id=a; id=b", MTASTS_FOUND, "a" },
		{ "v=STSv1; id=12345678901234567890123456789012", MTASTS_FOUND,
		    "12345678901234567890123456789012" },
		{ "v=STSv1; id=123456789012345678901234567890123",
		    MTASTS_BROKEN, NULL },
		{ "v=STSv1;", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a-b", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a b", MTASTS_BROKEN, NULL },
		{ "v=STSv1; ID=a", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a;; x=y", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; -x=y", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; x=\x01", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; x=y z", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; x=y=z", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; x=", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; =x", MTASTS_BROKEN, NULL },
		{ "v=STSv1; id=a; x2345678901234567890123456789012=y",
		    MTASTS_FOUND, "a" },
		{ "v=STSv1; id=a; x23456789012345678901234567890123=y",
		    MTASTS_BROKEN, NULL },
		{ "v=STSv1", MTASTS_NONE, NULL },
		{ "v=STSv1 id=a", MTASTS_NONE, NULL },
		{ "V=STSv1; id=a", MTASTS_NONE, NULL },
		{ "v=stsv1; id=a", MTASTS_NONE, NULL },
		{ " v=STSv1; id=a", MTASTS_NONE, NULL },
		{ "v=STSv12; id=a", MTASTS_NONE, NULL },
		{ "id=a; v=STSv1;", MTASTS_NONE, NULL },
		{ "", MTASTS_NONE, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in), id = STR("mine");

		CHECK(mtasts_find_record(&in, 1, &id) == cases[i].want,
		    cases[i].in);
		CHECK(str_eq(id, str_c(cases[i].id ? cases[i].id : "mine")),
		    cases[i].in);
	}
}

TEST(two_records_are_none_and_others_do_not_count)
{
	struct str some[] = { STR("v=spf1 -all"), STR("v=STSv1; id=a"),
		STR("v=STSv1; id=a") };
	struct str id;

	CHECK(mtasts_find_record(some, 2, &id) == MTASTS_FOUND, "one");
	CHECK(mtasts_find_record(some, 3, &id) == MTASTS_BROKEN, "two");
	CHECK(mtasts_find_record(some, 1, &id) == MTASTS_NONE, "none");
	CHECK(mtasts_find_record(NULL, 0, &id) == MTASTS_NONE, "nothing");
}

TEST(policies_are_read_whole_or_not_at_all)
{
	static const struct {
		const char *in;
		bool ok;
		enum mtasts_mode mode;
		uint32_t age;
	} cases[] = {
		/* RFC 8461 section 3.2. */
		{ "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
		  "mx: *.example.net\r\nmx: backupmx.example.com\r\n"
		  "max_age: 604800\r\n",
		    true, MTASTS_MODE_ENFORCE, 604800 },
		{ "mx:a.b\nmax_age:0\nmode:testing\nversion:STSv1", true,
		    MTASTS_MODE_TESTING, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 86400\n\n", true,
		    MTASTS_MODE_NONE, 86400 },
		{ "version: STSv1  \nmode:\tnone \nmax_age: 9999999999\n", true,
		    MTASTS_MODE_NONE, MTASTS_AGE_MAX },
		{ "version: STSv1\nmode: none\nmode: enforce\nmax_age: 1\n"
		  "max_age: x\nversion: 2\n",
		    true, MTASTS_MODE_NONE, 1 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nfuture: \xc3\xbc",
		    true, MTASTS_MODE_NONE, 1 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nempty:", true,
		    MTASTS_MODE_NONE, 1 },
		{ "", false, 0, 0 },
		{ "mode: none\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmode: none", false, 0, 0 },
		{ "version: STSv2\nmode: none\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmode: report\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmode: NONE\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmode: testing\nmax_age: 1", false, 0, 0 },
		{ "version: STSv1\nmode: none\nmax_age: -1", false, 0, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 12345678901", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1 d", false, 0, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nmx: *", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nmx: a.*.b", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nmx: *.*.b", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nmx: a..b", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nmx:", false, 0, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nnonsense", false, 0,
		    0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\n: x", false, 0, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\nx: \xff", false, 0,
		    0 },
		{ "version: STSv1\rmode: none\rmax_age: 1\r", false, 0, 0 },
		{ "<html>version: STSv1\nmode: none\nmax_age: 1", false, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mtasts_policy p = { .max_age_s = 77 };

		CHECK(
		    !mtasts_policy_parse(str_c(cases[i].in), &p) == cases[i].ok,
		    cases[i].in);
		CHECK(p.max_age_s == (cases[i].ok ? cases[i].age : 77),
		    cases[i].in);
		CHECK(!cases[i].ok || p.mode == cases[i].mode, cases[i].in);
	}
}

TEST(a_wildcard_stands_for_one_label)
{
	static const struct {
		const char *host;
		bool want;
	} cases[] = {
		{ "mail.example.com", true },
		{ "MAIL.Example.COM.", true },
		{ "a.example.net", true },
		{ "A.EXAMPLE.NET", true },
		{ "example.net", false },
		{ ".example.net", false },
		{ "a.b.example.net", false },
		{ "*.example.net", true },
		{ "aexample.net", false },
		{ "mail.example.com.evil.test", false },
		{ "x.mail.example.com", false },
		{ "", false },
		{ ".", false },
	};
	struct mtasts_policy p;

	CHECK(!mtasts_policy_parse(
		  STR("version: STSv1\nmode: enforce\nmx: mail.example.com\n"
		      "mx:   *.example.net \nmax_age: 1"),
		  &p),
	    "right");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(mtasts_allows(&p, str_c(cases[i].host)) == cases[i].want,
		    cases[i].host);
	p.mode = MTASTS_MODE_NONE;
	CHECK(mtasts_allows(&p, STR("any.test")), "no policy any more");
}

TEST(what_is_written_can_be_read)
{
	struct str mx[] = { STR("mx1.example.org"), STR("*.mail.example.org") };
	struct str bad[] = { STR("mx1.example.org"), STR("a\r\nmode: none") };
	struct buf b = BUF_INIT(KIB(64));
	struct str rest, got, id;
	struct mtasts_policy p;

	CHECK(mtasts_put_policy(&b, MTASTS_MODE_ENFORCE, 604800, mx, 2), "put");
	CHECK(!mtasts_policy_parse(buf_str(&b), &p), "right");
	CHECK(p.mode == MTASTS_MODE_ENFORCE && p.max_age_s == 604800, "same");
	rest = p.text;
	for (size_t i = 0; i < ARRAY_LEN(mx); i++)
		CHECK(mtasts_next_mx(&rest, &got) && str_eq(got, mx[i]), "mx");
	CHECK(!mtasts_next_mx(&rest, &got), "no more");
	buf_reset(&b, 0);
	CHECK(!mtasts_put_policy(&b, MTASTS_MODE_ENFORCE, 1, bad, 2), "lines");
	CHECK(!mtasts_put_policy(&b, MTASTS_MODE_TESTING, 1, mx, 0), "no mx");
	CHECK(
	    !mtasts_put_policy(&b, MTASTS_MODE_NONE, MTASTS_AGE_MAX + 1, mx, 0),
	    "too old");
	CHECK(!mtasts_put_record(&b, STR("a;b")) && b.n == 0, "no id");
	CHECK(mtasts_put_record(&b, STR("20261123")), "record");
	got = buf_str(&b);
	CHECK(mtasts_find_record(&got, 1, &id) == MTASTS_FOUND, "found");
	CHECK(str_eq(id, STR("20261123")), "id");
	buf_done(&b);
}

TEST(policies_have_a_longest_length)
{
	struct buf b = BUF_INIT(2 * MTASTS_POLICY_MAX);
	struct mtasts_policy p;

	buf_put_c(&b, "version: STSv1\nmode: none\nmax_age: 1\nx:");
	while (b.n < MTASTS_POLICY_MAX)
		buf_put_char(&b, 'x');
	CHECK(!mtasts_policy_parse(buf_str(&b), &p), "the longest");
	buf_put_char(&b, 'x');
	CHECK(mtasts_policy_parse(buf_str(&b), &p), "one too long");
	buf_done(&b);
}

TEST_MAIN(UNIT(one_right_record_has_an_id),
    UNIT(two_records_are_none_and_others_do_not_count),
    UNIT(policies_are_read_whole_or_not_at_all),
    UNIT(a_wildcard_stands_for_one_label), UNIT(what_is_written_can_be_read),
    UNIT(policies_have_a_longest_length))
