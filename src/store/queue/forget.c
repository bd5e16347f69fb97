/* SPDX-License-Identifier: ISC */
/*
 * forget.c - what became of messages is forgotten after some days, a few
 * hundred of them at a time.
 */
#include "store/queue/queue_internal.h"

#define DAY_MS     (UINT64_C(24) * 3600 * 1000)
#define PURGE_LOOK 500   /* messages looked at in one step */
#define PURGE_KEYS 10000 /* look-ups removed in it, about */

/* Those of a step that are old. */
struct old {
	uint64_t before_ms;
	uint64_t v[PURGE_LOOK];
	size_t n, looked_at;
	uint64_t reached;
};

typedef struct verdict (*forget_fn)(
    struct queue *q, struct engine_batch *b, uint64_t message, size_t *keys);

/* --- what was in the queue ---------------------------------------------------------- */

static int
add_old(void *arg, struct str key, struct str val)
{
	struct old *old = arg;
	struct queue_gone_record g;
	uint64_t message;

	if (!qkey_read_id(key, 'G', &message))
		return 0;
	old->reached = message;
	if (!queue_gone_record_decode(val, &g))
		return 0;
	if (g.arrival_ms >= old->before_ms)
		return 1;
	if (g.ended_ms < old->before_ms)
		old->v[old->n++] = message;
	return ++old->looked_at == PURGE_LOOK ? 2 : 0;
}

struct events {
	struct engine_batch *b;
	uint64_t message;
	size_t keys;
};

static void
del_lookup(struct events *e, struct str text)
{
	if (text.n == 0)
		return;
	batch_del(e->b, QUEUE_SHARD, QKEY(qkey_lookup(text, e->message)));
	e->keys++;
}

static int
del_names(void *arg, struct str key, struct str val)
{
	struct queue_event_record r;
	uint64_t message, time_ms;
	uint32_t rcpt;
	uint8_t state;

	if (qkey_read_event(key, &message, &time_ms, &rcpt, &state) &&
	    queue_event_record_decode(val, &r))
		del_lookup(arg, r.address);
	return 0;
}

static struct verdict
forget_gone(
    struct queue *q, struct engine_batch *b, uint64_t message, size_t *keys)
{
	struct buf keep = BUF_INIT(KIB(4));
	struct engine_range range = { QUEUE_SHARD, QKEY(qkey_id('H', message)),
		QKEY(qkey_id('H', message + 1)), false };
	struct events e = { b, message, 0 };
	struct msg_queue_life m;
	struct verdict v = history_head(q, message, &m, &keep);
	int r;

	if (verdict_is_done(v)) {
		del_lookup(&e, m.id);
		del_lookup(&e, m.sender);
		r = engine_scan(q->engine, &range, del_names, &e);
		v = r < 0 ? verdict_engine(r) : VERDICT_DONE;
	}
	if (verdict_is_done(v))
		v = arrival_forget(q, b, message, &e.keys);
	if (verdict_is_done(v)) {
		batch_del_range(b, QUEUE_SHARD, range.from, range.to);
		batch_del(b, QUEUE_SHARD, QKEY(qkey_id('G', message)));
	}
	*keys += e.keys;
	buf_done(&keep);
	return v;
}

/* --- what went into mailboxes alone --------------------------------------------------- */

static int
add_old_arrival(void *arg, struct str key, struct str val)
{
	struct old *old = arg;
	struct arrival_record r;
	uint64_t message;
	uint32_t part;

	if (!akey_read_part(key, &message, &part) || part > 0)
		return 0;
	old->reached = message;
	if (!arrival_record_decode(val, &r))
		return 0;
	if (r.arrival_ms >= old->before_ms)
		return 1;
	/* Others go with what the queue knows of them. */
	if (r.flags & ARRIVAL_IS_ALL)
		old->v[old->n++] = message;
	return ++old->looked_at == PURGE_LOOK ? 2 : 0;
}

/* --- a step ---------------------------------------------------------------------------- */

static struct verdict
forget_all(
    struct queue *q, const struct old *old, forget_fn forget, uint64_t *after)
{
	struct engine_batch *b = engine_batch_new(q->engine);
	struct verdict v = VERDICT_DONE;
	size_t keys = 0;
	int r;

	for (size_t i = 0; i < old->n && verdict_is_done(v); i++) {
		v = forget(q, b, old->v[i], &keys);
		if (keys < PURGE_KEYS || i + 1 == old->n)
			continue;
		*after = old->v[i + 1];
		break;
	}
	if (!verdict_is_done(v)) {
		engine_batch_free(b);
		return v;
	}
	r = engine_commit(q->engine, b, NULL, NULL);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

struct purge {
	char kind;
	engine_scan_fn look;
	forget_fn forget;
	uint64_t *after; /* where to go on */
};

static struct verdict
purge_some(struct queue *q, const struct purge *p)
{
	uint64_t window = q->config.limits.history_days * DAY_MS;
	uint64_t now_ms = queue_now_ms(q);
	struct old old = { .before_ms = now_ms > window ? now_ms - window : 0 };
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_id(p->kind, *p->after)),
		.to = QKEY(qkey_kind((char)(p->kind + 1))),
	};
	int r = engine_scan(q->engine, &range, p->look, &old);

	if (r < 0)
		return verdict_engine(r);
	*p->after = old.looked_at == PURGE_LOOK && r > 0 ? old.reached + 1 : 0;
	return old.n ? forget_all(q, &old, p->forget, p->after) : VERDICT_DONE;
}

struct verdict
queue_purge_step(struct queue *q)
{
	const struct purge steps[] = {
		{ 'G', add_old, forget_gone, &q->purge_after },
		{ 'I', add_old_arrival, arrival_forget, &q->purge_in_after },
	};
	struct verdict v = VERDICT_DONE;

	for (size_t i = 0; i < ARRAY_LEN(steps) && verdict_is_done(v); i++)
		v = purge_some(q, &steps[i]);
	return v;
}
