/* SPDX-License-Identifier: ISC */
/* reach_table.c - cells by key, and who makes room. See reach_table.h. */
#include "proto/reach/reach_table.h"

#include "base/hash.h"

void
reach_table_init(struct reach_table *t, uint64_t interval, uint64_t seed)
{
	*t = (struct reach_table){ .interval = interval, .seed = seed };
}

void
reach_table_done(struct reach_table *t)
{
	free(t->entries);
	free(t->next);
	*t = (struct reach_table){ 0 };
}

static uint16_t *
head_of(struct reach_table *t, const struct reach_key *key)
{
	uint32_t words[3] = { key->net.kind, key->net.value,
		(uint32_t)key->port << 16 | (uint32_t)key->service << 8 |
		    key->family };

	return &t->heads[hash64_seed(words, sizeof(words), t->seed) %
			 ARRAY_LEN(t->heads)];
}

static struct reach_entry *
find(struct reach_table *t, const struct reach_key *key)
{
	for (uint16_t i = *head_of(t, key); i != 0; i = t->next[i - 1])
		if (reach_key_eq(&t->entries[i - 1].cell.key, key))
			return &t->entries[i - 1];
	return NULL;
}

struct reach_cell *
reach_table_find(struct reach_table *t, const struct reach_key *key)
{
	struct reach_entry *e = find(t, key);

	return e != NULL ? &e->cell : NULL;
}

static void
link_entry(struct reach_table *t, size_t i)
{
	uint16_t *head = head_of(t, &t->entries[i].cell.key);

	t->next[i] = *head;
	*head = (uint16_t)(i + 1);
}

static void
unlink_entry(struct reach_table *t, size_t i)
{
	uint16_t *at = head_of(t, &t->entries[i].cell.key);

	while (*at != i + 1)
		at = &t->next[*at - 1];
	*at = t->next[i];
}

static void
grow(struct reach_table *t)
{
	const size_t most = REACH_CELLS_MAX + REACH_OTHERS_MAX;
	size_t n = MIN(MAX(2 * t->allocated, (size_t)16), most);

	t->entries = x_realloc(t->entries, n * sizeof(*t->entries));
	t->next = x_realloc(t->next, n * sizeof(*t->next));
	t->allocated = n;
}

static struct reach_entry *
append(struct reach_table *t, const struct reach_key *key)
{
	struct reach_entry *e;

	if (t->n == t->allocated)
		grow(t);
	e = &t->entries[t->n];
	memset(e, 0, sizeof(*e));
	e->cell.key = *key;
	t->next[t->n] = 0;
	link_entry(t, t->n++);
	if (key->net.kind == REACH_NET_OTHERS)
		t->n_others++;
	return e;
}

/* The rest of the same port. NULL when there are too many ports. */
static struct reach_entry *
others_of(struct reach_table *t, const struct reach_key *key)
{
	struct reach_key k = *key;
	struct reach_entry *e;

	k.net = (struct reach_net){ REACH_NET_OTHERS, 0 };
	e = find(t, &k);
	if (e == NULL && t->n_others < REACH_OTHERS_MAX)
		e = append(t, &k);
	return e;
}

/* Its counts go to others, and its place to key. */
static struct reach_entry *
replace(struct reach_table *t, size_t i, const struct reach_key *key)
{
	struct reach_key old = t->entries[i].cell.key;
	struct reach_entry *others = others_of(t, &old); /* may move them */
	struct reach_entry *e = &t->entries[i];

	if (others != NULL)
		reach_cell_merge(&others->cell, &e->cell);
	unlink_entry(t, i);
	memset(e, 0, sizeof(*e));
	e->cell.key = *key;
	link_entry(t, i);
	return e;
}

/* Of those that matter least, and less than rank, the smallest. */
static bool
find_victim(struct reach_table *t, enum reach_rank rank, size_t *ret)
{
	const struct reach_entry *best = NULL;

	for (size_t i = 0; rank > REACH_RANK_ANY && i < t->n; i++) {
		const struct reach_entry *e = &t->entries[i];

		if (e->cell.key.net.kind == REACH_NET_OTHERS || e->rank >= rank)
			continue;
		if (best == NULL || e->rank < best->rank ||
		    (e->rank == best->rank &&
			e->cell.counts[REACH_ATTEMPTS] <
			    best->cell.counts[REACH_ATTEMPTS]))
			best = e;
	}
	if (best == NULL)
		return false;
	*ret = (size_t)(best - t->entries);
	return true;
}

struct reach_cell *
reach_table_cell(
    struct reach_table *t, const struct reach_key *key, enum reach_rank rank)
{
	struct reach_entry *e = find(t, key);
	size_t victim;

	if (e == NULL && key->net.kind == REACH_NET_OTHERS) {
		e = others_of(t, key);
	} else if (e == NULL && t->n - t->n_others < REACH_CELLS_MAX) {
		e = append(t, key);
	} else if (e == NULL) {
		e = find_victim(t, rank, &victim) ? replace(t, victim, key)
		                                  : others_of(t, key);
	}
	if (e == NULL)
		return NULL;
	e->rank = MAX(e->rank, (uint8_t)rank);
	return &e->cell;
}

void
reach_table_merge(
    struct reach_table *t, const struct reach_cell *c, enum reach_rank rank)
{
	struct reach_cell *to = reach_table_cell(t, &c->key, rank);

	if (to != NULL)
		reach_cell_merge(to, c);
}
