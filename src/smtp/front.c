/* SPDX-License-Identifier: ISC */
/* front.c - sessions for clients, and a line for those who get none. See
 * front.h. */
#include "smtp/front.h"

#include "base/log.h"
#include "conf/conf_ports.h"
#include "smtp/session.h"

static void
say(struct server *sv, const struct ports_client *c, const char *code,
    const char *text)
{
	struct buf b = BUF_INIT(512);

	buf_printf(&b, "%s %s %s\r\n", code, sv->conf->hostname, text);
	ports_say(c, buf_str(&b));
	buf_done(&b);
}

static void
on_refuse(void *arg, const struct ports_client *c, enum limits_answer why)
{
	bool is_many = why == LIMITS_TOO_MANY;
	char ip[PORTS_ADDRESS_MAX];

	ports_address(c->peer, ip);
	if (!c->is_known)
		log_event(EV_SMTP_LIMIT,
		    LC("service", service_name(c->service)), LC("ip", ip),
		    LC("limit", is_many ? "connections" : "rate"));
	say(arg, c, "421 4.7.0",
	    is_many ? "too many connections from your address"
		    : "you connect too often, try later");
}

/*
 * A client that speaks before it was greeted does not speak SMTP, or does not
 * listen (RFC 5321 section 4.3.1). With implicit TLS the client comes first.
 */
static bool
is_early_talker(struct server *sv, const struct ports_client *c)
{
	char byte, ip[PORTS_ADDRESS_MAX];

	if (c->service != SERVICE_MX ||
	    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return false;
	ports_address(c->peer, ip);
	log_event(EV_SMTP_SYNTAX, LC("service", service_name(c->service)),
	    LC("ip", ip), LC("what", "spoke before the greeting"));
	say(sv, c, "554 5.5.1", "you spoke before the greeting");
	return true;
}

static bool
on_open(void *arg, const struct ports_client *c)
{
	const struct session_start start = { c->service, c->fd, c->port,
		c->peer };

	if (is_early_talker(arg, c))
		return false;
	session_new(arg, &start);
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
