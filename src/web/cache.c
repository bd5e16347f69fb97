/* SPDX-License-Identifier: ISC */
/* cache.c - rendered pages. See cache.h. */
#include "web/cache.h"

#include "base/gzip.h"
#include "base/hash.h"

#include <inttypes.h>

#define PAGES_MAX 256
#define BYTES_MAX MIB(32)
#define GZIP_MAX  MIB(8)

struct cache {
	struct cached *pages[PAGES_MAX];
	size_t n;
	size_t bytes;
	uint64_t clock;
};

struct cache *
cache_new(void)
{
	return X_NEW(struct cache);
}

void
cached_unref(void *arg)
{
	struct cached *p = arg;

	ASSERT(p->refs > 0);
	if (--p->refs > 0)
		return;
	str_free(&p->html);
	str_free(&p->gz);
	free(p->key);
	free(p);
}

static void
drop(struct cache *c, size_t i)
{
	c->bytes -= c->pages[i]->html.n + c->pages[i]->gz.n;
	cached_unref(c->pages[i]);
	c->pages[i] = c->pages[--c->n];
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	while (c->n > 0)
		drop(c, 0);
	free(c);
}

static size_t
find(const struct cache *c, struct str key)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(str_c(c->pages[i]->key), key))
			return i;
	return c->n;
}

struct cached *
cache_get(struct cache *c, struct str key, uint64_t version)
{
	size_t i = find(c, key);

	if (i == c->n || c->pages[i]->version != version)
		return NULL;
	c->pages[i]->used = ++c->clock;
	c->pages[i]->refs++;
	return c->pages[i];
}

/* Room for one more: what was asked for longest ago goes. */
static void
make_room(struct cache *c)
{
	while (c->n == PAGES_MAX || (c->n > 0 && c->bytes > BYTES_MAX)) {
		size_t oldest = 0;

		for (size_t i = 1; i < c->n; i++)
			if (c->pages[i]->used < c->pages[oldest]->used)
				oldest = i;
		drop(c, oldest);
	}
}

struct cached *
cache_put(struct cache *c, struct str key, uint64_t version, struct str html)
{
	struct cached *p = X_NEW(struct cached);
	struct buf gz = BUF_INIT(GZIP_MAX);
	uint64_t h = hash64(html.p, html.n);
	size_t i = find(c, key);

	if (i < c->n)
		drop(c, i);
	make_room(c);
	gzip_put_best(&gz, html);
	p->key = str_dup(key);
	p->version = version;
	p->html = str_copy(html);
	if (!gz.failed)
		p->gz = str_copy(buf_str(&gz));
	snprintf(p->etag, sizeof(p->etag), "\"%016" PRIx64 "\"", h);
	snprintf(p->gz_etag, sizeof(p->gz_etag), "\"%016" PRIx64 "-gz\"", h);
	p->refs = 2;
	p->used = ++c->clock;
	c->bytes += p->html.n + p->gz.n;
	c->pages[c->n++] = p;
	buf_done(&gz);
	return p;
}
