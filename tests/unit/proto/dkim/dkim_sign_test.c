/* SPDX-License-Identifier: ISC */
/* dkim_sign_test.c - what we sign verifies, and what it protects. */
#include "../../test.h"
#include "proto/dkim/dkim_sign.h"
#include "proto/dkim/dkim_tag.h"
#include "proto/dkim/dkim_verify.h"

#define NOW 1700000000

static struct crypt_key *rsa, *ed25519;

static int
make_keys(UNUSED void **state)
{
	rsa = crypt_key_generate(CRYPT_RSA, 2048);
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

static struct dkim_sign_options
options(void)
{
	return (struct dkim_sign_options){
		.domain = STR("example.org"),
		.keys = { { STR("r2026"), rsa }, { STR("e2026"), ed25519 } },
		.keys_n = 2,
		.now = NOW,
	};
}

static bool
sign(struct str header, struct str body, const struct dkim_sign_options *o,
    struct buf *to)
{
	struct dkim_signer *s = dkim_signer_new(header, o);
	bool ok = s != NULL;

	if (ok) {
		dkim_signer_body(s, str_first(body, body.n / 2));
		dkim_signer_body(s, str_from(body, body.n / 2));
		ok = dkim_signer_finish(s, to);
	}
	dkim_signer_free(s);
	return ok;
}

/* Do both signatures of a message pass? */
static bool
passes(struct str header, struct str body, uint64_t now)
{
	struct dkim_verifier *v = dkim_verifier_new(header, NULL);
	bool ok = dkim_verifier_count(v) == 2;

	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		struct buf name = BUF_INIT(300), record = BUF_INIT(2000);

		assert_true(dkim_verifier_query(v, i, &name));
		dkim_key_format(
		    str_starts(buf_str(&name), STR("r2026.")) ? rsa : ed25519,
		    &record);
		dkim_verifier_key(v, i, DKIM_ANSWER_RECORD, buf_str(&record));
		buf_done(&name);
		buf_done(&record);
	}
	dkim_verifier_body(v, body);
	dkim_verifier_finish(v, now);
	for (size_t i = 0; i < dkim_verifier_count(v); i++)
		ok = ok && dkim_verifier_result(v, i)->verdict == DKIM_PASS;
	dkim_verifier_free(v);
	return ok;
}

#define HEADER \
	"Received: from a\r\n" \
	"From: A <a@example.org>\r\n" \
	"To: b@example.net,\r\n  c@example.net\r\n" \
	"Subject: Hello \t you\r\n" \
	"List-Id: <x>\r\n" \
	"List-Id: <y>\r\n"
#define BODY "Hello\r\n\r\n \r\n"

TEST(both_signatures_of_a_message_verify)
{
	struct dkim_sign_options o = options();
	struct buf m = BUF_INIT(KIB(32));

	CHECK(sign(STR(HEADER), STR(BODY), &o, &m), "sign");
	buf_put_c(&m, HEADER);
	CHECK(passes(buf_str(&m), STR(BODY), NOW), "as sent");
	CHECK(passes(buf_str(&m), STR("Hello\r\n"), NOW), "relaxed");
	CHECK(!passes(buf_str(&m), STR("Hallo\r\n"), NOW), "changed");
	buf_done(&m);
}

TEST(no_field_that_readers_see_can_be_added)
{
	static const char *const added[] = { "From: evil\r\n", "To: evil\r\n",
		"Subject: evil\r\n", "Cc: evil\r\n", "Date: evil\r\n",
		"Reply-To: evil\r\n", "Content-Type: evil\r\n" };
	struct dkim_sign_options o = options();
	struct buf sigs = BUF_INIT(KIB(32));

	CHECK(sign(STR(HEADER), STR(BODY), &o, &sigs), "sign");
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		struct buf top = BUF_INIT(KIB(32)), end = BUF_INIT(KIB(32));

		buf_put_c(&top, added[i]);
		buf_put_str(&top, buf_str(&sigs));
		buf_put_c(&top, HEADER);
		CHECK(!passes(buf_str(&top), STR(BODY), NOW), added[i]);
		buf_put_str(&end, buf_str(&sigs));
		buf_put_c(&end, HEADER);
		buf_put_c(&end, added[i]);
		CHECK(!passes(buf_str(&end), STR(BODY), NOW), added[i]);
		buf_done(&top);
		buf_done(&end);
	}
	buf_put_c(&sigs, HEADER);
	CHECK(passes(buf_str(&sigs), STR(BODY), NOW), "nothing added");
	buf_done(&sigs);
}

TEST(signatures_expire_when_they_should)
{
	struct dkim_sign_options o = options();
	struct buf m = BUF_INIT(KIB(32));

	o.expiry_seconds = 100;
	CHECK(sign(STR(HEADER), STR(BODY), &o, &m), "sign");
	buf_put_c(&m, HEADER);
	CHECK(passes(buf_str(&m), STR(BODY), NOW + 100), "last second");
	CHECK(!passes(buf_str(&m), STR(BODY), NOW + 101), "too late");
	buf_done(&m);
}

TEST(fields_are_folded_and_name_what_is_there)
{
	struct dkim_sign_options o = options();
	struct buf m = BUF_INIT(KIB(32));
	struct str rest, line;
	struct dkim_header h;
	struct dkim_tags t;

	CHECK(sign(STR(HEADER), STR(BODY), &o, &m), "sign");
	for (rest = buf_str(&m); rest.n;) {
		rest = str_split(rest, '\n', &line);
		CHECK(line.n <= 78 && str_ends(line, STR("\r")), "line");
	}
	CHECK(dkim_header_parse(buf_str(&m), &h) && h.n == 2, "two fields");
	CHECK(dkim_tags_parse(h.v[0].value, &t), "tags");
	CHECK(str_eq(dkim_tags_get(&t, "a"), STR("rsa-sha256")), "first");
	CHECK(str_starts(dkim_tags_get(&t, "h"), STR("from:from:to:to:cc:")),
	    "sealed");
	CHECK(str_ends(dkim_tags_get(&t, "h"), STR("list-id:list-id")),
	    "as often as there");
	dkim_header_done(&h);
	buf_done(&m);
}

TEST(what_cannot_be_signed_is_refused)
{
	struct dkim_sign_options o = options();
	struct buf h = BUF_INIT(KIB(64)), out = BUF_INIT(100);
	struct buf pub = BUF_INIT(1000);
	struct crypt_key *key;

	CHECK(!sign(STR(HEADER), STR(BODY), &o, &out), "no room");
	CHECK(out.n == 0, "nothing is left of it");
	buf_done(&out);
	out = BUF_INIT(KIB(32));
	crypt_key_to_public(ed25519, &pub);
	key = crypt_key_from_public(CRYPT_ED25519, buf_str(&pub));
	o.keys[1].key = key;
	CHECK(!sign(STR(HEADER), STR(BODY), &o, &out), "a public key");
	CHECK(out.n == 0, "the first one is gone again");
	for (int i = 0; i < DKIM_SIGNED_NAMES_MAX; i++)
		buf_put_c(&h, "Subject: x\r\n");
	CHECK(!sign(buf_str(&h), STR(BODY), &o, &out), "too many names");
	crypt_key_free(key);
	buf_done(&pub);
	buf_done(&h);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(both_signatures_of_a_message_verify),
		UNIT(no_field_that_readers_see_can_be_added),
		UNIT(signatures_expire_when_they_should),
		UNIT(fields_are_folded_and_name_what_is_there),
		UNIT(what_cannot_be_signed_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
