/* SPDX-License-Identifier: ISC */
/*
 * tx.c - a change of entries: one batch, and what follows from it in memory.
 * See queue_internal.h.
 */
#include "store/queue/queue_internal.h"

struct qtx_step {
	enum { STEP_DUE, STEP_CLOSE, STEP_REMOVE } what;
	struct queue_domain *domain;
	struct queue_place place;
	uint64_t account;
	struct lease_item *item;
	bool was_waiting, is_waiting;
};

void
qtx_begin(struct qtx *t, struct queue *q, uint64_t now_ms)
{
	*t = (struct qtx){
		.q = q, .b = engine_batch_new(q->engine), .now_ms = now_ms
	};
	buf_init(&t->val, ENGINE_VALUE_MAX + 1);
}

void
qtx_put(struct qtx *t, struct queue_key key)
{
	batch_put(t->b, QUEUE_SHARD, queue_key_str(&key), buf_str(&t->val));
	buf_reset(&t->val, t->val.cap);
}

void
qtx_del(struct qtx *t, struct queue_key key)
{
	batch_del(t->b, QUEUE_SHARD, queue_key_str(&key));
}

static void
add_step(struct qtx *t, struct qtx_step step)
{
	t->steps = x_grow(t->steps, &t->cap, t->n + 1, sizeof(*t->steps));
	t->steps[t->n++] = step;
}

static struct queue_place
place_of(struct qtx_entry e, const struct queue_entry_record *r)
{
	bool is_held = r->flags & QUEUE_ENTRY_HELD;

	return (struct queue_place){ r->priority,
		is_held ? QUEUE_NEVER : r->due_ms, e.message, e.rcpt };
}

struct queue_key
qtx_place(struct qtx_entry e, const struct queue_entry_record *r)
{
	struct queue_place p = place_of(e, r);

	return qkey_due(queue_address_domain(r->address), &p);
}

void
qtx_change(struct qtx *t, struct qtx_entry e,
    const struct queue_entry_record *was, const struct queue_entry_record *now)
{
	struct queue_key from = qtx_place(e, was), to = qtx_place(e, now);

	queue_entry_record_encode(&t->val, now);
	qtx_put(t, qkey_entry(e.message, e.rcpt));
	if (!str_eq(queue_key_str(&from), queue_key_str(&to))) {
		qtx_del(t, from);
		queue_account_encode(&t->val, now->account);
		qtx_put(t, to);
	}
	add_step(t,
	    (struct qtx_step){ .what = STEP_DUE,
		.domain = domain_find(t->q, queue_address_domain(now->address)),
		.was_waiting = !(was->flags & QUEUE_ENTRY_HELD),
		.is_waiting = !(now->flags & QUEUE_ENTRY_HELD),
		.place = place_of(e, now) });
}

void
qtx_remove(
    struct qtx *t, struct qtx_entry e, const struct queue_entry_record *was)
{
	qtx_del(t, qtx_place(e, was));
	qtx_del(t, qkey_entry(e.message, e.rcpt));
	add_step(t,
	    (struct qtx_step){ .what = STEP_REMOVE,
		.domain = domain_find(t->q, queue_address_domain(was->address)),
		.was_waiting = !(was->flags & QUEUE_ENTRY_HELD),
		.place = place_of(e, was),
		.account = was->account });
	map_put(&t->removed, entry_number(e.message, e.rcpt), t);
	if (t->n_messages && t->messages[t->n_messages - 1] == e.message)
		return;
	t->messages = x_grow(t->messages, &t->cap_messages, t->n_messages + 1,
	    sizeof(*t->messages));
	t->messages[t->n_messages++] = e.message;
}

void
qtx_close(struct qtx *t, struct lease_item *item)
{
	struct lease *l = item->lease;

	item->is_open = false;
	if (++l->closing == l->open)
		qtx_del(t, qkey_id('L', l->id));
	add_step(t, (struct qtx_step){ .what = STEP_CLOSE, .item = item });
}

void
qtx_event(struct qtx *t, struct qtx_entry e, uint8_t state,
    const struct queue_event_record *r)
{
	queue_event_record_encode(&t->val, r);
	qtx_put(t, qkey_event(e.message, t->now_ms, e.rcpt, state));
}

/* --- messages that are gone ------------------------------------------------------ */

struct rest {
	const struct qtx *t;
	bool is_found;
};

static int
look_for_rest(void *arg, struct str key, UNUSED struct str val)
{
	struct rest *rest = arg;
	uint64_t message;
	uint32_t rcpt;

	/* What cannot be read is there all the same. */
	rest->is_found =
	    !qkey_read_entry(key, &message, &rcpt) ||
	    !map_get(&rest->t->removed, entry_number(message, rcpt));
	return rest->is_found;
}

static void
end_message(
    struct qtx *t, uint64_t message, const struct queue_message_record *m)
{
	struct queue_gone_record gone = { m->trace, m->mail_from, m->account,
		m->blob_size, m->arrival_ms, t->now_ms, m->n_rcpts };

	queue_gone_record_encode(&t->val, &gone);
	qtx_put(t, qkey_id('G', message));
	qtx_del(t, qkey_id('M', message));
	if (m->n_prefixes > 1)
		batch_del_range(t->b, QUEUE_SHARD, QKEY(qkey_id('P', message)),
		    QKEY(qkey_id('P', message + 1)));
	if (m->flags & QUEUE_MESSAGE_LIMITED)
		qtx_del(t, qkey_limited(m->account, message));
	if (m->blob)
		batch_blob_drop(t->b, m->blob);
}

static struct verdict
end_if_last(struct qtx *t, uint64_t message)
{
	struct rest rest = { t, false };
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_id('R', message)),
		.to = QKEY(qkey_id('R', message + 1)),
	};
	struct queue_message_record m;
	struct verdict v;
	int r = engine_scan(t->q->engine, &range, look_for_rest, &rest);

	if (r < 0)
		return verdict_engine(r);
	if (rest.is_found)
		return VERDICT_DONE;
	v = queue_get_message(t->q, message, &m);
	/* It stays, with its blob, for `mailstead check` to name; its recipients
	 * are settled, and so are all others of this transaction. */
	if (v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT) {
		queue_log_damage();
		return VERDICT_DONE;
	}
	if (verdict_is_done(v))
		end_message(t, message, &m);
	return v;
}

static int
compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct verdict
end_messages(struct qtx *t)
{
	struct verdict v = VERDICT_DONE;

	if (t->n_messages)
		qsort(t->messages, t->n_messages, sizeof(*t->messages),
		    compare_u64);
	for (size_t i = 0; i < t->n_messages && verdict_is_done(v); i++)
		if (i == 0 || t->messages[i] != t->messages[i - 1])
			v = end_if_last(t, t->messages[i]);
	return v;
}

/* --- the end of the transaction ---------------------------------------------------- */

static void
done(struct qtx *t)
{
	buf_done(&t->val);
	map_done(&t->removed);
	free(t->steps);
	free(t->messages);
	*t = (struct qtx){ 0 };
}

static void
run_step(struct queue *q, const struct qtx_step *s)
{
	switch (s->what) {
	case STEP_DUE:
		domain_due(q, s->domain, &s->place);
		if (s->is_waiting && !s->was_waiting)
			domain_wait(q, s->domain, s->place.message);
		else if (s->was_waiting && !s->is_waiting)
			domain_unwait(q, s->domain, s->place.message, false);
		break;
	case STEP_CLOSE:
		s->item->lease->closing--;
		lease_item_close(q, s->item);
		break;
	case STEP_REMOVE:
		account_count(q, s->account, -1);
		if (s->was_waiting)
			domain_unwait(q, s->domain, s->place.message, true);
		domain_remove_entry(q, s->domain);
		break;
	}
}

struct verdict
qtx_commit(struct qtx *t)
{
	struct verdict v = end_messages(t);
	int r;

	if (!verdict_is_done(v)) {
		qtx_abort(t);
		return v;
	}
	r = engine_commit(t->q->engine, TAKE_PTR(t->b), NULL, NULL);
	if (r < 0) {
		qtx_abort(t);
		return verdict_engine(r);
	}
	/* A domain goes with its last entry: leases let go of it first. */
	for (size_t i = 0; i < t->n; i++)
		if (t->steps[i].what != STEP_REMOVE)
			run_step(t->q, &t->steps[i]);
	for (size_t i = 0; i < t->n; i++)
		if (t->steps[i].what == STEP_REMOVE)
			run_step(t->q, &t->steps[i]);
	done(t);
	return VERDICT_DONE;
}

void
qtx_abort(struct qtx *t)
{
	engine_batch_free(t->b);
	for (size_t i = 0; i < t->n; i++)
		if (t->steps[i].what == STEP_CLOSE) {
			t->steps[i].item->is_open = true;
			t->steps[i].item->lease->closing--;
		}
	done(t);
}
