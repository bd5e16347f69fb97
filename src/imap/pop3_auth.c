/* SPDX-License-Identifier: ISC */
/*
 * pop3_auth.c - CAPA, STLS and the ways to sign in: USER and PASS (RFC 1939),
 * AUTH (RFC 5034). APOP needs the password in clear on the server: refused.
 *
 * The exchange itself is between the client and the auth role; failed tries
 * are delayed and counted there. Here a connection ends after a few.
 */
#include "imap/pop3_internal.h"

#define LOGIN_FAILURES_MAX 5

void
pop3_auth_reset(struct pop3 *p)
{
	if (p->auth)
		auth_exchange_done(p->auth);
	free(p->auth);
	p->auth = NULL;
	p->is_in_exchange = false;
	free(p->user);
	p->user = NULL;
}

/*
 * RFC 2449 section 5. SASL and USER are told in both states, STLS only where
 * it can be used. No version: nobody but an attacker needs it.
 */
void
pop3_cmd_capa(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	struct buf *b = &p->out;
	bool may_tls = p->state == POP3_AUTHORIZATION &&
	               !conn_has_tls(p->conn) && p->sv->tls;

	pop3_ok(p, "Capabilities");
	buf_put_c(b, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
		     "PIPELINING\r\nEXPIRE NEVER\r\n");
	if (may_tls)
		buf_put_c(b, "STLS\r\n");
	if (auth_may_plain(p->sv, p->conn))
		buf_put_c(b, "USER\r\n");
	buf_put_c(b, "SASL");
	auth_put_mechanisms(b, p->sv, p->conn, " ");
	buf_put_c(b, "\r\nIMPLEMENTATION Mailstead\r\n.\r\n");
}

/* What was sent behind STLS is thrown away by conn_start_tls(), and what the
 * client said before is forgotten (RFC 2595 section 4). */
void
pop3_cmd_stls(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	if (conn_has_tls(p->conn)) {
		pop3_err(p, NULL, "TLS is on already");
		return;
	}
	if (!p->sv->tls) {
		pop3_err(p, "SYS/PERM", "TLS is not set up here");
		return;
	}
	pop3_auth_reset(p);
	pop3_ok(p, "Begin TLS now");
	pop3_flush(p);
	conn_start_tls(p->conn, p->sv->tls);
}

/* --- outcome -------------------------------------------------------------------- */

static void
refuse(struct pop3 *p, const struct auth_answer *a)
{
	enum reason why = a->reason;

	log_event(EV_POP3_LOGIN_FAIL, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("reason", reason_str(why)));
	p->attempt.has_failed |= why == REASON_AUTH;
	p->attempt.has_failed_known |= why == REASON_AUTH_KNOWN;
	p->attempt.is_banned |= why == REASON_BANNED;
	pop3_auth_reset(p);
	if (a->result == AUTH_LATER)
		pop3_err(p, "SYS/TEMP", "Cannot check now, try again later");
	else if (why == REASON_BANNED)
		pop3_err(p, "SYS/TEMP", "Too many failed sign-ins, wait");
	else if (why == REASON_AUTH_MECHANISM)
		pop3_err(p, NULL, "This mechanism is not offered here");
	else if (why == REASON_AUTH_SYNTAX)
		pop3_err(p, NULL, "Malformed SASL exchange");
	else
		pop3_err(p, "AUTH", "Wrong user name or password");
	if (++p->login_failures >= LOGIN_FAILURES_MAX)
		pop3_close(p);
	pop3_finish(p);
}

static void
challenge(struct pop3 *p, struct str text)
{
	p->is_in_exchange = true;
	buf_put_c(&p->out, "+ ");
	buf_put_str(&p->out, text);
	buf_put_c(&p->out, "\r\n");
	pop3_finish(p);
}

static void
on_answer(void *arg, const struct auth_answer *a)
{
	struct pop3 *p = arg;
	bool is_pass = p->user != NULL;

	if (p->is_dead || p->state == POP3_CLOSED)
		return;
	switch (a->result) {
	case AUTH_CHALLENGE:
		if (!is_pass)
			challenge(p, a->text);
		else /* PLAIN has one step only */
			refuse(
			    p, &(struct auth_answer){ .result = AUTH_LATER });
		return;
	case AUTH_OK:
		p->login = str_dup(a->login);
		p->attempt.is_signed_in = true;
		p->attempt.account = a->account;
		p->attempt.organisation = reach_organisation(a->login);
		p->attempt.is_known = a->is_known;
		pop3_auth_reset(p);
		pop3_open(p);
		return;
	case AUTH_REFUSED:
	case AUTH_LATER:
		refuse(p, a);
		return;
	}
}

static void
begin(struct pop3 *p)
{
	p->auth = X_NEW(struct auth_exchange);
	auth_exchange_init(p->auth);
	p->auth->sv = p->sv;
	p->auth->conn = p->conn;
	p->auth->service = p->service;
	p->auth->session = p->id;
	p->auth->fn = on_answer;
	p->auth->arg = p;
	pop3_hold(p);
}

/* --- USER and PASS ---------------------------------------------------------------- */

/* The answer does not tell whether that user exists. */
void
pop3_cmd_user(struct pop3 *p, const struct pop3_command *c)
{
	if (!auth_may_plain(p->sv, p->conn)) {
		pop3_err(p, NULL, "Use STLS first");
		return;
	}
	free(p->user);
	p->user = str_dup(c->text);
	pop3_ok(p, "Send your password");
}

void
pop3_cmd_pass(struct pop3 *p, const struct pop3_command *c)
{
	if (!p->user) {
		pop3_err(p, NULL, "USER comes first");
		return;
	}
	begin(p);
	auth_exchange_plain(p->auth, str_c(p->user), c->text);
}

void
pop3_cmd_apop(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	pop3_err(p, NULL, "APOP is not offered here");
}

/* --- AUTH -------------------------------------------------------------------------- */

static bool
is_plain_mechanism(struct str name)
{
	return str_eq_case(name, STR("PLAIN")) ||
	       str_eq_case(name, STR("LOGIN"));
}

/* Not in RFC 5034, but older clients ask for the list this way. */
static void
list_mechanisms(struct pop3 *p)
{
	buf_put_c(&p->out, "+OK Mechanisms");
	auth_put_mechanisms(&p->out, p->sv, p->conn, "\r\n");
	buf_put_c(&p->out, "\r\n.\r\n");
}

void
pop3_cmd_auth(struct pop3 *p, const struct pop3_command *c)
{
	struct buf initial = BUF_INIT(SASL_LINE_MAX);
	struct str raw;

	if (c->text.n == 0) {
		list_mechanisms(p);
		return;
	}
	if (is_plain_mechanism(c->text) && !auth_may_plain(p->sv, p->conn)) {
		pop3_err(p, NULL, "Use STLS first");
		return;
	}
	if (c->has_initial &&
	    sasl_line_decode(c->initial, true, &initial) != SASL_LINE_OK) {
		buf_done_secret(&initial);
		pop3_err(p, NULL, "The initial response is not base64");
		return;
	}
	pop3_auth_reset(p);
	begin(p);
	raw = buf_str(&initial);
	auth_exchange_start(p->auth, c->text, c->has_initial ? &raw : NULL);
	buf_done_secret(&initial);
}

void
pop3_auth_line(struct pop3 *p, struct str line)
{
	p->is_in_exchange = false;
	pop3_hold(p);
	if (auth_exchange_step(p->auth, line))
		return;
	pop3_auth_reset(p);
	pop3_err(p, NULL, "Exchange ended");
	if (++p->login_failures >= LOGIN_FAILURES_MAX)
		pop3_close(p);
	pop3_finish(p);
}
