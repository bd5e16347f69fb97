/* SPDX-License-Identifier: ISC */
/*
 * add.c - a message comes into the queue: its records become part of the
 * batch that delivers its local copies.
 */
#include "store/queue/queue_internal.h"

struct queue_adding {
	struct queue *q;
	uint64_t account;
	struct queue_place place; /* of the first one */
	size_t n;
	struct str domains[]; /* owned */
};

struct verdict
queue_may_add(const struct queue *q, const struct queue_message *m,
    const struct queue_rcpt *rcpts, size_t n)
{
	const struct queue_limits *l = &q->config.limits;

	if (q->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	if (m->mail_from.n > QUEUE_ADDRESS_MAX || m->via.n > QUEUE_DOMAIN_MAX ||
	    m->envid.n > QUEUE_ENVID_MAX || m->trace.n > QUEUE_TRACE_MAX ||
	    m->priority > QUEUE_PRIO_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	if (n > QUEUE_RCPTS_MAX)
		return verdict_permfail(REASON_LIMIT);
	for (size_t i = 0; i < n; i++) {
		if (!queue_address_is_ok(rcpts[i].address))
			return verdict_permfail(REASON_NAME);
		if (rcpts[i].orcpt.n > QUEUE_ORCPT_MAX ||
		    rcpts[i].prefix.n > QUEUE_PREFIX_MAX)
			return verdict_permfail(REASON_TOO_BIG);
	}
	if (m->is_unlimited)
		return VERDICT_DONE;
	if (l->entries && q->n_entries + n > l->entries)
		return verdict_tempfail(REASON_DISK_FULL);
	if (l->account_entries && m->account &&
	    account_entries(q, m->account) + n > l->account_entries)
		return verdict_tempfail(REASON_QUEUE_LIMIT);
	return VERDICT_DONE;
}

/* --- prefixes ------------------------------------------------------------------- */

/* What follows a field and its continued lines. */
static struct str
behind_field(struct str s)
{
	do {
		ptrdiff_t end = str_search(s, STR("\r\n"));

		s = end < 0 ? STR_NONE : str_from(s, (size_t)end + 2);
	} while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'));
	return s;
}

/* RFC 5321 section 4.4: only who delivers finally adds a Return-Path; where a
 * copy here went is of no use elsewhere, and tells who is behind an alias. */
static struct str
without_local_fields(struct str prefix)
{
	while (str_starts_case(prefix, STR("Return-Path:")) ||
	       str_starts_case(prefix, STR("Delivered-To:")))
		prefix = behind_field(prefix);
	return prefix;
}

struct prefixes {
	struct str *v;
	uint32_t n;
};

/* The number of this prefix; most messages have one for all recipients. */
static uint32_t
prefix_number(struct prefixes *p, struct str prefix)
{
	prefix = without_local_fields(prefix);
	for (uint32_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i], prefix))
			return i;
	p->v[p->n] = prefix;
	return p->n++;
}

/* --- records --------------------------------------------------------------------- */

struct put {
	struct queue *q;
	struct engine_batch *b;
	struct buf val;
	const struct queue_message *m;
	uint64_t number, due_ms;
	uint64_t place_ms; /* in the due index */
	struct prefixes prefixes;
};

static void
put_record(struct put *p, struct queue_key key)
{
	batch_put(p->b, QUEUE_SHARD, queue_key_str(&key), buf_str(&p->val));
	buf_reset(&p->val, p->val.cap);
}

static void
put_lookup(struct put *p, struct str text)
{
	if (text.n)
		put_record(p, qkey_lookup(text, p->number));
}

static void
put_entry(struct put *p, const struct queue_rcpt *rcpt, uint32_t number)
{
	struct queue_place place = { p->m->priority, p->place_ms, p->number,
		number };
	struct queue_entry_record r = {
		.address = rcpt->address,
		.orcpt = rcpt->orcpt,
		.notify = rcpt->notify,
		.priority = p->m->priority,
		.account = p->m->account,
		.prefix = prefix_number(&p->prefixes, rcpt->prefix),
		.due_ms = p->due_ms,
		.reply = p->m->held,
	};

	if (r.reply.n)
		r.flags = QUEUE_ENTRY_HELD | QUEUE_ENTRY_LIMITED;
	if (rcpt->is_local)
		r.flags |= QUEUE_ENTRY_LOCAL;
	queue_entry_record_encode(&p->val, &r);
	put_record(p, qkey_entry(p->number, number));
	queue_account_encode(&p->val, p->m->account);
	put_record(p, qkey_due(queue_address_domain(r.address), &place));
	put_lookup(p, r.address);
}

static void
put_message(struct put *p, uint32_t n, uint64_t blob)
{
	const struct queue_message *m = p->m;
	struct queue_message_record r = {
		.blob = blob,
		.blob_size = m->size,
		.trace = m->trace,
		.mail_from = m->mail_from,
		.account = m->account,
		.envid = m->envid,
		.ret = m->ret,
		.body = m->body,
		.flags = m->flags,
		.arrival_ms = m->arrival_ms,
		.deliver_by = m->deliver_by,
		.deliver_by_mode = m->deliver_by_mode,
		.priority = m->priority,
		.n_rcpts = n,
		.n_prefixes = p->prefixes.n,
		.prefix = p->prefixes.v[0],
		.via = m->via,
		.hold_until = m->hold_until,
	};

	if (m->held.n)
		r.flags |= QUEUE_MESSAGE_LIMITED;
	queue_message_record_encode(&p->val, &r);
	put_record(p, qkey_id('M', p->number));
	for (uint32_t i = 1; i < p->prefixes.n; i++) {
		queue_prefix_encode(&p->val, p->prefixes.v[i]);
		put_record(p, qkey_prefix(p->number, i));
	}
	put_lookup(p, m->trace);
	put_lookup(p, m->mail_from);
}

/* Held by a limit: found by its account, and told in its history. */
static void
put_held(struct put *p)
{
	struct queue_event_record event = { .reply = p->m->held };

	put_record(p, qkey_limited(p->m->account, p->number));
	queue_event_record_encode(&p->val, &event);
	put_record(p, qkey_event(p->number, queue_now_ms(p->q), QUEUE_NO_RCPT,
			  QUEUE_WAS_LIMITED));
}

struct queue_adding *
queue_add(struct queue *q, struct engine_batch *b,
    const struct queue_message *m, const struct queue_rcpt *rcpts, size_t n,
    uint64_t blob)
{
	struct queue_adding *a =
	    x_zalloc(sizeof(*a) + n * sizeof(a->domains[0]));
	struct put p = { .q = q,
		.b = b,
		.val = BUF_INIT(ENGINE_VALUE_MAX + 1),
		.m = m,
		.number = queue_number(q, &q->next_message, QUEUE_RCPTS_MAX),
		.due_ms = MAX(m->arrival_ms, m->hold_until * 1000) };

	ASSERT(n > 0 && n <= QUEUE_RCPTS_MAX);
	p.place_ms = m->held.n ? QUEUE_NEVER : p.due_ms;
	p.prefixes.v = x_calloc(n, sizeof(*p.prefixes.v));
	a->q = q;
	a->account = m->account;
	a->place = (struct queue_place){ m->priority, p.place_ms, p.number, 0 };
	a->n = n;
	for (size_t i = 0; i < n; i++) {
		put_entry(&p, &rcpts[i], (uint32_t)i);
		a->domains[i] =
		    str_copy(queue_address_domain(rcpts[i].address));
	}
	put_message(&p, (uint32_t)n, blob);
	if (m->held.n)
		put_held(&p);
	free(p.prefixes.v);
	buf_done(&p.val);
	return a;
}

uint64_t
queue_adding_number(const struct queue_adding *a)
{
	return a->place.message;
}

void
queue_added(struct queue_adding *a, bool is_accepted)
{
	for (size_t i = 0; i < a->n; i++) {
		a->place.rcpt = (uint32_t)i;
		if (is_accepted)
			domain_add_entry(
			    a->q, domain_get(a->q, a->domains[i]), &a->place);
		str_free(&a->domains[i]);
	}
	if (is_accepted)
		account_count(a->q, a->account, (int64_t)a->n);
	free(a);
}

/* --- was it added before? ---------------------------------------------------------- */

struct same {
	uint64_t v[16];
	size_t n;
};

static int
add_same(void *arg, struct str key, UNUSED struct str val)
{
	struct same *s = arg;
	uint64_t hash;

	if (qkey_read_lookup(key, &hash, &s->v[s->n]) ||
	    akey_read_lookup(key, &hash, &s->v[s->n]))
		s->n++;
	return s->n == ARRAY_LEN(s->v);
}

static struct verdict
is_same(struct queue *q, uint64_t number, struct str trace, uint64_t size,
    bool *ret)
{
	struct queue_message_record m;
	struct queue_gone_record g;
	struct verdict v = queue_get_message(q, number, &m);

	if (verdict_is_done(v))
		*ret |= str_eq(m.trace, trace) && m.blob_size == size;
	if (v.outcome != NOT_FOUND)
		return v;
	v = queue_get_gone(q, number, &g);
	if (verdict_is_done(v))
		*ret |= str_eq(g.trace, trace) && g.size == size;
	return v.outcome == NOT_FOUND ? VERDICT_DONE : v;
}

/* The messages that a trace leads to, by keys of one kind. */
static struct verdict
find_same(
    struct queue *q, queue_lookup_fn lookup, struct str trace, struct same *ret)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(lookup(trace, 0)),
		.to = QKEY(lookup(trace, UINT64_MAX)),
		.is_reverse = true,
	};
	int r = trace.n ? engine_scan(q->engine, &range, add_same, ret) : 0;

	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

/* Nothing of it was queued: it is noted how it came. */
static struct verdict
is_noted(struct queue *q, uint64_t number, struct str trace, uint64_t size,
    bool *ret)
{
	struct arrival a;
	struct verdict v = arrival_read(q, number, &a);

	if (verdict_is_done(v))
		*ret |= str_eq(a.r.trace, trace) && a.r.size == size;
	arrival_done(&a);
	return v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT
	           ? VERDICT_DONE
	           : v;
}

static struct verdict
has_arrived(struct queue *q, struct str trace, uint64_t size, bool *ret)
{
	struct same same = { .n = 0 };
	struct verdict v = find_same(q, akey_lookup, trace, &same);

	for (size_t i = 0; i < same.n && verdict_is_done(v) && !*ret; i++)
		v = is_noted(q, same.v[i], trace, size, ret);
	return v;
}

struct verdict
queue_knows(struct queue *q, struct str trace, uint64_t size, bool *ret)
{
	struct same same = { .n = 0 };
	struct verdict v = find_same(q, qkey_lookup, trace, &same);

	*ret = false;
	for (size_t i = 0; i < same.n && verdict_is_done(v) && !*ret; i++)
		v = is_same(q, same.v[i], trace, size, ret);
	if (verdict_is_done(v) && !*ret)
		v = has_arrived(q, trace, size, ret);
	return v;
}

static struct verdict
account_of(struct queue *q, uint64_t number, struct str trace, uint64_t *ret)
{
	struct queue_message_record m;
	struct queue_gone_record g;
	struct verdict v = queue_get_message(q, number, &m);

	if (verdict_is_done(v) && str_eq(m.trace, trace))
		*ret = m.account;
	if (v.outcome != NOT_FOUND)
		return v;
	v = queue_get_gone(q, number, &g);
	if (verdict_is_done(v) && str_eq(g.trace, trace))
		*ret = g.account;
	return v.outcome == NOT_FOUND ? VERDICT_DONE : v;
}

struct verdict
queue_account_of(struct queue *q, struct str trace, uint64_t *ret)
{
	struct same same = { .n = 0 };
	struct verdict v = find_same(q, qkey_lookup, trace, &same);
	uint64_t account = 0;

	for (size_t i = 0; i < same.n && verdict_is_done(v) && !account; i++)
		v = account_of(q, same.v[i], trace, &account);
	if (verdict_is_done(v) && !account)
		return verdict_not_found(REASON_NO_USER);
	if (verdict_is_done(v))
		*ret = account;
	return v;
}
