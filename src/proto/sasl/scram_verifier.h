/* SPDX-License-Identifier: ISC */
/*
 * scram_verifier.h - what a server keeps to check SCRAM-SHA-256 sign-ins.
 *
 * The text form is that of RFC 5803, which other mail and database servers
 * write too, so that accounts can move without a new password:
 *
 *   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
 *
 * salt and keys in base64. Neither key is enough to sign in elsewhere, but
 * both together with the salt allow guessing: the string is a secret.
 *
 * Layer: proto. No I/O, no cryptography.
 */
#pragma once

#include "base/buf.h"

#define SCRAM_KEY_BYTES      32
#define SCRAM_SALT_MIN       8
#define SCRAM_SALT_MAX       64
#define SCRAM_ITERATIONS_MIN 4096 /* RFC 7677 section 4 */
/* More would only be a way to make clients work for nothing. */
#define SCRAM_ITERATIONS_MAX 10000000
#define SCRAM_VERIFIER_MAX   256 /* bytes of the text form */

struct scram_verifier {
	uint32_t iterations;
	size_t salt_n;
	uint8_t salt[SCRAM_SALT_MAX];
	uint8_t stored_key[SCRAM_KEY_BYTES];
	uint8_t server_key[SCRAM_KEY_BYTES];
};

/*
 * False, and *ret untouched, for anything but the one canonical form: exact
 * lengths of keys, limits above, strict base64, no leading zeros.
 */
bool scram_verifier_parse(
    struct str in, struct scram_verifier *ret) WARN_UNUSED;
void scram_verifier_format(const struct scram_verifier *v, struct buf *out);
