/* SPDX-License-Identifier: ISC */
/* slate.c - see slate.h. */
#include "send/result/slate.h"

#include "base/hash.h"
#include "proc/ipc_msgs.h"

#include <stdatomic.h>

/* Another layout has another number: what the old one wrote is empty then. */
#define LAYOUT UINT64_C(0x736c617465000001)

struct slot {
	struct slate_result result;
	_Atomic uint32_t mark; /* written last; 0: empty */
	uint32_t unused;
};
_Static_assert(sizeof(struct slot) == SLATE_SLOT_BYTES, "layout of the page");

struct slate {
	struct slot *slots;
	uint32_t n;
	uint32_t *empty; /* a stack: the lowest on top at first */
	uint32_t n_empty;
};

static uint32_t
mark_of(const struct slate_result *r)
{
	return (uint32_t)hash64_seed(r, sizeof(*r), LAYOUT) | 1;
}

static bool
is_whole(const struct slot *s)
{
	return atomic_load_explicit(&s->mark, memory_order_acquire) ==
	           mark_of(&s->result) &&
	       (s->result.state == QUEUE_DELIVERED ||
		   s->result.state == QUEUE_FAILED);
}

struct slate *
slate_new(void *page, size_t bytes)
{
	struct slate *s = X_NEW(struct slate);

	s->slots = page;
	s->n =
	    page ? (uint32_t)MIN(bytes / sizeof(struct slot), SLATE_NONE) : 0;
	s->empty = x_calloc(MAX(s->n, 1), sizeof(*s->empty));
	for (uint32_t i = s->n; i > 0; i--) {
		if (is_whole(&s->slots[i - 1]))
			continue;
		/* Most pages of a new file need not be touched. */
		if (s->slots[i - 1].mark != 0)
			s->slots[i - 1].mark = 0;
		s->empty[s->n_empty++] = i - 1;
	}
	return s;
}

void
slate_free(struct slate *s)
{
	if (!s)
		return;
	free(s->empty);
	free(s);
}

uint32_t
slate_note(struct slate *s, const struct slate_result *r)
{
	uint32_t i;

	if (s->n_empty == 0)
		return SLATE_NONE;
	i = s->empty[--s->n_empty];
	s->slots[i].result = *r;
	atomic_store_explicit(
	    &s->slots[i].mark, mark_of(r), memory_order_release);
	return i;
}

void
slate_wipe(struct slate *s, uint32_t slot)
{
	if (slot == SLATE_NONE)
		return;
	ASSERT(slot < s->n && s->n_empty < s->n);
	atomic_store_explicit(&s->slots[slot].mark, 0, memory_order_seq_cst);
	s->empty[s->n_empty++] = slot;
}

bool
slate_next(const struct slate *s, uint32_t *at, struct slate_result *ret)
{
	while (*at < s->n && !is_whole(&s->slots[*at]))
		++*at;
	if (*at == s->n)
		return false;
	*ret = s->slots[*at].result;
	return true;
}
