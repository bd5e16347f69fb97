/* SPDX-License-Identifier: ISC */
/*
 * auth_exchange.h - one SASL exchange of a client with the auth role.
 *
 * IMAP and POP3 differ only in how a challenge and the result are written;
 * here is what they share: base64 off and on, channel binding, one step at a
 * time. The front never sees a verifier.
 */
#pragma once

#include "base/base64.h"
#include "imap/server.h"

enum auth_result {
	AUTH_CHALLENGE, /* send text (base64) as a continuation */
	AUTH_OK,        /* signed in; login is set */
	AUTH_REFUSED,   /* wrong, or not allowed: reason says which */
	AUTH_LATER,     /* could not be checked now */
};

struct auth_answer {
	enum auth_result result;
	enum reason reason;
	struct str text;  /* base64 of the challenge or of final data */
	struct str login; /* canonical */
	uint64_t account;
	bool is_known; /* it signed in from this address before */
};

struct auth_step; /* one request to the auth role, under way */

typedef void (*auth_answer_fn)(void *arg, const struct auth_answer *answer);

struct auth_exchange {
	struct server *sv;
	struct conn *conn;
	enum service service;
	uint32_t session;
	auth_answer_fn fn;
	void *arg;
	struct auth_step *step; /* NULL: none is under way */
	bool is_started;
	bool sends_final; /* final data was sent as a challenge: the client
	                   * answers with an empty response */
	char *login;
	uint64_t account;
	bool is_known;
};

void auth_exchange_init(struct auth_exchange *x);
/* Cancels what is under way. */
void auth_exchange_done(struct auth_exchange *x);

/*
 * Begin. initial: raw bytes, or NULL when the client sent none. fn runs from
 * the loop, once for each step.
 */
void auth_exchange_start(
    struct auth_exchange *x, struct str mechanism, const struct str *initial);
/* The client's answer to a challenge, as sent. False: it is not base64, or
 * "*"; the exchange is over. */
bool auth_exchange_step(struct auth_exchange *x, struct str line) WARN_UNUSED;
void auth_exchange_cancel(struct auth_exchange *x);
/* LOGIN and USER/PASS: one PLAIN step. */
void auth_exchange_plain(
    struct auth_exchange *x, struct str user, struct str password);

/* May this client send its password in clear text (PLAIN, LOGIN, USER)? */
bool auth_may_plain(const struct server *sv, const struct conn *conn);
/* Does that mechanism do so? */
bool auth_is_plain(struct str mechanism);
/* The mechanisms to offer on this connection, each behind prefix:
 * " AUTH=PLAIN AUTH=..." or " PLAIN ...". */
void auth_put_mechanisms(struct buf *b, const struct server *sv,
    const struct conn *conn, const char *prefix);
