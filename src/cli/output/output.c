/* SPDX-License-Identifier: ISC */
/* output.c - tables and JSON. See output.h. */
#include "cli/output/output.h"

#include <jansson.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define FIELDS_MAX 32
#define LAST_MIN   20 /* columns for the last text, before others are spared */
#define CUT_MIN    10 /* columns of a text that is cut */
#define ELLIPSIS   "\xE2\x80\xA6"

struct output {
	const char *name;
	const struct output_field *fields;
	size_t n_fields, at; /* the next value's field */
	json_t *rows;        /* of objects */
	struct buf *cells;   /* row after row, as people read them */
	size_t n_cells, cap_cells;
	size_t widths[FIELDS_MAX]; /* so far */
	bool is_left_out[FIELDS_MAX];
	const char *spare;
	bool is_begun;  /* something was printed */
	bool has_row;   /* of JSON */
	json_t *beside; /* an object; NULL: nothing */
};

bool
output_is_empty(const struct output *o)
{
	return o->n_cells == 0 && json_array_size(o->rows) == 0 && !o->is_begun;
}

struct output *
output_new(const char *name, const struct output_field *fields, size_t n)
{
	struct output *o = X_NEW(struct output);

	ASSERT(n <= FIELDS_MAX);
	o->name = name;
	o->fields = fields;
	o->n_fields = n;
	o->rows = json_array();
	return o;
}

static void
drop_cells(struct output *o)
{
	for (size_t i = 0; i < o->n_cells; i++)
		buf_done(&o->cells[i]);
	o->n_cells = 0;
}

void
output_free(struct output *o)
{
	if (!o)
		return;
	drop_cells(o);
	free(o->cells);
	json_decref(o->rows);
	json_decref(o->beside);
	free(o);
}

void
output_bytes(uint64_t n, char *to, size_t max)
{
	static const char units[] = "KMGTP";
	double v = (double)n;
	int unit = -1;

	while (v >= 1023.5 && unit + 1 < (int)sizeof(units) - 1) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(to, max, "%llu", (unsigned long long)n);
	else
		snprintf(to, max, v < 10 ? "%.1f%c" : "%.0f%c", v, units[unit]);
}

static void
time_text(uint64_t t, bool is_json, char *to, size_t max)
{
	time_t seconds = (time_t)t;
	struct tm tm;

	/* JSON is for programs and in UTC; people read their own time. */
	if (is_json) {
		gmtime_r(&seconds, &tm);
		strftime(to, max, "%Y-%m-%dT%H:%M:%SZ", &tm);
	} else {
		localtime_r(&seconds, &tm);
		strftime(to, max, "%Y-%m-%d %H:%M", &tm);
	}
}

static struct buf *
next_cell(struct output *o)
{
	o->cells =
	    x_grow(o->cells, &o->cap_cells, o->n_cells + 1, sizeof(*o->cells));
	o->cells[o->n_cells] = BUF_INIT(MIB(1));
	return &o->cells[o->n_cells++];
}

/* Put a value of the present row under its key; takes v. */
static const struct output_field *
put_json(struct output *o, json_t *v)
{
	const struct output_field *f = &o->fields[o->at];

	if (o->at == 0)
		json_array_append_new(o->rows, json_object());
	json_object_set_new(
	    json_array_get(o->rows, json_array_size(o->rows) - 1), f->key,
	    v ? v : json_null());
	o->at = (o->at + 1) % o->n_fields;
	return f;
}

/* Bytes that are not UTF-8 cannot be JSON: they become "?". */
static json_t *
json_text(struct str s)
{
	struct buf b = BUF_INIT(MIB(1));
	json_t *v;

	if (str_is_utf8(s))
		return json_stringn(s.p ? s.p : "", s.n);
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(&b, (s.p[i] & 0x80) ? '?' : s.p[i]);
	v = json_stringn(b.p, b.n);
	buf_done(&b);
	return v;
}

/* --- values ---------------------------------------------------------------------- */

void
output_put_text(struct output *o, struct str s)
{
	bool is_list = o->fields[o->at].kind == OUTPUT_LIST;
	json_t *v = is_list ? json_array() : json_text(s);
	struct buf *cell = next_cell(o);
	struct str one;

	if (o->fields[o->at].kind == OUTPUT_WORD && s.n == 0) {
		json_decref(v);
		v = NULL;
		s = STR("-");
	}
	if (!is_list)
		buf_put_str(cell, s);
	while (is_list && s.n > 0) {
		s = str_split(s, '\n', &one);
		json_array_append_new(v, json_text(one));
		buf_put_c(cell, cell->n ? " " : "");
		buf_put_str(cell, one);
	}
	put_json(o, v);
	output_tame(cell->p, cell->n);
}

void
output_show(struct output *o, struct str shown)
{
	struct buf *cell = &o->cells[o->n_cells - 1];

	ASSERT(o->n_cells > 0);
	buf_reset(cell, cell->max);
	buf_put_str(cell, shown);
	output_tame(cell->p, cell->n);
}

/* Rounded down: one second that was missed is never 100 %. */
static json_t *
put_fraction(struct buf *cell, enum output_kind kind, uint64_t n)
{
	if (n == (kind == OUTPUT_US ? 0 : UINT64_MAX)) {
		buf_put_c(cell, "-");
		return NULL;
	}
	if (kind == OUTPUT_US)
		buf_printf(
		    cell, n < 100000 ? "%.1f ms" : "%.0f ms", (double)n / 1000);
	else
		buf_printf(cell, "%llu.%02llu %%",
		    (unsigned long long)(n / 10000),
		    (unsigned long long)(n / 100 % 100));
	return json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX));
}

/* What stands behind a number, for people. */
static const char *
unit_of(enum output_kind kind)
{
	return kind == OUTPUT_S ? "s" : kind == OUTPUT_MS ? "ms" : "";
}

void
output_put_number(struct output *o, uint64_t n)
{
	enum output_kind kind = o->fields[o->at].kind;
	struct buf *cell = next_cell(o);
	char text[64] = "";
	json_t *v = NULL;

	if (kind == OUTPUT_YES) {
		v = json_boolean(n != 0);
		buf_put_c(cell, n ? "yes" : "no");
	} else if (kind == OUTPUT_TIME) {
		time_text(n, true, text, sizeof(text));
		v = n ? json_string(text) : NULL;
		time_text(n, false, text, sizeof(text));
		buf_put_c(cell, n ? text : "-");
	} else if (kind == OUTPUT_US || kind == OUTPUT_PPM) {
		v = put_fraction(cell, kind, n);
	} else if (n == 0 &&
		   (kind == OUTPUT_LIMIT_BYTES || kind == OUTPUT_LIMIT_COUNT)) {
		buf_put_c(cell, "none");
	} else {
		bool is_bytes =
		    kind == OUTPUT_BYTES || kind == OUTPUT_LIMIT_BYTES;

		v = json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX));
		if (is_bytes)
			output_bytes(n, text, sizeof(text));
		else
			snprintf(text, sizeof(text), "%llu%s",
			    (unsigned long long)n, unit_of(kind));
		buf_put_c(cell, text);
	}
	put_json(o, v);
}

void
output_put_signed(struct output *o, int64_t n)
{
	enum output_kind kind = o->fields[o->at].kind;

	buf_printf(next_cell(o), "%lld%s", (long long)n, unit_of(kind));
	put_json(o, json_integer(n));
}

/* --- printing -------------------------------------------------------------------- */

void
output_write(struct str s)
{
	/* fwrite() of nothing may still not be told NULL. */
	if (s.n > 0)
		fwrite(s.p, 1, s.n, stdout);
}

static void
print_json(const json_t *v, size_t flags)
{
	char *text = json_dumps(v, flags | JSON_PRESERVE_ORDER);
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	if (text == NULL)
		die("a value cannot be written as JSON");
	output_escape_json(&b, str_c(text));
	output_write(buf_str(&b));
	buf_done(&b);
	free(text);
}

static void
dump(json_t *v)
{
	print_json(v, JSON_INDENT(2));
	putchar('\n');
	json_decref(v);
}

/* Columns on a terminal: code points are a good enough width. */
static size_t
width_of(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool
is_right_aligned(enum output_kind kind)
{
	return kind != OUTPUT_TEXT && kind != OUTPUT_WORD &&
	       kind != OUTPUT_LIST && kind != OUTPUT_TIME && kind != OUTPUT_YES;
}

static void
pad(size_t n)
{
	while (n-- > 0)
		putchar(' ');
}

/* Columns of the terminal; 0: it is none, nothing is cut. */
static size_t
terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* The first n code points of s. */
static struct str
first_columns(struct str s, size_t n)
{
	size_t i = 0;

	while (i < s.n && (n > 0 || ((unsigned char)s.p[i] & 0xc0) == 0x80))
		n -= ((unsigned char)s.p[i++] & 0xc0) != 0x80;
	return str_first(s, i);
}

static bool
is_column(const struct output *o, size_t i)
{
	return o->fields[i].title != NULL && !o->is_left_out[i];
}

static bool
is_text(const struct output *o, size_t i)
{
	enum output_kind kind = o->fields[i].kind;

	return kind == OUTPUT_TEXT || kind == OUTPUT_WORD ||
	       kind == OUTPUT_LIST;
}

void
output_spare(struct output *o, const char *keys)
{
	o->spare = keys;
}

static size_t
width_of_table(const struct output *o, const size_t *widths)
{
	size_t used = 0;

	for (size_t i = 0; i < o->n_fields; i++)
		if (is_column(o, i))
			used += widths[i] + (used > 0 ? 2 : 0);
	return used;
}

static bool
is_too_wide(const struct output *o, size_t room)
{
	size_t widths[FIELDS_MAX] = { 0 }, last = o->n_fields - 1;

	memcpy(widths, o->widths, sizeof(widths));
	if (last > 0 && is_text(o, last))
		widths[last] = MIN(widths[last], LAST_MIN);
	return width_of_table(o, widths) > room;
}

/* The widest text that may become narrower; 0: there is none. The first column
 * names the row, and stays. */
static size_t
find_widest(const struct output *o, const size_t *widths)
{
	size_t widest = 0;

	for (size_t i = 1; i < o->n_fields; i++) {
		size_t least =
		    MAX(width_of(str_c(o->fields[i].title)), (size_t)CUT_MIN);

		if (is_column(o, i) && is_text(o, i) && widths[i] > least &&
		    (widest == 0 || widths[i] > widths[widest]))
			widest = i;
	}
	return widest;
}

/* Until the table fits into the terminal. */
static void
shrink(const struct output *o, size_t *widths)
{
	size_t room = terminal_width(), i;

	while (room > 0 && width_of_table(o, widths) > room &&
	       (i = find_widest(o, widths)) > 0)
		widths[i]--;
}

static bool
has_values(const struct output *o, size_t i)
{
	for (size_t at = i; at < o->n_cells; at += o->n_fields) {
		struct str cell = buf_str(&o->cells[at]);

		if (cell.n > 0 && !str_eq(cell, STR("-")))
			return true;
	}
	return false;
}

/* Leave out columns until the rest fits into the terminal: those that say nothing,
 * then those that can be spared. */
static void
choose_columns(struct output *o)
{
	size_t room = terminal_width();
	struct str rest = str_c(o->spare), key;

	for (size_t i = 0; room > 0 && i < o->n_fields; i++)
		o->is_left_out[i] = is_too_wide(o, room) && !has_values(o, i);
	while (rest.n > 0 && room > 0 && is_too_wide(o, room)) {
		rest = str_split(rest, ' ', &key);
		for (size_t i = 0; i < o->n_fields; i++)
			o->is_left_out[i] |=
			    str_eq(key, str_c(o->fields[i].key));
	}
}

static void
write_cell(struct str cell, size_t width, size_t max)
{
	output_write(width > max ? first_columns(cell, max - 1) : cell);
	if (width > max)
		output_write(STR(ELLIPSIS));
}

static void
print_row(const struct output *o, const struct str *cells, const size_t *widths)
{
	bool is_first = true;

	for (size_t i = 0; i < o->n_fields; i++) {
		bool is_right = is_right_aligned(o->fields[i].kind);
		size_t width = width_of(cells[i]);
		size_t room = widths[i] - MIN(width, widths[i]);

		if (!is_column(o, i))
			continue;
		pad((is_first ? 0 : 2) + (is_right ? room : 0));
		is_first = false;
		write_cell(cells[i], width, widths[i]);
		if (!is_right && i + 1 < o->n_fields)
			pad(room);
	}
	putchar('\n');
}

static void
print_table(struct output *o)
{
	size_t *widths = o->widths, shown[FIELDS_MAX];
	size_t rows = o->n_cells / o->n_fields;
	struct str cells[FIELDS_MAX] = { STR_NONE };

	for (size_t i = 0; i < o->n_fields; i++) {
		cells[i] = str_c(o->fields[i].title);
		widths[i] = MAX(widths[i], width_of(cells[i]));
		for (size_t r = 0; r < rows; r++)
			widths[i] = MAX(widths[i],
			    width_of(buf_str(&o->cells[r * o->n_fields + i])));
	}
	if (rows > 0 && !o->is_begun)
		choose_columns(o);
	memcpy(shown, widths, sizeof(shown));
	shrink(o, shown);
	if (rows > 0 && !o->is_begun)
		print_row(o, cells, shown);
	/* A person sees that the command did something; a program, no lines. */
	if (output_is_empty(o) && isatty(STDOUT_FILENO))
		printf("%s: none\n", o->name);
	for (size_t r = 0; r < rows; r++) {
		for (size_t i = 0; i < o->n_fields; i++)
			cells[i] = buf_str(&o->cells[r * o->n_fields + i]);
		print_row(o, cells, shown);
	}
}

/* The rows of a list that is printed in parts. */
static void
print_json_part(struct output *o)
{
	if (!o->is_begun)
		printf("{\n  \"%s\": [", o->name);
	for (size_t i = 0; i < json_array_size(o->rows); i++) {
		fputs(o->has_row ? ",\n    " : "\n    ", stdout);
		print_json(json_array_get(o->rows, i), 0);
		o->has_row = true;
	}
}

void
output_flush(struct output *o, bool is_json)
{
	ASSERT(o->at == 0);
	if (o->n_cells == 0)
		return; /* an error may follow, and must stand alone */
	if (is_json)
		print_json_part(o);
	else
		print_table(o);
	o->is_begun = true;
	json_array_clear(o->rows);
	drop_cells(o);
}

void
output_beside(struct output *o, const char *key, uint64_t n)
{
	if (o->beside == NULL)
		o->beside = json_object();
	json_object_set_new(o->beside, key,
	    json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX)));
}

/* The end of a list that was printed in parts. */
static void
print_json_end(const struct output *o)
{
	const char *key;
	json_t *v;

	fputs("\n  ]", stdout);
	json_object_foreach(o->beside, key, v)
	{
		printf(",\n  \"%s\": ", key);
		print_json(v, JSON_ENCODE_ANY);
	}
	puts("\n}");
}

void
output_print(struct output *o, bool is_json)
{
	ASSERT(o->at == 0);
	if (o->is_begun) {
		output_flush(o, is_json);
		if (is_json)
			print_json_end(o);
		return;
	}
	if (is_json) {
		json_t *all = json_object();

		json_object_set(all, o->name, o->rows);
		if (o->beside != NULL)
			json_object_update(all, o->beside);
		dump(all);
	} else {
		print_table(o);
	}
	json_array_clear(o->rows);
	drop_cells(o);
}

void
output_print_one(struct output *o, bool is_json)
{
	size_t width = 18;

	ASSERT(o->at == 0 && o->n_cells == o->n_fields);
	if (is_json)
		dump(json_incref(json_array_get(o->rows, 0)));
	for (size_t i = 0; i < o->n_fields; i++)
		width = MAX(width, width_of(str_c(o->fields[i].title)));
	for (size_t i = 0; !is_json && i < o->n_fields; i++) {
		const char *value = buf_c(&o->cells[i]);

		if (o->fields[i].title == NULL)
			continue;
		printf("%-*s %s\n", (int)width, o->fields[i].title,
		    value[0] ? value : "-");
	}
	json_array_clear(o->rows);
	drop_cells(o);
}

void
output_json_error(const char *reason, const char *message)
{
	dump(json_pack(
	    "{s:{s:s,s:s}}", "error", "reason", reason, "message", message));
}
