/* SPDX-License-Identifier: ISC */
/* front.c - visits for clients of HTTP and HTTPS. See server.h. */
#include "conf/conf_ports.h"
#include "web/visit.h"
#include "web/visitor.h"

static void
turn_away(const struct ports_client *c, const char *why)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Length: 0\r\nRetry-After: 10\r\n"
				   "Connection: close\r\n\r\n";

	ports_turn_away(c, EV_WEB_LIMIT, why, busy);
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
	struct conn_config cc = { .loop = sv->loop };

	if (!ports_conn_config(c, sv->tls, &cc)) {
		turn_away(c, "no certificate");
		return false;
	}
	visit_new(sv, &cc, c);
	return true;
}

static bool
on_proxy(void *arg, const struct sockaddr_storage *peer)
{
	return visitor_is_proxy(arg, peer);
}

void
front_configure(struct server *sv)
{
	static const struct ports_handlers handlers = { on_open, on_refuse,
		on_proxy };

	if (sv->ports == NULL)
		sv->ports = ports_new(sv->rt, &handlers, sv);
	visitor_configure(sv);
	conf_ports(sv->conf, sv->ports);
}
