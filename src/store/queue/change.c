/* SPDX-License-Identifier: ISC */
/*
 * change.c - what an operator does with entries: retry, hold, release,
 * cancel, return, reroute.
 *
 * An entry that is being delivered keeps its lease: its result still counts.
 * Only a cancelled one is gone at once; then the result finds nothing.
 */
#include "store/queue/select.h"

struct change {
	struct selection s;
	struct qtx tx;
	enum queue_action action;
	struct str route;
	uint64_t changed, in_delivery;
	uint64_t held; /* and stay so */
};

static const uint8_t history_of[] = {
	[QUEUE_RETRY] = QUEUE_WAS_HURRIED,
	[QUEUE_HOLD] = QUEUE_WAS_HELD,
	[QUEUE_RELEASE] = QUEUE_WAS_FREED,
	[QUEUE_CANCEL] = QUEUE_WAS_CANCELLED,
	[QUEUE_RETURN] = QUEUE_WAS_RETURNED,
	[QUEUE_REROUTE] = QUEUE_WAS_ROUTED,
};

/* What the entry becomes; false: nothing is to be done with it. */
static bool
apply(const struct change *c, struct queue_entry_record *r)
{
	bool is_held = r->flags & QUEUE_ENTRY_HELD;
	uint64_t now_ms = c->tx.now_ms;

	switch (c->action) {
	case QUEUE_RETRY:
		if (is_held || r->due_ms <= now_ms)
			return false;
		r->due_ms = now_ms;
		return true;
	case QUEUE_HOLD:
		r->flags |= QUEUE_ENTRY_HELD;
		return !is_held;
	case QUEUE_RELEASE:
		if (is_held)
			r->freed_ms = now_ms;
		r->flags &= (uint8_t) ~(QUEUE_ENTRY_HELD | QUEUE_ENTRY_LIMITED);
		r->due_ms = MIN(r->due_ms, now_ms);
		return is_held;
	case QUEUE_RETURN:
		r->flags &= (uint8_t) ~(QUEUE_ENTRY_HELD | QUEUE_ENTRY_LIMITED);
		r->flags |= QUEUE_ENTRY_CANCELLED;
		r->due_ms = MIN(r->due_ms, now_ms);
		return true;
	case QUEUE_REROUTE:
		r->flags &= (uint8_t)~QUEUE_ENTRY_ROUTED;
		r->route = STR_NONE;
		if (!str_eq(c->route, STR("-"))) {
			r->flags |= QUEUE_ENTRY_ROUTED;
			r->route = c->route;
		}
		r->due_ms = MIN(r->due_ms, now_ms);
		return true;
	case QUEUE_CANCEL:
		break;
	}
	return true;
}

/* The due index must have it too, as the summary counts what is there. */
static struct verdict
is_sound(struct queue *q, struct qtx_entry e,
    const struct queue_entry_record *r, bool *ret)
{
	struct queue_key place = qtx_place(e, r);
	struct str val;
	int got =
	    engine_get(q->engine, QUEUE_SHARD, queue_key_str(&place), &val);

	*ret = got == 1;
	return got < 0 ? verdict_engine(got) : VERDICT_DONE;
}

static struct verdict
change_one(struct queue *q, struct selection *s, struct qtx_entry e,
    const struct queue_entry_record *found)
{
	struct change *c = CONTAINER_OF(s, struct change, s);
	struct lease_item *item = lease_find(q, e.message, e.rcpt);
	struct queue_event_record event = { .route = c->route };
	struct queue_entry_record was, now;
	struct verdict v;
	bool is_there;

	v = is_sound(q, e, found, &is_there);
	if (!verdict_is_done(v) || !is_there)
		return v;
	/* Once more: the record died with the look-up. */
	v = queue_get_entry(q, e.message, e.rcpt, &was);
	now = was;
	if (!verdict_is_done(v))
		return v;
	if (!apply(c, &now)) {
		c->held += (was.flags & QUEUE_ENTRY_HELD) != 0;
		return v;
	}
	if (c->action == QUEUE_CANCEL) {
		event.address = was.address;
		if (item)
			qtx_close(&c->tx, item);
		qtx_remove(&c->tx, e, &was);
	} else {
		qtx_change(&c->tx, e, &was, &now);
	}
	qtx_event(&c->tx, e, history_of[c->action], &event);
	c->changed++;
	c->in_delivery += item != NULL;
	return v;
}

struct verdict
queue_change(struct queue *q, const struct msg_queue_change *m, struct buf *out)
{
	struct change c = { .s.visit = change_one,
		.action = (enum queue_action)m->action,
		.route = m->route };
	struct msg_queue_change_reply reply;
	struct verdict v;

	if (q->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	if (m->action >= ARRAY_LEN(history_of) || m->route.n > QUEUE_NAME_MAX ||
	    (m->action == QUEUE_REROUTE) != (m->route.n > 0))
		return verdict_permfail(REASON_INTERNAL);
	qtx_begin(&c.tx, q, queue_now_ms(q));
	v = select_portion(q, &c.s, m->filter, m->after);
	if (!verdict_is_done(v) || c.changed == 0)
		qtx_abort(&c.tx);
	else
		v = qtx_commit(&c.tx);
	reply = (struct msg_queue_change_reply){ c.changed, c.in_delivery,
		buf_str(&c.s.after), c.s.unknown, str_c(c.s.unknown_domain),
		c.held };
	if (verdict_is_done(v))
		msg_queue_change_reply_put(out, &reply);
	selection_done(&c.s);
	return v;
}
