/* SPDX-License-Identifier: ISC */
/* cmd_system.c - mailstead system add|change|list|show|remove. */
#include "cli/watch_rows.h"

#define OPTIONS \
	"[--city CITY] [--country COUNTRY] [--internal | --public] " \
	"[--parents ID,...] [--order N] [--json]"
#define USAGE_ADD    "system add ID ROLE " OPTIONS
#define USAGE_CHANGE "system change ID [--role ROLE] " OPTIONS
#define USAGE_LIST   "system list [--json]"
#define USAGE_SHOW   "system show ID [--json]"
#define USAGE_REMOVE "system remove ID [--json]"
#define USAGE        "system add|change|list|show|remove ..."

struct words {
	struct args args;
	const char *role, *city, *country, *parents, *order;
	bool is_internal, is_public;
};

/* --- adding and changing --------------------------------------------------- */

static int
set_parents(struct admin *a, const char *list, struct status_system *s)
{
	struct str rest = str_c(list), one;

	s->n_parents = 0;
	if (strcmp(list, "none") == 0)
		return ADMIN_OK;
	while (rest.n > 0) {
		struct watch_system parent;
		char *id;
		int r;

		rest = str_split(rest, ',', &one);
		if (s->n_parents == STATUS_PARENTS_MAX)
			return admin_error(a, ADMIN_USAGE,
			    "a system has at most %d parents",
			    STATUS_PARENTS_MAX);
		id = str_dup(one);
		r = watch_system_get(a, id, &parent);
		free(id);
		watch_system_done(&parent);
		if (r != ADMIN_OK)
			return r;
		s->parents[s->n_parents++] = one;
	}
	return ADMIN_OK;
}

static int
set_options(struct admin *a, const struct words *w, struct status_system *s)
{
	if (w->role && !status_role_parse(str_c(w->role), &s->role))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no role: mail, relay, web, primary-ns, "
		    "secondary-ns, phone, monitoring, status or other",
		    w->role);
	if (w->city)
		s->city = str_c(w->city);
	if (w->country)
		s->country = str_c(w->country);
	if (w->is_internal || w->is_public)
		s->is_internal = w->is_internal;
	if (w->order && !str_to_u32(str_c(w->order), UINT32_MAX, &s->order))
		return admin_error(
		    a, ADMIN_USAGE, "\"%s\" is no number", w->order);
	return w->parents ? set_parents(a, w->parents, s) : ADMIN_OK;
}

static int
refuse_existing(struct admin *a, struct str id)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(64));
	bool is_there;
	int r;

	status_put_key(&key, id);
	r = ledger_rows_find(
	    a, LEDGER_SYSTEM, buf_str(&key), &is_there, &value);
	buf_done(&key);
	buf_done(&value);
	if (r != ADMIN_OK || !is_there)
		return r;
	return admin_error(a, ADMIN_REFUSED,
	    "system %.*s: it exists already; see 'mailstead system change'",
	    STR_ARG(id));
}

static int
add(struct admin *a, struct words *w)
{
	struct status_system s = { 0 };
	int r;

	if (w->args.n_words != 2)
		return admin_usage(a, USAGE_ADD, NULL);
	w->role = w->args.words[1];
	s.id = str_c(w->args.words[0]);
	if (!status_is_id(s.id))
		return watch_fault(
		    a, &(struct status_fault){ s.id, STATUS_ID_EXPECTED });
	r = refuse_existing(a, s.id);
	if (r == ADMIN_OK)
		r = set_options(a, w, &s);
	if (r == ADMIN_OK)
		r = watch_system_put(a, &s);
	return r == ADMIN_OK ? admin_say(a, "added", s.id, "added system") : r;
}

static int
change(struct admin *a, struct words *w)
{
	struct watch_system sys;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, USAGE_CHANGE, NULL);
	r = watch_system_get(a, w->args.words[0], &sys);
	if (r == ADMIN_OK)
		r = set_options(a, w, &sys.s);
	if (r == ADMIN_OK)
		r = watch_system_put(a, &sys.s);
	if (r == ADMIN_OK)
		r = admin_say(a, "changed", sys.s.id, "changed system");
	watch_system_done(&sys);
	return r;
}

/* --- removing ---------------------------------------------------------------- */

struct keys {
	struct buf list; /* ended by line feeds */
};

static void
take_key(void *arg, const struct msg_ledger_row *row)
{
	struct keys *k = arg;

	buf_put_str(&k->list, row->key);
	buf_put_char(&k->list, '\n');
}

/* All rows of a table that begin with prefix. */
static int
remove_rows(struct admin *a, enum ledger_table table, struct str prefix)
{
	const struct ledger_rows rows = { table, prefix, "rows" };
	struct keys k = { BUF_INIT(MIB(4)) };
	struct str rest, key;
	int r = ledger_rows_each(a, &rows, take_key, &k);

	for (rest = buf_str(&k.list); r == ADMIN_OK && rest.n > 0;) {
		rest = str_split(rest, '\n', &key);
		r = ledger_rows_put(a, table,
		    &(struct msg_ledger_row){ .key = key, .is_gone = 1 },
		    "check");
	}
	buf_done(&k.list);
	return r;
}

/* Checks first: one without a system would be watched by nobody. */
static int
remove_system(struct admin *a, struct words *w)
{
	struct buf key = BUF_INIT(KIB(1));
	struct watch_system sys;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, USAGE_REMOVE, NULL);
	r = watch_system_get(a, w->args.words[0], &sys);
	if (r == ADMIN_OK) {
		status_put_key(&key, sys.s.id);
		buf_put_char(&key, '/');
		r = remove_rows(a, LEDGER_CHECK, buf_str(&key));
	}
	if (r == ADMIN_OK)
		r = remove_rows(a, LEDGER_MAINTENANCE, buf_str(&key));
	if (r == ADMIN_OK)
		r = ledger_rows_put(a, LEDGER_SYSTEM,
		    &(struct msg_ledger_row){
			.key = str_first(buf_str(&key), key.n - 1),
			.is_gone = 1 },
		    "system");
	if (r == ADMIN_OK)
		r = admin_say(a, "removed", sys.s.id, "removed system");
	buf_done(&key);
	watch_system_done(&sys);
	return r;
}

/* --- listing -------------------------------------------------------------------- */

/* One system, with what its checks say together: the worst that is known. */
struct line {
	struct buf row;
	struct status_system s;
	uint32_t checks;
	enum watch_status status;
	uint8_t flags;
	uint64_t since_ms;
	uint32_t ping_us;
	bool has_ping;
	bool has_uptime;
	uint32_t uptime_ppm, coverage_ppm;
	char why[200];
};

struct list {
	struct admin *a;
	struct line *lines;
	size_t n, cap;
};

static void
take_system(void *arg, const struct msg_ledger_row *row)
{
	struct list *l = arg;
	struct line *line;

	l->lines = x_grow(l->lines, &l->cap, l->n + 1, sizeof(*l->lines));
	line = &l->lines[l->n];
	*line = (struct line){ .row = BUF_INIT(KIB(64)) };
	buf_put_str(&line->row, row->value);
	if (status_system_decode(buf_str(&line->row), &line->s))
		l->n++;
	else
		buf_done(&line->row);
}

static struct line *
find_line(struct list *l, struct str key)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq_case(l->lines[i].s.id, key))
			return &l->lines[i];
	return NULL;
}

static bool
is_worse(const struct line *line, const struct msg_watch_row *row)
{
	if (line->checks == 1)
		return true;
	/* One that nobody knows yet does not hide what others say. */
	return row->status > (unsigned)line->status;
}

static void
take_state(void *arg, const struct msg_watch_row *row)
{
	struct str system, check;
	struct line *line;

	if (!status_split_key(row->key, &system, &check) ||
	    (line = find_line(arg, system)) == NULL)
		return;
	line->checks++;
	line->flags |= row->flags;
	if (is_worse(line, row)) {
		line->status = (enum watch_status)row->status;
		line->since_ms = row->since_ms;
		(void)snprintf(
		    line->why, sizeof(line->why), "%.*s", STR_ARG(row->text));
	}
	/* That of a ping when there is one, else the quickest answer. */
	if (row->outcome <= WATCH_SLOW && row->us > 0 && !line->has_ping &&
	    (row->kind == STATUS_PING || line->ping_us == 0 ||
		row->us < line->ping_us)) {
		line->has_ping = row->kind == STATUS_PING;
		line->ping_us = row->us;
	}
	if (row->flags & WATCH_ROW_UPTIME &&
	    (!line->has_uptime || row->uptime_ppm < line->uptime_ppm)) {
		line->has_uptime = true;
		line->uptime_ppm = row->uptime_ppm;
		line->coverage_ppm = row->coverage_ppm;
	}
}

static int
by_order(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	if (a->s.order != b->s.order)
		return a->s.order < b->s.order ? -1 : 1;
	return str_cmp(a->s.id, b->s.id);
}

static void
put_line(struct output *o, const struct line *line)
{
	struct msg_watch_row row = { .status = (uint8_t)line->status,
		.flags = line->flags };
	struct buf b = BUF_INIT(KIB(2));

	output_put_text(o, line->s.id);
	output_put_text(o, str_c(status_role_name(line->s.role)));
	buf_put_str(&b, line->s.city);
	buf_put_c(&b, b.n > 0 && line->s.country.n > 0 ? ", " : "");
	buf_put_str(&b, line->s.country);
	output_put_text(o, buf_str(&b));
	output_put_text(
	    o, line->s.is_internal ? STR("internal") : STR("public"));
	buf_reset(&b, KIB(2));
	if (line->checks > 0)
		watch_row_state(&row, &b);
	else
		buf_put_c(&b, "not watched");
	output_put_text(o, buf_str(&b));
	output_put_number(o, line->checks ? line->since_ms / 1000 : 0);
	output_put_number(o, line->ping_us);
	output_put_number(o, line->has_uptime ? line->uptime_ppm : UINT64_MAX);
	output_put_number(
	    o, line->has_uptime ? line->coverage_ppm : UINT64_MAX);
	output_put_number(o, line->checks);
	output_put_text(o, str_c(line->why));
	buf_done(&b);
}

static const struct output_field list_fields[] = {
	{ "system", "SYSTEM", OUTPUT_TEXT },
	{ "role", "ROLE", OUTPUT_TEXT },
	{ "place", "PLACE", OUTPUT_TEXT },
	{ "audience", "AUDIENCE", OUTPUT_TEXT },
	{ "status", "STATUS", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "ping_us", "PING", OUTPUT_US },
	{ "uptime_ppm", "UPTIME", OUTPUT_PPM },
	{ "coverage_ppm", "COVERAGE", OUTPUT_PPM },
	{ "checks", "CHECKS", OUTPUT_COUNT },
	{ "found", "LAST RESULT", OUTPUT_TEXT },
};

static int
load(struct list *l, struct str prefix)
{
	const struct ledger_rows rows = { LEDGER_SYSTEM, prefix, "systems" };
	int r = ledger_rows_each(l->a, &rows, take_system, l);

	if (r == ADMIN_OK && l->n > 0)
		r = watch_rows_each(
		    l->a, prefix, WATCH_ROWS_RANGE_S, take_state, l);
	if (l->n > 0)
		qsort(l->lines, l->n, sizeof(*l->lines), by_order);
	return r;
}

static void
list_done(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_done(&l->lines[i].row);
	free(l->lines);
}

static int
list(struct admin *a)
{
	struct output *o =
	    output_new("systems", list_fields, ARRAY_LEN(list_fields));
	struct list l = { .a = a };
	int r = load(&l, STR_NONE);

	for (size_t i = 0; r == ADMIN_OK && i < l.n; i++)
		put_line(o, &l.lines[i]);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	list_done(&l);
	return r;
}

static int
show(struct admin *a, struct words *w)
{
	struct output *o =
	    output_new("system", list_fields, ARRAY_LEN(list_fields));
	struct buf key = BUF_INIT(KIB(1));
	struct list l = { .a = a };
	struct watch_system sys;
	struct line *line;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, USAGE_SHOW, NULL);
	r = watch_system_get(a, w->args.words[0], &sys);
	if (r == ADMIN_OK) {
		status_put_key(&key, sys.s.id);
		r = load(&l, buf_str(&key));
	}
	line = r == ADMIN_OK ? find_line(&l, sys.s.id) : NULL;
	if (line != NULL) {
		put_line(o, line);
		output_print_one(o, a->is_json);
	}
	watch_system_done(&sys);
	buf_done(&key);
	output_free(o);
	list_done(&l);
	return r;
}

const char *const system_usage[] = { USAGE_ADD, USAGE_CHANGE, USAGE_LIST,
	USAGE_SHOW, USAGE_REMOVE, NULL };

int
admin_system(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--role", &w.role, NULL },
		{ "--city", &w.city, NULL },
		{ "--country", &w.country, NULL },
		{ "--parents", &w.parents, NULL },
		{ "--order", &w.order, NULL },
		{ "--internal", NULL, &w.is_internal },
		{ "--public", NULL, &w.is_public },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1, USAGE))
		return ADMIN_USAGE;
	if (w.is_internal && w.is_public)
		return admin_usage(a, USAGE, "either --internal or --public");
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "change") == 0)
		return change(a, &w);
	if (strcmp(verb, "show") == 0)
		return show(a, &w);
	if (strcmp(verb, "remove") == 0)
		return remove_system(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words == 0)
		return list(a);
	return admin_usage(
	    a, strcmp(verb, "list") == 0 ? USAGE_LIST : USAGE, NULL);
}
