/* SPDX-License-Identifier: ISC */
/*
 * check_internal.h - one message whose sender is being found out.
 *
 *   start -> questions ... answers -> judge -> fn
 *                |                     ^
 *                +- time is over ------+
 *
 * Each part keeps a state of its own, asks through check_ask() and goes on in
 * its callback. When no question is open any more, all parts are done.
 */
#pragma once

#include "base/arena.h"
#include "base/hostname.h"
#include "base/suffixes.h"
#include "filter/check.h"
#include "filter/iprev.h"
#include "proto/arc/arc_verify.h"
#include "proto/dkim/dkim_verify.h"
#include "proto/dmarc/dmarc.h"
#include "proto/dmarc/dmarc_row.h"
#include "net/dns_texts.h"

#include <sys/queue.h>

struct check;
struct ask;
/* An answer: which is the number that was given with the question. */
typedef void (*ask_fn)(
    struct check *c, unsigned which, const struct dns_answer *a);

struct ask {
	LIST_ENTRY(ask) link;
	struct check *check;
	struct resolver_query *query;
	ask_fn fn;
	unsigned which;
};

enum { CHECK_MAIL_FROM, CHECK_HELO, CHECK_IDENTITIES };

/* A domain in From, and what DMARC says about it. */
struct author {
	char domain[HOSTNAME_MAX + 1];
	struct dmarc_discovery discovery;
	struct dmarc_verdict verdict;
	/* Why the policy is not followed; 0 for none. */
	unsigned overrides; /* bits of enum dmarc_reason */
	struct buf comment; /* on that */
};

struct check {
	LIST_ENTRY(check) link;
	struct server *sv;
	check_fn fn;
	void *arg;
	LIST_HEAD(, ask) asks;
	unsigned questions;
	struct loop_timer *timer;
	bool is_expired;
	bool is_unasked; /* too many others wait: nothing is looked up */
	bool is_started; /* the first questions were asked */
	size_t bytes;    /* of CHECKS_BYTES_MAX */

	struct buf header; /* up to the empty line; what follows points in it */
	char *client_ip, *helo, *mail_from, *trace;
	bool has_list_id;

	struct spf_address client;
	bool has_client; /* an address that can be asked about */
	struct spf_check *spf[CHECK_IDENTITIES]; /* NULL: no such identity */
	struct dkim_verifier *dkim;
	struct arc_verifier *arc;
	struct arc_result arc_result;
	struct iprev iprev;
	struct author *authors;
	size_t n_authors;
	unsigned author_faults;      /* of mime_author.h */
	bool has_too_many_authors;   /* more than will be asked about */
	const struct author *author; /* that counts, once it is judged */
};

/* --- check.c --------------------------------------------------------------------- */

/* Not more than CHECK_QUESTIONS_MAX: then the message's time is over. */
void check_ask(struct check *c, const char *name, enum dns_type type, ask_fn fn,
    unsigned which);

/* --- spf.c ------------------------------------------------------------------------- */

void check_spf_start(struct check *c);
/* The domain that the identity is about. */
struct str check_spf_domain(const struct check *c, unsigned identity);

/* --- signatures.c -------------------------------------------------------------------- */

/* body: hashed here and now. */
void check_signatures_start(struct check *c, struct str body);
void check_signatures_ask(struct check *c);
void check_signatures_finish(struct check *c);

/* --- author.c ------------------------------------------------------------------------ */

/* message: its header is looked at now. */
void check_author_start(struct check *c, struct str message);
/* SPF and signatures are judged: judge the authors, choose one. */
void check_author_finish(struct check *c);

/* --- policy.c ------------------------------------------------------------------------ */

/* What speaks against the author's policy; after dmarc_evaluate(). */
void check_override(struct check *c, struct author *a);
/* What becomes of the message. ret->reply goes to text. */
void check_decide(
    const struct check *c, struct check_result *ret, struct buf *text);

/* --- results.c ----------------------------------------------------------------------- */

void check_put_results(const struct check *c, struct buf *to);
void check_log(const struct check *c, const struct check_result *r);
/* Count it for the report to the author's domain. */
void check_count(const struct check *c, const struct check_result *r);
