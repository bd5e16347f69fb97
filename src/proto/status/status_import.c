/* SPDX-License-Identifier: ISC */
/* status_import.c - posts out of the text of a page. See status_import.h. */
#include "proto/status/status_import.h"

#include "proto/status/status_date.h"

/* --- posts ---------------------------------------------------------------------- */

/* The next line without its end; what is behind it becomes *rest. */
static struct str
next_line(struct str *rest)
{
	struct str line;

	*rest = str_split(*rest, '\n', &line);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* "Tags:" and other words that stand over parts of a page's foot. */
static bool
is_foot(struct str line)
{
	static const char *const heads[] = { "Systems at a Glance:",
		"Subscriptions:", "Search:", "Recent Posts:", "Archives:",
		"Categories:", "Tags:" };

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (str_eq_case(line, str_c(heads[i])))
			return true;
	return false;
}

/* A line between the last post and the foot, which links to the front page. */
static bool
is_link_home(struct str line)
{
	return line.n < 100 && str_ends_case(line, STR(" home page"));
}

static struct str
between(const char *from, const char *to)
{
	return str_make(from, (size_t)(to - from));
}

struct status_import
status_import_begin(struct str text)
{
	return (
	    struct status_import){ .rest = str_first(text, STATUS_IMPORT_MAX) };
}

/*
 * Read on to the next date, and what stands over it. *ret_end is where the text
 * before its title ends. False: there is none; the text ends with the page, or
 * with the first line of its foot.
 */
static bool
find_date(struct status_import *im, const char **ret_end)
{
	const char *foot = NULL;
	struct str title = STR_NONE;

	*ret_end = im->rest.p + im->rest.n;
	while (im->rest.n > 0) {
		struct str line = str_trim(next_line(&im->rest));
		uint64_t at;

		if (line.n == 0)
			continue;
		if (title.n > 0 && status_date_parse_long(line, &at)) {
			*ret_end = title.p;
			im->title = title;
			im->at_s = at;
			return true;
		}
		if (foot == NULL && is_foot(line))
			foot = is_link_home(title) ? title.p : line.p;
		title = line;
	}
	if (foot != NULL)
		*ret_end = foot;
	return false;
}

bool
status_import_next(struct status_import *im, struct status_import_post *ret)
{
	const char *start, *end;

	if (im->title.n == 0 && (im->rest.n == 0 || !find_date(im, &end)))
		return false;
	ret->title = im->title;
	ret->at_s = im->at_s;
	ret->body = STR_NONE;
	im->title = STR_NONE;
	start = im->rest.p;
	if (im->rest.n > 0) {
		(void)find_date(im, &end);
		ret->body = between(start, end);
	}
	return true;
}

struct str
status_import_system(struct str title, size_t i)
{
	struct str head, word;

	if (str_find(title, ':') < 0)
		return STR_NONE;
	(void)str_split(title, ':', &head);
	while (head.n > 0) {
		size_t letters = 0, digits;

		head = str_split(head, ' ', &word);
		while (letters < word.n && word.p[letters] >= 'A' &&
		       word.p[letters] <= 'Z')
			letters++;
		digits = letters;
		while (digits < word.n && ascii_is_digit(word.p[digits]))
			digits++;
		if (letters > 0 && digits == word.n && digits - letters >= 2 &&
		    status_is_id(word) && i-- == 0)
			return word;
	}
	return STR_NONE;
}

/* --- Markdown --------------------------------------------------------------------- */

#define BULLET "\xe2\x80\xa2" /* U+2022 */

/* The character that would begin something at the start of a line ("#", the dot
 * of "1."), or s.n. */
static size_t
block_mark(struct str s)
{
	size_t digits = 0;

	if (s.n > 0 && s.p[0] != '\0' && strchr("#>+-=~", s.p[0]) != NULL)
		return 0;
	while (digits < s.n && ascii_is_digit(s.p[digits]))
		digits++;
	if (digits > 0 && digits < s.n &&
	    (s.p[digits] == '.' || s.p[digits] == ')'))
		return digits;
	return s.n;
}

static void
put_escaped(struct buf *to, struct str s)
{
	size_t mark = block_mark(s);

	for (size_t i = 0; i < s.n; i++) {
		if (i == mark ||
		    (s.p[i] != '\0' && strchr("\\`*_[]<&!", s.p[i]) != NULL))
			buf_put_char(to, '\\');
		buf_put_char(to, s.p[i]);
	}
}

enum block { BLOCK_TEXT, BLOCK_LIST, BLOCK_AS_IT_IS };

/* The lines up to the next empty one, and what they are. */
static enum block
take_block(struct str *rest, struct str *ret)
{
	const char *start = rest->p;
	bool is_list = true, is_indented = false;
	struct str line;

	do {
		struct str ahead = *rest;

		line = next_line(&ahead);
		if (str_trim(line).n == 0)
			break;
		is_list &= str_starts(str_trim(line), STR(BULLET));
		is_indented |= str_starts(line, STR("    ")) ||
		               str_starts(line, STR("\t"));
		*rest = ahead;
	} while (rest->n > 0);
	*ret = rest->n > 0 ? between(start, rest->p) : str_make(start, ret->n);
	return is_list ? BLOCK_LIST : is_indented ? BLOCK_AS_IT_IS : BLOCK_TEXT;
}

static void
put_block(struct buf *to, enum block kind, struct str block)
{
	while (block.n > 0) {
		struct str line = next_line(&block), text = str_trim(line);

		switch (kind) {
		case BLOCK_LIST:
			buf_put_c(to, "- ");
			put_escaped(
			    to, str_trim(str_from(text, sizeof(BULLET) - 1)));
			break;
		case BLOCK_AS_IT_IS:
			buf_put_c(to, "    ");
			buf_put_str(to, line);
			break;
		case BLOCK_TEXT:
			put_escaped(to, text);
			if (block.n > 0)
				buf_put_char(to, '\\');
			break;
		}
		buf_put_char(to, '\n');
	}
}

void
status_import_markdown(struct str body, struct buf *to)
{
	bool is_first = true;

	while (body.n > 0) {
		struct str ahead = body, block = body;
		enum block kind;

		if (str_trim(next_line(&ahead)).n == 0) {
			body = ahead;
			continue;
		}
		kind = take_block(&body, &block);
		if (!is_first)
			buf_put_char(to, '\n');
		put_block(to, kind, block);
		is_first = false;
	}
}
