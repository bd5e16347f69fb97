/* SPDX-License-Identifier: ISC */
/*
 * limits.c - connections and rates by address: a hash table of small entries.
 *
 * Chains hang off a fixed array of heads whose hash is keyed with a random
 * number, so that nobody can aim at one chain. An entry lives while it has
 * connections or its bucket is not full again; a full table first loses the
 * entries that have become pointless.
 */
#include "net/limits.h"

#include "base/secret.h"

#include <netinet/in.h>

#define HEADS     1024
#define MINUTE_MS 60000ULL
#define SWEEP_MS  1000

struct entry {
	struct entry *next;
	uint64_t key[2];
	uint64_t spent_ms; /* tokens spent, in milliseconds of refill */
	uint64_t seen_ms;  /* when spent_ms was right */
	uint32_t connections;
};

struct limits {
	struct limits_config config;
	uint64_t seed;
	uint64_t swept_ms; /* when all chains were swept last */
	size_t count;
	struct entry *heads[HEADS];
};

struct limits *
limits_new(const struct limits_config *config)
{
	struct limits *l = X_NEW(struct limits);

	l->config = *config;
	secret_random(&l->seed, sizeof(l->seed));
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < HEADS; i++) {
		while (l->heads[i] != NULL) {
			struct entry *e = l->heads[i];

			l->heads[i] = e->next;
			free(e);
		}
	}
	free(l);
}

void
limits_configure(struct limits *l, const struct limits_config *config)
{
	l->config = *config;
}

size_t
limits_count(const struct limits *l)
{
	return l->count;
}

/* False for what is not counted. */
static bool
key_of(const struct sockaddr_storage *addr, uint64_t ret[2])
{
	const struct sockaddr_in *in4 = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;

	ret[0] = addr->ss_family;
	ret[1] = 0;
	if (addr->ss_family == AF_INET)
		memcpy(&ret[1], &in4->sin_addr, 4);
	else if (addr->ss_family == AF_INET6)
		memcpy(&ret[1], &in6->sin6_addr, 8); /* the /64 */
	else
		return false;
	return true;
}

static struct entry **
head_of(struct limits *l, const uint64_t key[2])
{
	uint64_t h = (key[0] ^ l->seed) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ key[1] ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 32) ^ l->seed) * 0x94d049bb133111ebULL;
	return &l->heads[(h >> 40) % HEADS];
}

static struct entry **
find(struct limits *l, const uint64_t key[2])
{
	struct entry **at = head_of(l, key);

	while (
	    *at != NULL && ((*at)->key[0] != key[0] || (*at)->key[1] != key[1]))
		at = &(*at)->next;
	return at;
}

static void
refill(struct entry *e, uint64_t now_ms)
{
	uint64_t passed = now_ms > e->seen_ms ? now_ms - e->seen_ms : 0;

	e->spent_ms -= MIN(e->spent_ms, passed);
	e->seen_ms = now_ms;
}

static void
drop(struct limits *l, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	free(e);
	l->count--;
}

/* Drop the entries of one chain that say nothing any more. */
static void
sweep(struct limits *l, struct entry **at, uint64_t now_ms)
{
	while (*at != NULL) {
		refill(*at, now_ms);
		if ((*at)->connections == 0 && (*at)->spent_ms == 0)
			drop(l, at);
		else
			at = &(*at)->next;
	}
}

static struct entry *
make(struct limits *l, const uint64_t key[2], uint64_t now_ms)
{
	struct entry **head = head_of(l, key);
	struct entry *e;

	sweep(l, head, now_ms);
	/* Under attack, do not sweep for each new address. */
	if (l->count >= LIMITS_ADDRESSES_MAX &&
	    now_ms >= l->swept_ms + SWEEP_MS) {
		l->swept_ms = now_ms;
		for (size_t i = 0; i < HEADS; i++)
			sweep(l, &l->heads[i], now_ms);
	}
	if (l->count >= LIMITS_ADDRESSES_MAX)
		return NULL;
	e = X_NEW(struct entry);
	e->key[0] = key[0];
	e->key[1] = key[1];
	e->seen_ms = now_ms;
	e->next = *head;
	*head = e;
	l->count++;
	return e;
}

enum limits_answer
limits_enter(
    struct limits *l, const struct sockaddr_storage *addr, uint64_t now_ms)
{
	uint32_t rate = l->config.rate_per_minute;
	uint64_t key[2];
	struct entry *e;

	if (!key_of(addr, key))
		return LIMITS_OK;
	e = *find(l, key);
	if (e == NULL)
		e = make(l, key, now_ms);
	if (e == NULL)
		return LIMITS_TOO_MANY;
	if (l->config.connections > 0 &&
	    e->connections >= l->config.connections)
		return LIMITS_TOO_MANY;
	refill(e, now_ms);
	if (rate > 0) {
		uint64_t price = MINUTE_MS / rate;

		if (e->spent_ms + price > MINUTE_MS)
			return LIMITS_TOO_FAST;
		e->spent_ms += price;
	}
	e->connections++;
	return LIMITS_OK;
}

enum limits_answer
limits_look(struct limits *l, const struct sockaddr_storage *addr,
    uint64_t now_ms, uint64_t *ret_wait_ms)
{
	uint32_t rate = l->config.rate_per_minute;
	uint64_t key[2], price;
	struct entry *e;

	if (!key_of(addr, key) || (e = *find(l, key)) == NULL)
		return LIMITS_OK;
	if (l->config.connections > 0 &&
	    e->connections >= l->config.connections)
		return LIMITS_TOO_MANY;
	refill(e, now_ms);
	price = rate > 0 ? MINUTE_MS / rate : 0;
	if (e->spent_ms + price <= MINUTE_MS)
		return LIMITS_OK;
	*ret_wait_ms = e->spent_ms + price - MINUTE_MS;
	return LIMITS_TOO_FAST;
}

void
limits_leave(struct limits *l, const struct sockaddr_storage *addr)
{
	uint64_t key[2];
	struct entry **at;

	if (!key_of(addr, key))
		return;
	at = find(l, key);
	ASSERT(*at != NULL && (*at)->connections > 0);
	(*at)->connections--;
	if ((*at)->connections == 0 && (*at)->spent_ms == 0)
		drop(l, at);
}
