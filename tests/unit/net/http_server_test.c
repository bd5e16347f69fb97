/* SPDX-License-Identifier: ISC */
/*
 * http_server_test.c - requests over a socket pair; a thread plays the client
 * and reads until the end.
 */
#include "../test.h"
#include "net/http_server.h"
#include "net_testlib.h"

#include <poll.h>

#define BIG  MIB(3)
#define SOME KIB(250) /* more than a socket takes, less than stops reading */

struct stage {
	struct loop *loop;
	struct http_visit *client;
	struct loop_timer *later;
	struct http_times times;
	struct buf seen; /* "path:body|" of each request */
	struct buf got;  /* by the client */
	const char *say;
	size_t step;     /* bytes written at once; 0: all */
	unsigned nap_us; /* behind each read */
	/* The loop is held up for so long behind a head, but not that of /some. */
	unsigned stall_ms, later_ms;
	int fd;
	int heads, closed, released;
	bool answers_later, refuses_in_head, stays_open, is_silent;
	bool takes_nothing;
	bool is_others_turn, was_greedy;
	uint64_t body_max;
};

static void
on_release(void *arg)
{
	((struct stage *)arg)->released++;
}

static void
reply(struct stage *s)
{
	static char big[BIG];
	struct str path = http_visit_request(s->client)->path;
	struct http_reply r = {
		.status = 200, .fields = STR("X-Own: 1\r\n"), .body = path
	};

	if (str_eq(path, STR("/big"))) {
		memset(big, 'b', sizeof(big));
		r.body = str_make(big, sizeof(big));
		r.release = on_release;
		r.arg = s;
	} else if (str_eq(path, STR("/some"))) {
		r.body = str_make(big, SOME);
	} else if (str_eq(path, STR("/last"))) {
		r.is_last = true;
	}
	http_visit_reply(s->client, &r);
}

static void
on_later(void *arg)
{
	struct stage *s = arg;

	if (s->closed == 0)
		reply(s);
}

static void
on_stall(void *arg)
{
	usleep(((struct stage *)arg)->stall_ms * 1000);
}

static uint64_t
on_head(void *arg, struct http_visit *c)
{
	struct stage *s = arg;

	s->heads++;
	if (s->stall_ms > 0 &&
	    !str_eq(http_visit_request(c)->path, STR("/some")))
		loop_defer(s->loop, on_stall, s);
	if (s->refuses_in_head)
		http_visit_reply(c,
		    &(struct http_reply){ .status = 403, .body = STR("no") });
	return s->body_max;
}

static void
on_others_turn(void *arg)
{
	((struct stage *)arg)->is_others_turn = false;
}

static void
on_request(void *arg, struct http_visit *c)
{
	struct stage *s = arg;

	s->was_greedy |= s->is_others_turn;
	s->is_others_turn = true;
	loop_defer(s->loop, on_others_turn, s);
	buf_put_str(&s->seen, http_visit_request(c)->path);
	buf_put_char(&s->seen, ':');
	buf_put_str(&s->seen, http_visit_body(c));
	buf_put_char(&s->seen, '|');
	if (s->is_silent)
		return;
	if (s->answers_later &&
	    !str_eq(http_visit_request(c)->path, STR("/some")))
		loop_timer_set(s->later, s->later_ms ? s->later_ms : 5);
	else
		reply(s);
}

static void
on_closed(void *arg, UNUSED struct http_visit *c)
{
	struct stage *s = arg;

	s->closed++;
	loop_stop(s->loop);
}

static void *
play_client(void *arg)
{
	struct stage *s = arg;
	struct str say = str_c(s->say);
	char chunk[4096];
	ssize_t n;

	while (say.n > 0) {
		n = write(s->fd, say.p, s->step ? MIN(s->step, say.n) : say.n);
		if (n < 0)
			break;
		say = str_from(say, (size_t)n);
	}
	if (!s->stays_open)
		shutdown(s->fd, SHUT_WR);
	if (s->takes_nothing)
		poll(&(struct pollfd){ .fd = s->fd }, 1, -1);
	while ((n = read(s->fd, chunk, sizeof(chunk))) > 0) {
		buf_put(&s->got, chunk, (size_t)n);
		usleep(s->nap_us);
	}
	close(s->fd);
	return NULL;
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* The client says that; afterwards seen and got tell what was. */
static void
run(struct stage *s, const char *say)
{
	static const struct http_handlers handlers = { on_head, on_request,
		on_closed };
	struct http_visit_config config = { .handlers = &handlers, .arg = s };
	pthread_t thread;
	int fds[2];

	make_pair(fds);
	s->fd = fds[1];
	s->say = say;
	s->seen = BUF_INIT(KIB(64));
	s->got = BUF_INIT(BIG + KIB(64));
	s->loop = loop_new();
	s->later = loop_timer_new(s->loop, on_later, s);
	config.conn.loop = s->loop;
	config.conn.fd = fds[0];
	config.times = s->times;
	s->client = http_visit_new(&config);
	if (pthread_create(&thread, NULL, play_client, s) != 0)
		die("pthread_create");
	loop_run(s->loop);
	loop_defer(s->loop, stop, s->loop);
	loop_run(s->loop);
	pthread_join(thread, NULL);
	loop_timer_free(s->later);
	loop_free(s->loop);
	CHECK(s->closed == 1, "closed() is called once");
}

static void
done(struct stage *s)
{
	buf_done(&s->seen);
	buf_done(&s->got);
}

static size_t
count(const struct stage *s, const char *what)
{
	struct str rest = buf_str(&s->got);
	ptrdiff_t at;
	size_t n = 0;

	while ((at = str_search(rest, str_c(what))) >= 0) {
		rest = str_from(rest, (size_t)at + strlen(what));
		n++;
	}
	return n;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

TEST(requests_are_answered_in_order)
{
	for (size_t step = 0; step < 8; step++) {
		struct stage s = { .step = step,
			.answers_later = step & 1,
			.stays_open = true };

		run(&s, GET("/one") "\r\n" GET("/two") GET("/last") GET("/x"));
		CHECK(str_eq(buf_str(&s.seen), STR("/one:|/two:|/last:|")),
		    "seen");
		assert_int_equal(count(&s, "HTTP/1.1 200 OK\r\n"), 3);
		assert_int_equal(count(&s, "X-Own: 1\r\n\r\n/two"), 1);
		assert_int_equal(count(&s, "Connection: close\r\n"), 1);
		assert_true(str_ends(buf_str(&s.got), STR("/last")));
		/* Of what comes in pieces, the next may be here by itself before
		 * the turns that were put off. */
		CHECK(step > 0 || !s.was_greedy,
		    "others have their turn in between");
		done(&s);
	}
}

TEST(bodies_are_read_before_the_request_is_shown)
{
	struct stage s = { .body_max = 10, .step = 3 };

	run(&s,
	    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Expect: 100-continue\r\n\r\nhello"
	    "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" GET("/c"));
	CHECK(str_eq(buf_str(&s.seen), STR("/a:hello|/b:abcde|/c:|")), "seen");
	assert_int_equal(count(&s, "HTTP/1.1 100 Continue\r\n\r\n"), 1);
	assert_int_equal(count(&s, "HTTP/1.1 200 OK\r\n"), 3);
	done(&s);
}

TEST(a_body_over_the_limit_is_refused)
{
	static const char *const says[] = {
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"
		"01234567890",
		"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		"\r\n6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		struct stage s = { .body_max = 10 };

		run(&s, says[i]);
		CHECK(s.seen.n == 0, "not shown");
		assert_int_equal(count(&s, "HTTP/1.1 413 "), 1);
		assert_int_equal(count(&s, "Connection: close\r\n"), 1);
		done(&s);
	}
}

TEST(what_is_malformed_is_refused_and_ends)
{
	static const struct {
		const char *say, *want;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n" GET("/x"), "HTTP/1.1 400 " },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 " },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		  "\r\nx\r\n",
		    "HTTP/1.1 400 " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stage s = { .body_max = 10 };

		run(&s, cases[i].say);
		CHECK(count(&s, cases[i].want) == 1, cases[i].say);
		CHECK(count(&s, "HTTP/1.1 ") == 1, cases[i].say);
		CHECK(s.seen.n == 0, cases[i].say);
		done(&s);
	}
}

TEST(a_long_head_is_refused)
{
	struct buf say = BUF_INIT(KIB(64));
	struct stage s = { 0 };

	buf_put_c(&say, "GET / HTTP/1.1\r\nHost: a\r\n");
	while (say.n < HTTP_HEAD_MAX)
		buf_put_c(&say, "X-Long: 0123456789\r\n");
	run(&s, buf_c(&say));
	assert_int_equal(count(&s, "HTTP/1.1 431 "), 1);
	buf_done(&say);
	done(&s);
}

TEST(an_answer_to_the_head_ends_the_connection)
{
	struct stage s = { .refuses_in_head = true, .body_max = 100 };

	run(&s, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n");
	assert_int_equal(count(&s, "HTTP/1.1 403 "), 1);
	assert_int_equal(count(&s, "Connection: close"), 1);
	CHECK(s.seen.n == 0, "not shown");
	done(&s);
}

TEST(a_head_request_gets_no_body)
{
	struct stage s = { 0 };

	run(&s, "HEAD /path HTTP/1.1\r\nHost: a\r\n\r\n" GET("/last"));
	assert_int_equal(count(&s, "Content-Length: 5\r\n"), 2);
	assert_int_equal(count(&s, "/path"), 0);
	done(&s);
}

TEST(lent_bodies_go_back)
{
	struct stage s = { .stays_open = true };

	run(&s,
	    GET("/big") "HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n" GET("/last"));
	assert_int_equal(s.released, 2);
	assert_true(s.got.n > BIG);
	done(&s);
}

TEST(old_clients_get_one_answer)
{
	struct stage s = { .stays_open = true };

	run(&s, "GET /one HTTP/1.0\r\n\r\n");
	assert_int_equal(count(&s, "HTTP/1.1 200 OK\r\n"), 1);
	assert_int_equal(count(&s, "Connection: close\r\n"), 1);
	done(&s);
}

TEST(who_dawdles_is_ended)
{
	static const struct {
		const char *say;
		struct http_times times;
		const char *want;
	} cases[] = {
		{ "", { .head = 50 }, "" },
		{ "GET / HT", { .head = 50 }, "HTTP/1.1 408 " },
		{ GET("/a"), { .idle = 50 }, "HTTP/1.1 200 " },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
		    { .body = 50 }, "HTTP/1.1 408 " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stage s = { .stays_open = true,
			.times = cases[i].times,
			.body_max = 100 };

		run(&s, cases[i].say);
		CHECK(str_starts(buf_str(&s.got), str_c(cases[i].want)),
		    cases[i].say);
		done(&s);
	}
}

/* Both of its times are over when the loop gets to it: silence comes first, and
 * there is nobody to hear 408 any more. */
TEST(who_is_silent_as_its_time_ends_is_ended_once)
{
	struct stage s = { .stays_open = true,
		.stall_ms = 200,
		.times = { .write = 20, .body = 40 },
		.body_max = 100 };

	run(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
	assert_int_equal(s.heads, 1);
	assert_int_equal(s.got.n, 0);
	assert_int_equal(s.seen.n, 0);
	done(&s);
}

/* An answer is due when an earlier one has not been taken in time. */
TEST(an_answer_to_who_was_just_given_up_is_dropped)
{
	struct stage s = { .stays_open = true,
		.takes_nothing = true,
		.answers_later = true,
		.later_ms = 340,
		.stall_ms = 500,
		.times = { .write = 300, .rate = MIB(30) } };

	run(&s, GET("/some") GET("/one"));
	assert_int_equal(count(&s, "X-Own: 1"), 1);
	done(&s);
}

/* It reads all the time, so no pause is too long. */
TEST(who_takes_an_answer_too_slowly_is_ended)
{
	struct stage s = { .stays_open = true,
		.nap_us = 1000,
		.times = { .write = 200, .rate = MIB(30) } };

	run(&s, GET("/big"));
	CHECK(s.got.n > KIB(4), "it took some");
	CHECK(s.got.n < BIG, "but not all");
	assert_int_equal(s.released, 1);
	done(&s);
}

TEST(who_waits_for_an_answer_is_not)
{
	struct stage s = { .stays_open = true,
		.answers_later = true,
		.times = { .write = 1, .rate = MIB(30) } };

	/* Each is answered five milliseconds later. */
	run(&s, GET("/one") GET("/two") GET("/last"));
	assert_int_equal(count(&s, "HTTP/1.1 200 "), 3);
	done(&s);
}

/* The client has gone before the answer is there. */
TEST(a_client_that_goes_is_told_of)
{
	struct stage s = { .is_silent = true };

	run(&s, GET("/one"));
	CHECK(str_eq(buf_str(&s.seen), STR("/one:|")), "seen");
	assert_int_equal(s.got.n, 0);
	done(&s);
}

TEST_MAIN(UNIT(requests_are_answered_in_order),
    UNIT(who_takes_an_answer_too_slowly_is_ended),
    UNIT(who_waits_for_an_answer_is_not),
    UNIT(bodies_are_read_before_the_request_is_shown),
    UNIT(a_body_over_the_limit_is_refused),
    UNIT(what_is_malformed_is_refused_and_ends), UNIT(a_long_head_is_refused),
    UNIT(an_answer_to_the_head_ends_the_connection),
    UNIT(a_head_request_gets_no_body), UNIT(lent_bodies_go_back),
    UNIT(old_clients_get_one_answer), UNIT(who_dawdles_is_ended),
    UNIT(who_is_silent_as_its_time_ends_is_ended_once),
    UNIT(an_answer_to_who_was_just_given_up_is_dropped),
    UNIT(a_client_that_goes_is_told_of))
