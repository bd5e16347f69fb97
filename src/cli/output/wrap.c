/* SPDX-License-Identifier: ISC */
/* wrap.c - text in lines. See wrap.h. */
#include "cli/output/wrap.h"

#define USAGE_INDENT 17 /* "usage: mailstead " */

typedef struct str (*next_fn)(struct str rest, struct str *ret);

static struct str
next_word(struct str rest, struct str *ret)
{
	return str_split(rest, ' ', ret);
}

/* To the next blank that is in no bracket. */
static struct str
next_group(struct str rest, struct str *ret)
{
	size_t n = 0, depth = 0;

	for (; n < rest.n && (depth > 0 || rest.p[n] != ' '); n++) {
		if (rest.p[n] == '[')
			depth++;
		else if (rest.p[n] == ']' && depth > 0)
			depth--;
	}
	*ret = str_first(rest, n);
	return str_from(rest, MIN(n + 1, rest.n));
}

static void
put_blanks(struct buf *to, size_t n)
{
	while (n-- > 0)
		buf_put_char(to, ' ');
}

static void
wrap(struct buf *to, struct str rest, size_t at, size_t indent, next_fn next)
{
	bool is_first = true; /* of its line */
	struct str word;

	while (rest.n > 0) {
		rest = next(rest, &word);
		if (word.n == 0)
			continue;
		if (!is_first && at + 1 + word.n > WRAP_COLUMNS) {
			buf_put_char(to, '\n');
			put_blanks(to, indent);
			at = indent;
			is_first = true;
		}
		if (!is_first)
			buf_put_char(to, ' ');
		buf_put_str(to, word);
		at += word.n + !is_first;
		is_first = false;
	}
}

void
wrap_words(struct buf *to, struct str text, size_t at, size_t indent)
{
	wrap(to, text, at, indent, next_word);
}

void
wrap_usage(struct buf *to, struct str lines)
{
	struct str line;

	for (bool is_first = true; lines.n > 0; is_first = false) {
		lines = str_split(lines, '\n', &line);
		if (!is_first) {
			/* Blanks at its start, and "mailstead". */
			line = str_from(line, MIN(line.n, USAGE_INDENT));
			buf_put_c(to, "\n       mailstead ");
		}
		wrap(to, line, USAGE_INDENT, USAGE_INDENT, next_group);
	}
}
