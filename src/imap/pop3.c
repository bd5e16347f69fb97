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

#define IN_MAX KIB(16) /* a SASL line */

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
	pop3_put_ok(&p->client.out, str_c(text));
}

void
pop3_err(struct pop3 *p, const char *code, const char *text)
{
	pop3_put_err(&p->client.out, code, str_c(text));
}

bool
pop3_wait_drained(struct pop3 *p, pop3_fn fn)
{
	if (!conn_is_full(p->client.conn))
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
	client_flush(&p->client);
	if (p->state != POP3_CLOSED)
		conn_resume(p->client.conn);
}

void
pop3_close(struct pop3 *p)
{
	if (p->state == POP3_CLOSED)
		return;
	client_flush(&p->client);
	p->state = POP3_CLOSED;
	conn_close(p->client.conn);
}

static void
close_limit(struct pop3 *p, const char *what, const char *text)
{
	client_log_limit(&p->client, what);
	pop3_err(p, NULL, text);
	pop3_close(p);
}

void
pop3_err_store(struct pop3 *p, const struct ipc_msg *m)
{
	if (m->outcome == DONE) {
		client_log_broken_reply(&p->client);
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
on_reply(void *arg, UNUSED unsigned ask, struct ipc_msg *m)
{
	struct pop3 *p = arg;

	if (p->state != POP3_CLOSED)
		p->reply_fn(p, m);
}

void
pop3_ask(struct pop3 *p, enum msg_type type, struct buf *body, pop3_reply_fn fn)
{
	ASSERT(!client_is_asking(&p->client));
	p->reply_fn = fn;
	(void)client_ask(&p->client, type, body, -1);
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
	if (!client_was_bad(&p->client))
		return;
	pop3_err(p, NULL, "Too many bad commands");
	pop3_close(p);
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
	conn_consume(p->client.conn, used);
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
	switch (line_framer_next(
	    &p->framer, conn_in(p->client.conn), &line, &used)) {
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
	while (p->state != POP3_CLOSED && !p->client.is_dead && !p->is_held &&
	       !conn_is_full(p->client.conn)) {
		if (!input_step(p))
			break;
		if (p->client.out.n > CLIENT_OUT_CHUNK)
			client_flush(&p->client);
	}
	p->is_in_input = false;
	if (p->state == POP3_CLOSED || p->client.is_dead)
		return;
	client_flush(&p->client);
	if (p->is_held || conn_is_full(p->client.conn))
		conn_pause(p->client.conn);
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
		conn_resume(p->client.conn);
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
	client_done(&p->client);
	free(p);
}

static void
on_closed(void *arg)
{
	pop3_send_seen(arg);
}

/* RFC 1939 section 3: no UPDATE, and no response either. */
static void
on_expired(void *arg, UNUSED const char *text)
{
	pop3_close(arg);
}

static void
on_data(void *arg)
{
	struct pop3 *p = arg;

	if (!p->is_held && client_is_dawdling(&p->client))
		client_expire(&p->client, "Too slow");
	else
		pop3_input(p);
}

/* A good-bye that no client can take for a part of a message. */
static void
on_bye(void *arg, const char *text)
{
	struct pop3 *p = arg;

	if (p->state == POP3_CLOSED)
		return;
	if (!p->is_answering)
		pop3_err(p, "SYS/TEMP", text);
	pop3_close(p);
}

/* Without the "<...>" that would offer APOP. */
static void
greet(void *arg)
{
	struct pop3 *p = arg;
	struct buf text = BUF_INIT(KIB(1));

	buf_printf(
	    &text, "%s Mailstead POP3 ready", p->client.sv->conf->hostname);
	pop3_put_ok(&p->client.out, buf_str(&text));
	buf_done(&text);
}

static const struct client_kind kind = {
	.in_max = IN_MAX,
	.connect = EV_POP3_CONNECT,
	.close = EV_POP3_CLOSE,
	.timeout = EV_POP3_TIMEOUT,
	.limit = EV_POP3_LIMIT,
	.login_fail = EV_POP3_LOGIN_FAIL,
	.data = on_data,
	.drained = on_drained,
	.greet = greet,
	.expired = on_expired,
	.bye = on_bye,
	.reply = on_reply,
	.closed = on_closed,
	.free = free_session,
};

void
pop3_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port)
{
	struct pop3 *p = X_NEW(struct pop3);

	buf_init(&p->seen, KIB(16));
	client_start(
	    &p->client, &kind, p, &(struct client_start){ sv, cc, svc, port });
}

void
pop3_opened(struct pop3 *p)
{
	p->state = POP3_TRANSACTION;
	conn_set_timeout(
	    p->client.conn, (uint64_t)p->client.sv->conf->pop3_idle_s * 1000);
	log_event(EV_POP3_LOGIN, LU("session", p->client.id),
	    LC("ip", conn_peer_ip(p->client.conn)), LC("user", p->client.login),
	    LC("tls", conn_tls_version(p->client.conn)),
	    LU("messages", p->drop.left), LU("bytes", p->drop.bytes));
}
