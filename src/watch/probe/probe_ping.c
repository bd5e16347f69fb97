/* SPDX-License-Identifier: ISC */
/* probe_ping.c - does a machine answer echo requests, and how fast? */
#include "watch/probe/ping.h"
#include "watch/probe/probe_internal.h"

struct state {
	struct ping_echo *echo;
};

static void
on_reply(void *arg, uint32_t us)
{
	struct probe *p = arg;
	struct state *s = p->state;

	s->echo = NULL;
	p->us = us;
	probe_mark(p, "echo");
	probe_ok(p, "answers after %u.%03u ms", us / 1000, us % 1000);
}

static void
found(struct probe *p)
{
	struct state *s = p->state;
	char ip[INET6_ADDRSTRLEN];
	int r;

	/* Of several addresses the first: a ping is about one machine. */
	connect_ip(&p->addrs.v[0], ip);
	probe_tell(p, '>', STR("echo request"));
	r = ping_send(p->sv->ping, &p->addrs.v[0], on_reply, p, &s->echo);
	if (r == -EPERM)
		probe_unclear(p, "this process may not send echo requests; see "
				 "net.ipv4.ping_group_range in mailstead(8)");
	else if (r < 0)
		probe_fail(p, WATCH_UNREACHABLE, "%s: %s", ip, strerror(-r));
}

static void
start(struct probe *p)
{
	probe_resolve(p, p->target.host, 0, found);
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	ping_cancel(TAKE_PTR(s->echo));
}

const struct probe_kind probe_ping = {
	.state_size = sizeof(struct state),
	.start = start,
	.stop = stop,
};
