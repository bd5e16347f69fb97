/* SPDX-License-Identifier: ISC */
/*
 * cmd_watch.c - mailstead watch status|outbox: each check, as the watcher knows it;
 * what it has to send to people.
 */
#include "cli/outbox_rows.h"
#include "cli/watch_rows.h"

#define USAGE_STATUS \
	"watch status [SYSTEM[/CHECK]] [--days N | --places] [--json]"
#define USAGE_OUTBOX "watch outbox [--waiting] [--json]"

#define FIELDS(stages) \
	{ "check", "CHECK", OUTPUT_TEXT }, { "kind", "KIND", OUTPUT_TEXT }, \
	    WATCH_ROW_STATE_FIELDS, { "since", "SINCE", OUTPUT_TIME }, \
	    { "ping_us", "PING", OUTPUT_US }, \
	    { "uptime_ppm", "UPTIME", OUTPUT_PPM }, \
	    { "coverage_ppm", "COVERAGE", OUTPUT_PPM }, \
	    { "places", "PLACES", OUTPUT_COUNT }, \
	    { "places_heard", NULL, OUTPUT_COUNT }, \
	    { "checked", "CHECKED", OUTPUT_TIME }, \
	    { "stages", stages, OUTPUT_LIST }, \
	{ \
		"found", "LAST RESULT", OUTPUT_TEXT \
	}
/* Stages are lines, which only one check has room for. */
static const struct output_field fields[] = { FIELDS(NULL) };
static const struct output_field one_fields[] = { FIELDS("STAGES") };

struct listing {
	struct output *o;
	struct str only; /* the key of one check, or nothing */
	size_t n_checks;
};

static bool
is_wanted(const struct listing *l, struct str key)
{
	return l->only.n == 0 || str_eq(l->only, key);
}

/* --- from where --------------------------------------------------------------- */

static const struct output_field place_fields[] = {
	{ "check", "CHECK", OUTPUT_TEXT },
	{ "agent", "FROM", OUTPUT_TEXT },
	{ "network", "NETWORK", OUTPUT_TEXT },
	{ "verdict", "VERDICT", OUTPUT_TEXT },
	{ "ping_us", "PING", OUTPUT_US },
	{ "checked", "CHECKED", OUTPUT_TIME },
	{ "found", "LAST RESULT", OUTPUT_TEXT },
};

/* One line for each place. */
static void
take_places(void *arg, const struct msg_watch_row *row)
{
	struct wire w = wire_read(row->places);
	struct listing *l = arg;
	struct output *o = l->o;
	struct msg_watch_place p;

	if (!is_wanted(l, row->key))
		return;
	l->n_checks++;
	while (msg_watch_place_read(&w, &p)) {
		bool has_answer = p.outcome <= WATCH_SLOW && p.at_ms != 0;

		output_put_text(o, row->key);
		output_put_text(o, p.agent.n > 0 ? p.agent : STR("here"));
		output_put_text(o, p.network);
		output_put_text(o, watch_status_word(p.verdict));
		output_put_number(o, has_answer ? p.us : 0);
		output_put_number(o, p.at_ms / 1000);
		output_put_text(o, p.text);
	}
}

/* "2 of 3": of how many know something. */
static void
put_heard(struct output *o, const struct msg_watch_row *row)
{
	struct wire w = wire_read(row->places);
	struct buf text = BUF_INIT(KIB(1));
	struct msg_watch_place p;
	unsigned n = 0, known = 0;

	for (; msg_watch_place_read(&w, &p); n++)
		known += p.verdict != WATCH_UNKNOWN;
	buf_printf(&text, "%u of %u", known, n);
	output_put_number(o, n);
	output_show(o, buf_str(&text));
	output_put_number(o, known);
	buf_done(&text);
}

/* --- states ------------------------------------------------------------------------ */

static void
take_row(void *arg, const struct msg_watch_row *row)
{
	struct listing *l = arg;
	struct output *o = l->o;
	bool has_uptime = row->flags & WATCH_ROW_UPTIME;
	bool has_answer = row->outcome <= WATCH_SLOW && row->at_ms != 0;

	if (!is_wanted(l, row->key))
		return;
	l->n_checks++;
	output_put_text(o, row->key);
	output_put_text(
	    o, row->kind < STATUS_KINDS
		   ? str_c(status_kind_name((enum status_kind)row->kind))
		   : STR("?"));
	watch_row_put_state(o, row);
	output_put_number(o, row->since_ms / 1000);
	output_put_number(o, has_answer ? row->us : 0);
	output_put_number(o, has_uptime ? row->uptime_ppm : UINT64_MAX);
	output_put_number(o, has_uptime ? row->coverage_ppm : UINT64_MAX);
	put_heard(o, row);
	output_put_number(o, row->at_ms / 1000);
	watch_put_stages(o, row->stages);
	output_put_text(o, row->text);
}

static int
status(struct admin *a, const struct args *args, uint32_t days, bool by_place)
{
	const char *of = args->n_words > 0 ? args->words[0] : "";
	bool is_one = strchr(of, '/') != NULL;
	struct output *o =
	    by_place
		? output_new("places", place_fields, ARRAY_LEN(place_fields))
	    : is_one ? output_new("checks", one_fields, ARRAY_LEN(one_fields))
		     : output_new("checks", fields, ARRAY_LEN(fields));
	struct buf prefix = BUF_INIT(KIB(1));
	struct listing l = { .o = o };
	int r;

	output_spare(o, "coverage_ppm places kind checked since network");
	status_put_key(&prefix, str_c(of));
	if (is_one)
		l.only = buf_str(&prefix);
	else if (of[0] != '\0')
		buf_put_char(&prefix, '/');
	r = watch_rows_each(a, buf_str(&prefix), by_place ? 0 : days * 86400,
	    by_place ? take_places : take_row, &l);
	if (r == ADMIN_OK && args->n_words > 0 && l.n_checks == 0)
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: no check of that name is watched", of);
	if (r == ADMIN_OK && is_one && !by_place && !a->is_json)
		output_print_one(o, false);
	else if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&prefix);
	return r;
}

const char *const watch_usage[] = { USAGE_STATUS, USAGE_OUTBOX, WATCH_AGENT_ADD,
	WATCH_AGENT_LIST, WATCH_AGENT_SHOW, WATCH_AGENT_REMOVE, NULL };

int
admin_watch(struct admin *a, int argc, char **argv)
{
	const char *days = NULL;
	bool is_waiting = false, by_place = false;
	const struct arg_option options[] = { { "--days", &days, NULL },
		{ "--waiting", NULL, &is_waiting },
		{ "--places", NULL, &by_place }, ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";
	uint32_t n = 90;

	if (strcmp(verb, "agent") == 0)
		return admin_watch_agent(a, argc - 1, argv + 1);
	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (days && (!str_to_u32(str_c(days), 1826, &n) || n == 0))
		return admin_usage(a, "--days takes a number from 1 to 1826");
	if (strcmp(verb, "status") == 0 && args.n_words <= 1)
		return status(a, &args, n, by_place);
	if (strcmp(verb, "outbox") == 0 && args.n_words == 0)
		return outbox_print_messages(a, is_waiting);
	return admin_usage(a, NULL);
}
