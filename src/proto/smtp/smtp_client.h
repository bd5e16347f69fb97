/* SPDX-License-Identifier: ISC */
/*
 * smtp_client.h - our side of the dialogue with another SMTP or LMTP server.
 *
 * A pure machine: bytes of the server go in, bytes for it and events come
 * out. Whoever owns the connection moves bytes, runs the timers and does what
 * the events say:
 *
 *   new -> ... START_TLS -> tls_started() ... -> READY -> mail() -> RESULT*
 *       -> BODY -> body()* end() -> RESULT* -> MAIL_DONE -> mail() | quit()
 *       -> CLOSED, which may come at any time and is the last event.
 *
 * Every recipient of a mail() gets exactly one RESULT, whatever happens. A
 * message is delivered when the reply to its end says so, never before. What
 * fails before that end fails temporarily, unless the server says otherwise;
 * when the connection is lost behind it, nobody knows, and RESULT says that
 * trying again may give the recipient a second copy.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/smtp/smtp_client_caps.h"
#include "proto/smtp/smtp_command.h"
#include "proto/smtp/smtp_reply.h"

/* Bytes that one smtp_client_body() may bring. */
#define SMTP_CLIENT_CHUNK_MAX KIB(256)
/* Commands sent ahead of their replies. */
#define SMTP_CLIENT_WINDOW 200

enum smtp_client_tls {
	SMTP_CLIENT_TLS_MAY,   /* use STARTTLS when it is offered */
	SMTP_CLIENT_TLS_MUST,  /* no mail without it */
	SMTP_CLIENT_TLS_NEVER, /* not even when it is offered */
};

/*
 * SCRAM-SHA-256, which needs cryptography, by whoever has that. in: what the
 * server said, decoded, empty at first; the answer is appended to out. False:
 * the server is not who it should be, or talks nonsense.
 */
struct smtp_client_scram {
	bool (*step)(void *arg, struct str in, struct buf *out);
	/* Has the server proved itself? */
	bool (*is_done)(void *arg);
	void *arg;
};

/* Strings have to live as long as the client does. */
struct smtp_client_config {
	struct str helo; /* our host name, or an address literal */
	bool is_lmtp;
	bool has_tls; /* the connection began with TLS */
	enum smtp_client_tls tls;
	unsigned ignore;  /* of enum smtp_cap: as if not announced */
	struct str login; /* not empty: sign in */
	struct str password;
	bool allow_cleartext_auth; /* sign in without TLS, too */
	/* Used before PLAIN and LOGIN, when it is offered. step NULL: never. */
	struct smtp_client_scram scram;
};

enum smtp_client_stage {
	SMTP_CLIENT_GREETING, /* waiting for what the name says */
	SMTP_CLIENT_EHLO,
	SMTP_CLIENT_HELO,
	SMTP_CLIENT_STARTTLS,
	SMTP_CLIENT_HANDSHAKE, /* the caller does TLS */
	SMTP_CLIENT_AUTH,
	SMTP_CLIENT_READY, /* nothing is asked: idle */
	SMTP_CLIENT_RSET,
	SMTP_CLIENT_MAIL,
	SMTP_CLIENT_RCPT,
	SMTP_CLIENT_DATA,
	SMTP_CLIENT_BODY, /* the caller sends the message */
	SMTP_CLIENT_END,  /* the end was sent: its reply decides */
	SMTP_CLIENT_QUIT,
	SMTP_CLIENT_CLOSED,
};

enum smtp_client_event_type {
	SMTP_CLIENT_EVENT_NONE,      /* all input is used: read more */
	SMTP_CLIENT_EVENT_START_TLS, /* do the handshake, then tls_started() */
	SMTP_CLIENT_EVENT_READY,     /* mail() or quit() */
	SMTP_CLIENT_EVENT_RESULT,    /* of recipient rcpt: see outcome */
	SMTP_CLIENT_EVENT_BODY,      /* body() until all is sent, end() */
	SMTP_CLIENT_EVENT_MAIL_DONE, /* mail() or quit(), see is_reusable */
	SMTP_CLIENT_EVENT_CLOSED, /* send what is left of the output; close */
};

enum smtp_client_flags {
	/* No reply says so: text is ours, code is 0. */
	SMTP_CLIENT_IS_LOCAL = 1 << 0,
	/* Lost behind the end of the message: it may have arrived. */
	SMTP_CLIENT_MAY_DUPLICATE = 1 << 1,
	/* Too many recipients at once: this one may go again at once. */
	SMTP_CLIENT_IS_TOO_MANY = 1 << 2,
	/* The connection ended or time ran out. */
	SMTP_CLIENT_IS_LOST = 1 << 3,
	/* The server does not speak the protocol. */
	SMTP_CLIENT_IS_PROTOCOL = 1 << 4,
};

struct smtp_client_event {
	enum smtp_client_event_type type;
	/* RESULT: DONE, TEMPFAIL or PERMFAIL. CLOSED: DONE after quit(), else
	 * why there is no session, or no longer one. */
	enum outcome outcome;
	unsigned flags; /* of enum smtp_client_flags */
	size_t rcpt;
	bool is_reusable;             /* MAIL_DONE: the server takes another */
	enum smtp_client_stage stage; /* where it was decided */
	int code;                     /* of the reply */
	/* From the reply's text, or X.0.0 after its code; ours if local. */
	struct smtp_status status;
	/* The whole reply, word for word, lines separated by '\n'; any bytes.
	 * Valid until the next call of anything of this client. */
	struct str text;
};

enum smtp_client_loss {
	SMTP_CLIENT_LOSS_CLOSED,  /* end of file or reset */
	SMTP_CLIENT_LOSS_TIMEOUT, /* the caller's timer */
	SMTP_CLIENT_LOSS_TLS,     /* handshake or record error */
	SMTP_CLIENT_LOSS_LOCAL,   /* the caller has to stop */
};

struct smtp_client_rcpt {
	struct str to;    /* as smtp_mailbox_format() writes it */
	unsigned notify;  /* of enum smtp_notify; 0: not given */
	struct str orcpt; /* "rfc822;address", decoded; empty: not given */
};

/*
 * What smtp_client_mail() sends. All of it is lent until MAIL_DONE or CLOSED.
 * What the peer does not know is left out where the standards allow it; else
 * the recipients fail with a local reply.
 */
struct smtp_client_mail {
	struct str from; /* as smtp_mailbox_format() writes it; empty: <> */
	const struct smtp_client_rcpt *rcpts;
	size_t n_rcpts;
	uint64_t size; /* bytes that body() will bring in all */
	enum smtp_body body;
	bool is_smtputf8;    /* the header is not ASCII */
	bool has_requiretls; /* not without REQUIRETLS, not without TLS */
	bool has_priority;
	int priority; /* MT-PRIORITY, -9 to 9 */
	enum smtp_ret ret;
	struct str envid;      /* decoded; empty: none */
	struct str hold_until; /* RFC 3339; empty: none */
	char by_mode;          /* 'R', 'N', 0: none */
	bool by_trace;
	int64_t by_seconds; /* from now */
};

struct smtp_client;

struct smtp_client *smtp_client_new(const struct smtp_client_config *config);
/* NULL is allowed. Returns NULL. */
struct smtp_client *smtp_client_free(struct smtp_client *c);

/*
 * The next event. Takes bytes of *in, all of them before it says NONE. After
 * any other function here, and when input came, call it until NONE, then send
 * the output. Returns ret->type.
 */
enum smtp_client_event_type smtp_client_next(struct smtp_client *c,
    struct str *in, struct smtp_client_event *ret) WARN_UNUSED;

/* What is to be sent. The caller takes bytes, or the buffer's content. */
struct buf *smtp_client_out(struct smtp_client *c);

/* After START_TLS: the handshake is done. Everything known is forgotten. */
void smtp_client_tls_started(struct smtp_client *c);

/* After READY, or MAIL_DONE with is_reusable. n_rcpts is at least 1. */
void smtp_client_mail(
    struct smtp_client *c, const struct smtp_client_mail *mail);

/*
 * After BODY: the next bytes of the message, at most SMTP_CLIENT_CHUNK_MAX.
 * The output has to be taken before the next chunk. Nothing happens when the
 * server ended the dialogue in the meantime.
 */
void smtp_client_body(struct smtp_client *c, struct str chunk);
/*
 * The message is complete. When it is shorter or longer than was said, or
 * is_complete is false (it could not be read), its end is not sent: all
 * recipients fail temporarily and the connection is given up.
 */
void smtp_client_end(struct smtp_client *c, bool is_complete);

/* When READY or MAIL_DONE was said: end the session politely. */
void smtp_client_quit(struct smtp_client *c);

/*
 * The connection is gone. unsent: bytes taken from the output of which is
 * known that they never left. Recipients that wait get their result.
 */
void smtp_client_lost(
    struct smtp_client *c, enum smtp_client_loss loss, size_t unsent);

enum smtp_client_stage smtp_client_stage(const struct smtp_client *c);
/* Seconds to wait in this stage (RFC 5321 section 4.5.3.2). */
unsigned smtp_client_timeout(enum smtp_client_stage stage);
/* "RCPT TO", for log and reports. */
const char *smtp_client_stage_str(enum smtp_client_stage stage);
/* What the server can do; true after READY. */
const struct smtp_caps *smtp_client_caps(const struct smtp_client *c);
/* Mails whose end was answered. */
uint32_t smtp_client_mails(const struct smtp_client *c);
/* Replies that were whole. */
uint32_t smtp_client_replies(const struct smtp_client *c);
