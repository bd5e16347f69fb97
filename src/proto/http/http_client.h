/* SPDX-License-Identifier: ISC */
/*
 * http_client.h - who asks, when a request came through reverse proxies: by what
 * those say whom we trust, and by nothing else.
 *
 * Each proxy writes behind what was there whom it had the request from, so the
 * list is read from its end: as long as the one that speaks is trusted, what
 * it says counts. The client is the first that is not, or, when all are, the one
 * that came first. What a proxy cannot or will not name ("unknown", "_hidden", a
 * path of a socket), and what is no address, ends the walk: then it is the last
 * proxy that was named. What a client wrote into the field itself stands in front
 * of all that, and is never reached.
 *
 * One field only, since a proxy that writes the one passes the other on as it is.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/http/http_request.h"

#define HTTP_ADDRESS_MAX 46 /* bytes of an address as text, with its NUL */
#define HTTP_HOPS_MAX    32 /* proxies that are looked at; the last ones */

enum http_scheme {
	HTTP_SCHEME_UNTOLD,
	HTTP_SCHEME_PLAIN,
	HTTP_SCHEME_TLS,
};

struct http_client {
	char address
	    [HTTP_ADDRESS_MAX]; /* canonical; IPv4 never in IPv6's form */
	/* How it came to the proxy that names it. */
	enum http_scheme scheme;
};

struct http_proxies {
	/* An address in the form of above. */
	bool (*is_trusted)(void *arg, const char *address);
	void *arg;
	/* RFC 7239; else X-Forwarded-For and X-Forwarded-Proto count. */
	bool use_forwarded;
};

/* *ret is the peer at the other end of the connection on entry, and the client
 * afterwards: the same, when that peer is not trusted. */
void http_client_find(const struct http_request *r,
    const struct http_proxies *proxies, struct http_client *ret);

/*
 * The address of a node: 192.0.2.1, 2001:db8::1, the same with a port behind it
 * (IPv6 is in brackets then), or [2001:db8::1] (RFC 7239 section 6, and what
 * X-Forwarded-For holds besides). False, and ret is untouched: it is none.
 */
bool http_node_address(struct str node, char ret[HTTP_ADDRESS_MAX]) WARN_UNUSED;

struct http_hop {
	struct str node, scheme; /* without quotes; "" when it was not said */
};
struct http_hops {
	struct http_hop v[HTTP_HOPS_MAX]; /* number i is v[i % HTTP_HOPS_MAX] */
	size_t n;                         /* of all, also those not kept */
};

/* Add what a line of the field says. One of Forwarded that is malformed is one
 * hop that names nobody. */
void http_hops_forwarded(struct http_hops *h, struct str line);
void http_hops_x_forwarded_for(struct http_hops *h, struct str line);
