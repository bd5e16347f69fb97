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

struct lease *
lease_new(struct queue_domain *d, uint32_t n)
{
	struct lease *l = x_zalloc(sizeof(*l) + n * sizeof(l->items[0]));

	l->domain = d;
	l->n = l->open = n;
	return l;
}

void
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

/* Of a request: the leases that somebody says he holds. */
static bool
read_names(struct str leases, struct map *ret)
{
	struct wire w = wire_read(leases);

	while (w.in.n > 0 && !w.failed)
		map_put(ret, wire_get_u64(&w), ret);
	return wire_is_complete(&w);
}

struct taking {
	struct queue *q;
	uint64_t owner;
	struct map names;
	struct engine_batch *b;
	struct lease **ends;
	size_t n, cap;
};

static void
choose_ends(struct taking *t, const struct queue_domain *d)
{
	for (struct lease *l = d->leases; l; l = l->next) {
		if (l->owner == t->owner && map_get(&t->names, l->id))
			continue;
		batch_del(t->b, QUEUE_SHARD, QKEY(qkey_id('L', l->id)));
		t->ends =
		    x_grow(t->ends, &t->cap, t->n + 1, sizeof(struct lease *));
		t->ends[t->n++] = l;
	}
}

static struct verdict
take(struct taking *t)
{
	struct queue *q = t->q;
	int r = 0;

	t->b = engine_batch_new(q->engine);
	for (size_t i = 0; i < q->cap_domains; i++)
		if (q->domains[i])
			choose_ends(t, q->domains[i]);
	if (t->n)
		r = engine_commit(q->engine, TAKE_PTR(t->b), NULL, NULL);
	engine_batch_free(t->b);
	/* Leased once more they get another number: an end that a crash
	 * takes back does no harm. */
	for (size_t i = 0; i < t->n && r >= 0; i++) {
		domain_due_again(q, t->ends[i]->domain);
		lease_end(q, t->ends[i]);
	}
	free(t->ends);
	if (r < 0)
		return verdict_engine(r);
	q->owner = t->owner;
	queue_counts_anew(q);
	return VERDICT_DONE;
}

struct verdict
queue_take(struct queue *q, uint64_t owner, const struct msg_queue_take *m,
    uint32_t *ret_ended)
{
	struct taking t = { .q = q, .owner = owner };
	struct verdict v;

	if (q->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	v = read_names(m->leases, &t.names) ? take(&t)
	                                    : verdict_permfail(REASON_INTERNAL);
	map_done(&t.names);
	if (verdict_is_done(v))
		*ret_ended = (uint32_t)t.n;
	return v;
}

bool
queue_is_owner(const struct queue *q, uint64_t owner)
{
	return q->owner == owner;
}

struct verdict
leases_end_old(struct queue *q, struct queue_domain *d, uint64_t now_ms)
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
