/* SPDX-License-Identifier: ISC */
/*
 * throttle.c - count failures, delay and ban. See throttle.h. All kinds of
 * entries share one table of sets, found by a keyed hash, so that nobody can
 * aim at a set.
 */
#include "auth/throttle.h"

#include <arpa/inet.h>

#include "auth/password.h"
#include "base/secret.h"
#include "base/wire.h"

#define WAYS 8
#define SETS (THROTTLE_ENTRIES / WAYS)

enum kind {
	KIND_ADDRESS = 'a',
	KIND_LOGIN = 'l',
	KIND_TRUST = 't', /* address and login that belong together */
	KIND_WRONG = 'w', /* a wrong password that was counted */
};

struct entry {
	uint8_t name[PASSWORD_DIGEST_BYTES];
	uint64_t until_ms; /* worth keeping until then; 0: free */
	uint64_t ban_until_ms;
	uint32_t failures;
};

struct throttle {
	struct throttle_limits limits;
	uint8_t key[PASSWORD_KEY_BYTES];
	struct entry entries[SETS][WAYS];
};

/* What an address counts as: 4 or 8 bytes, or the text itself. */
struct address {
	uint8_t bytes[8];
	struct str s;
};

struct throttle *
throttle_new(const struct throttle_limits *limits)
{
	struct throttle *t = X_NEW(struct throttle);

	t->limits = *limits;
	secret_random(t->key, sizeof(t->key));
	return t;
}

void
throttle_free(struct throttle *t)
{
	free(t);
}

void
throttle_set_limits(struct throttle *t, const struct throttle_limits *limits)
{
	t->limits = *limits;
}

static void
address_of(struct str ip, struct address *ret)
{
	char c[INET6_ADDRSTRLEN] = "";
	struct in6_addr six;
	struct in_addr four;

	ret->s = ip;
	if (ip.n >= sizeof(c))
		return;
	memcpy(c, ip.p ? ip.p : "", ip.n);
	if (inet_pton(AF_INET, c, &four) == 1) {
		memcpy(ret->bytes, &four, 4);
		ret->s = str_make(ret->bytes, 4);
	} else if (inet_pton(AF_INET6, c, &six) == 1) {
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(&six);

		memcpy(ret->bytes, six.s6_addr + (is_mapped ? 12 : 0),
		    is_mapped ? 4 : 8);
		ret->s = str_make(ret->bytes, is_mapped ? 4 : 8);
	}
}

static void
name_of(struct throttle *t, enum kind kind, const struct throttle_who *who,
    uint8_t ret[PASSWORD_DIGEST_BYTES])
{
	struct password_digest_of d = { .label = (char)kind };
	struct address a;

	if (kind == KIND_ADDRESS || kind == KIND_TRUST) {
		address_of(who->ip, &a);
		d.password = a.s;
	}
	if (kind != KIND_ADDRESS)
		d.name = who->login;
	if (kind == KIND_WRONG)
		d.password = who->password;
	password_digest(t->key, &d, ret);
}

/* The entry of that name that still counts, or NULL. */
static struct entry *
find(struct throttle *t, const uint8_t *name, uint64_t now_ms)
{
	struct entry *set = t->entries[be32_get(name) % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].until_ms > now_ms &&
		    password_digest_eq(set[i].name, name))
			return &set[i];
	return NULL;
}

/* Which of two entries has less to lose? Bans are worth most. */
static bool
is_lesser(const struct entry *a, const struct entry *b, uint64_t now_ms)
{
	bool a_bans = a->ban_until_ms > now_ms;
	bool b_bans = b->ban_until_ms > now_ms;

	if (a_bans != b_bans)
		return b_bans;
	return a->until_ms < b->until_ms;
}

/* The entry of that name, new if need be. Its until_ms is the caller's. */
static struct entry *
obtain(struct throttle *t, const uint8_t *name, uint64_t now_ms)
{
	struct entry *set = t->entries[be32_get(name) % SETS];
	struct entry *e = find(t, name, now_ms);

	if (e)
		return e;
	e = &set[0];
	for (size_t i = 1; i < WAYS; i++)
		if (is_lesser(&set[i], e, now_ms))
			e = &set[i];
	*e = (struct entry){ 0 };
	memcpy(e->name, name, sizeof(e->name));
	return e;
}

static struct entry *
find_kind(struct throttle *t, enum kind kind, const struct throttle_who *who,
    uint64_t now_ms)
{
	uint8_t name[PASSWORD_DIGEST_BYTES];

	name_of(t, kind, who, name);
	return find(t, name, now_ms);
}

static bool
has_ban(struct throttle *t, enum kind kind, const struct throttle_who *who,
    uint64_t now_ms)
{
	const struct entry *e = find_kind(t, kind, who, now_ms);

	return e && e->ban_until_ms > now_ms;
}

bool
throttle_is_banned(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms)
{
	if (t->limits.failures_max == 0)
		return false;
	if (has_ban(t, KIND_ADDRESS, who, now_ms))
		return true;
	return who->login.n > 0 && has_ban(t, KIND_LOGIN, who, now_ms) &&
	       !find_kind(t, KIND_TRUST, who, now_ms);
}

enum throttle_client
throttle_client(
    struct throttle *t, struct str ip, uint64_t now_ms, uint64_t *ret_until_ms)
{
	const struct throttle_who who = { .ip = ip };
	const struct entry *e = NULL;

	if (t->limits.failures_max > 0)
		e = find_kind(t, KIND_ADDRESS, &who, now_ms);
	*ret_until_ms = e != NULL ? e->until_ms : 0;
	if (e == NULL)
		return THROTTLE_FREE;
	return e->ban_until_ms > now_ms ? THROTTLE_BANNED : THROTTLE_SLOWED;
}

/* Count one failure; the answer is how many there are in the window. */
static uint32_t
count(struct throttle *t, enum kind kind, const struct throttle_who *who,
    uint64_t now_ms)
{
	uint8_t name[PASSWORD_DIGEST_BYTES];
	struct entry *e;

	name_of(t, kind, who, name);
	e = obtain(t, name, now_ms);
	if (e->until_ms <= now_ms)
		e->until_ms = now_ms + UINT64_C(1000) * t->limits.window_s;
	if (e->failures < UINT32_MAX)
		e->failures++;
	return e->failures;
}

/* The window is over for this one; it waits instead. */
static void
ban(struct throttle *t, enum kind kind, const struct throttle_who *who,
    uint64_t now_ms)
{
	uint8_t name[PASSWORD_DIGEST_BYTES];
	struct entry *e;

	name_of(t, kind, who, name);
	e = obtain(t, name, now_ms);
	e->failures = 0;
	e->ban_until_ms = now_ms + UINT64_C(1000) * t->limits.ban_s;
	e->until_ms = e->ban_until_ms;
}

static uint64_t
delay_of(uint32_t failures)
{
	uint64_t ms = THROTTLE_DELAY_MIN_MS;

	while (--failures > 0 && ms < THROTTLE_DELAY_MAX_MS)
		ms *= 2;
	return MIN(ms, (uint64_t)THROTTLE_DELAY_MAX_MS);
}

struct throttle_verdict
throttle_fail(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms)
{
	struct throttle_verdict v = { 0 };
	uint32_t max = t->limits.failures_max, n;
	const struct entry *e;

	if (max == 0)
		return v;
	/* The same wrong password again tells an attacker nothing. */
	if (who->password.n > 0 && count(t, KIND_WRONG, who, now_ms) > 1) {
		e = find_kind(t, KIND_ADDRESS, who, now_ms);
		v.delay_ms = delay_of(e && e->failures ? e->failures : 1);
		return v;
	}
	n = count(t, KIND_ADDRESS, who, now_ms);
	v.delay_ms = delay_of(n);
	if (n >= max) {
		ban(t, KIND_ADDRESS, who, now_ms);
		v.is_new_ban = true;
	}
	if (who->login.n > 0 &&
	    count(t, KIND_LOGIN, who, now_ms) / THROTTLE_LOGIN_FACTOR >= max) {
		ban(t, KIND_LOGIN, who, now_ms);
		v.is_new_ban = true;
	}
	return v;
}

bool
throttle_is_known(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms)
{
	return who->login.n > 0 &&
	       find_kind(t, KIND_TRUST, who, now_ms) != NULL;
}

void
throttle_succeed(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms)
{
	uint8_t name[PASSWORD_DIGEST_BYTES];
	struct entry *e;

	name_of(t, KIND_TRUST, who, name);
	e = obtain(t, name, now_ms);
	e->until_ms = now_ms + THROTTLE_TRUST_MS;
}
