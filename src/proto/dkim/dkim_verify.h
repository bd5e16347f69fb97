/* SPDX-License-Identifier: ISC */
/*
 * dkim_verify.h - judge the DKIM signatures of one message (RFC 6376 section
 * 6, with RFC 8301 and 8463).
 *
 * The caller gives the header, is told which keys to look up, gives their
 * records and the body in any order and in parts of any size, and asks for
 * the judgement:
 *
 *	v = dkim_verifier_new(header, NULL);
 *	for (i = 0; i < dkim_verifier_count(v); i++)
 *		if (dkim_verifier_query(v, i, &name))
 *			... look up TXT of name, dkim_verifier_key(v, i, ...)
 *	dkim_verifier_body(v, part); ...
 *	dkim_verifier_finish(v, now);
 *	... dkim_verifier_result(v, i)
 *
 * Work is bounded: signatures beyond the limit are counted and not judged,
 * each judged one costs at most one key operation, and none at all when the
 * body's hash is already wrong.
 *
 * Layer: proto. No I/O; the clock is an argument.
 */
#pragma once

#include "proto/dkim/dkim_lookup.h"

/* Signatures of one message that are judged, from the top of the header. */
#define DKIM_VERIFY_MAX 8

/* Texts are as the signer wrote them: hostile bytes, to be escaped. */
struct dkim_result {
	enum dkim_verdict verdict;
	const char *reason;      /* static text; NULL for a plain pass */
	struct str domain;       /* header.d */
	struct str selector;     /* header.s */
	struct str identity;     /* header.i as written; empty when absent */
	struct str algorithm;    /* header.a */
	struct str b_first;      /* header.b: the first 8 characters */
	unsigned key_bits;       /* 0 when the key was not read */
	bool is_testing;         /* the domain says that it is only trying */
	uint64_t unsigned_bytes; /* of the canonical body, left out by l= */
};

struct dkim_verifier;

/*
 * Start with the bytes of the header (up to the empty line or behind it),
 * which are borrowed until dkim_verifier_free(). policy may be NULL: then it
 * is dkim_policy_default; else it is copied.
 */
struct dkim_verifier *dkim_verifier_new(
    struct str header, const struct dkim_policy *policy);
/* NULL is fine; returns NULL. */
struct dkim_verifier *dkim_verifier_free(struct dkim_verifier *v);

/* Signatures that are judged; and those that are one too many for it. */
size_t dkim_verifier_count(const struct dkim_verifier *v);
size_t dkim_verifier_ignored(const struct dkim_verifier *v);

/*
 * Append the name whose TXT record signature i needs. False when it needs
 * none: it was judged already.
 */
bool dkim_verifier_query(
    const struct dkim_verifier *v, size_t i, struct buf *to) WARN_UNUSED;
/*
 * Answer it; the record is copied. Where a name has several records, call
 * once for each: the first key that can be read counts (RFC 6376 section
 * 3.6.2.2 leaves it open). Without any answer it is a temporary error.
 */
void dkim_verifier_key(struct dkim_verifier *v, size_t i,
    enum dkim_answer answer, struct str record);

/* The next part of the body, behind the empty line; lines end with CRLF. */
void dkim_verifier_body(struct dkim_verifier *v, struct str part);
/* Judge, once, when body and answers are complete; now is in Unix time. */
void dkim_verifier_finish(struct dkim_verifier *v, uint64_t now);

/* After the finish; lives as long as v and the header. */
const struct dkim_result *dkim_verifier_result(
    const struct dkim_verifier *v, size_t i);
