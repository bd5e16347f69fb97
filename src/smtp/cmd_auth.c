/* SPDX-License-Identifier: ISC */
/*
 * cmd_auth.c - AUTH (RFC 4954): a line protocol around the steps of the auth
 * process. This process sees a password pass, and keeps none.
 */
#include "smtp/command.h"

#include "base/base64.h"
#include "base/log.h"

#define STEP_MAX    KIB(10)
#define BINDING_MAX 256

/* A password in clear text is for TLS, unless the operator says otherwise. */
static bool
may_auth(const struct session *s)
{
	return conn_has_tls(s->conn) || s->sv->conf->auth_allow_plaintext;
}

bool
auth_keyword(const struct session *s, struct buf *b)
{
	if (!session_is_submission(s) || !may_auth(s) || s->login != NULL)
		return false;
	buf_put_c(b, "AUTH ");
	if (conn_has_tls(s->conn))
		buf_put_c(b, "SCRAM-SHA-256-PLUS ");
	buf_put_c(b, "SCRAM-SHA-256 PLAIN LOGIN");
	return true;
}

static void
finish(struct session *s, enum reply_id id, struct str login)
{
	session_enter(s, STATE_READY);
	if (id == REPLY_AUTH_OK) {
		s->login = str_dup(login);
		s->attempt.organisation = reach_organisation(login);
		log_event(EV_SMTP_AUTH, LC("sid", s->sid),
		    LC("ip", conn_peer_ip(s->conn)), LC("login", s->login));
	} else {
		s->attempt.account = 0;
		log_event(EV_SMTP_AUTH_FAIL, LC("sid", s->sid),
		    LC("ip", conn_peer_ip(s->conn)),
		    LC("reason", reply_get(id).text));
	}
	session_reply(s, id);
}

static void
challenge(struct session *s, struct str data)
{
	struct buf line = BUF_INIT(2 * STEP_MAX);

	buf_put_c(&line, "334 ");
	base64_encode(&line, data);
	buf_put_c(&line, "\r\n");
	session_enter(s, STATE_AUTH);
	session_put(s, buf_str(&line));
	buf_done_secret(&line);
}

static void
on_step(struct session *s, struct ipc_msg *m)
{
	struct msg_auth_step_reply r;

	if (m->outcome != DONE) {
		s->attempt.has_failed |= ipc_reason(m) == REASON_AUTH;
		s->attempt.has_failed_known |=
		    ipc_reason(m) == REASON_AUTH_KNOWN;
		s->attempt.is_banned |= ipc_reason(m) == REASON_BANNED;
		finish(s, reply_of_auth(m->outcome, ipc_reason(m)), STR_NONE);
		return;
	}
	if (!msg_auth_step_reply_get(m->body, &r)) {
		finish(s, REPLY_AUTH_LATER, STR_NONE);
		return;
	}
	s->attempt.account = r.state != 0 ? r.account : 0;
	s->attempt.is_known = r.state != 0 && r.is_known;
	if (r.state == 0) {
		challenge(s, r.data);
	} else if (r.data.n > 0) {
		/* RFC 4954 section 4: there is no room for it in a 235. */
		s->final_login = str_dup(r.login);
		challenge(s, r.data);
	} else {
		finish(s, REPLY_AUTH_OK, r.login);
	}
}

/* RFC 5802 section 7: "p=tls-unique,..." begins a client's first message. */
static bool
names_binding(const struct msg_auth_step *m, const char *type)
{
	struct str name, rest = str_split(m->data, ',', &name);

	return rest.p != NULL && str_starts(name, STR("p=")) &&
	       str_eq(str_from(name, 2), str_c(type));
}

/* The binding that the client names; else the usual one of this version. */
static void
put_binding(struct session *s, struct msg_auth_step *m, struct buf *data)
{
	static const char *const types[] = { "tls-exporter", "tls-unique" };
	bool is_named = names_binding(m, types[1]);

	m->has_tls = conn_has_tls(s->conn);
	for (size_t i = 0; m->has_tls && i < ARRAY_LEN(types); i++) {
		const char *type = types[is_named ? 1 - i : i];

		if (!conn_tls_binding(s->conn, type, data))
			continue;
		m->binding_type = str_c(type);
		m->binding = buf_str(data);
		return;
	}
}

static void
send_step(struct session *s, struct str mechanism, const struct str *data)
{
	struct buf body = BUF_INIT(KIB(32)), binding = BUF_INIT(BINDING_MAX);
	struct msg_auth_step m = {
		.service = (uint8_t)s->service,
		.mechanism = mechanism,
		.has_data = data != NULL,
		.data = data != NULL ? *data : STR_NONE,
		.client_ip = str_c(conn_peer_ip(s->conn)),
	};
	struct question q = {
		.to = ROLE_AUTH,
		.type = MSG_AUTH_STEP,
		.fd = -1,
		.fn = on_step,
	};

	put_binding(s, &m, &binding);
	msg_auth_step_put(&body, &m);
	q.body = buf_str(&body);
	s->was_asked = true;
	session_enter(s, STATE_AUTH);
	session_ask(s, &q);
	buf_done_secret(&body);
	buf_done(&binding);
}

static void
cancel(struct session *s, enum reply_id id)
{
	struct ipc_peer *auth = runtime_peer(s->sv->rt, ROLE_AUTH);

	if (auth != NULL)
		ipc_notify(auth, MSG_AUTH_CANCEL, s->id, STR_NONE, -1);
	free(s->final_login);
	s->final_login = NULL;
	finish(s, id, STR_NONE);
}

/* The exchange is complete; the client only says that it heard. */
static void
finish_confirmed(struct session *s, struct str data)
{
	char *login = TAKE_PTR(s->final_login);

	finish(
	    s, data.n == 0 ? REPLY_AUTH_OK : REPLY_AUTH_SYNTAX, str_c(login));
	free(login);
}

void
auth_line(struct session *s, struct str line)
{
	struct buf raw = BUF_INIT(STEP_MAX);
	struct str data;

	switch (sasl_line_decode(line, false, &raw)) {
	case SASL_LINE_OK:
		data = buf_str(&raw);
		if (s->final_login != NULL)
			finish_confirmed(s, data);
		else
			send_step(s, STR_NONE, &data);
		break;
	case SASL_LINE_CANCEL:
		cancel(s, REPLY_AUTH_CANCELLED);
		break;
	case SASL_LINE_BAD:
		cancel(s, REPLY_AUTH_SYNTAX);
		break;
	}
	buf_done_secret(&raw);
}

static enum reply_id
start(struct session *s, const struct smtp_auth *auth)
{
	struct buf raw = BUF_INIT(STEP_MAX);
	struct str data;
	enum reply_id id = REPLY_NONE;

	if (!auth->has_initial) {
		send_step(s, auth->mechanism, NULL);
	} else if (sasl_line_decode(auth->initial, true, &raw) ==
		   SASL_LINE_OK) {
		data = buf_str(&raw);
		send_step(s, auth->mechanism, &data);
	} else {
		id = REPLY_AUTH_SYNTAX;
	}
	buf_done_secret(&raw);
	return id;
}

enum reply_id
cmd_auth(struct session *s, const struct smtp_command *c)
{
	if (!session_is_submission(s))
		return REPLY_NOT_HERE;
	if (s->login != NULL)
		return REPLY_AUTH_TWICE;
	if (!may_auth(s))
		return REPLY_AUTH_TLS_FIRST;
	return start(s, &c->u.auth);
}
