/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_internal.h - the client's state, shared by its files: session
 * (smtp_client.c) and how it begins (smtp_client_open.c), transaction
 * (smtp_client_mail.c) and the text of its commands (smtp_client_command.c).
 *
 * A transaction is one sequence of commands, known when it begins:
 *
 *   [RSET] MAIL RCPT... DATA
 *
 * Replies come in the order of the commands, so two numbers say everything:
 * how many were sent and how many were answered. With PIPELINING the first
 * runs ahead of the second.
 */
#pragma once

#include "proto/smtp/smtp_client.h"
#include "proto/smtp/smtp_client_body.h"
#include "proto/smtp/smtp_client_reply.h"

enum rcpt_state {
	RCPT_OPEN,     /* asked, or to be asked */
	RCPT_ACCEPTED, /* will get the message */
	RCPT_TOLD,     /* its result is out */
};

/* What a reply, or its absence, means for those whom it concerns. */
struct smtp_verdict {
	enum outcome outcome;
	unsigned flags;
	enum smtp_client_stage stage;
	int code;
	struct smtp_status status;
	struct str text;
};

struct smtp_transaction {
	const struct smtp_client_mail *mail;
	uint8_t *states; /* of enum rcpt_state, one a recipient */
	size_t *order;   /* the recipients that are sent, in this order */
	size_t n_order;
	bool has_rset;
	bool use_bdat;
	bool is_stopped; /* MAIL failed: ask nothing more, hear the rest */
	bool is_ended;   /* the end of a message was answered */
	bool is_overrun; /* more bytes came than were said */
	size_t sent, answered;
	size_t n_accepted;  /* by the server, whatever we told */
	size_t lmtp_next;   /* in order: whose reply to the end comes next */
	size_t told_up_to;  /* of all recipients, while is_telling */
	size_t looked_at;   /* of all recipients, before anything is sent */
	uint64_t body_left; /* bytes that are missing */
	struct smtp_client_body body;
};

struct smtp_client {
	struct smtp_client_config config;
	struct smtp_client_reader reader;
	struct buf out;
	struct arena arena; /* for one command */
	struct smtp_caps caps;
	enum smtp_client_stage stage;
	bool has_tls;
	bool is_open;       /* a transaction is under way */
	bool needs_rset;    /* the last one may have left something */
	bool is_telling;    /* verdict goes to all that wait */
	bool is_ending;     /* CLOSED comes when all is told */
	unsigned auth_step; /* messages of ours in AUTH */
	uint32_t mails, replies;
	size_t one; /* is_telling_one: to whom */
	bool is_telling_one;
	bool is_lost; /* said by the caller, not acted on yet */
	enum smtp_client_loss loss;
	size_t unsent;
	enum smtp_client_event_type event; /* to be handed out */
	struct smtp_verdict verdict;
	struct smtp_transaction t;
};

/* --- smtp_client.c --- */

/* The verdict that the reply which was just read gives. */
struct smtp_verdict smtp_client_judge(const struct smtp_client *c);
/* A verdict of our own; text is a literal. */
struct smtp_verdict smtp_client_local(const struct smtp_client *c,
    enum outcome outcome, struct smtp_status status, const char *text);
/* Tell everyone who waits, then CLOSED. */
void smtp_client_give_up(struct smtp_client *c, struct smtp_verdict verdict);
/* The reply makes no sense here. */
void smtp_client_protocol(struct smtp_client *c, const char *text);

/* --- smtp_client_open.c --- */

/* A reply came between the greeting and READY. */
void smtp_client_open_reply(struct smtp_client *c);

/* --- smtp_client_mail.c --- */

/* A reply came while a transaction is open. */
void smtp_client_mail_reply(struct smtp_client *c);
/* Send what may be sent; find out that the transaction is over. */
void smtp_client_mail_go_on(struct smtp_client *c);
void smtp_client_mail_done(struct smtp_client *c);

/* --- smtp_client_command.c --- */

void smtp_client_put_mail(struct smtp_client *c);
void smtp_client_put_rcpt(struct smtp_client *c, size_t rcpt);
/* Whether mail can go to this server at all. */
bool smtp_client_can_mail(struct smtp_client *c,
    const struct smtp_client_mail *mail, struct smtp_verdict *ret) WARN_UNUSED;
/* Whether its recipient can. */
bool smtp_client_can_rcpt(struct smtp_client *c,
    const struct smtp_client_rcpt *rcpt, struct smtp_verdict *ret) WARN_UNUSED;
