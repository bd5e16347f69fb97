/* SPDX-License-Identifier: ISC */
/*
 * arc_verify.h - validate the ARC chain of one message (RFC 8617 section
 * 5.2).
 *
 * Used like dkim_verify.h: give the header, look up the keys it asks for,
 * give the body, finish. The newest message signature and every seal have to
 * be true; older message signatures are not looked at, because whoever came
 * later may have changed the message, and says so by its own set.
 *
 * Layer: proto, on proto/dkim. No I/O.
 */
#pragma once

#include "proto/arc/arc_chain.h"
#include "proto/dkim/dkim_lookup.h"

struct arc_result {
	enum arc_cv cv;
	const char *reason; /* static text; NULL unless cv is ARC_FAIL */
	/* It failed because a key could not be looked up: later may be better,
	   but what is written into a seal now is "fail" all the same. */
	bool is_temporary;
};

/* What one instance says; texts are hostile bytes. */
struct arc_hop {
	struct str domain; /* who sealed it */
	struct str selector;
	struct str results; /* its RFC 8601 payload: authserv-id; results */
};

struct arc_verifier;

/*
 * Start with the bytes of the header, which are borrowed until
 * arc_verifier_free(). policy may be NULL for dkim_policy_default.
 */
struct arc_verifier *arc_verifier_new(
    struct str header, const struct dkim_policy *policy);
/* NULL is fine; returns NULL. */
struct arc_verifier *arc_verifier_free(struct arc_verifier *v);

/* Keys to look up; none when the chain is absent or malformed. */
size_t arc_verifier_keys(const struct arc_verifier *v);
/* Append the name whose TXT record is key i. */
void arc_verifier_query(const struct arc_verifier *v, size_t i, struct buf *to);
/* Answer it, as with dkim_lookup_take(). */
void arc_verifier_key(struct arc_verifier *v, size_t i, enum dkim_answer answer,
    struct str record);

/* The next part of the body; lines end with CRLF. */
void arc_verifier_body(struct arc_verifier *v, struct str part);
/* Judge, once. Times in the chain are not compared with any clock. */
struct arc_result arc_verifier_finish(struct arc_verifier *v);

/* The sets of a chain that is well-formed; hop 0 is the oldest. */
size_t arc_verifier_hops(const struct arc_verifier *v);
struct arc_hop arc_verifier_hop(const struct arc_verifier *v, size_t i);
