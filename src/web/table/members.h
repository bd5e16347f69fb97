/* SPDX-License-Identifier: ISC */
/*
 * members.h - who wants to be told: rows of the ledger's table SUBSCRIBER, as far as
 * strangers may change them.
 *
 * Whoever knows an address can type it into the form. So: nothing here tells
 * whether an address is known; a row gets one mail that asks for its
 * confirmation, three at most until it ends by itself; role watch
 * limits them by address once more; and links in mails change nothing before somebody has
 * pressed a button (programs that look for dangers follow links).
 */
#pragma once

#include "web/server.h"
#include "web/page/words.h"

/* A subscription begins: the rest happens behind the visitor's back. False:
 * too much of that is under way. key: as status_subscriber_put_key() makes it;
 * system: an id, or empty for everything. */
bool members_join(struct server *sv, struct str key, enum language language,
    struct str system) WARN_UNUSED;

enum members_answer {
	MEMBERS_DONE,
	MEMBERS_WRONG, /* there is no such row, or the token is not its own */
	MEMBERS_LATER, /* the store could not be asked */
};
typedef void (*members_fn)(void *arg, enum members_answer answer);
/* fn runs later. */
void members_confirm(struct server *sv, struct str key, struct str token,
    members_fn fn, void *arg);
void members_leave(struct server *sv, struct str key, struct str token,
    members_fn fn, void *arg);
