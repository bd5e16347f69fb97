/* SPDX-License-Identifier: ISC */
/*
 * front.c - accept connections, and refuse what is too much.
 *
 * A worker that has all the sessions it may have leaves new clients in the
 * kernel's queue for the others. A client whose address is over its limits
 * gets one line and costs no session.
 */
#include "smtp/front.h"

#include "base/log.h"
#include "base/metrics.h"
#include "smtp/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

struct port {
	LIST_ENTRY(port) link;
	struct server *sv;
	struct listener *listener;
	enum service service;
};

static void
update(struct server *sv)
{
	bool is_full = sv->session_count >= sv->conf->connections_max;
	struct port *p;

	LIST_FOREACH(p, &sv->ports, link)
	listener_pause(p->listener, is_full);
}

static void
peer_address(int fd, struct sockaddr_storage *ret)
{
	socklen_t n = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	if (getpeername(fd, (struct sockaddr *)ret, &n) < 0)
		ret->ss_family = AF_UNSPEC;
}

/* For the log; IPv4 addresses on IPv6 sockets keep their mapped form here. */
static void
address_text(const struct sockaddr_storage *a, char ret[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *in4 = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	ret[0] = '\0';
	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, ret, INET6_ADDRSTRLEN);
	else if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, ret, INET6_ADDRSTRLEN);
}

/*
 * One line, as far as the socket's buffer takes it; there is no session to
 * wait for more. A client that waits for a TLS handshake gets none.
 */
static void
refuse(struct port *p, int fd, const char *code, const char *text)
{
	struct buf b = BUF_INIT(512);

	if (!service_is_implicit_tls(p->service)) {
		buf_printf(
		    &b, "%s %s %s\r\n", code, p->sv->conf->hostname, text);
		(void)!send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		buf_done(&b);
	}
	close(fd);
}

static bool
is_over_limit(struct port *p, int fd, const struct sockaddr_storage *peer)
{
	enum limits_answer a =
	    limits_enter(p->sv->limits, peer, loop_now_ms(p->sv->loop));
	char ip[INET6_ADDRSTRLEN];

	if (a == LIMITS_OK)
		return false;
	address_text(peer, ip);
	log_event(EV_SMTP_LIMIT, LC("service", service_name(p->service)),
	    LC("ip", ip),
	    LC("limit", a == LIMITS_TOO_MANY ? "connections" : "rate"));
	if (a == LIMITS_TOO_MANY)
		refuse(p, fd, "421 4.7.0",
		    "too many connections from your address");
	else
		refuse(p, fd, "421 4.7.0", "you connect too often, try later");
	return true;
}

/*
 * A client that speaks before it was greeted does not speak SMTP, or does not
 * listen (RFC 5321 section 4.3.1). With implicit TLS the client comes first.
 */
static bool
is_early_talker(struct port *p, int fd, const struct sockaddr_storage *peer)
{
	char c, ip[INET6_ADDRSTRLEN];

	if (p->service != SERVICE_MX ||
	    recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return false;
	address_text(peer, ip);
	log_event(EV_SMTP_SYNTAX, LC("service", service_name(p->service)),
	    LC("ip", ip), LC("what", "spoke before the greeting"));
	limits_leave(p->sv->limits, peer);
	refuse(p, fd, "554 5.5.1", "you spoke before the greeting");
	return true;
}

static void
on_accept(void *arg, int fd)
{
	struct port *p = arg;
	struct sockaddr_storage peer;

	metric_add(M_CONNECTIONS, 1);
	peer_address(fd, &peer);
	if (is_over_limit(p, fd, &peer) || is_early_talker(p, fd, &peer))
		return;
	session_new(p->sv, p->service, fd, &peer);
	metric_set(M_SESSIONS, p->sv->session_count);
	update(p->sv);
}

void
front_add(struct server *sv, enum service service, int fd)
{
	struct port *p = X_NEW(struct port);

	p->sv = sv;
	p->service = service;
	p->listener = listener_new(sv->loop, fd, on_accept, p);
	LIST_INSERT_HEAD(&sv->ports, p, link);
	if (sv->is_stopping)
		front_close(sv);
}

void
front_configure(struct server *sv)
{
	struct limits_config config = {
		.connections = sv->conf->connections_per_ip,
		.rate_per_minute = sv->conf->connection_rate_per_ip,
	};

	if (sv->limits == NULL)
		sv->limits = limits_new(&config);
	else
		limits_configure(sv->limits, &config);
	update(sv);
}

void
front_close(struct server *sv)
{
	struct port *p;

	while ((p = LIST_FIRST(&sv->ports)) != NULL) {
		LIST_REMOVE(p, link);
		listener_free(p->listener);
		free(p);
	}
}

void
front_free(struct server *sv)
{
	front_close(sv);
	limits_free(sv->limits);
	sv->limits = NULL;
}

void
front_session_ended(struct server *sv, const struct sockaddr_storage *peer)
{
	limits_leave(sv->limits, peer);
	metric_set(M_SESSIONS, sv->session_count);
	update(sv);
}
