/* SPDX-License-Identifier: ISC */
/*
 * visitor.h - who asks: the peer of a connection; or, when that is one of
 * site.proxies, whom it names in each request (proto/http/http_client.h).
 *
 * A proxy's connections have no limits of their own: each request counts as a
 * connection of the visitor that lasts until its answer. Those of a visitor over
 * proxies and those without are counted apart.
 */
#pragma once

#include "proto/http/http_client.h"
#include "web/server.h"

struct visitor {
	struct http_client client;
	struct sockaddr_storage addr;
	bool is_proxied; /* by who is trusted: client is not the peer's word */
	bool is_counted; /* visitor_leave() is due */
};

/* Makes what is needed, at first; takes over the limits of sv->conf. */
void visitor_configure(struct server *sv);
void visitor_done(struct server *sv);
/* Is it one of site.proxies? */
bool visitor_is_proxy(
    const struct server *sv, const struct sockaddr_storage *peer);
/* Who sent this request. Nothing is counted. */
void visitor_find(const struct server *sv, const struct http_request *q,
    const struct conn *conn, struct visitor *ret);
/* Count the request. False: the visitor is over a limit (the log has it once a
 * minute), and nothing is counted. */
bool visitor_enter(
    struct server *sv, struct visitor *w, enum service service) WARN_UNUSED;
/* It was answered, or nobody waits any more. Also when nothing was counted. */
void visitor_leave(struct server *sv, struct visitor *w);
