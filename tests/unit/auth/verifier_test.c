/* SPDX-License-Identifier: ISC */
/* verifier_test.c - password hashes, the RFC 7677 example, and the cache. */
#include "../test.h"
#include "auth/auth_cache.h"
#include "auth/crypt_hash.h"
#include "auth/gsasl_wrap.h"
#include "auth/password.h"
#include "auth/scram.h"
#include "auth/verifier.h"
#include "base/base64.h"

TEST(both_hashes_of_a_new_password_work)
{
	struct buf argon2 = BUF_INIT(KIB(1)), scram = BUF_INIT(KIB(1));

	CHECK(verifier_make(STR("p\xC3\xA4ss"), &argon2, &scram) == VERIFIER_OK,
	    "made");
	CHECK(verifier_is_valid(buf_str(&argon2)), "argon2");
	CHECK(verifier_is_valid(buf_str(&scram)), "scram");
	CHECK(verifier_check(buf_str(&argon2), STR("p\xC3\xA4ss")), "right");
	CHECK(verifier_check(buf_str(&scram), STR("p\xC3\xA4ss")), "right");
	/* Decomposed a-umlaut: SASLprep makes it the same. */
	CHECK(verifier_check(buf_str(&argon2), STR("pa\xCC\x88ss")), "NFKC");
	CHECK(!verifier_check(buf_str(&argon2), STR("pass")), "wrong");
	CHECK(!verifier_check(buf_str(&scram), STR("pass")), "wrong");
	CHECK(!verifier_check(buf_str(&argon2), STR("")), "empty");
	CHECK(!verifier_check(buf_str(&argon2), STR("\x01")), "control");
	buf_done(&argon2);
	buf_done(&scram);
}

TEST(passwords_that_cannot_be)
{
	struct buf a = BUF_INIT(KIB(1)), s = BUF_INIT(KIB(1));
	char *longer = x_zalloc(SASL_PASSWORD_MAX + 1);

	memset(longer, 'x', SASL_PASSWORD_MAX + 1);
	CHECK(verifier_make(STR(""), &a, &s) == VERIFIER_EMPTY, "empty");
	CHECK(verifier_make(STR("a\xFF"), &a, &s) == VERIFIER_BAD_CHAR,
	    "not UTF-8");
	CHECK(
	    verifier_make(STR("a\nb"), &a, &s) == VERIFIER_BAD_CHAR, "control");
	CHECK(verifier_make(STR("a\0b"), &a, &s) == VERIFIER_BAD_CHAR, "NUL");
	CHECK(verifier_make(str_make(longer, SASL_PASSWORD_MAX + 1), &a, &s) ==
		  VERIFIER_TOO_LONG,
	    "long");
	CHECK(a.n == 0 && s.n == 0, "nothing was made");
	free(longer);
}

TEST(imported_hashes)
{
	static const struct {
		const char *hash;
		bool is_valid;
	} cases[] = {
		/* All of "password". */
		{ "$6$saltstring$zoJg4vRmEagjXtCJGk98VsWO5gRkcdfxs7aZkdWrr4xO"
		  "nzd4r1khHnQbplzV5aCB6ys3G2c1C6WoQ1wc0B2Sw/",
		    true },
		{ "$1$abcdefgh$", true },
		{ "abJnggxhB/yWI", false }, /* DES */
		{ "password", false },
		{ "", false },
		{ "$argon2id$v=19$m=4194304,t=3,p=1$c2FsdHNhbHQ$aGFzaA",
		    false }, /* 4 GiB */
		{ "$argon2i$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(verifier_is_valid(str_c(cases[i].hash)) ==
			  cases[i].is_valid,
		    cases[i].hash);
}

/* glibc's own example of its SHA-crypt specification. */
TEST(a_crypt_hash_is_checked_as_typed)
{
	struct str hash = STR("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHW"
			      "jl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOf"
			      "aS35inz1");

	CHECK(verifier_check(hash, STR("Hello world!")), "right");
	CHECK(!verifier_check(hash, STR("Hello world")), "wrong");
	CHECK(!verifier_check(hash, STR("Hello world!\0x")), "NUL");
}

/* RFC 7677 section 3: proof and signature from our StoredKey, ServerKey. */
TEST(the_example_of_rfc_7677)
{
	static const char auth_message[] =
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	struct buf salt = BUF_INIT(64), proof = BUF_INIT(64),
		   signature = BUF_INIT(64);
	uint8_t mac[SCRAM_KEY_BYTES], key[SCRAM_KEY_BYTES];
	struct scram_verifier v;

	CHECK(base64_decode(&salt, STR("W22ZaJ0SNY7soEsUEjb6gQ==")), "salt");
	CHECK(base64_decode(
		  &proof, STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")),
	    "proof");
	scram_verifier_make_with(STR("pencil"), 4096, buf_str(&salt), &v);

	/* ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage) */
	scram_hmac(
	    str_make(v.stored_key, SCRAM_KEY_BYTES), str_c(auth_message), mac);
	for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
		mac[i] ^= (uint8_t)proof.p[i];
	scram_hash(str_make(mac, sizeof(mac)), key);
	CHECK(memcmp(key, v.stored_key, sizeof(key)) == 0, "client proof");

	scram_hmac(
	    str_make(v.server_key, SCRAM_KEY_BYTES), str_c(auth_message), mac);
	base64_encode(&signature, str_make(mac, sizeof(mac)));
	assert_string_equal(
	    buf_c(&signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
	CHECK(scram_verifier_check(&v, STR("pencil")), "right");
	CHECK(!scram_verifier_check(&v, STR("pencils")), "wrong");
	buf_done(&salt);
	buf_done(&proof);
	buf_done(&signature);
}

static bool
is_cached(
    struct auth_cache *c, const char *login, const char *password, uint64_t now)
{
	struct auth_cache_hit hit;

	return auth_cache_get(c, str_c(login), str_c(password), now, &hit);
}

TEST(the_cache_knows_right_passwords_until_it_forgets)
{
	struct auth_cache *c = auth_cache_new();
	struct auth_cache_put put = { STR("alice"), STR("secret"), 2000, 7,
		STR("alice@demo.example") };
	struct auth_cache_hit hit;

	CHECK(!is_cached(c, "alice", "secret", 1000), "empty");
	auth_cache_put(c, &put);
	CHECK(auth_cache_get(c, STR("alice"), STR("secret"), 1000, &hit) &&
		  hit.account == 7 &&
		  strcmp(hit.login, "alice@demo.example") == 0,
	    "right");
	CHECK(!is_cached(c, "alice", "wrong", 1000), "wrong");
	CHECK(!is_cached(c, "alic", "esecret", 1000), "shifted");
	CHECK(!is_cached(c, "bob", "secret", 1000), "another");
	auth_cache_forget(c, STR("bob@demo.example"));
	CHECK(is_cached(c, "alice", "secret", 1000), "not for bob");
	auth_cache_forget(c, STR("Alice@demo.example"));
	CHECK(!is_cached(c, "alice", "secret", 1000), "forgotten");
	auth_cache_put(c, &put);
	CHECK(!is_cached(c, "alice", "secret", 2000), "time is up");
	auth_cache_free(c);
}

TEST(the_cache_is_bounded_and_keeps_the_newest)
{
	struct auth_cache *c = auth_cache_new();
	char name[32];
	int found = 0;

	for (int i = 0; i < AUTH_CACHE_ENTRIES * 2; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		auth_cache_put(
		    c, &(struct auth_cache_put){ str_c(name), STR("x"),
			   100000 + (uint64_t)i, 1, str_c(name) });
		CHECK(is_cached(c, name, "x", 1), "the one just put");
	}
	for (int i = 0; i < AUTH_CACHE_ENTRIES * 2; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		found += is_cached(c, name, "x", 1);
	}
	CHECK(found <= AUTH_CACHE_ENTRIES, "bounded");
	CHECK(found > AUTH_CACHE_ENTRIES / 2, "used");
	auth_cache_free(c);
}

static int
setup(UNUSED void **state)
{
	password_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(both_hashes_of_a_new_password_work),
		UNIT(passwords_that_cannot_be),
		UNIT(imported_hashes),
		UNIT(a_crypt_hash_is_checked_as_typed),
		UNIT(the_example_of_rfc_7677),
		UNIT(the_cache_knows_right_passwords_until_it_forgets),
		UNIT(the_cache_is_bounded_and_keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
