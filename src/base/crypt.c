/* SPDX-License-Identifier: ISC */
/*
 * crypt.c - digests and signatures, by OpenSSL 3; HMAC-SHA-256, which is made of
 * every small thing that is to be told apart and not known, by libsodium, which
 * allocates nothing for it.
 *
 * Every error of the library that input can cause is an answer here, and its
 * error queue is left empty: a queue that is not would confuse the next TLS
 * connection of this process.
 */
#include "base/crypt.h"

#include "base/secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>

/* A larger public exponent makes verifying as slow as signing. */
#define EXPONENT_BITS_MAX 64
#define ED25519_BYTES     32

struct crypt_digest {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

struct crypt_key {
	EVP_PKEY *pkey;
	enum crypt_kind kind;
	unsigned bits;
	bool is_private;
};

static const EVP_MD *
hash_md(enum crypt_hash hash)
{
	switch (hash) {
	case CRYPT_SHA1:
		return EVP_sha1();
	case CRYPT_SHA256:
		return EVP_sha256();
	case CRYPT_SHA512:
		return EVP_sha512();
	}
	die("no such digest: %d", (int)hash);
}

struct crypt_digest *
crypt_digest_new(enum crypt_hash hash)
{
	struct crypt_digest *d = X_NEW(struct crypt_digest);

	d->ctx = EVP_MD_CTX_new();
	d->md = hash_md(hash);
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, d->md, NULL) != 1)
		die("cannot start a digest");
	return d;
}

struct crypt_digest *
crypt_digest_free(struct crypt_digest *d)
{
	if (!d)
		return NULL;
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return NULL;
}

struct crypt_digest *
crypt_digest_copy(const struct crypt_digest *d)
{
	struct crypt_digest *copy = X_NEW(struct crypt_digest);

	copy->ctx = EVP_MD_CTX_new();
	copy->md = d->md;
	if (!copy->ctx || EVP_MD_CTX_copy_ex(copy->ctx, d->ctx) != 1)
		die("cannot copy a digest");
	return copy;
}

void
crypt_digest_put(struct crypt_digest *d, struct str bytes)
{
	if (bytes.n && EVP_DigestUpdate(d->ctx, bytes.p, bytes.n) != 1)
		die("cannot go on with a digest");
}

void
crypt_digest_finish(struct crypt_digest *d, struct crypt_sum *ret_sum)
{
	unsigned char v[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(d->ctx, v, &n) != 1 ||
	    EVP_DigestInit_ex(d->ctx, d->md, NULL) != 1)
		die("cannot finish a digest");
	ASSERT(n <= CRYPT_DIGEST_MAX);
	memcpy(ret_sum->v, v, n);
	ret_sum->n = n;
}

void
crypt_hmac_with(enum crypt_mac mac, struct str key, struct str bytes,
    struct crypt_sum *ret_sum)
{
	static const char *const names[] = {
		[CRYPT_MAC_SHA256] = "SHA256",
		[CRYPT_MAC_SHA384] = "SHA384",
		[CRYPT_MAC_SHA512] = "SHA512",
	};

	if (!EVP_Q_mac(NULL, "HMAC", NULL, names[mac], NULL, key.n ? key.p : "",
		key.n, (const unsigned char *)bytes.p, bytes.n, ret_sum->v,
		sizeof(ret_sum->v), &ret_sum->n))
		die("cannot compute an HMAC");
}

void
crypt_hmac(struct str key, struct str bytes, struct crypt_sum *ret_sum)
{
	crypto_auth_hmacsha256_state state;

	_Static_assert(
	    sizeof(ret_sum->v) >= crypto_auth_hmacsha256_BYTES, "fits");
	crypto_auth_hmacsha256_init(
	    &state, (const unsigned char *)(key.n ? key.p : ""), key.n);
	crypto_auth_hmacsha256_update(
	    &state, (const unsigned char *)(bytes.n ? bytes.p : ""), bytes.n);
	crypto_auth_hmacsha256_final(&state, ret_sum->v);
	ret_sum->n = crypto_auth_hmacsha256_BYTES;
	sodium_memzero(&state, sizeof(state));
}

/* The exponent of a public key: odd, more than one, and not a burden. */
static bool
has_good_exponent(EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	bool ok;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return false;
	ok = BN_is_odd(e) && !BN_is_one(e) &&
	     BN_num_bits(e) <= EXPONENT_BITS_MAX;
	BN_free(e);
	return ok;
}

/* Take over pkey, when it is of a kind and size that we use. */
static struct crypt_key *
key_new(EVP_PKEY *pkey, bool is_private)
{
	struct crypt_key k = { .pkey = pkey, .is_private = is_private };
	int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;
	bool ok = false;

	if (pkey && EVP_PKEY_is_a(pkey, "RSA")) {
		k.kind = CRYPT_RSA;
		ok = bits >= CRYPT_RSA_BITS_MIN && bits <= CRYPT_RSA_BITS_MAX &&
		     has_good_exponent(pkey);
	} else if (pkey && EVP_PKEY_is_a(pkey, "ED25519")) {
		k.kind = CRYPT_ED25519;
		ok = true;
	}
	ERR_clear_error();
	if (!ok) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	k.bits = k.kind == CRYPT_RSA ? (unsigned)bits : 256;
	struct crypt_key *key = X_NEW(struct crypt_key);
	*key = k;
	return key;
}

struct crypt_key *
crypt_key_generate(enum crypt_kind kind, unsigned bits)
{
	if (kind == CRYPT_ED25519)
		return key_new(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true);
	if (bits < CRYPT_RSA_BITS_MIN || bits > CRYPT_RSA_BITS_MAX)
		return NULL;
	return key_new(
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits), true);
}

struct crypt_key *
crypt_key_free(struct crypt_key *key)
{
	if (!key)
		return NULL;
	EVP_PKEY_free(key->pkey);
	free(key);
	return NULL;
}

void
crypt_key_freep(struct crypt_key **key)
{
	*key = crypt_key_free(*key);
}

/*
 * Decode all of bytes as one key. A passphrase is never asked for: the empty
 * one is given, so that an encrypted key is simply not readable.
 */
static EVP_PKEY *
decode_key(struct str bytes, const char *format, const char *structure,
    const char *type, int selection)
{
	EVP_PKEY *pkey = NULL;
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t left = bytes.n;
	OSSL_DECODER_CTX *ctx;

	if (bytes.n == 0 || bytes.n > CRYPT_PEM_MAX)
		return NULL;
	ctx = OSSL_DECODER_CTX_new_for_pkey(
	    &pkey, format, structure, type, selection, NULL, NULL);
	if (!ctx)
		die("cannot make a decoder of keys");
	(void)OSSL_DECODER_CTX_set_passphrase(
	    ctx, (const unsigned char *)"", 0);
	/* Behind a key in PEM there may be text, behind one in DER nothing. */
	if (OSSL_DECODER_from_data(ctx, &p, &left) != 1 ||
	    (left > 0 && strcmp(format, "DER") == 0)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	ERR_clear_error();
	return pkey;
}

struct crypt_key *
crypt_key_from_pem(struct str pem)
{
	return key_new(
	    decode_key(pem, "PEM", NULL, NULL, EVP_PKEY_KEYPAIR), true);
}

/* Append key in the given form; false when the library cannot. */
static bool
encode_key(const struct crypt_key *key, const char *format,
    const char *structure, int selection, struct buf *to)
{
	unsigned char *p = NULL;
	size_t n = 0;
	OSSL_ENCODER_CTX *ctx;
	bool ok;

	ctx = OSSL_ENCODER_CTX_new_for_pkey(
	    key->pkey, selection, format, structure, NULL);
	if (!ctx)
		die("cannot make an encoder of keys");
	ok = OSSL_ENCODER_to_data(ctx, &p, &n) == 1;
	OSSL_ENCODER_CTX_free(ctx);
	ERR_clear_error();
	if (ok)
		buf_put(to, p, n);
	OPENSSL_clear_free(p, n);
	return ok;
}

bool
crypt_key_to_pem(const struct crypt_key *key, struct buf *to)
{
	return key->is_private &&
	       encode_key(key, "PEM", "PrivateKeyInfo", EVP_PKEY_KEYPAIR, to) &&
	       !to->failed;
}

static EVP_PKEY *
ed25519_from_public(struct str bytes)
{
	if (bytes.n != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, (const unsigned char *)bytes.p, bytes.n);
}

/*
 * The RSAPublicKey inside of a SubjectPublicKeyInfo in the form that nearly
 * every one has: a sequence of the algorithm and a bit string. The answer is
 * empty for any other form, which the general decoder may know.
 */
static struct str
skip_key_info(struct str der)
{
	static const char algorithm[] =
	    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
	const unsigned char *p = (const unsigned char *)der.p;
	struct str rest;

	/* A length is one byte, or up to two behind a byte that says so. */
	if (der.n < 2 || p[0] != 0x30)
		return STR_NONE;
	rest = str_from(der, p[1] > 0x80 && p[1] < 0x83 ? p[1] - 0x7eu : 2);
	if (!str_starts(rest, str_make(algorithm, sizeof(algorithm) - 1)))
		return STR_NONE;
	rest = str_from(rest, sizeof(algorithm) - 1);
	p = (const unsigned char *)rest.p;
	if (rest.n < 2 || p[0] != 0x03)
		return STR_NONE;
	rest = str_from(rest, p[1] > 0x80 && p[1] < 0x83 ? p[1] - 0x7eu : 2);
	return rest.n && rest.p[0] == 0 ? str_from(rest, 1) : STR_NONE;
}

/*
 * Much faster than the general decoder, which tries every kind of key that
 * there could be. All of bytes has to be the key.
 */
static EVP_PKEY *
rsa_from_public(struct str bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	EVP_PKEY *pkey;

	if (bytes.n == 0 || bytes.n > CRYPT_PEM_MAX)
		return NULL;
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)bytes.n);
	if (pkey && p != (const unsigned char *)bytes.p + bytes.n) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	ERR_clear_error();
	return pkey;
}

struct crypt_key *
crypt_key_from_public(enum crypt_kind kind, struct str bytes)
{
	EVP_PKEY *pkey;

	if (kind == CRYPT_ED25519)
		return key_new(ed25519_from_public(bytes), false);
	pkey = rsa_from_public(skip_key_info(bytes));
	if (!pkey)
		pkey = rsa_from_public(bytes);
	if (!pkey)
		pkey = decode_key(bytes, "DER", "SubjectPublicKeyInfo", "RSA",
		    EVP_PKEY_PUBLIC_KEY);
	return key_new(pkey, false);
}

/* Of any RSA key, however it was read: the library's encoder refuses those
 * that its older functions made. */
static void
put_spki(const struct crypt_key *key, struct buf *to)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);

	if (n <= 0)
		die("cannot encode a public key");
	buf_put(to, der, (size_t)n);
	OPENSSL_free(der);
}

void
crypt_key_to_public(const struct crypt_key *key, struct buf *to)
{
	unsigned char raw[ED25519_BYTES];
	size_t n = sizeof(raw);

	if (key->kind == CRYPT_RSA) {
		put_spki(key, to);
		return;
	}
	if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) != 1)
		die("cannot encode a public key");
	buf_put(to, raw, n);
}

enum crypt_kind
crypt_key_kind(const struct crypt_key *key)
{
	return key->kind;
}

unsigned
crypt_key_bits(const struct crypt_key *key)
{
	return key->bits;
}

/* A context for RSA over a digest that is already computed. */
static EVP_PKEY_CTX *
rsa_ctx(const struct crypt_key *key, enum crypt_hash hash, bool is_signing)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);

	if (!ctx)
		die("cannot make a context for a signature");
	if ((is_signing ? EVP_PKEY_sign_init(ctx)
			: EVP_PKEY_verify_init(ctx)) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, hash_md(hash)) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static bool
rsa_sign(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, unsigned char *sig, size_t *n)
{
	EVP_PKEY_CTX *ctx = rsa_ctx(key, hash, true);
	bool ok = ctx && EVP_PKEY_sign(ctx, sig, n, sum->v, sum->n) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
ed25519_sign(const struct crypt_key *key, const struct crypt_sum *sum,
    unsigned char *sig, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	if (!ctx)
		die("cannot make a context for a signature");
	ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	     EVP_DigestSign(ctx, sig, n, sum->v, sum->n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
crypt_sign(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, struct buf *to)
{
	unsigned char sig[CRYPT_SIGNATURE_MAX];
	size_t n = sizeof(sig);
	bool ok;

	if (!key->is_private)
		return false;
	ok = key->kind == CRYPT_RSA ? rsa_sign(key, hash, sum, sig, &n)
	                            : ed25519_sign(key, sum, sig, &n);
	ERR_clear_error();
	if (ok)
		buf_put(to, sig, n);
	return ok && !to->failed;
}

static bool
rsa_verify(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, struct str signature)
{
	EVP_PKEY_CTX *ctx = rsa_ctx(key, hash, false);
	bool ok =
	    ctx && EVP_PKEY_verify(ctx, (const unsigned char *)signature.p,
		       signature.n, sum->v, sum->n) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
ed25519_verify(const struct crypt_key *key, const struct crypt_sum *sum,
    struct str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	if (!ctx)
		die("cannot make a context for a signature");
	ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	     EVP_DigestVerify(ctx, (const unsigned char *)signature.p,
		 signature.n, sum->v, sum->n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
crypt_verify(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, struct str signature)
{
	bool ok;

	if (signature.n == 0 || signature.n > CRYPT_SIGNATURE_MAX)
		return false;
	ok = key->kind == CRYPT_RSA ? rsa_verify(key, hash, sum, signature)
	                            : ed25519_verify(key, sum, signature);
	ERR_clear_error();
	return ok;
}
