/* SPDX-License-Identifier: ISC */
/*
 * conn_memory_test.c - what an idle connection costs the server's heap.
 *
 * The clients live in another process, so that only the server's half of
 * each connection is counted. The limits leave room for a session object.
 */
#include "../test.h"
#include "net_testlib.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define CONNECTIONS 400
#define PLAIN_MAX   KIB(4)
#define TLS_MAX     KIB(32)

struct state {
	struct loop *loop;
	struct conn *conns[CONNECTIONS];
	int fds[CONNECTIONS][2];
	int ready, closed;
};

struct client {
	struct state *s;
	int n;
};

static void
on_data(void *arg)
{
	struct client *c = arg;
	struct conn *conn = c->s->conns[c->n];

	conn_consume(conn, conn_in(conn).n);
	conn_put(conn, STR("250 mx.demo.example at your service\r\n"));
	if (++c->s->ready == CONNECTIONS)
		loop_stop(c->s->loop);
}

static void
on_closed(void *arg, UNUSED enum conn_end how, UNUSED const char *detail)
{
	struct client *c = arg;

	if (++c->s->closed == CONNECTIONS)
		loop_stop(c->s->loop);
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.closed = on_closed,
};

/* Say hello on every connection, wait for each answer, then for the end. */
static void
play_clients(struct state *s, bool is_tls, int until)
{
	SSL **ssl = x_calloc(CONNECTIONS, sizeof(SSL *));
	char answer[128];

	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = s->fds[i][1];

		if (is_tls) {
			ssl[i] = client_handshake(fd, TLS1_3_VERSION);
			SSL_write(ssl[i], "EHLO x\r\n", 8);
			SSL_read(ssl[i], answer, sizeof(answer));
		} else if (write(fd, "EHLO x\r\n", 8) == 8) {
			(void)!read(fd, answer, sizeof(answer));
		}
	}
	(void)!read(until, answer, 1);
	_exit(0);
}

static size_t
heap_in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void
settle(void *arg)
{
	loop_stop(arg);
}

static size_t
cost_of_one(bool is_tls)
{
	struct state *s = X_NEW(struct state);
	struct client *clients = x_calloc(CONNECTIONS, sizeof(*clients));
	struct tls_context *tls = make_context();
	struct loop_timer *timer;
	size_t before, after;
	int until[2];
	pid_t pid;

	s->loop = loop_new();
	timer = loop_timer_new(s->loop, settle, s->loop);
	CHECK(pipe2(until, O_CLOEXEC) == 0, "pipe");
	for (int i = 0; i < CONNECTIONS; i++)
		make_pair(s->fds[i]);
	pid = fork();
	if (pid == 0) {
		close(until[1]);
		play_clients(s, is_tls, until[0]);
	}
	before = heap_in_use();
	for (int i = 0; i < CONNECTIONS; i++) {
		struct conn_config config = {
			.loop = s->loop,
			.fd = s->fds[i][0],
			.tls = is_tls ? tls : NULL,
			.in_max = KIB(64),
			.out_high = KIB(64),
			.out_low = KIB(16),
			.handlers = &handlers,
			.arg = &clients[i],
		};

		close(s->fds[i][1]);
		clients[i] = (struct client){ s, i };
		s->conns[i] = conn_new(&config);
		conn_set_timeout(s->conns[i], 60000);
	}
	loop_run(s->loop);
	loop_timer_set(timer, 50);
	loop_run(s->loop);
	after = heap_in_use();
	close(until[1]);
	loop_run(s->loop);
	waitpid(pid, NULL, 0);
	CHECK(s->closed == CONNECTIONS, "all ended");
	loop_defer(s->loop, settle, s->loop);
	loop_run(s->loop);
	loop_timer_free(timer);
	loop_free(s->loop);
	CHECK(tls_context_unref(tls) == NULL, "gone");
	close(until[0]);
	free(clients);
	free(s);
	return (after - before) / CONNECTIONS;
}

/* Sanitizers bring their own allocator, which does not count. */
static void
skip_without_heap_figures(void)
{
	void *p = x_malloc(1);
	bool has_figures = heap_in_use() > 0;

	free(p);
	if (!has_figures)
		skip();
}

TEST(an_idle_plain_connection_is_small)
{
	skip_without_heap_figures();

	size_t n = cost_of_one(false);

	print_message("plain: %zu bytes for each connection\n", n);
	CHECK(n < PLAIN_MAX, "plain");
}

TEST(an_idle_tls_connection_is_small)
{
	skip_without_heap_figures();

	size_t n = cost_of_one(true);

	print_message("TLS: %zu bytes for each connection\n", n);
	CHECK(n < TLS_MAX, "TLS");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(an_idle_plain_connection_is_small),
		UNIT(an_idle_tls_connection_is_small),
	};
	struct rlimit files = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &files);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
