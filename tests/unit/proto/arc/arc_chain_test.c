/* SPDX-License-Identifier: ISC */
/*
 * arc_chain_test.c - chains of our own making: many hops, both kinds of key,
 * what breaks a chain, and what must not be sealed.
 */
#include "../../test.h"
#include "proto/arc/arc_seal.h"
#include "proto/arc/arc_verify.h"

#define BODY "Hello\r\n"
#define FIELDS \
	"From: a@example.org\r\n" \
	"To: b@example.net\r\n" \
	"Subject: one\r\n"

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

static struct arc_result
validate(struct str header, struct str body, enum dkim_answer answer)
{
	struct arc_verifier *v = arc_verifier_new(header, NULL);
	struct arc_result r;

	for (size_t i = 0; i < arc_verifier_keys(v); i++) {
		struct buf name = BUF_INIT(300), record = BUF_INIT(2000);

		arc_verifier_query(v, i, &name);
		dkim_key_format(str_starts(buf_str(&name), STR("r._domainkey."))
				    ? rsa
				    : ed25519,
		    &record);
		arc_verifier_key(v, i, answer, buf_str(&record));
		buf_done(&name);
		buf_done(&record);
	}
	arc_verifier_body(v, body);
	r = arc_verifier_finish(v);
	arc_verifier_free(v);
	return r;
}

static enum arc_cv
cv_of(struct str header)
{
	return validate(header, STR(BODY), DKIM_ANSWER_RECORD).cv;
}

/* Seal the message in m as its next hop would; false when it must not. */
static bool
seal(struct buf *m, bool is_rsa, enum arc_cv cv)
{
	struct arc_seal_options o = {
		.domain = STR("hop.example"),
		.selector = is_rsa ? STR("r") : STR("e"),
		.key = is_rsa ? rsa : ed25519,
		.authserv_id = STR("mx.hop.example"),
		.results = STR("spf=pass smtp.mailfrom=a@example.org"),
		.cv = cv,
		.now = 1700000000,
	};
	struct arc_sealer *s = arc_sealer_new(buf_str(m), &o);
	struct buf out = BUF_INIT(MIB(1));
	bool ok = s != NULL;

	if (ok) {
		arc_sealer_body(s, STR(BODY));
		ok = arc_sealer_finish(s, &out);
	}
	arc_sealer_free(s);
	if (ok) {
		buf_put_str(&out, buf_str(m));
		buf_done(m);
		*m = out;
	} else {
		buf_done(&out);
	}
	return ok;
}

static struct buf
message(void)
{
	struct buf m = BUF_INIT(MIB(1));

	buf_put_c(&m, FIELDS);
	return m;
}

TEST(a_chain_grows_to_its_limit_and_no_further)
{
	struct buf m = message();

	CHECK(cv_of(buf_str(&m)) == ARC_NONE, "none yet");
	for (int i = 0; i < ARC_SETS_MAX; i++) {
		CHECK(seal(&m, i % 2 == 0, i ? ARC_PASS : ARC_NONE), "seal");
		if (i % 10 == 0 || i == ARC_SETS_MAX - 1)
			CHECK(cv_of(buf_str(&m)) == ARC_PASS, "pass");
	}
	CHECK(!seal(&m, true, ARC_PASS), "one too many");
	buf_done(&m);
}

TEST(what_the_newest_hop_signed_must_be_unchanged)
{
	struct buf m = message(), changed = BUF_INIT(MIB(1));
	struct arc_result r;

	CHECK(seal(&m, true, ARC_NONE) && seal(&m, false, ARC_PASS), "seal");
	r = validate(buf_str(&m), STR("Hallo\r\n"), DKIM_ANSWER_RECORD);
	CHECK(r.cv == ARC_FAIL && !r.is_temporary, "body");
	buf_put_str(&changed, buf_str(&m));
	changed.p[changed.n - 4] ^= 1;
	CHECK(cv_of(buf_str(&changed)) == ARC_FAIL, "subject");
	buf_done(&changed);
	buf_done(&m);
}

TEST(a_hop_may_change_the_message_and_say_so)
{
	struct buf m = message(), list = BUF_INIT(MIB(1));
	ptrdiff_t at;

	CHECK(seal(&m, true, ARC_NONE), "first");
	at = str_search(buf_str(&m), STR("Subject: "));
	buf_put_str(&list, str_first(buf_str(&m), (size_t)at + 9));
	buf_put_c(&list, "[list] ");
	buf_put_str(&list, str_from(buf_str(&m), (size_t)at + 9));
	CHECK(cv_of(buf_str(&list)) == ARC_FAIL, "as long as nobody seals it");
	CHECK(seal(&list, true, ARC_PASS), "second");
	CHECK(cv_of(buf_str(&list)) == ARC_PASS, "sealed again");
	buf_done(&list);
	buf_done(&m);
}

TEST(a_change_in_any_set_breaks_the_chain)
{
	static const char *const needles[] = { "ARC-Seal: a=",
		"ARC-Authentication-Results: i=1; mx", "i=2; mx.hop",
		"smtp.mailfrom=a" };
	struct buf m = message();

	CHECK(seal(&m, true, ARC_NONE) && seal(&m, false, ARC_PASS) &&
		  seal(&m, true, ARC_PASS),
	    "seal");
	CHECK(cv_of(buf_str(&m)) == ARC_PASS, "untouched");
	for (size_t i = 0; i < ARRAY_LEN(needles); i++) {
		struct buf c = BUF_INIT(MIB(1));
		ptrdiff_t at = str_search(buf_str(&m), str_c(needles[i]));

		CHECK(at >= 0, needles[i]);
		buf_put_str(&c, buf_str(&m));
		c.p[(size_t)at + strlen(needles[i]) - 1] ^= 1;
		CHECK(cv_of(buf_str(&c)) == ARC_FAIL, needles[i]);
		buf_done(&c);
	}
	buf_done(&m);
}

TEST(a_failed_chain_is_sealed_once_and_stays_failed)
{
	struct buf m = message();

	CHECK(seal(&m, true, ARC_NONE), "first");
	m.p[m.n - 4] ^= 1;
	CHECK(cv_of(buf_str(&m)) == ARC_FAIL, "changed");
	CHECK(seal(&m, false, ARC_FAIL), "told");
	CHECK(cv_of(buf_str(&m)) == ARC_FAIL, "failed");
	CHECK(!seal(&m, true, ARC_FAIL), "not again");
	buf_done(&m);
}

TEST(a_look_up_that_failed_is_told_apart)
{
	struct buf m = message();
	struct arc_result r;

	CHECK(seal(&m, true, ARC_NONE), "seal");
	r = validate(buf_str(&m), STR(BODY), DKIM_ANSWER_TEMPFAIL);
	CHECK(r.cv == ARC_FAIL && r.is_temporary, "temporary");
	r = validate(buf_str(&m), STR(BODY), DKIM_ANSWER_NONE);
	CHECK(r.cv == ARC_FAIL && !r.is_temporary, "no key");
	buf_done(&m);
}

TEST(keys_are_asked_for_once_and_hops_are_told)
{
	struct buf m = message();
	struct arc_verifier *v;
	struct arc_hop hop;

	for (int i = 0; i < 4; i++)
		CHECK(seal(&m, i % 2 == 0, i ? ARC_PASS : ARC_NONE), "seal");
	v = arc_verifier_new(buf_str(&m), NULL);
	CHECK(arc_verifier_keys(v) == 2, "two keys");
	CHECK(arc_verifier_hops(v) == 4, "four hops");
	hop = arc_verifier_hop(v, 3);
	CHECK(str_eq(hop.domain, STR("hop.example")), "domain");
	CHECK(str_eq(hop.selector, STR("e")), "selector");
	CHECK(str_search(hop.results, STR("spf=pass")) > 0, "results");
	arc_verifier_free(v);
	buf_done(&m);
}

TEST(malformed_chains_fail_without_any_look_up)
{
	/* clang-format off */
	static const char *const cases[] = {
		"ARC-Seal: i=1\r\n",
		"ARC-Authentication-Results: i=1; a; none\r\n",
		"ARC-Authentication-Results: a; none\r\n",
		"ARC-Authentication-Results: i=51; a; none\r\n",
		"ARC-Authentication-Results: i=0; a; none\r\n",
		"ARC-Authentication-Results: i=4294967297; a; none\r\n",
		"ARC-Message-Signature: \r\n",
		"ARC-Seal: i=50; cv=fail\r\n",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arc_verifier *v =
		    arc_verifier_new(str_c(cases[i]), NULL);
		struct arc_result r;

		CHECK(arc_verifier_keys(v) == 0, cases[i]);
		CHECK(arc_verifier_hops(v) == 0, cases[i]);
		r = arc_verifier_finish(v);
		CHECK(r.cv == ARC_FAIL && r.reason, cases[i]);
		arc_verifier_free(v);
	}
}

TEST(a_header_that_is_too_large_is_not_sealed)
{
	struct buf m = BUF_INIT(MIB(4));
	struct arc_verifier *v;

	while (m.n <= DKIM_HEADER_MAX)
		buf_put_c(&m, "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
	CHECK(!seal(&m, true, ARC_NONE), "seal");
	v = arc_verifier_new(buf_str(&m), NULL);
	CHECK(arc_verifier_finish(v).cv == ARC_FAIL, "validate");
	arc_verifier_free(v);
	buf_done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(a_chain_grows_to_its_limit_and_no_further),
		UNIT(what_the_newest_hop_signed_must_be_unchanged),
		UNIT(a_hop_may_change_the_message_and_say_so),
		UNIT(a_change_in_any_set_breaks_the_chain),
		UNIT(a_failed_chain_is_sealed_once_and_stays_failed),
		UNIT(a_look_up_that_failed_is_told_apart),
		UNIT(keys_are_asked_for_once_and_hops_are_told),
		UNIT(malformed_chains_fail_without_any_look_up),
		UNIT(a_header_that_is_too_large_is_not_sealed),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
