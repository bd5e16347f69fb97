/* SPDX-License-Identifier: ISC */
/*
 * dkim_keyset.h - the DKIM keys of a domain as they are read, changed and written.
 *
 * When something is to be done with them is found by keys "T time domain" (they change) and
 * "L time domain" (somebody is to look what DNS has), so that the steps that look for it
 * cost nothing while nothing is due, with any number of domains.
 */
#pragma once

#include "store/dir/dir_internal.h"
#include "store/dir/dkim_record.h"

/* The keys of a domain, and when they were due as they are on disk. */
struct keyset {
	struct buf bytes; /* which the record points into */
	struct dkim_record r;
	uint64_t was_due, was_to_look;
};

/* None at all is fine, too: domains are older than their keys. The caller ends it in any
 * case. */
struct verdict keyset_load(
    struct dir *d, struct str domain, struct keyset *k) WARN_UNUSED;
void keyset_done(struct keyset *k);
/* Into the batch, with the times. */
void keyset_save(
    struct dir_change *c, struct str domain, const struct keyset *k);
/* A change of its own. Who signs hears of it if he has others to sign with
 * (keyset_commit()), or does not, since these are the same. */
struct verdict keyset_commit(
    struct dir *d, struct str domain, const struct keyset *k) WARN_UNUSED;
struct verdict keyset_commit_quietly(
    struct dir *d, struct str domain, const struct keyset *k) WARN_UNUSED;

/* What the setting wants of the keys of a domain (dkim_record_settle()). */
struct verdict dkim_settle(struct dir *d, struct str domain) WARN_UNUSED;

/* Domains of one step. */
#define KEYSETS_DUE_MAX 64
struct keysets_due {
	uint64_t now;
	struct dir_key v[KEYSETS_DUE_MAX];
	size_t n;
};
/* Those that are due by the keys of a kind, 'T' or 'L'; 0 or an error of the engine. */
int keysets_due(struct dir *d, char kind, struct keysets_due *ret) WARN_UNUSED;
/* The domain of such a key. */
struct str keyset_due_domain(const struct dir_key *key);
