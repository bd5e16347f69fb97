/* SPDX-License-Identifier: ISC */
/*
 * conn_test.c - connections over socket pairs; a thread plays the client.
 *
 * The server side of each test is a line protocol of a few words, so that
 * what arrived, and in which order, can be checked afterwards.
 */
#include "../test.h"
#include "net_testlib.h"

#define BIG MIB(4)

struct server {
	struct loop *loop;
	struct conn *conn;
	struct tls_context *tls;
	struct loop_timer *timer;
	struct buf seen; /* lines, each with a '|' behind it */
	struct buf binding[3];
	size_t in_most; /* most input held */
	size_t to_send; /* of BIG bytes */
	uint64_t last_ms;
	size_t data_calls, data_while_full;
	int closed, drained, timeouts, tls_ready, released;
	bool is_closed;
	bool close_in_timeout, abort_in_data, abort_in_tls, abort_in_drained;
	bool hold; /* never consume */
	bool pause_at_line;
	bool ends_at_quit; /* the client ends its side just then */
	enum conn_end how;
	struct conn_path path;
	char detail[80];
	/* the client */
	int fd;
	int version;
	struct buf got;
	struct buf client_binding[3];
};

static const char *const binding_types[3] = { "tls-exporter", "tls-unique",
	"tls-server-end-point" };

static void
release(void *arg)
{
	struct server *s = arg;

	CHECK(!s->is_closed, "lent memory goes back before closed()");
	s->released++;
}

static void
send_more(struct server *s)
{
	static const char block[KIB(8)];

	while (s->to_send > 0 && !conn_is_full(s->conn)) {
		conn_put(s->conn, str_make(block, sizeof(block)));
		s->to_send -= sizeof(block);
	}
	if (s->to_send == 0)
		conn_close(s->conn);
}

static void
on_line(struct server *s, struct str line)
{
	buf_put_str(&s->seen, line);
	buf_put_char(&s->seen, '|');
	if (str_eq(line, STR("STARTTLS"))) {
		conn_put(s->conn, STR("220 go\r\n"));
		conn_start_tls(s->conn, s->tls);
	} else if (str_eq(line, STR("QUIT"))) {
		if (s->ends_at_quit)
			shutdown(s->fd, SHUT_WR);
		conn_put(s->conn, STR("221 bye\r\n"));
		conn_close(s->conn);
	} else if (str_eq(line, STR("BIG"))) {
		s->to_send = BIG;
		send_more(s);
	} else if (str_eq(line, STR("LAST"))) {
		static const char last[BIG];

		conn_put(s->conn, str_make(last, sizeof(last)));
		conn_close_within(s->conn, s->last_ms);
	} else if (str_eq(line, STR("REF"))) {
		conn_put_ref(s->conn, STR("lent\r\n"), release, s);
	} else {
		conn_put(s->conn, STR("250 ok\r\n"));
	}
}

static void
on_data(void *arg)
{
	struct server *s = arg;
	ptrdiff_t end;

	CHECK(!s->is_closed, "no data behind closed()");
	s->data_calls++;
	if (conn_is_full(s->conn))
		s->data_while_full++;
	s->in_most = MAX(s->in_most, conn_in(s->conn).n);
	if (s->abort_in_data) {
		conn_abort(s->conn);
		conn_put(s->conn, STR("too late"));
		return;
	}
	if (s->hold)
		return;
	while ((end = str_search(conn_in(s->conn), STR("\r\n"))) >= 0) {
		size_t n = (size_t)end;

		on_line(s, str_first(conn_in(s->conn), n));
		conn_consume(s->conn, n + 2);
		if (s->pause_at_line) {
			conn_pause(s->conn);
			loop_timer_set(s->timer, 30);
			return;
		}
	}
}

static void
on_timer(void *arg)
{
	struct server *s = arg;

	if (!s->is_closed)
		conn_resume(s->conn);
}

static void
on_drained(void *arg)
{
	struct server *s = arg;

	s->drained++;
	if (s->abort_in_drained)
		conn_abort(s->conn);
	else
		send_more(s);
}

static void
on_tls_ready(void *arg)
{
	struct server *s = arg;

	s->tls_ready++;
	for (int i = 0; i < 3; i++) {
		if (!conn_tls_binding(
			s->conn, binding_types[i], &s->binding[i]))
			buf_done(&s->binding[i]);
	}
	if (s->abort_in_tls)
		conn_abort(s->conn);
}

static void
on_timeout(void *arg)
{
	struct server *s = arg;

	s->timeouts++;
	conn_put(s->conn, STR("421 slow\r\n"));
	if (s->close_in_timeout)
		conn_close(s->conn);
	else
		conn_abort(s->conn);
}

static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct server *s = arg;

	s->closed++;
	__atomic_store_n(&s->is_closed, true, __ATOMIC_RELEASE);
	s->how = how;
	s->path = conn_path(s->conn);
	snprintf(s->detail, sizeof(s->detail), "%s", detail);
	loop_stop(s->loop);
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
server_init(struct server *s, bool is_implicit_tls)
{
	struct conn_config config = {
		.in_max = KIB(16),
		.out_high = KIB(64),
		.out_low = KIB(16),
		.handlers = &handlers,
		.arg = s,
	};
	int fds[2];

	make_pair(fds);
	s->fd = fds[1];
	s->tls = make_context();
	s->loop = loop_new();
	s->timer = loop_timer_new(s->loop, on_timer, s);
	s->seen = s->got = BUF_INIT(2 * BIG);
	for (int i = 0; i < 3; i++)
		s->binding[i] = s->client_binding[i] = BUF_INIT(64);
	config.loop = s->loop;
	config.fd = fds[0];
	config.tls = is_implicit_tls ? s->tls : NULL;
	s->conn = conn_new(&config);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* Run the server in this thread and the client in another. */
static void
server_run(struct server *s, void *(*client)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, client, s) != 0)
		die("pthread_create");
	loop_run(s->loop);
	/* One more round closes the descriptor and frees the connection. */
	loop_defer(s->loop, stop, s->loop);
	loop_run(s->loop);
	pthread_join(thread, NULL);
	close(s->fd);
	loop_timer_free(s->timer);
	loop_free(s->loop);
	CHECK(tls_context_unref(s->tls) == NULL, "gone");
	CHECK(s->closed == 1, "closed() is called once");
}

static void
server_done(struct server *s)
{
	buf_done(&s->seen);
	buf_done(&s->got);
	for (int i = 0; i < 3; i++) {
		buf_done(&s->binding[i]);
		buf_done(&s->client_binding[i]);
	}
}

static void
client_say(struct server *s, const char *text)
{
	if (write(s->fd, text, strlen(text)) < 0 && errno != EPIPE)
		die("client: write");
}

static void
client_read_all(struct server *s)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(s->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&s->got, chunk, (size_t)n);
	shutdown(s->fd, SHUT_RDWR);
}

static bool
client_read_line(struct server *s)
{
	char c = 0;

	while (c != '\n' && read(s->fd, &c, 1) == 1)
		buf_put(&s->got, &c, 1);
	return c == '\n';
}

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

/* --- TLS --------------------------------------------------------------------------- */

static bool
client_export(SSL *ssl, struct buf *ret)
{
	unsigned char out[32];

	if (SSL_export_keying_material(ssl, out, sizeof(out),
		"EXPORTER-Channel-Binding", 24, NULL, 0, 1) != 1)
		return false;
	buf_put(ret, out, sizeof(out));
	return true;
}

static void
client_bindings(struct server *s, SSL *ssl)
{
	unsigned char out[64];
	unsigned md_len = 0;
	X509 *cert = SSL_get1_peer_certificate(ssl);

	client_export(ssl, &s->client_binding[0]);
	if (SSL_version(ssl) == TLS1_2_VERSION)
		buf_put(&s->client_binding[1], out,
		    SSL_get_finished(ssl, out, sizeof(out)));
	X509_digest(cert, EVP_sha256(), out, &md_len);
	buf_put(&s->client_binding[2], out, md_len);
	X509_free(cert);
}

static void
client_tls_dialogue(struct server *s)
{
	SSL *ssl = client_handshake(s->fd, s->version);
	char chunk[512];
	int n;

	if (ssl == NULL)
		return;
	client_bindings(s, ssl);
	SSL_write(ssl, "INNER\r\nQUIT\r\n", 13);
	while ((n = SSL_read(ssl, chunk, sizeof(chunk))) > 0)
		buf_put(&s->got, chunk, (size_t)n);
	if (SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN)
		buf_put_c(&s->got, "close_notify");
	SSL_free(ssl);
}

static void *
client_tls(void *arg)
{
	client_tls_dialogue(arg);
	return NULL;
}

static void *
client_starttls_injection(void *arg)
{
	client_say(arg, "STARTTLS\r\nINJECTED\r\nMORE\r\n");
	client_read_line(arg);
	client_tls_dialogue(arg);
	return NULL;
}

static void
check_bindings(struct server *s)
{
	for (int i = 0; i < 3; i++)
		CHECK(str_eq(buf_str(&s->binding[i]),
			  buf_str(&s->client_binding[i])),
		    binding_types[i]);
	CHECK(s->binding[0].n == 32, "exporter");
	CHECK(s->binding[2].n == 32, "end point");
}

TEST(both_sides_see_the_same_channel_bindings)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct server s = { .version = versions[i] };

		server_init(&s, true);
		server_run(&s, client_tls);
		CHECK(s.tls_ready == 1, "ready");
		CHECK(s.path.tls_version == versions[i], "its version");
		CHECK(s.path.own_alert == 0 && s.path.alert == 0, "no alert");
		CHECK(str_eq(buf_str(&s.seen), STR("INNER|QUIT|")), "seen");
		CHECK(str_eq(buf_str(&s.got),
			  STR("250 ok\r\n221 bye\r\nclose_notify")),
		    "got");
		check_bindings(&s);
		CHECK((s.binding[1].n > 0) == (i == 0), "unique: 1.2 only");
		server_done(&s);
	}
}

TEST(plaintext_behind_starttls_is_dropped)
{
	struct server s = { .version = TLS1_3_VERSION };

	server_init(&s, false);
	server_run(&s, client_starttls_injection);
	CHECK(str_eq(buf_str(&s.seen), STR("STARTTLS|INNER|QUIT|")), "seen");
	CHECK(str_eq(buf_str(&s.got),
		  STR("220 go\r\n250 ok\r\n221 bye\r\nclose_notify")),
	    "got");
	server_done(&s);
}

TEST(old_versions_are_refused)
{
	struct server s = { .version = TLS1_1_VERSION };

	server_init(&s, true);
	server_run(&s, client_tls);
	CHECK(s.tls_ready == 0 && s.how == CONN_END_TLS, "refused");
	CHECK(s.detail[0] != '\0', "says why");
	CHECK(s.path.own_alert == 70 && s.path.alert == 0, "protocol_version");
	CHECK(s.path.tls_version == TLS1_1_VERSION, "what it asked for");
	server_done(&s);
}

static void *
client_plain_on_tls(void *arg)
{
	client_say(arg, "EHLO there, this is no handshake\r\n");
	client_read_all(arg);
	return NULL;
}

TEST(plaintext_on_a_tls_port_ends_it)
{
	struct server s = { 0 };

	server_init(&s, true);
	server_run(&s, client_plain_on_tls);
	CHECK(s.how == CONN_END_TLS && s.data_calls == 0, "no data");
	CHECK(s.path.tls_version == 0, "that is no version");
	server_done(&s);
}

static void *
client_half_handshake(void *arg)
{
	/* A record header that promises more than ever comes. */
	client_say(arg, "\x16\x03\x01\x02\x01\x01");
	client_read_all(arg);
	return NULL;
}

TEST(half_a_handshake_times_out)
{
	struct server s = { .close_in_timeout = true };

	server_init(&s, true);
	conn_set_timeout(s.conn, 50);
	server_run(&s, client_half_handshake);
	CHECK(s.timeouts == 1 && s.how == CONN_END_TIMEOUT, "how");
	server_done(&s);
}

/* True: the connection is still there. */
static bool
client_changes_keys(SSL *ssl)
{
	return SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1;
}

static void *
client_changes_keys_on_and_on(void *arg)
{
	struct server *s = arg;
	SSL *ssl = client_handshake(s->fd, s->version);
	char chunk[512];
	int n, i = 0;

	if (ssl == NULL)
		return NULL;
	/* As long as there is data as well, as often as it likes. */
	for (int k = 0; k < 300; k++) {
		if (!client_changes_keys(ssl) ||
		    SSL_write(ssl, "NOOP\r\n", 6) != 6 ||
		    (n = SSL_read(ssl, chunk, sizeof(chunk))) <= 0)
			break;
		buf_put(&s->got, chunk, (size_t)n);
	}
	while (i < 5000 && client_changes_keys(ssl))
		i++;
	(void)SSL_write(ssl, "QUIT\r\n", 6);
	while (SSL_read(ssl, chunk, sizeof(chunk)) > 0)
		;
	SSL_free(ssl);
	shutdown(s->fd, SHUT_RDWR);
	return NULL;
}

TEST(who_changes_keys_on_and_on_is_sent_away)
{
	struct server s = { .version = TLS1_3_VERSION };

	server_init(&s, true);
	server_run(&s, client_changes_keys_on_and_on);
	CHECK(s.got.n == 300 * strlen("250 ok\r\n"), "what it said in between");
	CHECK(s.how == CONN_END_TLS, "not by QUIT");
	CHECK(str_search(str_c(s.detail), STR("without data")) >= 0, "why");
	server_done(&s);
}

TEST(abort_inside_tls_ready_ends_it)
{
	struct server s = { .abort_in_tls = true, .version = TLS1_3_VERSION };

	server_init(&s, true);
	server_run(&s, client_tls);
	CHECK(s.data_calls == 0 && s.how == CONN_END_LOCAL, "no data");
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
    UNIT(the_last_output_has_the_time_that_it_is_given),
    UNIT(a_client_that_never_reads_times_out),
    UNIT(abort_inside_data_is_the_last_word),
    UNIT(abort_inside_timeout_says_timeout), UNIT(abort_inside_drained_ends_it),
    UNIT(lent_memory_goes_back_once),
    UNIT(both_sides_see_the_same_channel_bindings),
    UNIT(plaintext_behind_starttls_is_dropped), UNIT(old_versions_are_refused),
    UNIT(plaintext_on_a_tls_port_ends_it), UNIT(half_a_handshake_times_out),
    UNIT(who_changes_keys_on_and_on_is_sent_away),
    UNIT(abort_inside_tls_ready_ends_it))
