/* SPDX-License-Identifier: ISC */
/*
 * table.h - things by name: a hash table whose items stand in the things.
 *
 * Names come from strangers, so the hash has a random seed.
 */
#pragma once

#include "base/str.h"

struct table_item {
	struct table_item *next;
	uint64_t hash;
	struct str key; /* the thing's; as long as it is in the table */
};

struct table {
	struct table_item **slots;
	size_t n, cap; /* cap: a power of two */
	uint64_t seed;
};

void table_init(struct table *t);
void table_done(struct table *t); /* the items are their owners' */
struct table_item *table_find(const struct table *t, struct str key);
/* The key is not in the table yet. */
void table_add(struct table *t, struct table_item *item, struct str key);
void table_remove(struct table *t, struct table_item *item);
