/* SPDX-License-Identifier: ISC */
/*
 * server.h - the state of role send, and who of its files does what:
 *
 *   domain.c   which domains have something due; leases it in portions
 *   lookup.c   the MX hosts of a domain
 *   mx_ask.c   the same, for the operator's command
 *   choose.c   which way: routes (route.h, plan.h), who refuses us (breakers.h),
 *              what the sender allows (permit.h) -> a destination
 *   flows.c    how much waits for whom, and why
 *   dest.c     mails that wait for a destination; how many connections it gets
 *   session.c  one connection: hosts and addresses in turn, then mail after mail
 *   local.c    mail that was held for users here, into their mailboxes
 *   settle.c   what a reply means for an entry: done, later, failed, held
 *   report.c   bounces and delay notices
 *   prepare.c  each message made ready and signed, once
 *   results.c, results_batch.c  tell the store
 *   slate.c    final results, for the next process
 *   held.c     the leases of which something is here; takes the queue over
 *   notice.c   mail to the postmaster
 *   suppress.c addresses that are not tried any more
 *   mirror.c   rows of the ledger in memory
 */
#pragma once

#include "conf/conf.h"
#include "net/conn.h"
#include "net/connect.h"
#include "net/http_client.h"
#include "net/resolver.h"
#include "send/queue/entry.h"
#include "send/queue/held.h"
#include "send/queue/pace.h"
#include "send/report/report_line.h"
#include "send/result/handover.h"
#include "send/result/results.h"
#include "send/route/route.h"
#include "send/queue/schedule.h"
#include "send/tls/sts.h"
#include "send/table.h"
#include "send/tls/tls_keeper.h"

/* Entries that are leased at the same time, of all domains; of those whose
 * destination has not answered yet, half of them. */
#define SERVER_LEASED_MAX 50000
/* A lease is long: the next process ends it at once (held.h). */
#define LEASE_MS    3600000U
#define LEASE_GUARD 120000U /* what is not done so long before its end: back */

struct dmarc_reports;
struct locals;
struct domains;
struct breakers;
struct dests;
struct suppressed;
struct mirror;
struct preparer;
struct permits;
struct routes_keep;
struct sent_counts;
struct flows;
struct session;
TAILQ_HEAD(sessions, session);

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct resolver *resolver;
	struct suffixes *suffixes; /* of public domains */
	struct tls_context *tls;   /* as a client */
	struct tls_keeper *tls_rules;
	struct http_client *http;
	struct sts *sts;
	struct tls_count *tls_count;
	struct tls_reports *tls_reports;
	struct schedule schedule;
	struct pace_limits pace;
	struct routes routes;
	char *source; /* way_source_put() of mail without a route */
	struct reply_table *replies; /* what refusals mean */
	struct provider_table *providers;
	struct breakers *breakers;
	struct permits *permits;
	struct routes_keep *kept_routes;
	struct helds *helds; /* leases */
	struct domains *domains;
	struct locals *locals;
	struct dests *dests;
	struct slate *slate;
	struct results *results;
	struct dmarc_reports *dmarc_reports;
	struct suppressed *suppressed;
	struct mirror *retry_rules;
	struct handover handover;
	struct sent_counts *sent_counts;
	struct flows *flows; /* what waits for whom */
	struct loop_timer *handover_timer;
	struct preparer *preparer; /* signs, in threads */
	struct sessions idle;      /* the longest idle first */
	uint32_t connections;      /* made or being made */
	uint32_t probing;          /* of these, to those that never answered */
	uint32_t reports;          /* under way, or in the line */
	struct report_line report_line;
	struct loop_timer *stop_timer;
	bool is_stopping;
};

/* --- domain.c --------------------------------------------------------------------- */

/* A domain of recipients with entries in the queue. */
struct domain;

struct domains *domains_new(struct server *sv);
/* The store is there (again): ask it for everything. */
void domains_load(struct domains *ds);
/* MSG_QUEUE_DUE. False: it is malformed. */
bool domains_due(struct domains *ds, struct str body) WARN_UNUSED;
/* Lease no more. */
void domains_stop(struct domains *ds);
struct str domain_name(const struct domain *d);
struct lookup;
struct lookup **domain_lookup(struct domain *d);
/* An entry of it was settled. */
void domain_settled(struct domain *d);
/* What its destination does decides how much is leased at once: it answers,
 * or nothing is tried before closed_until_ms (of the loop's clock; 0: it may). */
void domain_set_state(
    struct domain *d, bool is_proven, uint64_t closed_until_ms);
/* Entries leased in all. */
uint32_t domains_leased(const struct domains *ds);

/* --- lookup.c ---------------------------------------------------------------------- */

/* Find the mail's way and hand it to its destination, or settle it. */
void lookup_mail(struct server *sv, struct mail *m);
/* The domain's MTA-STS policy, or its beginning; empty: none, or nothing is
 * known. NULL is fine. */
struct str lookup_policy(const struct lookup *l);
/* NULL is fine. Mails that wait are released. */
void lookup_free(struct server *sv, struct lookup *l);

/* --- settle.c ------------------------------------------------------------------------ */

/* Entry i of the mail is judged: tell sender and store. */
void settle(struct server *sv, struct mail *m, size_t i,
    const struct judgement *j, const struct trip *trip);
/* The same for all that are open. */
void settle_all(struct server *sv, struct mail *m, const struct judgement *j,
    const struct trip *trip);
/* Give entries back untried, as they are. */
void settle_release(struct server *sv, struct mail *m);
/* Report about several failed recipients in one: until the mail is freed. */
void settle_end(struct server *sv, struct mail *m);
