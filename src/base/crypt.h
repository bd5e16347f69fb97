/* SPDX-License-Identifier: ISC */
/*
 * crypt.h - digests and signatures: SHA-1, SHA-2, RSA and Ed25519.
 *
 * The one place that speaks to OpenSSL about the signatures of mail. Keys
 * are opaque; private ones leave only as PEM, into a buffer that the caller
 * wipes. Which digests and sizes are good enough is not decided here: the
 * formats that use them do that.
 *
 * Layer: base. No I/O; random numbers come from the library.
 */
#pragma once

#include "base/buf.h"

enum crypt_hash {
	CRYPT_SHA1, /* for judging old signatures only */
	CRYPT_SHA256,
	CRYPT_SHA512,
};
#define CRYPT_DIGEST_MAX 64

/* A finished digest. */
struct crypt_sum {
	unsigned char v[CRYPT_DIGEST_MAX];
	size_t n;
};

/* A digest that is being computed. */
struct crypt_digest;

struct crypt_digest *crypt_digest_new(enum crypt_hash hash);
/* NULL is fine; returns NULL. */
struct crypt_digest *crypt_digest_free(struct crypt_digest *d);
/* Another one that has come as far. */
struct crypt_digest *crypt_digest_copy(const struct crypt_digest *d);
void crypt_digest_put(struct crypt_digest *d, struct str bytes);
/* The digest of all that was put; afterwards d starts again from nothing. */
void crypt_digest_finish(struct crypt_digest *d, struct crypt_sum *ret_sum);

/* HMAC with SHA-256 (RFC 2104): who has the key, can say so of bytes. */
void crypt_hmac(struct str key, struct str bytes, struct crypt_sum *ret_sum);

/* HMAC with another one: TSIG leaves the choice to its keys (RFC 8945). */
enum crypt_mac {
	CRYPT_MAC_SHA256,
	CRYPT_MAC_SHA384,
	CRYPT_MAC_SHA512,
};
void crypt_hmac_with(enum crypt_mac mac, struct str key, struct str bytes,
    struct crypt_sum *ret_sum);

static inline struct str
crypt_sum_str(const struct crypt_sum *s)
{
	return str_make(s->v, s->n);
}

enum crypt_kind {
	CRYPT_RSA,
	CRYPT_ED25519,
};

/* Sizes outside of these are refused when a key is read: they cost more to
   use than any peer needs (RFC 8301 section 3.2 asks for 1024 to 4096). */
#define CRYPT_RSA_BITS_MIN 384
#define CRYPT_RSA_BITS_MAX 4096
/* The longest signature, and the longest key in PEM or DER. */
#define CRYPT_SIGNATURE_MAX (CRYPT_RSA_BITS_MAX / 8)
#define CRYPT_PEM_MAX       8192

/* A public key, or a private one with its public part. */
struct crypt_key;

/*
 * Make a private key; bits count for RSA alone. NULL when the library cannot
 * (its random source failed) or bits are out of range.
 */
struct crypt_key *crypt_key_generate(enum crypt_kind kind, unsigned bits);
/* NULL is fine; returns NULL. */
struct crypt_key *crypt_key_free(struct crypt_key *key);
/* Good for CLEANUP(). */
void crypt_key_freep(struct crypt_key **key);

/*
 * Read a private key: PEM, as PKCS #8 or the older RSA form, without a
 * passphrase. NULL when it is something else, a kind that is not above, or of
 * a size out of range.
 */
struct crypt_key *crypt_key_from_pem(struct str pem);
/* Append the private key as PKCS #8 PEM. False for a public key. */
bool crypt_key_to_pem(const struct crypt_key *key, struct buf *to) WARN_UNUSED;

/*
 * Read a public key. RSA: a SubjectPublicKeyInfo or a bare RSAPublicKey (RFC
 * 6376 says the one and shows the other, and both are published). Ed25519:
 * the 32 bytes of the point (RFC 8463 section 4). NULL when it is not one,
 * or when its size or exponent is out of range.
 */
struct crypt_key *crypt_key_from_public(enum crypt_kind kind, struct str bytes);
/* Append what crypt_key_from_public() reads; RSA as SubjectPublicKeyInfo. */
void crypt_key_to_public(const struct crypt_key *key, struct buf *to);

enum crypt_kind crypt_key_kind(const struct crypt_key *key);
/* Of the modulus; 256 for Ed25519. */
unsigned crypt_key_bits(const struct crypt_key *key);

/*
 * Append the signature of a digest: PKCS #1 version 1.5 for RSA; Ed25519
 * takes the digest's bytes as its message (RFC 8463 section 3). False for a
 * public key, or when it does not fit.
 */
bool crypt_sign(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, struct buf *to) WARN_UNUSED;
/* True only when signature is the key's own over this digest. */
bool crypt_verify(const struct crypt_key *key, enum crypt_hash hash,
    const struct crypt_sum *sum, struct str signature) WARN_UNUSED;
