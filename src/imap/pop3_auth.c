/* SPDX-License-Identifier: ISC */
/*
 * pop3_auth.c - CAPA, STLS and the ways to sign in: USER and PASS (RFC 1939),
 * AUTH (RFC 5034). APOP needs the password in clear on the server: refused.
 */
#include "imap/pop3_internal.h"

void
pop3_auth_reset(struct pop3 *p)
{
	client_auth_end(&p->client);
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
	struct buf *b = &p->client.out;
	bool may_tls = p->state == POP3_AUTHORIZATION &&
	               !conn_has_tls(p->client.conn) && p->client.sv->tls;

	pop3_ok(p, "Capabilities");
	buf_put_c(b, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
		     "PIPELINING\r\nEXPIRE NEVER\r\n");
	if (may_tls)
		buf_put_c(b, "STLS\r\n");
	if (auth_may_plain(p->client.sv, p->client.conn))
		buf_put_c(b, "USER\r\n");
	buf_put_c(b, "SASL");
	auth_put_mechanisms(b, p->client.sv, p->client.conn, " ");
	buf_put_c(b, "\r\nIMPLEMENTATION Mailstead\r\n.\r\n");
}

/* What was sent behind STLS is thrown away by conn_start_tls(), and what the
 * client said before is forgotten (RFC 2595 section 4). */
void
pop3_cmd_stls(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	if (conn_has_tls(p->client.conn)) {
		pop3_err(p, NULL, "TLS is on already");
		return;
	}
	if (!p->client.sv->tls) {
		pop3_err(p, "SYS/PERM", "TLS is not set up here");
		return;
	}
	pop3_auth_reset(p);
	pop3_ok(p, "Begin TLS now");
	client_flush(&p->client);
	conn_start_tls(p->client.conn, p->client.sv->tls);
}

/* --- outcome -------------------------------------------------------------------- */

static void
refuse(struct pop3 *p, const struct auth_answer *a)
{
	enum reason why = a->reason;

	client_auth_failed(&p->client, a);
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
	if (client_has_guessed(&p->client))
		pop3_close(p);
	pop3_finish(p);
}

static void
challenge(struct pop3 *p, struct str text)
{
	p->is_in_exchange = true;
	buf_put_c(&p->client.out, "+ ");
	buf_put_str(&p->client.out, text);
	buf_put_c(&p->client.out, "\r\n");
	pop3_finish(p);
}

static void
on_answer(void *arg, const struct auth_answer *a)
{
	struct pop3 *p = arg;
	bool is_pass = p->user != NULL;

	if (p->client.is_dead || p->state == POP3_CLOSED)
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
		client_signed_in(&p->client, a);
		pop3_auth_reset(p);
		pop3_open(p);
		return;
	case AUTH_REFUSED:
	case AUTH_LATER:
		refuse(p, a);
		return;
	}
}

/* --- USER and PASS ---------------------------------------------------------------- */

/* The answer does not tell whether that user exists. */
void
pop3_cmd_user(struct pop3 *p, const struct pop3_command *c)
{
	if (!auth_may_plain(p->client.sv, p->client.conn)) {
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
	client_auth_plain(&p->client, on_answer, str_c(p->user), c->text);
	pop3_hold(p);
}

void
pop3_cmd_apop(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	pop3_err(p, NULL, "APOP is not offered here");
}

/* --- AUTH -------------------------------------------------------------------------- */

/* Not in RFC 5034, but older clients ask for the list this way. */
static void
list_mechanisms(struct pop3 *p)
{
	buf_put_c(&p->client.out, "+OK Mechanisms");
	auth_put_mechanisms(
	    &p->client.out, p->client.sv, p->client.conn, "\r\n");
	buf_put_c(&p->client.out, "\r\n.\r\n");
}

void
pop3_cmd_auth(struct pop3 *p, const struct pop3_command *c)
{
	if (c->text.n == 0) {
		list_mechanisms(p);
		return;
	}
	if (auth_is_plain(c->text) &&
	    !auth_may_plain(p->client.sv, p->client.conn)) {
		pop3_err(p, NULL, "Use STLS first");
		return;
	}
	if (!client_auth_start(&p->client, on_answer, c->text,
		c->has_initial ? &c->initial : NULL)) {
		pop3_err(p, NULL, "The initial response is not base64");
		return;
	}
	free(p->user);
	p->user = NULL;
	pop3_hold(p);
}

void
pop3_auth_line(struct pop3 *p, struct str line)
{
	p->is_in_exchange = false;
	pop3_hold(p);
	if (auth_exchange_step(p->client.auth, line))
		return;
	pop3_auth_reset(p);
	pop3_err(p, NULL, "Exchange ended");
	if (client_has_guessed(&p->client))
		pop3_close(p);
	pop3_finish(p);
}
