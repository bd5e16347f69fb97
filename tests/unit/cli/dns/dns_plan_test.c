/* SPDX-License-Identifier: ISC */
/* dns_plan_test.c - what changes in a zone, and what stays. */
#include "../../test.h"
#include "cli/dns/dns_data.h"
#include "cli/dns/dns_kept.h"
#include "cli/dns/dns_plan.h"

/* Values of zone files, separated by "|". */
static void
add_values(struct dns_list *l, enum dns_type type, const char *values)
{
	struct str rest = str_c(values), one;

	while (rest.n) {
		struct buf data = BUF_INIT(KIB(4));
		char *value;

		rest = str_split(rest, '|', &one);
		value = str_dup(one);
		CHECK(dns_data_encode(type, value, &data), value);
		dns_list_add(l, buf_str(&data));
		buf_done(&data);
		free(value);
	}
}

static bool
has_values(const struct dns_list *l, enum dns_type type, const char *values)
{
	struct dns_list want = { 0 };
	bool same;

	add_values(&want, type, values);
	same = want.n == l->n;
	for (size_t i = 0; i < want.n; i++)
		same = same && dns_list_has(l, want.v[i]);
	dns_list_done(&want);
	return same;
}

static const char spf[] = "v=spf1 mx ~all";
static const char tlsa[] = "3 1 1 AA";
static const char other_tlsa[] = "3 1 1 BB";

TEST(a_set_is_compared)
{
	static const struct {
		const char *what;
		enum dns_purpose purpose;
		enum dns_type type;
		const char *wanted, *live, *ours;
		bool may_replace;
		const char *add, *remove, *why;
	} cases[] = {
		{ "nothing is there", DNS_FOR_MX, DNS_MX, "10 a.", "", "",
		    false, "10 a.", "", NULL },
		{ "it is there", DNS_FOR_MX, DNS_MX, "10 a.", "20 a.|5 b.", "",
		    false, "", "", NULL },
		{ "a foreign one", DNS_FOR_MX, DNS_MX, "10 a.", "5 b.", "",
		    false, "", "", "there is 5 b." },
		{ "a foreign one, replaced", DNS_FOR_MX, DNS_MX, "10 a.",
		    "5 b.", "", true, "10 a.", "5 b.", NULL },
		{ "an old one of ours", DNS_FOR_MX, DNS_MX, "10 a.", "10 b.",
		    "10 b.", false, "10 a.", "10 b.", NULL },
		{ "an old one, and a foreign one", DNS_FOR_MX, DNS_MX, "10 a.",
		    "10 b.|5 c.", "10 b.", false, "", "", "5 c." },
		{ "the new one beside the old one", DNS_FOR_MX, DNS_MX, "10 a.",
		    "10 a.|10 b.", "10 b.", false, "", "10 b.", NULL },
		{ "what ours was, and is gone", DNS_FOR_MX, DNS_MX, "10 a.", "",
		    "10 b.", false, "10 a.", "", NULL },
		{ "SPF beside others", DNS_FOR_SPF, DNS_TXT, spf, "x=1|v=spf2",
		    "", false, spf, "", NULL },
		{ "SPF with more", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 ip4:192.0.2.1 mx -all", "", false, "", "", NULL },
		{ "SPF without us", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 a -all|x=1", "", false, "", "", "v=spf1 a -all" },
		{ "SPF without us, replaced", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 a -all|x=1", "", true, spf, "v=spf1 a -all", NULL },
		{ "two SPF", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 mx ~all|v=spf1 a -all", "", false, "", "",
		    "more than one" },
		{ "two SPF, one of them ours", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 mx ~all|v=spf1 a -all", "v=spf1 a -all", false, "",
		    "v=spf1 a -all", NULL },
		{ "two good SPF, replaced", DNS_FOR_SPF, DNS_TXT, spf,
		    "v=spf1 mx -all|v=spf1 mx ~all", "", true, "",
		    "v=spf1 mx -all", NULL },
		{ "a stricter policy", DNS_FOR_DMARC, DNS_TXT,
		    "v=DMARC1; p=none", "v=DMARC1; p=reject", "", false, "", "",
		    NULL },
		{ "a foreign TLSA", DNS_FOR_TLSA, DNS_TLSA, tlsa, other_tlsa,
		    "", false, tlsa, "", NULL },
		{ "a foreign TLSA, replaced", DNS_FOR_TLSA, DNS_TLSA, tlsa,
		    other_tlsa, "", true, tlsa, other_tlsa, NULL },
		{ "an old TLSA", DNS_FOR_TLSA, DNS_TLSA, tlsa,
		    "3 1 1 BB|3 1 1 CC", "3 1 1 BB", false, tlsa, "3 1 1 BB",
		    NULL },
		{ "any value at a key's name", DNS_FOR_DKIM, DNS_TXT,
		    "v=DKIM1; p=AAAA", "v=DKIM1; p=|x", "", false,
		    "v=DKIM1; p=AAAA", "v=DKIM1; p=|x", NULL },
		{ "another target", DNS_FOR_SRV, DNS_SRV, "0 1 993 a.",
		    "0 1 993 b.", "", false, "", "", "port 993 of b." },
		{ "another weight", DNS_FOR_SRV, DNS_SRV, "0 1 993 a.",
		    "5 9 993 a.", "", false, "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_record rec = { .purpose = cases[i].purpose,
			.type = cases[i].type,
			.name = (char[]){ "Name.example" },
			.value = (char *)(uintptr_t)cases[i].wanted };
		struct dns_plan p = { 0 };
		struct dns_set *s;

		assert_true(dns_plan_want(&p, &rec));
		s = dns_plan_get(&p, STR("name.example"), rec.type);
		assert_int_equal(p.n, 1);
		add_values(&s->live, s->type, cases[i].live);
		add_values(&s->ours, s->type, cases[i].ours);
		dns_plan_set(s, cases[i].may_replace);
		CHECK(
		    has_values(&s->add, s->type, cases[i].add), cases[i].what);
		CHECK(has_values(&s->remove, s->type, cases[i].remove),
		    cases[i].what);
		CHECK(s->is_left == (cases[i].why != NULL), cases[i].what);
		CHECK(!cases[i].why || strstr(buf_c(&s->why), cases[i].why),
		    cases[i].what);
		dns_plan_done(&p);
	}
}

TEST(what_was_wanted_once_goes_and_nothing_else)
{
	struct dns_plan p = { 0 };
	struct dns_set *s = dns_plan_get(&p, STR("a.b"), DNS_TXT);

	add_values(&s->ours, DNS_TXT, "one|two");
	add_values(&s->live, DNS_TXT, "two|three");
	dns_plan_set(s, false);
	assert_true(has_values(&s->remove, DNS_TXT, "two"));
	assert_true(s->add.n == 0 && !s->is_left);
	/* Also when all may be replaced: nothing is wanted in its place. */
	dns_set_reset(s);
	add_values(&s->live, DNS_TXT, "two|three");
	dns_plan_set(s, true);
	assert_true(has_values(&s->remove, DNS_TXT, "two"));
	dns_plan_done(&p);
}

TEST(an_alias_is_in_the_way_and_any_address_will_do)
{
	struct dns_record mx = { .purpose = DNS_FOR_MX,
		.type = DNS_MX,
		.name = (char[]){ "a" },
		.value = (char[]){ "1 b." } };
	struct dns_record web = { .purpose = DNS_FOR_AUTOCONFIG,
		.type = DNS_CNAME,
		.name = (char[]){ "w" },
		.value = (char[]){ "b." } };
	struct dns_plan p = { 0 };
	struct dns_set *s;

	assert_true(dns_plan_want(&p, &mx));
	assert_true(dns_plan_want(&p, &web));
	p.v[0].is_alias = p.v[1].has_addresses = true;
	dns_plan_set(&p.v[0], true);
	dns_plan_set(&p.v[1], true);
	assert_true(p.v[0].is_left && !p.v[1].is_left);
	assert_int_equal(dns_plan_changes(&p), 0);
	s = &p.v[1];
	dns_set_reset(s);
	add_values(&s->live, DNS_CNAME, "else.");
	dns_plan_set(s, true);
	assert_false(dns_set_changes(s));
	dns_set_reset(s);
	s->skipped = "for a reason";
	dns_plan_set(s, true);
	assert_false(dns_set_changes(s));
	dns_plan_done(&p);
}

/* What is live is the condition, also of a set that only loses. */
TEST(an_update_says_what_was_seen)
{
	struct dns_plan p = { 0 };
	struct dns_record web = { .purpose = DNS_FOR_AUTOCONFIG,
		.type = DNS_CNAME,
		.name = (char[]){ "w.z" },
		.value = (char[]){ "h.z." } };
	struct dns_set *s = dns_plan_get(&p, STR("t.z"), DNS_TXT);
	struct dnsupdate u, want;

	add_values(&s->ours, DNS_TXT, "old");
	add_values(&s->live, DNS_TXT, "old|theirs");
	assert_true(dns_plan_want(&p, &web));
	for (size_t i = 0; i < p.n; i++)
		dns_plan_set(&p.v[i], false);
	dnsupdate_init(&u, 1, STR("z"));
	dns_plan_put(&p, &u);
	dnsupdate_init(&want, 1, STR("z"));
	dnsupdate_if_record(&want, STR("t.z"), DNS_TXT, STR("\3old"));
	dnsupdate_if_record(&want, STR("t.z"), DNS_TXT, STR("\6theirs"));
	dnsupdate_if_unused(&want, STR("w.z"));
	dnsupdate_delete(&want, STR("t.z"), DNS_TXT, STR("\3old"));
	dnsupdate_add(&want, STR("w.z"), DNS_CNAME, DNS_TTL, STR("\1h\1z\0"));
	assert_true(dnsupdate_finish(&u) && dnsupdate_finish(&want));
	assert_true(str_eq(buf_str(&u.out), buf_str(&want.out)));
	dnsupdate_done(&u);
	dnsupdate_done(&want);
	dns_plan_done(&p);
}

TEST(values_are_encoded)
{
	static const struct {
		enum dns_type type;
		const char *value;
		struct str want;
	} cases[] = {
		{ DNS_MX, "10 a.b.", { "\0\12\1a\1b\0", 7 } },
		{ DNS_SRV, "0 0 0 .", { "\0\0\0\0\0\0\0", 7 } },
		{ DNS_CNAME, "A.", { "\1a\0", 3 } },
		{ DNS_TXT, "", { "\0", 1 } },
		{ DNS_TLSA, "3 1 1 0aFf", { "\3\1\1\12\377", 5 } },
		{ DNS_MX, "70000 a.", { NULL, 0 } },
		{ DNS_MX, "a.", { NULL, 0 } },
		{ DNS_TLSA, "3 1 1 0a0", { NULL, 0 } },
		{ DNS_TLSA, "3 1 1 xx", { NULL, 0 } },
		{ DNS_TLSA, "300 1 1 00", { NULL, 0 } },
		{ DNS_A, "192.0.2.1", { NULL, 0 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf data = BUF_INIT(KIB(1));
		bool ok = dns_data_encode(cases[i].type, cases[i].value, &data);

		CHECK(ok == (cases[i].want.p != NULL), cases[i].value);
		CHECK(!ok || str_eq(buf_str(&data), cases[i].want),
		    cases[i].value);
		buf_done(&data);
	}
}

TEST(a_row_of_the_ledger_comes_back)
{
	struct dns_plan p = { 0 }, back = { 0 };
	struct dns_set *s = dns_plan_get(&p, STR("a.b"), DNS_TXT);
	struct buf row = BUF_INIT(KIB(4));
	struct dns_list data = { 0 };

	add_values(&data, DNS_TXT, "one|two");
	dns_kept_encode(s, &data, &row);
	assert_true(dns_kept_decode(buf_str(&row), &back));
	assert_int_equal(back.n, 1);
	assert_string_equal(back.v[0].name, "a.b");
	assert_int_equal(back.v[0].type, DNS_TXT);
	assert_true(has_values(&back.v[0].ours, DNS_TXT, "one|two"));
	for (size_t n = 0; n < 6; n++)
		assert_false(
		    dns_kept_decode(str_first(buf_str(&row), n), &back));
	assert_false(
	    dns_kept_decode(str_first(buf_str(&row), row.n - 1), &back));
	row.p[0] = 2;
	assert_false(dns_kept_decode(buf_str(&row), &back));
	dns_list_done(&data);
	buf_done(&row);
	dns_plan_done(&p);
	dns_plan_done(&back);
}

TEST_MAIN(UNIT(a_set_is_compared),
    UNIT(what_was_wanted_once_goes_and_nothing_else),
    UNIT(an_alias_is_in_the_way_and_any_address_will_do),
    UNIT(an_update_says_what_was_seen), UNIT(values_are_encoded),
    UNIT(a_row_of_the_ledger_comes_back))
