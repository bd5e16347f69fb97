/* SPDX-License-Identifier: ISC */
/*
 * map.c - numbers to pointers, linear probing, at most half full. Deleting
 * moves later entries back, so there are no tombstones. See map.h.
 */
#include "store/map.h"

#define MAP_FIRST 16

static size_t
slot_of(const struct map *m, uint64_t key)
{
	key ^= (uintptr_t)m->slots;
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdULL;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ULL;
	key ^= key >> 33;
	return (size_t)key & (m->cap - 1);
}

/* The slot that holds key, or the free one where it would go. */
static struct map_slot *
find(const struct map *m, uint64_t key)
{
	size_t i = slot_of(m, key);

	while (m->slots[i].value && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void
grow(struct map *m)
{
	struct map old = *m;

	m->cap = old.cap ? old.cap * 2 : MAP_FIRST;
	m->slots = x_calloc(m->cap, sizeof(*m->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value)
			*find(m, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void
map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

void *
map_get(const struct map *m, uint64_t key)
{
	return m->cap ? find(m, key)->value : NULL;
}

void
map_put(struct map *m, uint64_t key, void *value)
{
	struct map_slot *s;

	ASSERT(value);
	if ((m->n + 1) * 2 > m->cap)
		grow(m);
	s = find(m, key);
	if (!s->value)
		m->n++;
	*s = (struct map_slot){ key, value };
}

void *
map_del(struct map *m, uint64_t key)
{
	struct map_slot *s;
	void *value;
	size_t hole, i;

	if (!m->cap)
		return NULL;
	s = find(m, key);
	value = s->value;
	if (!value)
		return NULL;
	hole = (size_t)(s - m->slots);
	for (i = (hole + 1) & (m->cap - 1); m->slots[i].value;
	     i = (i + 1) & (m->cap - 1)) {
		size_t home = slot_of(m, m->slots[i].key);

		/* It may move back unless its home lies behind the hole. */
		if (((i - home) & (m->cap - 1)) >=
		    ((i - hole) & (m->cap - 1))) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].value = NULL;
	m->n--;
	return value;
}
