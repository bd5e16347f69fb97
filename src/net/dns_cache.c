/* SPDX-License-Identifier: ISC */
/* dns_cache.c - answers for a moment. See dns_cache.h. */
#include "net/dns_cache.h"

#include "base/hash.h"
#include "base/secret.h"

#include <sys/queue.h>

#define SLOTS   16384 /* a power of two */
#define KEY_MAX (DNS_NAME_MAX + 4)

struct dns_cached {
	TAILQ_ENTRY(dns_cached) age; /* the last one was asked for last */
	struct dns_cached *next;     /* of its slot */
	unsigned refs;
	uint64_t until_ms, hash;
	uint32_t ttl_left; /* at the last get */
	size_t bytes;
	/* The key, then what the answer points to. */
	struct str key;
	struct dns_answer a;
	struct str data[];
};

struct dns_cache {
	struct dns_cached *slots[SLOTS];
	TAILQ_HEAD(, dns_cached) ages;
	size_t n, bytes;
	uint64_t seed;
};

/* --- keys ------------------------------------------------------------------- */

/* False: no such name is kept. */
static bool
make_key(
    const char *name, enum dns_type type, char key[KEY_MAX], struct str *ret)
{
	size_t n = strlen(name);

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		key[i] = ascii_lower(name[i]);
	key[n] = (char)((unsigned)type >> 8);
	key[n + 1] = (char)((unsigned)type & 0xff);
	*ret = str_make(key, n + 2);
	return true;
}

static struct dns_cached *
find(struct dns_cache *c, struct str key, uint64_t hash)
{
	struct dns_cached *e = c->slots[hash & (SLOTS - 1)];

	while (e != NULL && (e->hash != hash || !str_eq(e->key, key)))
		e = e->next;
	return e;
}

/* --- entries ------------------------------------------------------------------ */

void
dns_cached_unref(struct dns_cached *e)
{
	ASSERT(e->refs > 0);
	if (--e->refs == 0)
		free(e);
}

static void
drop(struct dns_cache *c, struct dns_cached *e)
{
	struct dns_cached **at = &c->slots[e->hash & (SLOTS - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	TAILQ_REMOVE(&c->ages, e, age);
	c->n--;
	c->bytes -= e->bytes;
	dns_cached_unref(e);
}

static size_t
size_of(const struct dns_answer *a, struct str key)
{
	size_t n = sizeof(struct dns_cached) + a->n * sizeof(struct str) +
	           key.n + (a->name ? strlen(a->name) + 1 : 0);

	for (size_t i = 0; i < a->n; i++)
		n += a->data[i].n;
	return n;
}

static struct str
copy_to(char **at, struct str s)
{
	struct str copy = str_make(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* All of it in one piece of memory. */
static struct dns_cached *
make(const struct dns_answer *a, struct str key)
{
	size_t n = size_of(a, key);
	struct dns_cached *e = x_zalloc(n);
	char *at = (char *)&e->data[a->n];

	e->refs = 1;
	e->bytes = n;
	e->key = copy_to(&at, key);
	e->a = *a;
	e->a.data = e->data;
	e->a.why = NULL;
	for (size_t i = 0; i < a->n; i++)
		e->data[i] = copy_to(&at, a->data[i]);
	if (a->name != NULL)
		e->a.name =
		    copy_to(&at, str_make(a->name, strlen(a->name) + 1)).p;
	return e;
}

/* --- the cache ------------------------------------------------------------------ */

static bool
is_kept(const struct dns_answer *a, struct str key)
{
	return a->ttl > 0 && a->status != DNS_TEMPFAIL &&
	       a->status != DNS_BOGUS &&
	       size_of(a, key) <= DNS_CACHE_ANSWER_MAX;
}

void
dns_cache_put(struct dns_cache *c, const char *name, enum dns_type type,
    const struct dns_answer *a, uint64_t now_ms)
{
	struct dns_cached *e;
	char bytes[KEY_MAX];
	struct str key;
	uint64_t hash;

	if (!make_key(name, type, bytes, &key))
		return;
	hash = hash64_seed(key.p, key.n, c->seed);
	e = find(c, key, hash);
	if (e != NULL)
		drop(c, e);
	if (!is_kept(a, key))
		return;
	e = make(a, key);
	e->hash = hash;
	e->until_ms = now_ms + MIN(a->ttl, DNS_CACHE_KEEP_S) * 1000ULL;
	e->next = c->slots[hash & (SLOTS - 1)];
	c->slots[hash & (SLOTS - 1)] = e;
	TAILQ_INSERT_TAIL(&c->ages, e, age);
	c->n++;
	c->bytes += e->bytes;
	while (c->n > DNS_CACHE_ENTRIES_MAX || c->bytes > DNS_CACHE_BYTES_MAX)
		drop(c, TAILQ_FIRST(&c->ages));
}

struct dns_cached *
dns_cache_get(
    struct dns_cache *c, const char *name, enum dns_type type, uint64_t now_ms)
{
	struct dns_cached *e;
	char bytes[KEY_MAX];
	struct str key;

	if (!make_key(name, type, bytes, &key))
		return NULL;
	e = find(c, key, hash64_seed(key.p, key.n, c->seed));
	if (e == NULL)
		return NULL;
	if (now_ms >= e->until_ms) {
		drop(c, e);
		return NULL;
	}
	TAILQ_REMOVE(&c->ages, e, age);
	TAILQ_INSERT_TAIL(&c->ages, e, age);
	e->ttl_left = (uint32_t)((e->until_ms - now_ms + 999) / 1000);
	if (e->a.ttl > DNS_CACHE_KEEP_S)
		e->ttl_left += e->a.ttl - DNS_CACHE_KEEP_S;
	e->refs++;
	return e;
}

struct dns_answer
dns_cached_answer(const struct dns_cached *e)
{
	struct dns_answer a = e->a;

	a.ttl = e->ttl_left;
	return a;
}

size_t
dns_cache_entries(const struct dns_cache *c)
{
	return c->n;
}

size_t
dns_cache_bytes(const struct dns_cache *c)
{
	return c->bytes;
}

struct dns_cache *
dns_cache_new(void)
{
	struct dns_cache *c = X_NEW(struct dns_cache);

	TAILQ_INIT(&c->ages);
	secret_random(&c->seed, sizeof(c->seed));
	return c;
}

struct dns_cache *
dns_cache_free(struct dns_cache *c)
{
	struct dns_cached *e;

	if (c == NULL)
		return NULL;
	while ((e = TAILQ_FIRST(&c->ages)) != NULL)
		drop(c, e);
	free(c);
	return NULL;
}
