/* SPDX-License-Identifier: ISC */
/* crypt_test.c - digests, keys and signatures. */
#include "../test.h"
#include "base/crypt.h"

static void
sum_of(enum crypt_hash hash, struct str s, struct crypt_sum *ret)
{
	struct crypt_digest *d = crypt_digest_new(hash);

	crypt_digest_put(d, s);
	crypt_digest_finish(d, ret);
	crypt_digest_free(d);
}

TEST(digests_are_those_of_the_standards)
{
	struct crypt_sum s;

	/* FIPS 180-4, "abc". */
	sum_of(CRYPT_SHA1, STR("abc"), &s);
	CHECK(s.n == 20 && memcmp(s.v, "\xa9\x99\x3e\x36", 4) == 0, "sha1");
	sum_of(CRYPT_SHA256, STR("abc"), &s);
	CHECK(s.n == 32 && memcmp(s.v, "\xba\x78\x16\xbf", 4) == 0, "sha256");
	sum_of(CRYPT_SHA512, STR("abc"), &s);
	CHECK(s.n == 64 && memcmp(s.v, "\xdd\xaf\x35\xa1", 4) == 0, "sha512");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
TEST(hmac_is_that_of_the_standard)
{
	char key[131];
	struct crypt_sum s;

	memset(key, 0x0b, 20);
	crypt_hmac(str_make(key, 20), STR("Hi There"), &s);
	CHECK(s.n == 32 && memcmp(s.v, "\xb0\x34\x4c\x61", 4) == 0, "1");
	crypt_hmac(STR("Jefe"), STR("what do ya want for nothing?"), &s);
	CHECK(s.n == 32 && memcmp(s.v, "\x5b\xdc\xc1\x46", 4) == 0, "2");
	memset(key, 0xaa, sizeof(key));
	crypt_hmac(str_make(key, sizeof(key)),
	    STR("Test Using Larger Than Block-Size Key - Hash Key First"), &s);
	CHECK(s.n == 32 && memcmp(s.v, "\x60\xe4\x31\x59", 4) == 0, "6");
	crypt_hmac(STR_NONE, STR_NONE, &s);
	CHECK(s.n == 32 && memcmp(s.v, "\xb6\x13\x67\x9a", 4) == 0, "none");
}

/* Sign, verify, and see that what was changed does not verify. */
static void
check_key(const struct crypt_key *key, const struct crypt_key *public)
{
	struct buf sig = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct crypt_sum s;

	sum_of(CRYPT_SHA256, STR("text"), &s);
	CHECK(crypt_sign(key, CRYPT_SHA256, &s, &sig), "sign");
	CHECK(crypt_verify(public, CRYPT_SHA256, &s, buf_str(&sig)), "good");
	sig.p[3] ^= 1;
	CHECK(!crypt_verify(public, CRYPT_SHA256, &s, buf_str(&sig)), "bits");
	sig.p[3] ^= 1;
	CHECK(!crypt_verify(public, CRYPT_SHA256, &s,
		  str_first(buf_str(&sig), sig.n - 1)),
	    "length");
	CHECK(!crypt_verify(public, CRYPT_SHA256, &s, STR_NONE), "nothing");
	s.v[0] ^= 1;
	CHECK(!crypt_verify(public, CRYPT_SHA256, &s, buf_str(&sig)), "text");
	buf_done(&sig);
}

static void
check_kind(enum crypt_kind kind, unsigned bits)
{
	struct crypt_key *key = crypt_key_generate(kind, bits), *again, *public;
	struct buf pem = BUF_INIT(CRYPT_PEM_MAX), pub = BUF_INIT(1000);
	struct buf same = BUF_INIT(1000);
	struct crypt_sum s = { .n = 32 };
	struct buf none = BUF_INIT(CRYPT_SIGNATURE_MAX);

	CHECK(key && crypt_key_kind(key) == kind, "generate");
	CHECK(crypt_key_bits(key) == bits, "bits");
	CHECK(crypt_key_to_pem(key, &pem), "write");
	again = crypt_key_from_pem(buf_str(&pem));
	CHECK(again, "read");
	crypt_key_to_public(again, &pub);
	public = crypt_key_from_public(kind, buf_str(&pub));
	CHECK(public, "public");
	check_key(again, public);
	crypt_key_to_public(public, &same);
	CHECK(str_eq(buf_str(&same), buf_str(&pub)), "and written again");
	buf_done(&same);
	CHECK(!crypt_sign(public, CRYPT_SHA256, &s, &none), "cannot sign");
	CHECK(!crypt_key_to_pem(public, &none), "has no private part");
	CHECK(!crypt_key_from_public(kind, str_first(buf_str(&pub), pub.n - 1)),
	    "cut");
	crypt_key_free(public);
	crypt_key_free(again);
	crypt_key_free(key);
	buf_done_secret(&pem);
	buf_done(&pub);
}

TEST(keys_survive_writing_and_reading)
{
	check_kind(CRYPT_RSA, 1024);
	check_kind(CRYPT_RSA, 2048);
	check_kind(CRYPT_ED25519, 256);
}

/* A public key of 1024 bits: 22 bytes of key info, then the RSAPublicKey,
   which ends with the exponent: 02 03 01 00 01. */
#define INFO_BYTES 22

static bool
is_key(struct str bytes)
{
	struct crypt_key *k = crypt_key_from_public(CRYPT_RSA, bytes);
	bool ok = k != NULL;

	crypt_key_free(k);
	return ok;
}

TEST(public_keys_are_read_in_every_form_and_nothing_behind_them)
{
	struct crypt_key *key = crypt_key_generate(CRYPT_RSA, 1024);
	struct buf pub = BUF_INIT(1000), other = BUF_INIT(1000);
	struct str bare;

	crypt_key_to_public(key, &pub);
	bare = str_from(buf_str(&pub), INFO_BYTES);
	CHECK(is_key(buf_str(&pub)), "key info");
	CHECK(is_key(bare), "bare");
	/* Without the NULL of the algorithm's parameters. */
	buf_put_str(&other, buf_str(&pub));
	other.p[2] = (char)(other.p[2] - 2);
	other.p[4] = (char)(other.p[4] - 2);
	memmove(other.p + 16, other.p + 18, other.n - 18);
	other.n -= 2;
	CHECK(is_key(buf_str(&other)), "no parameters");
	buf_put_char(&other, 'x');
	CHECK(!is_key(buf_str(&other)), "more behind it");
	buf_put_char(&pub, 'x');
	CHECK(!is_key(buf_str(&pub)), "more behind key info");
	CHECK(!is_key(str_make(bare.p, bare.n + 1)), "more behind bare");
	buf_done(&pub);
	buf_done(&other);
	crypt_key_free(key);
}

TEST(exponents_that_are_wrong_or_a_burden_are_refused)
{
	struct crypt_key *key = crypt_key_generate(CRYPT_RSA, 1024);
	struct buf pub = BUF_INIT(1000), long_e = BUF_INIT(1000);
	struct str bare;

	crypt_key_to_public(key, &pub);
	bare = str_from(buf_str(&pub), INFO_BYTES);
	assert_memory_equal(bare.p + bare.n - 5, "\x02\x03\x01\x00\x01", 5);
	buf_put_str(&long_e, str_first(bare, bare.n - 5));
	buf_put(&long_e, "\x02\x09\x01\0\0\0\0\0\0\0\x01", 11);
	long_e.p[2] = (char)(long_e.p[2] + 6);
	CHECK(!is_key(buf_str(&long_e)), "of 65 bits");
	long_e.n -= 1;
	long_e.p[2] = (char)(long_e.p[2] - 1);
	long_e.p[bare.n - 4] = 8;
	long_e.p[long_e.n - 1] = 1;
	CHECK(is_key(buf_str(&long_e)), "of 57 bits");
	pub.p[pub.n - 1] = 0;
	CHECK(!is_key(bare), "even");
	buf_done(&pub);
	buf_done(&long_e);
	crypt_key_free(key);
}

TEST(what_is_no_usable_key_is_refused)
{
	static const char ec[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
	    "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
	    "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
	    "-----END PRIVATE KEY-----\n";

	CHECK(!crypt_key_from_pem(STR("")), "nothing");
	CHECK(!crypt_key_from_pem(STR("-----BEGIN PRIVATE KEY-----\n")), "cut");
	CHECK(!crypt_key_from_pem(str_c(ec)), "another kind");
	CHECK(!crypt_key_from_public(CRYPT_RSA, STR("hello")), "no DER");
	CHECK(!crypt_key_from_public(CRYPT_ED25519, STR("short")), "short");
	CHECK(!crypt_key_generate(CRYPT_RSA, 8192), "too large");
	CHECK(!crypt_key_generate(CRYPT_RSA, 128), "too small");
}

TEST_MAIN(UNIT(digests_are_those_of_the_standards),
    UNIT(hmac_is_that_of_the_standard), UNIT(keys_survive_writing_and_reading),
    UNIT(public_keys_are_read_in_every_form_and_nothing_behind_them),
    UNIT(exponents_that_are_wrong_or_a_burden_are_refused),
    UNIT(what_is_no_usable_key_is_refused))
