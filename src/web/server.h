/* SPDX-License-Identifier: ISC */
/*
 * server.h - one web worker: what its visitors share, and who of its files
 * does what:
 *
 *   front.c    accepts clients of HTTP and HTTPS, within the limits
 *   visitor.c  who it is, also behind proxies
 *   visit.c    one client: requests come in, answers go out with the header
 *              fields that all have
 *   route.c    which function answers which path
 *   site.c     what role watch says of the systems
 *   posts.c    what people say
 *   page.c     pages, rendered once for each change (cache.c); words.def has
 *              their texts, part_*.c what several of them show
 *   page_*.c   one kind of page each
 *   document.c what is not a page: feeds.c, calendar.c, badges.c, summary.c
 *   copy.c     what of it all differs in a static copy, and who asks for one
 *   windows.c  planned work of single systems
 *   challenge.c  what an authority of certificates looks for
 *
 * One struct server a process, passed down; no mutable file-scope state.
 */
#pragma once

#include "base/log.h"
#include "base/metrics.h"
#include "conf/conf.h"
#include "net/http_server.h"
#include "proc/ledger.h"
#include "proc/ports.h"
#include "proc/runtime.h"
#include "proto/status/status_join.h"

#include <sys/queue.h>

struct cache;
struct charts;
struct challenges;
struct limits;
struct page_kit;
struct posts;
struct search;
struct site;
struct visit;
struct windows;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct tls_context *tls; /* NULL: no certificate, no HTTPS */
	struct ports *ports;     /* who comes in: front.c */
	/* Who comes through proxies, and of whom the log told: visitor.c */
	struct limits *visitors, *visitors_told;
	/* Of requests that are being received: of agents; of the API. */
	uint64_t body_bytes[2];
	struct site *site;
	struct posts *posts;
	struct windows *windows;
	struct charts *charts;
	struct page_kit *kit;
	/* How often an address may ask what costs others work. */
	struct limits *checks, *joins, *searches;
	/* Wrong keys of the API; and addresses that the log told of for them. */
	struct limits *wrong_keys, *wrong_keys_told;
	struct limits *runs; /* checks that the API runs now */
	size_t n_joining;    /* members.c: under way */
	struct status_joins all_joins;
	struct cache *documents;
	struct search *search;   /* NULL: nobody has searched yet */
	uint64_t search_version; /* of the posts in it */
	/* What pages are made of: another number, other pages. */
	uint64_t version;
	struct loop_timer *minute;
	struct challenges *challenges;
	LIST_HEAD(, visit) visits;
	bool is_stopping;
};

/* --- main.c ------------------------------------------------------------------- */

/* What pages show is not what it was. */
void server_changed(struct server *sv);
/* The public address of the site, without a slash at its end. */
void server_put_url(const struct server *sv, struct buf *to);

/* --- front.c ------------------------------------------------------------------ */

/* Makes sv->ports, at first; takes over the limits of sv->conf. */
void front_configure(struct server *sv);
