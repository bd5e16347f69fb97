/* SPDX-License-Identifier: ISC */
/* due.c - a binary heap. See due.h. */
#include "send/queue/due.h"

static void
put(struct due_heap *h, size_t place, struct due *d)
{
	h->items[place] = d;
	d->place = place;
}

static void
sift_up(struct due_heap *h, struct due *d)
{
	size_t at = d->place;

	while (at > 0 && h->items[(at - 1) / 2]->at_ms > d->at_ms) {
		put(h, at, h->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(h, at, d);
}

static void
sift_down(struct due_heap *h, struct due *d)
{
	size_t at = d->place;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->n &&
		    h->items[child + 1]->at_ms < h->items[child]->at_ms)
			child++;
		if (child >= h->n || h->items[child]->at_ms >= d->at_ms)
			break;
		put(h, at, h->items[child]);
		at = child;
	}
	put(h, at, d);
}

struct due *
due_first(const struct due_heap *h)
{
	return h->n > 0 ? h->items[0] : NULL;
}

void
due_add(struct due_heap *h, struct due *d, uint64_t at_ms)
{
	ASSERT(d->place == DUE_NOWHERE);
	h->items = x_grow(h->items, &h->cap, h->n + 1, sizeof(*h->items));
	d->at_ms = at_ms;
	put(h, h->n++, d);
	sift_up(h, d);
}

void
due_remove(struct due_heap *h, struct due *d)
{
	struct due *last;

	if (d->place == DUE_NOWHERE)
		return;
	last = h->items[--h->n];
	if (last != d) {
		put(h, d->place, last);
		sift_down(h, last);
		sift_up(h, last);
	}
	d->place = DUE_NOWHERE;
}
