/* SPDX-License-Identifier: ISC */
/* cmd_watch.c - mailstead watch status: each check, as the watcher knows it. */
#include "cli/watch_rows.h"

#define USAGE_STATUS "watch status [SYSTEM[/CHECK]] [--days N] [--json]"
#define USAGE        "watch status ..."

static const struct output_field fields[] = {
	{ "check", "CHECK", OUTPUT_TEXT },
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "status", "STATUS", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "ping_us", "PING", OUTPUT_US },
	{ "uptime_ppm", "UPTIME", OUTPUT_PPM },
	{ "coverage_ppm", "COVERAGE", OUTPUT_PPM },
	{ "checked", "CHECKED", OUTPUT_TIME },
	{ "found", "LAST RESULT", OUTPUT_TEXT },
};

static void
take_row(void *arg, const struct msg_watch_row *row)
{
	struct output *o = arg;
	struct buf state = BUF_INIT(KIB(1));
	bool has_uptime = row->flags & WATCH_ROW_UPTIME;
	bool has_answer = row->outcome <= WATCH_SLOW && row->at_ms != 0;

	watch_row_state(row, &state);
	output_put_text(o, row->key);
	output_put_text(
	    o, row->kind < STATUS_KINDS
		   ? str_c(status_kind_name((enum status_kind)row->kind))
		   : STR("?"));
	output_put_text(o, buf_str(&state));
	output_put_number(o, row->since_ms / 1000);
	output_put_number(o, has_answer ? row->us : 0);
	output_put_number(o, has_uptime ? row->uptime_ppm : UINT64_MAX);
	output_put_number(o, has_uptime ? row->coverage_ppm : UINT64_MAX);
	output_put_number(o, row->at_ms / 1000);
	output_put_text(o, row->text);
	buf_done(&state);
}

static int
status(struct admin *a, const struct args *args, uint32_t days)
{
	struct output *o = output_new("checks", fields, ARRAY_LEN(fields));
	struct buf prefix = BUF_INIT(KIB(1));
	int r;

	if (args->n_words > 0) {
		status_put_key(&prefix, str_c(args->words[0]));
		if (str_find(buf_str(&prefix), '/') < 0)
			buf_put_char(&prefix, '/');
	}
	r = watch_rows_each(a, buf_str(&prefix), days * 86400, take_row, o);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&prefix);
	return r;
}

const char *const watch_usage[] = { USAGE_STATUS, NULL };

int
admin_watch(struct admin *a, int argc, char **argv)
{
	const char *days = NULL;
	const struct arg_option options[] = { { "--days", &days, NULL },
		ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";
	uint32_t n = 90;

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1, USAGE_STATUS))
		return ADMIN_USAGE;
	if (days && (!str_to_u32(str_c(days), 1826, &n) || n == 0))
		return admin_usage(
		    a, USAGE_STATUS, "--days takes a number from 1 to 1826");
	if (strcmp(verb, "status") == 0 && args.n_words <= 1)
		return status(a, &args, n);
	return admin_usage(a, USAGE, NULL);
}
