/* SPDX-License-Identifier: ISC */
/* es256.c - ECDSA with P-256 and SHA-256, by OpenSSL. See es256.h. */
#include "base/es256.h"

#include "base/certificate_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* Of a signature in DER: two numbers of at most 33 bytes, and their heads. */
#define DER_MAX 80

struct es256_key {
	EVP_PKEY *pkey;
	unsigned char x[ES256_NUMBER_BYTES], y[ES256_NUMBER_BYTES];
};

static bool
is_p256(EVP_PKEY *pkey)
{
	char group[64] = "";

	return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static bool
read_number(
    EVP_PKEY *pkey, const char *name, unsigned char ret[ES256_NUMBER_BYTES])
{
	BIGNUM *n = NULL;
	bool ok =
	    EVP_PKEY_get_bn_param(pkey, name, &n) == 1 &&
	    BN_bn2binpad(n, ret, ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES;

	BN_free(n);
	return ok;
}

struct es256_key *
es256_key_from_pem(struct str pem)
{
	struct es256_key *key = X_NEW(struct es256_key);

	key->pkey = certificate_read_key(pem);
	if (key->pkey != NULL && is_p256(key->pkey) &&
	    read_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x) &&
	    read_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y))
		return key;
	ERR_clear_error();
	return es256_key_free(key);
}

struct es256_key *
es256_key_free(struct es256_key *key)
{
	if (key == NULL)
		return NULL;
	EVP_PKEY_free(key->pkey);
	free(key);
	return NULL;
}

void
es256_key_point(const struct es256_key *key,
    unsigned char ret_x[ES256_NUMBER_BYTES],
    unsigned char ret_y[ES256_NUMBER_BYTES])
{
	memcpy(ret_x, key->x, ES256_NUMBER_BYTES);
	memcpy(ret_y, key->y, ES256_NUMBER_BYTES);
}

/* The library writes DER; JWS wants the two numbers as they are. */
static bool
flatten(const unsigned char *der, size_t n,
    unsigned char ret[ES256_SIGNATURE_BYTES])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig != NULL &&
	          BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret,
		      ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + ES256_NUMBER_BYTES,
		      ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES;

	ECDSA_SIG_free(sig);
	return ok;
}

bool
es256_sign(const struct es256_key *key, struct str bytes,
    unsigned char ret[ES256_SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[DER_MAX];
	size_t n = sizeof(der);
	bool ok =
	    ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
	    EVP_DigestSign(
		ctx, der, &n, (const unsigned char *)bytes.p, bytes.n) == 1 &&
	    flatten(der, n, ret);

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
