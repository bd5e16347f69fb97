/* SPDX-License-Identifier: ISC */
/*
 * certificate_make.c - keys, requests, certificates signed by themselves, by
 * OpenSSL. See certificate.h.
 */
#include "base/certificate_internal.h"

#include "base/hostname.h"
#include "base/secret.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <time.h>

#define RSA_BITS      3072
#define SERIAL_BYTES  16
#define BEGINS_EARLY  3600                 /* clocks differ */
#define ACME_ID       "1.3.6.1.5.5.7.1.31" /* RFC 8737 section 3 */
#define OCTETS_HEADER 2

static void
put_bio(BIO *bio, struct buf *to)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n > 0)
		buf_put(to, p, (size_t)n);
}

bool
certificate_make_key(enum certificate_kind kind, struct buf *to)
{
	EVP_PKEY *key = kind == CERTIFICATE_RSA  ? EVP_RSA_gen(RSA_BITS)
	                : kind == CERTIFICATE_EC ? EVP_EC_gen("P-256")
	                                         : NULL;
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok =
	    key != NULL && bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;

	if (ok)
		put_bio(bio, to);
	BIO_free(bio);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok && !to->failed;
}

/* --- names ---------------------------------------------------------------------- */

static bool
add_name(GENERAL_NAMES *all, struct str name)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	if (g == NULL || s == NULL ||
	    ASN1_STRING_set(s, name.p, (int)name.n) != 1)
		die("a name of a certificate: out of memory");
	GENERAL_NAME_set0_value(g, GEN_DNS, s);
	return sk_GENERAL_NAME_push(all, g) > 0;
}

/* The extension with names, lines of them; NULL when one is none. */
static X509_EXTENSION *
names_extension(struct str names, bool is_critical)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	X509_EXTENSION *x = NULL;
	bool ok = names.n > 0;
	struct str one;

	while (names.n > 0 && ok) {
		names = str_split(names, '\n', &one);
		ok = hostname_is_valid(one) && add_name(all, one);
	}
	if (ok)
		x = X509V3_EXT_i2d(NID_subject_alt_name, is_critical, all);
	GENERAL_NAMES_free(all);
	return x;
}

/* --- requests ------------------------------------------------------------------- */

static bool
fill_request(X509_REQ *r, EVP_PKEY *key, X509_EXTENSION *names)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	bool ok = list != NULL && sk_X509_EXTENSION_push(list, names) > 0 &&
	          X509_REQ_set_version(r, 0) == 1 &&
	          X509_REQ_add_extensions(r, list) == 1 &&
	          X509_REQ_set_pubkey(r, key) == 1 &&
	          X509_REQ_sign(r, key, EVP_sha256()) > 0;

	sk_X509_EXTENSION_free(list);
	return ok;
}

bool
certificate_request(struct str key_pem, struct str names, struct buf *to)
{
	EVP_PKEY *key = certificate_read_key(key_pem);
	X509_EXTENSION *alternatives = names_extension(names, true);
	X509_REQ *r = X509_REQ_new();
	unsigned char *der = NULL;
	int n = -1;

	if (key != NULL && alternatives != NULL && r != NULL &&
	    fill_request(r, key, alternatives))
		n = i2d_X509_REQ(r, &der);
	if (n > 0)
		buf_put(to, der, (size_t)n);
	OPENSSL_free(der);
	X509_REQ_free(r);
	X509_EXTENSION_free(alternatives);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return n > 0 && !to->failed;
}

/* --- certificates signed by themselves -------------------------------------------- */

/* The digest as an OCTET STRING within the extension; critical. */
static X509_EXTENSION *
challenge_extension(const unsigned char *digest)
{
	unsigned char der[OCTETS_HEADER + CERTIFICATE_DIGEST_BYTES] = {
		V_ASN1_OCTET_STRING, CERTIFICATE_DIGEST_BYTES
	};
	ASN1_OBJECT *id = OBJ_txt2obj(ACME_ID, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *x = NULL;

	memcpy(der + OCTETS_HEADER, digest, CERTIFICATE_DIGEST_BYTES);
	if (id != NULL && s != NULL &&
	    ASN1_OCTET_STRING_set(s, der, sizeof(der)) == 1)
		x = X509_EXTENSION_create_by_OBJ(NULL, id, 1, s);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(id);
	return x;
}

static bool
add_extension(X509 *x, X509_EXTENSION *e)
{
	bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static bool
set_serial(X509 *x)
{
	unsigned char v[SERIAL_BYTES];
	BIGNUM *n;
	bool ok;

	secret_random(v, sizeof(v));
	v[0] &= 0x7f;
	n = BN_bin2bn(v, sizeof(v), NULL);
	ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

/* Of a name; a longer one than a common name may be stays an alternative. */
static bool
set_subject(X509 *x, struct str name)
{
	X509_NAME *n = X509_get_subject_name(x);

	if (name.n <= 64 &&
	    X509_NAME_add_entry_by_NID(n, NID_commonName, MBSTRING_ASC,
		(const unsigned char *)name.p, (int)name.n, -1, 0) != 1)
		return false;
	return X509_set_issuer_name(x, n) == 1;
}

static bool
fill(X509 *x, EVP_PKEY *key, struct str name, uint32_t seconds)
{
	return X509_set_version(x, 2) == 1 && set_serial(x) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -BEGINS_EARLY) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), (long)seconds) &&
	       set_subject(x, name) && X509_set_pubkey(x, key) == 1 &&
	       add_extension(x, names_extension(name, false));
}

bool
certificate_self(struct str key_pem, struct str name,
    const unsigned char *digest, uint32_t seconds, struct buf *to)
{
	EVP_PKEY *key = certificate_read_key(key_pem);
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x = X509_new();
	bool ok = key != NULL && x != NULL && bio != NULL &&
	          fill(x, key, name, seconds);

	if (ok && digest != NULL)
		ok = add_extension(x, challenge_extension(digest));
	ok = ok && X509_sign(x, key, EVP_sha256()) > 0 &&
	     PEM_write_bio_X509(bio, x) == 1;
	if (ok)
		put_bio(bio, to);
	BIO_free(bio);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok && !to->failed;
}
