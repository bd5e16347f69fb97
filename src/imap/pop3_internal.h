/* SPDX-License-Identifier: ISC */
/*
 * pop3_internal.h - a POP3 connection and the command it is running.
 *
 * One command runs at a time; what is pipelined waits in the connection's
 * buffer. A command that is not finished when its function returns holds
 * the session with pop3_hold() and ends with pop3_finish().
 *
 *   AUTHORIZATION --PASS, AUTH and the maildrop is open--> TRANSACTION
 *   TRANSACTION --QUIT--> UPDATE (removes what DELE marked) --> CLOSED
 *   any --time-out, too many errors, store gone, end of input--> CLOSED
 *
 * Only UPDATE removes messages, and only QUIT enters it (RFC 1939 section 6).
 */
#pragma once

#include "imap/client.h"
#include "imap/pop3.h"
#include "imap/pop3_drop.h"
#include "base/line.h"
#include "proto/pop3/pop3_command.h"
#include "proto/pop3/pop3_write.h"

#define POP3_SEEN_MAX 100 /* read messages before \Seen is set for them */

enum pop3_state {
	POP3_AUTHORIZATION,
	POP3_TRANSACTION,
	POP3_UPDATE,
	POP3_CLOSED,
};

struct pop3;

typedef void (*pop3_fn)(struct pop3 *p);
typedef void (*pop3_reply_fn)(struct pop3 *p, struct ipc_msg *m);

/* RETR or TOP under way. */
struct pop3_reading {
	struct pop3_writer writer;
	struct pop3_message *message;
	uint64_t offset; /* of the shared bytes: read so far */
	uint64_t total;  /* shared bytes; known after the first answer */
	bool is_top;
};

struct pop3 {
	struct client client;
	enum pop3_state state;
	bool is_in_input;    /* pop3_input() is on the stack */
	bool is_held;        /* a command is under way */
	bool is_answering;   /* in the middle of a multi-line response */
	bool is_in_exchange; /* the next line belongs to SASL */
	struct line_framer framer;
	char *user; /* USER said so; NULL before */
	struct pop3_drop drop;
	struct pop3_reading reading;
	size_t at; /* position of LIST, UIDL and of the removal at QUIT */
	bool is_listing_ids;
	struct buf seen; /* UID set: \Seen is to be set */
	size_t seen_count;
	uint32_t seen_last;
	pop3_fn drained;        /* waiting for output to drain; may be NULL */
	pop3_reply_fn reply_fn; /* for the reply to the request under way */
};

/* --- pop3.c ----------------------------------------------------------------- */

/* Single-line responses, into the client's out. */
void pop3_ok(struct pop3 *p, const char *text);
void pop3_err(struct pop3 *p, const char *code, const char *text);
/* Hold further input until pop3_finish(). */
void pop3_hold(struct pop3 *p);
void pop3_finish(struct pop3 *p);
/* True: output is above the high-water mark; fn runs when there is room. */
bool pop3_wait_drained(struct pop3 *p, pop3_fn fn);
/* Nothing more is read; what is queued goes out, then the connection ends. */
void pop3_close(struct pop3 *p);
/* Ask the store; fn runs when the reply is there, never after the session's
 * end. body is emptied. One request at a time. */
void pop3_ask(
    struct pop3 *p, enum msg_type type, struct buf *body, pop3_reply_fn fn);
/* What a reply that is not DONE means, as a -ERR line. */
void pop3_err_store(struct pop3 *p, const struct ipc_msg *m);
/* The maildrop is open. */
void pop3_opened(struct pop3 *p);

/* --- pop3_auth.c -------------------------------------------------------------- */
void pop3_cmd_capa(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_stls(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_user(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_pass(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_apop(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_auth(struct pop3 *p, const struct pop3_command *c);
/* A line of the client inside a SASL exchange. */
void pop3_auth_line(struct pop3 *p, struct str line);
/* Forget an exchange and a name from USER. */
void pop3_auth_reset(struct pop3 *p);

/* --- pop3_open.c -------------------------------------------------------------- */

/* After sign-in: open the maildrop; ends the command that is under way. */
void pop3_open(struct pop3 *p);

/* --- pop3_list.c -------------------------------------------------------------- */
void pop3_cmd_stat(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_list(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_dele(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_rset(struct pop3 *p, const struct pop3_command *c);
void pop3_cmd_noop(struct pop3 *p, const struct pop3_command *c);
/* The message a command names, or NULL after -ERR. */
struct pop3_message *pop3_message_of(
    struct pop3 *p, const struct pop3_command *c);

/* --- pop3_retr.c -------------------------------------------------------------- */
void pop3_cmd_retr(struct pop3 *p, const struct pop3_command *c);
void pop3_reading_done(struct pop3 *p);

/* --- pop3_quit.c -------------------------------------------------------------- */
void pop3_cmd_quit(struct pop3 *p, const struct pop3_command *c);
/* A message was read as a whole. */
void pop3_saw(struct pop3 *p, struct pop3_message *m);
/* Tell the store what was read; not waited for. */
void pop3_send_seen(struct pop3 *p);
