/* SPDX-License-Identifier: ISC */
/*
 * main.c - the watch role: is everything up that should be?
 *
 * It reads what strangers' servers answer, so of files it has its own folder of
 * history only; it knows no accounts and no mail, but passwords of the
 * accounts that checks sign in with.
 */
#include "watch/watch.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "conf/conf_resolver.h"
#include "watch/ping.h"
#include "watch/server.h"

#include <time.h>

#define CA_FILE     "/etc/ssl/certs/ca-certificates.crt"
#define FILES_EXTRA 1024
#define TICK_MS     1000

static uint64_t
clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		die("clock: %s", strerror(errno));
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
server_now_ms(void)
{
	return clock_us(CLOCK_BOOTTIME) / 1000;
}

uint64_t
server_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

uint64_t
server_wall_ms(const struct server *sv, uint64_t at_ms)
{
	return loop_time_ms(sv->loop) - server_now_ms() + at_ms;
}

uint32_t
server_random(uint32_t below)
{
	uint32_t v;

	secret_random(&v, sizeof(v));
	return below > 0 ? v % below : 0;
}

/* --- configuration --------------------------------------------------------- */

static void
take_config(struct server *sv, struct str snapshot)
{
	struct conf *c;

	if (conf_decode(snapshot, &c) < 0)
		die("the supervisor sent a configuration that is none");
	conf_free(sv->conf);
	sv->conf = c;
}

static int
make_resolver(struct server *sv)
{
	char *error = NULL;
	bool validates;
	int r = conf_resolver_new(
	    sv->conf, sv->loop, &sv->resolver, &validates, &error);

	if (r < 0)
		fprintf(
		    stderr, "mailstead: watch: name resolution: %s\n", error);
	free(error);
	return r;
}

/* The supervisor made the folder, as root also for our user. */
static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;
	const char *ca;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	take_config(sv, snapshot);
	sv->dir = x_asprintf("%s/watch", sv->conf->data_dir);
	ca = sv->conf->watch_ca_file;
	sv->tls = tls_client_context_new(ca[0] ? ca : CA_FILE);
	sv->ping = ping_new(sv->loop);
	return make_resolver(sv);
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_CONNECT;
	sb->paths[sb->path_count++] = (struct sandbox_path){ sv->dir, true };
	sb->user = sv->conf->user;
	sb->max_files = SERVER_PROBES_MAX + FILES_EXTRA;
}

/* --- life -------------------------------------------------------------------- */

static void
on_tick(void *arg)
{
	struct server *sv = arg;

	schedule_tick(sv);
	loop_timer_set(sv->tick, TICK_MS);
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	sv->mirror = mirror_new(sv);
	sv->uplink = uplink_new(sv);
	ping_start(sv->ping);
	sv->ticked_ms = server_now_ms();
	sv->tick = loop_timer_new(sv->loop, on_tick, sv);
	loop_timer_set(sv->tick, TICK_MS);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	take_config(arg, snapshot);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (ipc_peer_role(p) == ROLE_STORE && !sv->is_stopping)
		mirror_load(sv->mirror);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct server *sv = arg;
	bool ok = m->type == MSG_LEDGER_CHANGED
	              ? mirror_changed(sv->mirror, m->body)
	              : list_request(sv, p, m);

	if (!ok)
		ipc_peer_close(p);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;

	sv->is_stopping = true;
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];
		const struct watch_check *c = watched_state(w);

		schedule_spend(
		    w, watch_state_settled_ms(&c->state, server_now_ms()));
		history_close(TAKE_PTR(w->history));
	}
	runtime_quit(sv->rt);
}

int
watch_main(void)
{
	static const struct ipc_handlers ipc = { .message = on_message };
	static const struct runtime_role role = {
		.role = ROLE_WATCH,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server sv = { 0 };

	return runtime_main(&role, &sv);
}
