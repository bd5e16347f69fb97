/* SPDX-License-Identifier: ISC */
/*
 * session.c - life of an IMAP connection.
 *
 *   session_input.c  from bytes to commands
 *   session_reply.c  what the client is told
 *   session_ask.c    what the store is asked
 *   session_sync.c   what has changed in the mailbox
 *
 * Nothing of these knows what a command does; see the cmd_*.c files.
 */
#include "imap/front.h"
#include "imap/kept.h"
#include "imap/session_internal.h"

#define IN_MAX_PREAUTH   KIB(32)
#define IN_MAX           KIB(256)
#define OUT_HIGH         KIB(512)
#define OUT_LOW          KIB(128)
#define LINE_MAX_PREAUTH KIB(16)

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

static void
free_session(void *arg)
{
	struct session *s = arg;

	session_command_free(s);
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
	reach_report_end(ports_reach(s->sv->ports), &s->attempt, s->conn, how);
	if (store && s->login)
		ipc_notify(store, MSG_SESSION_CLOSE, s->id, STR_NONE, -1);
	session_asks_cancel(s);
	s->is_dead = true;
	LIST_REMOVE(s, link);
	LIST_REMOVE(s, id_link);
	ports_left(s->sv->ports, conn_peer_addr(s->conn));
	loop_defer(s->sv->loop, free_session, s);
}

void
session_time_out(struct session *s, const char *text)
{
	log_event(EV_IMAP_TIMEOUT, LU("session", s->id),
	    LC("ip", conn_peer_ip(s->conn)), LC("user", s->login));
	session_bye(s, NULL, text);
}

static void
on_timeout(void *arg)
{
	session_time_out(arg, "Idle for too long");
}

static void
greet(struct session *s)
{
	s->attempt.is_greeted = true;
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
imap_session_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port)
{
	struct session *s = X_NEW(struct session);
	struct imap_framer_limits limits = IMAP_FRAMER_LIMITS;

	s->sv = sv;
	s->service = svc;
	s->attempt.service = svc;
	s->attempt.port = port;
	s->id = imap_server_session_id(sv);
	s->started_ms = loop_now_ms(sv->loop);
	buf_init(&s->out, SESSION_OUT_MAX);
	imap_framer_init(&s->framer, &limits);
	set_framer_limits(s);
	cc->in_max = IN_MAX_PREAUTH;
	cc->out_high = OUT_HIGH;
	cc->out_low = OUT_LOW;
	cc->wants_path = true;
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
