/* SPDX-License-Identifier: ISC */
/* certificate_test.c - what is made can be read, and says what it should. */
#include "../test.h"
#include "base/base64.h"
#include "base/certificate.h"
#include "base/es256.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define DAY 86400U

static void
make_key(enum certificate_kind kind, struct buf *to)
{
	*to = BUF_INIT(KIB(16));
	assert_true(certificate_make_key(kind, to));
}

TEST(a_certificate_of_its_own_says_what_it_was_made_with)
{
	static const enum certificate_kind kinds[] = { CERTIFICATE_RSA,
		CERTIFICATE_EC };
	struct certificate_facts f;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf key, pem = BUF_INIT(KIB(64));

		make_key(kinds[i], &key);
		assert_true(certificate_self(
		    buf_str(&key), STR("mx.example.org"), NULL, DAY, &pem));
		assert_true(certificate_read(buf_str(&pem), &f));
		assert_string_equal(f.names, "mx.example.org\n");
		assert_string_equal(f.issuer, "mx.example.org");
		assert_int_equal(f.kind, kinds[i]);
		assert_true(f.is_own);
		assert_int_equal(f.ends - f.begins, DAY + 3600);
		assert_null(certificate_fault(buf_str(&pem), buf_str(&key)));
		certificate_facts_done(&f);
		buf_done(&pem);
		buf_done_secret(&key);
	}
}

TEST(what_does_not_fit_together_is_said)
{
	struct buf key, other, pem = BUF_INIT(KIB(64));

	make_key(CERTIFICATE_EC, &key);
	make_key(CERTIFICATE_EC, &other);
	assert_true(
	    certificate_self(buf_str(&key), STR("a.example"), NULL, DAY, &pem));
	assert_string_equal(certificate_fault(buf_str(&pem), buf_str(&other)),
	    "the private key does not belong to the certificate");
	assert_string_equal(certificate_fault(buf_str(&pem), STR("x")),
	    "no private key in PEM form without a pass phrase was found");
	assert_string_equal(certificate_fault(STR_NONE, buf_str(&key)),
	    "no certificate in PEM form was found");
	buf_put_c(&pem, "-----BEGIN CERTIFICATE-----\nMIIB\n");
	assert_string_equal(certificate_fault(buf_str(&pem), buf_str(&key)),
	    "a certificate of the chain is damaged");
	buf_done(&pem);
	buf_done(&key);
	buf_done(&other);
}

TEST(a_request_has_all_names_and_no_subject)
{
	struct buf key, der = BUF_INIT(KIB(16));
	const unsigned char *p;
	X509_REQ *r;
	STACK_OF(X509_EXTENSION) * list;
	GENERAL_NAMES *names;
	const GENERAL_NAME *second;

	make_key(CERTIFICATE_EC, &key);
	assert_true(certificate_request(
	    buf_str(&key), STR("a.example\nb.example\n"), &der));
	p = (const unsigned char *)der.p;
	r = d2i_X509_REQ(NULL, &p, (long)der.n);
	assert_non_null(r);
	assert_int_equal(X509_REQ_verify(r, X509_REQ_get0_pubkey(r)), 1);
	assert_int_equal(
	    X509_NAME_entry_count(X509_REQ_get_subject_name(r)), 0);
	list = X509_REQ_get_extensions(r);
	names = X509V3_get_d2i(list, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 2);
	second = sk_GENERAL_NAME_value(names, 1);
	assert_memory_equal(
	    ASN1_STRING_get0_data(second->d.dNSName), "b.example", 9);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(r);
	assert_false(certificate_request(buf_str(&key), STR_NONE, &der));
	assert_false(
	    certificate_request(buf_str(&key), STR("a b.example\n"), &der));
	assert_false(certificate_request(STR("x"), STR("a.example\n"), &der));
	buf_done(&der);
	buf_done(&key);
}

TEST(the_certificate_of_a_challenge_carries_the_digest)
{
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];
	struct buf key, pem = BUF_INIT(KIB(64));
	ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
	const ASN1_OCTET_STRING *value;
	X509_EXTENSION *e;
	BIO *bio;
	X509 *x;

	memset(digest, 0x5a, sizeof(digest));
	make_key(CERTIFICATE_EC, &key);
	assert_true(certificate_self(
	    buf_str(&key), STR("a.example"), digest, DAY, &pem));
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	e = X509_get_ext(x, X509_get_ext_by_OBJ(x, id, -1));
	assert_non_null(e);
	assert_int_equal(X509_EXTENSION_get_critical(e), 1);
	value = X509_EXTENSION_get_data(e);
	assert_int_equal(ASN1_STRING_length(value), 34);
	assert_memory_equal(ASN1_STRING_get0_data(value), "\x04\x20", 2);
	assert_memory_equal(ASN1_STRING_get0_data(value) + 2, digest, 32);
	X509_free(x);
	BIO_free(bio);
	ASN1_OBJECT_free(id);
	buf_done(&pem);
	buf_done(&key);
}

TEST(a_signature_of_es256_is_two_numbers_and_verifies)
{
	struct buf key, rsa;
	unsigned char sig[ES256_SIGNATURE_BYTES], x[32], y[32], der[80];
	unsigned char *p = der;
	struct es256_key *k;
	ECDSA_SIG *s = ECDSA_SIG_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	BIO *bio;
	EVP_PKEY *pkey;

	make_key(CERTIFICATE_EC, &key);
	k = es256_key_from_pem(buf_str(&key));
	assert_non_null(k);
	es256_key_point(k, x, y);
	bio = BIO_new_mem_buf(key.p, (int)key.n);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	for (unsigned i = 0; i < 300; i++) {
		struct str text = str_make(&i, sizeof(i));
		int n;

		assert_true(es256_sign(k, text, sig));
		ECDSA_SIG_set0(
		    s, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL));
		p = der;
		n = i2d_ECDSA_SIG(s, &p);
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey);
		assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)n,
				     (const unsigned char *)text.p, text.n),
		    1);
	}
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	EVP_MD_CTX_free(ctx);
	ECDSA_SIG_free(s);
	es256_key_free(k);
	make_key(CERTIFICATE_RSA, &rsa);
	assert_null(es256_key_from_pem(buf_str(&rsa)));
	assert_null(es256_key_from_pem(STR("nothing")));
	buf_done(&key);
	buf_done(&rsa);
}

/* RFC 4648 section 10, and what its section 5 changes. */
TEST(base64_for_urls_has_one_form)
{
	static const struct {
		const char *plain, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" },
	};
	static const char *const bad[] = { "Zg==", "Zh", "Z", "+/+/",
		"Zg=", "Z g" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100), d = BUF_INIT(100);

		base64url_encode(&b, str_c(cases[i].plain));
		CHECK(str_eq(buf_str(&b), str_c(cases[i].text)), cases[i].text);
		CHECK(base64url_decode(&d, buf_str(&b)), cases[i].text);
		CHECK(
		    str_eq(buf_str(&d), str_c(cases[i].plain)), cases[i].text);
		buf_done(&b);
		buf_done(&d);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf d = BUF_INIT(100);

		CHECK(!base64url_decode(&d, str_c(bad[i])), bad[i]);
		CHECK(d.n == 0, bad[i]);
		buf_done(&d);
	}
}

TEST_MAIN(UNIT(a_certificate_of_its_own_says_what_it_was_made_with),
    UNIT(what_does_not_fit_together_is_said),
    UNIT(a_request_has_all_names_and_no_subject),
    UNIT(the_certificate_of_a_challenge_carries_the_digest),
    UNIT(a_signature_of_es256_is_two_numbers_and_verifies),
    UNIT(base64_for_urls_has_one_form))
