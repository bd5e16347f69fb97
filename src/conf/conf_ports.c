/* SPDX-License-Identifier: ISC */
/* conf_ports.c - limits.* for the ports of a front. See conf_ports.h. */
#include "conf/conf_ports.h"

void
conf_ports(const struct conf *c, struct ports *p)
{
	ports_configure(
	    p, &(struct ports_limits){ .clients = c->connections_max,
		   .address = { .connections = c->connections_per_ip,
		       .rate_per_minute = c->connection_rate_per_ip },
		   .is_watched = c->watch_enabled });
}
