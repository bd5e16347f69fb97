/* SPDX-License-Identifier: ISC */
/*
 * dest.h - a destination: the hosts of a domain, or a relay, with the mails
 * that wait for it and the connections to it.
 *
 * Domains with the same MX hosts share one. It decides how many connections
 * there are (pace.h), reuses those that are idle, and when none can be made it
 * settles all that waits, so that nothing is kept that has no way.
 */
#pragma once

#include "proto/mx/mx.h"
#include "send/server.h"
#include "send/tls/tls_policy.h"
#include "send/route/way.h"

struct dest_host {
	const char *name; /* ASCII: a host name or an address */
	uint16_t port;
	enum tls_rule rule;
	enum sts_fit sts;
};

struct dest_spec {
	struct dest_host hosts[MX_HOSTS_MAX];
	size_t n;
	struct str key; /* what makes it the same one: hosts and their ranks */
	enum route_tls tls;
	bool is_relay;  /* by a route: any address will do */
	bool is_secure; /* the hosts came with DNSSEC */
	/* Our side; NULL: straight, as the configuration says. With its
	 * password, and what changes whenever that may have. */
	const struct route_way *way;
	struct str password;
	uint32_t generation;
};

struct dest;
struct session;

struct dests *dests_new(struct server *sv);
/* Find or make it; a reference for the caller. */
struct dest *dest_get(struct server *sv, const struct dest_spec *spec);
struct dest *dest_ref(struct dest *d);
void dest_unref(struct dest *d);
size_t dest_hosts(const struct dest *d);
const struct dest_host *dest_host(const struct dest *d, size_t i);
enum route_tls dest_tls(const struct dest *d);
bool dest_is_relay(const struct dest *d);
bool dest_is_secure(const struct dest *d);
const struct way *dest_way(const struct dest *d);

/* Send it there, now or when there is a connection. */
void dest_add(struct dest *d, struct mail *m);

/* Of the mail that waits first; NULL: none waits. */
struct domain *dest_first_domain(const struct dest *d);

/* --- what its sessions say ---------------------------------------------------------- */

/* It is ready for mail. */
void dest_opened(struct dest *d, struct session *s);
/* The next mail, which is the session's then; NULL: none, be idle. */
struct mail *dest_take(struct dest *d, struct session *s);
/* A mail was not begun after all: it waits again. */
void dest_give_back(struct dest *d, struct mail *m);
/* A transaction ended without trouble with the connection. */
void dest_delivered(struct dest *d);
/* The session ended; j: why, when it is the server's or network's fault. With
 * is_blocked it has refused our address: what waits looks for another way. */
void dest_closed(struct dest *d, struct session *s, const struct judgement *j,
    const struct trip *trip);

/* None of those that wait is a canary any longer. True: one was. */
bool dest_end_canary(struct dest *d);
/* Does mail to this domain wait for it? */
bool dest_waits_for(const struct dest *d, struct str domain);
/* What waits for a destination of which is_shut says so looks for another
 * way. */
void dests_move(struct dests *ds,
    bool (*is_shut)(void *arg, const struct dest *d), void *arg);
/* Break off all sessions that are not in the middle of a message; release what
 * waits. */
void dests_stop(struct dests *ds);
