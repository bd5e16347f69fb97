/* SPDX-License-Identifier: ISC */
/* client.c - life of a connection, and what is asked for it. See client.h. */
#include "imap/client.h"

#define OUT_HIGH KIB(512)
#define OUT_LOW  KIB(128)
/* Bad commands, in a row as far as the protocol says so. */
#define BAD_MAX 20
/* Sign-in takes so many idle times at most. */
#define PREAUTH_IDLES 5

/* --- what is told ------------------------------------------------------------ */

void
client_log_limit(const struct client *c, const char *what)
{
	log_event(c->kind->limit, LU("session", c->id),
	    LC("ip", conn_peer_ip(c->conn)), LC("what", what));
}

void
client_log_broken_reply(const struct client *c)
{
	log_event(EV_IPC_REFUSED, LU("session", c->id),
	    LC("what", "reply of the store"));
}

bool
client_was_bad(struct client *c)
{
	if (++c->bad_count < BAD_MAX)
		return false;
	client_log_limit(c, "bad commands");
	return true;
}

void
client_flush(struct client *c)
{
	ASSERT(!c->out.failed);
	if (c->out.n && !c->is_dead)
		conn_put_buf(c->conn, &c->out);
	buf_reset(&c->out, 0);
}

/* --- asking the store -------------------------------------------------------- */

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct client_ask *ask = arg;
	struct client *c = ask->client;

	ask->peer = ipc_peer_unref(ask->peer);
	ask->client = NULL;
	if (c && !c->is_dead)
		c->kind->reply(c->session, (unsigned)(ask - c->asks), m);
}

unsigned
client_ask(struct client *c, enum msg_type type, struct buf *body, int fd)
{
	struct client_ask *ask = NULL;
	struct ipc_peer *store = runtime_peer(c->sv->rt, ROLE_STORE);
	struct ipc_peer_request req = { .to = ROLE_STORE,
		.type = type,
		.session = c->id,
		.body = body ? buf_str(body) : STR_NONE,
		.fd = fd };

	for (size_t i = 0; i < CLIENT_ASKS && !ask; i++)
		if (!c->asks[i].client)
			ask = &c->asks[i];
	ASSERT(ask);
	if (body)
		ASSERT(!body->failed);
	ask->client = c;
	ask->peer = store ? ipc_peer_ref(store) : NULL;
	ask->request = runtime_request(c->sv->rt, &req, on_reply, ask);
	if (body)
		buf_reset(body, 0);
	return (unsigned)(ask - c->asks);
}

bool
client_is_asking(const struct client *c)
{
	for (size_t i = 0; i < CLIENT_ASKS; i++)
		if (c->asks[i].client)
			return true;
	return false;
}

/*
 * Without a peer the "gone" reply of a request is still on its way from the
 * loop; it finds that nobody waits. The session is freed behind it.
 */
static void
cancel_asks(struct client *c)
{
	for (size_t i = 0; i < CLIENT_ASKS; i++) {
		struct client_ask *ask = &c->asks[i];

		if (ask->client && ask->peer)
			ipc_cancel(ask->peer, ask->request);
		ask->peer = ipc_peer_unref(ask->peer);
		ask->client = NULL;
	}
}

/* --- life -------------------------------------------------------------------- */

static void
on_data(void *arg)
{
	struct client *c = arg;

	c->kind->data(c->session);
}

static void
on_drained(void *arg)
{
	struct client *c = arg;

	c->kind->drained(c->session);
}

static void
greet(struct client *c)
{
	c->attempt.is_greeted = true;
	c->kind->greet(c->session);
	client_flush(c);
}

static void
on_tls_ready(void *arg)
{
	struct client *c = arg;

	if (service_is_implicit_tls(c->service))
		greet(c);
}

void
client_expire(struct client *c, const char *text)
{
	log_event(c->kind->timeout, LU("session", c->id),
	    LC("ip", conn_peer_ip(c->conn)), LC("user", c->login));
	c->kind->expired(c->session, text);
}

static void
on_timeout(void *arg)
{
	client_expire(arg, "Idle for too long");
}

static uint64_t
preauth_idle_ms(const struct client *c)
{
	return (uint64_t)c->sv->conf->imap_preauth_idle_s * 1000;
}

bool
client_is_dawdling(const struct client *c)
{
	return !c->login && loop_now_ms(c->sv->loop) - c->started_ms >
	                        PREAUTH_IDLES * preauth_idle_ms(c);
}

static void
log_end(const struct client *c, enum conn_end how, const char *detail)
{
	if (how == CONN_END_TLS)
		log_event(EV_IMAP_TLS_FAIL, LU("session", c->id),
		    LC("ip", conn_peer_ip(c->conn)), LC("error", detail));
	log_event(c->kind->close, LU("session", c->id),
	    LC("ip", conn_peer_ip(c->conn)), LC("user", c->login),
	    LU("in", conn_bytes_in(c->conn)),
	    LU("out", conn_bytes_out(c->conn)));
}

static void
on_closed(void *arg, enum conn_end how, const char *detail)
{
	struct client *c = arg;
	struct ipc_peer *store = runtime_peer(c->sv->rt, ROLE_STORE);

	log_end(c, how, detail);
	reach_report_end(ports_reach(c->sv->ports), &c->attempt, c->conn, how);
	cancel_asks(c);
	c->kind->closed(c->session);
	if (store && c->login)
		ipc_notify(store, MSG_SESSION_CLOSE, c->id, STR_NONE, -1);
	c->is_dead = true;
	LIST_REMOVE(c, link);
	ports_left(c->sv->ports, conn_peer_addr(c->conn));
	loop_defer(c->sv->loop, c->kind->free, c->session);
}

void
client_done(struct client *c)
{
	client_auth_end(c);
	buf_done(&c->out);
	free(c->login);
}

static const struct conn_handlers conn_events = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
open_conn(struct client *c, struct conn_config *cc)
{
	cc->in_max = c->kind->in_max;
	cc->out_high = OUT_HIGH;
	cc->out_low = OUT_LOW;
	cc->wants_path = true;
	cc->handlers = &conn_events;
	cc->arg = c;
	c->conn = conn_new(cc);
	conn_set_timeout(c->conn, preauth_idle_ms(c));
}

void
client_start(struct client *c, const struct client_kind *kind, void *session,
    const struct client_start *start)
{
	c->kind = kind;
	c->session = session;
	c->sv = start->sv;
	c->service = start->service;
	c->attempt.service = start->service;
	c->attempt.port = start->port;
	c->id = imap_server_session_id(c->sv);
	c->started_ms = loop_now_ms(c->sv->loop);
	buf_init(&c->out, CLIENT_OUT_MAX);
	open_conn(c, start->config);
	LIST_INSERT_HEAD(&c->sv->clients, c, link);
	log_event(kind->connect, LU("session", c->id),
	    LC("ip", conn_peer_ip(c->conn)),
	    LC("service", service_name(c->service)));
	if (!service_is_implicit_tls(c->service))
		greet(c);
}

/* --- all of them ------------------------------------------------------------- */

void
clients_store_gone(struct server *sv)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&sv->clients); c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->login)
			c->kind->bye(c->session,
			    "The mail store is restarting, connect again");
	}
}

void
clients_shutdown(struct server *sv)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&sv->clients); c; c = next) {
		next = LIST_NEXT(c, link);
		c->kind->bye(c->session, "The server is stopping");
	}
}
