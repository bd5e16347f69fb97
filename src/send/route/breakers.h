/* SPDX-License-Identifier: ISC */
/*
 * breakers.h - which addresses of ours are refused by whom, what that costs,
 * and that it is not forgotten.
 *
 * Each breaker (breaker.h) is about a source (way.h) and a scope: the provider
 * group of the host that refused us, else that host; a relay; or a domain, as
 * long as nobody but its organisation says so (scope.h). They are kept in the
 * store's ledger; the operator reads them there, and opens and closes them
 * there ('mailstead route status|avoid|resume').
 */
#pragma once

#include "send/route/breaker.h"
#include "send/queue/dest.h"
#include "send/route/route.h"

struct breakers;

struct breakers *breakers_new(struct server *sv);
/* The store is there (again): read what it knows, tell it what it does not.
 * done runs when it was read. */
void breakers_load(struct breakers *bs, loop_fn done, void *arg);
/* LEDGER_CHANGED: the operator opened or closed one. False: malformed. */
bool breakers_changed(struct breakers *bs, struct str rows) WARN_UNUSED;

/* What a refusal was about. */
struct refusal {
	struct dest *dest;
	const char *host; /* that refused us */
	const char *mx_ip, *own_ip;
	struct str domain; /* of a recipient; empty: before there was one */
	bool is_of_host;   /* said before it knew for whom the mail is */
	int code;
	struct str reply; /* word for word */
	struct str rule, link;
	bool was_canary;
};
void breakers_refused(struct breakers *bs, const struct refusal *r);
/* The canary to this domain was accepted: all is well there. */
void breakers_accepted(
    struct breakers *bs, const struct dest *d, struct str domain);
/* It came to an end that says nothing. */
void breakers_unsure(
    struct breakers *bs, const struct dest *d, struct str domain);

/* One that shuts a way, or asks for a canary. */
struct breaker_item;

/*
 * May mail take way w to these MX hosts? When not: *ret is (one of) what shuts
 * it.
 */
enum breaker_answer breakers_ask(struct breakers *bs, const struct route_way *w,
    const struct route_query *q, struct breaker_item **ret) WARN_UNUSED;
/* One mail tries this way now. */
void breakers_canary(struct breakers *bs, const struct route_way *w,
    const struct route_query *q);

/* A mail goes another way because of it (instead, for people), or waits
 * (instead is NULL, why says for what). */
struct detour {
	const struct mail *mail;
	const char *instead, *why;
};
void breaker_item_count(struct breaker_item *b, const struct detour *d);
/* When it is tried again, at the earliest. */
uint64_t breaker_item_next(const struct breaker_item *b);
/* "Microsoft 365 refuses our address 192.0.2.1 (550 ...)" */
void breaker_item_put(const struct breaker_item *b, struct buf *to);
