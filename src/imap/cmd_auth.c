/* SPDX-License-Identifier: ISC */
/*
 * cmd_auth.c - AUTHENTICATE and LOGIN (RFC 3501 6.2, RFC 4959).
 */
#include "imap/session.h"

static void
end_exchange(struct session *s)
{
	client_auth_end(&s->client);
}

static void
succeed(struct session *s, const struct auth_answer *a)
{
	struct buf code = BUF_INIT(KIB(2));

	session_signed_in(s, a);
	end_exchange(s);
	buf_put_c(&code, "CAPABILITY ");
	session_put_capability(s, &code);
	session_finish(s, IMAP_OK, buf_str(&code), STR("Signed in"));
	buf_done(&code);
}

static void
fail(struct session *s, const struct auth_answer *a)
{
	bool is_last = client_has_guessed(&s->client);
	enum reason why = a->reason;

	client_auth_failed(&s->client, a);
	end_exchange(s);
	if (a->result == AUTH_LATER)
		session_no(s, "UNAVAILABLE", "Cannot check now, try again");
	else if (why == REASON_BANNED)
		session_no(s, "LIMIT", "Too many failed sign-ins, wait");
	else if (why == REASON_AUTH_MECHANISM)
		session_no(s, NULL, "This mechanism is not offered here");
	else if (why == REASON_AUTH_SYNTAX && s->cmd->c.verb != IMAP_LOGIN)
		session_bad(s, "Malformed SASL exchange");
	else
		session_no(
		    s, "AUTHENTICATIONFAILED", "Wrong user name or password");
	if (is_last)
		session_bye(s, NULL, "Too many failed sign-ins");
}

static void on_line(struct session *s, struct str line);

static void
on_answer(void *arg, const struct auth_answer *a)
{
	struct session *s = arg;

	if (s->client.is_dead || s->state == SESSION_LOGOUT || !s->cmd)
		return;
	if (a->result == AUTH_CHALLENGE && s->cmd->c.verb == IMAP_LOGIN) {
		/* PLAIN has one step only. */
		fail(s, &(struct auth_answer){ .result = AUTH_LATER });
		return;
	}
	switch (a->result) {
	case AUTH_CHALLENGE:
		buf_put_c(&s->client.out, "+ ");
		buf_put_str(&s->client.out, a->text);
		buf_put_c(&s->client.out, "\r\n");
		client_flush(&s->client);
		s->cmd->line = on_line;
		conn_resume(s->client.conn);
		break;
	case AUTH_OK:
		succeed(s, a);
		break;
	case AUTH_REFUSED:
	case AUTH_LATER:
		fail(s, a);
		break;
	}
}

/* A line of the client inside the exchange. One that comes before it was asked
 * for waits in the connection's buffer. */
static void
on_line(struct session *s, struct str line)
{
	s->cmd->line = NULL;
	if (!auth_exchange_step(s->client.auth, line)) {
		end_exchange(s);
		session_bad(s, "Exchange ended");
	}
}

void
imap_cmd_authenticate(struct session *s)
{
	const struct imap_authenticate *a = &s->cmd->c.u.authenticate;
	struct str line =
	    a->has_initial && a->initial.n == 0 ? STR("=") : a->initial;

	if (auth_is_plain(a->mechanism) &&
	    !auth_may_plain(s->client.sv, s->client.conn)) {
		session_no(s, "PRIVACYREQUIRED", "Use STARTTLS first");
		return;
	}
	if (!client_auth_start(&s->client, on_answer, a->mechanism,
		a->has_initial ? &line : NULL)) {
		session_bad(s, "The initial response is not base64");
		return;
	}
	s->cmd->cleanup = end_exchange;
}

void
imap_cmd_login(struct session *s)
{
	const struct imap_login *l = &s->cmd->c.u.login;

	if (!auth_may_plain(s->client.sv, s->client.conn)) {
		session_no(s, "PRIVACYREQUIRED", "Use STARTTLS first");
		return;
	}
	client_auth_plain(&s->client, on_answer, l->user, l->password);
	s->cmd->cleanup = end_exchange;
}
