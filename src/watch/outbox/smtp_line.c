/* SPDX-License-Identifier: ISC */
/*
 * smtp_line.c - mail after mail over one connection. See smtp_line.h.
 *
 *	OPENING -> MAIL -> IDLE -> MAIL ... IDLE -> LEAVING -> gone
 *	 ^    |                                       ^
 *	 +----+ once, without TLS                     +- from anywhere
 */
#include "watch/outbox/smtp_line_internal.h"

#include "net/addresses.h"
#include "watch/outbox/relays.h"

#define CONNECT_MS 15000
#define STAGE_MS   60000ULL /* of silence */
#define BYE_MS     5000     /* for the answer to QUIT */
#define IN_MAX     KIB(64)
#define PORT_TLS   465 /* TLS from the first byte (RFC 8314) */
#define CODE_BYE   421

/* --- states ------------------------------------------------------------------------ */

void
smtp_line_enter(struct smtp_line *l, enum line_state state)
{
	if (l->state == LINE_IDLE) {
		TAILQ_REMOVE(&l->all->idle, l, link);
		l->all->n_idle--;
		loop_timer_clear(l->timer);
	}
	l->state = state;
	if (state == LINE_IDLE) {
		TAILQ_INSERT_TAIL(&l->all->idle, l, link);
		l->all->n_idle++;
		loop_timer_set(l->timer, SMTP_LINE_IDLE_MS);
	}
}

/* Nothing that was lent is needed any more. */
static void
tell(struct smtp_line *l)
{
	const struct smtp_line_result result = {
		.r = { .outcome = l->outcome,
		    .is_about_mail = l->is_about_mail,
		    .said = l->said },
		.is_stale = l->is_stale,
	};
	smtp_line_fn fn = TAKE_PTR(l->fn);

	l->wish = NULL;
	if (fn != NULL)
		fn(l->arg, &result);
}

static void
finish(void *arg)
{
	struct smtp_line *l = arg;

	ASSERT(l->conn == NULL && l->state == LINE_LEAVING);
	l->client = smtp_client_free(l->client);
	loop_timer_free(l->timer);
	tell(l);
	free(l);
}

/* One line of what was said, fit for a log. */
static void
note(struct smtp_line *l, const char *prefix, struct str text)
{
	size_t n = (size_t)snprintf(l->said, sizeof(l->said), "%s", prefix);

	for (size_t i = 0; i < text.n && n < sizeof(l->said) - 1; i++)
		l->said[n++] = (unsigned char)text.p[i] >= ' ' &&
		                       (unsigned char)text.p[i] < 0x7F
		                   ? text.p[i]
		                   : ' ';
	l->said[n] = '\0';
}

/* No server said so. Behind the end of a mail nobody knows whether it arrived; before
 * that, the other side may just have been tired of the connection. */
static void
know(struct smtp_line *l, const char *prefix, const char *text, bool is_lost)
{
	if (l->is_known)
		return;
	l->is_known = true;
	l->outcome = TEMPFAIL;
	l->is_stale = is_lost && l->mails > 0 && l->client != NULL &&
	              smtp_client_stage(l->client) < SMTP_CLIENT_END;
	note(l, prefix, str_c(text));
}

/* What is under way ends; then finish() runs, once. */
static void
end(struct smtp_line *l)
{
	smtp_line_enter(l, LINE_LEAVING);
	addresses_cancel(TAKE_PTR(l->addresses));
	connect_cancel(TAKE_PTR(l->connect));
	if (l->conn != NULL)
		conn_abort(l->conn);
	else if (!l->is_ending)
		loop_defer(l->all->loop, finish, l);
	l->is_ending = true;
}

void
smtp_line_fail(struct smtp_line *l, const char *why)
{
	know(l, "", why, false);
	end(l);
}

static void
say_bye(struct smtp_line *l)
{
	smtp_line_enter(l, LINE_LEAVING);
	smtp_client_quit(l->client);
	loop_timer_set(l->timer, BYE_MS);
}

/* Idle for long enough, or no answer to the good-bye. */
void
smtp_line_leave(void *arg)
{
	struct smtp_line *l = arg;
	struct str none = STR_NONE;

	if (l->state != LINE_IDLE) {
		end(l);
		return;
	}
	say_bye(l);
	smtp_line_pump(l, &none);
}

/* --- the dialogue --------------------------------------------------------------------- */

static void
send_out(struct smtp_line *l)
{
	struct buf *out = smtp_client_out(l->client);

	if (out->n > 0 && l->conn != NULL)
		conn_put(l->conn, buf_str(out));
	/* The login may be in it. */
	buf_done_secret(out);
	buf_init(out, out->max);
	if (l->conn != NULL)
		conn_set_timeout(l->conn,
		    MIN(STAGE_MS, 1000ULL * smtp_client_timeout(
						smtp_client_stage(l->client))));
}

void
smtp_line_begin_mail(struct smtp_line *l)
{
	smtp_line_enter(l, LINE_MAIL);
	l->rcpt = (struct smtp_client_rcpt){ .to = l->wish->to };
	l->mail = (struct smtp_client_mail){ .from = l->wish->from,
		.rcpts = &l->rcpt,
		.n_rcpts = 1,
		.size = l->wish->letter.n,
		.body = SMTP_BODY_7BIT };
	smtp_client_mail(l->client, &l->mail);
}

static void
take_result(struct smtp_line *l, const struct smtp_client_event *e)
{
	char code[16] = "(ours) ";

	if (l->is_known)
		return;
	if (!(e->flags & SMTP_CLIENT_IS_LOCAL))
		(void)snprintf(code, sizeof(code), "%d ", e->code);
	l->is_known = true;
	l->outcome = e->outcome == NOT_FOUND ? PERMFAIL : e->outcome;
	l->is_about_mail = e->stage == SMTP_CLIENT_RCPT ||
	                   e->stage == SMTP_CLIENT_DATA ||
	                   e->stage == SMTP_CLIENT_END;
	l->is_stale = l->mails > 0 && e->outcome != DONE &&
	              e->code == CODE_BYE && e->stage < SMTP_CLIENT_END;
	note(l, code, e->text);
}

/* Room for the next one, if the server takes it. It is told behind that, and not behind
 * a good-bye that may take its time. */
static void
end_mail(struct smtp_line *l, bool is_reusable)
{
	l->mails++;
	if (!is_reusable || l->mails >= SMTP_LINE_MAILS_MAX ||
	    l->sv->is_stopping || l->all->n_idle >= SMTP_LINES_IDLE_MAX)
		say_bye(l);
	else
		smtp_line_enter(l, LINE_IDLE);
	tell(l);
}

/* True: go on asking for events. */
static bool
take_event(struct smtp_line *l, const struct smtp_client_event *e)
{
	switch (e->type) {
	case SMTP_CLIENT_EVENT_NONE:
		send_out(l);
		return false;
	case SMTP_CLIENT_EVENT_START_TLS:
		send_out(l);
		conn_start_tls(l->conn, l->sv->tls);
		return false;
	case SMTP_CLIENT_EVENT_READY:
		smtp_line_begin_mail(l);
		return true;
	case SMTP_CLIENT_EVENT_BODY:
		send_out(l);
		smtp_client_body(l->client, l->wish->letter);
		send_out(l);
		smtp_client_end(l->client, true);
		return true;
	case SMTP_CLIENT_EVENT_RESULT:
		take_result(l, e);
		return true;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		end_mail(l, e->is_reusable);
		return true;
	case SMTP_CLIENT_EVENT_CLOSED:
		take_result(l, e);
		smtp_line_enter(l, LINE_LEAVING);
		send_out(l);
		conn_close(l->conn);
		return false;
	}
	return false;
}

void
smtp_line_pump(struct smtp_line *l, struct str *in)
{
	struct smtp_client_event e;

	l->is_pumping = true;
	do
		(void)!smtp_client_next(l->client, in, &e);
	while (l->conn != NULL && take_event(l, &e));
	l->is_pumping = false;
}

static void
open_dialogue(struct smtp_line *l, bool has_tls)
{
	enum smtp_client_tls rule = SMTP_CLIENT_TLS_MAY;
	struct smtp_client_config config;
	struct str none = STR_NONE;

	if (l->login.n > 0)
		rule = SMTP_CLIENT_TLS_MUST;
	else if (l->is_without_tls)
		rule = SMTP_CLIENT_TLS_NEVER;
	config = (struct smtp_client_config){
		.helo = str_c(l->helo),
		.has_tls = has_tls,
		.tls = rule,
		.login = l->login,
		.password = l->password,
	};
	l->client = smtp_client_new(&config);
	smtp_line_pump(l, &none);
}

/* --- the connection ----------------------------------------------------------------------- */

static bool
is_implicit(const struct smtp_line *l)
{
	return l->is_relay && l->port == PORT_TLS;
}

static void
on_data(void *arg)
{
	struct smtp_line *l = arg;
	struct str all = conn_in(l->conn), in = all;

	if (l->client != NULL)
		smtp_line_pump(l, &in);
	else
		in = STR_NONE;
	if (l->conn != NULL)
		conn_consume(l->conn, all.n - in.n);
}

static void
on_tls_ready(void *arg)
{
	struct smtp_line *l = arg;
	const char *distrust = conn_tls_distrust(l->conn);
	struct str none = STR_NONE;

	if (l->login.n > 0 && distrust != NULL) {
		know(l, "certificate: ", distrust, false);
		conn_abort(l->conn);
		return;
	}
	if (l->client == NULL) {
		open_dialogue(l, true);
		return;
	}
	smtp_client_tls_started(l->client);
	smtp_line_pump(l, &none);
}

static void
on_timeout(void *arg)
{
	struct smtp_line *l = arg;

	know(l, "", "no answer in time", false);
	conn_abort(l->conn);
}

/* Once more without TLS, where TLS is all that failed. */
static bool
may_go_plain(const struct smtp_line *l, enum conn_end how)
{
	return how == CONN_END_TLS && !l->is_known && l->mails == 0 &&
	       l->fn != NULL && !l->is_without_tls && !is_implicit(l) &&
	       l->login.n == 0;
}

static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct smtp_line *l = arg;

	l->conn = NULL;
	if (may_go_plain(l, how)) {
		l->is_without_tls = true;
		l->client = smtp_client_free(l->client);
		smtp_line_enter(l, LINE_OPENING);
		smtp_line_open(l);
		return;
	}
	if (how == CONN_END_TLS)
		know(l, "TLS: ", detail, true);
	know(l, "", "the connection was lost", true);
	smtp_line_enter(l, LINE_LEAVING);
	finish(l);
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
on_connected(void *arg, const struct connect_result *r)
{
	struct smtp_line *l = arg;
	struct conn_config config = { .loop = l->all->loop,
		.fd = r->fd,
		.peer = &r->addr,
		.tls = is_implicit(l) ? l->sv->tls : NULL,
		.is_client = true,
		.server.name = l->host,
		.in_max = IN_MAX,
		.out_high = SMTP_CLIENT_CHUNK_MAX * 2,
		.out_low = SMTP_CLIENT_CHUNK_MAX,
		.handlers = &handlers,
		.arg = l };

	l->connect = NULL;
	if (r->fd < 0) {
		smtp_line_fail(l, strerror(r->error));
		return;
	}
	l->conn = conn_new(&config);
	conn_set_timeout(l->conn, STAGE_MS);
	if (!is_implicit(l))
		open_dialogue(l, false);
}

static void
connect_to(struct smtp_line *l, const struct sockaddr_storage *addrs, size_t n)
{
	const struct connect_config config = { .loop = l->all->loop,
		.addrs = addrs,
		.n = n,
		.limit_ms = CONNECT_MS };

	l->connect = connect_new(&config, on_connected, l);
}

static void
on_addresses(
    void *arg, const struct sockaddr_storage *addrs, size_t n, const char *why)
{
	struct sockaddr_storage known[CONNECT_ADDRS_MAX];
	struct smtp_line *l = arg;

	l->addresses = NULL;
	if (n > 0 && l->is_relay)
		relays_remember(l->sv->relays, l->host, l->port, addrs, n);
	if (n == 0 && l->is_relay) {
		n = relays_recall(l->sv->relays, l->host, l->port, known);
		addrs = known;
	}
	if (n == 0)
		smtp_line_fail(l, why);
	else
		connect_to(l, addrs, n);
}

void
smtp_line_open(struct smtp_line *l)
{
	bool may_be_local = l->is_relay || l->sv->conf->watch_allow_local;
	const struct addresses_wish wish = { .loop = l->all->loop,
		.resolver = l->sv->resolver,
		.host = l->host,
		.port = l->port,
		.limit_ms = l->wish->lookup_ms,
		.is_bad = may_be_local ? NULL : connect_is_local };
	struct sockaddr_storage known[CONNECT_ADDRS_MAX];
	size_t n = 0;

	/* Where it was is known, and who would know better does not answer. */
	if (l->is_relay && resolver_is_silent(l->sv->resolver, WAY_SILENT_MS))
		n = relays_recall(l->sv->relays, l->host, l->port, known);
	if (n > 0)
		connect_to(l, known, n);
	else
		l->addresses = addresses_find(&wish, on_addresses, l);
}
