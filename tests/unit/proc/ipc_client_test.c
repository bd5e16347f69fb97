/* SPDX-License-Identifier: ISC */
/* ipc_client_test.c - the command line's end, and who does not answer. */
#include "../test.h"
#include "base/log.h"
#include "proc/ipc.h"
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct pair {
	struct ipc_client *client;
	int store; /* the other end */
	struct buf reply;
	enum outcome outcome;
};

static void
pair_init(struct pair *p)
{
	int fds[2];

	*p = (struct pair){ .outcome = TEMPFAIL };
	buf_init(&p->reply, MIB(1));
	assert_int_equal(ipc_io_pair(fds), 0);
	assert_int_equal(ipc_client_open(fds[0], ROLE_STORE, &p->client), 0);
	p->store = fds[1];
}

static void
pair_done(struct pair *p)
{
	ipc_client_free(p->client);
	closep(&p->store);
	buf_done(&p->reply);
}

static int
call(struct pair *p, enum msg_type type, struct str body)
{
	return ipc_client_call(p->client,
	    &(struct ipc_call){ .type = type, .body = body, .fd = -1 },
	    &p->outcome, &p->reply, NULL);
}

/* The first n bytes of the answer to the first call. */
static void
answer(struct pair *p, struct str body, size_t n)
{
	const struct ipc_frame f = { .type = MSG_STORE_SYNC,
		.is_reply = true,
		.outcome = DONE,
		.id = 1,
		.body = body };
	struct buf b = BUF_INIT(KIB(1));

	ipc_frame_header(&f, buf_reserve(&b, IPC_HEADER_BYTES));
	b.n += IPC_HEADER_BYTES;
	buf_put_str(&b, body);
	assert_true(n <= b.n);
	assert_int_equal(send(p->store, b.p, n, 0), (ssize_t)n);
	buf_done(&b);
}

TEST(an_answer_is_taken)
{
	struct pair p;

	pair_init(&p);
	answer(&p, STR("well"), IPC_HEADER_BYTES + 4);
	assert_int_equal(call(&p, MSG_STORE_SYNC, STR("")), 0);
	assert_int_equal(p.outcome, DONE);
	assert_string_equal(buf_c(&p.reply), "well");
	pair_done(&p);
}

TEST(who_never_answers_is_given_up)
{
	struct pair p;

	pair_init(&p);
	assert_int_equal(
	    ipc_client_patience(p.client), IPC_CLIENT_PATIENCE_S * 1000);
	ipc_client_set_patience(p.client, 30);
	assert_int_equal(call(&p, MSG_STORE_SYNC, STR("")), -ETIMEDOUT);
	pair_done(&p);
}

TEST(who_stops_within_an_answer_is_given_up)
{
	static const size_t parts[] = { 1, IPC_HEADER_BYTES,
		IPC_HEADER_BYTES + 3 };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct pair p;

		pair_init(&p);
		ipc_client_set_patience(p.client, 30);
		answer(&p, STR("well"), parts[i]);
		assert_int_equal(call(&p, MSG_STORE_SYNC, STR("")), -ETIMEDOUT);
		assert_int_equal(p.reply.n, 0);
		pair_done(&p);
	}
}

TEST(who_takes_no_question_is_given_up)
{
	static char large[MIB(8) - KIB(1)];
	struct pair p;

	pair_init(&p);
	ipc_client_set_patience(p.client, 30);
	assert_int_equal(
	    call(&p, MSG_APPEND, (struct str){ large, sizeof(large) }),
	    -ETIMEDOUT);
	pair_done(&p);
}

TEST(a_peer_that_goes_is_no_peer_that_is_slow)
{
	struct pair p;

	pair_init(&p);
	closep(&p.store);
	assert_int_equal(call(&p, MSG_STORE_SYNC, STR("")), -EPIPE);
	pair_done(&p);
}

static void
on_alarm(UNUSED int signo)
{
}

TEST(a_signal_ends_the_wait)
{
	const struct sigaction act = { .sa_handler = on_alarm };
	/* Again and again: the first may come before the wait. */
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	const struct itimerval never = { 0 };
	struct sigaction before;
	struct pair p;

	pair_init(&p);
	assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(call(&p, MSG_STORE_SYNC, STR("")), -EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	pair_done(&p);
}

TEST_MAIN(UNIT(an_answer_is_taken), UNIT(who_never_answers_is_given_up),
    UNIT(who_stops_within_an_answer_is_given_up),
    UNIT(who_takes_no_question_is_given_up),
    UNIT(a_peer_that_goes_is_no_peer_that_is_slow),
    UNIT(a_signal_ends_the_wait))
