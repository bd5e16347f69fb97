/* SPDX-License-Identifier: ISC */
/* visitor.c - who asks, through proxies or not. See visitor.h. */
#include "web/visitor.h"

#include "conf/network_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define TOLD_A_MINUTE 1

void
visitor_configure(struct server *sv)
{
	const struct limits_config c = {
		.connections = sv->conf->connections_per_ip,
		.rate_per_minute = sv->conf->connection_rate_per_ip,
	};
	static const struct limits_config told = { .rate_per_minute =
						       TOLD_A_MINUTE };

	if (sv->visitors == NULL) {
		sv->visitors = limits_new(&c);
		sv->visitors_told = limits_new(&told);
	}
	limits_configure(sv->visitors, &c);
}

void
visitor_done(struct server *sv)
{
	limits_free(sv->visitors);
	limits_free(sv->visitors_told);
}

static bool
is_trusted(void *arg, const char *address)
{
	const struct server *sv = arg;

	return network_list_holds(
	    str_c(sv->conf->site_proxies), str_c(address));
}

bool
visitor_is_proxy(const struct server *sv, const struct sockaddr_storage *peer)
{
	char ip[PORTS_ADDRESS_MAX];

	ports_address(peer, ip);
	return network_list_holds(str_c(sv->conf->site_proxies), str_c(ip));
}

/* What http_client.h gives is an address of one of the two families. */
static void
set_addr(const char *ip, struct sockaddr_storage *ret)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	*ret = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
	if (inet_pton(AF_INET, ip, &in4.sin_addr) == 1)
		memcpy(ret, &in4, sizeof(in4));
	else if (inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1)
		memcpy(ret, &in6, sizeof(in6));
}

void
visitor_find(const struct server *sv, const struct http_request *q,
    const struct conn *conn, struct visitor *ret)
{
	const struct http_proxies proxies = { .is_trusted = is_trusted,
		.arg = (void *)(uintptr_t)sv,
		.use_forwarded = str_eq_case(
		    str_c(sv->conf->site_proxy_field), STR("Forwarded")) };

	*ret = (struct visitor){ .addr = *conn_peer_addr(conn) };
	snprintf(ret->client.address, sizeof(ret->client.address), "%s",
	    conn_peer_ip(conn));
	if (!visitor_is_proxy(sv, &ret->addr))
		return;
	ret->is_proxied = true;
	http_client_find(q, &proxies, &ret->client);
	set_addr(ret->client.address, &ret->addr);
}

static void
tell(struct server *sv, const struct visitor *w, enum service service)
{
	if (limits_enter(sv->visitors_told, &w->addr, loop_now_ms(sv->loop)) !=
	    LIMITS_OK)
		return;
	limits_leave(sv->visitors_told, &w->addr);
	log_event(EV_WEB_LIMIT, LC("service", service_name(service)),
	    LC("ip", w->client.address),
	    LC("what", "requests of this address"));
}

bool
visitor_enter(struct server *sv, struct visitor *w, enum service service)
{
	if (limits_enter(sv->visitors, &w->addr, loop_now_ms(sv->loop)) !=
	    LIMITS_OK) {
		tell(sv, w, service);
		return false;
	}
	w->is_counted = true;
	return true;
}

void
visitor_leave(struct server *sv, struct visitor *w)
{
	if (w->is_counted)
		limits_leave(sv->visitors, &w->addr);
	w->is_counted = false;
}
