/* SPDX-License-Identifier: ISC */
/*
 * password.h - password hashes: argon2id, and keyed hashes for the cache.
 *
 * By libsodium. Cost: 24 MiB and two passes, which is above
 * the 19 MiB and two passes that OWASP asks for at least, and takes about
 * 30 ms of one core here: what a thread of the auth role can do 30 times a
 * second, and an attacker with the stored hash pays for each guess.
 */
#pragma once

#include "base/str.h"

#define PASSWORD_ARGON2_MEMORY MIB(24)
#define PASSWORD_ARGON2_PASSES 2
#define PASSWORD_MAX           1024 /* bytes of a password */
/* Memory of a hash made elsewhere that we are ready to compute. */
#define PASSWORD_ARGON2_MEMORY_MAX MIB(256)
#define PASSWORD_ARGON2_PASSES_MAX 16

/* Once in each process that uses what is below. */
void password_init(void);

/* "$argon2id$v=19$..." of password, on the heap. */
char *password_argon2_make(struct str password);
/* Takes as long for a wrong password as for the right one. */
bool password_argon2_check(struct str hash, struct str password) WARN_UNUSED;
/* Is it an argon2id hash whose cost is within the limits above? */
bool password_argon2_is_valid(struct str hash) WARN_UNUSED;
/* A hash of our own cost that no known password has: for unknown users. Made
 * at the first call. */
const char *password_argon2_dummy(void);

#define PASSWORD_KEY_BYTES    32
#define PASSWORD_DIGEST_BYTES 32
/*
 * BLAKE2b of label, name and password with a key: fast, worthless without
 * the key. The parts cannot run into each other.
 */
struct password_digest_of {
	char label;
	struct str name, password;
};
void password_digest(const uint8_t key[PASSWORD_KEY_BYTES],
    const struct password_digest_of *in, uint8_t ret[PASSWORD_DIGEST_BYTES]);
/* Equal, in a time that does not tell where they differ. */
bool password_digest_eq(const uint8_t a[PASSWORD_DIGEST_BYTES],
    const uint8_t b[PASSWORD_DIGEST_BYTES]) WARN_UNUSED;
