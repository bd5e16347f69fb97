/* SPDX-License-Identifier: ISC */
/*
 * cmd_auth.c - AUTHENTICATE and LOGIN (RFC 3501 6.2, RFC 4959).
 *
 * The exchange itself is between the client and the auth role; failed tries
 * are delayed and counted there. Here a connection ends after a few.
 */
#include "imap/session.h"

#define LOGIN_FAILURES_MAX 5

static void
end_exchange(struct session *s)
{
	if (s->auth)
		auth_exchange_done(s->auth);
	free(s->auth);
	s->auth = NULL;
}

static void
succeed(struct session *s, const struct auth_answer *a)
{
	struct buf code = BUF_INIT(KIB(2));

	session_signed_in(s, a->login);
	s->attempt.is_signed_in = true;
	s->attempt.account = a->account;
	s->attempt.organisation = reach_organisation(a->login);
	s->attempt.is_known = a->is_known;
	end_exchange(s);
	buf_put_c(&code, "CAPABILITY ");
	session_put_capability(s, &code);
	session_finish(s, IMAP_OK, buf_str(&code), STR("Signed in"));
	buf_done(&code);
}

static void
fail(struct session *s, const struct auth_answer *a)
{
	bool is_last = ++s->login_failures >= LOGIN_FAILURES_MAX;
	enum reason why = a->reason;

	log_event(EV_IMAP_LOGIN_FAIL, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("reason", reason_str(why)));
	s->attempt.has_failed |= why == REASON_AUTH;
	s->attempt.has_failed_known |= why == REASON_AUTH_KNOWN;
	s->attempt.is_banned |= why == REASON_BANNED;
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

	if (s->is_dead || s->state == SESSION_LOGOUT || !s->cmd)
		return;
	if (a->result == AUTH_CHALLENGE && s->cmd->c.verb == IMAP_LOGIN) {
		/* PLAIN has one step only. */
		fail(s, &(struct auth_answer){ .result = AUTH_LATER });
		return;
	}
	switch (a->result) {
	case AUTH_CHALLENGE:
		buf_put_c(&s->out, "+ ");
		buf_put_str(&s->out, a->text);
		buf_put_c(&s->out, "\r\n");
		session_flush(s);
		s->cmd->line = on_line;
		conn_resume(s->conn);
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
	if (!auth_exchange_step(s->auth, line)) {
		end_exchange(s);
		session_bad(s, "Exchange ended");
	}
}

static void
begin(struct session *s)
{
	s->cmd->cleanup = end_exchange;
	s->auth = X_NEW(struct auth_exchange);
	auth_exchange_init(s->auth);
	s->auth->sv = s->sv;
	s->auth->conn = s->conn;
	s->auth->service = s->service;
	s->auth->session = s->id;
	s->auth->fn = on_answer;
	s->auth->arg = s;
}

static bool
is_plain_mechanism(struct str name)
{
	return str_eq_case(name, STR("PLAIN")) ||
	       str_eq_case(name, STR("LOGIN"));
}

void
imap_cmd_authenticate(struct session *s)
{
	const struct imap_authenticate *a = &s->cmd->c.u.authenticate;
	struct buf initial = BUF_INIT(SASL_LINE_MAX);
	struct str raw;
	struct str line =
	    a->has_initial && a->initial.n == 0 ? STR("=") : a->initial;

	if (is_plain_mechanism(a->mechanism) &&
	    !auth_may_plain(s->sv, s->conn)) {
		session_no(s, "PRIVACYREQUIRED", "Use STARTTLS first");
		return;
	}
	if (a->has_initial &&
	    sasl_line_decode(line, true, &initial) != SASL_LINE_OK) {
		buf_done_secret(&initial);
		session_bad(s, "The initial response is not base64");
		return;
	}
	begin(s);
	raw = buf_str(&initial);
	auth_exchange_start(
	    s->auth, a->mechanism, a->has_initial ? &raw : NULL);
	buf_done_secret(&initial);
}

void
imap_cmd_login(struct session *s)
{
	const struct imap_login *l = &s->cmd->c.u.login;

	if (!auth_may_plain(s->sv, s->conn)) {
		session_no(s, "PRIVACYREQUIRED", "Use STARTTLS first");
		return;
	}
	begin(s);
	auth_exchange_plain(s->auth, l->user, l->password);
}
