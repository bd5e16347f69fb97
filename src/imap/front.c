/* SPDX-License-Identifier: ISC */
/* front.c - sessions for clients of IMAP and POP3. See front.h. */
#include "imap/front.h"

#include "conf/conf_ports.h"
#include "imap/pop3.h"
#include "imap/session.h"

static bool
is_pop3(enum service s)
{
	return s == SERVICE_POP3 || s == SERVICE_POP3S;
}

static void
turn_away(const struct ports_client *c, const char *why)
{
	static const char imap[] =
	    "* BYE [UNAVAILABLE] Too many connections\r\n";
	static const char pop3[] = "-ERR [SYS/TEMP] Too many connections\r\n";

	if (is_pop3(c->service))
		ports_turn_away(c, EV_POP3_LIMIT, why, pop3);
	else
		ports_turn_away(c, EV_IMAP_LIMIT, why, imap);
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
	if (is_pop3(c->service))
		pop3_new(sv, &cc, c->service, c->port);
	else
		imap_session_new(sv, &cc, c->service, c->port);
	return true;
}

void
front_configure(struct server *sv)
{
	static const struct ports_handlers handlers = { .open = on_open,
		.refuse = on_refuse };

	if (sv->ports == NULL)
		sv->ports = ports_new(sv->rt, &handlers, sv);
	conf_ports(sv->conf, sv->ports);
}
