/* SPDX-License-Identifier: ISC */
/*
 * lend.c - QUEUE_LEASE: which entries are due, and their way to role send.
 *
 * A domain's part of the due index is read from the first entry that may be
 * lent. Nothing is changed but for one record: the lease.
 */
#include "store/queue/queue_internal.h"

#include "base/log.h"

#define LOGIN_KEEP   512
#define LEASE_MS_MAX (24 * 3600 * 1000)

/* --- choosing ----------------------------------------------------------------------- */

struct pick {
	struct queue *q;
	struct str domain;
	uint64_t now_ms, next_ms;
	size_t max, most, n, cap; /* most: with the rest of a message */
	struct queue_place *v;
	struct queue_place first; /* that is left, or where to begin */
	bool has_first;
	uint8_t priority; /* of the key seen last */
	bool is_full;
};

/* Those of one message stay together, as far as a server takes them at once. */
static bool
is_full(const struct pick *p, const struct queue_place *next)
{
	return p->n >= p->max && (p->n == 0 || p->n >= p->most ||
				     p->v[p->n - 1].message != next->message);
}

static int
pick_entry(void *arg, struct str key, UNUSED struct str val)
{
	struct pick *p = arg;
	struct queue_place place;
	struct str domain;

	if (!qkey_read_due(key, &domain, &place))
		return 0;
	p->priority = place.priority;
	if (lease_find(p->q, place.message, place.rcpt) ||
	    map_get(&p->q->damaged, entry_number(place.message, place.rcpt)))
		return 0;
	p->is_full = is_full(p, &place);
	if (place.due_ms > p->now_ms || p->is_full) {
		if (!p->has_first)
			p->first = place;
		p->has_first = true;
		p->next_ms = MIN(p->next_ms, place.due_ms);
		return 1;
	}
	p->v = x_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = place;
	return 0;
}

/* Due entries by priority and time; p->next_ms: when the next one is due. */
static int
pick_entries(struct pick *p)
{
	struct queue_key from = qkey_due(p->domain, &p->first);
	int r = 1;

	p->next_ms = QUEUE_NEVER;
	while (r == 1) {
		struct engine_range range = { QUEUE_SHARD, queue_key_str(&from),
			QKEY(qkey_due_end(p->domain)), false };

		r = engine_scan(p->q->engine, &range, pick_entry, p);
		/* One that is not due yet: those of less priority may be. */
		if (r != 1 || p->is_full || p->priority == 0)
			break;
		from = qkey_due_from(p->domain, p->priority - 1);
	}
	if (!p->has_first)
		p->first = (struct queue_place){ 0, QUEUE_NEVER, QUEUE_NEVER,
			UINT32_MAX };
	return r < 0 ? r : 0;
}

/* --- lending ------------------------------------------------------------------------ */

struct lending {
	struct queue *q;
	struct pick pick;
	struct lease *lease;
	struct buf message; /* a copy of the record read last */
	uint64_t message_number;
	struct queue_message_record m;
	struct buf login; /* of who sent it */
	struct buf items; /* of the reply */
};

static void
read_login(struct lending *l)
{
	const struct queue_config *c = &l->q->config;

	buf_reset(&l->login, LOGIN_KEEP);
	if (l->m.account && c->login)
		c->login(c->arg, l->m.account, &l->login);
}

static struct verdict
read_message(struct lending *l, uint64_t message)
{
	struct str val;
	int r;

	if (l->message.n && l->message_number == message)
		return VERDICT_DONE;
	buf_reset(&l->message, KIB(64));
	r = engine_get(
	    l->q->engine, QUEUE_SHARD, QKEY(qkey_id('M', message)), &val);
	if (r < 0)
		return verdict_engine(r);
	if (r == 1)
		buf_put_str(&l->message, val);
	l->message_number = message;
	if (queue_message_record_decode(buf_str(&l->message), &l->m)) {
		read_login(l);
		return VERDICT_DONE;
	}
	buf_reset(&l->message, KIB(64));
	return verdict_engine(ENGINE_CORRUPT);
}

static void
put_item(struct lending *l, const struct queue_place *p,
    const struct queue_entry_record *e)
{
	const struct queue_message_record *m = &l->m;
	struct msg_queue_item item = {
		.message = p->message,
		.rcpt = p->rcpt,
		.lease = l->lease->id,
		.address = e->address,
		.orcpt = e->orcpt,
		.notify = e->notify,
		.attempts = e->attempts,
		.due_ms = e->due_ms,
		.is_delay_told = (e->flags & QUEUE_ENTRY_DELAY_TOLD) != 0,
		.is_local = (e->flags & QUEUE_ENTRY_LOCAL) != 0,
		/* Others are what send itself used last. */
		.route = e->flags & QUEUE_ENTRY_ROUTED ? e->route : STR_NONE,
		.last_reply = e->reply,
		.trace_id = m->trace,
		.mail_from = m->mail_from,
		.account = m->account,
		.envid = m->envid,
		.ret = m->ret,
		.body = m->body,
		.is_smtputf8 = (m->flags & QUEUE_MESSAGE_SMTPUTF8) != 0,
		.has_requiretls = (m->flags & QUEUE_MESSAGE_REQUIRETLS) != 0,
		.arrival_ms = m->arrival_ms,
		.deliver_by = m->deliver_by,
		.deliver_by_mode = m->deliver_by_mode,
		.priority = m->priority,
		.size = m->blob_size,
		.is_cancelled = (e->flags & QUEUE_ENTRY_CANCELLED) != 0,
		.prefix = e->prefix,
		.via = m->via,
		.hold_until = m->hold_until,
		.freed_ms = e->freed_ms,
		.is_tls_optional = (m->flags & QUEUE_MESSAGE_TLS_OPTIONAL) != 0,
		.login = buf_str(&l->login),
	};

	msg_queue_item_put(&l->items, &item);
}

/* A damaged entry stays where it is, and is passed over until the next
 * start: `mailstead check` names it. */
static void
set_aside(struct queue *q, const struct queue_place *p)
{
	log_event(EV_STORE_CORRUPT, LC("during", "queue"),
	    LU("message", p->message), LU("rcpt", p->rcpt));
	map_put(&q->damaged, entry_number(p->message, p->rcpt), q);
}

static struct verdict
lend(struct lending *l, const struct queue_place *p)
{
	struct queue_entry_record e;
	struct lease_item *item = &l->lease->items[l->lease->n];
	struct verdict v = read_message(l, p->message);

	if (verdict_is_done(v))
		v = queue_get_entry(l->q, p->message, p->rcpt, &e);
	if (verdict_is_done(v) &&
	    (e.due_ms != p->due_ms || (e.flags & QUEUE_ENTRY_HELD)))
		v = verdict_engine(ENGINE_CORRUPT);
	if (v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT) {
		set_aside(l->q, p);
		return VERDICT_DONE;
	}
	if (!verdict_is_done(v))
		return v;
	put_item(l, p, &e);
	*item = (struct lease_item){ l->lease,
		{ p->message, p->rcpt, e.leases }, true };
	l->lease->n++;
	return VERDICT_DONE;
}

static void
put_lease(struct lending *l, struct engine_batch *b)
{
	struct buf items = BUF_INIT(ENGINE_VALUE_MAX);
	struct buf val = BUF_INIT(ENGINE_VALUE_MAX);
	struct queue_lease_record r = { l->lease->owner, l->lease->until_ms,
		domain_name(l->lease->domain), l->lease->n, STR_NONE };

	for (uint32_t i = 0; i < l->lease->n; i++)
		queue_lease_item_put(&items, &l->lease->items[i].i);
	r.items = buf_str(&items);
	queue_lease_record_encode(&val, &r);
	batch_put(
	    b, QUEUE_SHARD, QKEY(qkey_id('L', l->lease->id)), buf_str(&val));
	buf_done(&items);
	buf_done(&val);
}

static struct verdict
commit_lease(struct lending *l)
{
	struct engine_batch *b;
	int r;

	l->lease->open = l->lease->n;
	if (l->lease->n == 0)
		return VERDICT_DONE;
	b = engine_batch_new(l->q->engine);
	put_lease(l, b);
	r = engine_commit(l->q->engine, b, NULL, NULL);
	if (r < 0)
		return verdict_engine(r);
	lease_add(l->q, TAKE_PTR(l->lease));
	return VERDICT_DONE;
}

static struct verdict
lend_all(struct lending *l, const struct msg_queue_lease *m)
{
	struct verdict v = VERDICT_DONE;

	l->lease->n = 0;
	l->lease->owner = l->q->owner;
	l->lease->until_ms = m->now_ms + m->lease_ms;
	l->lease->id = queue_number(l->q, &l->q->next_lease, 1);
	for (size_t i = 0; i < l->pick.n && verdict_is_done(v); i++)
		v = lend(l, &l->pick.v[i]);
	return verdict_is_done(v) ? commit_lease(l) : v;
}

/* When send should ask again: an entry is due, or a lease ends. */
static uint64_t
next_due(const struct queue_domain *d)
{
	uint64_t next = d->due_ms;

	for (const struct lease *l = d->leases; l; l = l->next)
		next = MIN(next, l->until_ms);
	return domain_told_due(next);
}

struct verdict
queue_lease(struct queue *q, const struct msg_queue_lease *m, struct buf *out)
{
	struct queue_domain *d = domain_find(q, m->domain);
	struct lending l = { .q = q,
		.pick = { .q = q,
		    .domain = m->domain,
		    .now_ms = m->now_ms,
		    .max = MIN(m->max, QUEUE_LEASE_MAX),
		    .most = MIN(
			(uint64_t)m->max + QUEUE_TOGETHER, QUEUE_LEASE_MAX) },
		.message = BUF_INIT(ENGINE_VALUE_MAX),
		.login = BUF_INIT(KIB(4)),
		.items = BUF_INIT(QUEUE_REPLY_MAX) };
	struct msg_queue_lease_reply reply = { 0 };
	struct verdict v = VERDICT_DONE;
	int r;

	if (q->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	if (m->lease_ms == 0 || m->lease_ms > LEASE_MS_MAX ||
	    m->now_ms > QUEUE_NEVER / 2)
		return verdict_permfail(REASON_INTERNAL);
	if (d) {
		v = leases_end_old(q, d, m->now_ms);
		l.pick.first = d->first;
		r = verdict_is_done(v) ? pick_entries(&l.pick) : 0;
		if (r < 0)
			v = verdict_engine(r);
		l.lease = lease_new(d, (uint32_t)MAX(l.pick.n, 1));
		if (verdict_is_done(v))
			v = lend_all(&l, m);
	}
	if (verdict_is_done(v) && d) {
		d->due_ms = d->told_ms = l.pick.next_ms;
		d->first = l.pick.first;
		reply.next_due_ms = next_due(d);
	}
	reply.items = buf_str(&l.items);
	if (verdict_is_done(v))
		msg_queue_lease_reply_put(out, &reply);
	free(l.lease);
	free(l.pick.v);
	buf_done(&l.message);
	buf_done(&l.login);
	buf_done(&l.items);
	return v;
}
