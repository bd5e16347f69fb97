/* SPDX-License-Identifier: ISC */
/*
 * crypt_hash.h - crypt(3) hashes of accounts that came from elsewhere.
 *
 * The one wrapper of libxcrypt. Accepted are the methods that libxcrypt
 * itself would still use for new passwords (yescrypt, bcrypt, SHA-512, ...);
 * of the weak ones only md5crypt and SHA-256, because whole user bases still
 * have them. DES, NT and plain text are refused.
 */
#pragma once

#include "base/str.h"

#define CRYPT_HASH_MAX 384

/* Could crypt_hash_check() ever say yes to it? */
bool crypt_hash_is_valid(struct str hash) WARN_UNUSED;
/* Safe to call from several threads. */
bool crypt_hash_check(struct str hash, struct str password) WARN_UNUSED;
