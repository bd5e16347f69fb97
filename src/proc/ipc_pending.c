/* SPDX-License-Identifier: ISC */
/*
 * ipc_pending.c - requests under way. See ipc_pending.h.
 */
#include "proc/ipc_pending.h"

#define SLOT_BITS 18 /* room above IPC_PENDING_MAX for those refused */
#define SLOT_MAX  (1U << SLOT_BITS)
#define USES_MAX  ((1U << (32 - SLOT_BITS)) - 1)

void
ipc_pending_done(struct ipc_pending *t)
{
	free(t->slots);
	*t = (struct ipc_pending){ 0 };
}

bool
ipc_pending_is_full(const struct ipc_pending *t)
{
	return t->used >= IPC_PENDING_MAX;
}

uint32_t
ipc_pending_add(struct ipc_pending *t, const struct ipc_pending_entry *e)
{
	struct ipc_slot *s;
	uint32_t number = t->free - 1;

	if (t->free == 0) {
		number = (uint32_t)t->n;
		ASSERT(number < SLOT_MAX);
		t->slots =
		    x_grow(t->slots, &t->cap, t->n + 1, sizeof(*t->slots));
		t->slots[t->n++] = (struct ipc_slot){ 0 };
	}
	s = &t->slots[number];
	if (t->free != 0)
		t->free = s->next_free;
	s->uses = (uint16_t)(s->uses >= USES_MAX ? 1 : s->uses + 1);
	s->entry = *e;
	s->entry.id = (uint32_t)s->uses << SLOT_BITS | number;
	s->is_used = true;
	t->used++;
	return s->entry.id;
}

static struct ipc_slot *
find(struct ipc_pending *t, uint32_t id)
{
	uint32_t number = id & (SLOT_MAX - 1);

	if (number >= t->n || !t->slots[number].is_used ||
	    t->slots[number].entry.id != id)
		return NULL;
	return &t->slots[number];
}

static void
release(struct ipc_pending *t, struct ipc_slot *s)
{
	s->is_used = false;
	s->next_free = t->free;
	t->free = (uint32_t)(s - t->slots) + 1;
	t->used--;
}

bool
ipc_pending_take(struct ipc_pending *t, uint32_t id, enum msg_type type,
    struct ipc_pending_entry *ret)
{
	struct ipc_slot *s = find(t, id);

	if (s == NULL || s->entry.type != type)
		return false;
	*ret = s->entry;
	release(t, s);
	return true;
}

bool
ipc_pending_take_any(struct ipc_pending *t, struct ipc_pending_entry *ret)
{
	for (size_t i = 0; i < t->n && t->used > 0; i++)
		if (t->slots[i].is_used) {
			*ret = t->slots[i].entry;
			release(t, &t->slots[i]);
			return true;
		}
	return false;
}

void
ipc_pending_forget(struct ipc_pending *t, uint32_t id)
{
	struct ipc_slot *s = find(t, id);

	if (s != NULL)
		s->entry.fn = NULL;
}
