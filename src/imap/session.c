/* SPDX-License-Identifier: ISC */
/*
 * session.c - life of an IMAP connection: input, dispatch, replies.
 *
 * Nothing here knows what a command does; see the cmd_*.c files. What comes
 * from the client is framed and parsed only while no command is under way,
 * so that a pipelining client cannot make memory grow.
 */
#include "imap/session.h"

#include "imap/front.h"
#include "imap/kept.h"

#define IN_MAX_PREAUTH   KIB(32)
#define IN_MAX           KIB(256)
#define OUT_HIGH         KIB(512)
#define OUT_LOW          KIB(128)
#define LINE_MAX_PREAUTH KIB(16)
#define PREAUTH_IDLES    5  /* sign-in takes so many idle times at most */
#define STEPS_MAX        64 /* commands of one client before others' turn */

/* clang-format off */
static const session_fn handlers[] = {
	[IMAP_CAPABILITY]   = imap_cmd_capability,
	[IMAP_NOOP]         = imap_cmd_noop,
	[IMAP_LOGOUT]       = imap_cmd_logout,
	[IMAP_ID]           = imap_cmd_id,
	[IMAP_STARTTLS]     = imap_cmd_starttls,
	[IMAP_AUTHENTICATE] = imap_cmd_authenticate,
	[IMAP_LOGIN]        = imap_cmd_login,
	[IMAP_ENABLE]       = imap_cmd_enable,
	[IMAP_SELECT]       = imap_cmd_select,
	[IMAP_EXAMINE]      = imap_cmd_select,
	[IMAP_CREATE]       = imap_cmd_create,
	[IMAP_DELETE]       = imap_cmd_delete,
	[IMAP_RENAME]       = imap_cmd_rename,
	[IMAP_SUBSCRIBE]    = imap_cmd_subscribe,
	[IMAP_UNSUBSCRIBE]  = imap_cmd_subscribe,
	[IMAP_LIST]         = imap_cmd_list,
	[IMAP_LSUB]         = imap_cmd_list,
	[IMAP_NAMESPACE]    = imap_cmd_namespace,
	[IMAP_STATUS]       = imap_cmd_status,
	[IMAP_APPEND]       = imap_cmd_append,
	[IMAP_IDLE]         = imap_cmd_idle,
	[IMAP_GETQUOTA]     = imap_cmd_getquota,
	[IMAP_GETQUOTAROOT] = imap_cmd_getquotaroot,
	[IMAP_SETQUOTA]     = imap_cmd_setquota,
	[IMAP_CHECK]        = imap_cmd_check,
	[IMAP_CLOSE]        = imap_cmd_close,
	[IMAP_UNSELECT]     = imap_cmd_unselect,
	[IMAP_EXPUNGE]      = imap_cmd_expunge,
	[IMAP_SEARCH]       = imap_cmd_search,
	[IMAP_FETCH]        = imap_cmd_fetch,
	[IMAP_STORE]        = imap_cmd_store,
	[IMAP_COPY]         = imap_cmd_copy,
	[IMAP_MOVE]         = imap_cmd_copy,
};
/* clang-format on */

static void session_input(struct session *s);
static void finish_synced(struct session *s);

/* --- commands ----------------------------------------------------------------- */

static void
command_free(struct session *s)
{
	struct command *cmd = TAKE_PTR(s->cmd);

	if (!cmd)
		return;
	if (cmd->cleanup) {
		s->cmd = cmd;
		cmd->cleanup(s);
		s->cmd = NULL;
	}
	/* Unescaped copies of a password are in the arena. */
	arena_done_secret(&cmd->arena);
	free(cmd->data);
	s->silent = STR_NONE;
	s->yielded = NULL;
	append_free(s);
	buf_done_secret(&cmd->text);
	buf_done(&cmd->code);
	buf_done(&cmd->reply_text);
	free(cmd);
}

void *
session_cmd_data(struct session *s, size_t n)
{
	ASSERT(!s->cmd->data);
	s->cmd->data = x_zalloc(n);
	return s->cmd->data;
}

static unsigned
state_bit(enum session_state state)
{
	switch (state) {
	case SESSION_NOT_AUTHENTICATED:
		return IMAP_IN_NOT_AUTHENTICATED;
	case SESSION_AUTHENTICATED:
		return IMAP_IN_AUTHENTICATED;
	case SESSION_SELECTED:
		return IMAP_IN_SELECTED;
	case SESSION_LOGOUT:
		return 0;
	}
	return 0;
}

static void
count_bad(struct session *s)
{
	if (++s->bad_count < SESSION_BAD_MAX)
		return;
	log_event(EV_IMAP_LIMIT, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("what", "bad commands"));
	session_bye(s, NULL, "Too many bad commands");
}

static void
refuse(struct session *s, enum imap_parse verdict)
{
	switch (verdict) {
	case IMAP_PARSE_BAD:
	case IMAP_PARSE_UNKNOWN:
		session_bad(s, s->cmd->c.error);
		count_bad(s);
		return;
	case IMAP_PARSE_BAD_NAME:
		session_no(s, "CANNOT", s->cmd->c.error);
		return;
	case IMAP_PARSE_BAD_CHARSET:
		session_no(s, "BADCHARSET (US-ASCII UTF-8)", s->cmd->c.error);
		return;
	case IMAP_PARSE_OK:
		break;
	}
	ASSERT(!"a command that parsed is not refused");
}

static void
dispatch(struct session *s)
{
	const struct imap_command *c = &s->cmd->c;

	if (!(imap_verb_flags(c->verb) & state_bit(s->state))) {
		session_bad(s, s->state == SESSION_NOT_AUTHENTICATED
				   ? "Sign in first"
				   : "Not in this state");
		return;
	}
	handlers[c->verb](s);
}

static void
start_command(struct session *s, struct str text)
{
	struct command *cmd = X_NEW(struct command);
	enum imap_parse verdict;

	arena_init(&cmd->arena, 4 * IMAP_COMMAND_ARENA);
	buf_init(&cmd->text, SIZE_MAX / 2);
	buf_init(&cmd->code, SESSION_CODE_MAX);
	buf_init(&cmd->reply_text, KIB(2));
	buf_put_str(&cmd->text, text);
	s->cmd = cmd;
	verdict = imap_command_parse(
	    &cmd->arena, buf_str(&cmd->text), session_utf8(s), &cmd->c);
	if (verdict == IMAP_PARSE_OK)
		dispatch(s);
	else
		refuse(s, verdict);
}

/* --- input --------------------------------------------------------------------- */

/* An error of the framer: the rest of the command is skipped by it. */
static void
frame_error(struct session *s, enum imap_frame what, struct str text)
{
	const char *why = what == IMAP_FRAME_LITERAL_BIG ? "Literal too large"
	                  : what == IMAP_FRAME_TOO_MANY  ? "Too many literals"
	                  : what == IMAP_FRAME_LINE_LONG ? "Line too long"
	                  : what == IMAP_FRAME_COMMAND_LONG ? "Command too long"
	                  : what == IMAP_FRAME_BAD_CHAR
	                      ? "NUL is not allowed"
	                      : "A line must end with CRLF";

	if (s->cmd) { /* in SASL or IDLE: that command ends */
		session_bad(s, why);
	} else {
		append_free(s);
		imap_put_status(&s->out, imap_command_tag(text), IMAP_BAD,
		    STR_NONE, str_c(why));
		session_flush(s);
	}
	log_event(EV_IMAP_SYNTAX, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("what", why));
	count_bad(s);
}

static void
frame_literal(struct session *s, const struct imap_frame_event *ev)
{
	bool is_accepted = ev->literal.can_collect;

	if (s->cmd) { /* in SASL or IDLE: no command, so no literal */
		imap_framer_reject(&s->framer);
		session_bad(s, "A literal is not expected here");
		count_bad(s);
		return;
	}
	if (ev->literal.can_stream && s->state != SESSION_NOT_AUTHENTICATED) {
		append_literal(s, ev);
		return;
	}
	if (is_accepted)
		imap_framer_accept(&s->framer);
	else
		imap_put_status(&s->out, imap_command_tag(ev->text), IMAP_NO,
		    STR("TOOBIG"), STR("Literal too large"));
	if (!is_accepted)
		imap_framer_reject(&s->framer);
	else if (ev->literal.is_sync)
		buf_put_c(&s->out, "+ OK\r\n");
	session_flush(s);
}

static void
frame_command(struct session *s, struct str text)
{
	if (!s->cmd)
		start_command(s, text);
	else if (s->cmd->line)
		s->cmd->line(s, text);
}

/* Before sign-in the input may hold a password. */
static void
consume(struct session *s, size_t n)
{
	if (s->state == SESSION_NOT_AUTHENTICATED)
		conn_consume_secret(s->conn, n);
	else
		conn_consume(s->conn, n);
}

/* One event of the framer. False: nothing more can be done now. */
static bool
input_step(struct session *s)
{
	struct imap_frame_event ev;
	struct str in = conn_in(s->conn);
	size_t used = 0;
	enum imap_frame what;

	what = imap_framer_next(&s->framer, in, &used, &ev);
	switch (what) {
	case IMAP_FRAME_MORE:
		consume(s, used);
		return false;
	case IMAP_FRAME_COMMAND:
		consume(s, used);
		frame_command(s, ev.text);
		return true;
	case IMAP_FRAME_LITERAL:
		consume(s, used);
		frame_literal(s, &ev);
		return true;
	case IMAP_FRAME_SLICE:
		append_slice(s, &ev);
		consume(s, used);
		return true;
	case IMAP_FRAME_BARE_EOL:
	case IMAP_FRAME_BAD_CHAR:
	case IMAP_FRAME_LINE_LONG:
	case IMAP_FRAME_LITERAL_BIG:
	case IMAP_FRAME_TOO_MANY:
	case IMAP_FRAME_COMMAND_LONG:
		consume(s, used);
		frame_error(s, what, ev.text);
		return true;
	case IMAP_FRAME_FATAL:
		consume(s, used);
		session_bye(s, NULL, "Too much to skip");
		return false;
	}
	return false;
}

/* A command is under way that does not listen, or it is not known yet whether
 * its message can be taken: input waits. */
static bool
is_busy(const struct session *s)
{
	if (append_is_waiting(s))
		return true;
	return s->cmd && (!s->cmd->line || s->cmd->is_finishing);
}

/* Before sign-in there is an end to patience, however slowly bytes drip. */
static bool
is_dawdling(struct session *s)
{
	uint64_t most = (uint64_t)s->sv->conf->imap_preauth_idle_s * 1000;

	return s->state == SESSION_NOT_AUTHENTICATED && !s->cmd &&
	       loop_now_ms(s->sv->loop) - s->started_ms > PREAUTH_IDLES * most;
}

static void
session_input(struct session *s)
{
	unsigned steps = 0;

	if (s->is_in_input)
		return;
	if (is_dawdling(s)) {
		session_bye(s, NULL, "Too slow");
		return;
	}
	s->is_in_input = true;
	while (s->state != SESSION_LOGOUT && !s->is_dead && !is_busy(s) &&
	       !conn_is_full(s->conn) && steps++ < STEPS_MAX)
		if (!input_step(s))
			break;
	s->is_in_input = false;
	if (s->state == SESSION_LOGOUT || s->is_dead)
		return;
	if (steps > STEPS_MAX) /* others have their turn first */
		conn_resume(s->conn);
	else if (is_busy(s) || conn_is_full(s->conn))
		conn_pause(s->conn);
	else if (!s->cmd && imap_framer_is_idle(&s->framer))
		imap_framer_shrink(&s->framer);
}

static void
on_data(void *arg)
{
	session_input(arg);
}

static void
on_drained(void *arg)
{
	struct session *s = arg;
	session_fn fn = s->cmd ? s->cmd->drained : NULL;

	if (fn) {
		s->cmd->drained = NULL;
		fn(s);
	} else {
		conn_resume(s->conn);
	}
}

/* --- replies ------------------------------------------------------------------- */

void
session_flush(struct session *s)
{
	ASSERT(!s->out.failed);
	if (s->out.n && !s->is_dead)
		conn_put_buf(s->conn, &s->out);
	buf_reset(&s->out, 0);
}

bool
session_wait_drained(struct session *s, session_fn fn)
{
	if (!conn_is_full(s->conn))
		return false;
	s->cmd->drained = fn;
	return true;
}

void
session_untagged(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&s->out, fmt, ap);
	va_end(ap);
}

static void
finish_now(struct session *s)
{
	struct command *cmd = s->cmd;

	if (cmd->word == IMAP_OK)
		s->bad_count = 0;
	imap_put_status(&s->out, cmd->c.tag, cmd->word, buf_str(&cmd->code),
	    buf_str(&cmd->reply_text));
	command_free(s);
	session_flush(s);
	if (s->state != SESSION_LOGOUT)
		conn_resume(s->conn);
}

static void
finish_synced(struct session *s)
{
	if (s->cmd)
		finish_now(s);
}

void
session_finish(struct session *s, enum imap_status_word word, struct str code,
    struct str text)
{
	struct command *cmd = s->cmd;

	ASSERT(cmd && !cmd->is_finishing);
	cmd->is_finishing = true;
	cmd->line = NULL;
	cmd->drained = NULL;
	cmd->word = word;
	buf_put_str(&cmd->code, code);
	buf_put_str(&cmd->reply_text, text);
	ASSERT(!cmd->code.failed && !cmd->reply_text.failed);
	if (s->sync_then) /* IDLE ends while changes are being told */
		s->sync_then = finish_synced;
	else if (s->view && s->has_changes && s->state == SESSION_SELECTED)
		session_sync(s, session_may_expunge(s), finish_synced);
	else
		finish_now(s);
}

void
session_ok(struct session *s, const char *text)
{
	session_finish(s, IMAP_OK, STR_NONE, str_c(text));
}

void
session_no(struct session *s, const char *code, const char *text)
{
	session_finish(s, IMAP_NO, str_c(code), str_c(text));
}

void
session_bad(struct session *s, const char *text)
{
	session_finish(s, IMAP_BAD, STR_NONE, str_c(text));
}

/* RFC 5530 codes for what the store said. */
static const struct {
	enum reason reason;
	const char *code, *text;
} failures[] = {
	{ REASON_DISK_FULL, "UNAVAILABLE",
	    "The server's disk is full, try again later" },
	{ REASON_OVERQUOTA, "OVERQUOTA", "The mailbox is full" },
	{ REASON_TOO_BIG, "TOOBIG", "Too large" },
	{ REASON_LIMIT, "LIMIT", "A limit is reached" },
	{ REASON_NO_MAILBOX, "NONEXISTENT", "No such mailbox" },
	{ REASON_EXISTS, "ALREADYEXISTS", "The mailbox exists already" },
	{ REASON_NAME, "CANNOT", "Not a possible mailbox name" },
	{ REASON_HAS_CHILDREN, "HASCHILDREN",
	    "The mailbox has mailboxes below it" },
	{ REASON_FORBIDDEN, "CANNOT", "This cannot be done" },
	{ REASON_CORRUPT, "CORRUPTION",
	    "The message is damaged on disk; the operator has been told" },
	{ REASON_IO, "UNAVAILABLE", "Disk error, try again later" },
	{ REASON_GONE, "UNAVAILABLE", "Try again later" },
};

struct session_failure
session_failure_of(const struct ipc_msg *m, bool may_create)
{
	enum reason why = ipc_reason(m);

	ASSERT(m->outcome != DONE);
	if (why == REASON_NO_MAILBOX && may_create)
		return (
		    struct session_failure){ "TRYCREATE", "No such mailbox" };
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (failures[i].reason == why)
			return (struct session_failure){ failures[i].code,
				failures[i].text };
	if (m->outcome == TEMPFAIL)
		return (
		    struct session_failure){ "UNAVAILABLE", "Try again later" };
	return (struct session_failure){ NULL, "Refused" };
}

void
session_failed(struct session *s, const struct ipc_msg *m)
{
	enum imap_verb verb = s->cmd ? s->cmd->c.verb : IMAP_NOOP;
	struct session_failure f = session_failure_of(
	    m, verb == IMAP_APPEND || verb == IMAP_COPY || verb == IMAP_MOVE);

	if (ipc_reason(m) == REASON_NOT_GRANTED)
		session_bye(s, "UNAVAILABLE", "The account is gone");
	else
		session_no(s, f.code, f.text);
}

void
session_broken_reply(struct session *s)
{
	log_event(EV_IPC_REFUSED, LU("session", s->id),
	    LC("what", "reply of the store"));
	session_no(s, "SERVERBUG", "Internal error");
}

void
session_bye(struct session *s, const char *code, const char *text)
{
	if (s->state == SESSION_LOGOUT)
		return;
	imap_put_status(&s->out, STR_NONE, IMAP_BYE, str_c(code), str_c(text));
	session_flush(s);
	s->state = SESSION_LOGOUT;
	conn_close(s->conn);
}

/* --- asking the store ------------------------------------------------------------ */

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct imap_session_ask *ask = arg;
	struct session *s = ask->s;
	session_reply_fn fn = ask->fn;

	ask->peer = ipc_peer_unref(ask->peer);
	ask->fn = NULL;
	if (!s->is_dead && s->state != SESSION_LOGOUT)
		fn(s, m);
}

void
imap_session_ask(struct session *s, enum msg_type type, struct buf *body,
    int fd, session_reply_fn fn)
{
	struct imap_session_ask *ask = NULL;
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);
	struct ipc_peer_request req = { .to = ROLE_STORE,
		.type = type,
		.session = s->id,
		.body = body ? buf_str(body) : STR_NONE,
		.fd = fd };

	for (size_t i = 0; i < SESSION_ASKS && !ask; i++)
		if (!s->asks[i].fn)
			ask = &s->asks[i];
	ASSERT(ask);
	if (body)
		ASSERT(!body->failed);
	ask->s = s;
	ask->fn = fn;
	ask->peer = store ? ipc_peer_ref(store) : NULL;
	ask->request = runtime_request(s->sv->rt, &req, on_reply, ask);
	if (body)
		buf_reset(body, 0);
}

bool
session_is_asking(const struct session *s)
{
	for (size_t i = 0; i < SESSION_ASKS; i++)
		if (s->asks[i].fn)
			return true;
	return false;
}

static void
cancel_asks(struct session *s)
{
	for (size_t i = 0; i < SESSION_ASKS; i++) {
		struct imap_session_ask *ask = &s->asks[i];

		if (!ask->fn)
			continue;
		if (ask->peer)
			ipc_cancel(ask->peer, ask->request);
		ask->peer = ipc_peer_unref(ask->peer);
		ask->fn = NULL;
	}
}

static void
on_yield(void *arg)
{
	struct session *s = arg;
	session_fn fn = s->yielded;

	s->is_yield_queued = false;
	s->yielded = NULL;
	if (fn && !s->is_dead && s->state != SESSION_LOGOUT)
		fn(s);
}

/* The session outlives the call: deferred calls run in order, and a deferred
 * call frees it. */
void
session_yield(struct session *s, session_fn fn)
{
	ASSERT(!s->yielded);
	s->yielded = fn;
	if (!s->is_yield_queued)
		loop_defer(s->sv->loop, on_yield, s);
	s->is_yield_queued = true;
}

/* --- life ------------------------------------------------------------------------- */

static void
free_session(void *arg)
{
	struct session *s = arg;

	command_free(s);
	append_free(s);
	resync_free(s);
	kept_drop(s);
	view_free(s->view);
	if (s->auth)
		auth_exchange_done(s->auth);
	free(s->auth);
	imap_framer_done(&s->framer);
	buf_done(&s->out);
	free(s->login);
	free(s);
}

/*
 * Without a peer the "gone" reply of a request is still on its way from the
 * loop; it finds the session dead. The session is freed behind it.
 */
static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct session *s = arg;
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);

	if (how == CONN_END_TLS)
		log_event(EV_IMAP_TLS_FAIL, LU("session", s->id),
		    LC("ip", conn_peer_ip(s->conn)), LC("error", detail));
	log_event(EV_IMAP_CLOSE, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("user", s->login),
	    LU("in", conn_bytes_in(s->conn)),
	    LU("out", conn_bytes_out(s->conn)));
	if (store && s->login)
		ipc_notify(store, MSG_SESSION_CLOSE, s->id, STR_NONE, -1);
	cancel_asks(s);
	s->is_dead = true;
	LIST_REMOVE(s, link);
	LIST_REMOVE(s, id_link);
	front_released(s->sv->fronts, s->conn);
	loop_defer(s->sv->loop, free_session, s);
}

static void
on_timeout(void *arg)
{
	struct session *s = arg;

	log_event(EV_IMAP_TIMEOUT, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("user", s->login));
	session_bye(s, NULL, "Idle for too long");
}

static void
greet(struct session *s)
{
	buf_put_c(&s->out, "* OK [CAPABILITY ");
	session_put_capability(s, &s->out);
	buf_printf(
	    &s->out, "] %s Mailstead IMAP ready\r\n", s->sv->conf->hostname);
	session_flush(s);
}

static void
on_tls_ready(void *arg)
{
	struct session *s = arg;

	if (service_is_implicit_tls(s->service))
		greet(s);
}

static const struct conn_handlers conn_events = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
set_framer_limits(struct session *s)
{
	struct imap_framer_limits l = IMAP_FRAMER_LIMITS;

	if (s->state == SESSION_NOT_AUTHENTICATED) {
		l.line = LINE_MAX_PREAUTH;
		l.literal = KIB(2);
		l.literals = 4;
		l.command = KIB(20);
		l.skip = KIB(64);
	}
	s->framer.limits = l;
}

void
imap_session_new(struct server *sv, struct conn_config *cc, enum service svc)
{
	struct session *s = X_NEW(struct session);
	struct imap_framer_limits limits = IMAP_FRAMER_LIMITS;

	s->sv = sv;
	s->service = svc;
	s->id = imap_server_session_id(sv);
	s->started_ms = loop_now_ms(sv->loop);
	buf_init(&s->out, SESSION_OUT_MAX);
	imap_framer_init(&s->framer, &limits);
	set_framer_limits(s);
	cc->in_max = IN_MAX_PREAUTH;
	cc->out_high = OUT_HIGH;
	cc->out_low = OUT_LOW;
	cc->handlers = &conn_events;
	cc->arg = s;
	s->conn = conn_new(cc);
	conn_set_timeout(
	    s->conn, (uint64_t)sv->conf->imap_preauth_idle_s * 1000);
	LIST_INSERT_HEAD(&sv->sessions, s, link);
	LIST_INSERT_HEAD(&sv->by_id[s->id % SERVER_ID_BUCKETS], s, id_link);
	log_event(EV_IMAP_CONNECT, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("service", service_name(svc)));
	if (!service_is_implicit_tls(svc))
		greet(s);
}

void
session_signed_in(struct session *s, struct str login)
{
	s->state = SESSION_AUTHENTICATED;
	s->login = str_dup(login);
	set_framer_limits(s);
	conn_set_in_max(s->conn, IN_MAX);
	conn_set_timeout(s->conn, (uint64_t)s->sv->conf->imap_idle_s * 1000);
	log_event(EV_IMAP_LOGIN, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("user", s->login),
	    LC("tls", conn_tls_version(s->conn)));
}

void
session_store_gone(struct session *s)
{
	if (s->login)
		session_bye(s, "UNAVAILABLE",
		    "The mail store is restarting, connect again");
}

void
imap_session_shutdown(struct session *s)
{
	session_bye(s, "UNAVAILABLE", "The server is stopping");
}

struct session *
imap_session_find(struct server *sv, uint32_t id)
{
	struct session *s;

	LIST_FOREACH(s, &sv->by_id[id % SERVER_ID_BUCKETS], id_link)
	if (s->id == id)
		return s;
	return NULL;
}

struct session *
session_next(struct session *s)
{
	return LIST_NEXT(s, link);
}

/* RFC 7162 3.1: who has a mailbox open hears its mod-sequence then. */
void
session_enable(struct session *s, unsigned bits)
{
	bool is_new =
	    bits & ENABLED_CONDSTORE && !(s->enabled & ENABLED_CONDSTORE);

	s->enabled |= bits;
	if (is_new && s->state == SESSION_SELECTED)
		session_untagged(s, "* OK [HIGHESTMODSEQ %llu] Highest\r\n",
		    (unsigned long long)s->view->modseq);
}

bool
session_utf8(const struct session *s)
{
	return s->enabled & ENABLED_UTF8;
}
