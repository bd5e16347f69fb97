/* SPDX-License-Identifier: ISC */
/*
 * main.c - the smtp process: start-up, sandbox, configuration. It touches no
 * files: sockets come from the supervisor, messages live in memory files.
 */
#include "base/log.h"
#include "conf/conf_tls.h"
#include "proto/smtp/smtp_command.h"
#include "smtp/front.h"
#include "smtp/server.h"
#include "smtp/session.h"
#include "smtp/smtp.h"

#define STOP_MS      1200 /* for answers that are on their way */
#define STOP_TICK_MS 20

struct stop {
	struct loop_timer *timer;
	uint64_t until_ms;
};

struct process {
	struct server sv;
	struct stop stop;
};

/* --- configuration ------------------------------------------------------------- */

static void
take_config(struct server *sv, struct str snapshot)
{
	conf_take(&sv->conf, snapshot);
	(void)conf_tls_renew(sv->conf, &sv->tls);
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct process *p = arg;

	p->sv.rt = rt;
	p->sv.loop = runtime_loop(rt);
	p->sv.retry_ms = SERVER_RETRY_MS;
	server_ids_init(&p->sv);
	take_config(&p->sv, snapshot);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct process *p = arg;

	take_config(&p->sv, snapshot);
	front_configure(&p->sv);
}

/* --- start ------------------------------------------------------------------------ */

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct process *p = arg;

	sb->needs = SANDBOX_BASE | SANDBOX_ACCEPT | SANDBOX_MEMFD;
	/* A connection, its message and a copy of that for the filter. */
	sb->max_files = (uint64_t)p->sv.conf->connections_max * 3 + 128;
	sb->max_memory = SERVER_SPOOL_MAX + MIB(256) +
	                 (uint64_t)p->sv.conf->connections_max * KIB(128);
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct process *p = arg;

	arena_init(&p->sv.arena, SMTP_COMMAND_ARENA);
	front_configure(&p->sv);
	return 0;
}

static void
on_peer(UNUSED void *arg, UNUSED struct ipc_peer *peer)
{
}

static void
on_listener(void *arg, enum service service, int fd)
{
	struct process *p = arg;

	ports_listen(p->sv.ports, service, fd);
}

/* --- stop --------------------------------------------------------------------------- */

static void
quit(struct process *p)
{
	loop_timer_free(p->stop.timer);
	p->stop.timer = NULL;
	reach_report_flush(ports_reach(p->sv.ports));
	runtime_quit(p->sv.rt);
}

/* Sessions that wait for the store get their answer first. */
static void
on_stop_tick(void *arg)
{
	struct process *p = arg;
	bool is_over = loop_now_ms(p->sv.loop) >= p->stop.until_ms;
	struct session *s, *next;

	for (s = LIST_FIRST(&p->sv.sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, link);
		session_shutdown(s, is_over);
	}
	if (is_over || LIST_EMPTY(&p->sv.sessions))
		quit(p);
	else
		loop_timer_set(p->stop.timer, STOP_TICK_MS);
}

static void
on_stop(void *arg)
{
	struct process *p = arg;

	if (p->sv.is_stopping)
		return;
	p->sv.is_stopping = true;
	ports_stop(p->sv.ports);
	p->stop.until_ms = loop_now_ms(p->sv.loop) + STOP_MS;
	p->stop.timer = loop_timer_new(p->sv.loop, on_stop_tick, p);
	on_stop_tick(p);
}

static void
on_message(
    UNUSED void *arg, UNUSED struct ipc_peer *peer, UNUSED struct ipc_msg *m)
{
}

static void
on_peer_closed(UNUSED void *arg, UNUSED struct ipc_peer *peer)
{
}

int
smtp_main(void)
{
	static const struct ipc_handlers ipc = { on_message, on_peer_closed };
	static const struct runtime_role role = {
		.role = ROLE_SMTP,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.listener = on_listener,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct process p = { 0 };

	return runtime_main(&role, &p);
}
