/* SPDX-License-Identifier: ISC */
/*
 * history.c - what became of messages: told to who asks by id or address,
 * and forgotten after some days.
 */
#include "store/queue/queue_internal.h"

#define DAY_MS         (UINT64_C(24) * 3600 * 1000)
#define TRACE_MESSAGES 50     /* of one portion */
#define TRACE_BYTES    MIB(1) /* after which it ends */
#define EVENTS_MAX     20000  /* told of one message */
#define PURGE_LOOK     500    /* messages looked at in one step */
#define PURGE_KEYS     10000  /* look-ups removed in it, about */

/* --- one message ----------------------------------------------------------------- */

/* An event names its recipient by number; the address is in the entry while
 * that is there, and in the event with which it went. */
struct name {
	uint32_t rcpt;
	bool is_live, is_wanted;
	struct str address; /* owned */
};

struct event {
	uint64_t time_ms;
	uint32_t rcpt;
	uint8_t state;
	struct str val; /* owned */
};

struct life {
	struct name *names;
	size_t n_names, cap_names;
	struct event *events; /* the newest first */
	size_t n_events, cap_events;
};

static void
add_name(struct life *l, uint32_t rcpt, struct str address, bool is_live)
{
	l->names =
	    x_grow(l->names, &l->cap_names, l->n_names + 1, sizeof(*l->names));
	l->names[l->n_names++] =
	    (struct name){ rcpt, is_live, true, str_copy(address) };
}

static int
add_gone_name(void *arg, struct str key, struct str val)
{
	struct queue_event_record r;
	uint64_t message, time_ms;
	uint32_t rcpt;
	uint8_t state;

	if (qkey_read_event(key, &message, &time_ms, &rcpt, &state) &&
	    queue_event_record_decode(val, &r) && r.address.n)
		add_name(arg, rcpt, r.address, false);
	return 0;
}

static int
add_live_name(void *arg, struct str key, struct str val)
{
	struct queue_entry_record r;
	uint64_t message;
	uint32_t rcpt;

	if (qkey_read_entry(key, &message, &rcpt) &&
	    queue_entry_record_decode(val, &r))
		add_name(arg, rcpt, r.address, true);
	return 0;
}

static int
name_cmp(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return (x->rcpt > y->rcpt) - (x->rcpt < y->rcpt);
}

static struct name *
name_of(const struct life *l, uint32_t rcpt)
{
	struct name key = { .rcpt = rcpt };

	return l->n_names
	           ? bsearch(&key, l->names, l->n_names, sizeof(key), name_cmp)
	           : NULL;
}

static struct engine_range
range_of(char kind, uint64_t message, struct queue_key keys[2])
{
	keys[0] = qkey_id(kind, message);
	keys[1] = qkey_id(kind, message + 1);
	return (struct engine_range){ QUEUE_SHARD, queue_key_str(&keys[0]),
		queue_key_str(&keys[1]), false };
}

static void
life_done(struct life *l)
{
	for (size_t i = 0; i < l->n_events; i++)
		str_free(&l->events[i].val);
	for (size_t i = 0; i < l->n_names; i++)
		str_free(&l->names[i].address);
	free(l->events);
	free(l->names);
}

static int
read_gone_names(struct queue *q, uint64_t message, struct life *l)
{
	struct queue_key keys[2];
	struct engine_range range = range_of('H', message, keys);

	return engine_scan(q->engine, &range, add_gone_name, l);
}

static int
read_names(struct queue *q, uint64_t message, struct life *l)
{
	struct queue_key keys[2];
	struct engine_range live = range_of('R', message, keys);
	int r = read_gone_names(q, message, l);

	if (r >= 0)
		r = engine_scan(q->engine, &live, add_live_name, l);
	if (l->n_names)
		qsort(l->names, l->n_names, sizeof(*l->names), name_cmp);
	return r;
}

static int
add_event(void *arg, struct str key, struct str val)
{
	struct life *l = arg;
	const struct name *name;
	struct event e;
	uint64_t message;

	if (!qkey_read_event(key, &message, &e.time_ms, &e.rcpt, &e.state))
		return 0;
	name = name_of(l, e.rcpt);
	if (name && !name->is_wanted)
		return 0;
	e.val = str_copy(val);
	l->events = x_grow(
	    l->events, &l->cap_events, l->n_events + 1, sizeof(*l->events));
	l->events[l->n_events++] = e;
	return l->n_events == EVENTS_MAX;
}

static int
read_events(struct queue *q, uint64_t message, struct life *l)
{
	struct queue_key keys[2];
	struct engine_range range = range_of('H', message, keys);

	range.is_reverse = true;
	return engine_scan(q->engine, &range, add_event, l);
}

/* --- telling it ---------------------------------------------------------------------- */

struct tracing {
	struct queue *q;
	struct str text;
	struct buf items;
	uint64_t messages[TRACE_MESSAGES];
	size_t n;
	uint64_t reached; /* the last one told */
};

static void
put_events(const struct life *l, struct buf *to)
{
	for (size_t i = l->n_events; i > 0; i--) {
		const struct event *e = &l->events[i - 1];
		const struct name *name = name_of(l, e->rcpt);
		struct queue_event_record r;

		if (!queue_event_record_decode(e->val, &r))
			continue;
		msg_queue_event_put(to,
		    &(struct msg_queue_event){ e->time_ms,
			name ? name->address : STR_NONE, e->state, r.due_ms,
			r.reply, r.mx, r.mx_ip, r.source_ip, r.tls, r.route });
	}
}

/* Only what is about one address; false: nothing is. */
static bool
want_only(struct life *l, struct str address)
{
	bool is_found = false;

	for (size_t i = 0; i < l->n_names; i++) {
		struct name *name = &l->names[i];

		name->is_wanted = str_eq_case(name->address, address);
		is_found |= name->is_wanted;
	}
	return is_found;
}

static void
put_live(const struct life *l, struct buf *to)
{
	for (size_t i = 0; i < l->n_names; i++)
		if (l->names[i].is_live && l->names[i].is_wanted)
			msg_text_put(
			    to, &(struct msg_text){ l->names[i].address });
}

static int
put_life(struct tracing *t, uint64_t message, struct msg_queue_life *m)
{
	struct buf events = BUF_INIT(QUEUE_REPLY_MAX);
	struct buf rcpts = BUF_INIT(QUEUE_REPLY_MAX);
	bool is_all = str_eq(t->text, m->id) || str_eq_case(t->text, m->sender);
	struct life l = { 0 };
	int r = read_names(t->q, message, &l);

	/* Another text with the same hash is nothing. */
	if (r >= 0 && (is_all || want_only(&l, t->text))) {
		r = read_events(t->q, message, &l);
		put_live(&l, &rcpts);
		put_events(&l, &events);
		m->events = buf_str(&events);
		m->rcpts = buf_str(&rcpts);
		msg_queue_life_put(&t->items, m);
	}
	life_done(&l);
	buf_done(&events);
	buf_done(&rcpts);
	return r;
}

/* What is known of the message itself; its strings are copied to keep. */
static struct verdict
read_head(struct queue *q, uint64_t message, struct msg_queue_life *ret,
    struct buf *keep)
{
	struct queue_message_record m;
	struct queue_gone_record g;
	struct verdict v = queue_get_message(q, message, &m);

	if (verdict_is_done(v)) {
		*ret = (struct msg_queue_life){ .account = m.account,
			.size = m.blob_size,
			.arrival_ms = m.arrival_ms,
			.recipients = m.n_rcpts };
		g = (struct queue_gone_record){ .trace = m.trace,
			.mail_from = m.mail_from };
	} else if (v.outcome == NOT_FOUND) {
		v = queue_get_gone(q, message, &g);
		if (verdict_is_done(v))
			*ret = (struct msg_queue_life){ .account = g.account,
				.size = g.size,
				.arrival_ms = g.arrival_ms,
				.ended_ms = g.ended_ms,
				.recipients = g.n_rcpts };
	}
	if (!verdict_is_done(v))
		return v;
	buf_put_str(keep, g.trace);
	buf_put_str(keep, g.mail_from);
	ret->id = str_first(buf_str(keep), g.trace.n);
	ret->sender = str_from(buf_str(keep), g.trace.n);
	return v;
}

static struct verdict
trace_message(struct tracing *t, uint64_t message)
{
	struct buf keep = BUF_INIT(KIB(4));
	struct msg_queue_life m;
	struct verdict v = read_head(t->q, message, &m, &keep);
	int r = verdict_is_done(v) ? put_life(t, message, &m) : 0;

	if (r < 0)
		v = verdict_engine(r);
	buf_done(&keep);
	/* Forgotten meanwhile, or damaged: the others are told. */
	return v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT
	           ? VERDICT_DONE
	           : v;
}

static int
add_traced(void *arg, struct str key, UNUSED struct str val)
{
	struct tracing *t = arg;
	uint64_t hash;

	if (qkey_read_lookup(key, &hash, &t->messages[t->n]))
		t->n++;
	return t->n == TRACE_MESSAGES;
}

static struct verdict
trace_portion(struct tracing *t, uint64_t after, bool *ret_more)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_lookup(t->text, after + 1)),
		.to = QKEY(qkey_lookup(t->text, UINT64_MAX)),
	};
	struct verdict v = VERDICT_DONE;
	size_t i;
	int r = engine_scan(t->q->engine, &range, add_traced, t);

	if (r < 0)
		return verdict_engine(r);
	for (i = 0; i < t->n && verdict_is_done(v) && t->items.n < TRACE_BYTES;
	     i++) {
		v = trace_message(t, t->messages[i]);
		t->reached = t->messages[i];
	}
	*ret_more = r == 1 || i < t->n;
	return v;
}

struct verdict
queue_trace(struct queue *q, const struct msg_queue_trace *m, struct buf *out)
{
	struct tracing t = {
		.q = q, .text = m->text, .items = BUF_INIT(QUEUE_REPLY_MAX * 2)
	};
	struct buf after = BUF_INIT(8);
	struct wire w = wire_read(m->after);
	struct msg_queue_trace_reply reply;
	bool has_more = false;
	struct verdict v;

	v = trace_portion(&t, m->after.n ? wire_get_u64(&w) : 0, &has_more);
	if (has_more)
		wire_put_u64(&after, t.reached);
	reply.items = buf_str(&t.items);
	reply.after = buf_str(&after);
	if (verdict_is_done(v))
		msg_queue_trace_reply_put(out, &reply);
	buf_done(&t.items);
	buf_done(&after);
	return v;
}

/* --- forgetting it ---------------------------------------------------------------------- */

struct old {
	struct queue *q;
	uint64_t before_ms;
	uint64_t v[PURGE_LOOK];
	size_t n, looked_at;
	uint64_t reached;
};

static int
add_old(void *arg, struct str key, struct str val)
{
	struct old *old = arg;
	struct queue_gone_record g;
	uint64_t message;

	if (!qkey_read_id(key, 'G', &message))
		return 0;
	old->reached = message;
	if (!queue_gone_record_decode(val, &g))
		return 0;
	if (g.arrival_ms >= old->before_ms)
		return 1;
	if (g.ended_ms < old->before_ms)
		old->v[old->n++] = message;
	return ++old->looked_at == PURGE_LOOK ? 2 : 0;
}

static void
del_lookup(struct engine_batch *b, struct str text, uint64_t message)
{
	if (text.n)
		batch_del(b, QUEUE_SHARD, QKEY(qkey_lookup(text, message)));
}

static struct verdict
forget(struct queue *q, struct engine_batch *b, uint64_t message, size_t *keys)
{
	struct buf keep = BUF_INIT(KIB(4));
	struct queue_key ends[2];
	struct engine_range range = range_of('H', message, ends);
	struct msg_queue_life m;
	struct life l = { 0 };
	struct verdict v = read_head(q, message, &m, &keep);
	int r = verdict_is_done(v) ? read_gone_names(q, message, &l) : 0;

	if (r < 0)
		v = verdict_engine(r);
	if (verdict_is_done(v)) {
		del_lookup(b, m.id, message);
		del_lookup(b, m.sender, message);
		for (size_t i = 0; i < l.n_names; i++)
			del_lookup(b, l.names[i].address, message);
		batch_del_range(b, QUEUE_SHARD, range.from, range.to);
		batch_del(b, QUEUE_SHARD, QKEY(qkey_id('G', message)));
		*keys += l.n_names;
	}
	life_done(&l);
	buf_done(&keep);
	return v;
}

struct verdict
queue_purge_step(struct queue *q)
{
	uint64_t window = q->config.limits.history_days * DAY_MS;
	uint64_t now_ms = queue_now_ms(q);
	struct old old = { .q = q,
		.before_ms = now_ms > window ? now_ms - window : 0 };
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(qkey_id('G', q->purge_after)),
		.to = QKEY(qkey_kind('H')),
	};
	struct verdict v = VERDICT_DONE;
	struct engine_batch *b;
	size_t keys = 0;
	int r = engine_scan(q->engine, &range, add_old, &old);

	if (r < 0)
		return verdict_engine(r);
	q->purge_after =
	    old.looked_at == PURGE_LOOK && r > 0 ? old.reached + 1 : 0;
	if (old.n == 0)
		return v;
	b = engine_batch_new(q->engine);
	for (size_t i = 0; i < old.n && verdict_is_done(v); i++) {
		v = forget(q, b, old.v[i], &keys);
		if (keys < PURGE_KEYS || i + 1 == old.n)
			continue;
		q->purge_after = old.v[i + 1];
		break;
	}
	if (!verdict_is_done(v)) {
		engine_batch_free(b);
		return v;
	}
	r = engine_commit(q->engine, b, NULL, NULL);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}
