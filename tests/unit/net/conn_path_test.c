/* SPDX-License-Identifier: ISC */
/*
 * conn_path_test.c - what the kernel knows of a connection at its end. Packets are lost
 * by a filter on the client's socket, as a hole in the network would lose them.
 */
#include "../test.h"
#include "net_testlib.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

struct server {
	struct loop *loop;
	struct conn *conn;
	struct loop_timer *timer;
	int fds[2];   /* a copy of the server's, for looking; the client's */
	bool is_lost; /* wait for that, else for an acknowledgement */
	enum { CLOSES, SAYS_SO, IS_RESET } ending;
	enum conn_end how;
	struct conn_path path;
};

static void
make_tcp_pair(int ret[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ret[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || ret[1] < 0 ||
	    bind(listener, (void *)&at, sizeof(at)) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (void *)&at, &n) < 0 ||
	    connect(ret[1], (void *)&at, sizeof(at)) < 0)
		die("loopback");
	ret[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (ret[0] < 0)
		die("accept4");
	close(listener);
}

static void
lose_all(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &drop };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		sizeof(program)) < 0)
		die("SO_ATTACH_FILTER");
}

static void
on_timer(void *arg)
{
	struct server *s = arg;
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(s->fds[0], IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		die("TCP_INFO");
	if (s->is_lost ? info.tcpi_retransmits > 0 : info.tcpi_unacked == 0)
		conn_abort(s->conn);
	else
		loop_timer_set(s->timer, 10);
}

static void
on_data(UNUSED void *arg)
{
}

static void
on_closed(void *arg, enum conn_end how, UNUSED const char *detail)
{
	struct server *s = arg;

	s->how = how;
	s->path = conn_path(s->conn);
	loop_stop(s->loop);
}

static const struct conn_handlers handlers = { .data = on_data,
	.closed = on_closed };

static void
stop(void *arg)
{
	loop_stop(arg);
}

static bool
is_unanswered(bool is_lost)
{
	struct server s = { .loop = loop_new(), .is_lost = is_lost };
	struct conn_config config = { .loop = s.loop,
		.in_max = KIB(1),
		.out_high = KIB(64),
		.out_low = KIB(1),
		.wants_path = true,
		.handlers = &handlers,
		.arg = &s };

	make_tcp_pair(s.fds);
	config.fd = dup(s.fds[0]);
	s.conn = conn_new(&config);
	s.timer = loop_timer_new(s.loop, on_timer, &s);
	if (is_lost)
		lose_all(s.fds[1]);
	conn_put(s.conn, STR("* a large answer\r\n"));
	loop_timer_set(s.timer, 10);
	loop_run(s.loop);
	loop_defer(s.loop, stop, s.loop);
	loop_run(s.loop);
	loop_timer_free(s.timer);
	loop_free(s.loop);
	close(s.fds[0]);
	close(s.fds[1]);
	return s.path.is_unanswered;
}

TEST(what_nobody_acknowledges_is_known)
{
	CHECK(is_unanswered(true), "it was repeated");
	CHECK(!is_unanswered(false), "it arrived");
}

/* --- TLS ------------------------------------------------------------------------ */

static void *
client_tls(void *arg)
{
	struct server *s = arg;
	struct linger now = { .l_onoff = 1 };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, s->fds[1]);
	if (SSL_connect(ssl) != 1)
		die("SSL_connect");
	/* Until our last flight was read: a reset would take it away. */
	if (SSL_write(ssl, "x", 1) != 1 || SSL_read(ssl, &now, 1) != 1)
		die("no answer");
	now = (struct linger){ .l_onoff = 1 };
	if (s->ending == SAYS_SO)
		SSL_shutdown(ssl);
	if (s->ending == IS_RESET &&
	    setsockopt(s->fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)) < 0)
		die("SO_LINGER");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(s->fds[1]);
	return NULL;
}

static void
on_byte(void *arg)
{
	struct server *s = arg;

	if (conn_in(s->conn).n == 0)
		return;
	conn_consume(s->conn, 1);
	conn_put(s->conn, STR("y"));
}

static const struct conn_handlers tls_handlers = { .data = on_byte,
	.closed = on_closed };

/* The library tells of a socket that fails as of TLS that fails. */
TEST(a_reset_is_told_from_an_end_behind_tls)
{
	for (int ending = CLOSES; ending <= IS_RESET; ending++) {
		struct server s = { .loop = loop_new(), .ending = ending };
		struct tls_context *tls = make_context();
		struct conn_config config = { .loop = s.loop,
			.tls = tls,
			.in_max = KIB(1),
			.out_high = KIB(64),
			.out_low = KIB(1),
			.wants_path = true,
			.handlers = &tls_handlers,
			.arg = &s };
		pthread_t thread;

		make_tcp_pair(s.fds);
		config.fd = s.fds[0];
		s.conn = conn_new(&config);
		if (pthread_create(&thread, NULL, client_tls, &s) != 0)
			die("pthread_create");
		loop_run(s.loop);
		loop_defer(s.loop, stop, s.loop);
		loop_run(s.loop);
		pthread_join(thread, NULL);
		CHECK(s.path.had_tls, "with TLS");
		CHECK(s.path.is_reset == (ending == IS_RESET), "a reset");
		CHECK(s.how ==
			  (ending == IS_RESET ? CONN_END_RESET : CONN_END_EOF),
		    "how it ended");
		tls_context_unref(tls);
		loop_free(s.loop);
	}
}

TEST_MAIN(UNIT(a_reset_is_told_from_an_end_behind_tls),
    UNIT(what_nobody_acknowledges_is_known))
