/* SPDX-License-Identifier: ISC */
/*
 * queue.c - opening the queue: what is in memory is made anew from the due
 * index and the leases; and reading single records.
 */
#include "store/queue/queue_internal.h"

#include "base/log.h"

#include <sys/random.h>

/* Numbers grow with the milliseconds, so that they tell the time and are not
 * given twice when the history is empty. */

uint64_t
queue_number(struct queue *q, uint64_t *next, uint64_t room)
{
	uint64_t n = MAX(*next, queue_now_ms(q) * QUEUE_NUMBERS_PER_MS);

	*next = n + room;
	return n;
}

/* --- opening ------------------------------------------------------------------ */

struct load {
	struct queue *q;
	struct queue_domain *domain; /* the last one */
};

void
queue_log_damage(void)
{
	log_event(EV_STORE_CORRUPT, LC("during", "queue"));
}

static int
load_entry(void *arg, struct str key, struct str val)
{
	struct load *l = arg;
	struct queue_place place;
	struct str name;
	uint64_t account;

	if (!qkey_read_due(key, &name, &place) ||
	    !queue_account_decode(val, &account)) {
		queue_log_damage();
		return 0;
	}
	if (!l->domain || !str_eq(domain_name(l->domain), name))
		l->domain = domain_get(l->q, name);
	l->domain->count++;
	l->domain->due_ms = MIN(l->domain->due_ms, place.due_ms);
	l->q->n_entries++;
	if (place.due_ms != QUEUE_NEVER)
		domain_wait(l->q, l->domain, place.message);
	account_count(l->q, account, 1);
	return 0;
}

static int
last_number(void *arg, struct str key, UNUSED struct str val)
{
	uint64_t *last = arg;

	if (key.n >= 9)
		*last = MAX(*last, be64_get(key.p + 1));
	return 1;
}

static int
find_last(struct queue *q, char kind, uint64_t *last)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_kind(kind)),
		.to = QKEY(qkey_kind((char)(kind + 1))),
		.is_reverse = true,
	};
	int r = engine_scan(q->engine, &range, last_number, last);

	return r < 0 ? r : 0;
}

static int
load(struct queue *q)
{
	struct load l = { .q = q };
	struct engine_range due = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_kind('D')),
		.to = QKEY(qkey_kind('E')),
	};
	uint64_t message = 0, lease = 0;
	int r = engine_scan(q->engine, &due, load_entry, &l);

	if (r >= 0)
		r = find_last(q, 'M', &message);
	if (r >= 0)
		r = find_last(q, 'G', &message);
	if (r >= 0)
		r = find_last(q, 'I', &message);
	if (r >= 0)
		r = find_last(q, 'L', &lease);
	if (r < 0)
		return r;
	q->next_message = message ? message + QUEUE_RCPTS_MAX : 1;
	q->next_lease = lease + 1;
	return leases_load(q);
}

int
queue_open(const struct queue_config *config, struct queue **ret)
{
	struct queue *q = X_NEW(struct queue);
	int r;

	q->config = *config;
	q->engine = config->engine;
	/* Early in the life of a machine there may be none: 0 will do. */
	if (getrandom(&q->seed, sizeof(q->seed), GRND_NONBLOCK) < 0)
		q->seed = queue_now_ms(q);
	r = load(q);
	if (r == ENGINE_CORRUPT) {
		queue_log_damage();
		q->is_damaged = true;
	} else if (r < 0) {
		queue_free(q);
		return r;
	}
	*ret = q;
	return 0;
}

void
queue_free(struct queue *q)
{
	if (!q)
		return;
	leases_done(q);
	domains_done(q);
	map_done(&q->accounts);
	map_done(&q->leased);
	map_done(&q->damaged);
	free(q);
}

void
queue_set_limits(struct queue *q, const struct queue_limits *limits)
{
	q->config.limits = *limits;
}

void
queue_stats(const struct queue *q, struct queue_stats *ret)
{
	*ret = (struct queue_stats){ q->n_entries, q->n_domains, q->leased.n,
		q->n_leases };
}

/* --- records ------------------------------------------------------------------ */

static struct verdict
get(struct queue *q, struct queue_key key, struct str *ret)
{
	int r = engine_get(q->engine, QUEUE_SHARD, queue_key_str(&key), ret);

	if (r < 0)
		return verdict_engine(r);
	return r ? VERDICT_DONE : verdict_not_found(REASON_NONE);
}

struct verdict
queue_get_message(
    struct queue *q, uint64_t message, struct queue_message_record *ret)
{
	struct str val;
	struct verdict v = get(q, qkey_id('M', message), &val);

	if (verdict_is_done(v) && !queue_message_record_decode(val, ret))
		return verdict_engine(ENGINE_CORRUPT);
	return v;
}

struct verdict
queue_get_gone(struct queue *q, uint64_t message, struct queue_gone_record *ret)
{
	struct str val;
	struct verdict v = get(q, qkey_id('G', message), &val);

	if (verdict_is_done(v) && !queue_gone_record_decode(val, ret))
		return verdict_engine(ENGINE_CORRUPT);
	return v;
}

struct verdict
queue_get_entry(struct queue *q, uint64_t message, uint32_t rcpt,
    struct queue_entry_record *ret)
{
	struct str val;
	struct verdict v = get(q, qkey_entry(message, rcpt), &val);

	if (verdict_is_done(v) && !queue_entry_record_decode(val, ret))
		return verdict_engine(ENGINE_CORRUPT);
	return v;
}

static struct verdict
get_prefix(struct queue *q, const struct queue_message_record *m,
    uint64_t message, uint32_t number, struct buf *out)
{
	struct str val, prefix;
	struct verdict v;

	if (number == 0) {
		buf_put_str(out, m->prefix);
		return VERDICT_DONE;
	}
	v = get(q, qkey_prefix(message, number), &val);
	if (v.outcome == NOT_FOUND ||
	    (verdict_is_done(v) && !queue_prefix_decode(val, &prefix)))
		return verdict_engine(ENGINE_CORRUPT);
	if (verdict_is_done(v))
		buf_put_str(out, prefix);
	return v;
}

struct verdict
queue_read(struct queue *q, const struct msg_queue_read *m, struct buf *out,
    struct queue_bytes *ret)
{
	struct queue_message_record message;
	struct queue_entry_record entry;
	struct verdict v = queue_get_entry(q, m->message, m->rcpt, &entry);
	uint32_t prefix = entry.prefix;

	if (!verdict_is_done(v))
		return v;
	v = queue_get_message(q, m->message, &message);
	if (v.outcome == NOT_FOUND)
		return verdict_engine(ENGINE_CORRUPT);
	if (!verdict_is_done(v))
		return v;
	*ret = (struct queue_bytes){ message.blob, message.blob_size };
	return get_prefix(q, &message, m->message, prefix, out);
}

/* --- domains, for who asks ------------------------------------------------------- */

struct first {
	char name[QUEUE_DOMAIN_MAX];
	size_t n;
};

static int
first_domain(void *arg, struct str key, UNUSED struct str val)
{
	struct first *f = arg;
	struct queue_place place;
	struct str name;

	if (qkey_read_due(key, &name, &place)) {
		memcpy(f->name, name.p, name.n);
		f->n = name.n;
	}
	return 1;
}

#define DOMAINS_PORTION 1000

/* The domains behind one, a portion; 1: there are more, 0, or an error. */
static int
visit_domains(struct queue *q, struct str after,
    void (*visit)(struct queue_domain *d, struct buf *items), struct buf *items)
{
	struct queue_key from =
	    after.n ? qkey_due_end(str_first(after, QUEUE_DOMAIN_MAX))
		    : qkey_kind('D');
	int r = q->is_damaged ? ENGINE_CORRUPT : 1;

	for (size_t n = 0; n < DOMAINS_PORTION && r > 0; n++) {
		struct first f = { .n = 0 };
		struct engine_range range = { QUEUE_SHARD, queue_key_str(&from),
			QKEY(qkey_kind('E')), false };
		struct queue_domain *d;

		r = engine_scan(q->engine, &range, first_domain, &f);
		if (r <= 0)
			break;
		from = qkey_due_end(str_make(f.name, f.n));
		d = domain_find(q, str_make(f.name, f.n));
		if (d != NULL)
			visit(d, items);
	}
	return r;
}

static struct verdict
list_domains(struct queue *q, struct str after,
    void (*visit)(struct queue_domain *d, struct buf *items), struct buf *out)
{
	struct buf items = BUF_INIT(QUEUE_REPLY_MAX);
	int r = visit_domains(q, after, visit, &items);

	if (r >= 0)
		msg_list_reply_put(
		    out, &(struct msg_list_reply){ buf_str(&items), r == 1 });
	buf_done(&items);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static void
put_domain(struct queue_domain *d, struct buf *items)
{
	d->told_ms = d->due_ms;
	msg_queue_domain_put(items, &(struct msg_queue_domain){ domain_name(d),
					domain_told_due(d->due_ms), d->count });
}

struct verdict
queue_domains(
    struct queue *q, const struct msg_queue_domains *m, struct buf *out)
{
	return list_domains(q, m->after, put_domain, out);
}

static void
put_target(struct queue_domain *d, struct buf *items)
{
	msg_queue_target_put(
	    items, &(struct msg_queue_target){ domain_name(d), d->count });
}

struct verdict
queue_targets(
    struct queue *q, const struct msg_queue_targets *m, struct buf *out)
{
	return list_domains(q, m->after, put_target, out);
}
