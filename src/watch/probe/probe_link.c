/* SPDX-License-Identifier: ISC */
/* probe_link.c - names, connections and TLS of probes. See probe_internal.h. */
#include "conf/network_text.h"
#include "watch/probe/probe_internal.h"

#include <arpa/inet.h>

#define IN_MAX KIB(64)
/* Of all that the other side says in one probe: whoever goes on and on, in lines
 * that a protocol allows, would have the watcher do nothing else meanwhile. */
#define SAID_MAX MIB(2)

/* --- addresses ------------------------------------------------------------------ */

static void
all_known(struct probe_addrs *a)
{
	struct probe *p = a->p;

	if (a->q4 != NULL || a->q6 != NULL)
		return;
	if (a->n == 0) {
		probe_fail(p, WATCH_NAME, "%s",
		    a->has_trouble   ? "its name cannot be looked up now"
		    : a->has_private ? "it is an address of this machine or "
				       "of a private network, and this check "
				       "is public=yes"
				     : "its name has no address");
		return;
	}
	probe_mark(p, "name");
	a->found(p);
}

/* Who may write a check by the API is not let into networks of ours. What a
 * name leads to is seen at each look-up, and that address is connected to. */
static bool
may_go(const struct probe *p, const struct sockaddr_storage *addr)
{
	char ip[INET6_ADDRSTRLEN];

	if (!status_check_is(p->check, STATUS_OPT_PUBLIC, false) ||
	    !connect_is_private(addr))
		return true;
	connect_ip(addr, ip);
	return network_list_holds(
	    str_c(p->sv->conf->watch_api_networks), str_c(ip));
}

static void
add_address(struct probe_addrs *a, enum dns_type type, struct str data)
{
	struct sockaddr_storage addr;

	if (a->n == ARRAY_LEN(a->v) ||
	    !dns_read_address(type, data, a->port, &addr))
		return;
	if (may_go(a->p, &addr))
		a->v[a->n++] = addr;
	else
		a->has_private = true;
}

static void
take(struct probe_addrs *a, enum dns_type type, const struct dns_answer *ans)
{
	a->has_trouble |=
	    ans->status == DNS_TEMPFAIL || ans->status == DNS_BOGUS;
	for (size_t i = 0; i < ans->n; i++)
		add_address(a, type, ans->data[i]);
	all_known(a);
}

static void
on_a(void *arg, const struct dns_answer *ans)
{
	struct probe_addrs *a = arg;

	a->q4 = NULL;
	take(a, DNS_A, ans);
}

static void
on_aaaa(void *arg, const struct dns_answer *ans)
{
	struct probe_addrs *a = arg;

	a->q6 = NULL;
	take(a, DNS_AAAA, ans);
}

static bool
take_literal(struct probe_addrs *a, const char *host)
{
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, host, &a4) == 1)
		add_address(a, DNS_A, str_make(&a4, sizeof(a4)));
	else if (inet_pton(AF_INET6, host, &a6) == 1)
		add_address(a, DNS_AAAA, str_make(&a6, sizeof(a6)));
	else
		return false;
	return true;
}

void
probe_resolve(struct probe *p, struct str host, uint16_t port,
    void (*found)(struct probe *))
{
	unsigned family = status_check_number(p->check, STATUS_OPT_FAMILY, 0);
	struct probe_addrs *a = &p->addrs;
	char name[DNS_NAME_MAX + 1];

	*a = (struct probe_addrs){ .p = p, .port = port, .found = found };
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(host));
	if (take_literal(a, name)) {
		all_known(a);
		return;
	}
	if (family != 4)
		a->q6 =
		    resolver_ask(p->sv->resolver, name, DNS_AAAA, on_aaaa, a);
	if (family != 6)
		a->q4 = resolver_ask(p->sv->resolver, name, DNS_A, on_a, a);
}

/* --- connections ------------------------------------------------------------------ */

static void
on_data(void *arg)
{
	struct probe *p = arg;

	if (p->is_over || p->next != NULL)
		conn_consume(p->conn, conn_in(p->conn).n);
	else if (p->took + conn_in(p->conn).n > SAID_MAX)
		probe_fail(p, WATCH_PROTOCOL,
		    "it says more than 2 MiB, and no end of it");
	else if (p->kind->data != NULL)
		p->kind->data(p);
	else
		conn_consume(p->conn, conn_in(p->conn).n);
}

static void
on_tls_ready(void *arg)
{
	struct probe *p = arg;
	char line[120];

	if (p->is_over || p->next != NULL)
		return;
	probe_mark(p, "tls");
	(void)snprintf(line, sizeof(line), "%s, %s", conn_tls_version(p->conn),
	    conn_tls_cipher(p->conn));
	probe_tell(p, '*', str_c(line));
	if (p->kind->secured != NULL)
		p->kind->secured(p);
}

static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct probe *p = arg;

	p->conn = NULL;
	if (p->is_over) {
		probe_link_gone(p);
	} else if (p->next != NULL) {
		TAKE_PTR(p->next)(p);
	} else if (how == CONN_END_TLS) {
		probe_fail(p, WATCH_TLS, "TLS: %s", probe_cut(str_c(detail)));
	} else if (p->kind->ended != NULL) {
		p->kind->ended(p);
	} else {
		probe_fail(p, WATCH_PROTOCOL, "the connection was %s",
		    how == CONN_END_RESET ? "reset" : "closed");
	}
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.tls_ready = on_tls_ready,
	.closed = on_closed,
};

static void
on_connected(void *arg, const struct connect_result *r)
{
	struct probe *p = arg;
	struct conn_config config = { .loop = p->sv->loop,
		.fd = r->fd,
		.peer = &r->addr,
		.tls = p->is_implicit_tls ? p->sv->tls : NULL,
		.is_client = true,
		.server.name = p->tls_name,
		.in_max = IN_MAX,
		.out_high = KIB(256),
		.out_low = KIB(64),
		.handlers = &handlers,
		.arg = p };
	char ip[INET6_ADDRSTRLEN], line[100];

	p->connect = NULL;
	connect_ip(&r->addr, ip);
	if (r->fd < 0) {
		probe_fail(p,
		    r->error == ECONNREFUSED ? WATCH_REFUSED
		    : r->error == ETIMEDOUT  ? WATCH_TIMEOUT
					     : WATCH_UNREACHABLE,
		    "%s: %s", ip, strerror(r->error));
		return;
	}
	probe_mark(p, "connect");
	(void)snprintf(line, sizeof(line), "connected to %s", ip);
	probe_tell(p, '*', str_c(line));
	p->conn = conn_new(&config);
	if (!p->is_implicit_tls && p->kind->opened != NULL)
		p->kind->opened(p);
}

static void
addresses_found(struct probe *p)
{
	struct connect_config config = { .loop = p->sv->loop,
		.addrs = p->addrs.v,
		.n = p->addrs.n,
		/* The probe's own limit is shorter. */
		.limit_ms = status_check_ms(p->check, STATUS_OPT_TIMEOUT) };

	connect_interleave(p->addrs.v, p->addrs.n);
	/* Looking up the name is not what its answer takes. */
	if (!p->has_begun)
		p->began_us = server_now_us();
	p->has_begun = true;
	p->connect = connect_new(&config, on_connected, p);
}

void
probe_connect_to(
    struct probe *p, struct str host, uint16_t port, bool is_implicit_tls)
{
	struct str name = status_check_text(p->check, STATUS_OPT_NAME, 0);

	if (name.n == 0)
		name = host;
	(void)snprintf(p->tls_name, sizeof(p->tls_name), "%.*s", STR_ARG(name));
	p->is_implicit_tls = is_implicit_tls;
	probe_resolve(p, host, port, addresses_found);
}

void
probe_connect(struct probe *p, bool is_implicit_tls)
{
	probe_connect_to(p, p->target.host, p->target.port, is_implicit_tls);
}

void
probe_send(struct probe *p, struct str s)
{
	probe_tell(p, '>', s);
	if (p->conn != NULL)
		conn_put(p->conn, s);
}

void
probe_send_secret(struct probe *p, struct str s, const char *shown)
{
	probe_tell(p, '>', str_c(shown));
	if (p->conn != NULL)
		conn_put(p->conn, s);
}

void
probe_begin_tls(struct probe *p)
{
	if (p->conn != NULL)
		conn_start_tls(p->conn, p->sv->tls);
}

struct str
probe_in(struct probe *p)
{
	return p->conn != NULL ? conn_in(p->conn) : STR_NONE;
}

void
probe_took(struct probe *p, size_t n)
{
	p->took += n;
	if (p->conn != NULL)
		conn_consume(p->conn, n);
}

bool
probe_judge_certificate(struct probe *p)
{
	bool is_strict = status_check_is(p->check, STATUS_OPT_VERIFY, true);
	const char *distrust = conn_tls_distrust(p->conn);
	uint64_t until, now = loop_time(p->sv->loop);

	if (conn_tls_expires(p->conn, &until))
		p->days = (uint16_t)(until > now ? MIN((until - now) / 86400,
						       PROBE_NO_DAYS - 1)
						 : 0);
	if (distrust == NULL || !is_strict)
		return true;
	probe_fail(p, WATCH_CERTIFICATE, "certificate: %s", distrust);
	return false;
}

void
probe_hang_up(struct probe *p, void (*next)(struct probe *))
{
	if (p->conn == NULL) {
		next(p);
		return;
	}
	p->next = next;
	conn_close(p->conn);
}

void
probe_link_stop(struct probe *p, bool is_rude)
{
	if (p->addrs.q4 != NULL)
		resolver_cancel(TAKE_PTR(p->addrs.q4));
	if (p->addrs.q6 != NULL)
		resolver_cancel(TAKE_PTR(p->addrs.q6));
	connect_cancel(TAKE_PTR(p->connect));
	if (p->conn == NULL)
		return;
	if (is_rude)
		conn_abort(p->conn);
	else
		conn_close(p->conn);
}
