/* SPDX-License-Identifier: ISC */
/*
 * limit_internal.h - keys and records of the limits' shard, for store/limit
 * only.
 */
#pragma once

#include "store/limit/limit.h"
#include "store/map.h"

#define LIMIT_SHARD ((struct engine_shard){ 'u', 1 })

struct limit_key {
	uint8_t n;
	char b[200];
};
#define LKEY(k) limit_key_str((struct limit_key[]){ (k) })

static inline struct str
limit_key_str(const struct limit_key *k)
{
	return (struct str){ k->b, k->n };
}

struct limiter {
	struct limit_config config;
	struct engine *engine;
	uint64_t *to_tell; /* accounts */
	size_t n_to_tell, cap_to_tell;
	uint64_t held;
	uint64_t domains;       /* that have limits of their own */
	struct limit_key purge; /* behind which the purge goes on */
};

/* kind U, or W with all of an account's. */
struct limit_key limit_key_account(char kind, uint64_t account);
struct limit_key limit_key_known(uint64_t account, uint64_t hash);
struct limit_key limit_key_domain(struct str domain);
bool limit_key_read(struct str key, char kind, uint64_t *ret_account);

/* The usage of an account, as of today; one that is not there is new. */
struct verdict limit_get(
    struct limiter *l, uint64_t account, struct usage *ret) WARN_UNUSED;
void limit_put(struct engine_batch *b, uint64_t account, const struct usage *u);
/* What counts for the account: its own, its domain's, the configuration's. */
struct verdict limit_effective(struct limiter *l, uint64_t account,
    const struct usage *u, struct usage_limits *ret) WARN_UNUSED;
/* How long recipients are remembered by an account that has so many. */
uint32_t limit_keep_days(uint32_t known);
/* The account is to be told about, if it still has to be. */
void limit_tell_later(struct limiter *l, uint64_t account);
