/* SPDX-License-Identifier: ISC */
/*
 * dns_cache.h - answers of the resolver, for those who ask the same a moment
 * later.
 *
 * libunbound has a cache of its own, in its thread. The way there and back
 * costs more than anything else about a message whose sender is known already;
 * this one is asked before. It keeps an answer for its TTL, and for
 * DNS_CACHE_KEEP_S at most; with whether the name exists and whether DNSSEC says
 * so, as they were. What could not be told (TEMPFAIL, BOGUS) is not kept.
 *
 * Strangers choose what is asked: entries and bytes are bounded, who was not
 * asked for longest goes first, and the table is seeded.
 */
#pragma once

#include "net/resolver.h"

#define DNS_CACHE_KEEP_S      60
#define DNS_CACHE_ENTRIES_MAX 8192
#define DNS_CACHE_BYTES_MAX   MIB(4)
#define DNS_CACHE_ANSWER_MAX  KIB(16) /* bytes of one; larger: not kept */

struct dns_cache;
/* An answer, for as long as somebody has a reference. */
struct dns_cached;

struct dns_cache *dns_cache_new(void);
/* References stay good. NULL is fine; returns NULL. */
struct dns_cache *dns_cache_free(struct dns_cache *c);

/* name: in any case, with or without a dot at its end. now_ms: of the loop's
 * clock. */
void dns_cache_put(struct dns_cache *c, const char *name, enum dns_type type,
    const struct dns_answer *a, uint64_t now_ms);
/* With a reference; NULL: it is to be asked for. */
struct dns_cached *dns_cache_get(
    struct dns_cache *c, const char *name, enum dns_type type, uint64_t now_ms);
/* As it was answered, with the TTL that is left at the time of the get. */
struct dns_answer dns_cached_answer(const struct dns_cached *e);
void dns_cached_unref(struct dns_cached *e);

size_t dns_cache_entries(const struct dns_cache *c);
size_t dns_cache_bytes(const struct dns_cache *c);
