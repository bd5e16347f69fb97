/* SPDX-License-Identifier: ISC */
/*
 * sts.h - the MTA-STS policy of a domain (RFC 8461): from the ledger, where it
 * is kept for its max_age, or from the domain's own host by HTTPS.
 *
 * A policy that was once fetched holds until its age is over, whatever fails in
 * the meantime; without one, what cannot be fetched is no policy.
 */
#pragma once

#include "proto/mtasts/mtasts.h"
#include "proto/tlsrpt/tlsrpt_report.h"
#include "send/tls/tls_policy.h"

struct server;
struct sts;
struct sts_query;

struct sts *sts_new(struct server *sv);

/* Valid during the call. */
struct sts_answer {
	/* The store could not tell whether there is one: ask again later. */
	bool is_unknown;
	bool has_policy;
	struct mtasts_policy policy;
	uint64_t until; /* seconds since 1970 */
	/* What was wrong with a policy that should be there; NULL: nothing. */
	const char *trouble;
	enum tlsrpt_result result; /* what it is for a report, then */
};

/* Runs once, from the loop. */
typedef void (*sts_fn)(void *arg, const struct sts_answer *a);
/* domain: ASCII, lower case. */
struct sts_query *sts_ask(
    struct sts *s, const char *domain, sts_fn fn, void *arg);
/* fn will not run; what is being fetched is kept all the same. */
void sts_cancel(struct sts_query *q);

/* --- pure (sts_plan.c) ----------------------------------------------------------- */

/* What the policy of an answer says of a host; that in words. */
enum sts_fit sts_fit_of(const struct sts_answer *a, struct str host);
const char *sts_fit_str(enum sts_fit fit);

enum sts_step {
	STS_USE,         /* what is kept, or nothing when there is none */
	STS_USE_REFRESH, /* the same, and fetch it anew for the next time */
	STS_FETCH,       /* and use what comes; else what is kept */
};

struct sts_known {
	bool has_kept; /* a policy that is not over */
	struct str kept_id;
	uint64_t fetched, until, now; /* seconds since 1970 */
	bool has_record;              /* "_mta-sts" says that there is one */
	struct str id;
	bool has_failed; /* to be fetched, a moment ago */
};

enum sts_step sts_next(const struct sts_known *k);
