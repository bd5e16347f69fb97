/* SPDX-License-Identifier: ISC */
/*
 * probe_dns.c - are the records of a name what they should be? Asked of the
 * servers that are named, one after the other, or of the resolver.
 */
#include "watch/probe/signed.h"

#define SHOWN_MAX 120

struct state {
	struct ask ask;
	struct resolver_query *query;
	size_t server;
};

static enum dnsmsg_type
type_of(const struct probe *p)
{
	/* In the order of the words of TYPE. */
	static const enum dnsmsg_type types[] = { DNSMSG_A, DNSMSG_AAAA,
		DNSMSG_CNAME, DNSMSG_MX, DNSMSG_NS, DNSMSG_TXT, DNSMSG_SRV,
		DNSMSG_PTR };

	return types[status_check_word(p->check, STATUS_OPT_TYPE, 0)];
}

/* found: the records as text, a line each. False: the probe was failed. */
static bool
has_values(struct probe *p, struct str found)
{
	size_t n = status_check_count(p->check, STATUS_OPT_VALUE);

	for (size_t i = 0; i < n; i++) {
		struct str want =
		    status_check_text(p->check, STATUS_OPT_VALUE, i);
		struct str rest = found, line;
		bool is_there = false;

		while (rest.n > 0 && !is_there) {
			rest = str_split(rest, '\n', &line);
			is_there = str_eq_case(line, want);
		}
		if (is_there)
			continue;
		probe_fail(p, WATCH_CONTENT, "%.*s is not among the records",
		    STR_ARG(want));
		return false;
	}
	return true;
}

static void
done(struct probe *p, struct buf *found, size_t n)
{
	struct str first;

	(void)str_split(buf_str(found), '\n', &first);
	probe_mark(p, "answer");
	probe_tell(p, '<', buf_str(found));
	if (n == 0)
		probe_fail(p, WATCH_CONTENT, "there is no such record");
	else if (has_values(p, buf_str(found)))
		probe_ok(p, "%zu record%s: %s%s", n, str_s(n),
		    probe_cut(str_first(first, SHOWN_MAX)),
		    n > 1 ? ", ..." : "");
}

/* --- the resolver ------------------------------------------------------------- */

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct probe *p = arg;
	struct state *s = p->state;
	struct buf found = BUF_INIT(KIB(64));
	size_t n = 0;

	s->query = NULL;
	if (!signed_judge_answer(p, a))
		return;
	for (size_t i = 0; i < a->n; i++) {
		size_t before = found.n;

		if (dnsmsg_put_text(
			&found, a->data[i], 0, a->data[i].n, type_of(p))) {
			buf_put_char(&found, '\n');
			n++;
		} else {
			found.n = before;
		}
	}
	done(p, &found, n);
	buf_done(&found);
}

/* --- named servers --------------------------------------------------------------- */

static void ask_next(struct probe *p);

static void
take_answer(struct probe *p, struct str raw, const struct dnsmsg *m)
{
	struct state *s = p->state;
	struct buf found = BUF_INIT(KIB(64));
	size_t n = 0;

	if (m->rcode != 0) {
		probe_fail(p, WATCH_CONTENT, "%.*s answers %s",
		    STR_ARG(status_check_text(
			p->check, STATUS_OPT_SERVER, s->server)),
		    dnsmsg_rcode(m->rcode));
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct dnsmsg_record *r = &m->records[i];
		size_t before = found.n;

		if (r->type == (unsigned)type_of(p) &&
		    dnsmsg_put_text(&found, raw, r->at, r->n, r->type)) {
			buf_put_char(&found, '\n');
			n++;
		} else {
			found.n = before;
		}
	}
	if (n > 0 &&
	    !signed_judge_server(p,
		status_check_text(p->check, STATUS_OPT_SERVER, s->server), raw,
		m, (unsigned)type_of(p))) {
		buf_done(&found);
		return;
	}
	if (++s->server == status_check_count(p->check, STATUS_OPT_SERVER) ||
	    n == 0)
		done(p, &found, n);
	else if (has_values(p, buf_str(&found)))
		ask_next(p);
	buf_done(&found);
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
	ask_start(&s->ask, p, &p->addrs.v[0], p->target.host, type_of(p),
	    DNSMSG_RECURSE | signed_flags(p), take_answer);
}

static void
ask_next(struct probe *p)
{
	struct state *s = p->state;
	struct str host;
	uint16_t port;

	if (!status_host_port(
		status_check_text(p->check, STATUS_OPT_SERVER, s->server),
		&host, &port))
		return;
	probe_resolve(p, host, port != 0 ? port : 53, server_found);
}

static void
start(struct probe *p)
{
	struct state *s = p->state;
	char name[DNS_NAME_MAX + 1];

	if (status_check_count(p->check, STATUS_OPT_SERVER) > 0) {
		ask_next(p);
		return;
	}
	if (!signed_can_judge(p))
		return;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(p->target.host));
	s->query = resolver_ask(
	    p->sv->resolver, name, (enum dns_type)type_of(p), on_answer, p);
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	ask_stop(&s->ask);
	if (s->query != NULL)
		resolver_cancel(TAKE_PTR(s->query));
}

const struct probe_kind probe_dns = {
	.state_size = sizeof(struct state),
	.start = start,
	.stop = stop,
};
