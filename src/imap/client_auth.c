/* SPDX-License-Identifier: ISC */
/*
 * client_auth.c - a client signs in. See client.h.
 *
 * The exchange itself is between the client and the auth role; failed tries
 * are delayed and counted there. Here a connection ends after a few.
 */
#include "imap/client.h"

#define LOGIN_FAILURES_MAX 5

void
client_auth_end(struct client *c)
{
	if (c->auth)
		auth_exchange_done(c->auth);
	free(c->auth);
	c->auth = NULL;
}

static void
begin(struct client *c, auth_answer_fn fn)
{
	client_auth_end(c);
	c->auth = X_NEW(struct auth_exchange);
	auth_exchange_init(c->auth);
	c->auth->sv = c->sv;
	c->auth->conn = c->conn;
	c->auth->service = c->service;
	c->auth->session = c->id;
	c->auth->fn = fn;
	c->auth->arg = c->session;
}

bool
client_auth_start(struct client *c, auth_answer_fn fn, struct str mechanism,
    const struct str *line)
{
	struct buf initial = BUF_INIT(SASL_LINE_MAX);
	bool is_base64 =
	    !line || sasl_line_decode(*line, true, &initial) == SASL_LINE_OK;

	if (is_base64) {
		struct str raw = buf_str(&initial);

		begin(c, fn);
		auth_exchange_start(c->auth, mechanism, line ? &raw : NULL);
	}
	buf_done_secret(&initial);
	return is_base64;
}

void
client_auth_plain(
    struct client *c, auth_answer_fn fn, struct str user, struct str password)
{
	begin(c, fn);
	auth_exchange_plain(c->auth, user, password);
}

void
client_signed_in(struct client *c, const struct auth_answer *a)
{
	c->login = str_dup(a->login);
	c->attempt.is_signed_in = true;
	c->attempt.account = a->account;
	c->attempt.organisation = reach_organisation(a->login);
	c->attempt.is_known = a->is_known;
}

void
client_auth_failed(struct client *c, const struct auth_answer *a)
{
	log_event(c->kind->login_fail, LU("session", c->id),
	    LC("ip", conn_peer_ip(c->conn)),
	    LC("reason", reason_str(a->reason)));
	c->attempt.has_failed |= a->reason == REASON_AUTH;
	c->attempt.has_failed_known |= a->reason == REASON_AUTH_KNOWN;
	c->attempt.is_banned |= a->reason == REASON_BANNED;
}

bool
client_has_guessed(struct client *c)
{
	return ++c->login_failures >= LOGIN_FAILURES_MAX;
}
