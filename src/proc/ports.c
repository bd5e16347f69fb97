/* SPDX-License-Identifier: ISC */
/* ports.c - accept clients within the limits. See ports.h. */
#include "proc/ports.h"

#include "base/metrics.h"
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <unistd.h>

struct port {
	LIST_ENTRY(port) link;
	struct ports *all;
	struct listener *listener;
	enum service service;
	uint16_t number;
};

struct ports {
	LIST_HEAD(, port) list;
	struct loop *loop;
	const struct ports_handlers *handlers;
	void *arg;
	struct limits *limits;
	struct limits *told; /* addresses that were refused */
	struct reach_report *reach;
	uint64_t clients, clients_max;
	bool is_stopped;
};

struct ports *
ports_new(struct runtime *rt, const struct ports_handlers *handlers, void *arg)
{
	static const struct limits_config none = { 0 };
	static const struct limits_config told = { .rate_per_minute = 1 };
	struct ports *p = X_NEW(struct ports);

	LIST_INIT(&p->list);
	p->loop = runtime_loop(rt);
	p->handlers = handlers;
	p->arg = arg;
	p->limits = limits_new(&none);
	p->told = limits_new(&told);
	p->reach = reach_report_new(rt);
	return p;
}

/* Tell how many there are, and let more in or not. */
static void
update(struct ports *p)
{
	bool is_full = p->clients >= p->clients_max;
	struct port *one;

	metric_set(M_SESSIONS, p->clients);
	LIST_FOREACH(one, &p->list, link)
	listener_pause(one->listener, is_full);
}

void
ports_configure(struct ports *p, const struct ports_limits *limits)
{
	p->clients_max = limits->clients;
	limits_configure(p->limits, &limits->address);
	reach_report_configure(p->reach, limits->is_watched);
	update(p);
}

/* Once a minute for each address; and not when there are too many addresses. */
static bool
was_told(struct ports *p, const struct ports_client *c)
{
	if (limits_enter(p->told, c->peer, loop_now_ms(p->loop)) != LIMITS_OK)
		return true;
	limits_leave(p->told, c->peer);
	return false;
}

/* False: it goes. */
static bool
admit(struct ports *p, struct ports_client *c)
{
	enum limits_answer a = LIMITS_OK;

	c->is_proxy = p->handlers->is_proxy != NULL &&
	              p->handlers->is_proxy(p->arg, c->peer);
	if (!c->is_proxy)
		a = limits_enter(p->limits, c->peer, loop_now_ms(p->loop));
	if (a != LIMITS_OK) {
		reach_report_refused(p->reach, c->service, c->port, c->peer);
		c->is_known = was_told(p, c);
		p->handlers->refuse(p->arg, c, a);
		return false;
	}
	p->clients++;
	if (p->handlers->open(p->arg, c))
		return true;
	p->clients--;
	if (!c->is_proxy)
		limits_leave(p->limits, c->peer);
	return false;
}

void
ports_take(struct ports *p, enum service service, uint16_t port, int fd,
    const struct sockaddr_storage *peer)
{
	struct ports_client c = {
		.service = service, .port = port, .fd = fd, .peer = peer
	};

	metric_add(M_CONNECTIONS, 1);
	if (!admit(p, &c))
		(void)close(fd);
	update(p);
}

static void
on_accept(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct port *port = arg;

	ports_take(port->all, port->service, port->number, fd, peer);
}

void
ports_listen(struct ports *p, enum service service, int fd)
{
	struct port *port;

	if (p->is_stopped) {
		(void)close(fd);
		return;
	}
	port = X_NEW(struct port);
	port->all = p;
	port->service = service;
	port->number = reach_report_port(fd);
	port->listener = listener_new(p->loop, fd, on_accept, port);
	LIST_INSERT_HEAD(&p->list, port, link);
	update(p);
}

void
ports_stop(struct ports *p)
{
	struct port *port;

	p->is_stopped = true;
	while ((port = LIST_FIRST(&p->list)) != NULL) {
		LIST_REMOVE(port, link);
		listener_free(port->listener);
		free(port);
	}
}

void
ports_free(struct ports *p)
{
	if (p == NULL)
		return;
	ports_stop(p);
	limits_free(p->limits);
	limits_free(p->told);
	reach_report_free(p->reach);
	free(p);
}

void
ports_left(struct ports *p, const struct sockaddr_storage *peer)
{
	ASSERT(p->clients > 0);
	p->clients--;
	if (peer != NULL)
		limits_leave(p->limits, peer);
	update(p);
}

uint64_t
ports_clients(const struct ports *p)
{
	return p->clients;
}

struct reach_report *
ports_reach(struct ports *p)
{
	return p->reach;
}

void
ports_address(const struct sockaddr_storage *a, char ret[PORTS_ADDRESS_MAX])
{
	const struct sockaddr_in *in4 = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	ret[0] = '\0';
	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, ret, PORTS_ADDRESS_MAX);
	else if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, ret, PORTS_ADDRESS_MAX);
}

void
ports_say(const struct ports_client *c, struct str text)
{
	if (!service_is_implicit_tls(c->service))
		(void)!send(c->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
ports_turn_away(const struct ports_client *c, enum event_id event,
    const char *what, const char *text)
{
	char ip[PORTS_ADDRESS_MAX];

	ports_address(c->peer, ip);
	if (!c->is_known)
		log_event(event, LC("service", service_name(c->service)),
		    LC("ip", ip), LC("what", what));
	ports_say(c, str_c(text));
}

bool
ports_conn_config(const struct ports_client *c, struct tls_context *tls,
    struct conn_config *ret)
{
	bool wants_tls = service_is_implicit_tls(c->service);

	if (wants_tls && tls == NULL)
		return false;
	ret->fd = c->fd;
	ret->peer = c->peer;
	ret->tls = wants_tls ? tls : NULL;
	return true;
}
