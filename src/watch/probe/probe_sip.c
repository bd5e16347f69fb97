/* SPDX-License-Identifier: ISC */
/*
 * probe_sip.c - OPTIONS to a SIP server over UDP, TCP or TLS. Any well-formed
 * reply to our question counts as alive.
 */
#include "watch/probe/probe_internal.h"
#include "proto/sip/sip.h"

#include <arpa/inet.h>
#include <unistd.h>

/* RFC 3261 section 17.1.2.1: timer E, until T2. */
#define T1_MS 500
#define T2_MS 4000

struct state {
	char tag[33];
	struct buf question;
	int fd; /* UDP; 0: none yet */
	struct loop_fd *watch;
	struct loop_timer *again;
	uint32_t pause_ms;
};

static enum status_transport
transport_of(const struct probe *p)
{
	return (enum status_transport)status_check_word(
	    p->check, STATUS_OPT_TRANSPORT, STATUS_UDP);
}

static void
make_question(struct probe *p, int fd, const char *transport)
{
	struct state *s = p->state;
	struct sockaddr_storage own = { 0 };
	socklen_t n = sizeof(own);
	char ip[INET6_ADDRSTRLEN] = "0.0.0.0";
	struct sip_options o = { .host = p->target.host,
		.port = p->target.port,
		.transport = transport };
	const struct sockaddr_in6 *a6 = (const void *)&own;
	const struct sockaddr_in *a4 = (const void *)&own;

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&own, &n) == 0) {
		connect_ip(&own, ip);
		o.own_port = ntohs(
		    own.ss_family == AF_INET6 ? a6->sin6_port : a4->sin_port);
	}
	(void)snprintf(s->tag, sizeof(s->tag), "%08x%08x%08x%08x",
	    server_random(UINT32_MAX), server_random(UINT32_MAX),
	    server_random(UINT32_MAX), server_random(UINT32_MAX));
	o.own = str_c(ip);
	o.tag = str_c(s->tag);
	buf_init(&s->question, KIB(4));
	sip_options_put(&s->question, &o);
}

static void
take_reply(struct probe *p, struct str in)
{
	struct state *s = p->state;
	struct str reason = STR_NONE;
	unsigned code = 0;

	switch (sip_reply_read(in, str_c(s->tag), &code, &reason)) {
	case SIP_MORE:
		if (transport_of(p) == STATUS_UDP)
			probe_fail(p, WATCH_PROTOCOL, "half a SIP reply");
		return;
	case SIP_FOREIGN:
		return;
	case SIP_BAD:
		probe_tell(p, '<', in);
		probe_fail(p, WATCH_PROTOCOL, "the answer is not SIP: %s",
		    probe_cut(in));
		return;
	case SIP_REPLY:
		break;
	}
	probe_tell(p, '<', in);
	probe_mark(p, "reply");
	probe_ok(p, "answers %u %s", code, probe_cut(reason));
}

/* --- UDP ---------------------------------------------------------------------- */

static void
send_question(void *arg)
{
	struct probe *p = arg;
	struct state *s = p->state;

	loop_timer_set(s->again, s->pause_ms);
	s->pause_ms = MIN(s->pause_ms * 2, T2_MS);
	(void)!send(s->fd, s->question.p, s->question.n, 0);
}

static void
on_readable(void *arg)
{
	struct probe *p = arg;
	struct state *s = p->state;
	char packet[KIB(8)];
	ssize_t n = recv(s->fd, packet, sizeof(packet), 0);

	if (n >= 0)
		take_reply(p, str_make(packet, (size_t)n));
	else if (errno != EAGAIN)
		probe_fail(p,
		    errno == ECONNREFUSED ? WATCH_REFUSED : WATCH_UNREACHABLE,
		    "%s", strerror(errno));
}

static void
found(struct probe *p)
{
	const struct sockaddr_storage *to = &p->addrs.v[0];
	struct state *s = p->state;
	socklen_t n = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
	                                        : sizeof(struct sockaddr_in);

	s->fd =
	    socket(to->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)to, n) < 0) {
		probe_fail(p, WATCH_UNREACHABLE, "%s", strerror(errno));
		return;
	}
	make_question(p, s->fd, "UDP");
	probe_tell(p, '>', buf_str(&s->question));
	p->began_us = server_now_us();
	s->pause_ms = T1_MS;
	s->watch = loop_fd_new(p->sv->loop, s->fd, on_readable, NULL, p);
	loop_fd_want(s->watch, true, false);
	s->again = loop_timer_new(p->sv->loop, send_question, p);
	send_question(p);
}

/* --- TCP and TLS ------------------------------------------------------------------ */

static void
opened(struct probe *p)
{
	struct state *s = p->state;

	make_question(
	    p, -1, transport_of(p) == STATUS_OVER_TLS ? "TLS" : "TCP");
	probe_send(p, buf_str(&s->question));
}

static void
secured(struct probe *p)
{
	if (probe_judge_certificate(p))
		opened(p);
}

static void
data(struct probe *p)
{
	take_reply(p, probe_in(p));
}

static void
start(struct probe *p)
{
	struct state *s = p->state;

	s->fd = -1;
	if (transport_of(p) == STATUS_UDP)
		probe_resolve(p, p->target.host, p->target.port, found);
	else
		probe_connect(p, transport_of(p) == STATUS_OVER_TLS);
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	if (s->watch != NULL)
		loop_fd_free(s->watch);
	if (s->again != NULL)
		loop_timer_free(s->again);
	if (s->fd > 0)
		closep(&s->fd);
	buf_done(&s->question);
}

const struct probe_kind probe_sip = {
	.state_size = sizeof(struct state),
	.start = start,
	.opened = opened,
	.secured = secured,
	.data = data,
	.stop = stop,
};
