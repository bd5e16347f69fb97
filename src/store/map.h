/* SPDX-License-Identifier: ISC */
/*
 * map.h - numbers to pointers: a hash table with open addressing.
 *
 * Keys are mixed with the table's own address, which a front that chooses
 * session numbers does not know: it cannot make them collide. The table owns no
 * value.
 */
#pragma once

#include "base/base.h"

struct map_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

struct map {
	struct map_slot *slots;
	size_t n, cap; /* cap: a power of two, or 0 */
};

void map_done(struct map *m); /* a zeroed map is empty */
void *map_get(const struct map *m, uint64_t key);
/* value is not NULL; replaces what was there. */
void map_put(struct map *m, uint64_t key, void *value);
/* The value that was there, or NULL. */
void *map_del(struct map *m, uint64_t key);
