/* SPDX-License-Identifier: ISC */
/*
 * spf_internal.h - the state of one check, for this folder only.
 *
 *            +------------------------- include, redirect -----------+
 *            v                                                       |
 *   FETCH -> TERM -> TARGET -> ADDRESS | EXISTS | MX -> MX_HOST | PTR_MATCH
 *     |       ^ |      ^ |         |        |             |           |
 *     |       +-|------|-|---------+--------+-------------+-----------+
 *     |         |      | +-> NAMES -> NAMES_HOST (once a check, for ptr
 *     |         |      +---------------+          and %{p})
 *     +---------+---> EXPLAIN -> EXPLAIN_TEXT -> DECIDED
 *
 * TERM takes the next term of the record on top; those that need no DNS are
 * decided there. A record that ends, or a match in it, goes back to the
 * record that includes it. FETCH and all behind it can end the check.
 */
#pragma once

#include "base/hostname.h"
#include "proto/spf/spf.h"
#include "proto/spf/spf_macro.h"

/* The records that include each other; an include costs a look-up. */
#define SPF_DEPTH_MAX (SPF_LOOKUPS_MAX + 1)

enum spf_state {
	SPF_STATE_FETCH,
	SPF_STATE_TERM,
	SPF_STATE_TARGET,
	SPF_STATE_ADDRESS,
	SPF_STATE_EXISTS,
	SPF_STATE_MX,
	SPF_STATE_MX_HOST,
	SPF_STATE_PTR_MATCH,
	SPF_STATE_NAMES,
	SPF_STATE_NAMES_HOST,
	SPF_STATE_EXPLAIN,
	SPF_STATE_EXPLAIN_TEXT,
	SPF_STATE_DECIDED,
};

/* A record under evaluation. */
struct spf_frame {
	struct spf_name domain;
	struct buf text;
	struct spf_record record; /* views into text; terms: those not done */
	struct spf_term term;     /* the one at work; views into text */
};

/* Names of mail exchangers or of the client. */
_Static_assert(SPF_PTR_MAX <= SPF_MX_MAX, "one array for both");
struct spf_hosts {
	struct spf_name names[SPF_MX_MAX];
	size_t n;
	size_t at; /* the one whose addresses are asked for */
};

struct spf_check {
	struct spf_request request; /* the strings are ours */
	struct spf_macro_env env;   /* domain and validated: set on each use */
	enum spf_state state;
	enum spf_state after_names; /* where NAMES goes on */
	bool is_asking;
	enum spf_type asked_type;
	struct spf_name asked; /* the question, while is_asking */
	struct spf_frame frames[SPF_DEPTH_MAX];
	size_t depth;           /* the frame on top */
	struct spf_name target; /* of the term at work */
	struct spf_hosts mx;
	struct spf_hosts client; /* candidates, then the validated ones */
	bool has_names;          /* client is complete */
	struct buf explanation;
	struct spf_verdict verdict;
};

static inline struct spf_frame *
spf_top(struct spf_check *c)
{
	return &c->frames[c->depth];
}

/* One question; the name is copied. */
void spf_ask(
    struct spf_check *c, enum spf_type type, const struct spf_name *name);

/* The check is over but for the explanation. problem can be NULL. */
void spf_conclude(struct spf_check *c, enum spf_result r, const char *problem);

/* Counts a term with a look-up. False: over the limit, and concluded. */
bool spf_count_lookup(struct spf_check *c) WARN_UNUSED;

/* Open the record of c->target on top, or in the place of the top one. */
void spf_include(struct spf_check *c);
void spf_redirect(struct spf_check *c);

/* The term at work matches, or does not. */
void spf_match(struct spf_check *c);
void spf_next(struct spf_check *c);

/*
 * Bring c->env up to date for the frame. False: spec asks for %{p}, and
 * the client's names come first; then the state is entered again.
 */
bool spf_env_is_ready(struct spf_check *c, struct str spec) WARN_UNUSED;

/* Is one of the addresses of the answer in the client's network? */
bool spf_answer_has_client(const struct spf_check *c,
    const struct spf_answer *a, unsigned prefix4, unsigned prefix6);
/* A or AAAA, as the client speaks. */
enum spf_type spf_address_type(const struct spf_check *c);

static inline bool
spf_answer_is_void(const struct spf_answer *a)
{
	return a->status == SPF_DNS_NONE ||
	       (a->status == SPF_DNS_FOUND && a->n == 0);
}

/* What a state does by itself, and what it does with its answer. */
void spf_term_run(struct spf_check *c);
void spf_target_run(struct spf_check *c);
void spf_address_run(struct spf_check *c);
void spf_address_answered(struct spf_check *c, const struct spf_answer *a);
void spf_exists_run(struct spf_check *c);
void spf_exists_answered(struct spf_check *c, const struct spf_answer *a);
void spf_mx_run(struct spf_check *c);
void spf_mx_answered(struct spf_check *c, const struct spf_answer *a);
void spf_mx_host_run(struct spf_check *c);
void spf_mx_host_answered(struct spf_check *c, const struct spf_answer *a);
void spf_ptr_match_run(struct spf_check *c);
void spf_names_run(struct spf_check *c);
void spf_names_answered(struct spf_check *c, const struct spf_answer *a);
void spf_names_host_run(struct spf_check *c);
void spf_names_host_answered(struct spf_check *c, const struct spf_answer *a);
void spf_explain_run(struct spf_check *c);
void spf_explain_answered(struct spf_check *c, const struct spf_answer *a);
void spf_explain_text_run(struct spf_check *c);
