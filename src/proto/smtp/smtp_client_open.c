/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_open.c - the way of a session to its first mail.
 *
 *   GREETING --2xx--> EHLO --5xx--> HELO (not LMTP)
 *                      |
 *                      +--> STARTTLS --220--> HANDSHAKE --> EHLO
 *                      |        `--refused, and not a must--+
 *                      +--> AUTH                            |
 *                      v                                    |
 *                    READY <--------------------------------+
 *
 * There is no recipient yet: whatever fails here is said by CLOSED.
 */
#include "proto/smtp/smtp_client_internal.h"

#include "base/base64.h"

/* Messages of ours in one exchange. */
#define SCRAM_STEPS_MAX 3

/* The server refuses to talk to us: say good-bye to it. */
static void
refused(struct smtp_client *c)
{
	struct smtp_verdict v = smtp_client_judge(c);

	if (c->reader.code / 100 == 3 || c->reader.code / 100 == 2) {
		smtp_client_protocol(c, "an unexpected kind of reply");
		return;
	}
	smtp_client_give_up(c, v);
	if (v.code != 421)
		buf_put_c(&c->out, "QUIT\r\n");
}

/* --- the way to READY ------------------------------------------------------------ */

static void
send_hello(struct smtp_client *c, enum smtp_client_stage stage)
{
	const char *verb = stage == SMTP_CLIENT_HELO ? "HELO"
	                   : c->config.is_lmtp       ? "LHLO"
	                                             : "EHLO";

	c->stage = stage;
	buf_printf(&c->out, "%s %.*s\r\n", verb, STR_ARG(c->config.helo));
}

static void
be_ready(struct smtp_client *c)
{
	c->stage = SMTP_CLIENT_READY;
	c->event = SMTP_CLIENT_EVENT_READY;
}

static void
fail_locally(struct smtp_client *c, struct smtp_status status, const char *text)
{
	smtp_client_give_up(c, smtp_client_local(c, TEMPFAIL, status, text));
	buf_put_c(&c->out, "QUIT\r\n");
}

static void
put_base64_line(struct smtp_client *c, struct str s)
{
	base64_encode(&c->out, s);
	buf_put_c(&c->out, "\r\n");
}

static void
send_plain(struct smtp_client *c)
{
	struct buf plain = BUF_INIT(KIB(4));

	buf_put_char(&plain, '\0');
	buf_put_str(&plain, c->config.login);
	buf_put_char(&plain, '\0');
	buf_put_str(&plain, c->config.password);
	buf_put_c(&c->out, "AUTH PLAIN ");
	put_base64_line(c, buf_str(&plain));
	buf_done_secret(&plain);
}

static bool
uses_scram(const struct smtp_client *c)
{
	return c->config.scram.step != NULL &&
	       (c->caps.auth & SMTP_MECHANISM_SCRAM_SHA_256) != 0;
}

static void
fail_scram(struct smtp_client *c)
{
	const struct smtp_status status = { 4, 7, 0 };

	fail_locally(
	    c, status, "the server did not prove that it knows the password");
}

/* RFC 5802 in the frame of RFC 4954: the first message goes with the command. */
static void
scram_step(struct smtp_client *c, struct str in)
{
	const struct smtp_client_scram *scram = &c->config.scram;
	struct buf message = BUF_INIT(KIB(8));

	if (!scram->step(scram->arg, in, &message)) {
		fail_scram(c);
	} else {
		if (c->auth_step++ == 0)
			buf_put_c(&c->out, "AUTH SCRAM-SHA-256 ");
		put_base64_line(c, buf_str(&message));
	}
	buf_done_secret(&message);
}

static void
scram_reply(struct smtp_client *c, int class)
{
	struct buf in = BUF_INIT(KIB(8));

	if (class == 2 && c->config.scram.is_done(c->config.scram.arg))
		be_ready(c);
	else if (class == 2 || c->auth_step > SCRAM_STEPS_MAX)
		fail_scram(c);
	else if (base64_decode(&in, str_trim(buf_str(&c->reader.text))))
		scram_step(c, buf_str(&in));
	else
		fail_scram(c);
	buf_done(&in);
}

/*
 * A relay that does not let us in is a matter of configuration, not of the
 * message: it never fails for good because of that.
 */
static void
begin_auth(struct smtp_client *c)
{
	const struct smtp_status no_mechanism = { 4, 7, 4 };
	const struct smtp_status no_tls = { 4, 7, 11 };

	c->stage = SMTP_CLIENT_AUTH;
	if (!c->has_tls && !c->config.allow_cleartext_auth)
		fail_locally(c, no_tls, "no sign-in without TLS");
	else if (uses_scram(c))
		scram_step(c, STR_NONE);
	else if (c->caps.auth & SMTP_MECHANISM_PLAIN)
		send_plain(c);
	else if (c->caps.auth & SMTP_MECHANISM_LOGIN)
		buf_put_c(&c->out, "AUTH LOGIN\r\n");
	else
		fail_locally(c, no_mechanism,
		    "the server offers no way to sign in that we know");
}

static void
auth_reply(struct smtp_client *c)
{
	int class = c->reader.code / 100;

	if (uses_scram(c) && (class == 2 || class == 3)) {
		scram_reply(c, class);
		return;
	}
	if (class == 2) {
		be_ready(c);
		return;
	}
	if (class == 3 && !(c->caps.auth & SMTP_MECHANISM_PLAIN) &&
	    c->auth_step < 2) {
		put_base64_line(c,
		    c->auth_step++ == 0 ? c->config.login : c->config.password);
		return;
	}
	refused(c);
	if (c->verdict.outcome == PERMFAIL)
		c->verdict.outcome = TEMPFAIL;
}

static void
after_tls(struct smtp_client *c)
{
	if (c->config.login.n > 0)
		begin_auth(c);
	else
		be_ready(c);
}

static void
without_tls(struct smtp_client *c)
{
	const struct smtp_status status = { 4, 7, 4 };

	if (c->config.tls == SMTP_CLIENT_TLS_MUST)
		fail_locally(c, status,
		    "TLS is required, but the server does not offer it");
	else
		after_tls(c);
}

static void
after_hello(struct smtp_client *c)
{
	if (c->has_tls) {
		after_tls(c);
		return;
	}
	if (c->config.tls == SMTP_CLIENT_TLS_NEVER ||
	    !(c->caps.has & SMTP_CAP_STARTTLS)) {
		without_tls(c);
		return;
	}
	c->stage = SMTP_CLIENT_STARTTLS;
	buf_put_c(&c->out, "STARTTLS\r\n");
}

static void
ehlo_reply(struct smtp_client *c)
{
	int class = c->reader.code / 100;

	if (class == 2) {
		c->caps = smtp_caps_parse(buf_str(&c->reader.text));
		c->caps = smtp_caps_without(c->caps, c->config.ignore);
		after_hello(c);
		return;
	}
	if (class == 5 && c->stage == SMTP_CLIENT_EHLO && !c->config.is_lmtp)
		send_hello(c, SMTP_CLIENT_HELO);
	else
		refused(c);
}

static void
helo_reply(struct smtp_client *c)
{
	c->caps = (struct smtp_caps){ 0 };
	if (c->reader.code / 100 == 2)
		after_hello(c);
	else
		refused(c);
}

static void
starttls_reply(struct smtp_client *c)
{
	if (c->reader.code / 100 == 2) {
		c->stage = SMTP_CLIENT_HANDSHAKE;
		c->event = SMTP_CLIENT_EVENT_START_TLS;
		return;
	}
	if (c->config.tls != SMTP_CLIENT_TLS_MUST) {
		after_tls(c);
		return;
	}
	refused(c);
	if (c->verdict.outcome == PERMFAIL)
		c->verdict.outcome = TEMPFAIL;
}

void
smtp_client_tls_started(struct smtp_client *c)
{
	if (c->stage != SMTP_CLIENT_HANDSHAKE)
		return;
	c->has_tls = true;
	c->caps = (struct smtp_caps){ 0 };
	smtp_client_reader_reset(&c->reader);
	send_hello(c, SMTP_CLIENT_EHLO);
}

void
smtp_client_open_reply(struct smtp_client *c)
{
	switch ((int)c->stage) {
	case SMTP_CLIENT_GREETING:
		if (c->reader.code / 100 == 2)
			send_hello(c, SMTP_CLIENT_EHLO);
		else
			refused(c);
		return;
	case SMTP_CLIENT_EHLO:
		ehlo_reply(c);
		return;
	case SMTP_CLIENT_HELO:
		helo_reply(c);
		return;
	case SMTP_CLIENT_STARTTLS:
		starttls_reply(c);
		return;
	default:
		auth_reply(c);
	}
}
