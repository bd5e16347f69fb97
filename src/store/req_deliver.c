/* SPDX-License-Identifier: ISC */
/*
 * req_deliver.c - DELIVER: one message to the mailboxes of its recipients,
 * and into the queue for those of other servers.
 *
 * The bytes are compressed and checksummed by the engine's helper threads;
 * then recipients are resolved, again, and the whole delivery is one batch.
 * The answer waits until that batch is durable: it is what lets smtp say 250.
 *
 * Nobody is relayed for: other servers are reached by who has signed in, with
 * a sender address of their own, by role send, and through an alias.
 */
#include "store/server.h"

#include "base/log.h"
#include "base/metrics.h"
#include "store/queue/arrival.h"

#define RCPTS_MAX 2000
#define HOLD_MAX  (UINT64_C(1) << 40) /* seconds: no overflow in ms */
/* With fewer entries than that, a new one leaves the queue soon. */
#define QUEUE_SHORT 10000

struct rcpt {
	struct msg_deliver_rcpt msg;
	struct verdict v;
	char *orcpt; /* of what is forwarded; NULL: as it came */
};

/* A recipient without a copy of its own: an alias that leads to another server, or
 * a further name of somebody who has one. */
struct other {
	struct str address;
	uint64_t account;  /* whose mailbox has it */
	struct str target; /* or where it went; owned */
};

struct delivery {
	struct server *s;
	uint64_t account; /* of who has signed in; 0: nobody */
	bool is_send;     /* from role send or watch: our own mail */
	bool is_watch;    /* which writes from the null sender only */
	bool is_known;    /* a retry: it is in the queue already */
	struct ipc_return ret;
	struct str body; /* owned; q and rcpts point into it */
	int fd;
	struct msg_deliver q;
	struct rcpt *rcpts;
	size_t n;
	struct mail_copy_to *to;
	size_t n_to, cap_to;
	struct other *others;
	size_t n_others, cap_others;
	struct queue_rcpt *remote; /* addresses are owned */
	size_t n_remote, cap_remote;
	struct str via;    /* the alias's domain, of what is forwarded */
	struct buf sender; /* it goes out in this name; empty: its own */
	struct queue_message qm;
	struct queue_adding *adding;
	struct msg_arrival arrival; /* how it came */
	struct limit_message *limit;
};

static void
forget_remote(struct delivery *d)
{
	while (d->n_remote)
		str_free(&d->remote[--d->n_remote].address);
}

static void
delivery_free(struct delivery *d)
{
	closep(&d->fd);
	str_free(&d->body);
	forget_remote(d);
	free(d->remote);
	for (size_t i = 0; i < d->n; i++)
		free(d->rcpts[i].orcpt);
	free(d->rcpts);
	free(d->to);
	for (size_t i = 0; i < d->n_others; i++)
		str_free(&d->others[i].target);
	free(d->others);
	buf_done(&d->sender);
	free(d);
}

static struct verdict
read_rcpts(struct delivery *d)
{
	struct wire w = wire_read(d->q.rcpts);
	size_t cap = 0;

	while (w.in.n) {
		d->rcpts = x_grow(d->rcpts, &cap, d->n + 1, sizeof(*d->rcpts));
		if (!msg_deliver_rcpt_read(&w, &d->rcpts[d->n].msg))
			return verdict_permfail(REASON_INTERNAL);
		d->rcpts[d->n].v = VERDICT_DONE;
		d->rcpts[d->n].orcpt = NULL;
		if (d->rcpts[d->n].msg.prefix.n > MAIL_PREFIX_MAX)
			return verdict_permfail(REASON_TOO_BIG);
		if (++d->n > RCPTS_MAX)
			return verdict_permfail(REASON_LIMIT);
	}
	return d->n ? VERDICT_DONE : verdict_permfail(REASON_INTERNAL);
}

static struct verdict
read_request(struct delivery *d)
{
	if (!msg_deliver_get(d->body, &d->q))
		return verdict_permfail(REASON_INTERNAL);
	if (d->q.size > ENGINE_BLOB_MAX ||
	    d->q.structure.n > MAIL_STRUCTURE_MAX ||
	    d->q.trace_id.n > MAIL_TRACE_MAX || d->q.hold_until > HOLD_MAX ||
	    d->q.received > HOLD_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	if (d->fd < 0 ? d->q.data.n != d->q.size
		      : !req_fd_holds(d->fd, d->q.size))
		return verdict_permfail(REASON_INTERNAL);
	/* Whoever takes over role watch must not write as somebody. */
	if (d->is_watch && d->q.mail_from.n > 0)
		return verdict_permfail(REASON_FORBIDDEN);
	if (d->q.arrival.n && !msg_arrival_get(d->q.arrival, &d->arrival))
		return verdict_permfail(REASON_INTERNAL);
	return read_rcpts(d);
}

/* --- recipients ------------------------------------------------------------------ */

static bool
has_target(const struct delivery *d, uint64_t account)
{
	for (size_t i = 0; i < d->n_to; i++)
		if (d->to[i].account == account)
			return true;
	return false;
}

/* Only where each recipient has an answer of its own (LMTP): after a
 * RCPT that was accepted, SMTP lets the message through. */
static struct verdict
check_room(struct delivery *d, const struct dir_accounts *accounts,
    const struct rcpt *rcpt)
{
	uint64_t size = d->q.size + rcpt->msg.prefix.n, room;
	bool is_over;

	for (size_t i = 0; i < accounts->n; i++) {
		struct verdict v =
		    mail_room(d->s->mail, accounts->v[i], &room, &is_over);

		if (!verdict_is_done(v))
			return v;
		if (is_over || (room && size > room))
			return verdict_tempfail(REASON_OVERQUOTA);
	}
	return VERDICT_DONE;
}

/* Into the queue. */
static struct queue_rcpt *
add_remote(struct delivery *d, const struct rcpt *rcpt, struct str address)
{
	for (size_t i = 0; i < d->n_remote; i++)
		if (str_eq(d->remote[i].address, address))
			return &d->remote[i];
	d->remote = x_grow(
	    d->remote, &d->cap_remote, d->n_remote + 1, sizeof(*d->remote));
	d->remote[d->n_remote] = (struct queue_rcpt){
		.address = str_copy(address),
		.orcpt = rcpt->orcpt ? str_c(rcpt->orcpt) : rcpt->msg.orcpt,
		.prefix = rcpt->msg.prefix,
		.notify = rcpt->msg.notify,
	};
	return &d->remote[d->n_remote++];
}

/* RFC 4865: users here get it no earlier than others do. */
static bool
waits_for_its_time(const struct delivery *d)
{
	return d->account && d->q.hold_until > d->q.received;
}

/* Where the address leads to is looked at when it is due. */
static struct verdict
hold_here(struct delivery *d, const struct rcpt *rcpt)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct verdict v = VERDICT_DONE;

	if (!queue_address_clean(rcpt->msg.address, &clean))
		v = verdict_permfail(REASON_NAME);
	else if (!d->is_known)
		add_remote(d, rcpt, buf_str(&clean))->is_local = true;
	buf_done(&clean);
	return v;
}

/* A recipient of another server. */
static struct verdict
relay(struct delivery *d, const struct rcpt *rcpt)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct verdict v = VERDICT_DONE;

	if (d->is_known)
		return v;
	if (!d->account && !d->is_send)
		return verdict_permfail(REASON_NOT_LOCAL);
	if (d->account)
		v = dir_owns(d->s->dir, d->account, d->q.mail_from);
	if (verdict_is_done(v) &&
	    !queue_address_clean(rcpt->msg.address, &clean))
		v = verdict_permfail(REASON_NAME);
	if (verdict_is_done(v))
		(void)add_remote(d, rcpt, buf_str(&clean));
	buf_done(&clean);
	return v;
}

/* Reports shall name the address that the sender knows, whoever makes them. */
static void
name_original(struct rcpt *rcpt)
{
	struct str address = rcpt->msg.address;

	if (rcpt->msg.orcpt.n || rcpt->orcpt || !str_is_ascii(address))
		return;
	rcpt->orcpt = x_asprintf("rfc822;%.*s", STR_ARG(address));
}

static void
add_other(struct delivery *d, struct other o)
{
	d->others = x_grow(
	    d->others, &d->cap_others, d->n_others + 1, sizeof(*d->others));
	d->others[d->n_others++] = o;
}

static void
add_forward(struct delivery *d, const struct rcpt *rcpt, struct str target)
{
	(void)add_remote(d, rcpt, target);
	add_other(d, (struct other){ rcpt->msg.address, 0, str_copy(target) });
}

/* All of its mailboxes have the message already, by other names. */
static void
add_further_name(struct delivery *d, const struct rcpt *rcpt, uint64_t account)
{
	for (size_t i = 0; i < d->n_to; i++)
		if (d->to[i].account == account &&
		    str_eq(d->to[i].address, rcpt->msg.address))
			return;
	add_other(d, (struct other){ rcpt->msg.address, account, STR_NONE });
}

static struct verdict
resolve_rcpt(
    struct delivery *d, struct rcpt *rcpt, struct dir_accounts *accounts)
{
	struct verdict v = dir_resolve_mail(
	    d->s->dir, rcpt->msg.address, d->q.mail_from, accounts);
	struct wire remote = wire_read(buf_str(&accounts->remote));
	size_t before;

	if (v.reason == REASON_NOT_LOCAL)
		return relay(d, rcpt);
	if (verdict_is_done(v) && d->q.is_per_rcpt)
		v = check_room(d, accounts, rcpt);
	if (!verdict_is_done(v))
		return v;
	if (waits_for_its_time(d))
		return hold_here(d, rcpt);
	if (accounts->n_remote)
		name_original(rcpt);
	for (size_t i = 0; i < accounts->n_remote && !d->is_known; i++)
		add_forward(d, rcpt, wire_get_vstr(&remote));
	/* What our users and we ourselves write is not forwarded: it is ours. */
	if (d->n_remote && d->via.n == 0 && !d->account && !d->is_send)
		d->via = queue_address_domain(rcpt->msg.address);
	before = d->n_to;
	for (size_t i = 0; i < accounts->n; i++) {
		if (has_target(d, accounts->v[i]))
			continue;
		d->to = x_grow(d->to, &d->cap_to, d->n_to + 1, sizeof(*d->to));
		d->to[d->n_to++] = (struct mail_copy_to){ accounts->v[i],
			rcpt->msg.prefix, rcpt->msg.address, false, false };
	}
	if (accounts->n && d->n_to == before)
		add_further_name(d, rcpt, accounts->v[0]);
	return v;
}

/* DONE when the rest of the delivery goes on. A recipient that went away
 * after RCPT makes the whole message temporary: asked again, the client is
 * told which one. */
static struct verdict
resolve_all(struct delivery *d)
{
	struct dir_accounts *accounts = dir_accounts_new();
	struct verdict v = VERDICT_DONE;

	for (size_t i = 0; i < d->n && verdict_is_done(v); i++) {
		d->rcpts[i].v = resolve_rcpt(d, &d->rcpts[i], accounts);
		if (!d->q.is_per_rcpt && !verdict_is_done(d->rcpts[i].v))
			v = verdict_tempfail(d->rcpts[i].v.reason);
	}
	dir_accounts_free(accounts);
	return v;
}

/* --- the queue ---------------------------------------------------------------------- */

static void
describe(struct delivery *d)
{
	const struct msg_deliver *q = &d->q;

	d->qm = (struct queue_message){
		.trace = q->trace_id,
		.mail_from = d->sender.n ? buf_str(&d->sender) : q->mail_from,
		.via = d->via,
		.envid = q->envid,
		.size = q->size,
		.account = d->account,
		.ret = q->ret,
		.body = q->body,
		.arrival_ms = q->received * 1000,
		.hold_until = q->hold_until,
		.deliver_by = q->deliver_by,
		.deliver_by_mode = q->deliver_by_mode,
		.priority = q->priority ? q->priority : DELIVER_PRIORITY_NORMAL,
		.is_unlimited = d->is_send,
	};
	if (d->limit)
		d->qm.held = limit_message_reason(d->limit);
	if (q->is_smtputf8)
		d->qm.flags |= QUEUE_MESSAGE_SMTPUTF8;
	if (q->has_requiretls)
		d->qm.flags |= QUEUE_MESSAGE_REQUIRETLS;
	if (q->is_tls_optional)
		d->qm.flags |= QUEUE_MESSAGE_TLS_OPTIONAL;
}

static void
put_queue(void *arg, struct engine_batch *b, uint64_t blob)
{
	struct delivery *d = arg;

	d->adding =
	    queue_add(d->s->queue, b, &d->qm, d->remote, d->n_remote, blob);
	if (d->limit)
		limiter_put(d->limit, b);
}

static bool
is_in_junk(const struct delivery *d, uint64_t account)
{
	for (size_t i = 0; i < d->n_to; i++)
		if (d->to[i].account == account)
			return d->to[i].is_in_junk;
	return false;
}

/* For `mailstead trace`: what came, and whose mailboxes it went into. */
static void
put_arrival(void *arg, struct engine_batch *b)
{
	struct delivery *d = arg;
	size_t n = d->n_to + d->n_others;
	struct queue_copy *copies = x_calloc(n + 1, sizeof(*copies));
	struct queue_arrival a = {
		.trace = d->q.trace_id,
		.mail_from = d->q.mail_from,
		.account = d->account,
		.size = d->q.size,
		.arrival_ms = d->q.received * 1000,
		.service = d->arrival.service,
		.client = d->arrival.client,
		.ip = d->arrival.ip,
		.tls = d->arrival.tls,
		.results = d->arrival.results,
	};

	for (size_t i = 0; i < d->n_to; i++)
		copies[i] = (struct queue_copy){ d->to[i].address,
			d->to[i].account, d->to[i].is_in_junk, STR_NONE };
	for (size_t i = 0; i < d->n_others; i++)
		copies[d->n_to + i] =
		    (struct queue_copy){ .address = d->others[i].address,
			    .account = d->others[i].account,
			    .is_junk = is_in_junk(d, d->others[i].account),
			    .forwarded = d->others[i].target };
	queue_arrived(d->s->queue, b, &a, copies, n, d->adding);
	free(copies);
}

/* Those that are here go behind the others, whose number is the answer: limits
 * are about mail to other servers. */
static size_t
count_foreign(struct delivery *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_remote; i++) {
		struct queue_rcpt r = d->remote[i];

		if (r.is_local)
			continue;
		d->remote[i] = d->remote[n];
		d->remote[n++] = r;
	}
	return n;
}

static struct verdict
store_all(struct delivery *d, struct mail_delivery *md)
{
	struct verdict v = VERDICT_DONE;
	size_t n_foreign = count_foreign(d);
	bool is_added;

	/* Whoever has signed in may be blocked, or over a limit. */
	if (d->account && !d->is_known)
		v = limiter_judge(
		    d->s->limiter, d->account, d->remote, n_foreign, &d->limit);
	if (verdict_is_done(v) && d->n_remote && d->via.n)
		v = dir_srs_forward(
		    d->s->dir, d->q.mail_from, d->via, &d->sender);
	if (verdict_is_done(v) && d->n_remote) {
		describe(d);
		v = queue_may_add(d->s->queue, &d->qm, d->remote, d->n_remote);
		md->more = put_queue;
	}
	md->arg = d;
	/* What is due was in the queue, and a retry was noted before. */
	if (!d->q.is_due && !d->is_known)
		md->note = put_arrival;
	if (verdict_is_done(v) && d->n_to + d->n_remote)
		v = mail_deliver(d->s->mail, md, d->to, d->n_to);
	is_added = d->adding && verdict_is_done(v);
	if (d->adding)
		queue_added(TAKE_PTR(d->adding), is_added);
	limiter_added(TAKE_PTR(d->limit), is_added);
	return v;
}

/* --- answering ---------------------------------------------------------------------- */

static void
log_delivery(const struct delivery *d)
{
	metric_add(M_DELIVERIES, d->n_to);
	metric_add(M_QUEUE_ADDED, d->n_remote);
	log_event(EV_STORE_DELIVER, LS("trace", d->q.trace_id),
	    LS("from", d->q.mail_from), LU("size", d->q.size),
	    LU("rcpts", d->n), LU("accounts", d->n_to),
	    LU("queued", d->n_remote));
}

static void
finish(struct delivery *d, struct verdict v)
{
	struct buf results = BUF_INIT(MAIL_REPLY_MAX);
	struct buf out = BUF_INIT(MAIL_REPLY_MAX);
	struct msg_deliver_reply reply;

	for (size_t i = 0; i < d->n; i++) {
		struct msg_deliver_result one = {
			(uint8_t)d->rcpts[i].v.outcome,
			(uint16_t)d->rcpts[i].v.reason,
		};

		msg_deliver_result_put(&results, &one);
	}
	reply.results = buf_str(&results);
	msg_deliver_reply_put(&out, &reply);
	if (verdict_is_done(v) && d->n_to + d->n_remote)
		log_delivery(d);
	reply_at(d->s, engine_position(d->s->engine), d->ret, v, &out, -1);
	buf_done(&out);
	buf_done(&results);
	delivery_free(d);
}

/* The batch failed: with an answer for each recipient, so did those that
 * were good until then. */
static struct verdict
spread(struct delivery *d, struct verdict v)
{
	if (!d->q.is_per_rcpt || verdict_is_done(v))
		return v;
	for (size_t i = 0; i < d->n; i++)
		if (verdict_is_done(d->rcpts[i].v))
			d->rcpts[i].v = v;
	d->n_to = 0;
	forget_remote(d);
	return VERDICT_DONE;
}

static void
on_stored(void *arg, int err, struct engine_ticket *ticket)
{
	struct delivery *d = arg;
	struct mail_delivery md = {
		.ticket = ticket,
		.size = d->q.size,
		.crlf_extra = d->q.crlf_extra,
		.received = d->q.received,
		.trace = d->q.trace_id,
		.structure = d->q.structure,
		.is_retry = d->q.is_retry,
		.is_junk = d->q.is_junk,
	};
	struct verdict v = err < 0 ? verdict_engine(err) : VERDICT_DONE;

	if (verdict_is_done(v) && d->q.is_retry)
		v = queue_knows(
		    d->s->queue, d->q.trace_id, d->q.size, &d->is_known);
	if (verdict_is_done(v))
		v = resolve_all(d);
	if (verdict_is_done(v))
		v = store_all(d, &md);
	/* An account that was removed in this very moment. */
	if (v.outcome == NOT_FOUND)
		v = verdict_tempfail(REASON_NO_USER);
	if (md.ticket)
		engine_ticket_free(md.ticket);
	finish(d, spread(d, v));
}

/* All of it leaves again, probably in a moment: it is not worth packing. */
static bool
is_brief(const struct delivery *d)
{
	struct queue_stats st;

	queue_stats(d->s->queue, &st);
	if (st.entries >= QUEUE_SHORT || d->q.hold_until > 0)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (!dir_is_remote(d->s->dir, d->rcpts[i].msg.address))
			return false;
	return true;
}

void
req_deliver(struct request *r)
{
	struct delivery *d = X_NEW(struct delivery);
	const struct session *session;
	struct engine_source src = { .fd = -1 };
	struct verdict v;

	d->s = r->s;
	d->sender = BUF_INIT(KIB(1));
	d->ret = ipc_return_new(r->peer->ipc, r->msg);
	d->is_watch = r->peer->role == ROLE_WATCH;
	d->is_send = r->peer->role == ROLE_SEND || d->is_watch;
	session = store_session_find(r->s, r->peer->worker, r->msg->session);
	d->account = session ? session->account : 0;
	d->arrival.service = str_c(role_name(r->peer->role));
	d->body = str_copy(r->msg->body);
	d->fd = r->msg->fd;
	r->msg->fd = -1;
	v = read_request(d);
	if (!verdict_is_done(v)) {
		reply_error(d->ret, v);
		delivery_free(d);
		return;
	}
	if (d->q.size == 0) {
		on_stored(d, 0, NULL);
		return;
	}
	src.fd = d->fd;
	src.size = d->q.size;
	src.mem = d->q.data;
	src.is_brief = is_brief(d);
	engine_blob_put(r->s->engine, &src, on_stored, d);
}
