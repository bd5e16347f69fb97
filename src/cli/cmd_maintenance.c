/* SPDX-License-Identifier: ISC */
/* cmd_maintenance.c - mailstead maintenance add|list|remove: planned work. */
#include "cli/watch_rows.h"

#include <inttypes.h>
#include <time.h>

#define USAGE_ADD \
	"maintenance add SYSTEM --for TIME [--from WHEN] [--every TIME] " \
	"[--note TEXT] [--json]"
#define USAGE_LIST   "maintenance list [SYSTEM] [--json]"
#define USAGE_REMOVE "maintenance remove ID [--json]"

struct words {
	struct args args;
	const char *from, *length, *every, *note;
};

static bool
seconds(const char *s, uint64_t *ret)
{
	uint64_t ms;

	if (!status_time_parse(str_c(s), UINT64_MAX / 2, &ms) || ms % 1000 != 0)
		return false;
	*ret = ms / 1000;
	return true;
}

static int
read_times(struct admin *a, const struct words *w, struct status_window *win)
{
	uint64_t now = (uint64_t)time(NULL);

	win->from_s = now;
	if (w->from && !args_when(w->from, now, &win->from_s))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no time: write it like \"2026-11-20 18:30\", or "
		    "+2h "
		    "from now",
		    w->from);
	if (!w->length || !seconds(w->length, &win->length_s))
		return admin_usage(a, "--for needs a time such as 30m or 2h");
	if (w->every && !seconds(w->every, &win->every_s))
		return admin_usage(a, "--every needs a time such as 7d");
	if (win->every_s == 0 && win->from_s < now &&
	    now - win->from_s >= win->length_s)
		return admin_error(a, ADMIN_USAGE,
		    "the time of --from and --for is over: nothing would be "
		    "planned");
	return ADMIN_OK;
}

static int
fault(struct admin *a, const struct status_fault *f)
{
	const char *option = str_eq(f->part, STR("length"))  ? "--for"
	                     : str_eq(f->part, STR("from"))  ? "--from"
	                     : str_eq(f->part, STR("every")) ? "--every"
	                                                     : NULL;

	if (option == NULL)
		return watch_fault(a, f);
	return admin_error(
	    a, ADMIN_USAGE, "%s: expected %s", option, f->expected);
}

static int
add(struct admin *a, const struct words *w)
{
	struct status_window win = { 0 };
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(1));
	struct status_fault f;
	struct watch_system sys;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	r = watch_system_get(a, w->args.words[0], &sys);
	if (r == ADMIN_OK)
		r = read_times(a, w, &win);
	if (r == ADMIN_OK) {
		win.system = sys.s.id;
		win.note = str_c(w->note);
		if (!status_window_is_sane(&win, &f))
			r = fault(a, &f);
	}
	if (r == ADMIN_OK) {
		status_window_put_key(&key, &win);
		status_window_encode(&win, &value);
		r = ledger_rows_put(a, LEDGER_MAINTENANCE,
		    &(struct msg_ledger_row){ .key = buf_str(&key),
			.until = win.every_s
		                     ? 0
		                     : win.from_s + win.length_s + 90 * 86400,
			.value = buf_str(&value) },
		    "maintenance");
	}
	if (r == ADMIN_OK)
		r = admin_say(a, "added", buf_str(&key), "added maintenance");
	watch_system_done(&sys);
	buf_done(&key);
	buf_done(&value);
	return r;
}

static void
take_window(void *arg, const struct msg_ledger_row *row)
{
	struct buf every = BUF_INIT(100);
	struct output *o = arg;
	struct status_window w;

	if (!status_window_decode(row->key, row->value, &w))
		return;
	output_put_text(o, row->key);
	output_put_text(o, w.system);
	output_put_number(o, w.from_s);
	output_put_number(o, w.from_s + w.length_s);
	if (w.every_s > 0)
		status_time_format(&every, w.every_s * 1000);
	output_put_text(o, buf_str(&every));
	output_put_text(o, w.note);
	buf_done(&every);
}

static int
list(struct admin *a, const struct words *w)
{
	static const struct output_field fields[] = {
		{ "id", "ID", OUTPUT_TEXT },
		{ "system", "SYSTEM", OUTPUT_TEXT },
		{ "from", "FROM", OUTPUT_TIME },
		{ "to", "TO", OUTPUT_TIME },
		{ "every", "EVERY", OUTPUT_WORD },
		{ "note", "NOTE", OUTPUT_TEXT },
	};
	struct output *o = output_new("windows", fields, ARRAY_LEN(fields));
	struct ledger_rows rows = { LEDGER_MAINTENANCE, STR_NONE, "windows" };
	struct buf prefix = BUF_INIT(KIB(1));
	struct watch_system sys;
	int r = ADMIN_OK;

	if (w->args.n_words > 0) {
		r = watch_system_get(a, w->args.words[0], &sys);
		watch_system_done(&sys);
		status_put_key(&prefix, str_c(w->args.words[0]));
		buf_put_char(&prefix, '/');
	}
	rows.prefix = buf_str(&prefix);
	if (r == ADMIN_OK)
		r = ledger_rows_each(a, &rows, take_window, o);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&prefix);
	return r;
}

static int
remove_window(struct admin *a, const struct words *w)
{
	struct buf row = BUF_INIT(KIB(4));
	CLEANUP(freep) char *what = NULL;
	struct str key;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	key = str_c(w->args.words[0]);
	what = x_asprintf("maintenance %.*s", STR_ARG(key));
	if (key.n > LEDGER_KEY_MAX || key.n == 0)
		return admin_usage(a, NULL);
	r = ledger_rows_get(a, LEDGER_MAINTENANCE, key, what, &row);
	buf_done(&row);
	if (r == ADMIN_OK)
		r = ledger_rows_put(a, LEDGER_MAINTENANCE,
		    &(struct msg_ledger_row){ .key = key, .is_gone = 1 }, what);
	if (r == ADMIN_OK)
		r = admin_say(a, "removed", key, "removed maintenance");
	return r;
}

const char *const maintenance_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_REMOVE,
	NULL };

int
admin_maintenance(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--from", &w.from, NULL },
		{ "--for", &w.length, NULL },
		{ "--every", &w.every, NULL },
		{ "--note", &w.note, NULL },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "remove") == 0)
		return remove_window(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words <= 1)
		return list(a, &w);
	return admin_usage(a, NULL);
}
