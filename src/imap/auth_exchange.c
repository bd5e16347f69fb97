/* SPDX-License-Identifier: ISC */
/*
 * auth_exchange.c - one SASL exchange with the auth role. See the header.
 */
#include "imap/auth_exchange.h"

#define BINDING_MAX 256
#define STEP_MAX    KIB(10)

void
auth_exchange_init(struct auth_exchange *x)
{
	x->step = NULL;
	x->is_started = false;
	x->sends_final = false;
	x->login = NULL;
}

/*
 * The answer to a step is awaited even when nobody wants it any more: it may
 * be a sign-in, and then the store holds a grant for a session that is gone.
 */
struct auth_step {
	struct server *sv;
	uint32_t session;
	struct auth_exchange *x; /* NULL: the exchange was given up */
};

static void
give_up_step(struct auth_exchange *x)
{
	if (x->step)
		x->step->x = NULL;
	x->step = NULL;
}

static void
drop_grant(struct server *sv, uint32_t session)
{
	struct ipc_peer *store = runtime_peer(sv->rt, ROLE_STORE);

	if (store)
		ipc_notify(store, MSG_SESSION_CLOSE, session, STR_NONE, -1);
}

static bool
is_sign_in(const struct ipc_msg *m)
{
	struct msg_auth_step_reply r;

	return m->outcome == DONE && msg_auth_step_reply_get(m->body, &r) &&
	       r.state;
}

void
auth_exchange_done(struct auth_exchange *x)
{
	auth_exchange_cancel(x);
	free(x->login);
	x->login = NULL;
}

void
auth_exchange_cancel(struct auth_exchange *x)
{
	struct ipc_peer *auth = runtime_peer(x->sv->rt, ROLE_AUTH);

	give_up_step(x);
	if (x->is_started && auth)
		ipc_notify(auth, MSG_AUTH_CANCEL, x->session, STR_NONE, -1);
	/* Granted, but the client never said that it heard. */
	if (x->sends_final)
		drop_grant(x->sv, x->session);
	x->is_started = false;
	x->sends_final = false;
}

static void
answer(struct auth_exchange *x, struct auth_answer *a)
{
	if (a->result != AUTH_CHALLENGE)
		x->is_started = false;
	x->fn(x->arg, a);
}

/* SCRAM's last message to the client: IMAP and POP3 have no place for it in
 * the final reply, so it is one more challenge (RFC 4422 3.6). */
static void
give_final(struct auth_exchange *x, const struct msg_auth_step_reply *r,
    struct auth_answer *a)
{
	free(x->login);
	x->login = str_dup(r->login);
	x->account = r->account;
	x->is_known = r->is_known;
	x->sends_final = true;
	a->result = AUTH_CHALLENGE;
}

static void
on_step(void *arg, struct ipc_msg *m)
{
	struct auth_step *step = arg;
	struct auth_exchange *x = step->x;
	struct auth_answer a = { .result = AUTH_LATER };
	struct msg_auth_step_reply r;
	struct buf text = BUF_INIT(2 * STEP_MAX);

	if (!x) {
		if (is_sign_in(m))
			drop_grant(step->sv, step->session);
		free(step);
		return;
	}
	free(step);
	x->step = NULL;
	if (m->outcome != DONE) {
		a.reason = ipc_reason(m);
		if (m->outcome != TEMPFAIL)
			a.result = AUTH_REFUSED;
	} else if (msg_auth_step_reply_get(m->body, &r)) {
		a.login = r.login;
		a.account = r.account;
		a.is_known = r.is_known;
		a.result = r.state ? AUTH_OK : AUTH_CHALLENGE;
		base64_encode(&text, r.data);
		a.text = buf_str(&text);
		if (r.state && r.data.n)
			give_final(x, &r, &a);
	}
	answer(x, &a);
	buf_done(&text);
}

/* "p=NAME," at the start of a SCRAM client's first message (RFC 5802 7). */
static bool
is_chosen(struct str first, const char *type)
{
	struct str name;

	if (!str_starts(first, STR("p=")))
		return true;
	(void)str_split(str_from(first, 2), ',', &name);
	return str_eq(name, str_c(type));
}

/* The binding that the client names; else the usual one of this version. */
static void
put_binding(struct auth_exchange *x, struct msg_auth_step *m, struct buf *data)
{
	static const char *const types[] = { "tls-exporter", "tls-unique",
		"tls-server-end-point" };

	m->has_tls = conn_has_tls(x->conn);
	for (size_t i = 0; m->has_tls && i < ARRAY_LEN(types); i++)
		if (is_chosen(m->data, types[i]) &&
		    conn_tls_binding(x->conn, types[i], data)) {
			m->binding_type = str_c(types[i]);
			m->binding = buf_str(data);
			return;
		}
}

static void
send_step(struct auth_exchange *x, struct str mechanism, const struct str *data)
{
	struct buf body = BUF_INIT(KIB(32)), binding = BUF_INIT(BINDING_MAX);
	struct msg_auth_step m = { .service = (uint8_t)x->service,
		.mechanism = mechanism,
		.has_data = data != NULL,
		.data = data ? *data : STR_NONE,
		.client_ip = str_c(conn_peer_ip(x->conn)) };
	struct ipc_peer_request req = { .to = ROLE_AUTH,
		.type = MSG_AUTH_STEP,
		.session = x->session,
		.fd = -1 };

	ASSERT(!x->step);
	put_binding(x, &m, &binding);
	msg_auth_step_put(&body, &m);
	req.body = buf_str(&body);
	x->step = X_NEW(struct auth_step);
	*x->step = (struct auth_step){ x->sv, x->session, x };
	(void)runtime_request(x->sv->rt, &req, on_step, x->step);
	buf_done_secret(&body);
	buf_done(&binding);
}

void
auth_exchange_start(
    struct auth_exchange *x, struct str mechanism, const struct str *initial)
{
	x->is_started = true;
	send_step(x, mechanism, initial);
}

bool
auth_exchange_step(struct auth_exchange *x, struct str line)
{
	struct buf raw = BUF_INIT(STEP_MAX);
	struct str data;
	struct auth_answer a = { .result = AUTH_OK };

	if (sasl_line_decode(line, false, &raw) != SASL_LINE_OK) {
		buf_done_secret(&raw);
		auth_exchange_cancel(x);
		return false;
	}
	data = buf_str(&raw);
	if (x->sends_final) {
		/* The exchange is complete; nothing may follow. */
		a.login = str_c(x->login);
		a.account = x->account;
		a.is_known = x->is_known;
		if (data.n)
			a = (struct auth_answer){ .result = AUTH_REFUSED,
				.reason = REASON_AUTH_SYNTAX };
		else
			x->sends_final = false;
		answer(x, &a);
	} else {
		send_step(x, STR_NONE, &data);
	}
	buf_done_secret(&raw);
	return true;
}

void
auth_exchange_plain(
    struct auth_exchange *x, struct str user, struct str password)
{
	struct buf b = BUF_INIT(STEP_MAX);
	struct str data;

	buf_put_char(&b, '\0');
	buf_put_str(&b, user);
	buf_put_char(&b, '\0');
	buf_put_str(&b, password);
	data = buf_str(&b);
	auth_exchange_start(x, STR("PLAIN"), &data);
	buf_done_secret(&b);
}

/* A password in clear text is for TLS, unless the operator says otherwise. */
bool
auth_may_plain(const struct server *sv, const struct conn *conn)
{
	return conn_has_tls(conn) || sv->conf->auth_allow_plaintext;
}

bool
auth_is_plain(struct str mechanism)
{
	return str_eq_case(mechanism, STR("PLAIN")) ||
	       str_eq_case(mechanism, STR("LOGIN"));
}

void
auth_put_mechanisms(struct buf *b, const struct server *sv,
    const struct conn *conn, const char *prefix)
{
	if (conn_has_tls(conn))
		buf_printf(b, "%sSCRAM-SHA-256-PLUS", prefix);
	buf_printf(b, "%sSCRAM-SHA-256", prefix);
	if (auth_may_plain(sv, conn))
		buf_printf(b, "%sPLAIN%sLOGIN", prefix, prefix);
}
