/* SPDX-License-Identifier: ISC */
/*
 * dkim_verify_test.c - verdicts on signatures and keys, one rule at a time.
 *
 * Signatures are made here from a list of tags, so that also what our signer
 * would never write can be signed correctly, and fails for the one reason
 * that a test is about.
 */
#include "../../test.h"
#include "base/base64.h"
#include "proto/dkim/dkim_bodies.h"
#include "proto/dkim/dkim_tag.h"
#include "proto/dkim/dkim_verify.h"

#define NOW 1000000

#define FIELDS \
	"From: a@example.org\r\n" \
	"To: b@example.net\r\n" \
	"Subject: one\r\n"
#define BODY "Hello\r\n"

static struct crypt_key *rsa, *ed25519;

static int
make_keys(UNUSED void **state)
{
	rsa = crypt_key_generate(CRYPT_RSA, 1024);
	ed25519 = crypt_key_generate(CRYPT_ED25519, 0);
	return rsa && ed25519 ? 0 : -1;
}

static int
free_keys(UNUSED void **state)
{
	rsa = crypt_key_free(rsa);
	ed25519 = crypt_key_free(ed25519);
	return 0;
}

/* Append the bh= that the other tags ask for. */
static void
put_body_hash(struct str tags, struct str body, struct buf *to)
{
	struct str c = STR_NONE, a = STR_NONE, l = STR_NONE, head;
	struct dkim_bodies *b = dkim_bodies_new();
	struct dkim_body_want want = { .hash = CRYPT_SHA256 };
	struct dkim_tags t;
	unsigned which;

	if (dkim_tags_parse(tags, &t)) {
		a = dkim_tags_get(&t, "a");
		c = dkim_tags_get(&t, "c");
		l = dkim_tags_get(&t, "l");
	}
	if (str_ends(a, STR("sha1")))
		want.hash = CRYPT_SHA1;
	if (str_eq(str_split(c, '/', &head), STR("relaxed")))
		want.canon = DKIM_RELAXED;
	want.has_length = str_to_u64(l, UINT64_MAX, &want.length);
	which = dkim_bodies_add(b, &want);
	dkim_bodies_feed(b, body);
	dkim_bodies_finish(b);
	buf_put_c(to, "; bh=");
	base64_encode(to, crypt_sum_str(dkim_bodies_sum(b, which)));
	dkim_bodies_free(b);
}

/*
 * Append a DKIM-Signature with these tags, plus bh= and b=. What cannot be
 * parsed gets a b= that means nothing.
 */
static void
put_signature(
    const char *tags, struct str fields, struct str body, struct buf *to)
{
	struct buf f = BUF_INIT(8192), bytes = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct dkim_finding why;
	struct dkim_signature sig;
	struct dkim_header h;
	struct crypt_sum sum = { .n = 32 };
	enum crypt_hash hash = CRYPT_SHA256;
	const struct crypt_key *key = rsa;

	buf_printf(&f, "DKIM-Signature: %s", tags);
	put_body_hash(str_from(buf_str(&f), 15), body, &f);
	buf_put_c(&f, "; b=AAAA\r\n");
	buf_put_str(&f, fields);
	assert_true(dkim_header_parse(buf_str(&f), &h));
	if (dkim_signature_parse(DKIM_SIGNATURE, h.v[0].value, &sig, &why)) {
		dkim_hash_header(&sig, &h, 0, &h.v[0], &sum);
		hash = dkim_algorithm_hash(sig.algorithm);
		if (sig.algorithm == DKIM_ED25519_SHA256)
			key = ed25519;
	}
	assert_true(crypt_sign(key, hash, &sum, &bytes));
	buf_put_str(to, str_first(h.v[0].whole, h.v[0].whole.n - 4));
	base64_encode(to, buf_str(&bytes));
	buf_put_c(to, "\r\n");
	dkim_header_done(&h);
	buf_done(&f);
	buf_done(&bytes);
}

struct answer {
	enum dkim_answer answer;
	const char *record; /* "%s" in it becomes the base64 of the key */
};

static void
give_key(struct dkim_verifier *v, size_t i, const struct answer *a)
{
	struct buf record = BUF_INIT(8192), pub = BUF_INIT(2000);
	struct buf name = BUF_INIT(300);
	struct str rec = str_c(a->record);
	ptrdiff_t at = str_search(rec, STR("%s"));

	if (dkim_verifier_query(v, i, &name)) {
		crypt_key_to_public(
		    str_search(rec, STR("ed25519")) >= 0 ? ed25519 : rsa, &pub);
		buf_put_str(&record, str_first(rec, (size_t)MAX(at, 0)));
		if (at >= 0)
			base64_encode(&record, buf_str(&pub));
		buf_put_str(
		    &record, str_from(rec, at >= 0 ? (size_t)at + 2 : 0));
		dkim_verifier_key(v, i, a->answer, buf_str(&record));
	}
	buf_done(&name);
	buf_done(&pub);
	buf_done(&record);
}

static struct dkim_result
judge(struct str header, struct str body, const struct answer *a,
    const struct dkim_policy *policy)
{
	struct dkim_verifier *v = dkim_verifier_new(header, policy);
	struct dkim_result r = { .verdict = DKIM_NEUTRAL, .reason = "none" };

	for (size_t i = 0; i < dkim_verifier_count(v); i++)
		give_key(v, i, a);
	dkim_verifier_body(v, body);
	dkim_verifier_finish(v, NOW);
	if (dkim_verifier_count(v) > 0)
		r = *dkim_verifier_result(v, 0);
	dkim_verifier_free(v);
	return r;
}

#define RSA_RECORD "v=DKIM1; k=rsa; p=%s"
static const struct answer good_rsa = { DKIM_ANSWER_RECORD, RSA_RECORD };

#define BASE "v=1; a=rsa-sha256; d=example.org; s=s1; h=from:to:subject"

TEST(each_rule_of_the_field_has_its_verdict)
{
	/* clang-format off */
	static const struct {
		const char *tags;
		enum dkim_verdict want;
		const char *reason; /* begins with */
	} cases[] = {
		{ BASE, DKIM_PASS, "" },
		{ BASE "; c=relaxed/relaxed", DKIM_PASS, "" },
		{ BASE "; c=relaxed", DKIM_PASS, "" },
		{ BASE "; c=simple/relaxed", DKIM_PASS, "" },
		{ BASE "; c=Relaxed/Simple", DKIM_PASS, "" },
		{ BASE "; x-unknown=1", DKIM_PERMERROR, "not a list" },
		{ BASE "; xunknown=1", DKIM_PASS, "" },
		{ BASE "; t=1000000; x=1000001", DKIM_PASS, "" },
		{ BASE "; x=1000000", DKIM_PASS, "" },
		{ BASE "; x=999999", DKIM_FAIL, "the signature has expired" },
		{ BASE "; t=5; x=5", DKIM_PERMERROR, "expires before" },
		{ BASE "; t=1000600", DKIM_PASS, "" },
		{ BASE "; t=1000601", DKIM_POLICY, "the signature is from" },
		{ BASE "; t=-1", DKIM_PERMERROR, "bad time" },
		{ BASE "; t=99999999999999999999", DKIM_PERMERROR, "bad time" },
		{ BASE "; x=1e9", DKIM_PERMERROR, "bad expiry" },
		{ BASE "; l=7", DKIM_PASS, "" },
		{ BASE "; l=5", DKIM_POLICY, "a part of the body" },
		{ BASE "; l=0", DKIM_POLICY, "a part of the body" },
		{ BASE "; l=8", DKIM_FAIL, "the body is shorter" },
		{ BASE "; l=x", DKIM_PERMERROR, "bad length" },
		{ BASE "; q=dns/txt", DKIM_PASS, "" },
		{ BASE "; q=x/y : dns/txt", DKIM_PASS, "" },
		{ BASE "; q=dns/other", DKIM_NEUTRAL, "unknown way" },
		{ BASE "; i=@example.org", DKIM_PASS, "" },
		{ BASE "; i=u@EXAMPLE.org", DKIM_PASS, "" },
		{ BASE "; i=u@sub.example.org", DKIM_PASS, "" },
		{ BASE "; i=u=40x@example.org", DKIM_PASS, "" },
		{ BASE "; i=u@notexample.org", DKIM_PERMERROR, "the identity" },
		{ BASE "; i=u@example.com", DKIM_PERMERROR, "the identity" },
		{ BASE "; i=example.org", DKIM_PERMERROR, "the identity" },
		{ BASE "; i=u=4@example.org", DKIM_PERMERROR, "the identity" },
		{ BASE "; i=", DKIM_PERMERROR, "the identity" },
		{ BASE "; c=future", DKIM_NEUTRAL, "unknown canonical" },
		{ BASE "; c=simple/", DKIM_NEUTRAL, "unknown canonical" },
		{ BASE "; c=", DKIM_NEUTRAL, "unknown canonical" },
		{ BASE "; d=example.org", DKIM_PERMERROR, "not a list" },
		{ "a=rsa-sha256; d=example.org; s=s1; h=from",
		  DKIM_PERMERROR, "no version" },
		{ "v=2; a=rsa-sha256; d=example.org; s=s1; h=from",
		  DKIM_NEUTRAL, "unknown version" },
		{ "v=1; d=example.org; s=s1; h=from",
		  DKIM_PERMERROR, "no algorithm" },
		{ "v=1; a=rsa-sha512; d=example.org; s=s1; h=from",
		  DKIM_NEUTRAL, "unknown algorithm" },
		{ "v=1; a=RSA-sha256; d=example.org; s=s1; h=from",
		  DKIM_PASS, "" },
		{ "v=1; a=rsa-sha1; d=example.org; s=s1; h=from",
		  DKIM_POLICY, "SHA-1" },
		{ "v=1; a=rsa-sha256; s=s1; h=from",
		  DKIM_PERMERROR, "no valid domain" },
		{ "v=1; a=rsa-sha256; d=exa mple.org; s=s1; h=from",
		  DKIM_PERMERROR, "no valid domain" },
		{ "v=1; a=rsa-sha256; d=example..org; s=s1; h=from",
		  DKIM_PERMERROR, "no valid domain" },
		{ "v=1; a=rsa-sha256; d=example.org; h=from",
		  DKIM_PERMERROR, "no valid selector" },
		{ "v=1; a=rsa-sha256; d=example.org; s=a.b; h=from",
		  DKIM_PASS, "" },
		{ "v=1; a=rsa-sha256; d=example.org; s=s1",
		  DKIM_PERMERROR, "no list" },
		{ "v=1; a=rsa-sha256; d=example.org; s=s1; h=to:subject",
		  DKIM_PERMERROR, "From is not" },
		{ "v=1; a=rsa-sha256; d=example.org; s=s1; h=",
		  DKIM_PERMERROR, "From is not" },
		/* The signature's own field is never among the signed ones. */
		{ "v=1; a=rsa-sha256; d=example.org; s=s1; "
		  "h=from:dkim-signature",
		  DKIM_PASS, "" },
		{ "v=1; a=rsa-sha256; d=example.org; s=s1; h=x:FROM : to::y",
		  DKIM_PASS, "" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf m = BUF_INIT(20000);
		struct dkim_result r;

		put_signature(cases[i].tags, STR(FIELDS), STR(BODY), &m);
		buf_put_c(&m, FIELDS);
		r = judge(buf_str(&m), STR(BODY), &good_rsa, NULL);
		CHECK(r.verdict == cases[i].want, cases[i].tags);
		CHECK(str_starts(str_c(r.reason), str_c(cases[i].reason)),
		    cases[i].tags);
		CHECK((r.verdict == DKIM_PASS) == (r.reason == NULL),
		    cases[i].tags);
		buf_done(&m);
	}
}

TEST(each_rule_of_the_key_has_its_verdict)
{
	/* clang-format off */
	static const struct {
		const char *tags; /* besides BASE */
		struct answer answer;
		enum dkim_verdict want;
		const char *reason;
	} cases[] = {
		{ "", { DKIM_ANSWER_RECORD, "p=%s" }, DKIM_PASS, "" },
		{ "", { DKIM_ANSWER_RECORD, " v=DKIM1 ; p=%s; n=x" },
		  DKIM_PASS, "" },
		{ "", { DKIM_ANSWER_RECORD, "k=rsa; h=sha1 : sha256; p=%s" },
		  DKIM_PASS, "" },
		{ "", { DKIM_ANSWER_RECORD, "s=email; t=x; p=%s" },
		  DKIM_PASS, "" },
		{ "", { DKIM_ANSWER_RECORD, "s=web:*; p=%s" }, DKIM_PASS, "" },
		{ "", { DKIM_ANSWER_RECORD, "s=web; p=%s" },
		  DKIM_PERMERROR, "the key is not for mail" },
		{ "", { DKIM_ANSWER_RECORD, "h=sha1; p=%s" },
		  DKIM_PERMERROR, "the key does not allow" },
		{ "", { DKIM_ANSWER_RECORD, "v=DKIM2; p=%s" },
		  DKIM_PERMERROR, "no DKIM1" },
		{ "", { DKIM_ANSWER_RECORD, "p=%s; v=DKIM1" },
		  DKIM_PERMERROR, "no DKIM1" },
		{ "", { DKIM_ANSWER_RECORD, "k=dsa; p=%s" },
		  DKIM_PERMERROR, "unknown kind" },
		{ "", { DKIM_ANSWER_RECORD, "k=ed25519; p=%s" },
		  DKIM_PERMERROR, "the key is not for this algorithm" },
		{ "", { DKIM_ANSWER_RECORD, "v=DKIM1; p=" },
		  DKIM_PERMERROR, "the key was revoked" },
		{ "", { DKIM_ANSWER_RECORD, "v=DKIM1; k=rsa" },
		  DKIM_PERMERROR, "no valid key (p=)" },
		{ "", { DKIM_ANSWER_RECORD, "p=AAAA" },
		  DKIM_PERMERROR, "no valid key (p=)" },
		{ "", { DKIM_ANSWER_RECORD, "p=%s!" },
		  DKIM_PERMERROR, "no valid key (p=)" },
		{ "", { DKIM_ANSWER_RECORD, "v=spf1 -all" },
		  DKIM_PERMERROR, "no DKIM1 key record" },
		{ "", { DKIM_ANSWER_RECORD, "" },
		  DKIM_PERMERROR, "no valid key record" },
		{ "", { DKIM_ANSWER_NONE, "" }, DKIM_PERMERROR, "there is no" },
		{ "", { DKIM_ANSWER_TEMPFAIL, "" },
		  DKIM_TEMPERROR, "the key could not" },
		{ "; i=@a.example.org", { DKIM_ANSWER_RECORD, "t=s; p=%s" },
		  DKIM_PERMERROR, "the key is not for subdomains" },
		{ "; i=@a.example.org", { DKIM_ANSWER_RECORD, "t=y:s; p=%s" },
		  DKIM_PERMERROR, "the key is not for subdomains" },
		{ "; i=@example.org", { DKIM_ANSWER_RECORD, "t=s; p=%s" },
		  DKIM_PASS, "" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf m = BUF_INIT(20000), tags = BUF_INIT(1000);
		struct dkim_result r;

		buf_printf(&tags, BASE "%s", cases[i].tags);
		put_signature(buf_c(&tags), STR(FIELDS), STR(BODY), &m);
		buf_put_c(&m, FIELDS);
		r = judge(buf_str(&m), STR(BODY), &cases[i].answer, NULL);
		CHECK(r.verdict == cases[i].want, cases[i].answer.record);
		CHECK(str_starts(str_c(r.reason), str_c(cases[i].reason)),
		    cases[i].answer.record);
		buf_done(&m);
		buf_done(&tags);
	}
}

TEST(changes_of_what_is_signed_are_seen)
{
	/* clang-format off */
	static const struct {
		const char *what, *tags, *fields, *body;
		enum dkim_verdict want;
	} cases[] = {
		{ "nothing", BASE, FIELDS, BODY, DKIM_PASS },
		{ "body", BASE, FIELDS, "Hallo\r\n", DKIM_FAIL },
		{ "lines behind the body", BASE, FIELDS, BODY "\r\n\r\n",
		  DKIM_PASS },
		{ "subject", BASE,
		  "From: a@example.org\r\nTo: b@example.net\r\n"
		  "Subject: two\r\n", BODY, DKIM_FAIL },
		{ "another field on top", BASE, "X: 1\r\n" FIELDS, BODY,
		  DKIM_PASS },
		{ "From on top, not sealed", BASE, "From: evil\r\n" FIELDS,
		  BODY, DKIM_PASS },
		{ "From below", BASE, FIELDS "From: evil\r\n", BODY,
		  DKIM_FAIL },
		{ "From on top, sealed", BASE ":from",
		  "From: evil\r\n" FIELDS, BODY, DKIM_FAIL },
		{ "sealed and untouched", BASE ":from:from", FIELDS, BODY,
		  DKIM_PASS },
		{ "blanks, relaxed", BASE "; c=relaxed",
		  "FROM:  a@example.org \r\nTo : b@example.net\r\n"
		  "Subject:\r\n one\r\n", BODY, DKIM_PASS },
		{ "blanks, simple", BASE,
		  "From:  a@example.org\r\nTo: b@example.net\r\n"
		  "Subject: one\r\n", BODY, DKIM_FAIL },
		{ "order of fields", BASE,
		  "Subject: one\r\nTo: b@example.net\r\n"
		  "From: a@example.org\r\n", BODY, DKIM_PASS },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf m = BUF_INIT(20000);
		struct dkim_result r;

		put_signature(cases[i].tags, STR(FIELDS), STR(BODY), &m);
		buf_put_c(&m, cases[i].fields);
		r = judge(buf_str(&m), str_c(cases[i].body), &good_rsa, NULL);
		CHECK(r.verdict == cases[i].want, cases[i].what);
		buf_done(&m);
	}
}

TEST(a_domain_that_tests_is_not_worse_off)
{
	static const struct answer testing = { DKIM_ANSWER_RECORD,
		"t=y; p=%s" };
	struct buf m = BUF_INIT(20000);
	struct dkim_result r;

	put_signature(BASE, STR(FIELDS), STR(BODY), &m);
	buf_put_c(&m, FIELDS);
	r = judge(buf_str(&m), STR(BODY), &testing, NULL);
	CHECK(r.verdict == DKIM_PASS && r.is_testing, "pass");
	r = judge(buf_str(&m), STR("x"), &testing, NULL);
	CHECK(r.verdict == DKIM_NEUTRAL && r.is_testing, "fail");
	buf_done(&m);
}

TEST(short_keys_and_old_hashes_are_a_matter_of_policy)
{
	struct dkim_policy strict = dkim_policy_default;
	struct dkim_policy old = dkim_policy_default;
	struct buf m = BUF_INIT(20000), m1 = BUF_INIT(20000);
	struct dkim_result r;

	strict.rsa_bits_min = 1025;
	put_signature(BASE, STR(FIELDS), STR(BODY), &m);
	buf_put_c(&m, FIELDS);
	r = judge(buf_str(&m), STR(BODY), &good_rsa, &strict);
	CHECK(r.verdict == DKIM_POLICY && r.key_bits == 1024, "short");
	old.allows_sha1 = true;
	put_signature("v=1; a=rsa-sha1; d=example.org; s=s; h=from",
	    STR(FIELDS), STR(BODY), &m1);
	buf_put_c(&m1, FIELDS);
	r = judge(buf_str(&m1), STR(BODY), &good_rsa, &old);
	CHECK(r.verdict == DKIM_PASS, "sha1");
	buf_done(&m);
	buf_done(&m1);
}

TEST(what_is_reported_is_what_the_signer_wrote)
{
	struct buf m = BUF_INIT(20000), name = BUF_INIT(300);
	struct dkim_verifier *v;
	const struct dkim_result *r;

	put_signature(
	    BASE "; i=u@a.example.org; l=5", STR(FIELDS), STR(BODY), &m);
	buf_put_c(&m, FIELDS);
	v = dkim_verifier_new(buf_str(&m), NULL);
	assert_int_equal(dkim_verifier_count(v), 1);
	assert_true(dkim_verifier_query(v, 0, &name));
	CHECK(str_eq(buf_str(&name), STR("s1._domainkey.example.org")), "name");
	/* The first record that can be read counts. */
	dkim_verifier_key(v, 0, DKIM_ANSWER_RECORD, STR("nonsense"));
	give_key(v, 0, &good_rsa);
	dkim_verifier_key(v, 0, DKIM_ANSWER_RECORD, STR("p="));
	dkim_verifier_body(v, STR(BODY));
	dkim_verifier_finish(v, NOW);
	r = dkim_verifier_result(v, 0);
	CHECK(r->verdict == DKIM_POLICY && r->unsigned_bytes == 2, "l=");
	CHECK(str_eq(r->domain, STR("example.org")), "d");
	CHECK(str_eq(r->selector, STR("s1")), "s");
	CHECK(str_eq(r->identity, STR("u@a.example.org")), "i");
	CHECK(str_eq(r->algorithm, STR("rsa-sha256")), "a");
	CHECK(r->b_first.n == 8 && r->key_bits == 1024, "b");
	dkim_verifier_free(v);
	buf_done(&m);
	buf_done(&name);
}

TEST(only_so_many_signatures_are_judged)
{
	struct buf m = BUF_INIT(MIB(1));
	struct dkim_verifier *v;

	for (int i = 0; i < DKIM_VERIFY_MAX + 3; i++) {
		struct buf tags = BUF_INIT(200);

		buf_printf(&tags, BASE "; l=%d", i);
		put_signature(buf_c(&tags), STR(FIELDS), STR(BODY), &m);
		buf_done(&tags);
	}
	buf_put_c(&m, FIELDS);
	v = dkim_verifier_new(buf_str(&m), NULL);
	CHECK(dkim_verifier_count(v) == DKIM_VERIFY_MAX, "judged");
	CHECK(dkim_verifier_ignored(v) == 3, "ignored");
	dkim_verifier_finish(v, NOW);
	CHECK(dkim_verifier_result(v, 0)->verdict == DKIM_TEMPERROR, "l=0");
	CHECK(dkim_verifier_result(v, 7)->verdict == DKIM_FAIL, "no body");
	dkim_verifier_free(v);
	buf_done(&m);
}

TEST(a_field_that_is_too_long_is_refused)
{
	struct buf m = BUF_INIT(MIB(1));
	struct dkim_result r;

	buf_put_c(&m, "DKIM-Signature: " BASE "; bh=AA; b=");
	while (m.n < DKIM_SIGNATURE_FIELD_MAX + 100)
		buf_put_c(&m, "AAAA");
	buf_put_c(&m, "\r\n" FIELDS);
	r = judge(buf_str(&m), STR(BODY), &good_rsa, NULL);
	CHECK(r.verdict == DKIM_PERMERROR, "verdict");
	buf_done(&m);
}

/* The example of RFC 8463, appendix A, with both of its signatures. */
TEST(the_example_of_rfc_8463_passes)
{
	static const char header[] =
	    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	    " subject : date : message-id : from : subject : date;\r\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
	    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
	    " date : message-id : from : subject : date;\r\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
	    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
	    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
	    "From: Joe SixPack <joe@football.example.com>\r\n"
	    "To: Suzie Q <suzie@shopping.example.net>\r\n"
	    "Subject: Is dinner ready?\r\n"
	    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
	static const char body[] =
	    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
	struct dkim_verifier *v = dkim_verifier_new(str_c(header), NULL);

	dkim_verifier_key(v, 0, DKIM_ANSWER_RECORD,
	    STR("v=DKIM1; k=ed25519; "
		"p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
	dkim_verifier_key(v, 1, DKIM_ANSWER_RECORD,
	    STR("v=DKIM1; k=rsa; p="
		"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3"
		"idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACD"
		"fzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz"
		"BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"));
	dkim_verifier_body(v, str_c(body));
	dkim_verifier_finish(v, 1528637910);
	CHECK(dkim_verifier_result(v, 0)->verdict == DKIM_PASS, "ed25519");
	CHECK(dkim_verifier_result(v, 1)->verdict == DKIM_PASS, "rsa");
	dkim_verifier_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(each_rule_of_the_field_has_its_verdict),
		UNIT(each_rule_of_the_key_has_its_verdict),
		UNIT(changes_of_what_is_signed_are_seen),
		UNIT(a_domain_that_tests_is_not_worse_off),
		UNIT(short_keys_and_old_hashes_are_a_matter_of_policy),
		UNIT(what_is_reported_is_what_the_signer_wrote),
		UNIT(only_so_many_signatures_are_judged),
		UNIT(a_field_that_is_too_long_is_refused),
		UNIT(the_example_of_rfc_8463_passes),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
