/* SPDX-License-Identifier: ISC */
/*
 * server_test.c - requests as a front sends them, over a real connection:
 * grants, notifications, answers that are durable, back-pressure.
 */
#include "mail/fixture.h"
#include "proc/ipc.h"
#include "store/server.h"

#include <sys/socket.h>

#define WORKER 5

struct stage {
	struct fixture f;
	struct server s;
	struct loop *loop;
	struct loop_fd *watch;
	struct ipc_peer *front; /* the front's end */
	uint64_t alice;
	/* What the front got. */
	unsigned replies, changes;
	enum outcome outcome;
	enum reason reason;
	uint64_t durable; /* when the last reply came */
	struct buf body;
	struct msg_mailbox_changed changed;
};

static void
on_engine(void *arg)
{
	engine_dispatch(((struct stage *)arg)->f.engine);
}

static void
on_round(void *arg)
{
	struct stage *st = arg;

	request_resume(&st->s);
	notify_flush(&st->s);
	engine_kick(st->f.engine);
}

static void
store_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	request_message(&((struct stage *)arg)->s, p, m);
}

static void
store_closed(void *arg, struct ipc_peer *p)
{
	peer_remove(&((struct stage *)arg)->s, p);
}

static void
front_message(void *arg, UNUSED struct ipc_peer *p, struct ipc_msg *m)
{
	struct stage *st = arg;

	st->changes++;
	ASSERT(m->type == MSG_MAILBOX_CHANGED);
	ASSERT(msg_mailbox_changed_get(m->body, &st->changed));
	loop_stop(st->loop);
}

static void
front_closed(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

static uint64_t
stage_now(UNUSED void *arg)
{
	return 1790000000;
}

static void
stage_start(struct stage *st)
{
	static const struct ipc_handlers store = { store_message,
		store_closed };
	static const struct ipc_handlers front = { front_message,
		front_closed };
	struct ipc_config c = { .self = ROLE_STORE,
		.other = ROLE_IMAP,
		.worker = WORKER,
		.handlers = &store,
		.arg = st };
	int fds[2];

	*st = (struct stage){ .body = BUF_INIT(MIB(8)) };
	fixture_start(&st->f);
	st->alice = add_user(&st->f, "alice@demo.example");
	mail_free(st->f.mail);
	st->f.mail = mail_new(&(struct mail_config){ .engine = st->f.engine,
	    .now = stage_now,
	    .changed = notify_changed,
	    .arg = &st->s,
	    .undelete_days = 14 });
	st->loop = loop_new();
	st->s = (struct server){ .loop = st->loop,
		.engine = st->f.engine,
		.mail = st->f.mail,
		.dir = st->f.d };
	st->watch =
	    loop_fd_new(st->loop, engine_fd(st->f.engine), on_engine, NULL, st);
	loop_fd_want(st->watch, true, false);
	loop_each_round(st->loop, on_round, st);
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	c.loop = st->loop;
	c.fd = fds[0];
	peer_add(&st->s, ipc_peer_new(&c));
	c = (struct ipc_config){ .loop = st->loop,
		.fd = fds[1],
		.self = ROLE_IMAP,
		.other = ROLE_STORE,
		.worker = 1,
		.handlers = &front,
		.arg = st };
	st->front = ipc_peer_ref(ipc_peer_new(&c));
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
pause_for(struct stage *st, uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(st->loop, stop, st->loop);

	loop_timer_set(t, ms);
	loop_run(st->loop);
	loop_timer_free(t);
}

/* Until all is durable, however slow the disk is, and told. */
static void
settle(struct stage *st)
{
	uint64_t position = engine_position(st->f.engine);

	do
		pause_for(st, 10);
	while (engine_durable(st->f.engine) < position);
	pause_for(st, 10);
	pause_for(st, 10);
}

static void
stage_stop(struct stage *st)
{
	ipc_peer_close(st->front);
	settle(st);
	CHECK(st->s.sessions.n == 0 && st->s.watchers.n == 0 && !st->s.peers,
	    "sessions end with their connection");
	ipc_peer_unref(st->front);
	loop_fd_free(st->watch);
	fixture_stop(&st->f);
	loop_free(st->loop);
	map_done(&st->s.sessions);
	map_done(&st->s.watchers);
	map_done(&st->s.workers);
	buf_done(&st->body);
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct stage *st = arg;

	st->replies++;
	st->outcome = m->outcome;
	st->reason = m->outcome == DONE ? REASON_NONE : ipc_reason(m);
	st->durable = engine_durable(st->f.engine);
	buf_reset(&st->body, KIB(64));
	buf_put_str(&st->body, m->body);
	loop_stop(st->loop);
}

/* Ask and wait; body is used up. */
static void
ask(struct stage *st, enum msg_type type, uint32_t session, struct buf *body)
{
	unsigned before = st->replies;

	ipc_request(st->front, type, session, buf_str(body), -1, on_reply, st);
	while (st->replies == before)
		loop_run(st->loop);
	buf_done(body);
}

static void
open_inbox(struct stage *st, uint32_t session)
{
	struct msg_mailbox_open q = { .name = STR("INBOX"), .is_watching = 1 };
	struct buf b = BUF_INIT(KIB(1));

	msg_mailbox_open_put(&b, &q);
	ask(st, MSG_MAILBOX_OPEN, session, &b);
}

static void
ask_entries(struct stage *st, uint32_t session, uint64_t since)
{
	struct msg_entries q = {
		.mailbox = MAIL_INBOX, .from_uid = 1, .since_modseq = since
	};
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &q);
	ask(st, MSG_ENTRIES, session, &b);
}

static void
create(struct stage *st, uint32_t session, const char *name)
{
	struct msg_mailbox_create q = { .name = str_c(name) };
	struct buf b = BUF_INIT(KIB(1));

	msg_mailbox_create_put(&b, &q);
	ask(st, MSG_MAILBOX_CREATE, session, &b);
}

static bool
grant(struct stage *st, uint32_t session)
{
	return store_session_grant(
	    &st->s, peer_find(&st->s, WORKER), session, st->alice);
}

TEST(a_session_without_a_grant_touches_nothing)
{
	static struct stage st;

	stage_start(&st);
	create(&st, 7, "x");
	CHECK(st.outcome == PERMFAIL && st.reason == REASON_NOT_GRANTED,
	    "not granted");
	CHECK(mailbox_id(&st.f, st.alice, "x") == 0, "nothing was made");
	CHECK(grant(&st, 7), "grant");
	create(&st, 7, "x");
	CHECK(st.outcome == DONE, "granted");
	create(&st, 8, "y");
	CHECK(st.reason == REASON_NOT_GRANTED, "another session");
	sessions_drop_account(&st.s, st.alice);
	create(&st, 7, "z");
	CHECK(st.reason == REASON_NOT_GRANTED, "the user was removed");
	stage_stop(&st);
}

TEST(an_answer_comes_when_the_change_is_durable)
{
	static struct stage st;

	stage_start(&st);
	CHECK(grant(&st, 1), "grant");
	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		create(&st, 1, name);
		CHECK(st.outcome == DONE, name);
		CHECK(st.durable >= mail_position(st.f.mail, st.alice), name);
	}
	stage_stop(&st);
}

static unsigned asked_for_auth;

/* In place of proc/runtime.c. Whoever has something to tell to auth asks for
 * it here. */
struct ipc_peer *
runtime_peer(UNUSED struct runtime *rt, enum role role)
{
	asked_for_auth += role == ROLE_AUTH;
	return NULL;
}

uint64_t
runtime_life(UNUSED const struct runtime *rt)
{
	return 1;
}

TEST(auth_forgets_a_password_when_its_change_is_durable)
{
	static struct stage st;
	struct msg_user_passwd q = { .login = STR("alice@demo.example"),
		.argon2 = STR("a"),
		.scram_sha256 = STR("s") };
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_msg m = { .type = MSG_USER_PASSWD, .fd = -1 };
	struct request r = { .s = &st.s, .msg = &m };

	stage_start(&st);
	asked_for_auth = 0;
	msg_user_passwd_put(&body, &q);
	m.body = buf_str(&body);
	CHECK(verdict_is_done(req_user_passwd(&r)), "changed");
	CHECK(engine_durable(st.f.engine) < dir_position(st.f.d),
	    "not on disk yet");
	CHECK(asked_for_auth == 0, "so auth is not told");
	settle(&st);
	CHECK(asked_for_auth == 1, "now it is");
	buf_done(&body);
	stage_stop(&st);
}

TEST(a_watcher_hears_once_until_it_asks_again)
{
	static struct stage st;
	uint64_t seen;

	stage_start(&st);
	CHECK(grant(&st, 1) && grant(&st, 2), "grant");
	open_inbox(&st, 1);
	CHECK(st.outcome == DONE, "open");
	for (int i = 0; i < 5; i++)
		add_message(&st.f, st.alice, "INBOX", "m");
	settle(&st);
	CHECK(st.changes == 1 && st.changed.mailbox == MAIL_INBOX, "once");
	add_message(&st.f, st.alice, "INBOX", "m");
	settle(&st);
	CHECK(st.changes == 1, "not again before it asks");
	seen = mail_mailbox_modseq(st.f.mail, st.alice, MAIL_INBOX);
	ask_entries(&st, 1, seen);
	settle(&st);
	CHECK(st.changes == 1, "it knows all there is");
	add_message(&st.f, st.alice, "Sent", "m");
	settle(&st);
	CHECK(st.changes == 1, "another mailbox");
	add_message(&st.f, st.alice, "INBOX", "m");
	settle(&st);
	CHECK(st.changes == 2 && st.changed.modseq > seen, "again");
	stage_stop(&st);
}

TEST(bytes_that_are_no_request_are_refused)
{
	static struct stage st;
	static const enum msg_type types[] = { MSG_MAILBOX_CREATE, MSG_FETCH,
		MSG_FLAGS, MSG_COPY, MSG_APPEND, MSG_ENTRIES,
		MSG_MAILBOX_OPEN };

	stage_start(&st);
	CHECK(grant(&st, 1), "grant");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct buf b = BUF_INIT(100);

		buf_put_c(&b, "\xff\xff\xff\xff\xff");
		ask(&st, types[i], 1, &b);
		CHECK(st.outcome == PERMFAIL, msg_rule(types[i])->name);
	}
	stage_stop(&st);
}

TEST(many_requests_at_once_are_answered_in_turn)
{
	static struct stage st;
	struct buf b = BUF_INIT(KIB(1)), set = BUF_INIT(100);
	struct msg_fetch q = { .mailbox = MAIL_INBOX, .want = FETCH_BODY };
	char *body = x_zalloc(KIB(900));

	stage_start(&st);
	CHECK(grant(&st, 1), "grant");
	add_message(&st.f, st.alice, "INBOX", "small");
	memset(body, 'x', KIB(900) - 1);
	add_message(&st.f, st.alice, "INBOX", body);
	q.uids = range_set(&set, 2, 2);
	msg_fetch_put(&b, &q);
	for (int i = 0; i < 200; i++)
		ipc_request(
		    st.front, MSG_FETCH, 1, buf_str(&b), -1, on_reply, &st);
	while (st.replies < 200) {
		struct peer *p = peer_find(&st.s, WORKER);

		loop_run(st.loop);
		CHECK(ipc_peer_backlog(p->ipc) <
			  IPC_HIGH_WATER + SERVER_READS_MAX * MIB(1),
		    "bounded");
		CHECK(st.outcome == DONE && st.body.n > KIB(899), "body");
	}
	free(body);
	buf_done(&b);
	buf_done(&set);
	stage_stop(&st);
}

TEST_MAIN(UNIT(a_session_without_a_grant_touches_nothing),
    UNIT(an_answer_comes_when_the_change_is_durable),
    UNIT(auth_forgets_a_password_when_its_change_is_durable),
    UNIT(a_watcher_hears_once_until_it_asks_again),
    UNIT(bytes_that_are_no_request_are_refused),
    UNIT(many_requests_at_once_are_answered_in_turn))
