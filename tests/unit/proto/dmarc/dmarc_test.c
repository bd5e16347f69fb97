/* SPDX-License-Identifier: ISC */
/* dmarc_test.c - where policies are looked for, and what they do. */
#include "../../test.h"
#include "proto/dmarc/dmarc.h"

static struct suffixes *suffixes;

static int
load(UNUSED void **state)
{
	suffixes = suffixes_parse(
	    STR("// ===BEGIN ICANN DOMAINS===\ncom\nuk\nco.uk\nexample\n"
		"// ===END ICANN DOMAINS===\n"));
	return suffixes ? 0 : -1;
}

static int
unload(UNUSED void **state)
{
	suffixes = suffixes_free(suffixes);
	return 0;
}

/* Look the policy of a domain up in a zone of "name text" pairs. */
static struct dmarc_discovery *
discover(const char *domain, const char *const *zone, size_t n)
{
	struct dmarc_discovery *d = X_NEW(struct dmarc_discovery);
	unsigned asked = 0;
	struct str name;

	dmarc_discovery_start(d, str_c(domain), suffixes);
	while (dmarc_discovery_question(d, &name)) {
		struct str found[8];
		size_t n_found = 0;

		CHECK(++asked <= 2, "two questions at most");
		for (size_t i = 0; i + 1 < n; i += 2)
			if (str_eq_case(name, str_c(zone[i])))
				found[n_found++] = str_c(zone[i + 1]);
		if (n_found > 0 && str_eq(found[0], STR("!")))
			dmarc_discovery_answer(
			    d, DMARC_ANSWER_TEMPFAIL, NULL, 0);
		else
			dmarc_discovery_answer(d,
			    n_found ? DMARC_ANSWER_RECORDS
				    : DMARC_ANSWER_NOTHING,
			    found, n_found);
	}
	return d;
}

TEST(the_author_is_asked_first_and_then_the_organisation)
{
	static const char *const zone[] = {
		"_dmarc.a.example",
		"v=DMARC1; p=reject; sp=quarantine",
		"_dmarc.own.a.example",
		"v=DMARC1; p=none",
		"_dmarc.txt.a.example",
		"v=spf1 -all",
		"_dmarc.two.a.example",
		"v=DMARC1; p=none",
		"_dmarc.two.a.example",
		"v=DMARC1; p=none",
		"_dmarc.bad.a.example",
		"v=DMARC1; p=x",
		"_dmarc.down.a.example",
		"!",
		"_dmarc.one.b.example",
		"x",
		"_dmarc.one.b.example",
		"v=DMARC1; p=quarantine",
		"_dmarc.example",
		"v=DMARC1; p=reject",
	};
	static const struct {
		const char *domain;
		enum dmarc_found want;
		const char *at;
		enum dmarc_policy policy;
	} cases[] = {
		{ "a.example", DMARC_FOUND_RECORD, "a.example",
		    DMARC_POLICY_REJECT },
		{ "A.Example", DMARC_FOUND_RECORD, "A.Example",
		    DMARC_POLICY_REJECT },
		{ "x.y.a.example", DMARC_FOUND_RECORD, "a.example",
		    DMARC_POLICY_REJECT },
		{ "own.a.example", DMARC_FOUND_RECORD, "own.a.example",
		    DMARC_POLICY_NONE },
		{ "sub.own.a.example", DMARC_FOUND_RECORD, "a.example",
		    DMARC_POLICY_REJECT },
		{ "txt.a.example", DMARC_FOUND_RECORD, "a.example",
		    DMARC_POLICY_REJECT },
		{ "two.a.example", DMARC_FOUND_BROKEN, NULL, 0 },
		{ "bad.a.example", DMARC_FOUND_BROKEN, NULL, 0 },
		{ "down.a.example", DMARC_FOUND_FAILED, NULL, 0 },
		{ "one.b.example", DMARC_FOUND_RECORD, "one.b.example",
		    DMARC_POLICY_QUARANTINE },
		{ "b.example", DMARC_FOUND_NONE, NULL, 0 },
		{ "x.b.example", DMARC_FOUND_NONE, NULL, 0 },
		{ "example", DMARC_FOUND_RECORD, "example",
		    DMARC_POLICY_REJECT },
		{ "", DMARC_FOUND_NONE, NULL, 0 },
		{ "a b.example", DMARC_FOUND_NONE, NULL, 0 },
		{ "a..example", DMARC_FOUND_NONE, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dmarc_discovery *d =
		    discover(cases[i].domain, zone, ARRAY_LEN(zone));

		CHECK(d->found == cases[i].want, cases[i].domain);
		CHECK(!cases[i].at || str_eq(d->at, str_c(cases[i].at)),
		    cases[i].domain);
		CHECK(!cases[i].at || d->record.policy == cases[i].policy,
		    cases[i].domain);
		free(d);
	}
}

TEST(a_name_that_is_too_long_is_not_asked_for)
{
	static const char *const zone[] = { "_dmarc.a.example",
		"v=DMARC1; p=reject" };
	struct dmarc_discovery *d;
	char domain[HOSTNAME_MAX + 1];

	for (size_t i = 0; i < HOSTNAME_MAX; i++)
		domain[i] = i % 2 ? '.' : 'x';
	memcpy(domain + HOSTNAME_MAX - 9, "a.example", 10);
	d = discover(domain, zone, 2);
	CHECK(d->found == DMARC_FOUND_RECORD, "at the organisation");
	CHECK(str_eq(d->at, STR("a.example")), "at the organisation");
	free(d);
}

/* RFC 7489 section 3.1 and appendix B.1. */
TEST(domains_align_by_organisation_or_exactly)
{
	static const struct {
		const char *author, *other;
		bool relaxed, strict;
	} cases[] = {
		{ "example.com", "example.com", true, true },
		{ "Example.COM", "example.com", true, true },
		{ "example.com", "example.com.", true, true },
		{ "news.example.com", "example.com", true, false },
		{ "example.com", "news.example.com", true, false },
		{ "a.example.com", "b.example.com", true, false },
		{ "example.com", "sample.com", false, false },
		{ "example.com", "com", false, false },
		{ "com", "example.com", false, false },
		{ "com", "com", true, true },
		{ "a.co.uk", "b.co.uk", false, false },
		{ "x.a.co.uk", "y.a.co.uk", true, false },
		{ "example.com", "notexample.com", false, false },
		{ "example.com", "", false, false },
		{ "", "", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str a = str_c(cases[i].author);
		struct str o = str_c(cases[i].other);

		CHECK(dmarc_is_aligned(suffixes, DMARC_RELAXED, a, o) ==
			  cases[i].relaxed,
		    cases[i].other);
		CHECK(dmarc_is_aligned(suffixes, DMARC_STRICT, a, o) ==
			  cases[i].strict,
		    cases[i].other);
	}
}

#define P DMARC_AUTH_PASS
#define F DMARC_AUTH_FAIL
#define T DMARC_AUTH_TEMPERROR

TEST(one_aligned_pass_is_enough)
{
	static const struct {
		const char *name, *record;
		struct dmarc_identifier spf, dkim[2];
		enum dmarc_result want;
		bool spf_ok, dkim_ok;
	} cases[] = {
		{ "spf", "p=reject", { STR("a.com"), P },
		    { { STR("a.com"), F } }, DMARC_PASS, true, false },
		{ "dkim", "p=reject", { STR("a.com"), F },
		    { { STR("x.com"), P }, { STR("s.a.com"), P } }, DMARC_PASS,
		    false, true },
		{ "both", "p=reject", { STR("b.a.com"), P },
		    { { STR("a.com"), P } }, DMARC_PASS, true, true },
		{ "none aligned", "p=reject", { STR("x.com"), P },
		    { { STR("y.com"), P } }, DMARC_FAIL, false, false },
		{ "nothing", "p=reject", { STR_NONE, F }, { { STR_NONE, F } },
		    DMARC_FAIL, false, false },
		{ "aspf=s", "p=reject; aspf=s", { STR("b.a.com"), P },
		    { { STR("a.com"), F } }, DMARC_FAIL, false, false },
		{ "adkim=s", "p=reject; adkim=s", { STR("x.com"), P },
		    { { STR("b.a.com"), P } }, DMARC_FAIL, false, false },
		{ "adkim=s and equal", "p=reject; adkim=s", { STR("x.com"), P },
		    { { STR("A.com"), P } }, DMARC_PASS, false, true },
		{ "spf open", "p=reject", { STR("a.com"), T },
		    { { STR("a.com"), F } }, DMARC_TEMPERROR, false, false },
		{ "dkim open", "p=reject", { STR("a.com"), F },
		    { { STR("a.com"), F }, { STR("b.a.com"), T } },
		    DMARC_TEMPERROR, false, false },
		{ "open for another", "p=reject", { STR("x.com"), T },
		    { { STR("y.com"), T } }, DMARC_FAIL, false, false },
		{ "open and pass", "p=reject", { STR("a.com"), T },
		    { { STR("a.com"), P } }, DMARC_PASS, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_asprintf("v=DMARC1; %s", cases[i].record);
		const char *zone[] = { "_dmarc.a.com", text };
		struct dmarc_discovery *d = discover("a.com", zone, 2);
		struct dmarc_message m = { cases[i].spf, cases[i].dkim, 2, 0 };
		struct dmarc_verdict v;

		dmarc_evaluate(d, &m, &v);
		CHECK(v.result == cases[i].want, cases[i].name);
		CHECK(v.is_spf_aligned == cases[i].spf_ok, cases[i].name);
		CHECK(v.is_dkim_aligned == cases[i].dkim_ok, cases[i].name);
		CHECK(v.disposition == (v.result == DMARC_FAIL
					       ? DMARC_POLICY_REJECT
					       : DMARC_POLICY_NONE),
		    cases[i].name);
		free(d);
		free(text);
	}
}

TEST(the_sample_and_subdomains_have_their_own_policy)
{
	static const struct {
		const char *record, *domain;
		unsigned chance;
		enum dmarc_policy policy, want;
		bool is_out;
		const char *says;
	} cases[] = {
		{ "p=reject", "a.com", 99, DMARC_POLICY_REJECT,
		    DMARC_POLICY_REJECT, false,
		    "dmarc=fail (p=reject dis=reject) header.from=a.com" },
		{ "p=reject; pct=30", "a.com", 29, DMARC_POLICY_REJECT,
		    DMARC_POLICY_REJECT, false,
		    "dmarc=fail (p=reject dis=reject) header.from=a.com" },
		{ "p=reject; pct=30", "a.com", 30, DMARC_POLICY_REJECT,
		    DMARC_POLICY_QUARANTINE, true,
		    "dmarc=fail (p=reject dis=quarantine) header.from=a.com" },
		{ "p=quarantine; pct=0", "a.com", 0, DMARC_POLICY_QUARANTINE,
		    DMARC_POLICY_NONE, true,
		    "dmarc=fail (p=quarantine dis=none) header.from=a.com" },
		{ "p=none; pct=0", "a.com", 50, DMARC_POLICY_NONE,
		    DMARC_POLICY_NONE, false,
		    "dmarc=fail (p=none dis=none) header.from=a.com" },
		{ "p=reject; sp=none", "b.a.com", 0, DMARC_POLICY_NONE,
		    DMARC_POLICY_NONE, false,
		    "dmarc=fail (sp=none dis=none) header.from=b.a.com" },
		{ "p=none; sp=quarantine", "b.a.com", 0,
		    DMARC_POLICY_QUARANTINE, DMARC_POLICY_QUARANTINE, false,
		    "dmarc=fail (sp=quarantine dis=quarantine) "
		    "header.from=b.a.com" },
		{ "p=reject", "b.a.com", 0, DMARC_POLICY_REJECT,
		    DMARC_POLICY_REJECT, false,
		    "dmarc=fail (sp=reject dis=reject) header.from=b.a.com" },
	};
	struct dmarc_message m = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_asprintf("v=DMARC1; %s", cases[i].record);
		const char *zone[] = { "_dmarc.a.com", text };
		struct dmarc_discovery *d = discover(cases[i].domain, zone, 2);
		struct buf b = BUF_INIT(200);
		struct dmarc_verdict v;

		m.chance = cases[i].chance;
		dmarc_evaluate(d, &m, &v);
		CHECK(v.result == DMARC_FAIL, cases[i].says);
		CHECK(v.policy == cases[i].policy, cases[i].says);
		CHECK(v.disposition == cases[i].want, cases[i].says);
		CHECK(v.is_sampled_out == cases[i].is_out, cases[i].says);
		dmarc_put_auth_result(&v, str_c(cases[i].domain), &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].says)), cases[i].says);
		buf_done(&b);
		free(d);
		free(text);
	}
}

TEST(without_a_policy_nothing_is_done)
{
	static const char *const zone[] = { "_dmarc.down.com", "!",
		"_dmarc.bad.com", "v=DMARC1" };
	static const struct {
		const char *domain;
		enum dmarc_result want;
		const char *says;
	} cases[] = {
		{ "none.com", DMARC_NONE, "dmarc=none header.from=none.com" },
		{ "down.com", DMARC_TEMPERROR,
		    "dmarc=temperror header.from=down.com" },
		{ "bad.com", DMARC_PERMERROR,
		    "dmarc=permerror header.from=bad.com" },
		{ "", DMARC_NONE, "dmarc=none" },
		{ "a;b=c", DMARC_NONE, "dmarc=none" },
	};
	struct dmarc_message m = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dmarc_discovery *d =
		    discover(cases[i].domain, zone, ARRAY_LEN(zone));
		struct buf b = BUF_INIT(200);
		struct dmarc_verdict v;

		dmarc_evaluate(d, &m, &v);
		CHECK(v.result == cases[i].want, cases[i].domain);
		CHECK(v.disposition == DMARC_POLICY_NONE, cases[i].domain);
		dmarc_put_auth_result(&v, str_c(cases[i].domain), &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].says)), cases[i].says);
		buf_done(&b);
		free(d);
	}
}

TEST(of_several_authors_the_strictest_policy_counts)
{
	struct dmarc_verdict pass = { .result = DMARC_PASS };
	struct dmarc_verdict none = { .result = DMARC_NONE };
	struct dmarc_verdict later = { .result = DMARC_TEMPERROR };
	struct dmarc_verdict mild = { .result = DMARC_FAIL };
	struct dmarc_verdict reject = { .result = DMARC_FAIL,
		.disposition = DMARC_POLICY_REJECT };
	struct dmarc_verdict all[] = { none, pass, later, mild, reject, mild };

	CHECK(dmarc_strictest(all, 6) == 4, "reject");
	CHECK(dmarc_strictest(all, 4) == 3, "fail");
	CHECK(dmarc_strictest(all, 3) == 2, "temperror");
	CHECK(dmarc_strictest(all, 2) == 1, "pass");
	CHECK(dmarc_strictest(all, 1) == 0, "none");
}

/* RFC 7489 section 7.1. */
TEST(another_organisation_is_asked_before_it_gets_reports)
{
	char name[HOSTNAME_MAX], longest[HOSTNAME_MAX];
	struct str q = STR("mine");

	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'x';
	CHECK(dmarc_external_question(suffixes, STR("blue.example.com"),
		  STR("red.example"), name, &q) == DMARC_EXTERNAL_ASK,
	    "other");
	CHECK(str_eq(q, STR("blue.example.com._report._dmarc.red.example")),
	    "name");
	CHECK(dmarc_external_question(suffixes, STR("example.com"),
		  STR("reports.example.com"), name, &q) == DMARC_EXTERNAL_OWN,
	    "own");
	CHECK(dmarc_external_question(suffixes, STR("example.com"), STR("x;y"),
		  name, &q) == DMARC_EXTERNAL_REFUSED,
	    "no host");
	CHECK(dmarc_external_question(suffixes, STR("example.com"),
		  str_make(longest, sizeof(longest)), name,
		  &q) == DMARC_EXTERNAL_REFUSED,
	    "too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(the_author_is_asked_first_and_then_the_organisation),
		UNIT(a_name_that_is_too_long_is_not_asked_for),
		UNIT(domains_align_by_organisation_or_exactly),
		UNIT(one_aligned_pass_is_enough),
		UNIT(the_sample_and_subdomains_have_their_own_policy),
		UNIT(without_a_policy_nothing_is_done),
		UNIT(of_several_authors_the_strictest_policy_counts),
		UNIT(another_organisation_is_asked_before_it_gets_reports),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
