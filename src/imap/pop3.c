/* SPDX-License-Identifier: ISC */
/*
 * pop3.c - life of a POP3 connection: input, dispatch, replies.
 *
 * Commands are read only while none is under way, so that a pipelining
 * client (RFC 2449 section 6.6) cannot make memory grow; their replies are
 * collected and leave together. What a command does is in the other pop3_
 * files.
 */
#include "imap/pop3_internal.h"

#include "imap/front.h"

#define IN_MAX   KIB(16) /* a SASL line */
#define OUT_HIGH KIB(512)
#define OUT_LOW  KIB(128)
#define BAD_MAX  20

_Static_assert(IN_MAX > SASL_LINE_MAX + 2, "a whole line must fit");

#define IN(state) (1U << POP3_##state)

struct handler {
	unsigned states; /* it is legal in */
	void (*run)(struct pop3 *p, const struct pop3_command *c);
};

static void cmd_unsupported(struct pop3 *p, const struct pop3_command *c);

/* clang-format off */
static const struct handler handlers[] = {
	[POP3_VERB_USER] = { IN(AUTHORIZATION),                   pop3_cmd_user },
	[POP3_VERB_PASS] = { IN(AUTHORIZATION),                   pop3_cmd_pass },
	[POP3_VERB_APOP] = { IN(AUTHORIZATION),                   pop3_cmd_apop },
	[POP3_VERB_AUTH] = { IN(AUTHORIZATION),                   pop3_cmd_auth },
	[POP3_VERB_STLS] = { IN(AUTHORIZATION),                   pop3_cmd_stls },
	[POP3_VERB_CAPA] = { IN(AUTHORIZATION) | IN(TRANSACTION), pop3_cmd_capa },
	[POP3_VERB_STAT] = { IN(TRANSACTION),                     pop3_cmd_stat },
	[POP3_VERB_LIST] = { IN(TRANSACTION),                     pop3_cmd_list },
	[POP3_VERB_UIDL] = { IN(TRANSACTION),                     pop3_cmd_list },
	[POP3_VERB_RETR] = { IN(TRANSACTION),                     pop3_cmd_retr },
	[POP3_VERB_TOP]  = { IN(TRANSACTION),                     pop3_cmd_retr },
	[POP3_VERB_DELE] = { IN(TRANSACTION),                     pop3_cmd_dele },
	[POP3_VERB_RSET] = { IN(TRANSACTION),                     pop3_cmd_rset },
	[POP3_VERB_NOOP] = { IN(TRANSACTION),                     pop3_cmd_noop },
	[POP3_VERB_UTF8] = { IN(AUTHORIZATION) | IN(TRANSACTION), cmd_unsupported },
	[POP3_VERB_LANG] = { IN(AUTHORIZATION) | IN(TRANSACTION), cmd_unsupported },
	[POP3_VERB_QUIT] = { IN(AUTHORIZATION) | IN(TRANSACTION), pop3_cmd_quit },
};
/* clang-format on */

/* --- replies ---------------------------------------------------------------- */

void
pop3_ok(struct pop3 *p, const char *text)
{
	pop3_put_ok(&p->out, str_c(text));
}

void
pop3_err(struct pop3 *p, const char *code, const char *text)
{
	pop3_put_err(&p->out, code, str_c(text));
}

void
pop3_flush(struct pop3 *p)
{
	ASSERT(!p->out.failed);
	if (p->out.n && !p->is_dead)
		conn_put_buf(p->conn, &p->out);
	buf_reset(&p->out, 0);
}

bool
pop3_wait_drained(struct pop3 *p, pop3_fn fn)
{
	if (!conn_is_full(p->conn))
		return false;
	p->drained = fn;
	return true;
}

void
pop3_hold(struct pop3 *p)
{
	ASSERT(!p->is_held);
	p->is_held = true;
}

void
pop3_finish(struct pop3 *p)
{
	ASSERT(p->is_held);
	p->is_held = false;
	p->is_answering = false;
	if (p->is_in_input)
		return;
	pop3_flush(p);
	if (p->state != POP3_CLOSED)
		conn_resume(p->conn);
}

void
pop3_close(struct pop3 *p)
{
	if (p->state == POP3_CLOSED)
		return;
	pop3_flush(p);
	p->state = POP3_CLOSED;
	conn_close(p->conn);
}

static void
close_limit(struct pop3 *p, const char *what, const char *text)
{
	log_event(EV_POP3_LIMIT, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("what", what));
	pop3_err(p, NULL, text);
	pop3_close(p);
}

void
pop3_err_store(struct pop3 *p, const struct ipc_msg *m)
{
	if (m->outcome == DONE) {
		log_event(EV_IPC_REFUSED, LU("session", p->id),
		    LC("what", "reply of the store"));
		pop3_err(p, "SYS/TEMP", "Internal error, try again later");
	} else if (ipc_reason(m) == REASON_CORRUPT) {
		pop3_err(p, "SYS/PERM",
		    "Damaged on disk; the operator has been told");
	} else if (m->outcome == TEMPFAIL) {
		pop3_err(p, "SYS/TEMP", "Not possible now, try again later");
	} else {
		pop3_err(p, "SYS/PERM", "The maildrop cannot be used");
	}
}

/* --- asking the store --------------------------------------------------------- */

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct pop3 *p = arg;
	pop3_reply_fn fn = p->reply_fn;

	p->peer = ipc_peer_unref(p->peer);
	p->reply_fn = NULL;
	if (fn && !p->is_dead && p->state != POP3_CLOSED)
		fn(p, m);
}

void
pop3_ask(struct pop3 *p, enum msg_type type, struct buf *body, pop3_reply_fn fn)
{
	struct ipc_peer *store = runtime_peer(p->sv->rt, ROLE_STORE);
	struct ipc_peer_request req = { .to = ROLE_STORE,
		.type = type,
		.session = p->id,
		.body = buf_str(body),
		.fd = -1 };

	ASSERT(!p->reply_fn && !body->failed);
	p->reply_fn = fn;
	p->peer = store ? ipc_peer_ref(store) : NULL;
	p->request = runtime_request(p->sv->rt, &req, on_reply, p);
	buf_reset(body, 0);
}

static void
cancel_ask(struct pop3 *p)
{
	if (p->reply_fn && p->peer)
		ipc_cancel(p->peer, p->request);
	p->peer = ipc_peer_unref(p->peer);
	p->reply_fn = NULL;
}

/* --- input --------------------------------------------------------------------- */

static void
cmd_unsupported(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	pop3_err(p, NULL, "Not supported");
}

static void
count_bad(struct pop3 *p)
{
	if (++p->bad_count >= BAD_MAX)
		close_limit(p, "bad commands", "Too many bad commands");
}

static void
run_command(struct pop3 *p, struct str line)
{
	struct pop3_command c;
	enum pop3_command_error e = pop3_command_parse(line, &c);

	if (e != POP3_COMMAND_OK) {
		pop3_err(p, NULL, pop3_command_error_str(e));
		count_bad(p);
		return;
	}
	if (!(handlers[c.verb].states & (1U << p->state))) {
		pop3_err(p, NULL,
		    p->state == POP3_AUTHORIZATION ? "Sign in first"
						   : "Signed in already");
		count_bad(p);
		return;
	}
	handlers[c.verb].run(p, &c);
}

/* The line is taken out of the connection before it runs: STLS throws away
 * what is left there. It may hold a password. */
static void
take_line(struct pop3 *p, struct str line, size_t used)
{
	struct buf copy = BUF_INIT(IN_MAX);

	buf_put_str(&copy, line);
	conn_consume(p->conn, used);
	if (p->is_in_exchange)
		pop3_auth_line(p, buf_str(&copy));
	else
		run_command(p, buf_str(&copy));
	buf_done_secret(&copy);
}

/* False: nothing more can be done now. */
static bool
input_step(struct pop3 *p)
{
	struct str line;
	size_t used;

	p->framer.max = p->is_in_exchange ? SASL_LINE_MAX : POP3_LINE_MAX;
	switch (line_framer_next(&p->framer, conn_in(p->conn), &line, &used)) {
	case LINE_MORE:
		return false;
	case LINE_OK:
		take_line(p, line, used);
		return true;
	case LINE_TOO_LONG:
		close_limit(p, "line", "Line too long");
		return false;
	case LINE_BARE_EOL:
		close_limit(p, "line end", "A line must end with CRLF");
		return false;
	}
	return false;
}

static void
pop3_input(struct pop3 *p)
{
	if (p->is_in_input)
		return;
	p->is_in_input = true;
	while (p->state != POP3_CLOSED && !p->is_dead && !p->is_held &&
	       !conn_is_full(p->conn)) {
		if (!input_step(p))
			break;
		if (p->out.n > POP3_OUT_CHUNK)
			pop3_flush(p);
	}
	p->is_in_input = false;
	if (p->state == POP3_CLOSED || p->is_dead)
		return;
	pop3_flush(p);
	if (p->is_held || conn_is_full(p->conn))
		conn_pause(p->conn);
}

static void
on_drained(void *arg)
{
	struct pop3 *p = arg;
	pop3_fn fn = p->drained;

	p->drained = NULL;
	if (fn)
		fn(p);
	else if (!p->is_held)
		conn_resume(p->conn);
}

/* --- life ------------------------------------------------------------------------ */

static void
free_session(void *arg)
{
	struct pop3 *p = arg;

	pop3_auth_reset(p);
	pop3_reading_done(p);
	pop3_drop_done(&p->drop);
	buf_done(&p->seen);
	buf_done(&p->out);
	free(p->login);
	free(p);
}

/*
 * Without a peer the "gone" reply of a request is still on its way from the
 * loop; it finds the session dead. The session and its exchange are freed behind it.
 */
static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct pop3 *p = arg;
	struct ipc_peer *store = runtime_peer(p->sv->rt, ROLE_STORE);

	if (how == CONN_END_TLS)
		log_event(EV_IMAP_TLS_FAIL, LU("session", p->id),
		    LC("ip", conn_peer_ip(p->conn)), LC("error", detail));
	log_event(EV_POP3_CLOSE, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("user", p->login),
	    LU("in", conn_bytes_in(p->conn)),
	    LU("out", conn_bytes_out(p->conn)));
	reach_report_end(ports_reach(p->sv->ports), &p->attempt, p->conn, how);
	cancel_ask(p);
	pop3_send_seen(p);
	if (store && p->login)
		ipc_notify(store, MSG_SESSION_CLOSE, p->id, STR_NONE, -1);
	p->is_dead = true;
	LIST_REMOVE(p, link);
	ports_left(p->sv->ports, conn_peer_addr(p->conn));
	loop_defer(p->sv->loop, free_session, p);
}

/* RFC 1939 section 3: no UPDATE, and no response either. */
static void
on_timeout(void *arg)
{
	struct pop3 *p = arg;

	log_event(EV_POP3_TIMEOUT, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("user", p->login));
	pop3_close(p);
}

/* Before sign-in there is an end to patience, however slowly bytes drip. */
static bool
is_dawdling(const struct pop3 *p)
{
	uint64_t most = (uint64_t)p->sv->conf->imap_preauth_idle_s * 1000;

	return p->state == POP3_AUTHORIZATION && !p->is_held &&
	       loop_now_ms(p->sv->loop) - p->started_ms >
	           SERVER_PREAUTH_IDLES * most;
}

static void
on_data(void *arg)
{
	struct pop3 *p = arg;

	if (is_dawdling(p))
		on_timeout(p);
	else
		pop3_input(p);
}

/* Without the "<...>" that would offer APOP. */
static void
greet(struct pop3 *p)
{
	struct buf text = BUF_INIT(KIB(1));

	p->attempt.is_greeted = true;
	buf_printf(&text, "%s Mailstead POP3 ready", p->sv->conf->hostname);
	pop3_put_ok(&p->out, buf_str(&text));
	pop3_flush(p);
	buf_done(&text);
}

static void
on_tls_ready(void *arg)
{
	struct pop3 *p = arg;

	if (service_is_implicit_tls(p->service))
		greet(p);
}

static const struct conn_handlers conn_events = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

void
pop3_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port)
{
	struct pop3 *p = X_NEW(struct pop3);

	p->sv = sv;
	p->service = svc;
	p->attempt.service = svc;
	p->attempt.port = port;
	p->id = imap_server_session_id(sv);
	p->started_ms = loop_now_ms(sv->loop);
	buf_init(&p->out, POP3_OUT_MAX);
	buf_init(&p->seen, KIB(16));
	cc->in_max = IN_MAX;
	cc->out_high = OUT_HIGH;
	cc->out_low = OUT_LOW;
	cc->wants_path = true;
	cc->handlers = &conn_events;
	cc->arg = p;
	p->conn = conn_new(cc);
	conn_set_timeout(
	    p->conn, (uint64_t)sv->conf->imap_preauth_idle_s * 1000);
	LIST_INSERT_HEAD(&sv->pop3_sessions, p, link);
	log_event(EV_POP3_CONNECT, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("service", service_name(svc)));
	if (!service_is_implicit_tls(svc))
		greet(p);
}

void
pop3_opened(struct pop3 *p)
{
	p->state = POP3_TRANSACTION;
	conn_set_timeout(p->conn, (uint64_t)p->sv->conf->pop3_idle_s * 1000);
	log_event(EV_POP3_LOGIN, LU("session", p->id),
	    LC("ip", conn_peer_ip(p->conn)), LC("user", p->login),
	    LC("tls", conn_tls_version(p->conn)), LU("messages", p->drop.left),
	    LU("bytes", p->drop.bytes));
}

/* A good-bye that no client can take for a part of a message. */
static void
end_session(struct pop3 *p, const char *text)
{
	if (p->state == POP3_CLOSED)
		return;
	if (!p->is_answering)
		pop3_err(p, "SYS/TEMP", text);
	pop3_close(p);
}

void
pop3_store_gone(struct pop3 *p)
{
	if (p->login)
		end_session(p, "The mail store is restarting, connect again");
}

void
pop3_shutdown(struct pop3 *p)
{
	end_session(p, "The server is stopping");
}

struct pop3 *
pop3_next(struct pop3 *p)
{
	return LIST_NEXT(p, link);
}
