/* SPDX-License-Identifier: ISC */
/*
 * session.c - one client: input, replies, questions, time. See session.h for
 * the states.
 */
#include "smtp/session.h"

#include "base/base64.h"
#include "base/log.h"
#include "smtp/command.h"
#include "smtp/front.h"

#define IN_MAX       KIB(64) /* a SASL line has to fit */
#define OUT_HIGH     KIB(64)
#define OUT_LOW      KIB(16)
#define REPLY_MAX    KIB(16)
#define HANDSHAKE_MS 30000
/* A message has to come with so many bytes a second. */
#define RATE_MIN 256

bool
session_is_lmtp(const struct session *s)
{
	return s->service == SERVICE_LMTP;
}

bool
session_is_submission(const struct session *s)
{
	return s->service == SERVICE_SUBMISSION ||
	       s->service == SERVICE_SUBMISSIONS;
}

/* --- time ---------------------------------------------------------------------- */

static bool
is_receiving(const struct session *s)
{
	return s->state == STATE_DATA || s->state == STATE_CHUNK;
}

static uint64_t
state_time(const struct session *s)
{
	const struct conf *conf = s->sv->conf;

	if (s->state == STATE_GREETING)
		return MIN(HANDSHAKE_MS, conf->smtp_idle_s * UINT64_C(1000));
	if (is_receiving(s))
		return conf->smtp_data_idle_s * UINT64_C(1000);
	return conf->smtp_idle_s * UINT64_C(1000);
}

/*
 * Two clocks: the connection's sees silence, and this one sees clients that
 * say a byte now and then. A command line has the idle time from its state's
 * begin; a message must bring enough bytes in each span of it: those of an
 * earlier span buy no time, or a large message could be held up for days.
 */
static bool
is_fast_enough(struct session *s)
{
	uint64_t bytes = conn_bytes_in(s->conn) - s->bytes_before;

	if (!is_receiving(s) || bytes < state_time(s) / 1000 * RATE_MIN)
		return false;
	s->bytes_before += bytes;
	s->deadline_ms = loop_now_ms(s->sv->loop) + state_time(s);
	return true;
}

static bool
is_sending(const struct session *s)
{
	return s->state == STATE_DATA || s->state == STATE_CHUNK ||
	       s->state == STATE_BDAT;
}

static void
note_expiry(struct session *s)
{
	s->is_expired = true;
	s->attempt.is_underway = is_sending(s);
}

static void
on_timer(void *arg)
{
	struct session *s = arg;
	uint64_t now = loop_now_ms(s->sv->loop);

	if (s->state == STATE_ENDED)
		return;
	if (session_is_asking(s)) {
		loop_timer_set(s->timer, 1000);
		return;
	}
	if (now < s->deadline_ms || is_fast_enough(s)) {
		loop_timer_set(s->timer, s->deadline_ms - now);
		return;
	}
	note_expiry(s);
	session_end(s, REPLY_TOO_SLOW);
}

/* The timer is never moved; when it fires early, it goes on. */
static void
arm(struct session *s, uint64_t idle_ms)
{
	s->deadline_ms = loop_now_ms(s->sv->loop) + idle_ms;
	conn_set_timeout(s->conn, idle_ms);
}

void
session_enter(struct session *s, enum state state)
{
	if (s->state == STATE_ENDED)
		return;
	s->state = state;
	s->bytes_before = conn_bytes_in(s->conn);
	if (state != STATE_ENDED)
		arm(s, state_time(s));
}

/* --- replies --------------------------------------------------------------------- */

static void
put_reply(struct session *s, enum reply_id id, const char *text)
{
	struct smtp_reply reply = reply_get(id);
	struct buf with_host = BUF_INIT(REPLY_MAX), out = BUF_INIT(REPLY_MAX);

	if (text != NULL)
		reply.text = text;
	if (reply_has_host(id)) {
		buf_printf(
		    &with_host, "%s %s", s->sv->conf->hostname, reply.text);
		reply.text = buf_c(&with_host);
	}
	reply.is_utf8 = s->env.is_utf8;
	smtp_reply_format(&out, &reply);
	conn_put_buf(s->conn, &out);
	buf_done(&with_host);
	if (reply.code >= 500)
		s->errors++;
}

/* A client that gets nothing but errors is guessing, or is no mail client. */
static void
check_errors(struct session *s)
{
	if (s->state == STATE_ENDED || session_is_lmtp(s) ||
	    s->errors <= s->sv->conf->smtp_errors_max)
		return;
	session_log_limit(s, "errors");
	session_end(s, REPLY_TOO_MANY_ERRORS);
}

void
session_reply_text(struct session *s, enum reply_id id, const char *text)
{
	if (id == REPLY_NONE || s->state == STATE_ENDED)
		return;
	put_reply(s, id, text);
	if (!reply_is_last(id)) {
		check_errors(s);
		return;
	}
	session_enter(s, STATE_ENDED);
	conn_close(s->conn);
}

void
session_reply(struct session *s, enum reply_id id)
{
	session_reply_text(s, id, NULL);
}

void
session_end(struct session *s, enum reply_id id)
{
	if (s->state == STATE_ENDED)
		return;
	put_reply(s, id, NULL);
	session_enter(s, STATE_ENDED);
	conn_close(s->conn);
}

void
session_put(struct session *s, struct str line)
{
	conn_put(s->conn, line);
}

void
session_log_limit(struct session *s, const char *limit)
{
	log_event(EV_SMTP_LIMIT, LC("sid", s->sid),
	    LC("service", service_name(s->service)),
	    LC("ip", conn_peer_ip(s->conn)), LC("limit", limit));
}

void
session_log_syntax(struct session *s, const char *what)
{
	log_event(EV_SMTP_SYNTAX, LC("sid", s->sid),
	    LC("service", service_name(s->service)),
	    LC("ip", conn_peer_ip(s->conn)), LC("what", what));
}

/* --- questions --------------------------------------------------------------------- */

/* A sign-in that nobody waits for any more: the store holds a grant for a
 * session that was closed before. */
static void
drop_grant(struct server *sv, const struct ipc_msg *m)
{
	struct ipc_peer *store = runtime_peer(sv->rt, ROLE_STORE);
	struct msg_auth_step_reply r;

	if (store != NULL && m->type == MSG_AUTH_STEP && m->outcome == DONE &&
	    msg_auth_step_reply_get(m->body, &r) && r.state != 0)
		ipc_notify(store, MSG_SESSION_CLOSE, m->session, STR_NONE, -1);
}

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct ask *ask = arg;
	struct session *s = ask->session;

	if (s == NULL)
		drop_grant(ask->sv, m);
	if (s != NULL) {
		s->ask = NULL;
		arm(s, state_time(s));
		if (s->state != STATE_ENDED)
			ask->fn(s, m);
		if (!session_is_asking(s) && s->state != STATE_ENDED)
			conn_resume(s->conn);
	}
	free(ask);
}

bool
session_is_asking(const struct session *s)
{
	return s->ask != NULL || s->is_retrying;
}

void
session_ask(struct session *s, const struct question *q)
{
	struct ipc_peer_request request = {
		.to = q->to,
		.type = q->type,
		.session = s->id,
		.body = q->body,
		.fd = q->fd,
	};

	ASSERT(s->ask == NULL);
	s->ask = X_NEW(struct ask);
	s->ask->sv = s->sv;
	s->ask->session = s;
	s->ask->fn = q->fn;
	conn_pause(s->conn);
	runtime_request(s->sv->rt, &request, on_answer, s->ask);
}

/* --- input ------------------------------------------------------------------------- */

static void
line_is_bad(struct session *s, enum line_frame frame)
{
	session_log_syntax(
	    s, frame == LINE_TOO_LONG ? "line too long" : "bare CR or LF");
	session_end(
	    s, frame == LINE_TOO_LONG ? REPLY_LINE_TOO_LONG : REPLY_LINE_END);
}

/* False when there is no complete line. */
static bool
line_input(struct session *s, struct str in)
{
	enum line_frame frame;
	struct str line;
	size_t used;

	s->lines.max =
	    s->state == STATE_AUTH ? SASL_LINE_MAX : SMTP_COMMAND_LINE_MAX;
	frame = line_framer_next(&s->lines, in, &line, &used);
	if (frame == LINE_MORE)
		return false;
	if (frame != LINE_OK) {
		line_is_bad(s, frame);
		return false;
	}
	/* STARTTLS throws away what is left in the buffer; the line itself is
	 * gone before that, but its bytes stay where they are until then. */
	if (s->state == STATE_AUTH)
		auth_line(s, line);
	else
		command_run(s, line);
	/* It may have held a password. */
	conn_consume_secret(s->conn, MIN(used, conn_in(s->conn).n));
	return true;
}

static void
on_data(void *arg)
{
	struct session *s = arg;

	while (s->state != STATE_ENDED && !session_is_asking(s) &&
	       !conn_is_full(s->conn)) {
		struct str in = conn_in(s->conn);

		if (in.n == 0)
			return;
		if (s->state == STATE_DATA)
			conn_consume(s->conn, data_input(s, in));
		else if (s->state == STATE_CHUNK)
			conn_consume(s->conn, bdat_input(s, in));
		else if (!line_input(s, in))
			return;
	}
}

/* --- begin and end ---------------------------------------------------------------- */

static void
greet(struct session *s)
{
	session_enter(s, STATE_HELLO);
	s->attempt.is_greeted = true;
	session_reply(
	    s, session_is_lmtp(s) ? REPLY_GREETING_LMTP : REPLY_GREETING);
}

static void
on_tls_ready(void *arg)
{
	struct session *s = arg;

	log_event(EV_SMTP_TLS, LC("sid", s->sid),
	    LC("version", conn_tls_version(s->conn)),
	    LC("cipher", conn_tls_cipher(s->conn)));
	if (s->state == STATE_GREETING)
		greet(s);
}

static void
on_timeout(void *arg)
{
	struct session *s = arg;

	if (session_is_asking(s))
		return;
	note_expiry(s);
	session_end(s, REPLY_TIMEOUT);
}

static void
log_end(struct session *s, enum conn_end how, const char *detail)
{
	static const char *const names[] = {
		[CONN_END_EOF] = "eof",
		[CONN_END_RESET] = "reset",
		[CONN_END_TIMEOUT] = "timeout",
		[CONN_END_TLS] = "tls",
		[CONN_END_LOCAL] = "closed",
	};

	if (how == CONN_END_TLS)
		log_event(EV_SMTP_TLS_FAIL, LC("sid", s->sid),
		    LC("ip", conn_peer_ip(s->conn)), LC("why", detail));
	if (s->is_expired)
		log_event(EV_SMTP_TIMEOUT, LC("sid", s->sid),
		    LC("ip", conn_peer_ip(s->conn)));
	log_event(EV_SMTP_CLOSE, LC("sid", s->sid), LC("how", names[how]),
	    LU("messages", s->accepted), LU("errors", s->errors),
	    LU("in", conn_bytes_in(s->conn)),
	    LU("out", conn_bytes_out(s->conn)));
}

/* A client that had mail taken over needs no QUIT. */
static void
report_end(struct session *s, enum conn_end how)
{
	struct reach_attempt *a = &s->attempt;

	a->is_expired = s->is_expired;
	a->is_underway |= is_sending(s);
	a->is_well |= s->accepted > 0 && how == CONN_END_EOF;
	reach_report_end(ports_reach(s->sv->ports), a, s->conn, how);
}

static void
session_free(struct session *s)
{
	loop_timer_free(s->retry);
	if (s->ask != NULL)
		s->ask->session = NULL;
	loop_timer_free(s->timer);
	session_drop_message(s);
	envelope_reset(&s->env);
	free(s->helo);
	free(s->login);
	free(s->final_login);
	free(s);
}

/* Other processes forget what they know of this session. */
static void
tell_others(struct session *s)
{
	static const enum role roles[] = { ROLE_AUTH, ROLE_STORE };
	static const enum msg_type types[] = { MSG_AUTH_CANCEL,
		MSG_SESSION_CLOSE };

	for (size_t i = 0; i < ARRAY_LEN(roles) && s->was_asked; i++) {
		struct ipc_peer *p = runtime_peer(s->sv->rt, roles[i]);

		if (p != NULL)
			ipc_notify(p, types[i], s->id, STR_NONE, -1);
	}
}

static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct session *s = arg;
	struct server *sv = s->sv;
	struct sockaddr_storage peer = s->peer;

	log_end(s, how, detail);
	report_end(s, how);
	tell_others(s);
	LIST_REMOVE(s, link);
	session_free(s);
	ports_left(sv->ports, &peer);
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.drained = on_data,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
open_conn(struct session *s, int fd)
{
	struct conn_config config = {
		.loop = s->sv->loop,
		.fd = fd,
		.peer = &s->peer,
		.wants_path = true,
		.in_max = IN_MAX,
		.out_high = OUT_HIGH,
		.out_low = OUT_LOW,
		.handlers = &handlers,
		.arg = s,
	};

	if (service_is_implicit_tls(s->service))
		config.tls = s->sv->tls;
	s->conn = conn_new(&config);
}

void
session_new(struct server *sv, const struct session_start *start)
{
	struct session *s = X_NEW(struct session);
	enum service service = start->service;

	s->sv = sv;
	s->service = service;
	s->peer = *start->peer;
	s->attempt.service = service;
	s->attempt.port = start->port;
	s->id = server_session_id(sv);
	server_trace_id(sv, s->sid);
	envelope_init(&s->env);
	open_conn(s, start->fd);
	LIST_INSERT_HEAD(&sv->sessions, s, link);
	log_event(EV_SMTP_CONNECT, LC("sid", s->sid),
	    LC("service", service_name(service)),
	    LC("ip", conn_peer_ip(s->conn)));
	s->timer = loop_timer_new(sv->loop, on_timer, s);
	session_enter(s, STATE_GREETING);
	loop_timer_set(s->timer, s->deadline_ms - loop_now_ms(sv->loop));
	if (!service_is_implicit_tls(service))
		greet(s);
	else if (sv->tls == NULL)
		conn_abort(s->conn); /* no certificate: no greeting */
}

void
session_shutdown(struct session *s, bool is_abort)
{
	/* An answer of the store may be on its way: the client must hear it. */
	if (is_abort)
		conn_abort(s->conn);
	else if (!session_is_asking(s) && !is_receiving(s))
		session_end(s, REPLY_SHUTDOWN);
}

void
session_drop_message(struct session *s)
{
	message_free(s->message);
	s->message = NULL;
	buf_done(&s->structure);
	buf_done(&s->headers);
	buf_done(&s->authors);
}

void
session_reset(struct session *s)
{
	session_drop_message(s);
	envelope_reset(&s->env);
	s->rcpt = NULL;
	session_enter(s, s->helo != NULL ? STATE_READY : STATE_HELLO);
}
