/* SPDX-License-Identifier: ISC */
/* table.c - a hash table with chains. See table.h. */
#include "send/table.h"

#include "base/hash.h"
#include "base/secret.h"

#define CAP_MIN 64

void
table_init(struct table *t)
{
	*t = (struct table){ .cap = CAP_MIN };
	t->slots = x_calloc(t->cap, sizeof(*t->slots));
	secret_random(&t->seed, sizeof(t->seed));
}

void
table_done(struct table *t)
{
	free(t->slots);
	t->slots = NULL;
}

static struct table_item **
slot_of(const struct table *t, uint64_t hash)
{
	return &t->slots[hash & (t->cap - 1)];
}

struct table_item *
table_find(const struct table *t, struct str key)
{
	uint64_t hash = hash64_seed(key.p, key.n, t->seed);
	struct table_item *i = *slot_of(t, hash);

	while (i != NULL && (i->hash != hash || !str_eq(i->key, key)))
		i = i->next;
	return i;
}

static void
insert(struct table *t, struct table_item *item)
{
	struct table_item **slot = slot_of(t, item->hash);

	item->next = *slot;
	*slot = item;
}

static void
grow(struct table *t)
{
	struct table old = *t;

	t->cap *= 2;
	t->slots = x_calloc(t->cap, sizeof(*t->slots));
	for (size_t i = 0; i < old.cap; i++)
		while (old.slots[i] != NULL) {
			struct table_item *item = old.slots[i];

			old.slots[i] = item->next;
			insert(t, item);
		}
	free(old.slots);
}

void
table_add(struct table *t, struct table_item *item, struct str key)
{
	item->key = key;
	item->hash = hash64_seed(key.p, key.n, t->seed);
	if (t->n >= t->cap)
		grow(t);
	insert(t, item);
	t->n++;
}

void
table_remove(struct table *t, struct table_item *item)
{
	struct table_item **at = slot_of(t, item->hash);

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	t->n--;
}
