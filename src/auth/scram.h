/* SPDX-License-Identifier: ISC */
/*
 * scram.h - make a SCRAM-SHA-256 verifier from a password (RFC 5802 section
 * 3, RFC 7677), and check a password against one.
 *
 * The one wrapper of OpenSSL's digests. Iterations: the server never
 * computes them, each client does at each sign-in; 32768 are eight times the
 * minimum of RFC 7677, about 12 ms of a desktop and 60 ms of a telephone.
 * More would be felt by clients that connect all day. A stolen verifier is
 * weaker than a stolen argon2id hash in the same measure: docs/threat-model.
 */
#pragma once

#include "proto/sasl/scram_verifier.h"

#define SCRAM_ITERATIONS 32768
#define SCRAM_SALT_BYTES 16

/* password is prepared already (gsasl_wrap.h). A new salt each time. */
void scram_verifier_make(struct str password, struct scram_verifier *ret);
/* The same with everything given: tests, and checking. */
void scram_verifier_make_with(struct str password, uint32_t iterations,
    struct str salt, struct scram_verifier *ret);
bool scram_verifier_check(
    const struct scram_verifier *v, struct str password) WARN_UNUSED;

/* HMAC-SHA-256 and SHA-256, SCRAM_KEY_BYTES each. */
void scram_hmac(struct str key, struct str in, uint8_t *ret);
void scram_hash(struct str in, uint8_t *ret);
