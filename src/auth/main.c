/* SPDX-License-Identifier: ISC */
/*
 * main.c - the auth process: start-up and sandbox. It needs no file, no
 * network and no time of day; memory for one argon2id hash in each thread.
 */
#include "auth/auth_internal.h"
#include "base/log.h"
#include "conf/conf.h"
#include "proc/runtime.h"

struct server {
	struct runtime *rt;
	struct auth *auth;
	struct auth_config config;
};

static int
read_config(struct server *s, struct str snapshot)
{
	struct conf *c;
	int r = conf_decode(snapshot, &c);

	if (r < 0)
		return r;
	s->config = (struct auth_config){
		.limits = { .failures_max = c->auth_failures_max,
		    .window_s = c->auth_window_s,
		    .ban_s = c->auth_ban_s },
		.cache_s = c->auth_cache_s,
		.allow_plaintext = c->auth_allow_plaintext,
		.threads = c->auth_threads,
	};
	conf_free(c);
	return 0;
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *s = arg;

	s->rt = rt;
	return read_config(s, snapshot);
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *s = arg;

	sb->needs = SANDBOX_BASE | SANDBOX_THREADS;
	sb->max_files = 1024;
	/* Each thread may meet an imported hash of 256 MiB. */
	sb->max_memory = MIB(256) + s->config.threads * MIB(256);
}

static int
on_start(void *arg, struct runtime *rt)
{
	struct server *s = arg;

	s->auth = auth_new(runtime_loop(rt), &s->config);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *s = arg;

	if (read_config(s, snapshot) == 0)
		auth_configure(s->auth, &s->config);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *s = arg;

	if (ipc_peer_role(p) == ROLE_STORE)
		auth_set_store(s->auth, p);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct server *s = arg;

	auth_message(s->auth, p, m);
}

static void
on_closed(void *arg, struct ipc_peer *p)
{
	struct server *s = arg;

	auth_peer_closed(s->auth, p);
}

static void
on_stop(void *arg)
{
	struct server *s = arg;

	runtime_quit(s->rt);
}

int
auth_main(void)
{
	static const struct ipc_handlers ipc = { on_message, on_closed };
	static const struct runtime_role role = {
		.role = ROLE_AUTH,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server s = { 0 };

	return runtime_main(&role, &s);
}
