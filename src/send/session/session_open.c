/* SPDX-License-Identifier: ISC */
/*
 * session_open.c - find a server: the hosts of the destination in turn, their
 * addresses, a connection. What was the trouble last is remembered for all
 * that wait.
 */
#include "send/session/session_internal.h"

#include <arpa/inet.h>

#define IN_MAX   KIB(64)
#define OUT_HIGH KIB(256)
#define OUT_LOW  KIB(64)
/* Greeting, EHLO, STARTTLS, handshake, EHLO: together no longer than so many
 * time-outs. */
#define OPEN_STEPS 3ULL

/* Keep what went wrong; the text is copied. */
void
session_blame(struct session *s, struct judgement j)
{
	struct str text = str_first(j.text, sizeof(s->text) - 1);

	memmove(s->text, text.p ? text.p : "", text.n);
	j.text = str_make(s->text, text.n);
	/* Whoever refuses us refuses this attempt, not the message. */
	j.outcome = TEMPFAIL;
	s->verdict = j;
	s->has_verdict = true;
}

void
session_blame_locally(
    struct session *s, struct smtp_status status, const char *text)
{
	session_blame(
	    s, (struct judgement){
		   .is_local = true, .status = status, .text = str_c(text) });
}

void
session_log_trouble(const struct session *s, enum event_id event)
{
	log_event(event, LC("mx", session_host(s)), LC("ip", s->ip),
	    LU("reply", (uint64_t)s->verdict.code),
	    LS("reason", s->verdict.text));
}

void
session_next_host(struct session *s)
{
	session_log_trouble(s, EV_SEND_CONNECT_FAIL);
	if (s->sv->is_stopping || ++s->host >= dest_hosts(s->dest)) {
		/* No host of the domain exists: nor will it tomorrow. */
		if (!s->has_any_address && !dest_is_relay(s->dest)) {
			s->verdict.outcome = PERMFAIL;
			s->verdict.status.class = 5;
		}
		session_leave(s, !s->sv->is_stopping);
		return;
	}
	s->is_without_tls = false;
	session_try_host(s);
}

/* --- addresses of a host --------------------------------------------------------------------- */

static void
add_address(struct session *s, const struct sockaddr_storage *a)
{
	bool may_be_local =
	    dest_is_relay(s->dest) || s->sv->conf->send_allow_loopback;
	const struct way *w = dest_way(s->dest);

	if (a->ss_family == AF_INET6 ? !w->uses6 : !w->uses4)
		return;
	if (s->n_addrs < CONNECT_ADDRS_MAX &&
	    (may_be_local || !connect_is_local(a)))
		s->addrs[s->n_addrs++] = *a;
	else
		s->has_local = true;
}

static void on_connected(void *arg, const struct connect_result *r);

void
session_connect(struct session *s)
{
	struct connect_config config = {
		.loop = s->sv->loop,
		.addrs = s->addrs,
		.n = s->n_addrs,
		.source4 = dest_way(s->dest)->source4,
		.source6 = dest_way(s->dest)->source6,
		.limit_ms = s->sv->conf->send_connect_s * 1000ULL,
	};

	s->state = CONNECT;
	connect_interleave(s->addrs, s->n_addrs);
	s->connect = connect_new(&config, on_connected, s);
}

static void
addresses_known(struct session *s)
{
	if (s->n_addrs > 0) {
		session_tls_look_up(s);
		return;
	}
	if (s->has_dns_trouble)
		session_blame_locally(s, (struct smtp_status){ 4, 4, 3 },
		    "the address of the mail server could not be looked up");
	else if (s->has_local)
		session_blame_locally(s, (struct smtp_status){ 4, 4, 4 },
		    "the mail server's name leads to an address of this "
		    "machine");
	else
		session_blame_locally(s, (struct smtp_status){ 4, 4, 4 },
		    "the mail server's name has no address");
	session_next_host(s);
}

static void
take_addresses(
    struct session *s, enum dns_type type, const struct dns_answer *a)
{
	uint16_t port = dest_host(s->dest, s->host)->port;
	struct sockaddr_storage addr;

	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		s->has_dns_trouble = true;
	s->has_insecure_address |= a->n > 0 && !a->is_secure;
	if (a->n > 0 && a->is_alias)
		snprintf(s->canonical, sizeof(s->canonical), "%s", a->name);
	for (size_t i = 0; i < a->n; i++)
		if (dns_read_address(type, a->data[i], port, &addr))
			add_address(s, &addr);
	s->has_any_address |= s->has_dns_trouble || a->n > 0;
	if (s->query4 == NULL && s->query6 == NULL)
		addresses_known(s);
}

static void
on_a(void *arg, const struct dns_answer *a)
{
	struct session *s = arg;

	s->query4 = NULL;
	take_addresses(s, DNS_A, a);
}

static void
on_aaaa(void *arg, const struct dns_answer *a)
{
	struct session *s = arg;

	s->query6 = NULL;
	take_addresses(s, DNS_AAAA, a);
}

/* Routes may name addresses. */
static bool
take_literal(struct session *s, const struct dest_host *h)
{
	struct in6_addr a6;
	struct in_addr a4;
	struct sockaddr_storage addr;

	if (inet_pton(AF_INET, h->name, &a4) == 1)
		(void)!dns_read_address(
		    DNS_A, str_make(&a4, sizeof(a4)), h->port, &addr);
	else if (inet_pton(AF_INET6, h->name, &a6) == 1)
		(void)!dns_read_address(
		    DNS_AAAA, str_make(&a6, sizeof(a6)), h->port, &addr);
	else
		return false;
	add_address(s, &addr);
	return true;
}

void
session_try_host(struct session *s)
{
	const struct dest_host *h = dest_host(s->dest, s->host);

	s->state = ADDRESS;
	s->n_addrs = 0;
	s->has_dns_trouble = s->has_local = s->has_insecure_address = false;
	s->canonical[0] = '\0';
	s->ip[0] = s->source[0] = s->tls[0] = '\0';
	if (take_literal(s, h)) {
		s->has_any_address = s->has_insecure_address = true;
		addresses_known(s);
		return;
	}
	s->query6 =
	    resolver_ask(s->sv->resolver, h->name, DNS_AAAA, on_aaaa, s);
	s->query4 = resolver_ask(s->sv->resolver, h->name, DNS_A, on_a, s);
}

/* --- connecting ----------------------------------------------------------------------------------- */

static bool
scram_step(void *arg, struct str in, struct buf *out)
{
	return sasl_client_step(arg, in, out);
}

static bool
scram_is_done(void *arg)
{
	return sasl_client_is_done(arg);
}

/* Where the way has a login. */
static struct smtp_client_scram
make_scram(struct session *s, const struct way *w)
{
	s->sasl = sasl_client_free(s->sasl);
	if (w->login[0] != '\0')
		s->sasl = sasl_client_new(str_c(w->login), str_c(w->password));
	return (struct smtp_client_scram){
		.step = s->sasl != NULL ? scram_step : NULL,
		.is_done = scram_is_done,
		.arg = s->sasl,
	};
}

static void
make_client(struct session *s, bool has_tls)
{
	const struct way *w = dest_way(s->dest);
	struct smtp_client_config config = {
		/* Who checks looks up the address that it sees. */
		.helo =
		    str_c(s->addr.ss_family == AF_INET6 ? w->helo6 : w->helo4),
		.login = str_c(w->login),
		.password = str_c(w->password),
		.allow_cleartext_auth = w->allows_cleartext,
		.scram = make_scram(s, w),
		.has_tls = has_tls,
		.tls = session_tls_rule(s),
	};

	smtp_client_free(s->client);
	s->client = smtp_client_new(&config);
}

static void
note_source(struct session *s, int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t n = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &n) == 0)
		connect_ip(&own, s->source);
}

static void
open_conn(struct session *s, int fd)
{
	bool is_implicit = dest_tls(s->dest) == ROUTE_TLS_IMPLICIT;
	struct conn_config config = {
		.loop = s->sv->loop,
		.fd = fd,
		.peer = &s->addr,
		.tls = is_implicit ? s->sv->tls : NULL,
		.is_client = true,
		.server = session_tls_expected(s),
		.in_max = IN_MAX,
		.out_high = OUT_HIGH,
		.out_low = OUT_LOW,
		.handlers = &session_handlers,
		.arg = s,
	};

	s->state = OPENING;
	s->put_bytes = 0;
	s->is_in_tls_handshake = is_implicit;
	note_source(s, fd);
	make_client(s, is_implicit);
	s->conn = conn_new(&config);
	session_set_deadline(
	    s, OPEN_STEPS * s->sv->conf->send_timeout_s * 1000);
	session_set_timeout(s);
}

static void
on_connected(void *arg, const struct connect_result *r)
{
	struct session *s = arg;
	char text[100];

	s->connect = NULL;
	s->addr = r->addr;
	connect_ip(&r->addr, s->ip);
	if (r->fd >= 0) {
		open_conn(s, r->fd);
		return;
	}
	snprintf(
	    text, sizeof(text), "connecting failed: %s", strerror(r->error));
	session_blame_locally(s, (struct smtp_status){ 4, 4, 1 }, text);
	session_next_host(s);
}

/* The same address once more, without TLS. */
void
session_connect_plain(struct session *s)
{
	s->is_without_tls = true;
	s->addrs[0] = s->addr;
	s->n_addrs = 1;
	session_connect(s);
}
