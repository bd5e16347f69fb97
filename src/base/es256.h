/* SPDX-License-Identifier: ISC */
/*
 * es256.h - ECDSA with P-256 and SHA-256, in the form of JSON Web Signatures
 * (RFC 7518 section 3.4): a signature is R and S, 32 bytes each.
 *
 * Layer: base. No I/O; random numbers come from the library.
 */
#pragma once

#include "base/buf.h"

#define ES256_NUMBER_BYTES    32 /* of X, Y, R and S */
#define ES256_SIGNATURE_BYTES 64

struct es256_key;

/* A private key on P-256, PEM as certificate_make_key() writes it; NULL when it
 * is none. */
struct es256_key *es256_key_from_pem(struct str pem);
/* NULL is fine; gives NULL. */
struct es256_key *es256_key_free(struct es256_key *key);

/* The public point. */
void es256_key_point(const struct es256_key *key,
    unsigned char ret_x[ES256_NUMBER_BYTES],
    unsigned char ret_y[ES256_NUMBER_BYTES]);

/* False when the library cannot. */
bool es256_sign(const struct es256_key *key, struct str bytes,
    unsigned char ret[ES256_SIGNATURE_BYTES]) WARN_UNUSED;
