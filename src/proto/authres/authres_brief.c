/* SPDX-License-Identifier: ISC */
/*
 * authres_brief.c - a field's results in one line, for people.
 */
#include "proto/authres/authres.h"

#define FIELD "Authentication-Results:"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of the first such field, which ends before a line that is not
 * folded. */
static struct str
find_value(struct str header)
{
	struct str line;

	while (header.n) {
		struct str rest = str_split(header, '\n', &line);

		if (!str_starts_case(line, STR(FIELD))) {
			header = rest;
			continue;
		}
		while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'))
			rest = str_split(rest, '\n', &line);
		return str_from(
		    str_first(header, header.n - rest.n), strlen(FIELD));
	}
	return STR_NONE;
}

/* Each run of blanks and line ends is one blank; none at the ends. */
static void
put_unfolded(struct buf *to, struct str s)
{
	bool is_owed = false;
	size_t start = to->n;

	for (size_t i = 0; i < s.n; i++) {
		if (is_blank(s.p[i])) {
			is_owed = to->n > start;
			continue;
		}
		if (is_owed)
			buf_put_char(to, ' ');
		is_owed = false;
		buf_put_char(to, s.p[i]);
	}
}

void
authres_brief(struct str header, size_t max, struct buf *to)
{
	struct buf line = BUF_INIT(AUTHRES_FIELD_MAX);
	struct str value = find_value(header), id, results;
	ptrdiff_t end;

	/* A name with a semicolon in quotes is none of ours. */
	value = str_split(value, ';', &id);
	put_unfolded(&line, value);
	results = buf_str(&line);
	if (line.failed)
		results = STR_NONE;
	while (results.n > max) {
		end = str_rfind(results, ';');
		results = str_first(results, end < 0 ? 0 : (size_t)end);
	}
	buf_put_str(to, results);
	buf_done(&line);
}
