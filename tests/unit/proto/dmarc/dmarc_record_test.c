/* SPDX-License-Identifier: ISC */
/* dmarc_record_test.c - records, lists of URIs, addresses in them. */
#include "../../test.h"
#include "proto/dmarc/dmarc_record.h"

TEST(the_version_comes_first_and_is_exact)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
		{ "v=DMARC1; p=none", true },
		{ "v=DMARC1;p=none", true },
		{ "v = DMARC1 ; p=none", true },
		{ "V=DMARC1; p=none", true },
		{ "v=DMARC1", true },
		{ "v=dmarc1; p=none", false },
		{ "v=DMARC10; p=none", false },
		{ "v=DMARC1 p=none", false },
		{ "p=none; v=DMARC1", false },
		{ "; v=DMARC1; p=none", false },
		{ "v=spf1 -all", false },
		{ "v", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(dmarc_is_record(str_c(cases[i].in)) == cases[i].want,
		    cases[i].in);
}

TEST(a_record_of_everything_is_read)
{
	struct dmarc_record r;

	CHECK(dmarc_record_parse(
		  STR("v=DMARC1; p=Reject; sp=quarantine; adkim=s; aspf=S;"
		      "fo=S:D : 1; pct=42; ri=3600; rf=afrf; new=x;"
		      " rua=mailto:a@b.c,mailto:d@e.f!10m; ruf=mailto:g@h.i;"),
		  &r),
	    "right");
	CHECK(r.policy == DMARC_POLICY_REJECT, "p");
	CHECK(r.subdomain_policy == DMARC_POLICY_QUARANTINE, "sp");
	CHECK(r.has_subdomain_policy, "sp");
	CHECK(r.dkim == DMARC_STRICT && r.spf == DMARC_STRICT, "alignment");
	CHECK(r.failure ==
		  (DMARC_FAILURE_ANY | DMARC_FAILURE_DKIM | DMARC_FAILURE_SPF),
	    "fo");
	CHECK(r.percent == 42 && r.interval_s == 3600, "numbers");
	CHECK(str_eq(r.rua, STR("mailto:a@b.c,mailto:d@e.f!10m")), "rua");
	CHECK(str_eq(r.ruf, STR("mailto:g@h.i")), "ruf");
}

TEST(what_is_wrong_or_absent_has_its_default)
{
	static const char *const cases[] = {
		"p=none",
		"p=none; adkim=x; aspf=; fo=2; pct=101; ri=x; rf=y",
		"p=none; fo=0:x; pct=-1; ri=4294967296; pct",
		"p=none; adkim=s; adkim=s; aspf=s; aspf=r; pct=1; PCT=2",
		"p=none; fo=; fo=1; nonsense; =x; ;;",
		"sp = NONE ;\tP = NONE ; fo=:",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_asprintf("v=DMARC1; %s", cases[i]);
		struct dmarc_record r = { .interval_s = 77 };

		CHECK(dmarc_record_parse(str_c(text), &r), cases[i]);
		CHECK(r.policy == DMARC_POLICY_NONE, cases[i]);
		CHECK(r.subdomain_policy == DMARC_POLICY_NONE, cases[i]);
		CHECK(r.dkim == DMARC_RELAXED, cases[i]);
		CHECK(r.spf == DMARC_RELAXED, cases[i]);
		CHECK(r.failure == DMARC_FAILURE_ALL, cases[i]);
		CHECK(r.percent == 100, cases[i]);
		CHECK(r.interval_s == 86400, cases[i]);
		CHECK(r.rua.n == 0 && r.ruf.n == 0, cases[i]);
		free(text);
	}
}

/* Section 6.6.3, step 6. */
TEST(without_a_right_policy_only_reports_are_sent)
{
	static const struct {
		const char *in;
		bool ok;
		enum dmarc_policy p, sp;
	} cases[] = {
		{ "p=reject", true, DMARC_POLICY_REJECT, DMARC_POLICY_REJECT },
		{ "p=reject; sp=none", true, DMARC_POLICY_REJECT,
		    DMARC_POLICY_NONE },
		{ "p=none; sp=reject", true, DMARC_POLICY_NONE,
		    DMARC_POLICY_REJECT },
		{ "p=rejected", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "p=reject; sp=x", false, 0, 0 },
		{ "p=reject; p=reject", false, 0, 0 },
		{ "p=; rua=mailto:a@b.c", true, DMARC_POLICY_NONE,
		    DMARC_POLICY_NONE },
		{ "rua=mailto:a@b.c", true, DMARC_POLICY_NONE,
		    DMARC_POLICY_NONE },
		{ "p=reject; sp=x; rua=mailto:a@b.c", true, DMARC_POLICY_NONE,
		    DMARC_POLICY_NONE },
		{ "rua=nothing", false, 0, 0 },
		{ "rua=", false, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_asprintf("v=DMARC1; %s", cases[i].in);
		struct dmarc_record r = { .percent = 77 };

		CHECK(dmarc_record_parse(str_c(text), &r) == cases[i].ok,
		    cases[i].in);
		CHECK(cases[i].ok || r.percent == 77, "untouched");
		CHECK(!cases[i].ok || r.policy == cases[i].p, cases[i].in);
		CHECK(!cases[i].ok || r.subdomain_policy == cases[i].sp,
		    cases[i].in);
		free(text);
	}
}

TEST(uris_have_limits_and_wrong_ones_are_passed_over)
{
	static const struct {
		const char *in, *want;
		uint64_t max;
	} cases[] = {
		{ "mailto:a@b.c", "mailto:a@b.c", 0 },
		{ " mailto:a@b.c!10 ", "mailto:a@b.c", 10 },
		{ "mailto:a@b.c!10k", "mailto:a@b.c", 10240 },
		{ "mailto:a@b.c!10M", "mailto:a@b.c", 10485760 },
		{ "mailto:a@b.c!2g", "mailto:a@b.c", 2147483648 },
		{ "mailto:a@b.c!1t", "mailto:a@b.c", 1099511627776 },
		{ "https://a.b/c?d=e", "https://a.b/c?d=e", 0 },
		{ "mailto:a@b.c!16777216t", NULL, 0 },
		{ "mailto:a@b.c!", NULL, 0 },
		{ "mailto:a@b.c!m", NULL, 0 },
		{ "mailto:a@b.c!10x", NULL, 0 },
		{ "mailto:a@b.c!10mm", NULL, 0 },
		{ "mailto:a@b.c!1!1", NULL, 0 },
		{ "mailto:", NULL, 0 },
		{ ":a", NULL, 0 },
		{ "1x:a", NULL, 0 },
		{ "x1:a", "x1:a", 0 },
		{ "a@b.c", NULL, 0 },
		{ "mailto:a @b.c", NULL, 0 },
		{ "mailto:<a@b.c>", NULL, 0 },
		{ "", NULL, 0 },
	};
	struct str list = STR("x,,mailto:a@b.c ,mailto:!1, mailto:d@e.f!1k");
	struct dmarc_uri u;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		bool ok = dmarc_next_uri(&in, &u);

		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		CHECK(!ok || str_eq(u.uri, str_c(cases[i].want)), cases[i].in);
		CHECK(!ok || u.max_bytes == cases[i].max, cases[i].in);
	}
	CHECK(dmarc_next_uri(&list, &u), "1");
	CHECK(str_eq(u.uri, STR("mailto:a@b.c")), "1");
	CHECK(dmarc_next_uri(&list, &u) && u.max_bytes == 1024, "2");
	CHECK(!dmarc_next_uri(&list, &u), "end");
}

TEST(only_plain_addresses_get_reports)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "mailto:dmarc@example.com", "dmarc@example.com" },
		{ "MAILTO:a+b@example.com?subject=x", "a+b@example.com" },
		{ "mailto:a%2Bb%21@example.com", "a+b!@example.com" },
		{ "mailto:a%2bb@example.com", "a+b@example.com" },
		{ "https://example.com/", NULL },
		{ "mailto:example.com", NULL },
		{ "mailto:@example.com", NULL },
		{ "mailto:a@", NULL },
		{ "mailto:a@b@example.com", NULL },
		{ "mailto:a@example.com,b@example.com", NULL },
		{ "mailto:a%0d%0aRCPT@example.com", NULL },
		{ "mailto:a%00@example.com", NULL },
		{ "mailto:a%2@example.com", NULL },
		{ "mailto:a%", NULL },
		{ "mailto:a%zz@example.com", NULL },
		{ "mailto:.a@example.com", NULL },
		{ "mailto:a..b@example.com", NULL },
		{ "mailto:a%20b@example.com", NULL },
		{ "mailto:a@[192.0.2.1]", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);
		struct str domain = STR("mine");
		bool ok;

		buf_put_char(&b, '>');
		ok = dmarc_uri_mailbox(str_c(cases[i].in), &b, &domain);
		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		CHECK(str_eq(str_from(buf_str(&b), 1), str_c(cases[i].want)),
		    cases[i].in);
		CHECK(str_eq(domain, ok ? STR("example.com") : STR("mine")),
		    cases[i].in);
		buf_done(&b);
	}
}

TEST(reports_about_others_are_accepted_by_record)
{
	struct str rua;

	CHECK(dmarc_external_parse(STR("v=DMARC1"), &rua) && !rua.n, "yes");
	CHECK(dmarc_external_parse(STR("v=DMARC1;"), &rua) && !rua.n, "yes");
	CHECK(dmarc_external_parse(STR("v=DMARC1; rua=mailto:x@y.z"), &rua),
	    "yes");
	CHECK(str_eq(rua, STR("mailto:x@y.z")), "to another");
	CHECK(!dmarc_external_parse(STR("v=spf1"), &rua), "no");
}

TEST(records_have_a_longest_length)
{
	struct buf b = BUF_INIT(2 * DMARC_RECORD_MAX);

	buf_put_c(&b, "v=DMARC1;p=none;x=");
	while (b.n < DMARC_RECORD_MAX)
		buf_put_char(&b, 'x');
	CHECK(dmarc_is_record(buf_str(&b)), "the longest");
	buf_put_char(&b, 'x');
	CHECK(!dmarc_is_record(buf_str(&b)), "one too long");
	buf_done(&b);
}

TEST_MAIN(UNIT(the_version_comes_first_and_is_exact),
    UNIT(a_record_of_everything_is_read),
    UNIT(what_is_wrong_or_absent_has_its_default),
    UNIT(without_a_right_policy_only_reports_are_sent),
    UNIT(uris_have_limits_and_wrong_ones_are_passed_over),
    UNIT(only_plain_addresses_get_reports),
    UNIT(reports_about_others_are_accepted_by_record),
    UNIT(records_have_a_longest_length))
