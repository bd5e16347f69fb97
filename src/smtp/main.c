/* SPDX-License-Identifier: ISC */
/*
 * main.c - the smtp process: start-up, sandbox, configuration. It touches no
 * files: sockets come from the supervisor, messages live in memory files.
 */
#include "base/log.h"
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

/* The old context stays when there is a new one that cannot be used. */
static void
take_tls(struct server *sv)
{
	const struct conf *c = sv->conf;
	struct tls_context *tls = NULL;
	char *error = NULL;

	if (c->tls_certificate == NULL || c->tls_certificate[0] == '\0' ||
	    c->tls_key == NULL)
		return;
	if (tls_context_new(str_c(c->tls_certificate), str_c(c->tls_key), &tls,
		&error) < 0) {
		log_event(EV_SMTP_TLS_FAIL, LC("why", error));
		free(error);
		return;
	}
	tls_context_unref(sv->tls);
	sv->tls = tls;
}

static int
take_config(struct server *sv, struct str snapshot)
{
	struct conf *c;
	int r = conf_decode(snapshot, &c);

	if (r < 0)
		return r;
	conf_free(sv->conf);
	sv->conf = c;
	take_tls(sv);
	return 0;
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct process *p = arg;

	p->sv.rt = rt;
	p->sv.loop = runtime_loop(rt);
	p->sv.retry_ms = SERVER_RETRY_MS;
	server_ids_init(&p->sv);
	return take_config(&p->sv, snapshot);
}

static void
on_config(void *arg, struct str snapshot)
{
	struct process *p = arg;

	if (take_config(&p->sv, snapshot) == 0)
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

	front_add(&p->sv, service, fd);
}

/* --- stop --------------------------------------------------------------------------- */

static void
quit(struct process *p)
{
	loop_timer_free(p->stop.timer);
	p->stop.timer = NULL;
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
	front_close(&p->sv);
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
