/* SPDX-License-Identifier: ISC */
/*
 * domain.c - which domains have something due, and leasing it.
 *
 * Domains stand in a heap by the time when their next entry is due. A domain
 * leases a portion, and the next one when that is nearly settled: a small one
 * while its destination has not answered, so that however many dead ones there
 * are, the living get their turn. The store says what is due; what is known
 * here is a hint, which is asked for again after each restart of either side.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "send/queue/due.h"
#include "send/result/suppress.h"
#include "send/server.h"

/* Of one that answers: as many as it can use, the fewer the more domains there
 * are. So they go forwards together, in the order in which mail came: what
 * stands together in the store is read together. (The recipients of one message
 * stay together all the same: the store sees to it.) */
#define PORTION_PROVEN 500
#define PORTION_LEAST  20
#define PORTION_CLOSED 1000
#define PORTION_FIRST  20
#define PORTION_FAILED 10
/* RFC 5321 section 4.5.3.1.8: every server takes so many at once. */
#define RCPTS_MAX  100
#define LEASES_MAX 64 /* requests under way */
#define AGAIN_MS   1000
/* What is left for the unproven is shared by so many to come. */
#define UNPROVEN_SHARES 128
#define UNPROVEN_LEAST  5

struct domain {
	struct table_item item;
	struct domains *ds;
	uint64_t due_ms;  /* wall clock; 0: nothing is due by itself */
	struct due due;   /* in the heap, unless it is parked */
	uint32_t out;     /* leased entries */
	uint64_t hint_ms; /* came while it was leasing; 0: none */
	bool is_leasing;
	uint64_t closed_until_ms; /* the loop's clock */
	bool is_proven, has_failed;
	bool is_parked; /* due, but it has its portion: out of the heap */
	bool is_hungry; /* in the line of those that wait for room */
	struct domain *hungry_next;
	struct lookup *lookup;
	char name[];
};

struct domains {
	struct server *sv;
	struct table table;
	struct due_heap heap;
	struct loop_timer *timer;
	struct loop_timer *reload;
	uint32_t out;      /* leased entries of all */
	uint32_t unproven; /* of domains that are not proven */
	uint32_t leasing;  /* requests under way */
	struct domain *hungry, **hungry_end;
	struct spare spare; /* for what is only put off */
	bool is_stopped, is_queued;
};

struct str
domain_name(const struct domain *d)
{
	return d->item.key;
}

struct lookup **
domain_lookup(struct domain *d)
{
	return &d->lookup;
}

uint32_t
domains_leased(const struct domains *ds)
{
	return ds->out;
}

/* --- domains ------------------------------------------------------------------------- */

static void run(struct domains *ds);

static void
run_later(void *arg)
{
	struct domains *ds = arg;

	ds->is_queued = false;
	run(ds);
}

static void
wake(struct domains *ds)
{
	if (ds->is_queued || ds->is_stopped)
		return;
	ds->is_queued = true;
	loop_defer(ds->sv->loop, run_later, ds);
}

static void
set_due(struct domain *d, uint64_t due_ms)
{
	struct domains *ds = d->ds;

	due_remove(&ds->heap, &d->due);
	d->is_parked = false;
	d->due_ms = due_ms;
	if (due_ms > 0)
		due_add(&ds->heap, &d->due, due_ms);
}

static struct domain *
get_domain(struct domains *ds, struct str name)
{
	struct table_item *item = table_find(&ds->table, name);
	struct domain *d;

	if (item != NULL)
		return CONTAINER_OF(item, struct domain, item);
	d = x_zalloc(sizeof(*d) + name.n);
	memcpy(d->name, name.p, name.n);
	d->ds = ds;
	d->due.place = DUE_NOWHERE;
	table_add(&ds->table, &d->item, str_make(d->name, name.n));
	return d;
}

/* Nothing of it is here, and nothing is expected. */
static void
forget_if_idle(struct domain *d)
{
	struct domains *ds = d->ds;

	if (d->due_ms > 0 || d->out > 0 || d->is_leasing || d->is_hungry)
		return;
	lookup_free(ds->sv, d->lookup);
	table_remove(&ds->table, &d->item);
	free(d);
}

static bool
is_closed(const struct domain *d)
{
	return !d->is_proven &&
	       loop_now_ms(d->ds->sv->loop) < d->closed_until_ms;
}

/*
 * Those of a closed destination are settled at once: the more the better, but
 * not while there is mail for others: they are only put off, and that can wait
 * itself. One that failed last time is tried with a few.
 */
static uint32_t
most_of(const struct domain *d)
{
	struct domains *ds = d->ds;

	if (d->is_proven)
		return (uint32_t)MIN(PORTION_PROVEN,
		    MAX(SERVER_LEASED_MAX / 2 / ds->table.n, PORTION_LEAST));
	if (is_closed(d))
		return ds->out > ds->unproven
		           ? spare_room(&ds->spare, PORTION_CLOSED,
				 loop_now_ms(ds->sv->loop))
		           : PORTION_CLOSED;
	return d->has_failed ? PORTION_FAILED : PORTION_FIRST;
}

/*
 * The unproven get half of the room, and the less the more of it is taken: so
 * a thousand dead destinations leave something for the next one, which may be
 * alive.
 */
static uint32_t
portion(const struct domain *d)
{
	const uint32_t half = SERVER_LEASED_MAX / 2;
	const struct domains *ds = d->ds;
	uint32_t most = most_of(d), room, share;

	room = SERVER_LEASED_MAX - MIN(SERVER_LEASED_MAX, ds->out);
	if (!d->is_proven) {
		room = MIN(room, half - MIN(half, ds->unproven));
		share = MAX(room / UNPROVEN_SHARES, UNPROVEN_LEAST);
		if (!is_closed(d))
			most = MIN(most, share);
	}
	return MIN(most - MIN(most, d->out), room);
}

static void
hunger(struct domain *d)
{
	struct domains *ds = d->ds;

	if (d->is_hungry)
		return;
	d->is_hungry = true;
	d->hungry_next = NULL;
	*ds->hungry_end = d;
	ds->hungry_end = &d->hungry_next;
}

/* There is room again: those that waited for it come in turn. */
static void
feed(struct domains *ds)
{
	for (unsigned n = 0; n < LEASES_MAX && ds->hungry != NULL &&
			     (is_closed(ds->hungry) || portion(ds->hungry) > 0);
	     n++) {
		struct domain *d = ds->hungry;

		ds->hungry = d->hungry_next;
		if (ds->hungry == NULL)
			ds->hungry_end = &ds->hungry;
		d->is_hungry = false;
		if (d->is_parked)
			set_due(d, d->due_ms);
	}
}

void
domain_settled(struct domain *d)
{
	struct domains *ds = d->ds;

	ASSERT(d->out > 0 && ds->out > 0);
	d->out--;
	ds->out--;
	if (!d->is_proven)
		ds->unproven--;
	if (d->is_parked && !d->is_hungry && d->out <= portion(d)) {
		set_due(d, d->due_ms);
		wake(ds);
	} else if (ds->hungry != NULL) {
		wake(ds);
	}
	forget_if_idle(d);
}

void
domain_set_state(struct domain *d, bool is_proven, uint64_t closed_until_ms)
{
	struct domains *ds = d->ds;

	d->closed_until_ms = closed_until_ms;
	d->has_failed |= closed_until_ms > 0;
	d->has_failed &= !is_proven;
	if (d->is_proven == is_proven)
		return;
	if (is_proven)
		ds->unproven -= d->out;
	else
		ds->unproven += d->out;
	d->is_proven = is_proven;
	if (d->is_parked)
		set_due(d, d->due_ms);
	wake(ds);
}

/* --- leasing ------------------------------------------------------------------------- */

struct leasing {
	struct domain *d;
	uint64_t until_ms; /* the loop's clock */
	uint64_t taken;    /* helds_taken() when it was asked for */
};

static struct mail *
find_mail(struct mails *mails, const struct entry *e)
{
	struct mail *m = TAILQ_LAST(mails, mails);

	/* Those of one message stand together in most cases. */
	return m != NULL && mail_fits(m, e) ? m : NULL;
}

/* Sort the items into mails; the answer is their number. */
static uint32_t
take_items(struct leasing *l, struct str items, struct mails *mails)
{
	struct wire w = wire_read(items);
	struct msg_queue_item item;
	struct held *held = NULL;
	uint32_t n = 0;

	while (w.in.n > 0) {
		struct str at = w.in;
		struct entry *e;
		struct mail *m;

		if (!msg_queue_item_read(&w, &item))
			break;
		e = entry_new(str_first(at, at.n - w.in.n));
		if (held == NULL)
			held = held_new(l->d->ds->sv->helds, item.lease);
		held_add(held);
		e->held = held;
		m = find_mail(mails, e);
		if (m == NULL || m->n == RCPTS_MAX) {
			m = mail_new(l->d, l->until_ms);
			TAILQ_INSERT_TAIL(mails, m, link);
		}
		mail_add(m, e);
		n++;
	}
	return n;
}

static void
on_leased(void *arg, struct ipc_msg *msg)
{
	struct leasing *l = arg;
	struct domain *d = l->d;
	struct domains *ds = d->ds;
	struct server *sv = ds->sv;
	struct msg_queue_lease_reply reply = { 0 };
	struct mails mails = TAILQ_HEAD_INITIALIZER(mails);
	struct mail *m;
	uint32_t n = 0;

	d->is_leasing = false;
	ds->leasing--;
	if (msg->outcome == DONE && l->taken == helds_taken(sv->helds) &&
	    msg_queue_lease_reply_get(msg->body, &reply))
		n = take_items(l, reply.items, &mails);
	else
		reply.next_due_ms = loop_time_ms(sv->loop) + AGAIN_MS;
	free(l);
	d->out += n;
	ds->out += n;
	if (!d->is_proven)
		ds->unproven += n;
	if (d->hint_ms > 0 &&
	    (reply.next_due_ms == 0 || d->hint_ms < reply.next_due_ms))
		reply.next_due_ms = d->hint_ms;
	d->hint_ms = 0;
	set_due(d, reply.next_due_ms);
	wake(ds);
	/* Settling the last one may forget the domain: not before the end. */
	d->is_leasing = true;
	while ((m = TAILQ_FIRST(&mails)) != NULL) {
		TAILQ_REMOVE(&mails, m, link);
		if (suppress_mail(sv, m))
			lookup_mail(sv, m);
	}
	d->is_leasing = false;
	forget_if_idle(d);
}

static void
lease(struct domain *d, uint32_t max)
{
	struct domains *ds = d->ds;
	struct server *sv = ds->sv;
	struct leasing *l = X_NEW(struct leasing);
	struct buf body = BUF_INIT(KIB(4));
	struct msg_queue_lease m = { .domain = domain_name(d),
		.max = max,
		.now_ms = loop_time_ms(sv->loop),
		.lease_ms = LEASE_MS };
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_LEASE, .fd = -1
	};

	l->d = d;
	l->until_ms = loop_now_ms(sv->loop) + LEASE_MS - LEASE_GUARD;
	l->taken = helds_taken(sv->helds);
	d->is_leasing = true;
	ds->leasing++;
	msg_queue_lease_put(&body, &m);
	req.body = buf_str(&body);
	runtime_request(sv->rt, &req, on_leased, l);
	buf_done(&body);
}

/*
 * Lease for those that are due. One that has its portion is parked until some
 * of it is settled; one for which there is no room waits in line.
 */
static void
run(struct domains *ds)
{
	uint64_t now = loop_time_ms(ds->sv->loop);
	struct due *first;

	feed(ds);
	while (!ds->is_stopped && ds->leasing < LEASES_MAX &&
	       helds_have_room(ds->sv->helds) &&
	       (first = due_first(&ds->heap)) != NULL && first->at_ms <= now) {
		struct domain *d = CONTAINER_OF(first, struct domain, due);
		uint32_t max = portion(d);

		due_remove(&ds->heap, first);
		if (!d->is_leasing && max > 0 && d->out <= max) {
			if (is_closed(d))
				spare_take(&ds->spare, max);
			lease(d, max);
			continue;
		}
		if (!d->is_leasing && is_closed(d)) {
			due_add(&ds->heap, &d->due, now + SPARE_TURN_MS);
			continue;
		}
		d->is_parked = true;
		if (!d->is_leasing && d->out == 0)
			hunger(d);
	}
	first = due_first(&ds->heap);
	if (ds->is_stopped || first == NULL)
		return;
	/* Those that are due wait for answers of the store. */
	if (first->at_ms > now)
		loop_timer_set(ds->timer, MIN(first->at_ms - now, UINT32_MAX));
	else if (!helds_have_room(ds->sv->helds))
		loop_timer_set(ds->timer, AGAIN_MS);
}

static void
on_time(void *arg)
{
	run(arg);
}

/* --- what the store says ---------------------------------------------------------------- */

static bool
take_list(struct domains *ds, struct str list, struct str *ret_last)
{
	struct wire w = wire_read(list);
	struct msg_queue_domain m;

	while (w.in.n > 0) {
		struct domain *d;

		if (!msg_queue_domain_read(&w, &m))
			return false;
		*ret_last = m.domain;
		if (m.due_ms == 0)
			continue;
		d = get_domain(ds, m.domain);
		if (d->is_leasing)
			d->hint_ms = MAX(m.due_ms, 1);
		else if (d->due_ms == 0 || m.due_ms < d->due_ms)
			set_due(d, m.due_ms);
	}
	return true;
}

bool
domains_due(struct domains *ds, struct str body)
{
	struct str last;

	if (!take_list(ds, body, &last))
		return false;
	wake(ds);
	return true;
}

static void ask(struct domains *ds, struct str after);

static void
on_domains(void *arg, struct ipc_msg *m)
{
	struct domains *ds = arg;
	struct msg_list_reply reply;
	struct str last = STR_NONE;

	if (m->outcome != DONE || !msg_list_reply_get(m->body, &reply) ||
	    !take_list(ds, reply.items, &last)) {
		/* A new store asks us to begin anew by its connection. */
		if (m->outcome != TEMPFAIL || ipc_reason(m) != REASON_GONE)
			loop_timer_set(ds->reload, AGAIN_MS);
		return;
	}
	wake(ds);
	if (reply.has_more && last.n > 0)
		ask(ds, last);
}

static void
ask(struct domains *ds, struct str after)
{
	struct msg_queue_domains m = { .after = after };
	struct buf body = BUF_INIT(KIB(4));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_DOMAINS, .fd = -1
	};

	msg_queue_domains_put(&body, &m);
	req.body = buf_str(&body);
	runtime_request(ds->sv->rt, &req, on_domains, ds);
	buf_done(&body);
}

void
domains_load(struct domains *ds)
{
	ask(ds, STR_NONE);
}

static void
load_again(void *arg)
{
	domains_load(arg);
}

/* What waits for a look-up goes back; with it the domain may go. */
static void
drop_lookup(struct domain *d)
{
	struct lookup *l = d->lookup;

	d->lookup = NULL;
	lookup_free(d->ds->sv, l);
}

void
domains_stop(struct domains *ds)
{
	ds->is_stopped = true;
	loop_timer_clear(ds->timer);
	for (size_t i = 0; i < ds->table.cap; i++)
		for (struct table_item *t = ds->table.slots[i]; t != NULL;) {
			struct domain *d = CONTAINER_OF(t, struct domain, item);

			t = t->next;
			drop_lookup(d);
		}
}

struct domains *
domains_new(struct server *sv)
{
	struct domains *ds = X_NEW(struct domains);

	ds->sv = sv;
	ds->hungry_end = &ds->hungry;
	table_init(&ds->table);
	ds->timer = loop_timer_new(sv->loop, on_time, ds);
	ds->reload = loop_timer_new(sv->loop, load_again, ds);
	return ds;
}
