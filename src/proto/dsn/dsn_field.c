/* SPDX-License-Identifier: ISC */
/*
 * dsn_field.c - fields of reports. See dsn_field.h.
 */
#include "proto/dsn/dsn_field.h"

/* Lines of what we write are folded at the last space before this. */
#define FOLD_AT 76
/* A word without a space is torn here; lines must stay below 998. */
#define TEAR_AT 900

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line of *in without its end, which may be LF or CRLF. */
static struct str
next_line(struct str *in)
{
	struct str line;

	*in = str_split(*in, '\n', &line);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return name.n > 0;
}

/* Join the lines that continue the first. The line ends go, no blank does. */
static bool
unfold(struct str *rest, struct str first, struct arena *a, struct str *ret)
{
	struct buf value = BUF_INIT(DSN_VALUE_MAX);
	bool is_ok = true;

	if (rest->n == 0 || !is_blank(rest->p[0])) {
		*ret = str_trim(str_first(first, DSN_VALUE_MAX));
		return true;
	}
	buf_put_str(&value, str_first(first, DSN_VALUE_MAX));
	while (rest->n > 0 && is_blank(rest->p[0])) {
		struct str after = *rest, line = next_line(&after);

		/* A line of blanks ends the field, and the group. */
		if (str_trim(line).n == 0)
			break;
		*rest = after;
		buf_put_str(&value, str_first(line, DSN_VALUE_MAX - value.n));
	}
	is_ok = arena_str(a, str_trim(buf_str(&value)), ret);
	buf_done(&value);
	return is_ok;
}

bool
dsn_field_next(
    struct dsn_field_iter *it, struct arena *a, struct dsn_field *ret)
{
	while (it->rest.n > 0) {
		struct str line = next_line(&it->rest), name;
		struct str value = str_split(line, ':', &name);

		if (str_trim(line).n == 0) {
			it->group += it->has_any;
			it->has_any = false;
			continue;
		}
		name = str_trim(name);
		if (name.n == line.n || !is_name(name))
			continue;
		if (!unfold(&it->rest, value, a, &ret->value))
			return false;
		ret->name = name;
		ret->group = it->group;
		it->has_any = true;
		return true;
	}
	return false;
}

struct str
dsn_typed_value(struct str value, struct str *ret_type)
{
	struct str type, rest = str_split(value, ';', &type);

	if (type.n == value.n) {
		*ret_type = STR_NONE;
		return str_trim(value);
	}
	*ret_type = str_trim(type);
	return str_trim(rest);
}

static void
put_clean(struct buf *to, struct str value, bool is_utf8)
{
	is_utf8 = is_utf8 && str_is_utf8(value);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (is_blank(value.p[i]) || c == '\r' || c == '\n')
			buf_put_char(to, ' ');
		else if (c < ' ' || c == 0x7F || (c >= 0x80 && !is_utf8))
			buf_put_char(to, '?');
		else
			buf_put_char(to, value.p[i]);
	}
}

/* Where a line of text ends that has room for max bytes. */
static size_t
fold_point(struct str text, size_t max)
{
	size_t last = 0;

	if (text.n <= max)
		return text.n;
	/* In front of a space that is not followed by another. */
	for (size_t i = 1; i + 1 < text.n && (i <= max || last == 0); i++) {
		if (text.p[i] == ' ' && text.p[i + 1] != ' ' &&
		    text.p[i - 1] != ' ')
			last = i;
		if (i >= TEAR_AT)
			break;
	}
	return last ? last : MIN(text.n, (size_t)TEAR_AT);
}

static void
put_folded(struct buf *to, struct str text, size_t used)
{
	while (text.n > 0) {
		size_t n = fold_point(text, FOLD_AT - MIN(used, 40u));

		/* A character is not torn. */
		while (n < text.n && n > 1 &&
		       ((unsigned char)text.p[n] & 0xC0) == 0x80)
			n--;
		buf_put_str(to, str_first(text, n));
		text = str_from(text, n);
		buf_put_c(to, "\r\n");
		if (text.n > 0 && text.p[0] != ' ')
			buf_put_char(to, ' ');
		used = 0;
	}
}

void
dsn_field_put(struct buf *to, const char *name, const char *type,
    struct str value, bool is_utf8)
{
	struct buf clean = BUF_INIT(DSN_VALUE_MAX * 2);
	size_t begin = to->n;
	struct str text;

	put_clean(&clean, str_first(value, DSN_VALUE_MAX - KIB(1)), is_utf8);
	text = str_trim(buf_str(&clean));
	if (text.n > 0) {
		buf_printf(to, "%s: ", name);
		if (type)
			buf_printf(to, "%s; ", type);
		put_folded(to, text, to->n - begin);
	}
	buf_done(&clean);
}
