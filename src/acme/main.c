/* SPDX-License-Identifier: ISC */
/*
 * main.c - the acme role: certificates from an authority (RFC 8555).
 *
 * It speaks with a machine that an outsider runs, so of files it has its own
 * folder only: the key of its account, and the keys of the certificates that it
 * obtains. It serves nobody: role web answers challenges, the supervisor hands
 * certificates out.
 */
#include "acme/acme.h"

#include "acme/server.h"
#include "conf/conf_resolver.h"

#include <fcntl.h>
#include <unistd.h>

#define FILES_MAX   256
#define BINDING_MAX KIB(4)

/* --- configuration --------------------------------------------------------- */

/* The operator's file, which may be root's: before privileges are dropped. */
static int
read_binding(struct server *sv)
{
	const char *path = sv->conf->acme_external_account;
	CLEANUP(closep) int fd = -1;
	char text[BINDING_MAX];
	ssize_t n;

	if (path[0] == '\0')
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n < 0) {
		fprintf(stderr,
		    "mailstead: acme.external_account: cannot read %s: %s\n",
		    path, strerror(errno));
		return -errno;
	}
	secret_set(&sv->binding, str_make(text, (size_t)n));
	secret_wipe(text, sizeof(text));
	return 0;
}

/* The supervisor made the folder, as root also for our user. */
static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;
	int r;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	conf_take(&sv->conf, snapshot);
	sv->path = x_asprintf("%s/acme", sv->conf->data_dir);
	sv->tls = tls_client_context_of(sv->conf->acme_ca_file);
	r = read_binding(sv);
	if (r == 0)
		r = conf_resolver_start(
		    sv->conf, sv->loop, "acme", &sv->resolver, NULL);
	if (r == 0)
		sv->http = http_client_new(
		    &(struct http_client_config){ .loop = sv->loop,
			.resolver = sv->resolver,
			.tls = sv->tls });
	return r;
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_CONNECT;
	sb->paths[sb->path_count++] = (struct sandbox_path){ sv->path, true };
	sb->user = sv->conf->user;
	sb->max_files = FILES_MAX;
}

/* --- life -------------------------------------------------------------------- */

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;
	int r = files_open(sv);

	sv->calls = calls_new(sv);
	if (r == 0)
		r = account_load(sv);
	if (r < 0) {
		fprintf(stderr, "mailstead: acme: %s: %s\n", sv->path,
		    strerror(-r));
		return r;
	}
	sv->challenges = challenges_new(sv);
	sv->hosts = hosts_new(sv);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *sv = arg;
	int r;

	conf_take(&sv->conf, snapshot);
	r = account_load(sv);
	if (r < 0)
		die("%s: %s", sv->path, strerror(-r));
	hosts_configure(sv->hosts);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (ipc_peer_role(p) == ROLE_WEB)
		challenges_peer(sv->challenges, p);
}

static void
on_closed(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	challenges_peer_gone(sv->challenges, p);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (!list_request(arg, p, m))
		ipc_peer_close(p);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;

	sv->is_stopping = true;
	hosts_stop(sv->hosts);
	runtime_quit(sv->rt);
}

int
acme_main(void)
{
	static const struct ipc_handlers ipc = {
		.message = on_message,
		.closed = on_closed,
	};
	static const struct runtime_role role = {
		.role = ROLE_ACME,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server sv = { .dir = -1 };

	return runtime_main(&role, &sv);
}
