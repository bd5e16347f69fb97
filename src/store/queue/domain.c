/* SPDX-License-Identifier: ISC */
/*
 * domain.c - the summary of each domain that has entries, in memory.
 *
 * The table is made anew at start from the due index. An outsider chooses the
 * names: the hash is seeded.
 */
#include "store/queue/queue_internal.h"

#include "base/hash.h"

#define FIRST_CAP 64

static size_t
slot_of(const struct queue *q, struct str name)
{
	size_t i = (size_t)hash64_seed(name.p, name.n, q->seed);

	for (;; i++) {
		const struct queue_domain *d;

		i &= q->cap_domains - 1;
		d = q->domains[i];
		if (!d || str_eq(domain_name(d), name))
			return i;
	}
}

struct queue_domain *
domain_find(const struct queue *q, struct str name)
{
	return q->cap_domains ? q->domains[slot_of(q, name)] : NULL;
}

static void
grow(struct queue *q)
{
	struct queue_domain **old = q->domains;
	size_t n = q->cap_domains;

	q->cap_domains = n ? n * 2 : FIRST_CAP;
	q->domains = x_calloc(q->cap_domains, sizeof(struct queue_domain *));
	for (size_t i = 0; i < n; i++)
		if (old[i])
			q->domains[slot_of(q, domain_name(old[i]))] = old[i];
	free(old);
}

struct queue_domain *
domain_get(struct queue *q, struct str name)
{
	struct queue_domain *d = domain_find(q, name);

	if (d)
		return d;
	if ((q->n_domains + 1) * 3 > q->cap_domains * 2)
		grow(q);
	d = x_zalloc(sizeof(*d) + name.n);
	d->n = (uint32_t)name.n;
	if (name.n)
		memcpy(d->name, name.p, name.n);
	d->due_ms = d->told_ms = QUEUE_NEVER;
	d->first.priority = QUEUE_PRIO_MAX;
	q->domains[slot_of(q, name)] = d;
	q->n_domains++;
	return d;
}

/* Move up what had to go past the slot that is free now. */
static void
take_out(struct queue *q, const struct queue_domain *d)
{
	size_t i = slot_of(q, domain_name(d)), mask = q->cap_domains - 1;

	q->domains[i] = NULL;
	q->n_domains--;
	for (i = (i + 1) & mask; q->domains[i]; i = (i + 1) & mask) {
		struct queue_domain *move = q->domains[i];

		q->domains[i] = NULL;
		q->domains[slot_of(q, domain_name(move))] = move;
	}
}

/* In the order of the due index. */
static bool
is_before(const struct queue_place *a, const struct queue_place *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	if (a->message != b->message)
		return a->message < b->message;
	return a->rcpt < b->rcpt;
}

static void
due_at(struct queue *q, struct queue_domain *d, uint64_t due_ms)
{
	d->due_ms = MIN(d->due_ms, due_ms);
	if (d->due_ms >= d->told_ms || d->is_changed)
		return;
	q->changed = x_grow(q->changed, &q->cap_changed, q->n_changed + 1,
	    sizeof(struct queue_domain *));
	q->changed[q->n_changed++] = d;
	d->is_changed = true;
}

void
domain_due(struct queue *q, struct queue_domain *d, const struct queue_place *p)
{
	if (is_before(p, &d->first))
		d->first = *p;
	due_at(q, d, p->due_ms);
}

void
domain_due_again(struct queue *q, struct queue_domain *d)
{
	d->first = (struct queue_place){ .priority = QUEUE_PRIO_MAX };
	due_at(q, d, 1);
}

void
domain_add_entry(
    struct queue *q, struct queue_domain *d, const struct queue_place *p)
{
	domain_recount(q, d);
	d->count++;
	q->n_entries++;
	if (p->due_ms != QUEUE_NEVER)
		domain_wait(q, d, p->message);
	domain_due(q, d, p);
}

void
domain_free_gone(struct queue_domain *d)
{
	if (d->count == 0 && !d->is_changed && !d->is_recounted)
		free(d);
}

void
domain_remove_entry(struct queue *q, struct queue_domain *d)
{
	ASSERT(d->count > 0);
	domain_recount(q, d);
	d->count--;
	q->n_entries--;
	if (d->count > 0)
		return;
	ASSERT(!d->leases);
	take_out(q, d);
	domain_forget_hosts(q, d);
	/* Else queue_take_due() or queue_take_counts() frees it. */
	domain_free_gone(d);
}

bool
queue_take_due(struct queue *q, struct buf *out, size_t max)
{
	size_t had = out->n;

	while (q->n_changed) {
		struct queue_domain *d = q->changed[q->n_changed - 1];
		struct msg_queue_domain m = { domain_name(d),
			domain_told_due(d->due_ms), d->count };

		if (out->n - had + d->n + 16 > max)
			break;
		q->n_changed--;
		d->is_changed = false;
		if (d->count == 0) {
			domain_free_gone(d);
			continue;
		}
		if (d->due_ms >= d->told_ms)
			continue;
		d->told_ms = d->due_ms;
		msg_queue_domain_put(out, &m);
	}
	return out->n > had;
}

void
domains_done(struct queue *q)
{
	for (size_t i = 0; i < q->n_changed; i++) {
		q->changed[i]->is_changed = false;
		domain_free_gone(q->changed[i]);
	}
	for (size_t i = 0; i < q->n_recounted; i++) {
		q->recounted[i]->is_recounted = false;
		domain_free_gone(q->recounted[i]);
	}
	for (size_t i = 0; i < q->cap_domains; i++) {
		if (q->domains[i] != NULL)
			domain_forget_hosts(q, q->domains[i]);
		free(q->domains[i]);
	}
	free(q->domains);
	free(q->changed);
	free(q->recounted);
}

/* --- accounts ------------------------------------------------------------------- */

uint64_t
account_entries(const struct queue *q, uint64_t account)
{
	return (uintptr_t)map_get(&q->accounts, account);
}

void
account_count(struct queue *q, uint64_t account, int64_t delta)
{
	uint64_t n = account_entries(q, account) + (uint64_t)delta;

	if (account == 0)
		return;
	/* A pointer is a number here: the map owns nothing. */
	if (n)
		map_put(&q->accounts, account, (void *)(uintptr_t)n);
	else
		map_del(&q->accounts, account);
}
