/* SPDX-License-Identifier: ISC */
/*
 * dir_record.h - keys and records of the directory's shard.
 *
 *   A address   alias: its targets; the address "@domain" is a catch-all
 *   D domain    domain: how many users and aliases it has
 *   G           counters: the next account number
 *   K "salt"    key of the salts of users who do not exist (salt_key.c)
 *   S domain    the keys that sign its mail (dkim_record.h)
 *   T time domain  when these keys change by themselves, no value
 *   U login     user: its account
 *   V account   verifiers of the password, kept while the account exists
 *   X account   a removed user whose mail still exists
 *
 * Addresses and domains in keys are clean (address.h). A record starts with
 * its version. Pure: decoders check everything; false means damaged.
 */
#pragma once

#include "base/wire.h"

#define DIR_RECORD_VERSION 1
#define DIR_TARGETS_MAX    500 /* of one alias */

struct domain_record {
	uint64_t created;
	uint32_t users, aliases;
};

struct user_record {
	uint64_t account, created;
};

struct verifier_record {
	struct str login, argon2, scram_sha256, crypt;
};

struct removed_record {
	struct str login;
	uint64_t created, removed;
};

struct alias_record {
	uint32_t n;
	struct str targets; /* n vstrs */
};

void domain_record_encode(struct buf *b, const struct domain_record *r);
void user_record_encode(struct buf *b, const struct user_record *r);
void verifier_record_encode(struct buf *b, const struct verifier_record *r);
void removed_record_encode(struct buf *b, const struct removed_record *r);
void alias_record_encode(struct buf *b, const struct alias_record *r);
void counter_record_encode(struct buf *b, uint64_t next_account);

/* Strings point into val; on false *ret is untouched. */
bool domain_record_decode(
    struct str val, struct domain_record *ret) WARN_UNUSED;
bool user_record_decode(struct str val, struct user_record *ret) WARN_UNUSED;
bool verifier_record_decode(
    struct str val, struct verifier_record *ret) WARN_UNUSED;
bool removed_record_decode(
    struct str val, struct removed_record *ret) WARN_UNUSED;
bool alias_record_decode(struct str val, struct alias_record *ret) WARN_UNUSED;
bool counter_record_decode(struct str val, uint64_t *ret) WARN_UNUSED;
