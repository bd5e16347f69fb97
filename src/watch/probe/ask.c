/* SPDX-License-Identifier: ISC */
/* ask.c - questions to name servers. See ask.h. */
#include "watch/probe/ask.h"

#include <unistd.h>

#define AGAIN_MS 1000

static void
send_question(void *arg)
{
	struct ask *a = arg;

	loop_timer_set(a->again, AGAIN_MS);
	/* A lost question is asked again, a refused one is told by recv(). */
	(void)!send(a->fd, a->question.p, a->question.n, 0);
}

static void
close_socket(struct ask *a)
{
	if (a->watch != NULL)
		loop_fd_free(TAKE_PTR(a->watch));
	closep(&a->fd);
	a->fd = -1;
}

static void
fail_by_errno(struct ask *a)
{
	probe_fail(a->p,
	    errno == ECONNREFUSED ? WATCH_REFUSED : WATCH_UNREACHABLE,
	    "the name server: %s", strerror(errno));
}

/* A port of its own for each question: who answers must know both. */
static bool
open_socket(struct ask *a, int type, loop_fn readable, loop_fn writable)
{
	const struct sockaddr *server = (const struct sockaddr *)&a->server;
	bool is_v6 = server->sa_family == AF_INET6;
	socklen_t n =
	    is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	a->fd =
	    socket(server->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0 ||
	    (connect(a->fd, server, n) < 0 && errno != EINPROGRESS)) {
		fail_by_errno(a);
		return false;
	}
	a->watch = loop_fd_new(a->p->sv->loop, a->fd, readable, writable, a);
	return true;
}

static void ask_by_tcp(struct ask *a);

static void
take_answer(struct ask *a, struct str raw)
{
	struct dnsmsg m;

	switch (dnsmsg_read(raw, buf_str(&a->question), &m)) {
	case DNSMSG_FOREIGN:
		/* Over TCP nobody else can answer. */
		if (a->is_tcp)
			probe_fail(a->p, WATCH_PROTOCOL,
			    "the answer is to another question");
		return;
	case DNSMSG_BAD:
		probe_fail(
		    a->p, WATCH_PROTOCOL, "the answer is no DNS message");
		return;
	case DNSMSG_OK:
		break;
	}
	loop_timer_clear(a->again);
	if (!m.is_truncated)
		a->fn(a->p, raw, &m);
	else if (a->is_tcp)
		probe_fail(a->p, WATCH_PROTOCOL,
		    "the answer is cut off, over TCP as well");
	else
		ask_by_tcp(a);
}

static void
on_packet(void *arg)
{
	struct ask *a = arg;
	char packet[4096];
	ssize_t n = recv(a->fd, packet, sizeof(packet), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		fail_by_errno(a);
	else
		take_answer(a, str_make(packet, (size_t)n));
}

/* --- over TCP: two bytes of length before each message (RFC 1035 section 4.2.2) -- */

static void
on_tcp_writable(void *arg)
{
	struct ask *a = arg;
	char out[KIB(1) + 2];
	size_t n = a->question.n + 2;
	ssize_t sent;

	out[0] = (char)(a->question.n >> 8);
	out[1] = (char)a->question.n;
	memcpy(out + 2, a->question.p, a->question.n);
	sent = send(a->fd, out + a->sent, n - a->sent, MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN)
		return;
	if (sent < 0) {
		fail_by_errno(a);
		return;
	}
	a->sent += (size_t)sent;
	loop_fd_want(a->watch, true, a->sent < n);
}

static void
on_tcp_readable(void *arg)
{
	struct ask *a = arg;
	char part[4096];
	ssize_t n = recv(a->fd, part, sizeof(part), 0);
	size_t length;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		fail_by_errno(a);
		return;
	}
	if (n == 0) {
		probe_fail(a->p, WATCH_PROTOCOL,
		    "the name server closes before its answer is whole");
		return;
	}
	buf_put(&a->got, part, (size_t)n);
	if (a->got.n < 2)
		return;
	length = (size_t)(uint8_t)a->got.p[0] << 8 | (uint8_t)a->got.p[1];
	if (a->got.failed || a->got.n > length + 2)
		probe_fail(
		    a->p, WATCH_PROTOCOL, "the answer is longer than it says");
	else if (a->got.n == length + 2)
		take_answer(a, str_from(buf_str(&a->got), 2));
}

static void
ask_by_tcp(struct ask *a)
{
	close_socket(a);
	a->is_tcp = true;
	probe_tell(a->p, '*', STR("too long for a packet: once more by TCP"));
	if (open_socket(a, SOCK_STREAM, on_tcp_readable, on_tcp_writable))
		loop_fd_want(a->watch, true, true);
}

void
ask_start(struct ask *a, struct probe *p, const struct sockaddr_storage *server,
    struct str name, enum dnsmsg_type type, unsigned flags, ask_fn fn)
{
	ask_stop(a);
	a->p = p;
	a->fn = fn;
	a->server = *server;
	buf_init(&a->question, KIB(1));
	buf_init(&a->got, KIB(64) + 2);
	if (!dnsmsg_ask(&a->question, (uint16_t)server_random(65536), name,
		type, flags)) {
		probe_fail(p, WATCH_NAME, "that is no domain name");
		return;
	}
	if (!open_socket(a, SOCK_DGRAM, on_packet, NULL))
		return;
	loop_fd_want(a->watch, true, false);
	a->again = loop_timer_new(p->sv->loop, send_question, a);
	send_question(a);
}

void
ask_stop(struct ask *a)
{
	if (a->p == NULL)
		return;
	close_socket(a);
	if (a->again != NULL)
		loop_timer_free(a->again);
	buf_done(&a->question);
	buf_done(&a->got);
	*a = (struct ask){ .fd = -1 };
}
