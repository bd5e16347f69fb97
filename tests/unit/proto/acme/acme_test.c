/* SPDX-License-Identifier: ISC */
/* acme_test.c - what is signed, what is read, when to renew. */
#include "../../test.h"
#include "base/base64.h"
#include "base/jsondoc.h"
#include "proto/acme/acme.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/* A key for tests; the values that follow from it were computed by others. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSPBquZgq4qTDwcMI\n"
    "v67df9Ycp9z9DMvdS4/DVYF4XNuhRANCAARs1vy1o2+UJrWG3QZqNHPdJ39msXVx\n"
    "cY2ZYv/tbMFCA2el3nrfnqDG3AAQueE3pPSOCGK+tqL8z7fqKE2GpFoy\n"
    "-----END PRIVATE KEY-----\n";
#define JWK \
	"{\"crv\":\"P-256\",\"kty\":\"EC\"," \
	"\"x\":\"bNb8taNvlCa1ht0GajRz3Sd_ZrF1cXGNmWL_7WzBQgM\"," \
	"\"y\":\"Z6Xeet-eoMbcABC54Tek9I4IYr62ovzPt-ooTYakWjI\"}"

#define IS(b, text) CHECK(str_eq(buf_str(&(b)), STR(text)), buf_c(&(b)))

TEST(a_key_authorization_is_the_token_and_the_hash_of_the_key)
{
	struct es256_key *key = es256_key_from_pem(str_c(pem));
	struct buf b = BUF_INIT(KIB(1)), jwk = BUF_INIT(KIB(1));

	acme_jwk_put(&jwk, key);
	IS(jwk, JWK);
	acme_authorization_put(&b, STR("token_0"), key);
	IS(b, "token_0.s1itR-pPKV7CReLgzueO-8Ud7nfibtUm_bwDw2GWajg");
	buf_done(&b);
	buf_done(&jwk);
	es256_key_free(key);
}

/* The decoded member of a JWS, as text. */
static char *
part_of(struct str jws, const char *name)
{
	struct jsondoc *doc = jsondoc_parse(jws, KIB(64));
	struct buf b = BUF_INIT(KIB(64));
	char *text;

	assert_true(base64url_decode(
	    &b, jsonnode_text(jsonnode_get(jsondoc_root(doc), name))));
	text = str_dup(buf_str(&b));
	buf_done(&b);
	jsondoc_free(doc);
	return text;
}

static void
check_signature(struct str jws)
{
	struct jsondoc *doc = jsondoc_parse(jws, KIB(64));
	const struct jsonnode *root = jsondoc_root(doc);
	struct buf input = BUF_INIT(KIB(64)), sig = BUF_INIT(100);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *s = ECDSA_SIG_new();
	unsigned char der[80], *p = der;
	int n;

	buf_printf(&input, "%.*s.%.*s",
	    STR_ARG(jsonnode_text(jsonnode_get(root, "protected"))),
	    STR_ARG(jsonnode_text(jsonnode_get(root, "payload"))));
	assert_true(base64url_decode(
	    &sig, jsonnode_text(jsonnode_get(root, "signature"))));
	assert_int_equal(sig.n, ES256_SIGNATURE_BYTES);
	ECDSA_SIG_set0(s, BN_bin2bn((unsigned char *)sig.p, 32, NULL),
	    BN_bin2bn((unsigned char *)sig.p + 32, 32, NULL));
	n = i2d_ECDSA_SIG(s, &p);
	EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key);
	assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)n,
			     (unsigned char *)input.p, input.n),
	    1);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	ECDSA_SIG_free(s);
	BIO_free(bio);
	buf_done(&input);
	buf_done(&sig);
	jsondoc_free(doc);
}

TEST(a_request_is_signed_with_its_nonce_and_address)
{
	struct es256_key *key = es256_key_from_pem(str_c(pem));
	struct acme_jws j = { .key = key,
		.nonce = STR("nonce-17"),
		.url = STR("https://ca.example/o\"1"),
		.payload = STR("{\"a\":1}") };
	struct buf b = BUF_INIT(KIB(64));
	char *header, *payload;

	assert_true(acme_jws_put(&b, &j));
	header = part_of(buf_str(&b), "protected");
	payload = part_of(buf_str(&b), "payload");
	assert_string_equal(header,
	    "{\"alg\":\"ES256\",\"jwk\":" JWK ",\"nonce\":\"nonce-17\","
	    "\"url\":\"https://ca.example/o\\\"1\"}");
	assert_string_equal(payload, "{\"a\":1}");
	check_signature(buf_str(&b));
	free(header);
	free(payload);

	buf_reset(&b, 0);
	j.kid = STR("https://ca.example/acct/1");
	j.payload = STR_NONE;
	assert_true(acme_jws_put(&b, &j));
	header = part_of(buf_str(&b), "protected");
	assert_non_null(
	    strstr(header, "\"kid\":\"https://ca.example/acct/1\""));
	assert_null(strstr(header, "jwk"));
	assert_true(str_search(buf_str(&b), STR("\"payload\":\"\"")) > 0);
	check_signature(buf_str(&b));
	free(header);
	buf_done(&b);
	es256_key_free(key);
}

TEST(a_binding_is_a_mac_over_our_key)
{
	struct es256_key *key = es256_key_from_pem(str_c(pem));
	struct buf b = BUF_INIT(KIB(8));

	acme_binding_put(&b, key, STR("kid-1"), STR("secret key"),
	    STR("https://ca.example/new"));
	assert_true(
	    str_search(buf_str(&b),
		STR("\"signature\":"
		    "\"E3iMCgHdL3bH9y0ukpBXdgisrW_iRXv58Kxeyjge4FY\"}")) > 0);
	buf_done(&b);
	es256_key_free(key);
}

TEST(payloads_are_json)
{
	struct buf b = BUF_INIT(KIB(4));

	acme_put_account(&b, STR("a@b.example"), true, STR("{}"));
	IS(b, "{\"termsOfServiceAgreed\":true,\"contact\":"
	      "[\"mailto:a@b.example\"],\"externalAccountBinding\":{}}");
	buf_reset(&b, 0);
	acme_put_account(&b, STR_NONE, false, STR_NONE);
	IS(b, "{\"termsOfServiceAgreed\":false}");
	buf_reset(&b, 0);
	acme_put_contact(&b, STR_NONE);
	IS(b, "{\"contact\":[]}");
	buf_reset(&b, 0);
	acme_put_order(&b, STR("a.example\nb.example\n"));
	IS(b, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},"
	      "{\"type\":\"dns\",\"value\":\"b.example\"}]}");
	buf_reset(&b, 0);
	acme_put_finalize(&b, STR("\xfb\xff"));
	IS(b, "{\"csr\":\"-_8\"}");
	buf_done(&b);
}

TEST(addresses_are_https_with_a_host)
{
	static const struct {
		const char *in, *host, *path;
		unsigned port;
	} cases[] = {
		{ "https://CA.example/dir?x=1", "ca.example", "/dir?x=1", 443 },
		{ "https://ca.example:14000", "ca.example", "/", 14000 },
		{ "HTTPS://a/", "a", "/", 443 },
		{ "http://ca.example/", NULL, NULL, 0 },
		{ "https://user@ca.example/", NULL, NULL, 0 },
		{ "https://ca.example:0/", NULL, NULL, 0 },
		{ "https://ca.example:99999/", NULL, NULL, 0 },
		{ "https://ca.example/a b", NULL, NULL, 0 },
		{ "https://ca.example/#a", NULL, NULL, 0 },
		{ "https://ca.example/\x01", NULL, NULL, 0 },
		{ "https://[::1]/", NULL, NULL, 0 },
		{ "https:///x", NULL, NULL, 0 },
		{ "", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct acme_url u;
		bool ok = acme_url_parse(str_c(cases[i].in), &u);

		CHECK(ok == (cases[i].host != NULL), cases[i].in);
		if (!ok)
			continue;
		CHECK(strcmp(u.host, cases[i].host) == 0, u.host);
		CHECK(strcmp(u.path, cases[i].path) == 0, u.path);
		CHECK(u.port == cases[i].port, cases[i].in);
	}
}

#define CA "https://ca.example/"

TEST(a_directory_has_three_addresses)
{
	static const char good[] =
	    "{\"newNonce\":\"" CA "n\",\"newAccount\":\"" CA "a\","
	    "\"newOrder\":\"" CA "o\",\"x\":{},\"meta\":{\"termsOfService\":"
	    "\"" CA "tos\",\"externalAccountRequired\":true}}";
	static const char *const bad[] = { "", "[]",
		"{\"newNonce\":\"" CA "n\"}",
		"{\"newNonce\":\"" CA "n\",\"newAccount\":1,\"newOrder\":\"" CA
		"o\"}",
		"{\"newNonce\":\"" CA "n\",\"newAccount\":\"http://a/\","
		"\"newOrder\":\"" CA "o\"}" };
	struct acme_directory d;

	assert_true(acme_directory_read(str_c(good), &d));
	assert_string_equal(d.order, CA "o");
	assert_string_equal(d.terms, CA "tos");
	assert_true(d.wants_binding);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!acme_directory_read(str_c(bad[i]), &d), bad[i]);
}

TEST(orders_say_how_far_they_are)
{
	static const struct {
		const char *status, *more;
		bool is_ok;
		enum acme_status want;
	} cases[] = {
		{ "pending", "", true, ACME_PENDING },
		{ "ready", "", true, ACME_READY },
		{ "processing", "", true, ACME_PROCESSING },
		{ "valid", ",\"certificate\":\"" CA "c\"", true, ACME_VALID },
		{ "valid", "", false, ACME_VALID },
		{ "invalid",
		    ",\"error\":{\"type\":\"" ACME_PROBLEM_TYPE
		    "badCSR\",\"detail\":\"no\"}",
		    true, ACME_INVALID },
		{ "odd", "", false, ACME_VALID },
	};
	struct acme_order *o = X_NEW(struct acme_order);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *json = x_asprintf("{\"status\":\"%s\",\"finalize\":\"" CA
					"f\",\"authorizations\":[\"" CA
					"1\",\"" CA "2\"]%s}",
		    cases[i].status, cases[i].more);

		CHECK(acme_order_read(str_c(json), o) == cases[i].is_ok, json);
		free(json);
		if (!cases[i].is_ok)
			continue;
		assert_int_equal(o->status, cases[i].want);
		assert_int_equal(o->n, 2);
		assert_string_equal(o->authorizations[1], CA "2");
	}
	assert_false(
	    acme_order_read(STR("{\"status\":\"ready\",\"finalize\":\"" CA
				"f\",\"authorizations\":[]}"),
		o));
	free(o);
}

TEST(an_authorization_has_challenges_that_we_know)
{
	static const char json[] =
	    "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\","
	    "\"value\":\"A.example\"},\"challenges\":["
	    "{\"type\":\"dns-01\",\"url\":\"" CA "1\",\"token\":\"tttttttt\"},"
	    "{\"type\":\"http-01\",\"url\":\"" CA "2\",\"token\":\"token-_09\","
	    "\"error\":{\"detail\":\"first\\u001b[31m\"}},"
	    "{\"type\":\"tls-alpn-01\",\"url\":\"" CA
	    "3\",\"token\":\"../../etc\"}]}";
	struct acme_authorization a;

	assert_true(acme_authorization_read(str_c(json), &a));
	assert_string_equal(a.name, "a.example");
	assert_true(a.challenges[ACME_HTTP_01].is_there);
	assert_string_equal(a.challenges[ACME_HTTP_01].token, "token-_09");
	assert_false(a.challenges[ACME_TLS_ALPN_01].is_there);
	assert_string_equal(a.problem.text, "first [31m");
	assert_false(acme_authorization_read(
	    STR("{\"status\":\"valid\",\"identifier\":{\"type\":\"ip\","
		"\"value\":\"192.0.2.1\"}}"),
	    &a));
}

TEST(the_words_of_a_problem_are_kept_but_for_controls)
{
	struct acme_problem p;
	struct buf json = BUF_INIT(KIB(64));

	acme_problem_read(
	    STR("{\"type\":\"" ACME_PROBLEM_TYPE "rateLimited\",\"detail\":"
		"\"too many\\n certificates \xc2\x9b 50\","
		"\"subproblems\":[{\"identifier\":{\"value\":\"a.example\"},"
		"\"detail\":\"five\"},{\"detail\":\"six\"}]}"),
	    &p);
	assert_true(acme_problem_is(&p, "rateLimited"));
	assert_string_equal(
	    p.text, "too many  certificates   50; a.example: five; six");
	acme_problem_read(STR("<html>"), &p);
	assert_string_equal(p.type, "");
	assert_string_equal(p.text, "");
	buf_put_c(&json, "{\"detail\":\"");
	for (int i = 0; i < 2000; i++)
		buf_put_c(&json, "\xc3\xa9");
	buf_put_c(&json, "\"}");
	acme_problem_read(buf_str(&json), &p);
	assert_true(str_is_utf8(str_c(p.text)));
	assert_int_equal(strlen(p.text), ACME_DETAIL_MAX);
	buf_done(&json);
}

TEST(an_account_says_whom_it_writes_to)
{
	struct buf b = BUF_INIT(KIB(1));
	bool is_valid = false;

	assert_true(acme_account_read(
	    STR("{\"status\":\"valid\",\"contact\":[\"mailto:a@b.example\"]}"),
	    &is_valid, &b));
	assert_true(is_valid);
	IS(b, "a@b.example");
	assert_true(acme_account_read(
	    STR("{\"status\":\"deactivated\"}"), &is_valid, &b));
	assert_false(is_valid);
	assert_false(acme_account_read(STR("[]"), &is_valid, &b));
	buf_done(&b);
}

TEST(retry_after_is_seconds_or_a_date)
{
	static const struct {
		const char *in;
		bool is_ok;
		uint32_t want;
	} cases[] = {
		{ "120", true, 120 },
		{ " 5 ", true, 5 },
		{ "99999999999", true, ACME_RETRY_MAX },
		{ "Mon, 30 Nov 2026 08:00:30 GMT", true, 30 },
		{ "Mon, 30 Nov 2026 07:00:00 GMT", true, 0 },
		{ "-1", false, 0 },
		{ "soon", false, 0 },
		{ "", false, 0 },
		{ "Mon, 30 Nov 2026 08:00:30 GMT+1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t v = 0;

		CHECK(acme_retry_after(str_c(cases[i].in), 1796025600, &v) ==
			  cases[i].is_ok,
		    cases[i].in);
		CHECK(v == cases[i].want, cases[i].in);
	}
}

TEST(a_third_of_the_life_is_left_at_a_renewal)
{
	const uint64_t day = 86400, begins = 1000 * day;

	for (uint32_t chance = 0; chance < 4000000; chance += 99991) {
		uint64_t at = acme_renew_at(begins, begins + 90 * day, chance);

		assert_true(at >= begins + 60 * day);
		assert_true(at < begins + 63 * day);
	}
	assert_int_equal(acme_renew_at(1000, 1000, 7), 1000);
	assert_int_equal(acme_renew_at(2000, 1000, 7), 1000);
	assert_int_equal(acme_renew_at(1000, 1003, 7), 1002);
}

TEST(who_fails_again_waits_longer)
{
	uint32_t last = 0;

	for (unsigned n = 1; n < 12; n++) {
		uint32_t p = acme_pause(n, false, 0, 0);

		assert_true(p > last || p == 86400);
		last = p;
	}
	assert_int_equal(last, 86400);
	assert_int_equal(acme_pause(1, false, 0, 0), 120);
	assert_int_equal(acme_pause(1, false, 0, 29), 91);
	assert_int_equal(acme_pause(UINT_MAX, false, 0, 0), 86400);
	assert_int_equal(acme_pause(1, true, 0, 0), 3600);
	assert_int_equal(acme_pause(1, true, 9000, 0), 9000);
	assert_int_equal(acme_pause(1, false, 600, 0), 600);
}

TEST_MAIN(UNIT(a_key_authorization_is_the_token_and_the_hash_of_the_key),
    UNIT(a_request_is_signed_with_its_nonce_and_address),
    UNIT(a_binding_is_a_mac_over_our_key), UNIT(payloads_are_json),
    UNIT(addresses_are_https_with_a_host),
    UNIT(a_directory_has_three_addresses), UNIT(orders_say_how_far_they_are),
    UNIT(an_authorization_has_challenges_that_we_know),
    UNIT(the_words_of_a_problem_are_kept_but_for_controls),
    UNIT(an_account_says_whom_it_writes_to),
    UNIT(retry_after_is_seconds_or_a_date),
    UNIT(a_third_of_the_life_is_left_at_a_renewal),
    UNIT(who_fails_again_waits_longer))
