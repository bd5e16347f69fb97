/* SPDX-License-Identifier: ISC */
/*
 * conn_kit.h - connections over socket pairs; a thread plays the client.
 *
 * The server side of each test is a line protocol of a few words, so that
 * what arrived, and in which order, can be checked afterwards.
 */
#pragma once

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

static UNUSED void
release(void *arg)
{
	struct server *s = arg;

	CHECK(!s->is_closed, "lent memory goes back before closed()");
	s->released++;
}

static UNUSED void
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

static UNUSED void
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

static UNUSED void
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

static UNUSED void
on_timer(void *arg)
{
	struct server *s = arg;

	if (!s->is_closed)
		conn_resume(s->conn);
}

static UNUSED void
on_drained(void *arg)
{
	struct server *s = arg;

	s->drained++;
	if (s->abort_in_drained)
		conn_abort(s->conn);
	else
		send_more(s);
}

static UNUSED void
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

static UNUSED void
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

static UNUSED void
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

static UNUSED void
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

static UNUSED void
stop(void *arg)
{
	loop_stop(arg);
}

/* Run the server in this thread and the client in another. */
static UNUSED void
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

static UNUSED void
server_done(struct server *s)
{
	buf_done(&s->seen);
	buf_done(&s->got);
	for (int i = 0; i < 3; i++) {
		buf_done(&s->binding[i]);
		buf_done(&s->client_binding[i]);
	}
}

static UNUSED void
client_say(struct server *s, const char *text)
{
	if (write(s->fd, text, strlen(text)) < 0 && errno != EPIPE)
		die("client: write");
}

static UNUSED void
client_read_all(struct server *s)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(s->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&s->got, chunk, (size_t)n);
	shutdown(s->fd, SHUT_RDWR);
}

static UNUSED bool
client_read_line(struct server *s)
{
	char c = 0;

	while (c != '\n' && read(s->fd, &c, 1) == 1)
		buf_put(&s->got, &c, 1);
	return c == '\n';
}
