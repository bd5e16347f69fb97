/* SPDX-License-Identifier: ISC */
/*
 * smtp_line_internal.h - the parts of the connections: smtp_line.c is one of them,
 * smtp_lines.c knows all that are idle.
 */
#pragma once

#include "proto/smtp/smtp_client.h"
#include "watch/outbox/smtp_line.h"

#include <sys/queue.h>

enum line_state {
	LINE_OPENING, /* with a mail that waits */
	LINE_MAIL,
	LINE_IDLE,
	LINE_LEAVING,
};

struct smtp_line {
	TAILQ_ENTRY(smtp_line) link; /* while it is idle */
	struct smtp_lines *all;
	struct server *sv;
	enum line_state state;
	/* whom it is to */
	char host[DNS_NAME_MAX + 1];
	uint16_t port;
	bool is_relay;
	struct str login, password;
	/* connection */
	struct addresses *addresses;
	struct connect *connect;
	struct conn *conn;
	struct smtp_client *client;
	struct loop_timer *timer;    /* while it is idle, and behind QUIT */
	char helo[DNS_NAME_MAX + 1]; /* the configuration may change */
	bool is_without_tls, is_ending, is_pumping;
	uint32_t mails; /* that it carried, whatever came of them */
	/* the mail under way; fn NULL: there is none */
	const struct smtp_try_wish *wish;
	smtp_line_fn fn;
	void *arg;
	struct smtp_client_rcpt rcpt;
	struct smtp_client_mail mail;
	bool is_known; /* the result is */
	bool is_stale;
	enum outcome outcome;
	bool is_about_mail;
	char said[SMTP_TRY_SAID_MAX + 1];
};

TAILQ_HEAD(idle_lines, smtp_line);

struct smtp_lines {
	struct loop *loop;
	struct idle_lines idle; /* the longest first */
	size_t n_idle;
};

void smtp_line_enter(struct smtp_line *l, enum line_state state);
/* It has its first mail already. */
void smtp_line_open(struct smtp_line *l);
/* It was idle, and has another one. */
void smtp_line_begin_mail(struct smtp_line *l);
/* Go on with the dialogue: *in is what came. */
void smtp_line_pump(struct smtp_line *l, struct str *in);
/* An idle one says good-bye; one that did, and got no answer, ends. */
void smtp_line_leave(void *line);
