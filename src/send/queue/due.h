/* SPDX-License-Identifier: ISC */
/*
 * due.h - things by the time when they are due: a binary heap whose items
 * stand in the things.
 */
#pragma once

#include "base/base.h"

struct due {
	uint64_t at_ms;
	size_t place; /* DUE_NOWHERE: not in the heap */
};
#define DUE_NOWHERE SIZE_MAX

struct due_heap {
	struct due **items;
	size_t n, cap;
};

/* The earliest; NULL: there is none. */
struct due *due_first(const struct due_heap *h);
/* d->place is DUE_NOWHERE. */
void due_add(struct due_heap *h, struct due *d, uint64_t at_ms);
/* Does nothing when it is not there. */
void due_remove(struct due_heap *h, struct due *d);
