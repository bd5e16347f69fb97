/* SPDX-License-Identifier: ISC */
/*
 * auth_cache.h - which passwords were right a short while ago.
 *
 * Mail clients sign in all day long; the second time costs one BLAKE2b
 * instead of one argon2id. Kept is a keyed hash of login and password, with a
 * key that dies with the process. Bounded: a fixed table; what is pushed out
 * is simply checked the slow way again.
 *
 * No clock: the caller brings the time.
 */
#pragma once

#include "base/str.h"

struct auth_cache;

#define AUTH_CACHE_ENTRIES 16384

struct auth_cache *auth_cache_new(void);
void auth_cache_free(struct auth_cache *c);

struct auth_cache_hit {
	uint64_t account;
	const char *login; /* canonical; valid until the next call */
};

/* Was this password right for this login (as typed) before now? */
bool auth_cache_get(struct auth_cache *c, struct str login, struct str password,
    uint64_t now_ms, struct auth_cache_hit *ret);
/* It is right; remember it until until_ms. */
struct auth_cache_put {
	struct str login, password;
	uint64_t until_ms;
	uint64_t account;
	struct str canonical;
};
void auth_cache_put(struct auth_cache *c, const struct auth_cache_put *put);
/* Forget all of a canonical login; of everybody when it is empty. */
void auth_cache_forget(struct auth_cache *c, struct str canonical);
