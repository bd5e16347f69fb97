/* SPDX-License-Identifier: ISC */
/*
 * qfixture.h - a store with a queue, and a sender that works by hand: what
 * tests of store/queue share. Times are the test's.
 */
#pragma once

#include "../mail/fixture.h"
#include "store/queue/queue.h"

#define QT0   UINT64_C(1790000000000) /* milliseconds */
#define OWNER 77

struct qfixture {
	struct fixture f;
	struct queue *q;
	struct queue_limits limits;
	uint64_t now_ms;
};

static UNUSED uint64_t
qfixture_now(void *arg)
{
	return ((struct qfixture *)arg)->now_ms;
}

/* A sender takes over that holds these leases; how many others end. */
static UNUSED struct verdict
take_over(struct queue *q, uint64_t owner, const uint64_t *leases, size_t n,
    uint32_t *ret_ended)
{
	struct buf b = BUF_INIT(MIB(1));
	struct msg_queue_take m;
	struct verdict v;

	for (size_t i = 0; i < n; i++)
		wire_put_u64(&b, leases[i]);
	m.leases = buf_str(&b);
	v = queue_take(q, owner, &m, ret_ended);
	buf_done(&b);
	return v;
}

static UNUSED int
qfixture_try_open(struct qfixture *t)
{
	struct queue_config c = { .engine = t->f.engine,
		.now_ms = qfixture_now,
		.arg = t,
		.limits = t->limits };

	return queue_open(&c, &t->q);
}

static UNUSED void
qfixture_start(struct qfixture *t)
{
	uint32_t ended;

	*t = (struct qfixture){ .now_ms = QT0, .limits = { 0, 0, 14 } };
	fixture_start(&t->f);
	ASSERT(qfixture_try_open(t) == 0);
	ASSERT(verdict_is_done(take_over(t->q, OWNER, NULL, 0, &ended)));
}

static UNUSED void
qfixture_stop(struct qfixture *t)
{
	queue_free(t->q);
	fixture_stop(&t->f);
}

/* As after a restart of the store's process. */
static UNUSED void
qfixture_restart(struct qfixture *t)
{
	queue_free(t->q);
	fixture_close(&t->f);
	fixture_open(&t->f);
	ASSERT(qfixture_try_open(t) == 0);
}

static UNUSED void
qfixture_problem(UNUSED void *arg, const char *text)
{
	print_message("problem: %s\n", text);
}

/* What the check finds wrong with the queue. */
static UNUSED uint64_t
queue_problems(struct qfixture *t)
{
	struct queue_check check = { .problem = qfixture_problem };
	struct buf from = BUF_INIT(KIB(1)), next = BUF_INIT(KIB(1));
	struct queue_stats st;

	do {
		ASSERT(verdict_is_done(
		    queue_check_step(t->q, buf_str(&from), &check, &next)));
		buf_reset(&from, KIB(1));
		buf_put_str(&from, buf_str(&next));
	} while (from.n);
	queue_stats(t->q, &st);
	if (st.entries != check.entries) {
		print_message("%llu entries, counted %llu\n",
		    (unsigned long long)st.entries,
		    (unsigned long long)check.entries);
		check.problems++;
	}
	buf_done(&from);
	buf_done(&next);
	return check.problems;
}

/* What teardown() answers: the check finds nothing, now and after a start,
 * which reads again what was in memory. */
static UNUSED int
qfixture_end(struct qfixture *t)
{
	uint64_t problems = queue_problems(t);

	qfixture_restart(t);
	problems += queue_problems(t);
	qfixture_stop(t);
	return problems ? -1 : 0;
}

/* --- in ------------------------------------------------------------------------ */

struct qadd {
	struct engine_batch *b;
	struct qfixture *t;
	const struct queue_message *m;
	const struct queue_rcpt *rcpts;
	size_t n;
	struct queue_adding *adding;
};

static UNUSED void
qadd_more(void *arg, struct engine_batch *b, uint64_t blob)
{
	struct qadd *a = arg;

	a->adding = queue_add(a->t->q, b, a->m, a->rcpts, a->n, blob);
}

/* A message to addresses divided by blanks, those that begin with "here" of
 * users here, and those that begin with "apart" with lines of their own; local: also for that account. */
static UNUSED struct verdict
add_to(struct qfixture *t, const struct queue_message *message,
    const char *addresses, uint64_t local, struct engine_ticket *ticket)
{
	struct queue_message m = *message;
	struct queue_rcpt rcpts[256];
	struct mail_copy_to to = { .account = local };
	struct qadd a = { .t = t, .m = &m, .rcpts = rcpts };
	struct mail_delivery d = { .ticket = ticket,
		.size = m.size,
		.trace = m.trace,
		.more = qadd_more,
		.arg = &a };
	struct str rest = str_c(addresses), one;
	struct verdict v;

	while (rest.n) {
		rest = str_split(rest, ' ', &one);
		ASSERT(a.n < ARRAY_LEN(rcpts));
		rcpts[a.n++] = (struct queue_rcpt){ .address = one,
			.is_local = str_starts(one, STR("here")),
			.orcpt = STR("rfc822;x@y"),
			.prefix = STR("Return-Path: <a@b>\r\n"
				      "Delivered-To: x\r\n\ty\r\n"
				      "Received: here\r\n") };
		if (str_starts(one, STR("apart")))
			rcpts[a.n - 1].prefix = STR("Received: apart\r\n");
	}
	if (!m.priority)
		m.priority = 10;
	if (!m.arrival_ms)
		m.arrival_ms = t->now_ms;
	v = queue_may_add(t->q, &m, rcpts, a.n);
	if (verdict_is_done(v))
		v = mail_deliver(t->f.mail, &d, &to, local != 0);
	engine_ticket_free(d.ticket);
	if (a.adding)
		queue_added(a.adding, verdict_is_done(v));
	return v;
}

static UNUSED struct verdict
add_mail(struct qfixture *t, const char *from, const char *addresses)
{
	struct queue_message m = {
		.trace = STR("trace1"), .mail_from = str_c(from), .size = 6
	};

	return add_to(t, &m, addresses, 0, ticket_of(&t->f, STR("body\r\n")));
}

/* --- out ----------------------------------------------------------------------- */

/* Lent items; their strings point into t->f.out. */
struct items {
	struct msg_queue_item v[256];
	size_t n;
	uint64_t next_due_ms;
};

static UNUSED void
lease(struct qfixture *t, const char *domain, uint32_t max, struct items *ret)
{
	struct msg_queue_lease q = { str_c(domain), max, t->now_ms, 60000 };
	struct msg_queue_lease_reply r;
	struct verdict v = queue_lease(t->q, &q, fresh(&t->f));
	struct wire w;

	if (!verdict_is_done(v) ||
	    !msg_queue_lease_reply_get(buf_str(&t->f.out), &r))
		fail_msg("lease of %s: %s", domain, reason_str(v.reason));
	*ret = (struct items){ .next_due_ms = r.next_due_ms };
	w = wire_read(r.items);
	while (w.in.n) {
		ASSERT(ret->n < ARRAY_LEN(ret->v));
		ASSERT(msg_queue_item_read(&w, &ret->v[ret->n++]));
	}
}

/* The result of one item; true when it counted. */
static UNUSED bool
settle(struct qfixture *t, const struct msg_queue_item *i,
    enum queue_state state, uint64_t due_ms)
{
	struct buf list = BUF_INIT(KIB(8)), out = BUF_INIT(KIB(1));
	struct msg_queue_results q = { .now_ms = t->now_ms };
	struct msg_queue_results_reply r;
	struct verdict v;

	msg_queue_result_put(
	    &list, &(struct msg_queue_result){ .message = i->message,
		       .rcpt = i->rcpt,
		       .lease = i->lease,
		       .state = (uint8_t)state,
		       .due_ms = due_ms,
		       .counts = 1,
		       .route = STR("usual"), /* that send chose */
		       .mx = STR("mx.example"),
		       .reply = STR("450 4.2.1 later") });
	q.results = buf_str(&list);
	v = queue_results(t->q, &q, &out);
	if (!verdict_is_done(v) ||
	    !msg_queue_results_reply_get(buf_str(&out), &r))
		fail_msg("results: %s", reason_str(v.reason));
	buf_done(&list);
	buf_done(&out);
	return r.stale == 0;
}

static UNUSED uint64_t
entries(const struct qfixture *t)
{
	struct queue_stats st;

	queue_stats(t->q, &st);
	return st.entries;
}

static UNUSED uint64_t
blobs(struct qfixture *t)
{
	struct engine_stats st;

	engine_stats(t->f.engine, &st);
	return st.blobs;
}
