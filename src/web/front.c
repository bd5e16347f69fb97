/* SPDX-License-Identifier: ISC */
/* front.c - visits for clients of HTTP and HTTPS. See server.h. */
#include "conf/conf_ports.h"
#include "web/visit.h"

/* With TLS there is nothing to say it in. */
static void
turn_away(const struct ports_client *c, const char *why)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Length: 0\r\nRetry-After: 10\r\n"
				   "Connection: close\r\n\r\n";
	char ip[PORTS_ADDRESS_MAX];

	ports_address(c->peer, ip);
	if (!c->is_known)
		log_event(EV_WEB_LIMIT, LC("service", service_name(c->service)),
		    LC("ip", ip), LC("what", why));
	if (!service_is_implicit_tls(c->service))
		(void)!send(
		    c->fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
on_refuse(UNUSED void *arg, const struct ports_client *c,
    UNUSED enum limits_answer why)
{
	turn_away(c, "connections of this address");
}

static bool
on_open(void *arg, const struct ports_client *c)
{
	struct server *sv = arg;
	struct conn_config cc = { .loop = sv->loop, .fd = c->fd };

	if (service_is_implicit_tls(c->service)) {
		if (sv->tls == NULL) {
			turn_away(c, "no certificate");
			return false;
		}
		cc.tls = sv->tls;
	}
	visit_new(sv, &cc, c->service, c->port);
	return true;
}

void
front_configure(struct server *sv)
{
	static const struct ports_handlers handlers = { on_open, on_refuse };

	if (sv->ports == NULL)
		sv->ports = ports_new(sv->rt, &handlers, sv);
	conf_ports(sv->conf, sv->ports);
}
