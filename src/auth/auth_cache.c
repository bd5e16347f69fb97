/* SPDX-License-Identifier: ISC */
/*
 * auth_cache.c - passwords that were right. See auth_cache.h. A table of
 * sets: a login can only be in one set, the oldest of it makes room.
 */
#include "auth/auth_cache.h"

#include "auth/password.h"
#include "base/secret.h"
#include "base/wire.h"

#define WAYS 4
#define SETS (AUTH_CACHE_ENTRIES / WAYS)

struct entry {
	uint64_t until_ms; /* 0: free */
	uint64_t account;
	uint8_t name[PASSWORD_DIGEST_BYTES];
	uint8_t proof[PASSWORD_DIGEST_BYTES];
	char *canonical;
};

struct auth_cache {
	uint8_t key[PASSWORD_KEY_BYTES];
	struct entry entries[SETS][WAYS];
};

struct auth_cache *
auth_cache_new(void)
{
	struct auth_cache *c = X_NEW(struct auth_cache);

	secret_random(c->key, sizeof(c->key));
	return c;
}

static void
wipe(struct entry *e)
{
	free(e->canonical);
	secret_wipe(e, sizeof(*e));
}

void
auth_cache_free(struct auth_cache *c)
{
	if (!c)
		return;
	auth_cache_forget(c, STR_NONE);
	secret_wipe(c, sizeof(*c));
	free(c);
}

static void
digest(struct auth_cache *c, char label, struct str login, struct str password,
    uint8_t ret[PASSWORD_DIGEST_BYTES])
{
	password_digest(c->key,
	    &(struct password_digest_of){
		.label = label, .name = login, .password = password },
	    ret);
}

static struct entry *
set_of(struct auth_cache *c, const uint8_t name[PASSWORD_DIGEST_BYTES])
{
	return c->entries[be32_get(name) % SETS];
}

bool
auth_cache_get(struct auth_cache *c, struct str login, struct str password,
    uint64_t now_ms, struct auth_cache_hit *ret)
{
	uint8_t name[PASSWORD_DIGEST_BYTES], proof[PASSWORD_DIGEST_BYTES];
	struct entry *set;
	bool found = false;

	digest(c, 'n', login, STR_NONE, name);
	digest(c, 'p', login, password, proof);
	set = set_of(c, name);
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].until_ms > 0 && set[i].until_ms <= now_ms)
			wipe(&set[i]);
		if (set[i].until_ms > 0 &&
		    password_digest_eq(set[i].name, name) &&
		    password_digest_eq(set[i].proof, proof)) {
			*ret = (struct auth_cache_hit){ set[i].account,
				set[i].canonical };
			found = true;
		}
	}
	secret_wipe(proof, sizeof(proof));
	return found;
}

void
auth_cache_put(struct auth_cache *c, const struct auth_cache_put *put)
{
	struct entry e = { .until_ms = put->until_ms, .account = put->account };
	struct entry *set, *victim;

	digest(c, 'n', put->login, STR_NONE, e.name);
	digest(c, 'p', put->login, put->password, e.proof);
	set = set_of(c, e.name);
	victim = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].until_ms > 0 &&
		    password_digest_eq(set[i].name, e.name)) {
			victim = &set[i];
			break;
		}
		if (set[i].until_ms < victim->until_ms)
			victim = &set[i];
	}
	wipe(victim);
	e.canonical = str_dup(put->canonical);
	*victim = e;
	secret_wipe(&e, sizeof(e));
}

void
auth_cache_forget(struct auth_cache *c, struct str canonical)
{
	for (size_t s = 0; s < SETS; s++)
		for (size_t i = 0; i < WAYS; i++) {
			struct entry *e = &c->entries[s][i];

			if (e->canonical &&
			    (canonical.n == 0 ||
				str_eq_case(str_c(e->canonical), canonical)))
				wipe(e);
		}
}
