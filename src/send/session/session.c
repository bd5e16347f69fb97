/* SPDX-License-Identifier: ISC */
/*
 * session.c - one connection to a destination. See session.h.
 *
 * Three machines work together: the resolver and connect.h find a server,
 * conn.h moves bytes, smtp_client.h knows the dialogue. This file carries
 * events between them, and remembers what was the trouble last.
 */
#include "send/session/session_internal.h"

struct session **
session_next(struct session *s)
{
	return &s->next;
}

bool
session_is_idle(const struct session *s)
{
	return s->state == READY;
}

bool
session_is_opening(const struct session *s)
{
	return !s->was_ready;
}

const char *
session_host(const struct session *s)
{
	size_t last = dest_hosts(s->dest) - 1;

	return dest_host(s->dest, MIN(s->host, last))->name;
}

void
session_enter_idle(struct session *s)
{
	s->state = READY;
	conn_set_timeout(s->conn, 0);
	session_stop_waiting(s);
	loop_timer_set(s->timer, s->sv->conf->send_idle_s * 1000ULL);
	if (!s->is_listed)
		TAILQ_INSERT_TAIL(&s->sv->idle, s, idle_link);
	s->is_listed = true;
}

void
session_leave_idle(struct session *s)
{
	loop_timer_clear(s->timer);
	if (s->is_listed)
		TAILQ_REMOVE(&s->sv->idle, s, idle_link);
	s->is_listed = false;
}

void
session_set_deadline(struct session *s, uint64_t ms)
{
	loop_timer_set(s->timer, ms);
}

struct trip
session_trip(const struct session *s)
{
	const char *via = s->mail != NULL ? s->mail->via : NULL;

	return (struct trip){ .route = str_c(
				  via != NULL ? via : dest_way(s->dest)->label),
		.mx = str_c(session_host(s)),
		.mx_ip = str_c(s->ip),
		.source_ip = str_c(s->source),
		.tls = str_c(s->tls) };
}

/* --- the end ------------------------------------------------------------------------------ */

static void
free_now(void *arg)
{
	struct session *s = arg;

	smtp_client_free(s->client);
	sasl_client_free(s->sasl);
	letter_done(&s->letter);
	buf_done(&s->texts);
	free(s->rcpts);
	free(s->index);
	loop_timer_free(s->timer);
	loop_timer_free(s->reply_timer);
	free(s);
}

/* The one way out. is_fault: verdict is the server's or the network's. */
void
session_leave(struct session *s, bool is_fault)
{
	struct trip t = session_trip(s);

	ASSERT(s->state != GONE && s->read_id == 0 && s->preparing == NULL);
	ASSERT(s->conn == NULL && s->connect == NULL);
	if (s->query4 != NULL)
		resolver_cancel(s->query4);
	if (s->query6 != NULL)
		resolver_cancel(s->query6);
	session_tell_refusal(s);
	if (s->mail != NULL && s->sv->is_stopping)
		settle_release(s->sv, TAKE_PTR(s->mail));
	else if (s->mail != NULL)
		dest_give_back(s->dest, TAKE_PTR(s->mail));
	s->dane = dane_free(s->dane);
	s->state = GONE;
	session_leave_idle(s);
	dest_closed(s->dest, s, is_fault ? &s->verdict : NULL, &t);
	loop_defer(s->sv->loop, free_now, s);
}

void
session_stop_waiting(struct session *s)
{
	loop_timer_clear(s->reply_timer);
	s->waits_for_reply = false;
}

/* Is it still the reply that was waited for before? */
static bool
waits_already(const struct session *s)
{
	return s->waits_for_reply &&
	       s->waits_at == smtp_client_stage(s->client) &&
	       s->waits_behind == smtp_client_replies(s->client);
}

static void
wait_for_reply(struct session *s, uint64_t ms)
{
	s->waits_for_reply = true;
	s->waits_at = smtp_client_stage(s->client);
	s->waits_behind = smtp_client_replies(s->client);
	loop_timer_set(s->reply_timer, ms);
}

/* RFC 5321 section 4.5.3.2. */
static uint64_t
patience_ms(const struct session *s)
{
	unsigned seconds = smtp_client_timeout(smtp_client_stage(s->client));

	return MIN(seconds, s->sv->conf->send_timeout_s) * 1000ULL;
}

void
session_set_timeout(struct session *s)
{
	enum smtp_client_stage stage = smtp_client_stage(s->client);
	uint64_t ms = patience_ms(s);

	conn_set_timeout(s->conn, ms);
	if (stage == SMTP_CLIENT_BODY || stage == SMTP_CLIENT_READY)
		session_stop_waiting(s);
	else if (!waits_already(s))
		wait_for_reply(s, ms);
}

/* --- events of the dialogue --------------------------------------------------------------------------- */

/* RFC 5321 section 4.5.3.1.10: the rest goes in the next transaction. */
static void
put_off(struct session *s, size_t i)
{
	if (s->rest == NULL)
		s->rest = mail_new(s->mail->domain, s->mail->until_ms);
	mail_add(s->rest, mail_take(s->mail, i));
}

static void
on_result(struct session *s, const struct smtp_client_event *ev)
{
	struct judgement j = session_judge(s, ev);
	struct trip t = session_trip(s);
	size_t i = s->index[ev->rcpt];

	/* It was us who broke it off. */
	if (s->sv->is_stopping && (ev->flags & SMTP_CLIENT_IS_LOST))
		j.is_untried = true;
	if (ev->flags & SMTP_CLIENT_IS_TOO_MANY)
		put_off(s, i);
	else if (!session_moves(s, i, &j))
		settle(s->sv, s->mail, i, &j, &t);
}

static void
mail_done(struct session *s)
{
	struct mail *m = TAKE_PTR(s->mail);

	session_drop_data(s);
	settle_end(s->sv, m);
	if (s->rest != NULL)
		dest_give_back(s->dest, TAKE_PTR(s->rest));
	session_move_rest(s);
}

static void
on_ready(struct session *s)
{
	if (!s->was_ready) {
		s->was_ready = true;
		s->has_verdict = s->is_refused = false;
		dest_opened(s->dest, s);
	}
	session_next_mail(s);
}

static void
on_mail_done(struct session *s, const struct smtp_client_event *ev)
{
	mail_done(s);
	dest_delivered(s->dest);
	s->mails++;
	if (!ev->is_reusable || s->sv->is_stopping ||
	    s->mails >= s->sv->conf->send_connection_messages) {
		s->state = QUIT;
		smtp_client_quit(s->client);
		return;
	}
	session_next_mail(s);
}

static void
on_closed_event(struct session *s, const struct smtp_client_event *ev)
{
	if (session_tls_is_missing(s, ev))
		session_tls_blame_missing(s);
	else if (s->state != QUIT) {
		struct judgement j = session_judge(s, ev);

		/* Else each recipient's result told of it. */
		if (j.is_blocked && s->is_said_of_host)
			session_note_refusal(s, ev);
		session_blame(s, j);
	}
	if (s->mail != NULL && s->rcpts != NULL) {
		session_log_trouble(s, EV_SEND_LOST);
		mail_done(s);
	}
}

static void
handle(struct session *s, const struct smtp_client_event *ev)
{
	switch (ev->type) {
	case SMTP_CLIENT_EVENT_NONE:
		break;
	case SMTP_CLIENT_EVENT_START_TLS:
		s->is_in_tls_handshake = true;
		s->wants_tls = true;
		break;
	case SMTP_CLIENT_EVENT_READY:
		on_ready(s);
		break;
	case SMTP_CLIENT_EVENT_RESULT:
		on_result(s, ev);
		break;
	case SMTP_CLIENT_EVENT_BODY:
		session_pump(s);
		break;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		on_mail_done(s, ev);
		break;
	case SMTP_CLIENT_EVENT_CLOSED:
		on_closed_event(s, ev);
		break;
	}
}

void
session_put_output(struct session *s)
{
	struct buf *out = smtp_client_out(s->client);

	if (s->conn == NULL || out->n == 0)
		return;
	s->put_bytes += out->n;
	conn_put(s->conn, buf_str(out));
	buf_reset(out, KIB(4));
}

/* Feed the dialogue, act on what it says, send what it wants sent. */
void
session_step(struct session *s, struct str in)
{
	bool is_over = false;
	struct smtp_client_event ev;

	while (
	    smtp_client_next(s->client, &in, &ev) != SMTP_CLIENT_EVENT_NONE) {
		handle(s, &ev);
		session_put_output(s);
		if (ev.type == SMTP_CLIENT_EVENT_CLOSED) {
			is_over = true;
			break;
		}
	}
	session_put_output(s);
	if (s->conn == NULL)
		return;
	if (is_over)
		conn_close(s->conn);
	else if (s->state != READY)
		session_set_timeout(s);
}

void
session_wake(struct session *s)
{
	if (s->state == READY)
		session_next_mail(s);
}

static void
on_idle(void *arg)
{
	struct session *s = arg;

	session_leave_idle(s);
	if (s->state != READY || s->conn == NULL)
		return;
	s->state = QUIT;
	smtp_client_quit(s->client);
	session_step(s, STR_NONE);
}

void
session_evict(struct server *sv)
{
	struct session *s = TAILQ_FIRST(&sv->idle);

	if (s != NULL)
		on_idle(s);
}

/* --- the connection -------------------------------------------------------------------------------------------- */

static void
on_data(void *arg)
{
	struct session *s = arg;
	struct str in = conn_in(s->conn);

	session_step(s, in);
	conn_consume(s->conn, in.n);
	if (s->wants_tls)
		conn_start_tls(s->conn, s->sv->tls);
	s->wants_tls = false;
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	session_pump(s);
	session_step(s, STR_NONE);
}

static void
on_tls_ready(void *arg)
{
	struct session *s = arg;

	if (!session_tls_check(s)) {
		conn_abort(s->conn);
		return;
	}
	s->is_in_tls_handshake = false;
	if (dest_tls(s->dest) == ROUTE_TLS_IMPLICIT)
		return;
	smtp_client_tls_started(s->client);
	session_step(s, STR_NONE);
}

static void
on_timeout(void *arg)
{
	struct session *s = arg;

	smtp_client_lost(s->client, SMTP_CLIENT_LOSS_TIMEOUT,
	    (size_t)(s->put_bytes - conn_bytes_out(s->conn)));
	session_step(s, STR_NONE);
	if (s->conn != NULL)
		conn_abort(s->conn);
}

static void
on_reply_timer(void *arg)
{
	struct session *s = arg;

	if (s->conn == NULL)
		return;
	/* It is still taking the message: that has the connection's own time. */
	if (smtp_client_stage(s->client) == SMTP_CLIENT_END &&
	    conn_bytes_out(s->conn) < s->put_bytes) {
		wait_for_reply(s, patience_ms(s));
		return;
	}
	on_timeout(s);
}

/* What the dialogue has to say about the connection's end. */
static void
tell_client(struct session *s, enum conn_end how)
{
	uint64_t out = conn_bytes_out(s->conn);
	size_t unsent = s->put_bytes > out ? (size_t)(s->put_bytes - out) : 0;

	s->conn = NULL;
	if (smtp_client_stage(s->client) == SMTP_CLIENT_CLOSED)
		return;
	smtp_client_lost(s->client,
	    how == CONN_END_TLS       ? SMTP_CLIENT_LOSS_TLS
	    : how == CONN_END_LOCAL   ? SMTP_CLIENT_LOSS_LOCAL
	    : how == CONN_END_TIMEOUT ? SMTP_CLIENT_LOSS_TIMEOUT
				      : SMTP_CLIENT_LOSS_CLOSED,
	    unsent);
	session_step(s, STR_NONE);
}

static bool
may_go_without_tls(const struct session *s)
{
	return s->is_in_tls_handshake && !s->is_without_tls &&
	       !s->sv->is_stopping && s->need.level == TLS_LEVEL_MAY;
}

static void
on_conn_closed(void *arg, enum conn_end how, const char *detail)
{
	struct session *s = arg;
	bool has_failed_tls = s->is_in_tls_handshake;
	bool was_idle = s->state == READY;

	session_stop_waiting(s);
	tell_client(s, how);
	session_stop_reading(s);
	if (has_failed_tls)
		session_tls_failed(s, detail);
	if (may_go_without_tls(s)) {
		s->is_in_tls_handshake = false;
		s->has_verdict = false;
		session_connect_plain(s);
	} else if (s->was_ready) {
		session_leave(
		    s, s->state != QUIT && !was_idle && s->has_verdict);
	} else {
		session_next_host(s);
	}
}

const struct conn_handlers session_handlers = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_conn_closed,
};

/* --- from outside ------------------------------------------------------------------------------------------------- */

static void
begin(void *arg)
{
	struct session *s = arg;

	if (s->state == ADDRESS)
		session_try_host(s);
}

static void
on_timer(void *arg)
{
	struct session *s = arg;

	if (s->state == READY)
		on_idle(s);
	else if (s->conn != NULL)
		on_timeout(s);
}

struct session *
session_new(struct dest *d, struct server *sv)
{
	struct session *s = X_NEW(struct session);

	s->sv = sv;
	s->dest = d;
	s->letter = LETTER_NONE;
	s->born_ms = loop_time_ms(sv->loop);
	s->timer = loop_timer_new(sv->loop, on_timer, s);
	s->reply_timer = loop_timer_new(sv->loop, on_reply_timer, s);
	/* The destination is not done with its own list yet. */
	loop_defer(sv->loop, begin, s);
	return s;
}

void
session_stop(struct session *s)
{
	if (s->state == SEND && smtp_client_stage(s->client) == SMTP_CLIENT_END)
		return;
	if (s->conn != NULL && s->state == READY) {
		on_idle(s);
	} else if (s->conn != NULL) {
		conn_abort(s->conn);
	} else if (s->state != GONE) {
		connect_cancel(s->connect);
		s->connect = NULL;
		session_leave(s, false);
	}
}
