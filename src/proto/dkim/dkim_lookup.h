/* SPDX-License-Identifier: ISC */
/*
 * dkim_lookup.h - what a look-up of a key has brought.
 *
 * Layer: proto. No I/O: the caller looks up.
 */
#pragma once

#include "proto/dkim/dkim_key.h"

enum dkim_answer {
	DKIM_ANSWER_RECORD,   /* a TXT record, its strings joined */
	DKIM_ANSWER_NONE,     /* no such name, or no TXT there */
	DKIM_ANSWER_TEMPFAIL, /* could not tell: time-out, SERVFAIL, bogus */
};

struct dkim_lookup {
	bool has_answer;
	enum dkim_answer answer;
	struct buf record; /* a copy, which key borrows from */
	bool has_key;
	struct dkim_key key;
	struct dkim_finding why; /* there is no key in the record */
};

void dkim_lookup_init(struct dkim_lookup *l);
void dkim_lookup_done(struct dkim_lookup *l);
/*
 * Take an answer; the record is copied. Where a name has several records,
 * call once for each: the first key that can be read counts (RFC 6376
 * section 3.6.2.2 leaves it open).
 */
void dkim_lookup_take(
    struct dkim_lookup *l, enum dkim_answer answer, struct str record);
/*
 * The key, when there is one that may judge s; else NULL and *ret_why.
 * No answer at all is a temporary error. Lives as long as l.
 */
const struct crypt_key *dkim_lookup_key(const struct dkim_lookup *l,
    const struct dkim_signature *s, const struct dkim_policy *policy,
    struct dkim_finding *ret_why);
