/* SPDX-License-Identifier: ISC */
/*
 * cmd_server.c - run, status, metrics, reload, config check: what concerns
 * the server itself and not its mail.
 */
#include "cli/copy/cmd_status_copy.h"
#include "cli/config_files.h"
#include "cli/output/output.h"
#include "conf/conf.h"
#include "supervisor/supervisor.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAX MIB(16)

int
cmd_run(struct admin *a, int argc, char **argv)
{
	struct args args = { 0 };

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words > 0)
		return admin_usage(a, NULL);
	return supervisor_run(cli_config_path());
}

static int
ask(struct admin *a, enum msg_type type, const char *what, struct buf *reply)
{
	return admin_ask_supervisor(a, type, STR_NONE, what, reply);
}

static bool
has_only_json(struct admin *a, int argc, char **argv)
{
	struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { .options = options, .n_options = 1 };

	if (!admin_args(a, &args, argc, argv))
		return false;
	if (args.n_words > 0) {
		admin_usage(a, NULL);
		return false;
	}
	return true;
}

/* --- status -------------------------------------------------------------------- */

static const char *
state_name(unsigned state)
{
	static const char *const names[] = {
		[PROCESS_DOWN] = "waiting",
		[PROCESS_STARTING] = "starting",
		[PROCESS_SERVING] = "serving",
		[PROCESS_STOPPING] = "stopping",
		[PROCESS_SILENT] = "silent",
	};

	return state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static void
put_process(struct output *o, const struct msg_cli_process *p, uint64_t now)
{
	output_put_text(o,
	    str_c(p->role < ROLE_COUNT ? role_name((enum role)p->role) : "?"));
	output_put_number(o, p->worker);
	output_put_number(o, p->pid);
	output_put_text(o, str_c(state_name(p->state)));
	output_put_number(
	    o, p->started && now > p->started ? now - p->started : 0);
	output_put_number(o, p->restarts);
	output_put_text(o, p->last_exit);
	output_put_number(o, p->uid);
	output_put_number(o, p->has_seccomp);
	output_put_number(o, p->landlock_abi);
	output_put_number(o, p->no_new_privs);
	output_put_text(o, p->note);
}

/* Of domains' DKIM keys. False: the store does not say at once. */
static bool
ask_keys(struct admin *a, struct msg_store_status_reply *ret)
{
	struct buf reply = BUF_INIT(KIB(4));
	bool is_known =
	    admin_try_role(a, ROLE_STORE,
		&(struct admin_call){ .type = MSG_STORE_STATUS, .fd = -1 },
		ADMIN_AT_ONCE_MS, &reply) &&
	    msg_store_status_reply_get(buf_str(&reply), ret);

	buf_done(&reply);
	return is_known;
}

static void
tell_keys(const struct msg_store_status_reply *s)
{
	uint64_t n = s->dkim_old, unpublished = s->dkim_unpublished;

	if (n > 0)
		printf("The DKIM keys of %llu domain%s sign for longer than "
		       "dkim.rotate: mailstead dkim rotate --all\n",
		    (unsigned long long)n, str_s(n));
	if (unpublished > 0)
		printf("DNS does not have DKIM keys of %llu domain%s as they "
		       "are here: mailstead dkim list\n",
		    (unsigned long long)unpublished, str_s(unpublished));
}

static int
print_status(struct admin *a, struct str reply)
{
	static const struct output_field fields[] = {
		{ "role", "ROLE", OUTPUT_TEXT },
		{ "worker", "WORKER", OUTPUT_COUNT },
		{ "pid", "PID", OUTPUT_COUNT },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "uptime_s", "SECONDS", OUTPUT_COUNT },
		{ "restarts", "RESTARTS", OUTPUT_COUNT },
		{ "last_exit", "LAST EXIT", OUTPUT_WORD },
		{ "uid", "UID", OUTPUT_COUNT },
		{ "seccomp", "SECCOMP", OUTPUT_YES },
		{ "landlock_abi", "LANDLOCK", OUTPUT_COUNT },
		{ "no_new_privs", "NNP", OUTPUT_YES },
		{ "note", "NOTE", OUTPUT_WORD },
	};
	struct msg_cli_status_reply s;
	struct msg_cli_process p;
	struct msg_store_status_reply keys = { 0 };
	struct output *o;
	struct wire w;

	if (!msg_cli_status_reply_get(reply, &s))
		return admin_error(a, ADMIN_TEMPFAIL,
		    "the server's answer makes no sense: after an update of "
		    "the program, restart it");
	if (!str_eq(s.version, STR(VERSION)))
		fprintf(stderr,
		    "mailstead: the server that runs is version %.*s, this "
		    "command is %s: restart it\n",
		    STR_ARG(s.version), VERSION);
	if (!a->is_json)
		printf("mailstead %.*s, configuration %llu\n",
		    STR_ARG(s.version), (unsigned long long)s.generation);
	if (!a->is_json && s.config_error.n > 0) {
		printf("The configuration file has an error; an older one is "
		       "in force:\n%.*s\n",
		    STR_ARG(s.config_error));
		s.config_error = STR("old configuration in force");
	}
	o = output_new("processes", fields, ARRAY_LEN(fields));
	output_spare(o, "uid worker");
	w = wire_read(s.processes);
	while (msg_cli_process_read(&w, &p)) {
		if (p.role == ROLE_SUPERVISOR && s.config_error.n > 0)
			p.note = s.config_error;
		put_process(o, &p, (uint64_t)time(NULL));
	}
	if (ask_keys(a, &keys)) {
		output_beside(o, "dkim_old", keys.dkim_old);
		output_beside(o, "dkim_unpublished", keys.dkim_unpublished);
	}
	output_print(o, a->is_json);
	if (!a->is_json)
		tell_keys(&keys);
	output_free(o);
	return ADMIN_OK;
}

const char *const status_usage[] = { "status [--json]", STATUS_USAGE_EXPORT,
	STATUS_USAGE_PUSH, NULL };

int
cmd_status(struct admin *a, int argc, char **argv)
{
	struct buf reply = BUF_INIT(REPLY_MAX);
	int r;

	if (argc > 0 && strcmp(argv[0], "export") == 0)
		return status_export(a, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "push") == 0)
		return status_push(a, argc - 1, argv + 1);
	if (!has_only_json(a, argc, argv))
		return ADMIN_USAGE;
	r = ask(a, MSG_CLI_STATUS, "status", &reply);
	if (r == ADMIN_OK)
		r = print_status(a, buf_str(&reply));
	buf_done(&reply);
	return r;
}

/* --- metrics and reload ----------------------------------------------------------- */

int
cmd_metrics(struct admin *a, int argc, char **argv)
{
	struct buf reply = BUF_INIT(REPLY_MAX);
	struct msg_cli_metrics_reply m;
	int r;

	if (!has_only_json(a, argc, argv))
		return ADMIN_USAGE;
	r = ask(a, MSG_CLI_METRICS, "metrics", &reply);
	if (r == ADMIN_OK && msg_cli_metrics_reply_get(buf_str(&reply), &m))
		output_write(m.text);
	buf_done(&reply);
	return r;
}

int
cmd_reload(struct admin *a, int argc, char **argv)
{
	struct buf reply = BUF_INIT(REPLY_MAX);
	struct msg_cli_reload_reply m;
	int r;

	if (!has_only_json(a, argc, argv))
		return ADMIN_USAGE;
	r = ask(a, MSG_CLI_RELOAD, "reload", &reply);
	if (r == ADMIN_OK && msg_cli_reload_reply_get(buf_str(&reply), &m))
		r = admin_say(a, "reloaded", str_trim(m.text), "reload:");
	buf_done(&reply);
	return r;
}

/* --- config check -------------------------------------------------------------------- */

/* The file may be for another machine: no error, but `run` will refuse. */
static void
warn_of_user(const struct conf *c)
{
	if (getuid() == 0 && c->user[0] != '\0' && getpwnam(c->user) == NULL)
		fprintf(stderr,
		    "mailstead: there is no user %s on this machine yet, "
		    "which the server needs\n",
		    c->user);
}

/* No error: a machine that watches only itself needs none. */
static void
warn_of_uplink(const struct conf *c)
{
	if (c->watch_enabled && c->watch_uplink[0] == '\0')
		fprintf(stderr,
		    "mailstead: watch.uplink is empty: when this machine's "
		    "own line fails, all that it watches elsewhere is told "
		    "as down; name two or three addresses that are always "
		    "there\n");
}

int
cmd_config(struct admin *a, int argc, char **argv)
{
	struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { .options = options, .n_options = 1 };
	const char *path = cli_config_path();
	char *error = NULL;
	struct buf errors = BUF_INIT(KIB(4));
	struct conf *c;
	int r;

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words < 1 || args.n_words > 2 ||
	    strcmp(args.words[0], "check") != 0)
		return admin_usage(a, NULL);
	if (args.n_words == 2)
		path = args.words[1];
	r = conf_load(path, &c, &error);
	if (r == 0) {
		r = conf_read_tls(c, &error);
		if (r == 0 && !config_files_check(c, &errors)) {
			error = x_strdup(buf_c(&errors));
			r = -1;
		}
		warn_of_user(c);
		warn_of_uplink(c);
		conf_free(c);
		buf_done(&errors);
	}
	if (r == 0)
		return admin_say(a, "checked", str_c(path), "no errors in");
	/* Without its last line end. */
	error[strlen(error) - 1] = '\0';
	r = admin_error(a, ADMIN_REFUSED, "%s", error);
	free(error);
	return r;
}
