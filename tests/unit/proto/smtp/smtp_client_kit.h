/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_kit.h - dialogues with other servers, as scripts.
 *
 * A script is what the server says; the trace is what the client sends (">")
 * and what it reports ("!"). Every script runs whole and byte by byte.
 */
#pragma once

#include "../../test.h"
#include "proto/smtp/smtp_client.h"

struct run {
	struct smtp_client *c;
	struct buf trace;
	const struct smtp_client_mail *mails;
	size_t n_mails, next;
	struct str body;
	bool is_body_cut;  /* the message cannot be read to its end */
	bool is_body_held; /* its end is not there yet */
};

static const char *const types[] = { "none", "tls", "ready", "rcpt", "body",
	"done", "closed" };

static void
put_escaped(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r')
			continue;
		else if (s.p[i] == '\n')
			buf_put_char(to, '|');
		else if (s.p[i] == '\0')
			buf_put_char(to, '0');
		else
			buf_put_char(to, s.p[i]);
}

static void
take_output(struct run *r)
{
	struct buf *out = smtp_client_out(r->c);

	if (out->n > 0) {
		buf_put_c(&r->trace, ">");
		put_escaped(&r->trace, buf_str(out));
		buf_put_c(&r->trace, "\n");
	}
	buf_reset(out, 0);
}

static void
put_event(struct run *r, const struct smtp_client_event *e)
{
	buf_printf(&r->trace, "!%s", types[e->type]);
	if (e->type == SMTP_CLIENT_EVENT_RESULT)
		buf_printf(&r->trace, " %zu", e->rcpt);
	if (e->type == SMTP_CLIENT_EVENT_RESULT ||
	    e->type == SMTP_CLIENT_EVENT_CLOSED) {
		buf_printf(&r->trace, " %s %s %d %d.%d.%d",
		    outcome_str(e->outcome), smtp_client_stage_str(e->stage),
		    e->code, e->status.class, e->status.subject,
		    e->status.detail);
		if (e->flags & SMTP_CLIENT_MAY_DUPLICATE)
			buf_put_c(&r->trace, " dup");
		if (e->flags & SMTP_CLIENT_IS_TOO_MANY)
			buf_put_c(&r->trace, " many");
		if (e->flags & SMTP_CLIENT_IS_LOST)
			buf_put_c(&r->trace, " lost");
		if (e->flags & SMTP_CLIENT_IS_PROTOCOL)
			buf_put_c(&r->trace, " proto");
		if (!(e->flags & SMTP_CLIENT_IS_LOCAL)) {
			buf_put_c(&r->trace, " ");
			put_escaped(&r->trace, e->text);
		}
	}
	if (e->type == SMTP_CLIENT_EVENT_MAIL_DONE && !e->is_reusable)
		buf_put_c(&r->trace, " last");
	buf_put_c(&r->trace, "\n");
}

static void
next_mail(struct run *r, bool is_reusable)
{
	if (r->next < r->n_mails && is_reusable)
		smtp_client_mail(r->c, &r->mails[r->next++]);
	else
		smtp_client_quit(r->c);
}

static void
act(struct run *r, const struct smtp_client_event *e)
{
	switch (e->type) {
	case SMTP_CLIENT_EVENT_READY:
		next_mail(r, true);
		break;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		next_mail(r, e->is_reusable);
		break;
	case SMTP_CLIENT_EVENT_START_TLS:
		break;
	case SMTP_CLIENT_EVENT_BODY:
		take_output(r);
		smtp_client_body(r->c, r->body);
		if (!r->is_body_held)
			smtp_client_end(r->c, !r->is_body_cut);
		break;
	case SMTP_CLIENT_EVENT_NONE:
	case SMTP_CLIENT_EVENT_RESULT:
	case SMTP_CLIENT_EVENT_CLOSED:
		break;
	}
}

static void
feed(struct run *r, struct str in)
{
	struct smtp_client_event e;

	for (;;) {
		enum smtp_client_event_type type =
		    smtp_client_next(r->c, &in, &e);

		if (type == SMTP_CLIENT_EVENT_NONE)
			break;
		if (type != SMTP_CLIENT_EVENT_READY)
			put_event(r, &e);
		act(r, &e);
	}
	CHECK(in.n == 0, "all input is used");
	take_output(r);
}

/* The script's steps: each is one portion of the server's bytes. */
static void
play(struct run *r, const char *const *script, bool by_byte)
{
	for (; *script; script++) {
		struct str in = str_c(*script);

		if (str_eq(in, STR("<tls>"))) {
			smtp_client_tls_started(r->c);
			feed(r, STR_NONE);
		} else if (str_eq(in, STR("<lost>"))) {
			smtp_client_lost(r->c, SMTP_CLIENT_LOSS_CLOSED, 0);
			feed(r, STR_NONE);
		} else if (str_eq(in, STR("<unsent>"))) {
			smtp_client_lost(r->c, SMTP_CLIENT_LOSS_TIMEOUT, 3);
			feed(r, STR_NONE);
		} else if (!by_byte) {
			feed(r, in);
		} else {
			for (size_t i = 0; i < in.n; i++)
				feed(r, str_sub(in, i, 1));
		}
	}
}

#define STEPS 16

struct dialogue {
	const char *name;
	struct smtp_client_config config;
	struct smtp_client_mail mail;
	size_t n_mails; /* how often it is sent; 0: once, if at all */
	const char *body;
	bool is_body_cut, is_body_held;
	const char *script[STEPS];
	const char *want;
};

static void
check_dialogue(const struct dialogue *d, bool by_byte)
{
	struct smtp_client_config config = d->config;
	struct smtp_client_mail mails[3] = { d->mail, d->mail, d->mail };
	struct run r = {
		.trace = BUF_INIT(MIB(1)),
		.mails = mails,
		.n_mails = d->mail.n_rcpts > 0 ? MAX(d->n_mails, 1) : 0,
		.body = str_c(d->body ? d->body : "Hi\r\n"),
		.is_body_cut = d->is_body_cut,
		.is_body_held = d->is_body_held,
	};

	if (config.helo.n == 0)
		config.helo = STR("me");
	for (size_t i = 0; i < ARRAY_LEN(mails); i++)
		if (mails[i].size == 0)
			mails[i].size = r.body.n;
	r.c = smtp_client_new(&config);
	play(&r, d->script, by_byte);
	if (!str_eq(buf_str(&r.trace), str_c(d->want)))
		fail_msg("%s%s\n--- got\n%s--- want\n%s", d->name,
		    by_byte ? " (by byte)" : "", buf_c(&r.trace), d->want);
	smtp_client_free(r.c);
	buf_done(&r.trace);
}

static void
check_dialogues(const struct dialogue *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_dialogue(&d[i], false);
		check_dialogue(&d[i], true);
	}
}

/* How often what is in the trace. */
static inline size_t
count(const struct buf *trace, const char *what)
{
	struct str rest = buf_str(trace);
	size_t n = 0;
	ptrdiff_t at;

	while ((at = str_search(rest, str_c(what))) >= 0) {
		rest = str_from(rest, (size_t)at + 1);
		n++;
	}
	return n;
}

/* clang-format off */
static const struct smtp_client_rcpt one[] = { { .to = { "b@x.org", 7 } } };
static const struct smtp_client_rcpt three[] = {
	{ .to = { "b@x.org", 7 } }, { .to = { "c@x.org", 7 } },
	{ .to = { "d@x.org", 7 } },
};
#define FROM .from = { "a@example.net", 13 }
#define ONE { FROM, .rcpts = one, .n_rcpts = 1 }
#define THREE { FROM, .rcpts = three, .n_rcpts = 3 }
#define HELLO "220 hi\r\n"
#define PIPE "250-x.org\r\n250 PIPELINING\r\n"
#define PLAIN "250 x.org\r\n"
#define MAIL ">MAIL FROM:<a@example.net>"
#define RCPTS "RCPT TO:<b@x.org>|RCPT TO:<c@x.org>|RCPT TO:<d@x.org>|"
/* One mail to one recipient, up to its body: the answers, the trace. */
#define TAKEN "250 ok\r\n250 ok\r\n354 go\r\n"
#define SENT ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n"
/* clang-format on */
