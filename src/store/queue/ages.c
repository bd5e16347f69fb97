/* SPDX-License-Identifier: ISC */
/* ages.c - how long the oldest have been here. See ages.h. */
#include "store/queue/ages.h"

/* Spans grow with what all of them cover, and are no shorter than a minute. */
#define SHORTEST_S 60

/* The last span that begins at this time or before; AGES: none does. */
static size_t
find(const struct ages *a, uint32_t at)
{
	size_t i = a->used;

	while (i > 0 && a->spans[i - 1].from_s > at)
		i--;
	return i > 0 ? i - 1 : AGES;
}

static void
take_out(struct ages *a, size_t i)
{
	a->used--;
	memmove(&a->spans[i], &a->spans[i + 1],
	    (a->used - i) * sizeof(a->spans[0]));
}

/* The last one grows: where it will end nobody knows. */
static void
make_room(struct ages *a)
{
	size_t best = 0;
	uint32_t shortest = UINT32_MAX;

	for (size_t i = 0; i + 2 < a->used; i++) {
		uint32_t both = a->spans[i + 2].from_s - a->spans[i].from_s;

		if (both < shortest) {
			shortest = both;
			best = i;
		}
	}
	a->spans[best].n += a->spans[best + 1].n;
	take_out(a, best + 1);
}

static void
insert(struct ages *a, size_t i, uint32_t at)
{
	memmove(&a->spans[i + 1], &a->spans[i],
	    (a->used - i) * sizeof(a->spans[0]));
	a->spans[i].from_s = at;
	a->spans[i].n = 1;
	a->used++;
}

void
ages_add(struct ages *a, uint64_t at_s)
{
	uint32_t at = (uint32_t)MIN(at_s, (uint64_t)UINT32_MAX);
	size_t i = find(a, at);
	uint32_t least;

	if (i == AGES) {
		if (a->used == AGES)
			make_room(a);
		insert(a, 0, at);
		return;
	}
	least = MAX((at - a->spans[0].from_s) / AGES, SHORTEST_S);
	if (i + 1 < a->used || at - a->spans[i].from_s < least) {
		a->spans[i].n++;
		return;
	}
	if (a->used == AGES)
		make_room(a);
	insert(a, a->used, at);
}

void
ages_remove(struct ages *a, uint64_t at_s)
{
	size_t i = find(a, (uint32_t)MIN(at_s, (uint64_t)UINT32_MAX));

	if (i != AGES && --a->spans[i].n == 0)
		take_out(a, i);
}

uint64_t
ages_oldest(const struct ages *a)
{
	return a->used > 0 ? a->spans[0].from_s : 0;
}
