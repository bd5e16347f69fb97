/* SPDX-License-Identifier: ISC */
/*
 * server_test.c - the queue over real connections: who may put something
 * into it, and what role send hears and gets.
 */
#include "qfixture.h"
#include "proc/ipc.h"
#include "store/server.h"

#include <sys/socket.h>

#define SMTP_WORKER 5
#define SEND_WORKER 6
#define SESSION     9

struct stage {
	struct fixture f;
	struct server s;
	struct loop *loop;
	struct loop_fd *watch;
	struct ipc_peer *smtp, *send; /* their ends */
	uint64_t alice;
	unsigned replies, dues;
	enum outcome outcome;
	enum reason reason;
	int fd; /* of the last reply */
	struct buf body, due;
};

static struct stage st;

static void
on_engine(UNUSED void *arg)
{
	engine_dispatch(st.f.engine);
}

static void
on_round(UNUSED void *arg)
{
	request_resume(&st.s);
	queue_flush(&st.s);
	engine_kick(st.f.engine);
}

static void
store_message(UNUSED void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	request_message(&st.s, p, m);
}

static void
store_closed(UNUSED void *arg, struct ipc_peer *p)
{
	peer_remove(&st.s, p);
}

static void
front_message(UNUSED void *arg, UNUSED struct ipc_peer *p, struct ipc_msg *m)
{
	ASSERT(m->type == MSG_QUEUE_DUE && m->body.n);
	/* What send is told of is on disk. */
	ASSERT(engine_durable(st.f.engine) >= engine_position(st.f.engine));
	st.dues++;
	buf_put_str(&st.due, m->body);
	loop_stop(st.loop);
}

static void
front_closed(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

static struct ipc_peer *
connect_front(enum role role, uint32_t worker)
{
	static const struct ipc_handlers store = { store_message,
		store_closed };
	static const struct ipc_handlers front = { front_message,
		front_closed };
	struct ipc_config c = { .loop = st.loop,
		.self = ROLE_STORE,
		.other = role,
		.worker = worker,
		.handlers = &store };
	int fds[2];

	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	c.fd = fds[0];
	peer_add(&st.s, ipc_peer_new(&c));
	c.fd = fds[1];
	c.self = role;
	c.other = ROLE_STORE;
	c.worker = 1;
	c.handlers = &front;
	return ipc_peer_ref(ipc_peer_new(&c));
}

static uint64_t
stage_now_ms(UNUSED void *arg)
{
	return QT0;
}

static int
setup(UNUSED void **state)
{
	struct msg_alias alias = { STR("away@demo.example"), STR_NONE };
	struct buf targets = BUF_INIT(KIB(1));

	st = (struct stage){
		.body = BUF_INIT(MIB(8)), .due = BUF_INIT(MIB(1)), .fd = -1
	};
	fixture_start(&st.f);
	st.alice = add_user(&st.f, "alice@demo.example");
	alias.targets = texts(&targets, "Away@far.example alice@demo.example");
	ASSERT(verdict_is_done(dir_alias_add(st.f.d, &alias)));
	buf_done(&targets);
	st.loop = loop_new();
	st.s = (struct server){ .loop = st.loop,
		.engine = st.f.engine,
		.mail = st.f.mail,
		.dir = st.f.d };
	ASSERT(queue_open(&(struct queue_config){ .engine = st.f.engine,
			      .now_ms = stage_now_ms,
			      .limits = { .history_days = 14 } },
		   &st.s.queue) == 0);
	ASSERT(limiter_open(&(struct limit_config){ .engine = st.f.engine,
				.dir = st.f.d,
				.now = fixture_now,
				.arg = &st.f },
		   &st.s.limiter) == 0);
	st.watch =
	    loop_fd_new(st.loop, engine_fd(st.f.engine), on_engine, NULL, &st);
	loop_fd_want(st.watch, true, false);
	loop_each_round(st.loop, on_round, &st);
	st.smtp = connect_front(ROLE_SMTP, SMTP_WORKER);
	st.send = connect_front(ROLE_SEND, SEND_WORKER);
	return 0;
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
pause_for(uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(st.loop, stop, st.loop);

	loop_timer_set(t, ms);
	loop_run(st.loop);
	loop_timer_free(t);
}

static int
teardown(UNUSED void **state)
{
	ipc_peer_close(st.smtp);
	ipc_peer_close(st.send);
	pause_for(20);
	ipc_peer_unref(st.smtp);
	ipc_peer_unref(st.send);
	loop_fd_free(st.watch);
	limiter_free(st.s.limiter);
	queue_free(st.s.queue);
	fixture_stop(&st.f);
	loop_free(st.loop);
	map_done(&st.s.sessions);
	map_done(&st.s.watchers);
	map_done(&st.s.workers);
	closep(&st.fd);
	buf_done(&st.body);
	buf_done(&st.due);
	return 0;
}

static void
on_reply(UNUSED void *arg, struct ipc_msg *m)
{
	st.replies++;
	st.outcome = m->outcome;
	st.reason = m->outcome == DONE ? REASON_NONE : ipc_reason(m);
	closep(&st.fd);
	st.fd = m->fd;
	m->fd = -1;
	buf_reset(&st.body, KIB(64));
	buf_put_str(&st.body, m->body);
	loop_stop(st.loop);
}

/* Ask and wait; body is used up. */
static void
ask(struct ipc_peer *from, enum msg_type type, uint32_t session,
    struct buf *body)
{
	unsigned before = st.replies;

	ipc_request(from, type, session, buf_str(body), -1, on_reply, NULL);
	while (st.replies == before)
		loop_run(st.loop);
	buf_done(body);
}

struct mail_to {
	const char *from, *to;
	const char *trace;
	bool is_retry, is_lmtp;
	size_t size; /* 0: some bytes */
};

static void
deliver(struct ipc_peer *front, uint32_t session, struct mail_to m)
{
	struct buf rcpts = BUF_INIT(KIB(4)), body = BUF_INIT(MIB(8));
	struct buf bytes = BUF_INIT(MIB(4));
	struct msg_deliver d = { .trace_id = str_c(m.trace ? m.trace : "t"),
		.mail_from = str_c(m.from),
		.received = QT0 / 1000,
		.is_retry = m.is_retry,
		.is_per_rcpt = m.is_lmtp };
	struct str rest = str_c(m.to), one;

	while (rest.n) {
		rest = str_split(rest, ' ', &one);
		msg_deliver_rcpt_put(&rcpts,
		    &(struct msg_deliver_rcpt){ .address = one,
			.prefix = STR("Return-Path: <x>\r\nReceived: y\r\n") });
	}
	while (bytes.n < MAX(m.size, 10))
		buf_put_char(&bytes, (char)('a' + bytes.n % 26));
	d.rcpts = buf_str(&rcpts);
	d.data = buf_str(&bytes);
	d.size = bytes.n;
	msg_deliver_put(&body, &d);
	ask(front, MSG_DELIVER, session, &body);
	buf_done(&rcpts);
	buf_done(&bytes);
}

static void
grant(void)
{
	ASSERT(store_session_grant(
	    &st.s, peer_find(&st.s, SMTP_WORKER), SESSION, st.alice));
}

static uint64_t
queued(void)
{
	struct queue_stats stats;

	queue_stats(st.s.queue, &stats);
	return stats.entries;
}

TEST(nobody_is_relayed_for)
{
	struct mail_to out = { .from = "alice@demo.example",
		.to = "x@far.example" };

	deliver(st.smtp, 0, out);
	CHECK(st.outcome == TEMPFAIL && st.reason == REASON_NOT_LOCAL,
	    "a front that asks in nobody's name");
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == TEMPFAIL && queued() == 0, "no grant");
	out.is_retry = true;
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == TEMPFAIL && queued() == 0, "nor by a retry");
	grant();
	out.from = "bob@demo.example";
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == TEMPFAIL && queued() == 0, "another's address");
	out.from = "alice@demo.example";
	deliver(st.smtp, SESSION + 1, out);
	CHECK(st.outcome == TEMPFAIL && queued() == 0, "another session");
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == DONE && queued() == 1, "whose grant it is");
}

TEST(each_recipient_of_lmtp_has_an_answer)
{
	struct msg_deliver_reply r;
	struct msg_deliver_result one, two;
	struct wire w;

	deliver(st.smtp, 0,
	    (struct mail_to){ .from = "x@y.example",
		.to = "x@far.example alice@demo.example",
		.is_lmtp = true });
	CHECK(st.outcome == DONE && queued() == 0, "answered");
	CHECK(msg_deliver_reply_get(buf_str(&st.body), &r), "reply");
	w = wire_read(r.results);
	CHECK(msg_deliver_result_read(&w, &one) &&
		  msg_deliver_result_read(&w, &two),
	    "two");
	CHECK(one.outcome == PERMFAIL && one.reason == REASON_NOT_LOCAL &&
		  two.outcome == DONE,
	    "each its own");
}

TEST(local_copies_and_entries_of_a_submission)
{
	struct msg_mailbox mb;

	grant();
	deliver(st.smtp, SESSION,
	    (struct mail_to){ .from = "alice@demo.example",
		.to = "X@Far.Example alice@demo.example x@far.example "
		      "y@far.example "
		      "away@demo.example" });
	CHECK(st.outcome == DONE, "delivered");
	/* Away@far.example comes from the alias, and alice only once. */
	CHECK(queued() == 4, "none twice");
	CHECK(status_of(&st.f, st.alice, "INBOX", &mb) && mb.messages == 1,
	    "one copy");
	CHECK(count_problems(&st.f) == 0, "check");
}

TEST(who_asks_is_told_whose_mailbox_it_went_into)
{
	struct ipc_peer *cli = connect_front(ROLE_CLI, 1);
	struct msg_queue_trace_reply r;
	struct msg_queue_copied c;
	struct msg_arrival a;
	struct msg_queue_life m;
	struct buf b = BUF_INIT(KIB(1));
	struct wire w;

	deliver(st.smtp, 0,
	    (struct mail_to){ .from = "stranger@other.example",
		.to = "Alice@demo.example",
		.trace = "came" });
	CHECK(st.outcome == DONE, "delivered");
	msg_queue_trace_put(
	    &b, &(struct msg_queue_trace){ STR("came"), STR_NONE });
	ask(cli, MSG_QUEUE_TRACE, 0, &b);
	CHECK(st.outcome == DONE &&
		  msg_queue_trace_reply_get(buf_str(&st.body), &r),
	    "told");
	ipc_peer_close(cli);
	ipc_peer_unref(cli);
	w = wire_read(r.items);
	CHECK(msg_queue_life_read(&w, &m) && w.in.n == 0 && m.recipients == 0 &&
		  str_eq(m.sender, STR("stranger@other.example")),
	    "one life");
	CHECK(msg_arrival_get(m.arrival, &a) && str_eq(a.service, STR("smtp")),
	    "by whom, when the front says no more");
	w = wire_read(m.copies);
	CHECK(msg_queue_copied_read(&w, &c) &&
		  str_eq(c.recipient, STR("Alice@demo.example")) &&
		  str_eq_case(c.login, STR("alice@demo.example")) &&
		  !c.is_junk && w.in.n == 0,
	    "and where it is");
	CHECK(count_problems(&st.f) == 0, "check");
}

TEST(an_alias_forwards_for_everybody)
{
	deliver(st.smtp, 0,
	    (struct mail_to){
		.from = "stranger@other.example", .to = "away@demo.example" });
	CHECK(st.outcome == DONE && queued() == 1, "forwarded");
}

TEST(a_repeated_delivery_is_queued_once)
{
	struct mail_to out = { .from = "alice@demo.example",
		.to = "x@far.example alice@demo.example",
		.trace = "again" };
	struct msg_mailbox mb;

	grant();
	deliver(st.smtp, SESSION, out);
	out.is_retry = true;
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == DONE && queued() == 1, "once");
	/* A store that starts anew knows no grants: what it has, it has. */
	store_session_close(
	    &st.s, store_session_find(&st.s, SMTP_WORKER, SESSION));
	deliver(st.smtp, SESSION, out);
	CHECK(st.outcome == DONE && queued() == 1, "without a grant");
	CHECK(status_of(&st.f, st.alice, "INBOX", &mb) && mb.messages == 1,
	    "the local copy too");
}

/* Role send takes over; it holds no leases. */
static void
take(struct ipc_peer *send)
{
	struct msg_queue_take q = { STR_NONE };
	struct msg_queue_take_reply r;
	struct buf b = BUF_INIT(KIB(1));

	msg_queue_take_put(&b, &q);
	ask(send, MSG_QUEUE_TAKE, 0, &b);
	CHECK(st.outcome == DONE &&
		  msg_queue_take_reply_get(buf_str(&st.body), &r),
	    "take");
}

/* Lease all of a domain; the first item. */
static bool
lend(const char *domain, struct msg_queue_item *ret)
{
	struct msg_queue_lease q = { str_c(domain), 10, QT0, 60000 };
	struct msg_queue_lease_reply r;
	struct buf b = BUF_INIT(KIB(1));
	struct wire w;

	msg_queue_lease_put(&b, &q);
	ask(st.send, MSG_QUEUE_LEASE, 0, &b);
	CHECK(st.outcome == DONE &&
		  msg_queue_lease_reply_get(buf_str(&st.body), &r),
	    "lease");
	w = wire_read(r.items);
	return w.in.n && msg_queue_item_read(&w, ret);
}

static void
read_entry(const struct msg_queue_item *i, struct msg_queue_read_reply *ret)
{
	struct buf b = BUF_INIT(KIB(1));

	msg_queue_read_put(&b, &(struct msg_queue_read){ i->message, i->rcpt });
	ask(st.send, MSG_QUEUE_READ, 0, &b);
	CHECK(st.outcome == DONE &&
		  msg_queue_read_reply_get(buf_str(&st.body), ret),
	    "read");
}

TEST(send_is_told_and_gets_the_bytes)
{
	struct msg_queue_read_reply r;
	struct msg_queue_domain d;
	struct msg_queue_item i;
	struct wire w;
	char back[26];

	take(st.send);
	grant();
	deliver(st.smtp, SESSION,
	    (struct mail_to){
		.from = "alice@demo.example", .to = "x@far.example" });
	while (!st.dues)
		loop_run(st.loop);
	w = wire_read(buf_str(&st.due));
	CHECK(msg_queue_domain_read(&w, &d) &&
		  str_eq(d.domain, STR("far.example")) && d.count == 1 &&
		  d.due_ms == QT0,
	    "due");
	CHECK(lend("far.example", &i) && i.account == st.alice, "lent");
	read_entry(&i, &r);
	CHECK(str_eq(r.data, STR("Received: y\r\nabcdefghij")) && st.fd < 0 &&
		  r.size == r.data.n,
	    "a small one");
	deliver(st.smtp, SESSION,
	    (struct mail_to){ .from = "alice@demo.example",
		.to = "x@large.example",
		.size = INLINE_MESSAGE_MAX + 26 });
	CHECK(lend("large.example", &i), "lent");
	read_entry(&i, &r);
	CHECK(str_eq(r.data, STR("Received: y\r\n")) && st.fd >= 0 &&
		  r.size == r.data.n + INLINE_MESSAGE_MAX + 26,
	    "a large one");
	CHECK(pread(st.fd, back, 26, 0) == 26 &&
		  memcmp(back, "abcdefghijklmnopqrstuvwxyz", 26) == 0,
	    "its bytes");
}

TEST(who_has_not_taken_over_gets_nothing_for_now)
{
	struct msg_queue_lease q = { STR("far.example"), 10, QT0, 60000 };
	struct ipc_peer *next = connect_front(ROLE_SEND, SEND_WORKER + 1);
	struct buf b = BUF_INIT(KIB(1));

	msg_queue_lease_put(&b, &q);
	ask(st.send, MSG_QUEUE_LEASE, 0, &b);
	CHECK(st.outcome == TEMPFAIL, "before");
	take(st.send);
	b = BUF_INIT(KIB(1));
	msg_queue_lease_put(&b, &q);
	ask(st.send, MSG_QUEUE_LEASE, 0, &b);
	CHECK(st.outcome == DONE, "its turn");
	take(next);
	b = BUF_INIT(KIB(1));
	msg_queue_lease_put(&b, &q);
	ask(st.send, MSG_QUEUE_LEASE, 0, &b);
	CHECK(st.outcome == TEMPFAIL, "behind it");
	ipc_peer_close(next);
	ipc_peer_unref(next);
}

TEST(a_bounce_is_queued_without_a_grant)
{
	struct msg_queue_item i;

	take(st.send);

	deliver(st.send, 0,
	    (struct mail_to){ .from = "", .to = "sender@far.example" });
	CHECK(st.outcome == DONE && queued() == 1, "queued");
	CHECK(lend("far.example", &i) && i.mail_from.n == 0, "null sender");
}

TEST(bytes_that_are_no_request_of_send)
{
	static const enum msg_type types[] = { MSG_QUEUE_DOMAINS,
		MSG_QUEUE_TAKE, MSG_QUEUE_LEASE, MSG_QUEUE_READ,
		MSG_QUEUE_RESULTS };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct buf b = BUF_INIT(100);

		buf_put_c(&b, "\xff\xff\xff\xff\xff");
		ask(st.send, types[i], 0, &b);
		CHECK(st.outcome == PERMFAIL, msg_rule(types[i])->name);
	}
}

TEST_MAIN(CASE(nobody_is_relayed_for),
    CASE(each_recipient_of_lmtp_has_an_answer),
    CASE(local_copies_and_entries_of_a_submission),
    CASE(who_asks_is_told_whose_mailbox_it_went_into),
    CASE(an_alias_forwards_for_everybody),
    CASE(a_repeated_delivery_is_queued_once),
    CASE(send_is_told_and_gets_the_bytes),
    CASE(who_has_not_taken_over_gets_nothing_for_now),
    CASE(a_bounce_is_queued_without_a_grant),
    CASE(bytes_that_are_no_request_of_send))
