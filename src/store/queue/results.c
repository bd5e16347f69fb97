/* SPDX-License-Identifier: ISC */
/*
 * results.c - what became of the entries that were lent to role send.
 *
 * A result counts only with the number of the lease that is out now. So the
 * same results once more, or those of a sender that was too slow, change
 * nothing.
 */
#include "store/queue/queue_internal.h"

#include "base/metrics.h"

struct settle {
	struct queue *q;
	struct qtx tx;
	uint32_t stale;
	uint64_t delivered, failed, deferred;
};

static struct queue_event_record
event_of(const struct msg_queue_result *r)
{
	return (struct queue_event_record){
		.due_ms = r->state == QUEUE_DEFERRED ? r->due_ms : 0,
		.reply = str_first(r->reply, QUEUE_TEXT_MAX),
		.mx = str_first(r->mx, QUEUE_NAME_MAX),
		.mx_ip = str_first(r->mx_ip, QUEUE_NAME_MAX),
		.source_ip = str_first(r->source_ip, QUEUE_NAME_MAX),
		.tls = str_first(r->tls, QUEUE_NAME_MAX),
		.route = str_first(r->route, QUEUE_NAME_MAX),
	};
}

/* The entry stays. What the operator has said meanwhile (held, another
 * route) is in was. */
static void
keep_entry(struct settle *s, const struct msg_queue_result *r,
    const struct queue_entry_record *was)
{
	struct qtx_entry id = { r->message, r->rcpt };
	struct queue_entry_record now = *was;
	struct queue_event_record event = event_of(r);

	now.leases++;
	/* Held without a time: from when somebody releases it. */
	now.due_ms = r->due_ms ? MIN(r->due_ms, QUEUE_NEVER - 1) : s->tx.now_ms;
	if (!(was->flags & QUEUE_ENTRY_ROUTED) && r->route.n)
		now.route = str_eq(r->route, STR("-")) ? STR_NONE : event.route;
	if (r->state == QUEUE_HELD)
		now.flags |= QUEUE_ENTRY_HELD;
	if (r->is_delay_told)
		now.flags |= QUEUE_ENTRY_DELAY_TOLD;
	if (r->state != QUEUE_RELEASED) {
		if (r->state == QUEUE_DEFERRED || r->counts)
			now.tried_ms = s->tx.now_ms;
		now.reply = event.reply;
		now.mx = event.mx;
		if (r->counts && now.attempts < UINT32_MAX)
			now.attempts++;
		qtx_event(&s->tx, id, r->state, &event);
		s->deferred++;
	}
	qtx_change(&s->tx, id, was, &now);
}

static void
end_entry(struct settle *s, const struct msg_queue_result *r,
    const struct queue_entry_record *was)
{
	struct qtx_entry id = { r->message, r->rcpt };
	struct queue_event_record event = event_of(r);

	event.address = was->address;
	qtx_event(&s->tx, id, r->state, &event);
	qtx_remove(&s->tx, id, was);
	if (r->state == QUEUE_DELIVERED)
		s->delivered++;
	else
		s->failed++;
}

static struct verdict
settle_one(struct settle *s, const struct msg_queue_result *r)
{
	struct lease_item *item = lease_find(s->q, r->message, r->rcpt);
	struct queue_entry_record was;
	struct verdict v;

	if (!item || !item->is_open || item->lease->id != r->lease) {
		s->stale++;
		return VERDICT_DONE;
	}
	v = queue_get_entry(s->q, r->message, r->rcpt, &was);
	/* The results of all others shall not wait for a repair: who waits is
	 * delivered once more when its lease ends. */
	if (v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT) {
		queue_log_damage();
		s->stale++;
		return VERDICT_DONE;
	}
	if (!verdict_is_done(v))
		return v;
	qtx_close(&s->tx, item);
	switch ((enum queue_state)r->state) {
	case QUEUE_RELEASED:
	case QUEUE_DEFERRED:
	case QUEUE_HELD:
		keep_entry(s, r, &was);
		return v;
	case QUEUE_DELIVERED:
	case QUEUE_FAILED:
		end_entry(s, r, &was);
		return v;
	}
	return verdict_permfail(REASON_INTERNAL);
}

static struct verdict
settle_all(struct settle *s, struct str results)
{
	struct wire w = wire_read(results);
	struct verdict v = VERDICT_DONE;
	struct msg_queue_result r;
	size_t n = 0;

	while (w.in.n && verdict_is_done(v)) {
		if (!msg_queue_result_read(&w, &r))
			return verdict_permfail(REASON_INTERNAL);
		if (++n > QUEUE_RESULTS_MAX)
			return verdict_permfail(REASON_LIMIT);
		v = settle_one(s, &r);
	}
	return v;
}

struct verdict
queue_results(
    struct queue *q, const struct msg_queue_results *m, struct buf *out)
{
	struct settle s = { .q = q };
	struct msg_queue_results_reply reply;
	struct verdict v;

	if (q->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	qtx_begin(&s.tx, q, m->now_ms);
	v = settle_all(&s, m->results);
	if (!verdict_is_done(v) || s.tx.n == 0)
		qtx_abort(&s.tx);
	else
		v = qtx_commit(&s.tx);
	if (!verdict_is_done(v))
		return v;
	metric_add(M_QUEUE_DELIVERED, s.delivered);
	metric_add(M_QUEUE_FAILED, s.failed);
	metric_add(M_QUEUE_DEFERRED, s.deferred);
	reply.stale = s.stale;
	msg_queue_results_reply_put(out, &reply);
	return v;
}
