/* SPDX-License-Identifier: ISC */
/* system_list.c - mailstead system list|show: how they are. See system_command.h. */
#include "cli/system/system_command.h"
#include "cli/watch_rows.h"

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
	if (line->checks > 0) {
		watch_row_put_state(o, &row);
	} else {
		output_put_text(o, STR("unwatched"));
		output_show(o, STR("not watched"));
		output_put_text(o, STR_NONE);
	}
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
	WATCH_ROW_STATE_FIELDS,
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

int
system_list(struct admin *a)
{
	struct output *o =
	    output_new("systems", list_fields, ARRAY_LEN(list_fields));
	struct list l = { .a = a };
	int r = load(&l, STR_NONE);

	output_spare(o, "coverage_ppm checks audience place role since");
	for (size_t i = 0; r == ADMIN_OK && i < l.n; i++)
		put_line(o, &l.lines[i]);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	list_done(&l);
	return r;
}

int
system_show(struct admin *a, const char *id)
{
	struct output *o =
	    output_new("system", list_fields, ARRAY_LEN(list_fields));
	struct buf key = BUF_INIT(KIB(1));
	struct list l = { .a = a };
	struct watch_system sys;
	struct line *line;
	int r;

	r = watch_system_get(a, id, &sys);
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
