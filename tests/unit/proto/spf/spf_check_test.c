/* SPDX-License-Identifier: ISC */
/*
 * spf_check_test.c - whole checks against a zone in memory: identities,
 * mechanisms, limits, explanations, time-outs, and the fields that tell it.
 */
#include "spf_zone.h"
#include "proto/spf/spf_report.h"

struct row {
	const char *name;
	const char *type;
	const char *data;
};

#define TXT(name, data) \
	{ \
		name, "TXT", data \
	}
#define FAILS(name) \
	{ \
		name, ZONE_TIMEOUT, "" \
	}
#define L63 "x23456789012345678901234567890123456789012345678901234567890123"

static const struct row rows[] = {
	TXT("plain.example", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"),
	TXT("plain.example", "something else"),
	TXT("helo.example", "v=spf1 a -all"),
	{ "helo.example", "A", "192.0.2.1" },
	TXT("two.example", "v=spf1 -all"),
	TXT("two.example", "v=spf1 +all"),
	TXT("other.example", "v=spf2.0/mfrom +all"),
	FAILS("slow.example"),

	/* a, mx, exists, ptr */
	TXT("a.example", "v=spf1 a:host.example/28 ~all"),
	{ "host.example", "A", "192.0.2.9" },
	{ "host.example", "A", "198.51.100.1" },
	{ "host.example", "AAAA", "2001:db8::9" },
	TXT("mx.example", "v=spf1 mx -all"),
	{ "mx.example", "MX", "." },
	{ "mx.example", "MX", "none.example" },
	{ "mx.example", "MX", "host.example." },
	TXT("mxslow.example", "v=spf1 mx -all"),
	{ "mxslow.example", "MX", "slow.example" },
	TXT("exists.example", "v=spf1 exists:%{ir}.%{l}.list.example -all"),
	{ "1.2.0.192.ann.list.example", "A", "127.0.0.2" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	  "ann.list.example",
	    "A", "127.0.0.2" },
	TXT("ptr.example", "v=spf1 ptr -all"),
	TXT("ptrother.example", "v=spf1 ptr:example.net ?ptr:other.test -all"),
	{ "1.2.0.192.in-addr.arpa", "PTR", "liar.example.net" },
	{ "1.2.0.192.in-addr.arpa", "PTR", "slow.example" },
	{ "1.2.0.192.in-addr.arpa", "PTR", "Mail.Ptr.Example." },
	{ "1.2.0.192.in-addr.arpa", "PTR", "bad..name" },
	{ "1.2.0.192.in-addr.arpa", "PTR", "www.other.test" },
	{ "liar.example.net", "A", "203.0.113.1" },
	{ "mail.ptr.example", "A", "192.0.2.1" },
	{ "www.other.test", "A", "192.0.2.1" },
	{ "9.2.0.192.in-addr.arpa", ZONE_TIMEOUT, "" },
	{ "3.2.0.192.in-addr.arpa", "PTR", "mail.ptr.example" },

	/* %{p}: the domain itself, else one below it, else any. */
	{ "4.2.0.192.in-addr.arpa", "PTR", "any.test" },
	{ "4.2.0.192.in-addr.arpa", "PTR", "m.below.example" },
	{ "4.2.0.192.in-addr.arpa", "PTR", "m.same.example" },
	{ "4.2.0.192.in-addr.arpa", "PTR", "same.example" },
	{ "4.2.0.192.in-addr.arpa", "PTR", "m2.same.example" },
	{ "any.test", "A", "192.0.2.4" },
	{ "m.below.example", "A", "192.0.2.4" },
	{ "m.same.example", "A", "192.0.2.4" },
	{ "m2.same.example", "A", "192.0.2.4" },
	{ "same.example", "A", "192.0.2.4" },
	TXT("same.example", "v=spf1 -all exp=p.example"),
	TXT("below.example", "v=spf1 -all exp=p.example"),
	TXT("neither.example", "v=spf1 -all exp=p.example"),
	TXT("p.example", "%{p}"),

	/* include, redirect */
	TXT("incsoft.example", "v=spf1 include:a.example ?all"),
	TXT("inc.example", "v=spf1 include:plain.example ~all"),
	TXT("notinc.example", "v=spf1 -include:plain.example +all"),
	TXT("incnone.example", "v=spf1 include:other.example +all"),
	TXT("incslow.example", "v=spf1 include:slow.example +all"),
	TXT("incbad.example", "v=spf1 include:wrong.example +all"),
	TXT("incname.example", "v=spf1 include:" L63 "4.example +all"),
	TXT("wrong.example", "v=spf1 +all nonsense"),
	TXT("inclocal.example", "v=spf1 include:%{l}.plain.example ?all"),
	TXT("redir.example", "v=spf1 a:none.example redirect=plain.example"),
	TXT("redirlocal.example", "v=spf1 redirect=%{l}.plain.example"),
	TXT("redirall.example", "v=spf1 redirect=nowhere.example ?all"),
	TXT("rediractive.example", "v=spf1 redirect=nowhere.example"),
	TXT("incredir.example", "v=spf1 include:redir.example ~all"),
	TXT("loop.example", "v=spf1 include:loop.example +all"),
	TXT("empty.example", "v=spf1"),
	TXT("open.example", "v=spf1 ip4:203.0.113.0/24"),
	TXT("nooptions.example", "v=spf1 x=%{d} ip4:192.0.2.1 y="),

	/* limits */
	TXT("ten.example", "v=spf1 a:h1.example a:host.example a:host.example "
			   "a:host.example a:host.example a:host.example "
			   "a:host.example a:host.example a:host.example "
			   "a:host.example ?all"),
	TXT("eleven.example",
	    "v=spf1 a:host.example a:host.example a:host.example "
	    "a:host.example a:host.example a:host.example "
	    "a:host.example a:host.example a:host.example "
	    "a:host.example a:host.example ?all"),
	TXT("pcounts.example",
	    "v=spf1 a:host.example a:host.example a:host.example "
	    "a:host.example a:host.example a:host.example "
	    "a:host.example a:host.example a:host.example "
	    "exists:%{p}.none.example ?all"),
	TXT("ponce.example",
	    "v=spf1 exists:%{p}.x.example exists:%{p2}.y.example "
	    "exists:%{p}.z.example ?all"),
	{ "mail.ptr.example.z.example", "A", "127.0.0.1" },
	TXT("void2.example", "v=spf1 a:n1.example mx:n2.example ?all"),
	TXT("void3.example", "v=spf1 a:n1.example mx:n2.example "
			     "exists:n3.example +all"),
	TXT("voidptr.example", "v=spf1 a:n1.example mx:n2.example ptr +all"),
	TXT("voidp.example",
	    "v=spf1 a:n1.example mx:n2.example exists:%{p}.yes.example -all"),
	{ "unknown.yes.example", "A", "127.0.0.1" },
	TXT("voidnames.example", "v=spf1 a:a..example a:" L63 "4.example "
				 "mx:a..example exists:a..example ~all"),
	TXT("v6void.example", "v=spf1 mx:fourmx.example ?all"),
	{ "fourmx.example", "MX", "helo.example" },
	{ "fourmx.example", "MX", "four1.example" },
	{ "fourmx.example", "MX", "four2.example" },
	{ "fourmx.example", "MX", "four3.example" },

	/* explanations */
	TXT("exp.example", "v=spf1 exp=why.%{d} -all"),
	TXT("why.exp.example", "%{s} from %{C} (%{p}) to %{r} at %{t}"),
	TXT("explocal.example", "v=spf1 -exists:%{l}.any.example exp=why.%{d}"),
	{ "ann.any.example", "A", "127.0.0.1" },
	TXT("why.explocal.example", "no"),
	TXT("expp.example", "v=spf1 -all exp=%{p}.why.example"),
	TXT("mail.ptr.example.why.example", "by name"),
	TXT("exptwo.example", "v=spf1 -all exp=two.example"),
	TXT("expbad.example", "v=spf1 -all exp=bad.why.example"),
	TXT("bad.why.example", "100% wrong"),
	TXT("expname.example", "v=spf1 -all exp=a..example"),
	TXT("expslow.example", "v=spf1 -all exp=slow.example"),
	TXT("expsoft.example", "v=spf1 ~all exp=why.exp.example"),
	TXT("expinc.example", "v=spf1 include:exp.example -all"),
	TXT("expredir.example",
	    "v=spf1 exp=bad.why.example redirect=explocal2.example"),
	TXT("explocal2.example", "v=spf1 -all exp=why.explocal.example"),
};

static const struct zone *
zone(void)
{
	static struct zone z;

	if (z.n == 0)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			zone_add(&z, rows[i].name, rows[i].type,
			    str_c(rows[i].data));
	return &z;
}

static struct spf_request
request_of(const char *client, const char *helo, const char *mail_from)
{
	struct spf_request r = {
		.helo = str_c(helo),
		.mail_from = str_c(mail_from),
		.receiver = STR("mx.receiver.test"),
		.now = 1789000000,
	};

	CHECK(spf_address_parse(str_c(client), &r.client), client);
	return r;
}

struct expected {
	const char *mail_from;
	const char *client;
	enum spf_result result;
	const char *mechanism;
};

static void
check_all(const struct expected *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct expected *want = &cases[i];
		struct spf_request r =
		    request_of(want->client, "helo.example", want->mail_from);
		struct spf_check *c = zone_check(zone(), &r);
		const struct spf_verdict *v = spf_verdict(c);

		if (v->result != want->result ||
		    !str_eq(v->mechanism, str_c(want->mechanism)))
			fail_msg("%s, %s: %s by \"%.*s\" (%s)", want->mail_from,
			    want->client, spf_result_str(v->result),
			    STR_ARG(v->mechanism),
			    v->problem ? v->problem : "no problem");
		CHECK((v->problem != NULL) == (v->result == SPF_NONE ||
						  v->result == SPF_TEMPERROR ||
						  v->result == SPF_PERMERROR),
		    want->mail_from);
		CHECK(v->questions <= SPF_QUESTIONS_MAX, want->mail_from);
		spf_free(c);
	}
}

TEST(mechanisms_decide)
{
	static const struct expected cases[] = {
		{ "x@plain.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
		{ "x@plain.example", "::ffff:192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
		{ "x@plain.example", "192.0.3.1", SPF_FAIL, "all" },
		{ "x@plain.example", "2001:db8:1::1", SPF_PASS,
		    "ip6:2001:db8::/32" },
		{ "x@PLAIN.example", "2001:db9::1", SPF_FAIL, "all" },
		{ "x@plain.example.", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
		{ "x@empty.example", "192.0.2.1", SPF_NEUTRAL, "default" },
		{ "x@open.example", "192.0.2.1", SPF_NEUTRAL, "default" },
		{ "x@nooptions.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.1" },
		{ "x@a.example", "192.0.2.1", SPF_PASS, "a:host.example/28" },
		{ "x@a.example", "192.0.2.17", SPF_SOFTFAIL, "all" },
		{ "x@a.example", "2001:db8::9", SPF_PASS, "a:host.example/28" },
		{ "x@a.example", "2001:db8::8", SPF_SOFTFAIL, "all" },
		{ "x@mx.example", "192.0.2.9", SPF_PASS, "mx" },
		{ "x@mx.example", "2001:db8::9", SPF_PASS, "mx" },
		{ "x@mx.example", "192.0.2.8", SPF_FAIL, "all" },
		{ "x@mxslow.example", "192.0.2.8", SPF_TEMPERROR, "" },
		{ "ann@exists.example", "192.0.2.1", SPF_PASS,
		    "exists:%{ir}.%{l}.list.example" },
		{ "ann@exists.example", "2001:db8::1", SPF_PASS,
		    "exists:%{ir}.%{l}.list.example" },
		{ "bob@exists.example", "192.0.2.1", SPF_FAIL, "all" },
		{ "x@ptr.example", "192.0.2.1", SPF_PASS, "ptr" },
		{ "x@ptr.example", "192.0.2.2", SPF_FAIL, "all" },
		{ "x@ptr.example", "192.0.2.9", SPF_FAIL, "all" },
		{ "x@ptr.example", "192.0.2.3", SPF_FAIL, "all" },
		{ "x@ptrother.example", "192.0.2.1", SPF_NEUTRAL,
		    "ptr:other.test" },
	};

	check_all(cases, ARRAY_LEN(cases));
}

TEST(records_are_found_or_not)
{
	static const struct expected cases[] = {
		{ "x@two.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@other.example", "192.0.2.1", SPF_NONE, "" },
		{ "x@nowhere.example", "192.0.2.1", SPF_NONE, "" },
		{ "x@slow.example", "192.0.2.1", SPF_TEMPERROR, "" },
		{ "x@wrong.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@example", "192.0.2.1", SPF_NONE, "" },
		{ "x@[192.0.2.1]", "192.0.2.1", SPF_NONE, "" },
		{ "x@plain..example", "192.0.2.1", SPF_NONE, "" },
		{ "x@", "192.0.2.1", SPF_NONE, "" },
		{ "@plain.example", "192.0.2.1", SPF_PASS, "ip4:192.0.2.0/24" },
		{ "\"a@b\"@plain.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
		{ "plain.example", "192.0.2.1", SPF_PASS, "ip4:192.0.2.0/24" },
		{ "", "192.0.2.1", SPF_PASS, "a" },
		{ "", "192.0.2.2", SPF_FAIL, "all" },
		{ L63 L63 L63 L63 "1234@plain.example", "192.0.2.1", SPF_NONE,
		    "" },
		{ L63 L63 L63 L63 "123@plain.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
	};

	check_all(cases, ARRAY_LEN(cases));
}

TEST(other_records_are_included_and_followed)
{
	static const struct expected cases[] = {
		{ "x@inc.example", "192.0.2.1", SPF_PASS,
		    "include:plain.example" },
		{ "x@inc.example", "192.0.3.1", SPF_SOFTFAIL, "all" },
		{ "x@notinc.example", "192.0.2.1", SPF_FAIL,
		    "include:plain.example" },
		{ "x@notinc.example", "192.0.3.1", SPF_PASS, "all" },
		{ "x@incsoft.example", "192.0.2.1", SPF_PASS,
		    "include:a.example" },
		{ "x@incsoft.example", "203.0.113.1", SPF_NEUTRAL, "all" },
		{ "x@incnone.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@incslow.example", "192.0.2.1", SPF_TEMPERROR, "" },
		{ "x@incbad.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@incname.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@redir.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
		{ "x@redir.example", "192.0.3.1", SPF_FAIL, "all" },
		{ "x@redirall.example", "192.0.2.1", SPF_NEUTRAL, "all" },
		{ "x@rediractive.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@incredir.example", "192.0.2.1", SPF_PASS,
		    "include:redir.example" },
		{ "x@incredir.example", "192.0.3.1", SPF_SOFTFAIL, "all" },
		{ "x@loop.example", "192.0.2.1", SPF_PERMERROR, "" },
		/* RFC 8616 section 4 */
		{ "\xC3\xBC@inclocal.example", "192.0.2.1", SPF_NEUTRAL,
		    "all" },
		{ "\xC3\xBC@redirlocal.example", "192.0.2.1", SPF_PERMERROR,
		    "" },
		{ "\xC3\xBC@exists.example", "192.0.2.1", SPF_FAIL, "all" },
		{ "\xC3\xBC@plain.example", "192.0.2.1", SPF_PASS,
		    "ip4:192.0.2.0/24" },
	};

	check_all(cases, ARRAY_LEN(cases));
}

TEST(limits_of_the_rfc_hold)
{
	static const struct expected cases[] = {
		{ "x@ten.example", "203.0.113.1", SPF_NEUTRAL, "all" },
		{ "x@eleven.example", "203.0.113.1", SPF_PERMERROR, "" },
		{ "x@eleven.example", "192.0.2.9", SPF_PASS, "a:host.example" },
		{ "x@pcounts.example", "203.0.113.1", SPF_PERMERROR, "" },
		{ "x@ponce.example", "192.0.2.1", SPF_PASS,
		    "exists:%{p}.z.example" },
		{ "x@void2.example", "192.0.2.1", SPF_NEUTRAL, "all" },
		{ "x@void3.example", "192.0.2.1", SPF_PERMERROR, "" },
		{ "x@voidptr.example", "192.0.2.2", SPF_PERMERROR, "" },
		{ "x@voidptr.example", "192.0.2.9", SPF_PASS, "all" },
		/* The reverse zone is not the publisher's term. */
		{ "x@voidp.example", "192.0.2.2", SPF_PASS,
		    "exists:%{p}.yes.example" },
		/* What cannot be asked for is no void answer. */
		{ "x@voidnames.example", "192.0.2.1", SPF_SOFTFAIL, "all" },
		/* Four mail exchangers without IPv6 are nobody's fault. */
		{ "x@v6void.example", "2001:db8::1", SPF_NEUTRAL, "all" },
	};

	check_all(cases, ARRAY_LEN(cases));
}

TEST(names_that_do_not_exist_are_not_asked_for)
{
	static const struct {
		const char *mail_from;
		unsigned questions;
		unsigned lookups;
	} cases[] = {
		{ "x@[192.0.2.1]", 0, 0 },
		{ "x@example", 0, 0 },
		{ "x@voidnames.example", 1, 4 },
		{ "x@incname.example", 1, 1 },
		{ "\xC3\xBC@redirlocal.example", 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_request r =
		    request_of("192.0.2.1", "helo.example", cases[i].mail_from);
		struct spf_check *c = zone_check(zone(), &r);
		const struct spf_verdict *v = spf_verdict(c);

		CHECK(v->questions == cases[i].questions, cases[i].mail_from);
		CHECK(v->lookups == cases[i].lookups, cases[i].mail_from);
		spf_free(c);
	}
}

/* n records of the type, each the name of a host. */
static struct spf_check *
check_numbered(const char *type, const char *at, size_t n, const char *record)
{
	struct zone *z = X_NEW(struct zone);
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x@many.example");
	char names[20][20];
	struct spf_check *c;

	zone_add(z, "many.example", "TXT", str_c(record));
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu.many.example", i);
		zone_add(z, at, type, str_c(names[i]));
		/* Only the last is the client's. */
		zone_add(z, names[i], "A",
		    i + 1 == n ? STR("192.0.2.1") : STR("203.0.113.1"));
	}
	c = zone_check(z, &r);
	free(z);
	return c;
}

TEST(the_eleventh_mail_exchanger_is_an_error)
{
	struct spf_check *c;

	c = check_numbered("MX", "many.example", 10, "v=spf1 mx -all");
	CHECK(spf_verdict(c)->result == SPF_PASS, "ten");
	CHECK(spf_verdict(c)->questions == 12, "record, MX, addresses");
	spf_free(c);
	c = check_numbered("MX", "many.example", 11, "v=spf1 mx -all");
	CHECK(spf_verdict(c)->result == SPF_PERMERROR, "eleven");
	CHECK(spf_verdict(c)->questions == 2, "no addresses");
	spf_free(c);
}

TEST(the_eleventh_name_of_the_client_is_not_seen)
{
	static const char at[] = "1.2.0.192.in-addr.arpa";
	struct spf_check *c;

	c = check_numbered("PTR", at, 10, "v=spf1 ptr -all");
	CHECK(spf_verdict(c)->result == SPF_PASS, "ten");
	spf_free(c);
	c = check_numbered("PTR", at, 11, "v=spf1 ptr ptr ptr ~all");
	CHECK(spf_verdict(c)->result == SPF_SOFTFAIL, "eleven");
	CHECK(spf_verdict(c)->questions == 12, "asked once for all terms");
	spf_free(c);
}

/* Ten times "mx" with ten hosts each, and every name is another one. */
TEST(questions_are_bounded)
{
	static const struct str hosts[10] = {
		STR("h0.example"),
		STR("h1.example"),
		STR("h2.example"),
		STR("h3.example"),
		STR("h4.example"),
		STR("h5.example"),
		STR("h6.example"),
		STR("h7.example"),
		STR("h8.example"),
		STR("h9.example"),
	};
	static const struct str record =
	    STR("v=spf1 mx mx mx mx mx mx mx mx mx mx -all exp=%{p}.x.example");
	struct spf_request r = request_of("192.0.2.1", "h.example", "x@a.b");
	struct spf_check *c = spf_start(&r);
	struct spf_question q;
	unsigned n = 0;

	for (; spf_step(c, &q) == SPF_ASK; n++) {
		static const struct str no = STR("\xCB\x00\x71\x01");
		struct spf_answer a = { SPF_DNS_FOUND, hosts, 10 };

		if (q.type == SPF_TYPE_TXT || q.type == SPF_TYPE_A) {
			a.records = q.type == SPF_TYPE_TXT ? &record : &no;
			a.n = 1;
		}
		spf_answer(c, &a);
	}
	CHECK(spf_verdict(c)->result == SPF_FAIL, "no match");
	CHECK(n == SPF_QUESTIONS_MAX, "the worst case is the limit");
	CHECK(spf_verdict(c)->questions == n, "told");
	spf_free(c);
}

TEST(explanations_come_from_the_record_that_failed)
{
	static const struct {
		const char *mail_from;
		const char *client;
		const char *want;
	} cases[] = {
		{ "x@exp.example", "192.0.2.1",
		    "x@exp.example from 192.0.2.1 (Mail.Ptr.Example) to "
		    "mx.receiver.test at 1789000000" },
		{ "ann@explocal.example", "192.0.2.1", "no" },
		{ "bob@explocal.example", "192.0.2.1", "" },
		{ "x@expp.example", "192.0.2.1", "by name" },
		{ "x@exptwo.example", "192.0.2.1", "" },
		{ "x@expbad.example", "192.0.2.1", "" },
		{ "x@expname.example", "192.0.2.1", "" },
		{ "x@expslow.example", "192.0.2.1", "" },
		{ "x@expsoft.example", "192.0.2.1", "" },
		{ "x@expinc.example", "192.0.2.1", "" },
		{ "x@expredir.example", "192.0.2.1", "no" },
		{ "x@plain.example", "192.0.2.1", "" },
		{ "x@same.example", "192.0.2.4", "same.example" },
		{ "x@below.example", "192.0.2.4", "m.below.example" },
		{ "x@neither.example", "192.0.2.4", "any.test" },
		{ "x@neither.example", "192.0.2.5", "unknown" },
		{ "x@neither.example", "192.0.2.9", "unknown" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_request r = request_of(
		    cases[i].client, "helo.example", cases[i].mail_from);
		struct spf_check *c = zone_check(zone(), &r);
		struct str got = spf_verdict(c)->explanation;

		if (!str_eq(got, str_c(cases[i].want)))
			fail_msg(
			    "%s: \"%.*s\"", cases[i].mail_from, STR_ARG(got));
		spf_free(c);
	}
}

TEST(explanations_that_are_too_long_are_none)
{
	static const struct {
		const char *what;
		const char *word;
		size_t bytes; /* of words */
		size_t want;
	} cases[] = {
		{ "longest", "w", SPF_EXPLANATION_MAX, SPF_EXPLANATION_MAX },
		{ "too long", "w", SPF_EXPLANATION_MAX + 1, 0 },
		{ "grows", "%{s}", 100, 25 * sizeof("x@long.example") - 25 },
		{ "grows too long", "%{s}", 400, 0 },
	};
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x@long.example");
	struct buf text = BUF_INIT(KIB(4));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct zone *z = X_NEW(struct zone);
		struct spf_check *c;

		buf_reset(&text, KIB(4));
		while (text.n < cases[i].bytes)
			buf_put_c(&text, cases[i].word);
		zone_add(z, "long.example", "TXT",
		    STR("v=spf1 -all exp=why.long.example"));
		zone_add(z, "why.long.example", "TXT", buf_str(&text));
		c = zone_check(z, &r);
		CHECK(spf_verdict(c)->result == SPF_FAIL, cases[i].what);
		CHECK(spf_verdict(c)->explanation.n == cases[i].want,
		    cases[i].what);
		spf_free(c);
		free(z);
	}
	buf_done(&text);
}

/* --- steps ------------------------------------------------------------- */

TEST(a_question_stays_until_it_is_answered)
{
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x@a.example");
	struct spf_check *c = spf_start(&r);
	struct spf_question q, again;

	CHECK(spf_step(c, &q) == SPF_ASK, "asks");
	CHECK(spf_step(c, &again) == SPF_ASK, "asks again");
	CHECK(q.type == SPF_TYPE_TXT && again.type == q.type, "type");
	CHECK(str_eq(q.name, STR("a.example")), "name");
	CHECK(str_eq(q.name, again.name), "same name");
	zone_answer(zone(), c, &q);
	CHECK(spf_step(c, &q) == SPF_ASK, "next");
	CHECK(q.type == SPF_TYPE_A, "A");
	CHECK(str_eq(q.name, STR("host.example")), "host");
	spf_free(c);
}

TEST(what_is_not_answered_in_time_is_a_temporary_error)
{
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x@a.example");
	struct spf_check *c = spf_start(&r);
	struct spf_question q;

	CHECK(spf_step(c, &q) == SPF_ASK, "asks");
	spf_expire(c);
	CHECK(spf_step(c, &q) == SPF_DONE, "over");
	CHECK(spf_verdict(c)->result == SPF_TEMPERROR, "temperror");
	spf_free(c);

	r = request_of("192.0.2.1", "helo.example", "x@exp.example");
	c = spf_start(&r);
	CHECK(spf_step(c, &q) == SPF_ASK, "record");
	zone_answer(zone(), c, &q);
	CHECK(spf_step(c, &q) == SPF_ASK, "explanation");
	spf_expire(c);
	CHECK(spf_step(c, &q) == SPF_DONE, "over");
	CHECK(spf_verdict(c)->result == SPF_FAIL, "fail without one");
	CHECK(spf_verdict(c)->explanation.n == 0, "none");
	spf_free(c);

	r = request_of("192.0.2.1", "helo", "");
	c = spf_start(&r);
	spf_expire(c);
	CHECK(spf_verdict(c)->result == SPF_NONE, "had been decided");
	spf_free(c);
}

TEST(answers_of_odd_shape_are_no_matches)
{
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x@a.example");
	static const struct str odd[] = { STR(""), STR("\xC0\x00\x02"),
		STR("\xC0\x00\x02\x01\x00"), STR("192.0.2.1") };
	struct spf_answer a = { SPF_DNS_FOUND, odd, ARRAY_LEN(odd) };
	struct spf_check *c = spf_start(&r);
	struct spf_question q;

	CHECK(spf_step(c, &q) == SPF_ASK, "record");
	zone_answer(zone(), c, &q);
	CHECK(spf_step(c, &q) == SPF_ASK, "address");
	spf_answer(c, &a);
	CHECK(spf_step(c, &q) == SPF_DONE, "over");
	CHECK(spf_verdict(c)->result == SPF_SOFTFAIL, "no match");
	CHECK(spf_verdict(c)->voids == 0, "not void");
	spf_free(c);
}

TEST(the_verdict_says_where_the_problem_is)
{
	static const struct {
		const char *mail_from;
		const char *domain;
		const char *term;
	} cases[] = {
		{ "x@incbad.example", "wrong.example", "nonsense" },
		{ "x@incnone.example", "other.example", "" },
		{ "x@void3.example", "void3.example", "exists:n3.example" },
		{ "x@loop.example", "loop.example", "include:loop.example" },
		{ "x@mxslow.example", "mxslow.example", "mx" },
		{ "x@rediractive.example", "nowhere.example", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_request r =
		    request_of("192.0.2.1", "helo.example", cases[i].mail_from);
		struct spf_check *c = zone_check(zone(), &r);
		const struct spf_verdict *v = spf_verdict(c);

		CHECK(str_eq(v->domain, str_c(cases[i].domain)),
		    cases[i].mail_from);
		CHECK(
		    str_eq(v->term, str_c(cases[i].term)), cases[i].mail_from);
		spf_free(c);
	}
}

TEST(names_are_escaped_for_resolvers)
{
	struct spf_question q = { SPF_TYPE_A, STR("a-b_c.d e\\f\"g;.example") };
	struct buf b = BUF_INIT(1000);

	spf_question_put_name(&q, &b);
	CHECK(
	    str_eq(buf_str(&b), STR("a-b_c.d\\032e\\092f\\034g\\059.example")),
	    buf_c(&b));
	buf_done(&b);
}

/* --- fields ------------------------------------------------------------ */

static void
check_fields(const struct spf_request *r, const char *want_received,
    const char *want_results)
{
	struct spf_check *c = zone_check(zone(), r);
	struct buf b = BUF_INIT(KIB(8));

	spf_put_received(c, &b);
	if (want_received && !str_eq(buf_str(&b), str_c(want_received)))
		fail_msg("%s", buf_c(&b));
	buf_reset(&b, KIB(8));
	spf_put_auth_result(c, &b);
	if (!str_eq(buf_str(&b), str_c(want_results)))
		fail_msg("%s", buf_c(&b));
	buf_done(&b);
	spf_free(c);
}

TEST(fields_tell_the_result)
{
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "x+y@plain.example");

	check_fields(&r,
	    "pass (mx.receiver.test:\r\n"
	    "\tdomain of plain.example permits 192.0.2.1 as a sender)\r\n"
	    "\treceiver=mx.receiver.test;\r\n"
	    "\tclient-ip=192.0.2.1;\r\n"
	    "\tenvelope-from=\"x+y@plain.example\";\r\n"
	    "\thelo=helo.example;\r\n"
	    "\tidentity=mailfrom;\r\n"
	    "\tmechanism=\"ip4:192.0.2.0/24\"",
	    "spf=pass smtp.mailfrom=plain.example");
	r.identity = SPF_HELO;
	check_fields(&r, NULL, "spf=pass smtp.helo=helo.example");
	r.helo = STR("helo..example");
	check_fields(&r, NULL, "spf=none smtp.helo=\"helo..example\"");
	r = request_of("2001:db8::1", "helo.example", "");
	check_fields(&r,
	    "fail (mx.receiver.test:\r\n"
	    "\tdomain of helo.example does not permit 2001:db8::1 as a sender)"
	    "\r\n"
	    "\treceiver=mx.receiver.test;\r\n"
	    "\tclient-ip=\"2001:db8::1\";\r\n"
	    "\tenvelope-from=\"postmaster@helo.example\";\r\n"
	    "\thelo=helo.example;\r\n"
	    "\tidentity=helo;\r\n"
	    "\tmechanism=all",
	    "spf=fail smtp.helo=helo.example");
}

TEST(local_parts_are_told_only_when_the_record_asks)
{
	struct spf_request r =
	    request_of("192.0.2.1", "helo.example", "ann@exists.example");

	check_fields(&r, NULL, "spf=pass smtp.mailfrom=ann@exists.example");
	r.mail_from = STR("a b@exists.example");
	check_fields(&r, NULL, "spf=fail smtp.mailfrom=\"a b@exists.example\"");
}

TEST(hostile_words_stay_inside_of_their_fields)
{
	struct spf_request r = request_of("192.0.2.1", "h\r\nX: (\"\\\xC3\xBC",
	    "\"q\\\"\r\nY: z\"@slow.example");

	check_fields(&r,
	    "temperror (mx.receiver.test:\r\n"
	    "\tthe record could not be had)\r\n"
	    "\treceiver=mx.receiver.test;\r\n"
	    "\tclient-ip=192.0.2.1;\r\n"
	    "\tenvelope-from=\"\\\"q\\\\\\\"??Y: z\\\"@slow.example\";\r\n"
	    "\thelo=\"h??X: (\\\"\\\\??\";\r\n"
	    "\tidentity=mailfrom;\r\n"
	    "\tproblem=\"the record could not be had\"",
	    "spf=temperror reason=\"the record could not be had\" "
	    "smtp.mailfrom=slow.example");
	r.mail_from = STR("x@no\"thing");
	check_fields(&r, NULL, "spf=none smtp.mailfrom=\"no\\\"thing\"");
}

TEST_MAIN(UNIT(mechanisms_decide), UNIT(records_are_found_or_not),
    UNIT(other_records_are_included_and_followed), UNIT(limits_of_the_rfc_hold),
    UNIT(names_that_do_not_exist_are_not_asked_for),
    UNIT(the_eleventh_mail_exchanger_is_an_error),
    UNIT(the_eleventh_name_of_the_client_is_not_seen),
    UNIT(questions_are_bounded),
    UNIT(explanations_come_from_the_record_that_failed),
    UNIT(explanations_that_are_too_long_are_none),
    UNIT(a_question_stays_until_it_is_answered),
    UNIT(what_is_not_answered_in_time_is_a_temporary_error),
    UNIT(answers_of_odd_shape_are_no_matches),
    UNIT(the_verdict_says_where_the_problem_is),
    UNIT(names_are_escaped_for_resolvers), UNIT(fields_tell_the_result),
    UNIT(local_parts_are_told_only_when_the_record_asks),
    UNIT(hostile_words_stay_inside_of_their_fields))
