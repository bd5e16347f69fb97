/* SPDX-License-Identifier: ISC */
/* cmd_audit.c - mailstead audit list. */
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/status/status_audit.h"

#include <time.h>

#define USAGE_LIST \
	"audit list [--since WHEN] [--object OBJECT] [--what WHAT] [--json]"

struct words {
	struct args args;
	const char *since, *object, *what;
};

struct list {
	struct output *o;
	uint64_t since_ms;
	struct str object, what;
};

static void
take(void *arg, const struct msg_ledger_row *row)
{
	struct list *l = arg;
	struct status_audit a;

	if (!status_audit_decode(row->key, row->value, &a) ||
	    a.at_ms < l->since_ms ||
	    (l->object.n > 0 && !str_eq(a.object, l->object)) ||
	    (l->what.n > 0 && !str_starts(a.what, l->what)))
		return;
	output_put_number(l->o, a.at_ms / 1000);
	output_put_text(l->o, a.who);
	output_put_text(l->o, a.what);
	output_put_text(l->o, a.object);
	output_put_text(l->o, a.from);
	output_put_text(l->o, a.detail);
}

const char *const audit_usage[] = { USAGE_LIST, NULL };

static int
list(struct admin *a, const struct words *w)
{
	static const struct output_field fields[] = {
		{ "at", "AT", OUTPUT_TIME },
		{ "who", "WHO", OUTPUT_TEXT },
		{ "what", "WHAT", OUTPUT_TEXT },
		{ "object", "OBJECT", OUTPUT_TEXT },
		{ "from", "FROM", OUTPUT_TEXT },
		{ "detail", "DETAIL", OUTPUT_TEXT },
	};
	const struct ledger_rows rows = { LEDGER_AUDIT, STR_NONE, "the log" };
	struct list l = { .object = str_c(w->object), .what = str_c(w->what) };
	uint64_t since = 0;
	int r;

	if (w->since != NULL &&
	    !args_time(w->since, (uint64_t)time(NULL), &since))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no time: write it like 2026-11-20, or 3d for "
		    "the last three days",
		    w->since);
	l.since_ms = since * 1000;
	l.o = output_new("lines", fields, ARRAY_LEN(fields));
	output_spare(l.o, "from");
	r = ledger_rows_each(a, &rows, take, &l);
	if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	output_free(l.o);
	return r;
}

int
admin_audit(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--since", &w.since, NULL },
		{ "--object", &w.object, NULL },
		{ "--what", &w.what, NULL },
		ADMIN_OPTIONS(a),
	};

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (argc == 0 || strcmp(argv[0], "list") != 0 || w.args.n_words > 0)
		return admin_usage(a, NULL);
	return list(a, &w);
}
