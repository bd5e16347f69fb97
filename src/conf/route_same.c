/* SPDX-License-Identifier: ISC */
/*
 * route_same.c - do two routes say the same, however they are written? See
 * route_text.h.
 */
#include "conf/route_text.h"

#include <arpa/inet.h>

/* An address has more than one text: "2001:db8::1" and "2001:DB8:0::1". */
static bool
read_ip6(struct str s, struct in6_addr *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

static bool
is_same_host(struct str a, struct str b)
{
	struct in6_addr x, y;

	if (read_ip6(a, &x) && read_ip6(b, &y))
		return memcmp(&x, &y, sizeof(x)) == 0;
	return str_eq_case(a, b);
}

static bool
is_same_way(const struct route_way *a, const struct route_way *b)
{
	if (a->kind != b->kind || a->n_targets != b->n_targets ||
	    a->tls != b->tls || a->order != b->order ||
	    a->weight != b->weight || !str_eq_case(a->helo, b->helo) ||
	    !str_eq_case(a->helo4, b->helo4) ||
	    !str_eq_case(a->helo6, b->helo6) || !str_eq(a->login, b->login) ||
	    !str_eq(a->source4, b->source4) ||
	    !is_same_host(a->source6, b->source6) ||
	    a->allows_cleartext != b->allows_cleartext ||
	    a->ignores_spf != b->ignores_spf)
		return false;
	for (size_t i = 0; i < a->n_targets; i++)
		if (a->targets[i].port != b->targets[i].port ||
		    !is_same_host(a->targets[i].host, b->targets[i].host))
			return false;
	return true;
}

bool
route_is_same(const struct route *a, const struct route *b)
{
	if (a->pattern != b->pattern || a->is_suffix != b->is_suffix ||
	    !str_eq_case(a->name, b->name) || a->n_ways != b->n_ways)
		return false;
	for (size_t i = 0; i < a->n_ways; i++)
		if (!is_same_way(&a->ways[i], &b->ways[i]))
			return false;
	return true;
}
