/* SPDX-License-Identifier: ISC */
/* ask.c - questions to name servers. See ask.h. */
#include "watch/ask.h"

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
on_readable(void *arg)
{
	struct ask *a = arg;
	struct probe *p = a->p;
	char packet[4096];
	ssize_t n = recv(a->fd, packet, sizeof(packet), 0);
	struct str raw = str_make(packet, n > 0 ? (size_t)n : 0);
	struct dnsmsg m;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		probe_fail(p,
		    errno == ECONNREFUSED ? WATCH_REFUSED : WATCH_UNREACHABLE,
		    "the name server: %s", strerror(errno));
		return;
	}
	switch (dnsmsg_read(raw, buf_str(&a->question), &m)) {
	case DNSMSG_FOREIGN:
		return;
	case DNSMSG_BAD:
		probe_fail(p, WATCH_PROTOCOL, "the answer is no DNS message");
		return;
	case DNSMSG_OK:
		break;
	}
	if (m.is_truncated) {
		probe_fail(
		    p, WATCH_PROTOCOL, "the answer is too long for a packet");
		return;
	}
	loop_timer_clear(a->again);
	a->fn(p, raw, &m);
}

void
ask_start(struct ask *a, struct probe *p, const struct sockaddr_storage *server,
    struct str name, enum dnsmsg_type type, bool wants_recursion, ask_fn fn)
{
	bool is_v6 = server->ss_family == AF_INET6;
	socklen_t n =
	    is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	ask_stop(a);
	a->p = p;
	a->fn = fn;
	buf_init(&a->question, KIB(1));
	if (!dnsmsg_ask(&a->question, (uint16_t)server_random(65536), name,
		type, wants_recursion)) {
		probe_fail(p, WATCH_NAME, "that is no domain name");
		return;
	}
	/* A port of its own for each question: who answers must know both. */
	a->fd = socket(
	    server->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0 ||
	    connect(a->fd, (const struct sockaddr *)server, n) < 0) {
		probe_fail(p, WATCH_UNREACHABLE, "the name server: %s",
		    strerror(errno));
		return;
	}
	a->watch = loop_fd_new(p->sv->loop, a->fd, on_readable, NULL, a);
	loop_fd_want(a->watch, true, false);
	a->again = loop_timer_new(p->sv->loop, send_question, a);
	send_question(a);
}

void
ask_stop(struct ask *a)
{
	if (a->p == NULL)
		return;
	if (a->watch != NULL)
		loop_fd_free(a->watch);
	if (a->again != NULL)
		loop_timer_free(a->again);
	closep(&a->fd);
	buf_done(&a->question);
	*a = (struct ask){ .fd = -1 };
}
