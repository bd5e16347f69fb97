/* SPDX-License-Identifier: ISC */
/*
 * session.h - one SMTP or LMTP client: states, input, replies, questions.
 *
 *  HELLO --EHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA--> DATA
 *    ^               ^  |                          |                |
 *    |               |  +--AUTH--> AUTH            +--BDAT--> CHUNK |
 *    +--STARTTLS-----+  <--end---------+                    |  ^    |
 *                    |                                      v  |BDAT
 *                    |                       LAST <-------- BDAT    |
 *                    |                         |                    |
 *                    +--reply--- DELIVERING <--+---CRLF.CRLF--------+
 *
 * Every state is entered by session_enter(), which arms its deadline. What is
 * legal in which state is in the table of command.c. While a question to
 * another process is open (ask != NULL) no input is looked at, so commands of
 * a pipelining client are answered in order. ENDED is final: the connection
 * is closing, and closed() frees the session.
 */
#pragma once

#include "base/line.h"
#include "net/conn.h"
#include "proto/smtp/smtp_data.h"
#include "smtp/envelope.h"
#include "smtp/message.h"
#include "smtp/reply.h"
#include "smtp/server.h"

enum state {
	STATE_GREETING,   /* implicit TLS: the handshake runs */
	STATE_HELLO,      /* waits for EHLO, HELO or LHLO */
	STATE_READY,      /* no transaction */
	STATE_AUTH,       /* SASL exchange */
	STATE_MAIL,       /* has a sender */
	STATE_RCPT,       /* has a recipient */
	STATE_DATA,       /* the message, to CRLF.CRLF */
	STATE_CHUNK,      /* bytes of a BDAT chunk */
	STATE_BDAT,       /* between two chunks */
	STATE_DELIVERING, /* the message is complete; filter, then store */
	STATE_ENDED,
};
#define STATE_BIT(s) (1U << (s))

struct session;
typedef void (*answer_fn)(struct session *s, struct ipc_msg *m);

/* A question to another process. It outlives the session when that ends
 * first; its answer then goes nowhere. */
struct ask {
	struct server *sv;
	struct session *session; /* NULL: gone meanwhile */
	answer_fn fn;
};

struct session {
	LIST_ENTRY(session) link;
	struct server *sv;
	struct conn *conn;
	struct loop_timer *timer;
	uint64_t deadline_ms;  /* of the state */
	uint64_t bytes_before; /* received before the state was entered */
	enum service service;
	enum state state;
	uint32_t id; /* on the internal protocol */
	struct line_framer lines;
	struct ask *ask;
	char sid[TRACE_ID_LEN + 1]; /* of the connection, for logs */

	char *helo; /* as said, checked */
	bool is_esmtp;
	char *login;       /* signed in as; NULL: not */
	char *final_login; /* signed in, once the client has confirmed SCRAM's
	                    * last message */
	bool was_asked;    /* an AUTH_STEP went out: SESSION_CLOSE at the end */
	bool is_expired;   /* a timeout ended it */
	uint32_t errors, messages, accepted;

	struct envelope env;
	struct rcpt *rcpt; /* the one that is being checked */

	struct message *message;
	struct smtp_data data;
	uint64_t chunk_left;
	bool chunk_is_last;
	enum reply_id chunk_reply;    /* why the chunk is only skipped */
	char trace[TRACE_ID_LEN + 1]; /* of the message */
	uint64_t received;            /* when it was complete */
	struct buf structure, headers;
	unsigned missing;   /* MIME_LACKS_* */
	struct buf authors; /* msg_text: still to be checked */
	void (*checked)(struct session *s);
	bool has_added;           /* Date or Message-ID were put in front */
	bool has_cut;             /* forged fields were taken out */
	bool is_junk;             /* the filter says so */
	unsigned retries;         /* of DELIVER, after the store went away */
	bool is_retrying;         /* waits for the retry timer */
	struct loop_timer *retry; /* made when it is needed */
	struct sockaddr_storage peer; /* as front.c counted it */
	struct reach_attempt attempt; /* what will be told of it */
};

/* A connection that came in. */
struct session_start {
	enum service service;
	int fd;        /* taken */
	uint16_t port; /* of ours */
	const struct sockaddr_storage *peer;
};
void session_new(struct server *sv, const struct session_start *start);
/* The worker stops: say 421 when idle, abort when it must be over. */
void session_shutdown(struct session *s, bool is_abort);

/* --- for the commands -------------------------------------------------------- */

void session_enter(struct session *s, enum state state);
bool session_is_lmtp(const struct session *s);
bool session_is_submission(const struct session *s);

void session_reply(struct session *s, enum reply_id id);
/* With a text of its own. */
void session_reply_text(struct session *s, enum reply_id id, const char *text);
/* For lines that are no replies: challenges of SASL. */
void session_put(struct session *s, struct str line);
/* Reply, then close. */
void session_end(struct session *s, enum reply_id id);

/*
 * Ask another process; input rests until fn has run. body is copied, fd (or -1)
 * taken. fn gets a TEMPFAIL when there is nobody to ask. One at a time.
 */
struct question {
	enum role to;
	enum msg_type type;
	struct str body;
	int fd;
	answer_fn fn;
};
void session_ask(struct session *s, const struct question *q);
/* An answer is waited for, so no input is looked at. */
bool session_is_asking(const struct session *s);

/* Forget the transaction; back to READY, or HELLO before EHLO. */
void session_reset(struct session *s);
void session_drop_message(struct session *s);

/* A limit was passed: one log line. */
void session_log_limit(struct session *s, const char *limit);
void session_log_syntax(struct session *s, const char *what);
