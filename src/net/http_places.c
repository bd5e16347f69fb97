/* SPDX-License-Identifier: ISC */
/* http_places.c - a few places for each organisation. See http_places.h. */
#include "net/http_places.h"

#include "base/hash.h"

#define NAME_MAX 255

uint64_t
http_places_owner(struct str organisation, uint64_t seed)
{
	struct buf b = BUF_INIT(NAME_MAX);
	uint64_t h;

	organisation = str_first(organisation, NAME_MAX);
	for (size_t i = 0; i < organisation.n; i++)
		buf_put_char(&b, ascii_lower(organisation.p[i]));
	h = hash64_seed(b.p, b.n, seed);
	buf_done(&b);
	return h;
}

bool
http_places_are_full(const struct http_places *p)
{
	return p->n == HTTP_PLACES_MAX;
}

bool
http_places_take(struct http_places *p, uint64_t owner)
{
	size_t has = 0;

	for (size_t i = 0; i < p->n; i++)
		has += p->owners[i] == owner;
	if (http_places_are_full(p) || has == HTTP_PLACES_OWNER_MAX)
		return false;
	p->owners[p->n++] = owner;
	return true;
}

void
http_places_give(struct http_places *p, uint64_t owner)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->owners[i] == owner) {
			p->owners[i] = p->owners[--p->n];
			return;
		}
	ASSERT(!"a place that was not taken");
}
