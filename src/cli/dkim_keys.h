/* SPDX-License-Identifier: ISC */
/*
 * dkim_keys.h - DKIM keys as the command line makes and reads them.
 *
 * Keys are made here and not in the store, whose one thread has no time for
 * finding primes. The private part goes from here to the store, and to nobody
 * else.
 */
#pragma once

#include "base/crypt.h"
#include "cli/admin.h"

#define DKIM_KEYS_RSA_BITS 2048

/*
 * Ask for the keys of a domain, or of all (STR_NONE), and call fn for each of
 * them, all of a domain together. An exit code. The row is valid during the
 * call.
 */
typedef void (*dkim_row_fn)(void *arg, const struct msg_dkim_row *row);
int dkim_keys_each(
    struct admin *a, struct str domain, dkim_row_fn fn, void *arg) WARN_UNUSED;

/* Selectors, each ended by a line feed: those that are taken already. */
int dkim_keys_selectors(
    struct admin *a, struct str domain, struct buf *ret) WARN_UNUSED;

/*
 * Append a dkim_new with a key that is there. False when it does not fit or
 * has no private part.
 */
bool dkim_keys_put(const struct crypt_key *key, struct str selector,
    struct buf *to) WARN_UNUSED;
/*
 * Make a key and append its dkim_new; its selector, "ms202611r" for RSA and
 * "ms202611e" for Ed25519 in November 2026, or with a number behind it when
 * that is taken, is appended to selectors. False when the library fails.
 */
bool dkim_keys_make(
    enum crypt_kind kind, struct buf *selectors, struct buf *to) WARN_UNUSED;
/* One of each kind. */
bool dkim_keys_make_pair(struct buf *selectors, struct buf *to) WARN_UNUSED;
