/* SPDX-License-Identifier: ISC */
/*
 * talk.h - our side of a dialogue with an IMAP (RFC 9051), POP3 (RFC 1939) or
 * ManageSieve (RFC 5804) server: greeting, STARTTLS, sign in, a few commands.
 *
 * A pure machine: bytes of the server go in, bytes for it and events come out.
 * It understands as much as it takes to know whether a server works; it signs in
 * only behind TLS.
 *
 *   greeting -> [START_TLS -> talk_secured()] -> [login] -> READY
 *       -> talk_command() -> ANSWER | REFUSED, as often as wanted
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

#define TALK_LINE_MAX     KIB(8)
#define TALK_LITERAL_MAX  MIB(1)
#define TALK_UNTAGGED_MAX KIB(32)
#define TALK_KEPT_MAX     KIB(32)

enum talk_kind { TALK_IMAP, TALK_POP3, TALK_SIEVE };

enum talk_stage {
	TALK_GREETING,
	TALK_STARTTLS,
	TALK_HANDSHAKE,  /* the caller does TLS */
	TALK_CAPABILITY, /* Sieve tells what it can after TLS */
	TALK_USER,
	TALK_LOGIN,
	TALK_IDLE,
	TALK_COMMAND,
	TALK_OVER,
};

enum talk_event {
	TALK_MORE,      /* all input is used: read more */
	TALK_START_TLS, /* send the output, do the handshake, talk_secured() */
	TALK_READY,
	TALK_ANSWER,   /* the command was done; talk_untagged() */
	TALK_REFUSED,  /* final but after a command: talk_text() says why */
	TALK_NONSENSE, /* final: not an answer of this protocol */
};

/* Strings have to live as long as the talk does. */
struct talk_config {
	enum talk_kind kind;
	bool starts_tls;  /* STARTTLS or STLS, else fail */
	bool has_tls;     /* the connection began with TLS */
	struct str login; /* empty: do not sign in */
	struct str password;
};

struct talk {
	struct talk_config config;
	enum talk_stage stage;
	bool has_tls;
	bool is_secret; /* what is in out */
	bool has_event;
	enum talk_event event; /* for the next call */
	unsigned tag;
	uint64_t skip;     /* bytes of a literal that are still to come */
	bool is_continued; /* the line goes on behind it */
	struct buf out;
	struct buf untagged;
	struct buf kept; /* of literals */
	char text[160];
};

void talk_init(struct talk *t, const struct talk_config *config);
void talk_done(struct talk *t);
/* Takes bytes off the front of *in, all before it says MORE. */
enum talk_event talk_next(struct talk *t, struct str *in) WARN_UNUSED;
/* What is to be sent; the caller empties it, and shows nothing of it when
 * is_secret. */
struct buf *talk_out(struct talk *t);
void talk_secured(struct talk *t);
/* After READY, ANSWER, or REFUSED of a command: a line without its end. IMAP
 * only; its tag is put in front. */
void talk_command(struct talk *t, struct str line);
/* LOGOUT or QUIT; nothing is read any more. */
void talk_end(struct talk *t);
/* Lines without "* " that came since the command, with '\n' behind each. */
struct str talk_untagged(const struct talk *t);
/* The first TALK_KEPT_MAX bytes of the literals that came since the command. */
struct str talk_literals(const struct talk *t);
/* The reply that refused, with control characters replaced. */
const char *talk_text(const struct talk *t);
enum talk_stage talk_stage(const struct talk *t);
