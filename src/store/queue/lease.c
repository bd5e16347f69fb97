/* SPDX-License-Identifier: ISC */
/*
 * lease.c - entries that role send works on.
 *
 * A lease is one small record, however many entries it lends: these keep
 * their place in the due index, and are passed over there. What the record
 * says of an entry holds as long as the entry's count of ended leases is the
 * same; so an answered entry needs no change of the record, which goes with
 * its last item.
 */
#include "store/queue/queue_internal.h"

#include "base/log.h"

#define LEASE_MS_MAX (24 * 3600 * 1000)

/* --- in memory ------------------------------------------------------------------ */

struct lease_item *
lease_find(const struct queue *q, uint64_t message, uint32_t rcpt)
{
	struct lease_item *i = map_get(&q->leased, entry_number(message, rcpt));

	return i && i->i.message == message && i->i.rcpt == rcpt ? i : NULL;
}

void
lease_free(struct queue *q, struct lease *l)
{
	*l->prev = l->next;
	if (l->next)
		l->next->prev = l->prev;
	q->n_leases--;
	free(l);
}

void
lease_item_close(struct queue *q, struct lease_item *item)
{
	struct lease *l = item->lease;

	item->is_open = false;
	map_del(&q->leased, entry_number(item->i.message, item->i.rcpt));
	if (--l->open == 0)
		lease_free(q, l);
}

/* All its items are anybody's again. */
static void
lease_end(struct queue *q, struct lease *l)
{
	struct lease_item *i = l->items, *end = l->items + l->n;

	for (uint32_t open = l->open; open && i < end; i++)
		if (i->is_open) {
			open--;
			lease_item_close(q, i); /* the last one frees it */
		}
}

void
leases_done(struct queue *q)
{
	for (size_t i = 0; i < q->cap_domains; i++)
		while (q->domains[i] && q->domains[i]->leases)
			lease_free(q, q->domains[i]->leases);
}

static struct lease *
lease_new(struct queue_domain *d, uint32_t n)
{
	struct lease *l = x_zalloc(sizeof(*l) + n * sizeof(l->items[0]));

	l->domain = d;
	l->n = l->open = n;
	return l;
}

/* In memory from now on; its items that are open. */
static void
lease_add(struct queue *q, struct lease *l)
{
	l->next = l->domain->leases;
	l->prev = &l->domain->leases;
	if (l->next)
		l->next->prev = &l->next;
	l->domain->leases = l;
	q->n_leases++;
	for (uint32_t i = 0; i < l->n; i++) {
		struct lease_item *it = &l->items[i];

		if (it->is_open)
			map_put(&q->leased,
			    entry_number(it->i.message, it->i.rcpt), it);
	}
}

/* --- after a restart -------------------------------------------------------------- */

struct loaded {
	struct queue *q;
	struct lease **v;
	size_t n, cap;
	struct engine_batch *b; /* removes leases of nothing */
	bool has_dead;
};

static int
load_lease(void *arg, struct str key, struct str val)
{
	struct loaded *ld = arg;
	struct queue_lease_record r;
	struct queue_domain *d;
	struct wire w;
	struct lease *l;
	uint64_t id;

	if (!qkey_read_id(key, 'L', &id) ||
	    !queue_lease_record_decode(val, &r)) {
		queue_log_damage();
		return 0;
	}
	d = domain_find(ld->q, r.domain);
	if (!d) {
		batch_del(ld->b, QUEUE_SHARD, key);
		ld->has_dead = true;
		return 0;
	}
	l = lease_new(d, r.n);
	l->id = id;
	l->owner = r.owner;
	l->until_ms = r.until_ms;
	w = wire_read(r.items);
	for (uint32_t i = 0; i < r.n; i++) {
		l->items[i].lease = l;
		(void)queue_lease_item_read(&w, &l->items[i].i);
	}
	ld->v = x_grow(ld->v, &ld->cap, ld->n + 1, sizeof(struct lease *));
	ld->v[ld->n++] = l;
	return 0;
}

/* Which items still wait for their result. */
static void
take_open(struct loaded *ld, struct lease *l)
{
	l->open = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		struct lease_item *it = &l->items[i];
		struct queue_entry_record e;

		it->is_open = verdict_is_done(queue_get_entry(
				  ld->q, it->i.message, it->i.rcpt, &e)) &&
		              e.leases == it->i.leases &&
		              !lease_find(ld->q, it->i.message, it->i.rcpt);
		l->open += it->is_open;
	}
	if (l->open) {
		lease_add(ld->q, l);
		return;
	}
	batch_del(ld->b, QUEUE_SHARD, QKEY(qkey_id('L', l->id)));
	ld->has_dead = true;
	free(l);
}

int
leases_load(struct queue *q)
{
	struct loaded ld = { .q = q };
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_kind('L')),
		.to = QKEY(qkey_kind('M')),
	};
	int r;

	ld.b = engine_batch_new(q->engine);
	r = engine_scan(q->engine, &range, load_lease, &ld);
	/* The newest first: an older one has nothing of it. */
	for (size_t i = ld.n; i > 0; i--) {
		if (r >= 0)
			take_open(&ld, ld.v[i - 1]);
		else
			free(ld.v[i - 1]);
	}
	free(ld.v);
	if (r >= 0 && ld.has_dead)
		r = engine_commit(q->engine, TAKE_PTR(ld.b), NULL, NULL);
	engine_batch_free(ld.b);
	return r < 0 ? r : 0;
}

/* --- taking back -------------------------------------------------------------------- */

struct verdict
queue_set_owner(struct queue *q, uint64_t owner)
{
	struct engine_batch *b = engine_batch_new(q->engine);
	struct lease **ends = NULL;
	size_t n = 0, cap = 0;
	int r = 0;

	q->owner = owner;
	for (size_t i = 0; i < q->cap_domains; i++) {
		struct lease *l = q->domains[i] ? q->domains[i]->leases : NULL;

		for (; l; l = l->next) {
			if (l->owner == owner)
				continue;
			batch_del(b, QUEUE_SHARD, QKEY(qkey_id('L', l->id)));
			ends =
			    x_grow(ends, &cap, n + 1, sizeof(struct lease *));
			ends[n++] = l;
		}
	}
	if (n)
		r = engine_commit(q->engine, TAKE_PTR(b), NULL, NULL);
	engine_batch_free(b);
	/* Leased once more they get another number: an end that a crash
	 * takes back does no harm. */
	for (size_t i = 0; i < n && r >= 0; i++) {
		domain_due_again(q, ends[i]->domain);
		lease_end(q, ends[i]);
	}
	free(ends);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

/* --- choosing ----------------------------------------------------------------------- */

struct pick {
	struct queue *q;
	struct str domain;
	uint64_t now_ms, next_ms;
	size_t max, n, cap;
	struct queue_place *v;
	struct queue_place first; /* that is left, or where to begin */
	bool has_first;
	uint8_t priority; /* of the key seen last */
	bool is_full;
};

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
	if (place.due_ms > p->now_ms || p->n == p->max) {
		if (!p->has_first)
			p->first = place;
		p->has_first = true;
		p->next_ms = MIN(p->next_ms, place.due_ms);
		p->is_full = p->n == p->max;
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
	struct buf items; /* of the reply */
};

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
	if (queue_message_record_decode(buf_str(&l->message), &l->m))
		return VERDICT_DONE;
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
		.route = e->route,
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

/* The leases of the domain whose time is over. */
static struct verdict
end_old(struct queue *q, struct queue_domain *d, uint64_t now_ms)
{
	struct engine_batch *b = NULL;
	struct lease *l, *next;
	int r = 0;

	for (l = d->leases; l; l = l->next) {
		if (l->until_ms > now_ms)
			continue;
		if (!b)
			b = engine_batch_new(q->engine);
		batch_del(b, QUEUE_SHARD, QKEY(qkey_id('L', l->id)));
	}
	if (!b)
		return VERDICT_DONE;
	r = engine_commit(q->engine, b, NULL, NULL);
	if (r < 0)
		return verdict_engine(r);
	domain_due_again(q, d);
	for (l = d->leases; l; l = next) {
		next = l->next;
		if (l->until_ms <= now_ms)
			lease_end(q, l);
	}
	return VERDICT_DONE;
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
	return next == QUEUE_NEVER ? 0 : next;
}

struct verdict
queue_lease(struct queue *q, const struct msg_queue_lease *m, struct buf *out)
{
	struct queue_domain *d = domain_find(q, m->domain);
	struct lending l = { .q = q,
		.pick = { .q = q,
		    .domain = m->domain,
		    .now_ms = m->now_ms,
		    .max = MIN(m->max, QUEUE_LEASE_MAX) },
		.message = BUF_INIT(ENGINE_VALUE_MAX),
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
		v = end_old(q, d, m->now_ms);
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
	buf_done(&l.items);
	return v;
}
