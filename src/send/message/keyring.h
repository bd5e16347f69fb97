/* SPDX-License-Identifier: ISC */
/*
 * keyring.h - the keys that sign the mail of our domains, as the store has
 * them, for a little while.
 *
 * The store tells when keys of a domain change (MSG_DKIM_CHANGED): what was
 * known of it is stale at once, also for those who hold it. Besides, nothing
 * is believed for longer than a minute.
 */
#pragma once

#include "base/crypt.h"
#include "proc/ipc_msgs.h"
#include "proto/dkim/dkim_sign.h"
#include "send/table.h"

#include <sys/queue.h>

struct server;
struct keyring;

/* The active keys of one domain: of each kind at most one, none if it has
 * none or is not ours. Shared; unchanged for as long as somebody holds it. */
struct keyset {
	unsigned refs;
	bool is_stale; /* its keys may have been taken back */
	size_t n;
	struct dkim_sign_key keys[DKIM_SIGN_KEYS_MAX];
	char *domain; /* as DNS has it */
};

struct keyset *keyset_ref(struct keyset *k);
void keyset_unref(struct keyset *k); /* NULL is fine */

/* Who waits for an answer. */
struct keyring_wait {
	TAILQ_ENTRY(keyring_wait) link;
	/* DONE: set is a reference for the callee. TEMPFAIL: the store did not
	 * answer. PERMFAIL: it has keys that cannot be used. */
	void (*fn)(
	    struct keyring_wait *w, enum outcome outcome, struct keyset *set);
};

struct keyring *keyring_new(struct server *sv);
/*
 * The keys of a domain, which need not be ours. They come by w->fn, perhaps
 * before this returns; w lives until then.
 */
void keyring_ask(struct keyring *k, struct str domain, struct keyring_wait *w);
/* Its keys have changed; empty: all that is known may be stale. */
void keyring_forget(struct keyring *k, struct str domain);
