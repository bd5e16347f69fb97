/* SPDX-License-Identifier: ISC */
/*
 * select.c - the entries that an operator means, in portions.
 *
 * The narrowest index is walked: a domain's part of the due index, the
 * look-up of an id or an address, else all entries. Each portion is bounded
 * by what was looked at, not by what was found: the store has other work.
 */
#include "store/queue/select.h"

enum walk {
	WALK_DOMAIN = 'D',  /* the cursor is the last key */
	WALK_LOOKUP = 'K',  /* message and recipient looked at last */
	WALK_ACCOUNT = 'A', /* the same */
	WALK_ALL = 'R',     /* the same */
};

/* The null sender has no look-up: nearly every bounce has it. */
static bool
wants_bounces(const struct msg_queue_filter *f)
{
	return str_eq(f->sender, STR("<>"));
}

static enum walk
walk_of(const struct msg_queue_filter *f)
{
	if (f->account)
		return WALK_ACCOUNT;
	if (f->id.n || f->recipient.n || (f->sender.n && !wants_bounces(f)))
		return WALK_LOOKUP;
	return f->domain.n ? WALK_DOMAIN : WALK_ALL;
}

static void
add(struct selection *s, uint64_t message, uint32_t rcpt)
{
	s->v[s->n++] = (struct qtx_entry){ message, rcpt };
}

/* --- by domain ------------------------------------------------------------------- */

static int
add_due(void *arg, struct str key, UNUSED struct str val)
{
	struct selection *s = arg;
	struct queue_place place;
	struct str domain;

	if (qkey_read_due(key, &domain, &place))
		add(s, place.message, place.rcpt);
	if (s->n < SELECT_LOOK)
		return 0;
	buf_reset(&s->after, KIB(1));
	buf_put_str(&s->after, key);
	return 1;
}

/* The first key behind one: a zero byte more. */
static int
walk_domain(struct queue *q, struct selection *s)
{
	struct str domain = s->filter.domain;
	struct queue_key from = qkey_due_from(domain, QUEUE_PRIO_MAX);
	struct engine_range range = { QUEUE_SHARD, queue_key_str(&from),
		QKEY(qkey_due_end(domain)), false };
	struct buf start = BUF_INIT(ENGINE_KEY_MAX + 1);
	int r;

	if (s->after.n) {
		buf_put_str(&start, buf_str(&s->after));
		buf_put_char(&start, 0);
		if (str_cmp(buf_str(&start), range.from) > 0)
			range.from = buf_str(&start);
	}
	buf_reset(&s->after, KIB(1));
	r = engine_scan(q->engine, &range, add_due, s);
	buf_done(&start);
	return r < 0 ? r : 0;
}

/* --- all, or those of a message ---------------------------------------------------- */

static int
add_entry(void *arg, struct str key, UNUSED struct str val)
{
	struct selection *s = arg;
	uint64_t message;
	uint32_t rcpt;

	if (qkey_read_entry(key, &message, &rcpt))
		add(s, message, rcpt);
	return s->n >= SELECT_LOOK;
}

/* From the entry behind that one, to the end of to. */
static int
walk_entries(struct queue *q, struct selection *s, struct qtx_entry after,
    struct queue_key to)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = after.rcpt == UINT32_MAX
		            ? QKEY(qkey_entry(after.message + 1, 0))
		            : QKEY(qkey_entry(after.message, after.rcpt + 1)),
		.to = queue_key_str(&to),
	};

	return engine_scan(q->engine, &range, add_entry, s);
}

static void
set_cursor(struct selection *s, uint64_t message, uint32_t rcpt)
{
	buf_reset(&s->after, KIB(1));
	wire_put_u64(&s->after, message);
	wire_put_u32(&s->after, rcpt);
}

/* The place behind which to go on; before all entries at first. */
static struct qtx_entry
cursor(const struct selection *s)
{
	struct wire w = wire_read(buf_str(&s->after));
	struct qtx_entry e = { 0, UINT32_MAX };

	if (s->after.n) {
		e.message = wire_get_u64(&w);
		e.rcpt = wire_get_u32(&w);
	}
	return e;
}

static int
walk_all(struct queue *q, struct selection *s)
{
	int r = walk_entries(q, s, cursor(s), qkey_kind('S'));

	buf_reset(&s->after, KIB(1));
	if (r == 1)
		set_cursor(s, s->v[s->n - 1].message, s->v[s->n - 1].rcpt);
	return r < 0 ? r : 0;
}

struct messages {
	uint64_t v[SELECT_MESSAGES];
	size_t n;
};

static int
add_message(void *arg, struct str key, UNUSED struct str val)
{
	struct messages *m = arg;
	uint64_t ignored;

	if (qkey_read_lookup(key, &ignored, &m->v[m->n]) ||
	    qkey_read_limited(key, &ignored, &m->v[m->n]))
		m->n++;
	return m->n == SELECT_MESSAGES;
}

static struct queue_key
message_key(const struct msg_queue_filter *f, uint64_t message)
{
	struct str text = f->id.n          ? f->id
	                  : f->recipient.n ? f->recipient
	                                   : f->sender;

	return f->account ? qkey_limited(f->account, message)
	                  : qkey_lookup(text, message);
}

/* The messages that a text or an account leads to, from one on. */
static int
find_messages(struct queue *q, const struct msg_queue_filter *f, uint64_t from,
    struct messages *m)
{
	struct engine_range range = {
		.shard = QUEUE_SHARD,
		.from = QKEY(message_key(f, from)),
		.to = QKEY(message_key(f, UINT64_MAX)),
	};

	m->n = 0;
	return engine_scan(q->engine, &range, add_message, m);
}

/* The entries of one message that are left after the cursor. */
static int
walk_message(struct queue *q, struct selection *s, uint64_t message)
{
	struct qtx_entry from = cursor(s);

	if (from.message != message)
		from = (struct qtx_entry){ message - 1, UINT32_MAX };
	return walk_entries(q, s, from, qkey_id('R', message + 1));
}

static int
walk_lookup(struct queue *q, struct selection *s)
{
	struct messages m;
	int r = find_messages(q, &s->filter, cursor(s).message, &m);

	if (r < 0)
		return r;
	for (size_t i = 0; i < m.n; i++) {
		int got = walk_message(q, s, m.v[i]);

		if (got < 0)
			return got;
		if (got == 1) {
			set_cursor(s, m.v[i], s->v[s->n - 1].rcpt);
			return 0;
		}
	}
	buf_reset(&s->after, KIB(1));
	if (r == 1)
		set_cursor(s, m.v[m.n - 1], UINT32_MAX);
	return 0;
}

/* --- the filter -------------------------------------------------------------------- */

enum queue_show
entry_shown_as(const struct queue *q, struct qtx_entry e,
    const struct queue_entry_record *r)
{
	if (r->flags & QUEUE_ENTRY_HELD)
		return QUEUE_SHOW_HELD;
	if (lease_find(q, e.message, e.rcpt))
		return QUEUE_SHOW_ACTIVE;
	return r->tried_ms ? QUEUE_SHOW_DEFERRED : QUEUE_SHOW_WAITING;
}

static bool
matches(struct str wanted, struct str is)
{
	return wanted.n == 0 || str_eq_case(wanted, is);
}

/* Its way leads to the mail servers of its domain, for all that is known here. */
static bool
goes_to_domain(const struct queue_entry_record *r)
{
	if (r->flags & QUEUE_ENTRY_LOCAL)
		return false;
	return !(r->flags & QUEUE_ENTRY_ROUTED) ||
	       str_starts(r->route, STR("direct"));
}

static void
note_unknown(struct selection *s, struct str domain)
{
	if (s->unknown++ > 0)
		return;
	snprintf(s->unknown_domain, sizeof(s->unknown_domain), "%.*s",
	    STR_ARG(domain));
}

/* It was tried there last, or it goes there. */
static bool
mx_matches(const struct queue *q, struct selection *s,
    const struct queue_entry_record *r)
{
	struct str wanted = s->filter.mx;
	struct str domain = queue_address_domain(r->address);

	if (wanted.n == 0 || queue_host_fits(wanted, r->mx))
		return true;
	if (!goes_to_domain(r))
		return false;
	switch (domain_hosts_fit(domain_find(q, domain), wanted)) {
	case HOSTS_FIT:
		return true;
	case HOSTS_OTHERS:
		break;
	case HOSTS_UNKNOWN:
		/* Where it was tried last is what is known of it. */
		if (r->mx.n == 0)
			note_unknown(s, domain);
		break;
	}
	return false;
}

static bool
entry_matches(const struct queue *q, struct selection *s, struct qtx_entry e,
    const struct queue_entry_record *r)
{
	const struct msg_queue_filter *f = &s->filter;

	if (f->account &&
	    (r->account != f->account || !(r->flags & QUEUE_ENTRY_LIMITED)))
		return false;
	return matches(f->recipient, r->address) &&
	       matches(f->domain, queue_address_domain(r->address)) &&
	       (f->state == QUEUE_SHOW_ALL ||
		   f->state == entry_shown_as(q, e, r)) &&
	       mx_matches(q, s, r);
}

/* A copy of the message's record, kept while it is the same message. */
static struct verdict
read_message(struct queue *q, struct selection *s, uint64_t message)
{
	struct str val;
	int r;

	if (s->message.n && s->message_number == message)
		return VERDICT_DONE;
	buf_reset(&s->message, KIB(64));
	r = engine_get(
	    q->engine, QUEUE_SHARD, QKEY(qkey_id('M', message)), &val);
	if (r < 0)
		return verdict_engine(r);
	if (r == 1)
		buf_put_str(&s->message, val);
	s->message_number = message;
	if (queue_message_record_decode(buf_str(&s->message), &s->m))
		return VERDICT_DONE;
	buf_reset(&s->message, KIB(64));
	return verdict_engine(ENGINE_CORRUPT);
}

static bool
message_matches(
    const struct msg_queue_filter *f, const struct queue_message_record *m)
{
	if (f->id.n && !str_eq(f->id, m->trace))
		return false;
	return wants_bounces(f) ? m->mail_from.n == 0
	                        : matches(f->sender, m->mail_from);
}

/* A damaged entry is passed over: `mailstead check` names it. */
static struct verdict
visit(struct queue *q, struct selection *s, struct qtx_entry e)
{
	struct queue_entry_record r;
	struct verdict v = read_message(q, s, e.message);

	if (verdict_is_done(v))
		v = queue_get_entry(q, e.message, e.rcpt, &r);
	if (v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT)
		return VERDICT_DONE;
	if (!verdict_is_done(v) || !message_matches(&s->filter, &s->m) ||
	    !entry_matches(q, s, e, &r))
		return v;
	return s->visit(q, s, e, &r);
}

static bool
is_filter_ok(const struct msg_queue_filter *f)
{
	return f->domain.n <= QUEUE_DOMAIN_MAX && f->state <= QUEUE_SHOW_HELD;
}

struct verdict
select_portion(
    struct queue *q, struct selection *s, struct str filter, struct str after)
{
	struct verdict v = VERDICT_DONE;
	int r = 0;

	if (!msg_queue_filter_get(filter, &s->filter) ||
	    !is_filter_ok(&s->filter) || after.n > ENGINE_KEY_MAX)
		return verdict_permfail(REASON_INTERNAL);
	s->after = BUF_INIT(KIB(1));
	s->message = BUF_INIT(ENGINE_VALUE_MAX);
	s->v = x_calloc(SELECT_LOOK, sizeof(*s->v));
	buf_put_str(&s->after, after);
	switch (walk_of(&s->filter)) {
	case WALK_DOMAIN:
		r = walk_domain(q, s);
		break;
	case WALK_LOOKUP:
	case WALK_ACCOUNT:
		r = walk_lookup(q, s);
		break;
	case WALK_ALL:
		r = walk_all(q, s);
		break;
	}
	if (r < 0)
		v = verdict_engine(r);
	for (size_t i = 0; i < s->n && verdict_is_done(v); i++)
		v = visit(q, s, s->v[i]);
	return v;
}

void
selection_done(struct selection *s)
{
	buf_done(&s->after);
	buf_done(&s->message);
	free(s->v);
}

/* --- list ----------------------------------------------------------------------------- */

struct listing {
	struct selection s;
	struct buf items;
};

static struct verdict
put_row(struct queue *q, struct selection *s, struct qtx_entry e,
    const struct queue_entry_record *r)
{
	struct listing *l = CONTAINER_OF(s, struct listing, s);
	bool is_held = r->flags & QUEUE_ENTRY_HELD;
	struct msg_queue_row row = {
		.id = s->m.trace,
		.sender = s->m.mail_from,
		.recipient = r->address,
		.account = s->m.account,
		.state = (uint8_t)entry_shown_as(q, e, r),
		.is_cancelled = (r->flags & QUEUE_ENTRY_CANCELLED) != 0,
		.priority = r->priority,
		.attempts = r->attempts,
		.size = s->m.blob_size,
		.arrival_ms = s->m.arrival_ms,
		.tried_ms = r->tried_ms,
		.due_ms = is_held ? 0 : r->due_ms,
		.route = r->route,
		.mx = r->mx,
		.reply = r->reply,
	};

	msg_queue_row_put(&l->items, &row);
	return VERDICT_DONE;
}

struct verdict
queue_list(struct queue *q, const struct msg_queue_list *m, struct buf *out)
{
	struct listing l = { .s.visit = put_row,
		.items = BUF_INIT(QUEUE_REPLY_MAX) };
	struct msg_queue_list_reply reply;
	struct verdict v = select_portion(q, &l.s, m->filter, m->after);

	reply.items = buf_str(&l.items);
	reply.after = buf_str(&l.s.after);
	reply.unknown = l.s.unknown;
	reply.unknown_domain = str_c(l.s.unknown_domain);
	if (verdict_is_done(v))
		msg_queue_list_reply_put(out, &reply);
	selection_done(&l.s);
	buf_done(&l.items);
	return v;
}
