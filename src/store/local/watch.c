/* SPDX-License-Identifier: ISC */
/*
 * watch.c - who wants to know when a shard has changed.
 *
 * A hash table by shard: a commit asks it for each shard it touches, and a
 * busy server has one watch for each IDLE session. A watch may end itself or
 * others from inside its function; it is freed only when nobody walks.
 */
#include "store/local/local.h"

#include "base/hash.h"

#define WATCH_SLOTS 4096

struct watch_one {
	struct watch_one *next;
	uint64_t id;
	struct engine_shard shard;
	engine_watch_fn fn; /* NULL: ended */
	void *arg;
};

struct watch {
	unsigned walking;
	bool has_ended;
	struct watch_one *slots[WATCH_SLOTS];
};

static size_t
slot_of(struct engine_shard shard)
{
	uint64_t v[2] = { shard.kind, shard.id };

	return hash64(v, sizeof(v)) % WATCH_SLOTS;
}

static bool
is_same(struct engine_shard a, struct engine_shard b)
{
	return a.kind == b.kind && a.id == b.id;
}

/* The slot is in the low bits of the id, so that ending is as quick. */
uint64_t
engine_watch(
    struct engine *e, struct engine_shard shard, engine_watch_fn fn, void *arg)
{
	struct watch_one *w = X_NEW(struct watch_one);
	size_t slot = slot_of(shard);

	if (!e->watches)
		e->watches = X_NEW(struct watch);
	*w = (struct watch_one){
		.next = e->watches->slots[slot],
		.id = ++e->next_watch * WATCH_SLOTS + slot,
		.shard = shard,
		.fn = fn,
		.arg = arg,
	};
	e->watches->slots[slot] = w;
	return w->id;
}

static void
sweep_slot(struct watch_one **at)
{
	while (*at) {
		struct watch_one *w = *at;

		if (w->fn) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

static void
sweep(struct watch *ws)
{
	if (ws->walking > 0 || !ws->has_ended)
		return;
	for (size_t i = 0; i < WATCH_SLOTS; i++)
		sweep_slot(&ws->slots[i]);
	ws->has_ended = false;
}

void
engine_unwatch(struct engine *e, uint64_t id)
{
	struct watch *ws = e->watches;

	if (!ws)
		return;
	for (struct watch_one *w = ws->slots[id % WATCH_SLOTS]; w; w = w->next)
		if (w->id == id)
			w->fn = NULL;
	if (ws->walking > 0)
		ws->has_ended = true;
	else
		sweep_slot(&ws->slots[id % WATCH_SLOTS]);
}

bool
watch_any(struct engine *e, struct engine_shard shard)
{
	if (!e->watches)
		return false;
	for (struct watch_one *w = e->watches->slots[slot_of(shard)]; w;
	     w = w->next)
		if (w->fn && is_same(w->shard, shard))
			return true;
	return false;
}

void
watch_run(struct engine *e, struct engine_shard shard)
{
	struct watch *ws = e->watches;

	if (!ws)
		return;
	ws->walking++;
	for (struct watch_one *w = ws->slots[slot_of(shard)]; w; w = w->next)
		if (w->fn && is_same(w->shard, shard))
			w->fn(w->arg, shard);
	ws->walking--;
	sweep(ws);
}

void
watch_free(struct engine *e)
{
	if (!e->watches)
		return;
	for (size_t i = 0; i < WATCH_SLOTS; i++) {
		for (struct watch_one *w = e->watches->slots[i]; w; w = w->next)
			w->fn = NULL;
		sweep_slot(&e->watches->slots[i]);
	}
	free(e->watches);
	e->watches = NULL;
}
