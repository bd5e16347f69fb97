/* SPDX-License-Identifier: ISC */
/*
 * cmd_queue.c - mailstead queue list|show|destinations|latency|retry|hold|release|cancel|
 * reroute: which of them, and its options.
 */
#include "cli/queue/queue_command.h"

static int
run(struct admin *a, struct queue_words *w, const char *verb)
{
	static const struct {
		const char *verb;
		enum queue_action action;
	} changes[] = {
		{ "retry", QUEUE_RETRY },
		{ "hold", QUEUE_HOLD },
		{ "release", QUEUE_RELEASE },
		{ "cancel", QUEUE_CANCEL },
		{ "reroute", QUEUE_REROUTE },
	};

	if (w->is_bounce && strcmp(verb, "cancel") != 0)
		return admin_usage(a, "--bounce belongs to cancel");
	if (strcmp(verb, "list") == 0)
		return queue_list(a, w);
	if (strcmp(verb, "destinations") == 0)
		return queue_destinations(a, w);
	if (strcmp(verb, "latency") == 0)
		return queue_latency(a, w);
	if (strcmp(verb, "show") == 0)
		return queue_show(a, w);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (strcmp(changes[i].verb, verb) == 0)
			return queue_change(a, w, verb,
			    w->is_bounce ? QUEUE_RETURN : changes[i].action);
	return admin_usage(a, NULL);
}

const char *const queue_usage[] = {
	QUEUE_USAGE_LIST,
	QUEUE_USAGE_SHOW,
	QUEUE_USAGE_DESTINATIONS,
	QUEUE_USAGE_LATENCY,
	"queue retry|hold|release --all | " QUEUE_SELECTORS " [ID...] [--json]",
	"queue cancel --all | " QUEUE_SELECTORS " [ID...] [--bounce] [--json]",
	QUEUE_USAGE_REROUTE,
	NULL,
};

int
admin_queue(struct admin *a, int argc, char **argv)
{
	struct queue_words w = { .address = BUF_INIT(KIB(2)),
		.name = BUF_INIT(KIB(2)) };
	const struct arg_option options[] = {
		{ "--sender", &w.sender, NULL },
		{ "--recipient", &w.recipient, NULL },
		{ "--domain", &w.domain, NULL },
		{ "--mx", &w.mx, NULL },
		{ "--state", &w.state, NULL },
		{ "--account", &w.account, NULL },
		{ "--since", &w.since, NULL },
		{ "--all", NULL, &w.is_all },
		{ "--bounce", NULL, &w.is_bounce },
		ADMIN_OPTIONS(a),
	};
	int r;

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	r = run(a, &w, argv[0]);
	buf_done(&w.address);
	buf_done(&w.name);
	return r;
}
