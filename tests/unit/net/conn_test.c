/* SPDX-License-Identifier: ISC */
/* conn_test.c - connections without TLS: replies, limits, time, ends. */
#include "conn_kit.h"

/* --- plain ------------------------------------------------------------------- */

static void *
client_quit(void *arg)
{
	client_say(arg, "NOOP\r\nQUIT\r\n");
	client_read_all(arg);
	return NULL;
}

TEST(replies_are_sent_before_the_connection_ends)
{
	struct server s = { 0 };

	server_init(&s, false);
	CHECK(strcmp(conn_peer_ip(s.conn), "unix") == 0, "peer");
	server_run(&s, client_quit);
	CHECK(str_eq(buf_str(&s.got), STR("250 ok\r\n221 bye\r\n")), "got");
	CHECK(s.how == CONN_END_LOCAL, "how");
	server_done(&s);
}

/* A session that goes on from the loop writes a round later: the client's
 * end may be there before. */
TEST(an_end_does_not_overtake_the_last_reply)
{
	struct server s = { .pause_at_line = true, .ends_at_quit = true };

	server_init(&s, false);
	server_run(&s, client_quit);
	CHECK(str_eq(buf_str(&s.got), STR("250 ok\r\n221 bye\r\n")), "got");
	CHECK(s.how == CONN_END_LOCAL, "how");
	server_done(&s);
}

static void *
client_half_close(void *arg)
{
	struct server *s = arg;

	client_say(s, "ONE\r\nTWO\r\nhalf a li");
	shutdown(s->fd, SHUT_WR);
	client_read_all(s);
	return NULL;
}

TEST(a_half_closed_client_gets_its_replies)
{
	struct server s = { 0 };

	server_init(&s, false);
	server_run(&s, client_half_close);
	CHECK(str_eq(buf_str(&s.seen), STR("ONE|TWO|")), "seen");
	CHECK(str_eq(buf_str(&s.got), STR("250 ok\r\n250 ok\r\n")), "got");
	CHECK(s.how == CONN_END_EOF, "how");
	server_done(&s);
}

TEST(a_paused_session_sees_the_rest_and_the_end_when_it_resumes)
{
	struct server s = { .pause_at_line = true };

	server_init(&s, false);
	server_run(&s, client_half_close);
	CHECK(str_eq(buf_str(&s.seen), STR("ONE|TWO|")), "seen");
	CHECK(s.data_calls == 3, "one line a call, then the rest");
	CHECK(s.how == CONN_END_EOF, "how");
	server_done(&s);
}

static void *
client_flood(void *arg)
{
	static const char junk[KIB(64)];
	struct server *s = arg;
	struct timeval limit = { .tv_usec = 100000 };

	setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	for (int i = 0; i < 64; i++) {
		if (write(s->fd, junk, sizeof(junk)) < 0)
			break;
	}
	shutdown(s->fd, SHUT_RDWR);
	return NULL;
}

TEST(input_held_stays_below_its_limit)
{
	struct server s = { .hold = true };

	server_init(&s, false);
	conn_set_timeout(s.conn, 200);
	server_run(&s, client_flood);
	CHECK(s.in_most > 0 && s.in_most <= KIB(16), "in_max");
	server_done(&s);
}

static void *
client_reads_late(void *arg)
{
	struct server *s = arg;

	client_say(s, "BIG\r\n");
	usleep(50000);
	client_say(s, "NOOP\r\n");
	client_read_all(s);
	return NULL;
}

TEST(a_client_that_does_not_read_stops_being_heard)
{
	struct server s = { 0 };

	server_init(&s, false);
	server_run(&s, client_reads_late);
	CHECK(s.got.n == BIG, "all came");
	CHECK(s.drained > 1, "in portions");
	CHECK(s.data_while_full == 0, "data() only while there is room");
	server_done(&s);
}

/* --- time ---------------------------------------------------------------------- */

static void *
client_silent(void *arg)
{
	client_read_all(arg);
	return NULL;
}

TEST(a_silent_client_is_told_and_cut_off)
{
	struct server s = { .close_in_timeout = true };

	server_init(&s, false);
	conn_set_timeout(s.conn, 30);
	server_run(&s, client_silent);
	CHECK(s.timeouts == 1, "once");
	CHECK(s.how == CONN_END_TIMEOUT, "how");
	CHECK(str_eq(buf_str(&s.got), STR("421 slow\r\n")), "good-bye");
	server_done(&s);
}

static void *
client_drips(void *arg)
{
	struct server *s = arg;

	for (int i = 0; i < 10; i++) {
		client_say(s, "x");
		usleep(15000);
	}
	client_say(s, "\r\nQUIT\r\n");
	client_read_all(s);
	return NULL;
}

TEST(any_byte_moves_the_idle_timeout)
{
	struct server s = { .close_in_timeout = true };

	server_init(&s, false);
	conn_set_timeout(s.conn, 100);
	server_run(&s, client_drips);
	CHECK(s.timeouts == 0, "150 ms of drips");
	CHECK(s.how == CONN_END_LOCAL, "how");
	server_done(&s);
}

TEST(a_busy_session_does_not_time_out)
{
	struct server s = { .pause_at_line = true };

	server_init(&s, false);
	/* Shorter than the pause of 30 ms after each line. */
	conn_set_timeout(s.conn, 10);
	server_run(&s, client_quit);
	CHECK(str_eq(buf_str(&s.seen), STR("NOOP|QUIT|")) || s.timeouts == 0,
	    "not while paused");
	server_done(&s);
}

static void *
client_never_reads(void *arg)
{
	struct server *s = arg;

	client_say(s, "BIG\r\n");
	usleep(150000);
	return NULL;
}

TEST(a_client_that_never_reads_times_out)
{
	struct server s = { 0 };

	server_init(&s, false);
	conn_set_timeout(s.conn, 40);
	server_run(&s, client_never_reads);
	CHECK(s.timeouts == 1, "no byte moved");
	CHECK(s.how == CONN_END_TIMEOUT, "how");
	server_done(&s);
}

/* When the connection has ended, or, with time left, when it should not have. */
static void *
client_reads_later(void *arg)
{
	struct server *s = arg;

	client_say(s, "LAST\r\n");
	for (int i = 0; s->last_ms < 1000 || i < 10; i++) {
		if (__atomic_load_n(&s->is_closed, __ATOMIC_ACQUIRE))
			break;
		usleep(10000);
	}
	client_read_all(s);
	return NULL;
}

TEST(the_last_output_has_the_time_that_it_is_given)
{
	static const struct {
		uint64_t ms;
		bool is_all;
	} cases[] = { { 10, false }, { 20000, true } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct server s = { .last_ms = cases[i].ms };

		server_init(&s, false);
		server_run(&s, client_reads_later);
		CHECK((s.got.n == BIG) == cases[i].is_all, "as much");
		CHECK(s.how == CONN_END_LOCAL, "how");
		server_done(&s);
	}
}

/* --- abort inside handlers --------------------------------------------------------- */

TEST(abort_inside_data_is_the_last_word)
{
	struct server s = { .abort_in_data = true };

	server_init(&s, false);
	server_run(&s, client_quit);
	CHECK(s.data_calls == 1, "once");
	CHECK(s.got.n == 0, "nothing is sent");
	CHECK(s.how == CONN_END_LOCAL, "how");
	server_done(&s);
}

TEST(abort_inside_timeout_says_timeout)
{
	struct server s = { 0 };

	server_init(&s, false);
	conn_set_timeout(s.conn, 20);
	server_run(&s, client_silent);
	CHECK(s.how == CONN_END_TIMEOUT, "how");
	server_done(&s);
}

TEST(abort_inside_drained_ends_it)
{
	struct server s = { .abort_in_drained = true };

	server_init(&s, false);
	server_run(&s, client_reads_late);
	CHECK(s.drained == 1, "once");
	CHECK(s.got.n < BIG, "not all came");
	server_done(&s);
}

static void *
client_ref(void *arg)
{
	client_say(arg, "REF\r\nREF\r\nQUIT\r\n");
	client_read_all(arg);
	return NULL;
}

TEST(lent_memory_goes_back_once)
{
	struct server s = { 0 };

	server_init(&s, false);
	server_run(&s, client_ref);
	CHECK(s.released == 2, "when written");
	CHECK(str_starts(buf_str(&s.got), STR("lent\r\nlent\r\n")), "sent");
	server_done(&s);

	s = (struct server){ 0 };
	server_init(&s, false);
	conn_put_ref(s.conn, STR("never sent"), release, &s);
	conn_abort(s.conn);
	conn_put_ref(s.conn, STR("nor this"), release, &s);
	server_run(&s, client_silent);
	CHECK(s.released == 2, "when the connection is gone");
	server_done(&s);
}

TEST_MAIN(UNIT(replies_are_sent_before_the_connection_ends),
    UNIT(an_end_does_not_overtake_the_last_reply),
    UNIT(a_half_closed_client_gets_its_replies),
    UNIT(a_paused_session_sees_the_rest_and_the_end_when_it_resumes),
    UNIT(input_held_stays_below_its_limit),
    UNIT(a_client_that_does_not_read_stops_being_heard),
    UNIT(a_silent_client_is_told_and_cut_off),
    UNIT(any_byte_moves_the_idle_timeout),
    UNIT(a_busy_session_does_not_time_out),
    UNIT(a_client_that_never_reads_times_out),
    UNIT(the_last_output_has_the_time_that_it_is_given),
    UNIT(abort_inside_data_is_the_last_word),
    UNIT(abort_inside_timeout_says_timeout), UNIT(abort_inside_drained_ends_it),
    UNIT(lent_memory_goes_back_once))
