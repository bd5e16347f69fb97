/* SPDX-License-Identifier: ISC */
/*
 * client.h - what an IMAP and a POP3 connection have in common.
 *
 * Each session holds one: the connection and its end, what is told of both in
 * the log and to the watcher, the questions to the store, and the sign-in. What
 * a client says and hears is its protocol's (struct client_kind).
 */
#pragma once

#include "imap/auth_exchange.h"
#include "imap/server.h"

#define CLIENT_ASKS 2 /* requests under way at once */
/* Output is handed on in pieces of about this size. */
#define CLIENT_OUT_CHUNK KIB(64)
#define CLIENT_OUT_MAX   (SIZE_MAX / 2) /* bounded by a message's size */

/* A protocol. Its functions get the session; none is called after closed() but
 * free(). */
struct client_kind {
	size_t in_max; /* before sign-in */
	enum event_id connect, close, timeout, limit, login_fail;
	void (*data)(void *session);    /* of conn_handlers */
	void (*drained)(void *session); /* of conn_handlers */
	/* The client may speak: put the greeting into out. */
	void (*greet)(void *session);
	/* The client was too slow. Say good-bye and close. */
	void (*expired)(void *session, const char *text);
	/* The server cannot go on. Say so and close. */
	void (*bye)(void *session, const char *text);
	/* The store's reply to what client_ask() gave that number. */
	void (*reply)(void *session, unsigned ask, struct ipc_msg *m);
	/* The connection is gone; the store hears of it next. */
	void (*closed)(void *session);
	/* client_done(), and all the rest. */
	void (*free)(void *session);
};

struct client;

struct client_ask {
	struct client *client; /* NULL: this one is free */
	struct ipc_peer *peer; /* a reference, or NULL */
	uint32_t request;
};

struct client {
	const struct client_kind *kind;
	void *session;
	struct server *sv;
	struct conn *conn;
	LIST_ENTRY(client) link;
	uint32_t id;
	enum service service;
	uint64_t started_ms;
	unsigned bad_count;
	unsigned login_failures;
	bool is_dead;                 /* closed() was called */
	struct auth_exchange *auth;   /* a sign-in is under way */
	char *login;                  /* canonical; NULL before */
	struct reach_attempt attempt; /* what will be told of it */
	struct client_ask asks[CLIENT_ASKS];
	struct buf out; /* responses, not yet handed to the connection */
};

/* --- client.c --------------------------------------------------------------- */

/* A new connection, taken, to that port of ours; session is zeroed else. */
struct client_start {
	struct server *sv;
	struct conn_config *config; /* descriptor and TLS are set */
	enum service service;
	uint16_t port;
};
void client_start(struct client *c, const struct client_kind *kind,
    void *session, const struct client_start *start);
void client_done(struct client *c);
/* Hand out to the connection. Call when it is above CLIENT_OUT_CHUNK. */
void client_flush(struct client *c);
/* Log it, and have the protocol say good-bye. */
void client_expire(struct client *c, const char *text);
/* Before sign-in there is an end to patience, however slowly bytes drip. */
bool client_is_dawdling(const struct client *c);
/* One more bad command. True, with a line in the log: it was one too many. */
bool client_was_bad(struct client *c) WARN_UNUSED;
/* A limit was passed: one line of the log. */
void client_log_limit(const struct client *c, const char *what);
/* A reply of the store could not be decoded: a bug on one side. */
void client_log_broken_reply(const struct client *c);

/* Ask the store; kind->reply() hears of the answer from the loop, never after
 * closed(). body is emptied, NULL is an empty one; fd (or -1) is taken. At most
 * CLIENT_ASKS at once. The answer is a number below that. */
unsigned client_ask(
    struct client *c, enum msg_type type, struct buf *body, int fd);
bool client_is_asking(const struct client *c);

/* The store went away: the grants are lost. */
void clients_store_gone(struct server *sv);
/* The worker stops. */
void clients_shutdown(struct server *sv);

/* --- client_auth.c ---------------------------------------------------------- */

/*
 * Begin to sign in; fn hears of each step from the loop, with the session.
 * line: the initial response as it was sent, or NULL. False: it is not base64,
 * and nothing has begun.
 */
bool client_auth_start(struct client *c, auth_answer_fn fn,
    struct str mechanism, const struct str *line) WARN_UNUSED;
/* The same with a name and a password: one step. */
void client_auth_plain(
    struct client *c, auth_answer_fn fn, struct str user, struct str password);
/* It is over, or given up; without one: nothing. */
void client_auth_end(struct client *c);
/* What an AUTH_OK says is noted. */
void client_signed_in(struct client *c, const struct auth_answer *a);
/* What a refusal says is noted, and logged. */
void client_auth_failed(struct client *c, const struct auth_answer *a);
/* One more failure. True: it was one too many, close. */
bool client_has_guessed(struct client *c) WARN_UNUSED;
