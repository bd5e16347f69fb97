/* SPDX-License-Identifier: ISC */
/*
 * verifier.h - the hashes of one password: make them, check against one.
 *
 * New passwords get two: argon2id for mechanisms in which the password
 * travels, SCRAM-SHA-256 for those in which it does not. Passwords are
 * prepared (SASLprep) for both; imported crypt(3) hashes were made of the
 * bytes as typed, and are checked with them.
 */
#pragma once

#include "base/buf.h"

enum verifier_error {
	VERIFIER_OK,
	VERIFIER_EMPTY,
	VERIFIER_TOO_LONG,
	VERIFIER_BAD_CHAR, /* not UTF-8, controls, or otherwise not allowed */
};

/*
 * Make both of password: argon2id appended to ret_argon2 and SCRAM to
 * ret_scram. Takes some 40 ms. Nothing is appended on an error.
 */
enum verifier_error verifier_make(
    struct str password, struct buf *ret_argon2, struct buf *ret_scram);
const char *verifier_error_str(enum verifier_error e);

/* A hash that verifier_check() can check: argon2id, SCRAM or crypt(3). */
bool verifier_is_valid(struct str hash) WARN_UNUSED;
/* Any thread. As slow as the hash wants it. */
bool verifier_check(struct str hash, struct str password) WARN_UNUSED;
