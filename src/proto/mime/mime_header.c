/* SPDX-License-Identifier: ISC */
/*
 * mime_header.c - header fields in place. See mime_header.h.
 */
#include "proto/mime/mime_header.h"

void
mime_header_start(struct mime_header_iter *it, struct str in)
{
	*it = (struct mime_header_iter){ .in = in };
}

/* Length of the line at the start of s, its line end included. */
static size_t
line_length(struct str s)
{
	const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;

	return lf ? (size_t)(lf - s.p) + 1 : s.n;
}

static bool
is_empty_line(struct str line)
{
	return str_eq(line, STR("\n")) || str_eq(line, STR("\r\n"));
}

/* A line and the lines that continue it: those that begin with a blank. */
static size_t
field_length(struct str in)
{
	size_t n = line_length(in);

	while (n < in.n && (in.p[n] == ' ' || in.p[n] == '\t'))
		n += line_length(str_from(in, n));
	return n;
}

static struct str
without_line_end(struct str s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/*
 * The name before the colon, or nothing. Blanks between name and colon are
 * the obsolete syntax of RFC 5322 section 4.5; anywhere else they, and
 * controls, make the line no field: an mbox "From " line ends here too.
 */
static struct str
field_name(struct str field)
{
	size_t n = 0, end;

	while (n < field.n && (unsigned char)field.p[n] > ' ' &&
	       field.p[n] != ':' && field.p[n] != 127)
		n++;
	end = n;
	while (n < field.n && (field.p[n] == ' ' || field.p[n] == '\t'))
		n++;
	if (n == field.n || field.p[n] != ':')
		return STR_NONE;
	return str_first(field, end);
}

bool
mime_header_next(struct mime_header_iter *it, struct mime_field *ret)
{
	struct str rest = str_from(it->in, it->off), whole, text, name;

	if (it->is_at_body || rest.n == 0) {
		it->is_at_body = true;
		return false;
	}
	if (is_empty_line(str_first(rest, line_length(str_first(rest, 2))))) {
		it->off += line_length(rest);
		it->is_at_body = true;
		return false;
	}

	whole = str_first(rest, field_length(rest));
	text = without_line_end(whole);
	name = field_name(text);
	*ret = (struct mime_field){
		.name = name,
		.value = text,
		.whole = whole,
		.off = it->off,
	};
	if (name.n) {
		struct str behind = str_from(text, name.n);

		ret->value =
		    str_from(behind, (size_t)str_find(behind, ':') + 1);
	}
	it->off += whole.n;
	return true;
}

size_t
mime_header_length(struct str message)
{
	size_t off = 0;

	while (off < message.n) {
		struct str rest = str_from(message, off);
		size_t n = line_length(rest);

		off += n;
		if (n <= 2 && is_empty_line(str_first(rest, n)))
			break;
	}
	return off;
}

bool
mime_header_find_nth(
    struct str in, struct str name, size_t nth, struct mime_field *ret)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, in);
	while (mime_header_next(&it, &f))
		if (str_eq_case(f.name, name) && f.name.n && nth-- == 0) {
			*ret = f;
			return true;
		}
	return false;
}

bool
mime_header_find(struct str in, struct str name, struct mime_field *ret)
{
	return mime_header_find_nth(in, name, 0, ret);
}

bool
mime_header_find_last(struct str in, struct str name, struct mime_field *ret)
{
	struct mime_header_iter it;
	struct mime_field f;
	bool found = false;

	mime_header_start(&it, in);
	while (mime_header_next(&it, &f))
		if (str_eq_case(f.name, name) && f.name.n) {
			*ret = f;
			found = true;
		}
	return found;
}

size_t
mime_header_count(struct str in, struct str name)
{
	struct mime_header_iter it;
	struct mime_field f;
	size_t n = 0;

	mime_header_start(&it, in);
	while (mime_header_next(&it, &f))
		n += f.name.n && str_eq_case(f.name, name);
	return n;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

void
mime_header_unfold(struct str value, struct buf *out)
{
	while (value.n && is_blank(value.p[0]))
		value = str_from(value, 1);
	while (value.n && is_blank(value.p[value.n - 1]))
		value.n--;
	while (value.n) {
		size_t n = 0;

		while (n < value.n && value.p[n] != '\r' &&
		       value.p[n] != '\n' && value.p[n] != '\0')
			n++;
		buf_put(out, value.p, n);
		value = str_from(value, n);
		if (str_starts(value, STR("\r\n")))
			value = str_from(value, 1);
		else if (value.n && value.p[0] != '\n')
			buf_put_char(out, ' ');
		value = str_from(value, 1);
	}
}

static bool
is_named(struct str name, struct mime_names names)
{
	for (size_t i = 0; i < names.n; i++)
		if (name.n && str_eq_case(name, names.v[i]))
			return true;
	return false;
}

void
mime_header_select(
    struct str header, struct mime_names names, bool except, struct buf *out)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, header);
	while (mime_header_next(&it, &f))
		if (is_named(f.name, names) != except)
			buf_put_str(out, f.whole);
	buf_put_c(out, "\r\n");
}
