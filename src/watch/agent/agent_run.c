/* SPDX-License-Identifier: ISC */
/*
 * agent_run.c - the process of an agent, from its folder to its end.
 *
 * As a role it has no files but those of its folder, and no privileges; there
 * is no supervisor, so it does by itself what proc/runtime.c does for roles.
 */
#include "watch/agent/agent.h"

#include "base/log.h"
#include "conf/conf_resolver.h"
#include "proc/sandbox.h"
#include "watch/probe/ping.h"

#include <signal.h>
#include <unistd.h>

#define FILES_EXTRA 256
#define TICK_MS     1000

static void
on_tick(void *arg)
{
	struct agent *a = arg;

	schedule_tick(&a->sv);
	loop_timer_set(a->sv.tick, TICK_MS);
}

static void
on_signal(void *arg)
{
	struct agent *a = arg;

	a->sv.is_stopping = true;
	loop_stop(a->sv.loop);
}

/* --- before the sandbox ------------------------------------------------------------ */

/* Only the authorities that it was enrolled with, if it was told any. */
static struct tls_context *
master_context(const struct agent *a)
{
	CLEANUP(freep)
	char *pinned = x_asprintf("%s/%s", a->dir, AGENT_FILE_MASTER);

	return tls_client_context_of(access(pinned, R_OK) == 0 ? pinned : "");
}

static int
open_spool(struct agent *a)
{
	CLEANUP(freep)
	char *path = x_asprintf("%s/%s", a->dir, AGENT_FILE_SPOOL);
	int r = spool_open(path, SPOOL_PAGES, &a->spool);

	if (r < 0)
		fprintf(
		    stderr, "mailstead: agent: %s: %s\n", path, strerror(-r));
	return r;
}

static int
prepare(struct agent *a)
{
	struct server *sv = &a->sv;

	sv->agent = a;
	sv->loop = loop_new();
	sv->tls = tls_client_context_of(sv->conf->watch_ca_file);
	a->tls = master_context(a);
	sv->ping = ping_new(sv->loop);
	if (conf_resolver_start(
		sv->conf, sv->loop, "agent", &sv->resolver, &sv->validates) < 0)
		return -1;
	a->http = http_client_new(&(struct http_client_config){
	    .loop = sv->loop, .resolver = sv->resolver, .tls = a->tls });
	return 0;
}

static int
enter_sandbox(struct agent *a)
{
	const char *user = a->sv.conf->user;
	struct sandbox sb = { .needs = SANDBOX_FILES | SANDBOX_THREADS |
		                       SANDBOX_CONNECT,
		.user = user,
		.max_files = SERVER_PROBES_MAX + FILES_EXTRA };
	struct sandbox_state state = { 0 };
	int r;

	if (geteuid() == 0 && user[0] == '\0') {
		fprintf(stderr,
		    "mailstead: agent: as root it needs a user to become: "
		    "user = \"NAME\" in %s/%s\n",
		    a->dir, AGENT_FILE_CONF);
		return -1;
	}
	sb.paths[sb.path_count++] = (struct sandbox_path){ a->dir, true };
	r = sandbox_apply(&sb, &state);
	if (r < 0) {
		fprintf(
		    stderr, "mailstead: agent: sandbox: %s\n", strerror(-r));
		return r;
	}
	if (state.note[0] != '\0')
		log_event(EV_SANDBOX_MISSING, LC("note", state.note));
	log_event(EV_AGENT_START, LC("agent", a->id), LU("uid", state.uid),
	    LI("landlock", state.landlock_abi),
	    LU("seccomp", state.has_seccomp));
	return 0;
}

/* --- life ---------------------------------------------------------------------------- */

static void
start(struct agent *a)
{
	struct server *sv = &a->sv;

	sv->mirror = mirror_new(sv);
	sv->uplink = uplink_new(sv);
	ping_start(sv->ping);
	sv->ticked_ms = server_now_ms();
	sv->tick = loop_timer_new(sv->loop, on_tick, a);
	loop_timer_set(sv->tick, TICK_MS);
	agent_link_start(a);
	puts("ready");
	(void)fflush(stdout);
}

int
watch_agent_run(const struct watch_agent_options *o)
{
	struct agent *a = X_NEW(struct agent);

	log_init("agent", LOG_LEVEL_INFO);
	if (agent_dir_load(a, o->dir) < 0 || prepare(a) < 0)
		return 1;
	(void)loop_signal_new(a->sv.loop, SIGTERM, on_signal, a);
	(void)loop_signal_new(a->sv.loop, SIGINT, on_signal, a);
	if (enter_sandbox(a) < 0 || open_spool(a) < 0)
		return 1;
	start(a);
	loop_run(a->sv.loop);
	spool_close(a->spool);
	/* The rest goes with the process. */
	return 0;
}
