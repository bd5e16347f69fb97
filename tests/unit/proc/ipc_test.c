/* SPDX-License-Identifier: ISC */
/* ipc_test.c - internal connections over real socket pairs. */
#include "../test.h"
#include "base/log.h"
#include "proc/ipc.h"
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* One end and what happened to it. */
struct end {
	struct loop *loop;
	struct ipc_peer *peer;
	unsigned messages, closed, replies;
	enum outcome outcome;
	enum reason reason;
	struct buf last;
	int last_fd;
	bool answers, keeps_requests;
	struct ipc_return kept[64];
	unsigned kept_count;
};

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct end *e = arg;

	e->messages++;
	buf_reset(&e->last, MIB(1));
	buf_put_str(&e->last, m->body);
	closep(&e->last_fd);
	e->last_fd = m->fd;
	m->fd = -1;
	if (e->keeps_requests)
		e->kept[e->kept_count++] = ipc_return_new(p, m);
	if (e->answers) {
		struct ipc_return r = ipc_return_new(p, m);

		ipc_reply(&r, m->body, -1);
	}
}

static void
on_closed(void *arg, UNUSED struct ipc_peer *p)
{
	struct end *e = arg;

	e->closed++;
}

static const struct ipc_handlers handlers = { on_message, on_closed };

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct end *e = arg;

	e->replies++;
	e->outcome = m->outcome;
	e->reason = ipc_reason(m);
	buf_reset(&e->last, MIB(1));
	buf_put_str(&e->last, m->body);
	closep(&e->last_fd);
	e->last_fd = m->fd;
	m->fd = -1;
}

static void
end_init(struct end *e, struct loop *l, int fd, enum role self, enum role other)
{
	struct ipc_config c = { .loop = l,
		.fd = fd,
		.self = self,
		.other = other,
		.worker = 7,
		.handlers = &handlers,
		.arg = e };

	*e = (struct end){ .loop = l, .last_fd = -1 };
	buf_init(&e->last, MIB(32));
	e->peer = ipc_peer_ref(ipc_peer_new(&c));
}

static void
end_done(struct end *e)
{
	for (unsigned i = 0; i < e->kept_count; i++)
		if (e->kept[i].peer != NULL)
			ipc_return_drop(&e->kept[i]);
	ipc_peer_close(e->peer);
	e->peer = ipc_peer_unref(e->peer);
	closep(&e->last_fd);
	buf_done(&e->last);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* Let the loop settle: run until nothing happened for a short while. */
static void
settle(struct loop *l)
{
	struct loop_timer *t = loop_timer_new(l, stop, l);

	loop_timer_set(t, 20);
	loop_run(l);
	loop_timer_free(t);
}

struct pair {
	struct loop *loop;
	struct end smtp, store;
};

static void
pair_init(struct pair *p)
{
	int fd[2];

	ASSERT(ipc_io_pair(fd) == 0);
	p->loop = loop_new();
	end_init(&p->smtp, p->loop, fd[0], ROLE_SMTP, ROLE_STORE);
	end_init(&p->store, p->loop, fd[1], ROLE_STORE, ROLE_SMTP);
}

static void
pair_done(struct pair *p)
{
	/* What is still under way is answered now, not into freed memory. */
	ipc_peer_close(p->smtp.peer);
	ipc_peer_close(p->store.peer);
	settle(p->loop);
	end_done(&p->smtp);
	end_done(&p->store);
	settle(p->loop);
	loop_free(p->loop);
}

TEST(a_request_is_answered)
{
	struct pair p;

	pair_init(&p);
	p.store.answers = true;
	ipc_request(
	    p.smtp.peer, MSG_RCPT_CHECK, 3, STR("a@b"), -1, on_reply, &p.smtp);
	settle(p.loop);
	CHECK(p.store.messages == 1 && p.smtp.replies == 1, "once each");
	CHECK(p.smtp.outcome == DONE, "outcome");
	CHECK(str_eq(buf_str(&p.smtp.last), STR("a@b")), "body");
	CHECK(ipc_peer_role(p.smtp.peer) == ROLE_STORE, "role");
	CHECK(ipc_peer_worker(p.smtp.peer) == 7, "worker");
	pair_done(&p);
}

TEST(an_error_carries_outcome_reason_and_text)
{
	struct pair p;

	pair_init(&p);
	p.store.keeps_requests = true;
	ipc_request(
	    p.smtp.peer, MSG_RCPT_CHECK, 3, STR("a@b"), -1, on_reply, &p.smtp);
	settle(p.loop);
	ipc_reply_error(
	    &p.store.kept[0], PERMFAIL, REASON_NOT_LOCAL, "not here");
	settle(p.loop);
	CHECK(p.smtp.outcome == PERMFAIL, "outcome");
	CHECK(p.smtp.reason == REASON_NOT_LOCAL, "reason");
	CHECK(str_search(buf_str(&p.smtp.last), STR("not here")) > 0, "text");
	pair_done(&p);
}

static int
memfd_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ASSERT(fd >= 0 && write(fd, text, strlen(text)) > 0);
	return fd;
}

TEST(descriptors_arrive_with_their_message)
{
	struct pair p;
	char got[8] = "";

	pair_init(&p);
	/* Neighbours without a descriptor must not take it. */
	ipc_notify(p.smtp.peer, MSG_SESSION_CLOSE, 1, STR_NONE, -1);
	ipc_request(p.smtp.peer, MSG_DELIVER, 2, STR("one"), memfd_of("first"),
	    on_reply, &p.smtp);
	settle(p.loop);
	CHECK(p.store.messages == 2 && p.store.last_fd >= 0, "descriptor");
	CHECK(pread(p.store.last_fd, got, 5, 0) == 5, "read");
	CHECK(memcmp(got, "first", 5) == 0, "the right one");
	for (int i = 0; i < 50; i++) {
		ipc_notify(p.smtp.peer, MSG_SESSION_CLOSE, 1, STR_NONE, -1);
		ipc_request(p.smtp.peer, MSG_DELIVER, 2, STR("x"),
		    memfd_of(i == 49 ? "last!" : "other"), on_reply, &p.smtp);
	}
	settle(p.loop);
	CHECK(p.store.messages == 102, "all");
	CHECK(pread(p.store.last_fd, got, 5, 0) == 5 &&
		  memcmp(got, "last!", 5) == 0,
	    "in order");
	pair_done(&p);
}

/* Raw bytes of one frame, as a broken or hostile peer might send them. */
static void
put_frame(struct buf *b, const struct ipc_frame *f, uint32_t claimed)
{
	struct ipc_frame g = *f;

	g.body.n = claimed;
	ipc_frame_header(&g, buf_reserve(b, IPC_HEADER_BYTES));
	b->n += IPC_HEADER_BYTES;
	buf_put_str(b, f->body);
}

TEST(what_the_table_forbids_ends_the_connection)
{
	static const struct {
		const char *name;
		struct ipc_frame frame;
		uint32_t claimed;
		int with_fd;
	} cases[] = {
		{ "unknown type", { .type = (enum msg_type)9999 }, 0, 0 },
		{ "not smtp's to say", { .type = MSG_USER_ADD, .id = 1 }, 0,
		    0 },
		{ "the other direction", { .type = MSG_MAILBOX_CHANGED }, 0,
		    0 },
		{ "oversized", { .type = MSG_RCPT_CHECK, .id = 1 }, KIB(4) + 1,
		    0 },
		{ "enormous", { .type = MSG_DELIVER, .id = 1 }, UINT32_MAX, 0 },
		{ "reply to nothing",
		    { .type = MSG_RCPT_CHECK, .id = 1, .is_reply = true }, 0,
		    0 },
		{ "descriptor where none may be",
		    { .type = MSG_RCPT_CHECK, .id = 1, .has_fd = true }, 0, 1 },
		{ "descriptor announced and missing",
		    { .type = MSG_DELIVER, .id = 1, .has_fd = true }, 0, 0 },
		{ "descriptor that nothing claims",
		    { .type = MSG_DELIVER, .id = 1 }, 0, 1 },
		{ "id where no reply exists",
		    { .type = MSG_SESSION_CLOSE, .id = 1 }, 0, 0 },
		{ "outcome in a request",
		    { .type = MSG_RCPT_CHECK, .id = 1, .outcome = PERMFAIL }, 0,
		    0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loop *l = loop_new();
		struct buf b = BUF_INIT(KIB(4));
		struct end store;
		int fd[2], extra = cases[i].with_fd ? memfd_of("x") : -1;

		CHECK(ipc_io_pair(fd) == 0, "pair");
		end_init(&store, l, fd[1], ROLE_STORE, ROLE_SMTP);
		put_frame(&b, &cases[i].frame, cases[i].claimed);
		CHECK(ipc_io_send(fd[0], b.p, b.n, extra) == (ssize_t)b.n,
		    "send");
		closep(&extra);
		settle(l);
		CHECK(store.closed == 1, cases[i].name);
		CHECK(store.messages ==
			  (cases[i].with_fd && !cases[i].frame.has_fd),
		    cases[i].name);
		close(fd[0]);
		buf_done(&b);
		end_done(&store);
		settle(l);
		loop_free(l);
	}
}

TEST(two_descriptors_at_once_end_the_connection)
{
	struct loop *l = loop_new();
	int fd[2], two[2] = { memfd_of("x"), memfd_of("y") };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(two))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct end store;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(two));
	memcpy(CMSG_DATA(c), two, sizeof(two));
	CHECK(ipc_io_pair(fd) == 0, "pair");
	end_init(&store, l, fd[1], ROLE_STORE, ROLE_SMTP);
	CHECK(sendmsg(fd[0], &msg, 0) == 1, "send");
	settle(l);
	CHECK(store.closed == 1, "closed");
	close(fd[0]);
	close(two[0]);
	close(two[1]);
	end_done(&store);
	settle(l);
	loop_free(l);
}

TEST(messages_arrive_however_the_bytes_are_split)
{
	struct buf b = BUF_INIT(KIB(4));
	struct ipc_frame f = { .type = MSG_RCPT_CHECK,
		.id = 5,
		.body = STR("someone@example.org") };

	put_frame(&b, &f, (uint32_t)f.body.n);
	f = (struct ipc_frame){ .type = MSG_SESSION_CLOSE };
	put_frame(&b, &f, 0);
	for (size_t step = 1; step <= b.n; step++) {
		struct loop *l = loop_new();
		struct end store;
		int fd[2];

		CHECK(ipc_io_pair(fd) == 0, "pair");
		end_init(&store, l, fd[1], ROLE_STORE, ROLE_SMTP);
		for (size_t at = 0; at < b.n; at += step) {
			size_t n = MIN(step, b.n - at);

			CHECK(ipc_io_send(fd[0], b.p + at, n, -1) == (ssize_t)n,
			    "send");
			/* One round of the loop for each part. */
			loop_defer(l, stop, l);
			loop_run(l);
		}
		settle(l);
		CHECK(store.messages == 2 && store.closed == 0, "both");
		close(fd[0]);
		end_done(&store);
		settle(l);
		loop_free(l);
	}
	buf_done(&b);
}

TEST(requests_under_way_are_answered_when_the_peer_goes)
{
	struct pair p;

	pair_init(&p);
	p.store.keeps_requests = true;
	for (int i = 0; i < 10; i++)
		ipc_request(p.smtp.peer, MSG_RCPT_CHECK, 1, STR("x"), -1,
		    on_reply, &p.smtp);
	settle(p.loop);
	CHECK(p.store.kept_count == 10 && p.smtp.replies == 0, "waiting");
	ipc_peer_close(p.store.peer);
	settle(p.loop);
	CHECK(p.smtp.replies == 10, "all");
	CHECK(p.smtp.outcome == TEMPFAIL, "temporary");
	CHECK(p.smtp.reason == REASON_GONE, "reason");
	CHECK(p.smtp.closed == 1 && p.store.closed == 1, "both know");
	/* Replying to who is gone, and asking who is gone, does no harm. */
	ipc_reply(&p.store.kept[0], STR_NONE, -1);
	p.smtp.replies = 0;
	ipc_request(p.smtp.peer, MSG_DELIVER, 1, STR("x"), memfd_of("y"),
	    on_reply, &p.smtp);
	CHECK(p.smtp.replies == 0, "not at once");
	settle(p.loop);
	CHECK(p.smtp.replies == 1 && p.smtp.reason == REASON_GONE, "later");
	pair_done(&p);
}

TEST(a_cancelled_request_is_not_answered)
{
	struct pair p;
	uint32_t id;

	pair_init(&p);
	p.store.answers = true;
	id = ipc_request(
	    p.smtp.peer, MSG_RCPT_CHECK, 1, STR("x"), -1, on_reply, &p.smtp);
	ipc_cancel(p.smtp.peer, id);
	settle(p.loop);
	CHECK(p.store.messages == 1 && p.smtp.replies == 0, "silent");
	CHECK(p.smtp.closed == 0, "and legal");
	pair_done(&p);
}

TEST(a_second_answer_ends_the_connection)
{
	struct pair p;
	struct ipc_return again;

	pair_init(&p);
	p.store.keeps_requests = true;
	ipc_request(
	    p.smtp.peer, MSG_RCPT_CHECK, 1, STR("x"), -1, on_reply, &p.smtp);
	settle(p.loop);
	again = p.store.kept[0];
	ipc_peer_ref(again.peer);
	ipc_reply(&p.store.kept[0], STR_NONE, -1);
	ipc_reply(&again, STR_NONE, -1);
	settle(p.loop);
	CHECK(p.smtp.replies == 1 && p.smtp.closed == 1, "refused");
	pair_done(&p);
}

TEST(who_answers_stops_reading_while_nobody_takes_the_answers)
{
	struct loop *l = loop_new();
	char *body = x_zalloc(MIB(1));
	struct end store, smtp;
	struct ipc_frame f = { .type = MSG_RCPT_CHECK, .id = 1 };
	struct buf b = BUF_INIT(KIB(4));
	int fd[2];

	CHECK(ipc_io_pair(fd) == 0, "pair");
	end_init(&store, l, fd[1], ROLE_STORE, ROLE_SMTP);
	store.keeps_requests = true;
	put_frame(&b, &f, 0);
	for (int i = 0; i < 12; i++)
		CHECK(ipc_io_send(fd[0], b.p, b.n, -1) > 0, "send");
	settle(l);
	CHECK(store.kept_count == 12, "requests");
	for (int i = 0; i < 12; i++)
		ipc_reply(&store.kept[i], str_make(body, MIB(1)), -1);
	settle(l);
	CHECK(ipc_peer_backlog(store.peer) > IPC_HIGH_WATER, "backlog");
	store.messages = 0;
	store.keeps_requests = false;
	CHECK(ipc_io_send(fd[0], b.p, b.n, -1) > 0, "send");
	settle(l);
	CHECK(store.messages == 0, "not read");
	/* Somebody begins to read: the answers were asked for by nobody, so
	 * that end refuses them, but it takes them. */
	end_init(&smtp, l, fd[0], ROLE_SMTP, ROLE_STORE);
	settle(l);
	CHECK(smtp.closed == 1, "taken");
	end_done(&smtp);
	end_done(&store);
	settle(l);
	loop_free(l);
	buf_done(&b);
	free(body);
}

TEST(large_bodies_survive_the_way)
{
	struct pair p;
	size_t n = MIB(5);
	char *body = x_malloc(n);

	for (size_t i = 0; i < n; i++)
		body[i] = (char)(i * 7 + i / 251);
	pair_init(&p);
	p.store.answers = true;
	ipc_request(p.smtp.peer, MSG_DELIVER, 1, str_make(body, n), -1,
	    on_reply, &p.smtp);
	for (int i = 0; i < 50 && p.smtp.replies == 0; i++)
		settle(p.loop);
	CHECK(str_eq(buf_str(&p.smtp.last), str_make(body, n)), "same");
	pair_done(&p);
	free(body);
}

TEST(only_who_answers_may_pause)
{
	CHECK(
	    ipc_may_pause((struct ipc_ends){ ROLE_STORE, ROLE_SMTP }), "store");
	CHECK(
	    !ipc_may_pause((struct ipc_ends){ ROLE_SMTP, ROLE_STORE }), "smtp");
	CHECK(ipc_is_linked(ROLE_SMTP, ROLE_FILTER), "smtp and filter");
	CHECK(!ipc_is_linked(ROLE_SMTP, ROLE_IMAP), "fronts");
	CHECK(ipc_is_linked(ROLE_FILTER, ROLE_STORE), "filter and ledger");
	CHECK(!ipc_is_linked(ROLE_FILTER, ROLE_AUTH), "filter and auth");
	for (unsigned a = 0; a < ROLE_COUNT; a++)
		for (unsigned b = 0; b < ROLE_COUNT; b++) {
			struct ipc_ends one = { (enum role)a, (enum role)b };
			struct ipc_ends two = { (enum role)b, (enum role)a };

			CHECK(!ipc_may_pause(one) || !ipc_may_pause(two),
			    "both waiting for each other");
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(a_request_is_answered),
		UNIT(an_error_carries_outcome_reason_and_text),
		UNIT(descriptors_arrive_with_their_message),
		UNIT(what_the_table_forbids_ends_the_connection),
		UNIT(two_descriptors_at_once_end_the_connection),
		UNIT(messages_arrive_however_the_bytes_are_split),
		UNIT(requests_under_way_are_answered_when_the_peer_goes),
		UNIT(a_cancelled_request_is_not_answered),
		UNIT(a_second_answer_ends_the_connection),
		UNIT(who_answers_stops_reading_while_nobody_takes_the_answers),
		UNIT(large_bodies_survive_the_way),
		UNIT(only_who_answers_may_pause),
	};

	/* Refusals are what is tested: no lines about them. */
	log_init("test", (enum log_level)(LOG_LEVEL_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
