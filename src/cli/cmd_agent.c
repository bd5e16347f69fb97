/* SPDX-License-Identifier: ISC */
/*
 * cmd_agent.c - mailstead agent enrol|run: a vantage point of a server elsewhere, on
 * a machine that needs no server of its own. A TOKEN of "-" is read from standard
 * input.
 */
#include "cli/cli.h"
#include "watch/watch.h"

#define USAGE_ENROL \
	"agent enrol URL TOKEN --state DIR [--ca FILE] [--user NAME] " \
	"[--uplink ADDRESS,...] [--dns ADDRESS,...] [--json]"
#define USAGE_RUN "agent run --state DIR"

const char *const agent_usage[] = { USAGE_ENROL, USAGE_RUN, NULL };

static int
enrol(struct admin *a, struct watch_agent_options *o)
{
	struct buf token = BUF_INIT(KIB(1));
	CLEANUP(freep) char *said = NULL;
	int r;

	/* Arguments can be seen by others of the machine. */
	if (strcmp(o->token, "-") == 0) {
		if (!admin_read_line(&token))
			return admin_error(
			    a, ADMIN_USAGE, "no token on standard input");
		o->token = buf_c(&token);
	}
	r = watch_agent_enrol(o, &said);
	buf_done_secret(&token);
	if (r < 0)
		return admin_error(a, ADMIN_REFUSED, "%s", said);
	return admin_say(a, "enrolled", str_c(said), "enrolled agent");
}

int
cmd_agent(struct admin *a, int argc, char **argv)
{
	struct watch_agent_options o = { 0 };
	const struct arg_option options[] = {
		{ "--state", &o.dir, NULL },
		{ "--ca", &o.ca, NULL },
		{ "--user", &o.user, NULL },
		{ "--uplink", &o.uplink, NULL },
		{ "--dns", &o.dns, NULL },
		ADMIN_OPTIONS(a),
	};
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (!o.dir)
		return admin_usage(a, "--state names the folder of the agent");
	if (strcmp(verb, "enrol") == 0 && args.n_words == 2) {
		o.url = args.words[0];
		o.token = args.words[1];
		return enrol(a, &o);
	}
	if (strcmp(verb, "run") == 0 && args.n_words == 0)
		return watch_agent_run(&o);
	return admin_usage(a, NULL);
}
