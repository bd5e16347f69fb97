/* SPDX-License-Identifier: ISC */
/*
 * history.c - what became of messages, told to who asks by id or address.
 *
 * What went through the queue is looked up by keys K, what went into mailboxes
 * alone by keys J (arrival_record.h); both in the order of their numbers.
 */
#include "store/queue/queue_internal.h"
#include "store/queue/report_id.h"

#define TRACE_MESSAGES 50     /* of one portion */
#define TRACE_BYTES    MIB(1) /* after which it ends */
#define EVENTS_MAX     20000  /* told of one message */

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
	uint64_t messages[2 * TRACE_MESSAGES]; /* ascending */
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
		msg_queue_event_put(
		    to, &(struct msg_queue_event){ .time_ms = e->time_ms,
			    .recipient = name ? name->address : STR_NONE,
			    .state = e->state,
			    .due_ms = r.due_ms,
			    .reply = r.reply,
			    .mx = r.mx,
			    .mx_ip = r.mx_ip,
			    .source_ip = r.source_ip,
			    .tls = r.tls,
			    .route = r.route });
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

/* What else is told of a message. */
struct telling {
	struct buf events, rcpts, arrival, copies;
};

/* Copies of the recipient that was asked for, or all; how many. */
static size_t
put_copies(
    struct tracing *t, const struct arrival *a, bool is_all, struct buf *to)
{
	struct arrival_walk walk = { .is_begun = false };
	struct arrival_copy c;
	size_t n = 0;

	while (arrival_next_copy(a, &walk, &c)) {
		struct msg_queue_copied m = { c.address,
			c.login.n ? c.login : c.address,
			c.flags & ARRIVAL_COPY_JUNK,
			(c.flags & ARRIVAL_COPY_FORWARDED) != 0 };

		if (!is_all && !str_eq_case(m.recipient, t->text) &&
		    !str_eq_case(m.login, t->text))
			continue;
		msg_queue_copied_put(to, &m);
		n++;
	}
	return n;
}

static void
put_arrival(const struct arrival_record *r, struct buf *to)
{
	msg_arrival_put(to, &(struct msg_arrival){ r->service, r->client, r->ip,
				r->tls, r->results });
}

/* Who sent it, or with what account, wants all of it. */
static bool
wants_all(const struct tracing *t, const struct msg_queue_life *m,
    const struct arrival_record *r)
{
	return str_eq(t->text, m->id) || str_eq_case(t->text, m->sender) ||
	       str_eq_case(t->text, r->mail_from) ||
	       str_eq_case(t->text, r->login);
}

/* The id of the message that a report of ours is about, into keep; empty: it is none, or
 * that message is forgotten. */
static struct str
about_of(struct queue *q, const struct arrival_record *r, struct buf *keep)
{
	struct msg_queue_life about;
	uint64_t message;

	if (!str_eq(r->service, STR("send")) || r->mail_from.n > 0 ||
	    !report_id_read(r->trace, &message) ||
	    !verdict_is_done(history_head(q, message, &about, keep)))
		return STR_NONE;
	return about.id;
}

static int
put_life(struct tracing *t, uint64_t message, struct msg_queue_life *m,
    const struct arrival *a)
{
	struct telling to = { BUF_INIT(QUEUE_REPLY_MAX),
		BUF_INIT(QUEUE_REPLY_MAX), BUF_INIT(KIB(8)), BUF_INIT(MIB(4)) };
	bool is_all = wants_all(t, m, &a->r), is_wanted;
	struct buf about = BUF_INIT(KIB(4));
	struct life l = { 0 };
	int r = read_names(t->q, message, &l);

	is_wanted = put_copies(t, a, is_all, &to.copies) > 0;
	/* Another text with the same hash is nothing. */
	if (r >= 0 && (is_all || want_only(&l, t->text) || is_wanted)) {
		r = read_events(t->q, message, &l);
		put_live(&l, &to.rcpts);
		put_events(&l, &to.events);
		if (a->head.n)
			put_arrival(&a->r, &to.arrival);
		m->events = buf_str(&to.events);
		m->rcpts = buf_str(&to.rcpts);
		m->arrival = buf_str(&to.arrival);
		m->copies = buf_str(&to.copies);
		m->copies_n = a->r.n_copies;
		m->login = a->r.login;
		m->about = about_of(t->q, &a->r, &about);
		if (a->head.n)
			m->sender = a->r.mail_from;
		msg_queue_life_put(&t->items, m);
	}
	life_done(&l);
	buf_done(&about);
	buf_done(&to.events);
	buf_done(&to.rcpts);
	buf_done(&to.arrival);
	buf_done(&to.copies);
	return r;
}

struct verdict
history_head(struct queue *q, uint64_t message, struct msg_queue_life *ret,
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

static void
head_of_arrival(const struct arrival *a, struct msg_queue_life *ret)
{
	*ret = (struct msg_queue_life){ .id = a->r.trace,
		.sender = a->r.mail_from,
		.size = a->r.size,
		.arrival_ms = a->r.arrival_ms,
		.ended_ms = a->r.arrival_ms };
}

static struct verdict
trace_message(struct tracing *t, uint64_t message)
{
	struct buf keep = BUF_INIT(KIB(4));
	struct msg_queue_life m;
	struct arrival a;
	struct verdict v = arrival_read(t->q, message, &a);
	int r = 0;

	if (!verdict_is_done(v))
		a.r = (struct arrival_record){ 0 };
	if (verdict_is_done(v) || v.outcome == NOT_FOUND ||
	    v.reason == REASON_CORRUPT)
		v = history_head(t->q, message, &m, &keep);
	if (v.outcome == NOT_FOUND && a.r.trace.n) {
		head_of_arrival(&a, &m);
		v = VERDICT_DONE;
	}
	if (verdict_is_done(v))
		r = put_life(t, message, &m, &a);
	if (r < 0)
		v = verdict_engine(r);
	buf_done(&keep);
	arrival_done(&a);
	/* Forgotten meanwhile, or damaged: the others are told. */
	return v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT
	           ? VERDICT_DONE
	           : v;
}

/* Numbers of one kind of look-up, at most TRACE_MESSAGES. */
struct found {
	uint64_t v[TRACE_MESSAGES];
	size_t n;
};

static int
add_traced(void *arg, struct str key, UNUSED struct str val)
{
	struct found *f = arg;
	uint64_t hash;

	if (qkey_read_lookup(key, &hash, &f->v[f->n]) ||
	    akey_read_lookup(key, &hash, &f->v[f->n]))
		f->n++;
	return f->n == TRACE_MESSAGES;
}

static int
find_traced(struct tracing *t, queue_lookup_fn lookup, uint64_t after,
    struct found *ret)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(lookup(t->text, after + 1)),
		.to = QKEY(lookup(t->text, UINT64_MAX)),
	};

	ret->n = 0;
	return engine_scan(t->q->engine, &range, add_traced, ret);
}

/* The lower numbers of both, in order: no more than are known to be next. */
static void
merge(struct tracing *t, const struct found *a, const struct found *b)
{
	size_t i = 0, j = 0;

	while (i < a->n && j < b->n) {
		bool is_first = a->v[i] <= b->v[j];

		t->messages[t->n++] = is_first ? a->v[i++] : b->v[j++];
	}
	while (i < a->n && b->n < TRACE_MESSAGES)
		t->messages[t->n++] = a->v[i++];
	while (j < b->n && a->n < TRACE_MESSAGES)
		t->messages[t->n++] = b->v[j++];
}

static struct verdict
trace_portion(struct tracing *t, uint64_t after, bool *ret_more)
{
	struct verdict v = VERDICT_DONE;
	struct found queued, came;
	size_t i;
	int r = find_traced(t, qkey_lookup, after, &queued);

	if (r >= 0)
		r = find_traced(t, akey_lookup, after, &came);
	if (r < 0)
		return verdict_engine(r);
	merge(t, &queued, &came);
	for (i = 0; i < t->n && verdict_is_done(v) && t->items.n < TRACE_BYTES;
	     i++) {
		v = trace_message(t, t->messages[i]);
		t->reached = t->messages[i];
	}
	*ret_more =
	    queued.n == TRACE_MESSAGES || came.n == TRACE_MESSAGES || i < t->n;
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
