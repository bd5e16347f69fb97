/* SPDX-License-Identifier: ISC */
/*
 * check.h - find out who a message from another server is from: SPF, DKIM,
 * DMARC, ARC, and the name of the client.
 *
 * Many messages are under way at a time; each waits for its own look-ups
 * only, and for incoming.timeout at most. What is not known then is a
 * temporary error: nobody's slow name server holds up the mail of others. When
 * too many messages wait already, a further one is to come again (or, where
 * nothing is rejected, goes on with temporary errors).
 */
#pragma once

#include "filter/server.h"

/* Messages under way in one process, and bytes that they hold. */
#define CHECKS_MAX       2000
#define CHECKS_BYTES_MAX MIB(256)
/* DNS questions about one message. */
#define CHECK_QUESTIONS_MAX 250
/* The field with the results: a part of the prefix that store takes. */
#define CHECK_HEADERS_MAX KIB(10)

struct checks *checks_new(struct server *sv);

/* Is there anything to find out about this one? */
bool check_applies(const struct server *sv, const struct msg_analyse *m);

struct check_result {
	enum analyse_verdict verdict;
	struct str reply;   /* for the client, when it is not ACCEPT */
	struct str headers; /* whole lines */
	bool is_junk;
};
/* Runs once, from the loop; the result lives during the call. */
typedef void (*check_fn)(void *arg, const struct check_result *result);

/* message: all of it, as it came. Nothing of m and message is needed after
 * the call. */
void check_start(struct server *sv, const struct msg_analyse *m,
    struct str message, check_fn fn, void *arg);
