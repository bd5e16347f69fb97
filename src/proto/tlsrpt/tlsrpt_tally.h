/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_tally.h - TLS sessions with one domain, counted, until they become a
 * report (RFC 8460 section 4).
 *
 * It is kept in the ledger's table TLSRPT as the row PERIOD/DOMAIN/PROCESS
 * (tlsrpt_key_*): each process writes its own, and what belongs together is
 * added up when it is read.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/tlsrpt/tlsrpt_report.h"

/* Policies of one domain, and ways to fail: what is beyond goes without
 * details, or into the last policy. */
#define TLSRPT_TALLY_POLICIES 16
#define TLSRPT_TALLY_FAILURES 64
/* Bytes of one text of it; longer ones are cut. */
#define TLSRPT_TALLY_TEXT  1000
#define TLSRPT_TALLY_BYTES KIB(60) /* of a row */

/* One session, or one that should have been. Texts may be empty. */
struct tlsrpt_session {
	enum tlsrpt_policy_type type;
	struct str domain;   /* that the policy belongs to */
	struct str strings;  /* the policy as it was applied, by lines */
	struct str mx_hosts; /* its patterns, by lines */
	bool is_good;
	/* else: */
	enum tlsrpt_result result;
	struct str sending_ip, mx, receiving_ip, information;
};

struct tlsrpt_tally;

struct tlsrpt_tally *tlsrpt_tally_new(void);
/* Gives NULL; takes NULL. */
struct tlsrpt_tally *tlsrpt_tally_free(struct tlsrpt_tally *t);
/* Copies. */
void tlsrpt_tally_add(struct tlsrpt_tally *t, const struct tlsrpt_session *s);
/* At most TLSRPT_TALLY_BYTES. */
void tlsrpt_tally_encode(const struct tlsrpt_tally *t, struct buf *to);
/* Add what a row holds. False, and nothing is added, when it is none. */
bool tlsrpt_tally_decode(struct str value, struct tlsrpt_tally *t) WARN_UNUSED;
/* As the policies of a report, in the arena; texts point into t. NULL: there is
 * nothing in it, or the arena is full. */
struct tlsrpt_policy *tlsrpt_tally_policies(
    const struct tlsrpt_tally *t, struct arena *arena);

/* --- keys of rows ------------------------------------------------------------------ */

#define TLSRPT_KEY_DOMAIN_MAX 130

struct tlsrpt_key {
	uint64_t begin;    /* of the period, seconds since 1970 */
	struct str domain; /* ASCII, 1 to TLSRPT_KEY_DOMAIN_MAX bytes */
	uint64_t process;  /* a number that no other has */
};
void tlsrpt_key_put(const struct tlsrpt_key *key, struct buf *to);
/* domain points into text. */
bool tlsrpt_key_parse(struct str text, struct tlsrpt_key *ret) WARN_UNUSED;
