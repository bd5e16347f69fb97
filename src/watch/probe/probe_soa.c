/* SPDX-License-Identifier: ISC */
/*
 * probe_soa.c - do all servers of a zone have the same version of it?
 *
 * Each is asked for the SOA record itself, the primary first. A secondary that
 * is behind for the length of a zone transfer is no failure: the checks that
 * confirm one come seconds later. With days= each server's signature is looked
 * at; with dnssec=yes the resolver has to believe the zone.
 */
#include "watch/probe/signed.h"

struct state {
	struct ask ask;
	struct resolver_query *query;
	size_t server;
	uint32_t primary;
};

static struct str
server_name(const struct probe *p, size_t i)
{
	return status_check_text(p->check, STATUS_OPT_SERVER, i);
}

static void ask_next(struct probe *p);
static void agreed(struct probe *p);

/* Do others believe what the servers say? */
static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct probe *p = arg;
	struct state *s = p->state;

	s->query = NULL;
	probe_mark(p, "resolver");
	if (signed_judge_answer(p, a))
		agreed(p);
}

static void
ask_resolver(struct probe *p)
{
	struct state *s = p->state;
	char name[DNS_NAME_MAX + 1];

	if (!signed_can_judge(p))
		return;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(p->target.host));
	s->query = resolver_ask(p->sv->resolver, name, DNS_SOA, on_answer, p);
}

static bool
find_serial(struct str raw, const struct dnsmsg *m, uint32_t *ret)
{
	for (size_t i = 0; i < m->n; i++)
		if (dnsmsg_soa_serial(raw, &m->records[i], ret))
			return true;
	return false;
}

static void
take_answer(struct probe *p, struct str raw, const struct dnsmsg *m)
{
	struct state *s = p->state;
	struct str name = server_name(p, s->server);
	char line[100];
	uint32_t serial;

	if (m->rcode != 0) {
		probe_fail(p, WATCH_CONTENT, "%.*s answers %s", STR_ARG(name),
		    dnsmsg_rcode(m->rcode));
		return;
	}
	if (!m->is_authoritative || !find_serial(raw, m, &serial)) {
		probe_fail(p, WATCH_CONTENT, "%.*s does not serve the zone",
		    STR_ARG(name));
		return;
	}
	(void)snprintf(line, sizeof(line), "SOA serial %u", serial);
	probe_tell(p, '<', str_c(line));
	probe_mark(p, s->server == 0 ? "primary" : "secondary");
	if (s->server == 0) {
		s->primary = serial;
	} else if (serial != s->primary) {
		probe_fail(p, WATCH_DISAGREES,
		    "%.*s has serial %u, the primary %u: it is %s",
		    STR_ARG(name), serial, s->primary,
		    dnsmsg_serial_is_behind(serial, s->primary)
			? "behind"
			: "ahead of it");
		return;
	}
	if (!signed_judge_server(p, name, raw, m, DNSMSG_SOA))
		return;
	if (++s->server < status_check_count(p->check, STATUS_OPT_SERVER))
		ask_next(p);
	else if (status_check_is(p->check, STATUS_OPT_DNSSEC, false))
		ask_resolver(p);
	else
		agreed(p);
}

static void
agreed(struct probe *p)
{
	struct state *s = p->state;

	probe_ok(p, "%zu server%s %s serial %u", s->server, str_s(s->server),
	    s->server == 1 ? "has" : "have", s->primary);
}

static void
server_found(struct probe *p)
{
	struct state *s = p->state;
	char ip[INET6_ADDRSTRLEN];

	connect_ip(&p->addrs.v[0], ip);
	probe_tell(p, '>', str_c(ip));
	if (s->server == 0)
		p->began_us = server_now_us();
	ask_start(&s->ask, p, &p->addrs.v[0], p->target.host, DNSMSG_SOA,
	    signed_flags(p), take_answer);
}

static void
ask_next(struct probe *p)
{
	struct state *s = p->state;
	struct str host;
	uint16_t port;

	if (status_host_port(server_name(p, s->server), &host, &port))
		probe_resolve(p, host, port != 0 ? port : 53, server_found);
}

static void
late(struct probe *p)
{
	struct state *s = p->state;

	if (s->query == NULL)
		probe_fail(p, WATCH_TIMEOUT, "%.*s does not answer",
		    STR_ARG(server_name(p, s->server)));
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	ask_stop(&s->ask);
	if (s->query != NULL)
		resolver_cancel(TAKE_PTR(s->query));
}

const struct probe_kind probe_soa = {
	.state_size = sizeof(struct state),
	.start = ask_next,
	.late = late,
	.stop = stop,
};
