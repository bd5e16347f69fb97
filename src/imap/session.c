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
#include "imap/kept.h"
#include "imap/session_internal.h"

#define IN_MAX_PREAUTH   KIB(32)
#define IN_MAX           KIB(256)
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
		conn_resume(s->client.conn);
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
	imap_framer_done(&s->framer);
	client_done(&s->client);
	free(s);
}

static void
on_closed(void *arg)
{
	struct session *s = arg;

	LIST_REMOVE(s, id_link);
}

static void
on_expired(void *arg, const char *text)
{
	session_bye(arg, NULL, text);
}

static void
on_bye(void *arg, const char *text)
{
	session_bye(arg, "UNAVAILABLE", text);
}

static void
greet(void *arg)
{
	struct session *s = arg;
	struct buf *out = &s->client.out;

	buf_put_c(out, "* OK [CAPABILITY ");
	session_put_capability(s, out);
	buf_printf(
	    out, "] %s Mailstead IMAP ready\r\n", s->client.sv->conf->hostname);
}

static const struct client_kind kind = {
	.in_max = IN_MAX_PREAUTH,
	.connect = EV_IMAP_CONNECT,
	.close = EV_IMAP_CLOSE,
	.timeout = EV_IMAP_TIMEOUT,
	.limit = EV_IMAP_LIMIT,
	.login_fail = EV_IMAP_LOGIN_FAIL,
	.data = on_data,
	.drained = on_drained,
	.greet = greet,
	.expired = on_expired,
	.bye = on_bye,
	.reply = session_reply,
	.closed = on_closed,
	.free = free_session,
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

	imap_framer_init(&s->framer, &limits);
	set_framer_limits(s);
	client_start(
	    &s->client, &kind, s, &(struct client_start){ sv, cc, svc, port });
	LIST_INSERT_HEAD(
	    &sv->by_id[s->client.id % SERVER_ID_BUCKETS], s, id_link);
}

void
session_signed_in(struct session *s, const struct auth_answer *a)
{
	s->state = SESSION_AUTHENTICATED;
	client_signed_in(&s->client, a);
	set_framer_limits(s);
	conn_set_in_max(s->client.conn, IN_MAX);
	conn_set_timeout(
	    s->client.conn, (uint64_t)s->client.sv->conf->imap_idle_s * 1000);
	log_event(EV_IMAP_LOGIN, LU("session", s->client.id),
	    LC("ip", conn_peer_ip(s->client.conn)), LC("user", s->client.login),
	    LC("tls", conn_tls_version(s->client.conn)));
}

struct session *
imap_session_find(struct server *sv, uint32_t id)
{
	struct session *s;

	LIST_FOREACH(s, &sv->by_id[id % SERVER_ID_BUCKETS], id_link)
	if (s->client.id == id)
		return s;
	return NULL;
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
