/* SPDX-License-Identifier: ISC */
/*
 * main.c - the imap role: IMAP and POP3 clients. One of N equal workers.
 *
 * Holds no mail and no passwords: it asks auth who a client is, and store for
 * what that client may see.
 */
#include "conf/conf_tls.h"
#include "imap/front.h"
#include "imap/main.h"
#include "imap/session.h"

#include <malloc.h>

#define STOP_AFTER_MS 1000

uint32_t
imap_server_session_id(struct server *sv)
{
	if (++sv->next_session == 0)
		sv->next_session = 1;
	return sv->next_session;
}

uint64_t
server_append_max(const struct server *sv)
{
	const struct conf *c = sv->conf;

	return c->imap_append_max ? c->imap_append_max : c->message_size_max;
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	conf_take(&sv->conf, snapshot);
	(void)conf_tls_renew(sv->conf, &sv->tls);
	front_configure(sv);
	return 0;
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_ACCEPT | SANDBOX_MEMFD;
	sb->user = sv->conf->user;
	/* Each may have an APPEND under way, in a file of its own. */
	sb->max_files = (uint64_t)sv->conf->connections_max * 2 + 256;
}

static int
on_start(void *arg, struct runtime *rt)
{
	(void)arg;
	(void)rt;
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *sv = arg;

	conf_take(&sv->conf, snapshot);
	(void)conf_tls_renew(sv->conf, &sv->tls);
	front_configure(sv);
}

static void
on_listener(void *arg, enum service service, int fd)
{
	struct server *sv = arg;

	ports_listen(sv->ports, service, fd);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct server *sv = arg;
	struct msg_mailbox_changed changed;
	struct session *s;

	if (m->type != MSG_MAILBOX_CHANGED ||
	    !msg_mailbox_changed_get(m->body, &changed)) {
		ipc_peer_close(p);
		return;
	}
	s = imap_session_find(sv, m->session);
	if (s)
		session_changed(s, changed.mailbox);
}

static void
on_peer_closed(void *arg, struct ipc_peer *p)
{
	if (ipc_peer_role(p) == ROLE_STORE)
		clients_store_gone(arg);
}

static void
quit(void *arg)
{
	struct server *sv = arg;

	reach_report_flush(ports_reach(sv->ports));
	runtime_quit(sv->rt);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;

	sv->is_stopping = true;
	ports_stop(sv->ports);
	clients_shutdown(sv);
	/* Long enough for the good-byes to leave the machine. */
	loop_timer_set(loop_timer_new(sv->loop, quit, sv),
	    ports_clients(sv->ports) > 0 ? STOP_AFTER_MS / 5 : 1);
}

int
imap_main(void)
{
	static const struct ipc_handlers ipc = {
		.message = on_message,
		.closed = on_peer_closed,
	};
	static const struct runtime_role role = {
		.role = ROLE_IMAP,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.listener = on_listener,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server sv = { 0 };
	int status;

	/*
	 * The list of ten thousand mailboxes is larger than all that a session
	 * needs else: blocks like that go back to the system at once, so that
	 * nobody makes the worker large for good.
	 */
	mallopt(M_MMAP_THRESHOLD, (int)MIB(1));
	mallopt(M_TRIM_THRESHOLD, (int)MIB(16));
	LIST_INIT(&sv.clients);
	TAILQ_INIT(&sv.kept);
	LIST_INIT(&sv.maps);
	status = runtime_main(&role, &sv);
	ports_free(sv.ports);
	tls_context_unref(sv.tls);
	conf_free(sv.conf);
	return status;
}
