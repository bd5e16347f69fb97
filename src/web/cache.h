/* SPDX-License-Identifier: ISC */
/*
 * cache.h - rendered pages: made once for each change and language, compressed
 * once, and lent to as many clients as ask.
 */
#pragma once

#include "base/buf.h"

/* A page as it goes out; alive as long as somebody refers to it. */
struct cached {
	struct str html, gz;
	char etag[24], gz_etag[28]; /* strong, with their quotes */
	uint64_t changed_s;         /* for Last-Modified; 0: nobody knows */
	/* In the cache. */
	char *key;
	uint64_t version;
	uint64_t used; /* by when it was asked for last */
	unsigned refs;
};

struct cache;
struct cache *cache_new(void);
void cache_free(struct cache *c);
/* What was put under key, when it is of this version; a reference. */
struct cached *cache_get(struct cache *c, struct str key, uint64_t version);
/* Keep html, which is copied; the answer is a reference. */
struct cached *cache_put(
    struct cache *c, struct str key, uint64_t version, struct str html);
void cached_unref(void *cached); /* a loop_fn */
