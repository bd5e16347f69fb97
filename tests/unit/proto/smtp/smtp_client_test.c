/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_test.c - dialogues with other servers, as scripts.
 *
 * A script is what the server says; the trace is what the client sends (">")
 * and what it reports ("!"). Every script runs whole and byte by byte.
 */
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
	bool has_quit;
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
	if (r->next < r->n_mails && is_reusable) {
		smtp_client_mail(r->c, &r->mails[r->next++]);
		return;
	}
	r->has_quit = true;
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
	struct smtp_client_mail mail; /* sent n_mails times */
	size_t n_mails;
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
		.n_mails = d->n_mails,
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

/* The server's message in brackets; "v" is its proof. */
static bool
fake_step(void *arg, struct str in, struct buf *out)
{
	*(bool *)arg = str_eq(in, STR("v"));
	buf_printf(out, "<%.*s>", STR_ARG(in));
	return true;
}

static bool
fake_is_done(void *arg)
{
	return *(bool *)arg;
}

static bool has_proof;
#define FAKE_SCRAM { fake_step, fake_is_done, &has_proof }

static const struct dialogue opening[] = {
	{ "greeting refused for good", .script = { "554 5.7.1 no\r\n" },
	  .want = "!closed permfail greeting 554 5.7.1 5.7.1 no\n>QUIT|\n" },
	{ "greeting says later", .script = { "450 later\r\n" },
	  .want = "!closed tempfail greeting 450 4.0.0 later\n>QUIT|\n" },
	{ "greeting 421", .script = { "421 4.3.2 busy\r\n" },
	  .want = "!closed tempfail greeting 421 4.3.2 4.3.2 busy\n" },
	{ "silence", .script = { "220-wait", "<lost>" },
	  .want = "!closed tempfail greeting 0 4.4.2 lost\n" },
	{ "HTTP", .script = { "HTTP/1.1 400 Bad\r\n" },
	  .want = "!closed tempfail greeting 0 4.5.0 proto\n" },
	{ "several lines, bare LF", .script = { "220-a\n220-b\r\n220 c\n" },
	  .want = ">EHLO me|\n" },
	{ "the last code counts", .script = { "220-a\r\n554 b\r\n" },
	  .want = "!closed permfail greeting 554 5.0.0 a|b\n>QUIT|\n" },
	{ "EHLO unknown", .script = { HELLO, "502 what\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n>HELO me|\n>QUIT|\n" },
	{ "HELO unknown, too", .script = { HELLO, "502 ?\r\n", "550 no\r\n" },
	  .want = ">EHLO me|\n>HELO me|\n"
		  "!closed permfail HELO 550 5.0.0 no\n>QUIT|\n" },
	{ "LHLO has no HELO", .config = { .is_lmtp = true },
	  .script = { HELLO, "500 ?\r\n" },
	  .want = ">LHLO me|\n!closed permfail EHLO 500 5.0.0 ?\n>QUIT|\n" },
	{ "TLS wanted, not offered", .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, PIPE },
	  .want = ">EHLO me|\n!closed tempfail EHLO 0 4.7.4\n>QUIT|\n" },
	{ "TLS, what came before is dropped, all is asked anew",
	  .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n",
		      "220 go\r\n250 injected\r\n", "250 x\r\n", "<tls>",
		      "250 x.org\r\n", "221 bye\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n!tls\n>EHLO me|\n>QUIT|\n"
		  "!closed done QUIT 0 0.0.0\n" },
	{ "STARTTLS refused, may", .script = { HELLO,
		"250-x\r\n250 STARTTLS\r\n", "454 4.7.0 no\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n>QUIT|\n" },
	{ "STARTTLS refused, must", .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n", "554 5.7.3 no\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n"
		  "!closed tempfail STARTTLS 554 5.7.3 5.7.3 no\n>QUIT|\n" },
	{ "no TLS by wish", .config = { .tls = SMTP_CLIENT_TLS_NEVER },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n" },
	  .want = ">EHLO me|\n>QUIT|\n" },
	{ "handshake fails", .script = { HELLO, "250-x\r\n250 STARTTLS\r\n",
		"220 go\r\n", "<lost>" },
	  .want = ">EHLO me|\n>STARTTLS|\n!tls\n"
		  "!closed tempfail TLS handshake 0 4.4.2 lost\n" },
	{ "AUTH PLAIN", .config = { .has_tls = true, .login = { "u", 1 },
		.password = { "p", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH LOGIN PLAIN\r\n",
		      "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH PLAIN AHUAcA==|\n>QUIT|\n" },
	{ "AUTH LOGIN", .config = { .has_tls = true, .login = { "u", 1 },
		.password = { "p", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH=LOGIN\r\n",
		      "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n",
		      "535 5.7.8 wrong\r\n" },
	  .want = ">EHLO me|\n>AUTH LOGIN|\n>dQ==|\n>cA==|\n"
		  "!closed tempfail AUTH 535 5.7.8 5.7.8 wrong\n>QUIT|\n" },
	{ "SCRAM comes first", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "334 dg==\r\n", "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n>PHY+|\n"
		  ">QUIT|\n" },
	{ "SCRAM without the server's proof", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n"
		  "!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM without end", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "334 cg==\r\n", "334 cg==\r\n",
		      "334 cg==\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n>PHI+|\n"
		  ">PHI+|\n!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM with nonsense", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 =\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n"
		  "!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM refused", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "535 5.7.8 wrong\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n"
		  "!closed tempfail AUTH 535 5.7.8 5.7.8 wrong\n>QUIT|\n" },
	{ "no password in the clear", .config = { .login = { "u", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH PLAIN\r\n" },
	  .want = ">EHLO me|\n!closed tempfail AUTH 0 4.7.11\n>QUIT|\n" },
	{ "no common mechanism", .config = { .has_tls = true,
		.login = { "u", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH GSSAPI\r\n" },
	  .want = ">EHLO me|\n!closed tempfail AUTH 0 4.7.4\n>QUIT|\n" },
	{ "closed after QUIT without 221", .script = { HELLO, PIPE, "<lost>" },
	  .want = ">EHLO me|\n>QUIT|\n!closed done QUIT 0 0.0.0\n" },
};

static const struct dialogue mails[] = {
	{ "one at a time", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
		      "250 2.0.0 queued\r\n", "221 bye\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n!body\n"
		  ">Hi|.|\n!rcpt 0 done end of message 250 2.0.0 2.0.0 queued\n"
		  "!done\n>QUIT|\n!closed done QUIT 0 0.0.0\n" },
	{ "pipelined, mixed recipients", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n"
		      "550 5.1.1 who\r\n450 4.2.0 grey\r\n354 go\r\n",
		      "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.1.1 5.1.1 who\n"
		  "!rcpt 2 tempfail RCPT TO 450 4.2.0 4.2.0 grey\n"
		  "!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "nobody accepted, DATA accepted", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 who\r\n354 go\r\n",
		      "554 no recipients\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 who\n>.|\n"
		  "!done\n>QUIT|\n" },
	{ "nobody accepted, DATA refused", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 who\r\n503 no\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 who\n"
		  "!done\n>QUIT|\n" },
	{ "nobody accepted, one at a time: no DATA", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "550 a\r\n", "250 ok\r\n",
		      "250 ok\r\n", "450 b\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.0.0 a\n!done\n>RSET|\n"
		  MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 tempfail RCPT TO 450 4.0.0 b\n!done\n>QUIT|\n" },
	{ "sender refused", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "550 5.7.1 you\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!rcpt 1 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!rcpt 2 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!done\n>QUIT|\n" },
	{ "sender refused, the rest was on its way", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PIPE, "450 4.7.1 you\r\n503 no\r\n354 go\r\n",
		      "554 nothing\r\n",
		      "250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 tempfail MAIL FROM 450 4.7.1 4.7.1 you\n>.|\n"
		  "!done\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "sender refused, recipient taken, DATA taken: never a dot",
	  .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "550 you\r\n250 ok\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.0.0 you\n"
		  "!closed tempfail DATA 0 4.5.0 proto\n" },
	{ "DATA refused", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n550 a\r\n250 ok\r\n"
		      "451 4.3.0 later\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.0.0 a\n"
		  "!rcpt 0 tempfail DATA 451 4.3.0 4.3.0 later\n"
		  "!rcpt 2 tempfail DATA 451 4.3.0 4.3.0 later\n"
		  "!done\n>QUIT|\n" },
	{ "message refused", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "554-5.7.1 spam\r\n554 5.7.1 see x\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 permfail end of message 554 5.7.1 "
		  "5.7.1 spam|5.7.1 see x\n!done\n>QUIT|\n" },
	{ "two mails", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "250 1\r\n", "250 ok\r\n250 ok\r\n354 go\r\n",
		      "250 2\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 1\n!done\n"
		  MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 2\n!done\n>QUIT|\n" },
	{ "only one mail is allowed", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, "250-x\r\n250 LIMITS MAILMAX=1\r\n", "250 ok\r\n",
		      "250 ok\r\n", "354 go\r\n", "250 1\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n!body\n"
		  ">Hi|.|\n!rcpt 0 done end of message 250 2.0.0 1\n"
		  "!done last\n>QUIT|\n" },
	{ "too many recipients, announced", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, "250-x\r\n250 LIMITS RCPTMAX=1 X=2\r\n",
		      "250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n!rcpt 1 tempfail MAIL FROM 0 4.5.3 many\n"
		  "!rcpt 2 tempfail MAIL FROM 0 4.5.3 many\n"
		  MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n" },
	{ "too many recipients, found out", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n452 4.5.3 many\r\n"
		      "552 many\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 tempfail RCPT TO 452 4.5.3 many 4.5.3 many\n"
		  "!rcpt 2 tempfail RCPT TO 552 4.0.0 many many\n"
		  "!body\n>Hi|.|\n" },
	{ "mailbox full is not too many", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n552 5.2.2 full\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 552 5.2.2 5.2.2 full\n" },
	{ "BDAT", .mail = ONE, .n_mails = 1, .body = "a\n.\r\nb",
	  .script = { HELLO, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
		      "250 ok\r\n250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|\n!body\n"
		  ">BDAT 6 LAST|\n>a|.|b\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "BDAT is not sent for nobody", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
		      "250 ok\r\n550 no\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.0.0 no\n!done\n>QUIT|\n" },
	{ "LMTP", .config = { .is_lmtp = true }, .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n550 x\r\n250 ok\r\n"
		      "354 go\r\n", "250 first\r\n", "452 4.2.2 full\r\n" },
	  .want = ">LHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.0.0 x\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 first\n"
		  "!rcpt 2 tempfail end of message 452 4.2.2 4.2.2 full\n"
		  "!done\n>QUIT|\n" },
	{ "LMTP, lost between", .config = { .is_lmtp = true }, .mail = THREE,
	  .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n250 x\r\n250 ok\r\n"
		      "354 go\r\n", "250 first\r\n", "<lost>" },
	  .want = ">LHLO me|\n" MAIL "|" RCPTS "DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 first\n"
		  "!rcpt 1 tempfail end of message 0 4.4.2 dup lost\n"
		  "!rcpt 2 tempfail end of message 0 4.4.2 dup lost\n"
		  "!closed tempfail end of message 0 4.4.2 dup lost\n" },
};

static const struct dialogue losses[] = {
	{ "lost at MAIL", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 tempfail MAIL FROM 0 4.4.2 lost\n"
		  "!closed tempfail MAIL FROM 0 4.4.2 lost\n" },
	{ "lost at RCPT, one result is known", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 a\r\n250 ok\r\n",
		      "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 a\n"
		  "!rcpt 1 tempfail RCPT TO 0 4.4.2 lost\n"
		  "!rcpt 2 tempfail RCPT TO 0 4.4.2 lost\n"
		  "!closed tempfail RCPT TO 0 4.4.2 lost\n" },
	{ "lost behind the end", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 tempfail end of message 0 4.4.2 dup lost\n"
		  "!closed tempfail end of message 0 4.4.2 dup lost\n" },
	{ "lost, and the end never left", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "<unsent>" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 tempfail end of message 0 4.4.2 lost\n"
		  "!closed tempfail end of message 0 4.4.2 lost\n" },
	{ "421 behind the end is an answer", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "421 4.3.2 down\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 tempfail end of message 421 4.3.2 4.3.2 down\n"
		  "!closed tempfail end of message 421 4.3.2 4.3.2 down\n" },
	{ "nonsense behind the end is none", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 tempfail end of message 0 4.5.0 dup proto\n"
		  "!closed tempfail end of message 0 4.5.0 dup proto\n" },
	{ "421 to a recipient concerns all", .mail = THREE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n",
		      "421 4.7.0 slow down\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  ">RCPT TO:<c@x.org>|\n"
		  "!rcpt 0 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!rcpt 1 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!rcpt 2 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!closed tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n" },
	{ "message cannot be read", .mail = ONE, .n_mails = 1,
	  .is_body_cut = true,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n"
		  "!rcpt 0 tempfail message 0 4.3.0\n"
		  "!closed tempfail message 0 4.3.0\n>Hi|\n" },
	{ "message longer than was said", .n_mails = 1,
	  .mail = { FROM, .rcpts = one, .n_rcpts = 1, .size = 2 },
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n"
		  "!rcpt 0 tempfail message 0 4.3.0\n"
		  "!closed tempfail message 0 4.3.0\n" },
	{ "RSET refused is nobody's fault", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PLAIN, "550 a\r\n", "500 b\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.0.0 a\n!done\n>RSET|\n"
		  "!rcpt 0 tempfail RSET 500 5.0.0 b\n"
		  "!closed tempfail RSET 500 5.0.0 b\n" },
	{ "a last word in the middle of the message", .mail = ONE,
	  .n_mails = 1, .is_body_held = true,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "552 5.3.4 too big\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|\n"
		  "!rcpt 0 permfail message 552 5.3.4 5.3.4 too big\n"
		  "!closed permfail message 552 5.3.4 5.3.4 too big\n" },
	{ "success in the middle of the message is none", .mail = ONE,
	  .n_mails = 1, .is_body_held = true,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|\n"
		  "!rcpt 0 tempfail message 0 4.5.0 proto\n"
		  "!closed tempfail message 0 4.5.0 proto\n" },
	{ "lost in the middle of the message", .mail = ONE,
	  .n_mails = 1, .is_body_held = true,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n354 go\r\n",
		      "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|\n"
		  "!rcpt 0 tempfail message 0 4.4.2 lost\n"
		  "!closed tempfail message 0 4.4.2 lost\n" },
	{ "DATA answered 250", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n"
		  "!rcpt 0 tempfail DATA 0 4.5.0 proto\n"
		  "!closed tempfail DATA 0 4.5.0 proto\n" },
	{ "MAIL answered 354", .mail = ONE, .n_mails = 1,
	  .script = { HELLO, PLAIN, "354 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 tempfail MAIL FROM 0 4.5.0 proto\n"
		  "!closed tempfail MAIL FROM 0 4.5.0 proto\n" },
};

#define UTF8 "b\xC3\xBC@x.org"
static const struct smtp_client_rcpt odd[] = {
	{ .to = { "no\r\nQUIT@x", 9 } },
	{ .to = { "\"a b\"@x.org", 11 }, .notify = SMTP_NOTIFY_FAILURE |
	  SMTP_NOTIFY_DELAY, .orcpt = { "rfc822;a+b=c@x", 14 } },
	{ .to = { UTF8, 9 }, .notify = SMTP_NOTIFY_NEVER,
	  .orcpt = { "utf-8;" UTF8, 15 } },
};
static const struct dialogue params[] = {
	{ "all parameters", .n_mails = 1,
	  .mail = { FROM, .rcpts = odd, .n_rcpts = 3, .size = 4,
		.body = SMTP_BODY_8BITMIME, .has_requiretls = true,
		.has_priority = true, .priority = -3, .ret = SMTP_RET_HDRS,
		.envid = { "a b", 3 },
		.hold_until = { "2026-11-23T18:20:05Z", 20 },
		.by_mode = 'R', .by_seconds = 120, .by_trace = true },
	  .config = { .has_tls = true },
	  .script = { HELLO, "250-x\r\n250-SIZE 1000\r\n250-8bitmime\r\n"
		      "250-PIPELINING\r\n250-SMTPUTF8\r\n250-DSN\r\n"
		      "250-REQUIRETLS\r\n250-MT-PRIORITY MIXER\r\n"
		      "250-DELIVERBY 10\r\n"
		      "250 FUTURERELEASE 10000 2030-01-01T00:00:00Z\r\n" },
	  .want = ">EHLO me|\n"
		  "!rcpt 0 permfail MAIL FROM 0 5.1.3\n"
		  MAIL " SIZE=4 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b"
		  " REQUIRETLS MT-PRIORITY=-3 HOLDUNTIL=2026-11-23T18:20:05Z"
		  " BY=120;RT|"
		  "RCPT TO:<\"a b\"@x.org> NOTIFY=FAILURE,DELAY"
		  " ORCPT=rfc822;a+2Bb+3Dc@x|"
		  "RCPT TO:<" UTF8 "> NOTIFY=NEVER ORCPT=utf-8;" UTF8
		  "|DATA|\n" },
	{ "what the server lacks is left out, or fails", .n_mails = 1,
	  .mail = { .rcpts = odd, .n_rcpts = 3, .has_priority = true,
		.ret = SMTP_RET_FULL, .envid = { "x", 1 },
		.hold_until = { "2026-11-23T18:20:05Z", 20 },
		.by_mode = 'N', .by_seconds = 120 },
	  .script = { HELLO, "250-x\r\n250 PIPELINING\r\n" },
	  .want = ">EHLO me|\n"
		  "!rcpt 0 permfail MAIL FROM 0 5.1.3\n"
		  "!rcpt 2 permfail MAIL FROM 0 5.6.7\n"
		  ">MAIL FROM:<>|RCPT TO:<\"a b\"@x.org>|DATA|\n" },
	{ "ignored as if not announced", .mail = ONE, .n_mails = 1,
	  .config = { .ignore = SMTP_CAP_PIPELINING | SMTP_CAP_SIZE },
	  .script = { HELLO, "250-x\r\n250-SIZE 1\r\n250 PIPELINING\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n" },
#define FAILS(name_, want_, ...) \
	{ name_, .n_mails = 1, \
	  .mail = { FROM, .rcpts = one, .n_rcpts = 1, __VA_ARGS__ }, \
	  .script = { HELLO, "250-x\r\n250 SIZE 10\r\n" }, \
	  .want = ">EHLO me|\n!rcpt 0 permfail MAIL FROM 0 " want_ "\n" \
		  "!done\n>QUIT|\n" }
	FAILS("too large", "5.3.4", .size = 11),
	FAILS("needs 8BITMIME", "5.6.3", .body = SMTP_BODY_8BITMIME),
	FAILS("needs BINARYMIME", "5.6.3", .body = SMTP_BODY_BINARYMIME),
	FAILS("needs SMTPUTF8", "5.6.7", .is_smtputf8 = true),
	FAILS("needs REQUIRETLS", "5.7.30", .has_requiretls = true),
	FAILS("needs DELIVERBY", "5.3.3", .by_mode = 'R'),
};
/* clang-format on */

TEST(a_session_is_opened)
{
	check_dialogues(opening, ARRAY_LEN(opening));
}

TEST(each_recipient_gets_the_verdict_that_is_meant_for_it)
{
	check_dialogues(mails, ARRAY_LEN(mails));
}

TEST(what_is_lost_is_temporary_and_maybe_a_duplicate)
{
	check_dialogues(losses, ARRAY_LEN(losses));
}

TEST(parameters_follow_what_the_server_knows)
{
	check_dialogues(params, ARRAY_LEN(params));
}

static size_t
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

/* Wherever it is cut, each recipient has one result, and the right one. */
TEST(a_dialogue_may_be_cut_anywhere)
{
	static const char script[] =
	    HELLO PIPE "250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"
		       "250 done\r\n221 bye\r\n";
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = THREE;

	mail.size = 4;
	for (size_t cut = 0; cut < strlen(script); cut++) {
		size_t end = strlen(script) - strlen("221 bye\r\n");
		struct run r = { .trace = BUF_INIT(MIB(1)),
			.mails = &mail,
			.n_mails = 1,
			.body = STR("Hi\r\n") };

		r.c = smtp_client_new(&config);
		for (size_t i = 0; i < cut; i++)
			feed(&r, str_make(script + i, 1));
		smtp_client_lost(r.c, SMTP_CLIENT_LOSS_CLOSED, 0);
		feed(&r, STR_NONE);
		CHECK(count(&r.trace, "!closed") == 1, "closed");
		CHECK(count(&r.trace, "!rcpt") == (r.next ? 3 : 0), "results");
		CHECK(count(&r.trace, "!rcpt 0 done") == (cut >= end), "first");
		CHECK(count(&r.trace, "!rcpt 2 done") == (cut >= end), "third");
		/* The loss is told by CLOSED as well. */
		CHECK(count(&r.trace, "dup") ==
			  (count(&r.trace, ">Hi") && cut < end ? 3 : 0),
		    "duplicates");
		smtp_client_free(r.c);
		buf_done(&r.trace);
	}
}

TEST(an_idle_session_hears_what_nobody_asked_for)
{
	static const struct {
		const char *line;
		unsigned flags;
		int code;
	} cases[] = {
		{ "421 4.4.2 idle for too long\r\n", 0, 421 },
		{ "550 go away\r\n", 0, 550 },
		{ "250 ok\r\n", SMTP_CLIENT_IS_LOCAL | SMTP_CLIENT_IS_PROTOCOL,
		    0 },
		{ "what\r\n", SMTP_CLIENT_IS_LOCAL | SMTP_CLIENT_IS_PROTOCOL,
		    0 },
	};
	const struct smtp_client_config config = { .helo = STR("me") };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = STR(HELLO PIPE), line = str_c(cases[i].line);
		struct smtp_client *c = smtp_client_new(&config);
		struct smtp_client_event e;

		CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_READY,
		    "ready");
		CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_NONE,
		    "idle");
		CHECK(
		    smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_CLOSED,
		    cases[i].line);
		CHECK(e.flags == cases[i].flags && e.code == cases[i].code,
		    cases[i].line);
		CHECK(e.outcome != DONE && e.stage == SMTP_CLIENT_READY,
		    cases[i].line);
		CHECK(smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_NONE,
		    "the last event");
		/* What comes later is no trouble. */
		smtp_client_lost(c, SMTP_CLIENT_LOSS_CLOSED, 0);
		CHECK(smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_NONE,
		    "the last event");
		smtp_client_free(c);
	}
}

TEST(more_bytes_than_were_said_never_leave)
{
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = ONE;
	struct smtp_client_event e;
	struct str in = STR(HELLO "250-x\r\n250 CHUNKING\r\n");
	struct smtp_client *c = smtp_client_new(&config);

	mail.size = 4;
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_READY, "ready");
	smtp_client_mail(c, &mail);
	in = STR("250 ok\r\n250 ok\r\n");
	/* One at a time: the second reply answers what the first let go. */
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_BODY, "body");
	smtp_client_body(c, STR("Hi\r\n"));
	smtp_client_body(c, STR("RSET\r\n"));
	smtp_client_end(c, true);
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_RESULT, "one");
	CHECK(e.outcome == TEMPFAIL && e.status.subject == 3, "4.3.0");
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_CLOSED, "end");
	CHECK(
	    str_ends(buf_str(smtp_client_out(c)), STR("BDAT 4 LAST\r\nHi\r\n")),
	    "no command");
	smtp_client_free(c);
}

TEST(no_more_commands_than_the_window_run_ahead)
{
	static struct smtp_client_rcpt rcpts[SMTP_CLIENT_WINDOW * 3];
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = { FROM, .rcpts = rcpts, .size = 4 };
	struct run r = { .trace = BUF_INIT(MIB(8)),
		.mails = &mail,
		.n_mails = 1,
		.body = STR("Hi\r\n") };
	size_t answered = 0;

	mail.n_rcpts = ARRAY_LEN(rcpts);
	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i].to = STR("b@x.org");
	r.c = smtp_client_new(&config);
	feed(&r, STR(HELLO PIPE));
	while (count(&r.trace, "DATA|") == 0) {
		size_t sent =
		    count(&r.trace, "MAIL FROM") + count(&r.trace, "RCPT TO");

		CHECK(sent - answered == SMTP_CLIENT_WINDOW, "full");
		feed(&r, STR("250 ok\r\n"));
		answered++;
	}
	while (count(&r.trace, "!body") == 0) {
		CHECK(answered <= mail.n_rcpts + 1, "354 is next");
		feed(&r, answered++ <= mail.n_rcpts ? STR("250 ok\r\n")
						    : STR("354 go\r\n"));
	}
	feed(&r, STR("250 ok\r\n"));
	CHECK(count(&r.trace, "!rcpt") == mail.n_rcpts, "all");
	CHECK(smtp_client_mails(r.c) == 1, "one");
	smtp_client_free(r.c);
	buf_done(&r.trace);
}

TEST_MAIN(UNIT(a_session_is_opened),
    UNIT(each_recipient_gets_the_verdict_that_is_meant_for_it),
    UNIT(what_is_lost_is_temporary_and_maybe_a_duplicate),
    UNIT(parameters_follow_what_the_server_knows),
    UNIT(a_dialogue_may_be_cut_anywhere),
    UNIT(an_idle_session_hears_what_nobody_asked_for),
    UNIT(more_bytes_than_were_said_never_leave),
    UNIT(no_more_commands_than_the_window_run_ahead))
