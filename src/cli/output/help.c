/* SPDX-License-Identifier: ISC */
/*
 * help.c - as much of mdoc(7) as the manual page of the commands uses. See
 * help.h.
 *
 * What is between the blanks of a paragraph is collected and then written in
 * lines. Macros that it does not know are text, so that a page that uses a new
 * one is read worse, not wrongly.
 */
#include "cli/output/help.h"

#include "cli/output/wrap.h"

#define ARGS_MAX 64
#define PAR_MAX  KIB(16)
#define INDENT   2 /* of what stands in a list */
#define DEEPER   4

struct words {
	struct str v[ARGS_MAX];
	size_t n;
};

struct render {
	struct buf *to;
	struct buf par; /* under way */
	bool is_glued;  /* no blank before what comes next */
	size_t indent;
	unsigned depth; /* of lists */
	bool is_literal;
};

/* --- words of a line ------------------------------------------------------------- */

/* To the end of the word, at a blank without a backslash in front of it. */
static struct str
next_word(struct str line, struct str *ret)
{
	size_t n = 0;

	while (n < line.n && line.p[n] != ' ')
		n += line.p[n] == '\\' && n + 1 < line.n ? 2 : 1;
	*ret = str_first(line, n);
	return str_from(line, n);
}

/* "a b" is one, without its quotes. */
static struct words
split(struct str line)
{
	struct words w = { .n = 0 };

	while ((line = str_trim(line)).n > 0 && w.n < ARGS_MAX) {
		struct str *word = &w.v[w.n++];

		line = line.p[0] == '"'
		           ? str_split(str_from(line, 1), '"', word)
		           : next_word(line, word);
	}
	return w;
}

static bool
is_one_of(struct str s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (str_eq(s, str_c(*list)))
			return true;
	return false;
}

static bool
is_closing(struct str s)
{
	static const char *const marks[] = { ".", ",", ":", ";", "?", "!", ")",
		"]", NULL };

	return is_one_of(s, marks);
}

static bool
is_macro(struct str s)
{
	static const char *const names[] = { "Fl", "Ar", "Cm", "Va", "Ql", "Qq",
		"Op", "Oo", "Oc", "Po", "Pc", "Pq", "Ns", "Xr", "Em", "Dv",
		"Li", "Pa", "Sx", "Nm", "No", "Xo", "Xc", NULL };

	return is_one_of(s, names);
}

/* --- a paragraph ------------------------------------------------------------------ */

/* Without the escapes that keep mdoc from seeing something in it. */
static void
put_plain(struct render *r, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\\' || i + 1 == s.n) {
			buf_put_char(&r->par, s.p[i]);
			continue;
		}
		i++;
		if (s.p[i] != '&')
			buf_put_char(&r->par, s.p[i] == 'e' ? '\\' : s.p[i]);
	}
}

static void
begin_word(struct render *r)
{
	if (r->par.n > 0 && !r->is_glued)
		buf_put_char(&r->par, ' ');
	r->is_glued = false;
}

static void
put_word(struct render *r, const char *before, struct str s, const char *after)
{
	begin_word(r);
	buf_put_c(&r->par, before);
	put_plain(r, s);
	buf_put_c(&r->par, after);
}

/* Write what was collected, in lines. */
static void
end_paragraph(struct render *r)
{
	struct str text = str_trim(buf_str(&r->par));

	if (text.n > 0) {
		for (size_t i = 0; i < r->indent; i++)
			buf_put_char(r->to, ' ');
		wrap_words(r->to, text, r->indent, r->indent);
		buf_put_char(r->to, '\n');
	}
	buf_reset(&r->par, r->par.cap);
	r->is_glued = false;
}

/* --- macros ------------------------------------------------------------------------ */

/* A word in the style of the macro in front of it. */
static void
put_styled(struct render *r, struct str style, struct str s)
{
	if (str_eq(style, STR("Fl"))) {
		put_word(r, "-", s, "");
	} else if (str_eq(style, STR("Ql"))) {
		put_word(r, "'", s, "'");
	} else if (str_eq(style, STR("Ar"))) {
		begin_word(r);
		for (size_t i = 0; i < s.n; i++)
			buf_put_char(&r->par, ascii_upper(s.p[i]));
	} else {
		put_word(r, "", s, "");
	}
}

static void
put_arg(struct render *r, struct str style, struct str s)
{
	if (is_closing(s)) {
		r->is_glued = true;
		put_word(r, "", s, "");
	} else if (str_eq(s, STR("(")) || str_eq(s, STR("["))) {
		put_word(r, "", s, "");
		r->is_glued = true;
	} else if (str_eq(s, STR("|"))) {
		put_word(r, "", s, "");
	} else {
		put_styled(r, style, s);
	}
}

static void
open_bracket(struct render *r, const char *c)
{
	put_word(r, c, STR_NONE, "");
	r->is_glued = true;
}

static void
close_bracket(struct render *r, char c)
{
	r->is_glued = false;
	buf_put_char(&r->par, c);
}

/* Brackets and the like; c: those that the end of the line closes. */
static void
enter_macro(struct render *r, struct str m, struct buf *closers)
{
	if (str_eq(m, STR("Ns"))) {
		r->is_glued = true;
	} else if (str_eq(m, STR("Op")) || str_eq(m, STR("Oo"))) {
		open_bracket(r, "[");
	} else if (str_eq(m, STR("Pq")) || str_eq(m, STR("Po"))) {
		open_bracket(r, "(");
	} else if (str_eq(m, STR("Qq"))) {
		open_bracket(r, "\"");
	} else if (str_eq(m, STR("Oc"))) {
		close_bracket(r, ']');
	} else if (str_eq(m, STR("Pc"))) {
		close_bracket(r, ')');
	}
	if (str_eq(m, STR("Op")))
		buf_put_char(closers, ']');
	else if (str_eq(m, STR("Pq")))
		buf_put_char(closers, ')');
	else if (str_eq(m, STR("Qq")))
		buf_put_char(closers, '"');
}

/* "Xr name 8", and "Nm" alone. True: that was it. */
static bool
put_name(struct render *r, const struct words *w, size_t *at)
{
	struct str m = w->v[*at];

	if (str_eq(m, STR("Nm"))) {
		put_word(r, "", STR("mailstead"), "");
		return true;
	}
	if (!str_eq(m, STR("Xr")) || *at + 2 >= w->n)
		return false;
	put_word(r, "", w->v[*at + 1], "(");
	buf_put_str(&r->par, w->v[*at + 2]);
	buf_put_char(&r->par, ')');
	*at += 2;
	return true;
}

static void
put_args(struct render *r, const struct words *w, size_t from)
{
	struct buf closers = BUF_INIT(ARGS_MAX);
	struct str style = STR_NONE;
	size_t end = w->n;

	/* What closes goes before the marks at the end of the line. */
	while (end > from && is_closing(w->v[end - 1]))
		end--;
	for (size_t i = from; i < end; i++) {
		if (!is_macro(w->v[i]))
			put_arg(r, style, w->v[i]);
		else if (!put_name(r, w, &i)) {
			style = w->v[i];
			enter_macro(r, style, &closers);
		}
	}
	while (closers.n > 0)
		close_bracket(r, closers.p[--closers.n]);
	for (; end < w->n; end++)
		put_arg(r, STR_NONE, w->v[end]);
	buf_done(&closers);
}

/* --- lines -------------------------------------------------------------------------- */

static void
blank_line(struct render *r)
{
	end_paragraph(r);
	buf_put_char(r->to, '\n');
}

/* A word of a list within: its head, and what follows stands deeper. */
static void
put_head(struct render *r, const struct words *w)
{
	end_paragraph(r);
	r->indent = (r->depth - 1) * DEEPER + INDENT;
	put_args(r, w, 1);
	end_paragraph(r);
	r->indent += DEEPER;
}

static void
put_macro(struct render *r, struct str line)
{
	struct words w = split(line);
	struct str m = w.n > 0 ? w.v[0] : STR_NONE;

	if (m.n == 0 || str_starts(m, STR("\\\""))) {
		return;
	} else if (str_eq(m, STR("Pp"))) {
		blank_line(r);
	} else if (str_eq(m, STR("Bl"))) {
		end_paragraph(r);
		r->depth++;
	} else if (str_eq(m, STR("El"))) {
		end_paragraph(r);
		r->depth--;
		r->indent = r->depth * DEEPER;
	} else if (str_eq(m, STR("It"))) {
		put_head(r, &w);
	} else if (str_eq(m, STR("Bd"))) {
		end_paragraph(r);
		r->is_literal = true;
	} else if (str_eq(m, STR("D1"))) {
		end_paragraph(r);
		r->indent += DEEPER;
		put_args(r, &w, 1);
		end_paragraph(r);
		r->indent -= DEEPER;
	} else {
		put_args(r, &w, is_macro(m) ? 0 : 1);
	}
}

static void
put_line(struct render *r, struct str line)
{
	if (r->is_literal && !str_starts(line, STR(".Ed"))) {
		buf_put_c(r->to, "    ");
		put_plain(r, line);
		buf_put_str(r->to, buf_str(&r->par));
		buf_reset(&r->par, r->par.cap);
		buf_put_char(r->to, '\n');
	} else if (r->is_literal) {
		r->is_literal = false;
	} else if (line.n > 0 && line.p[0] == '.') {
		put_macro(r, str_from(line, 1));
	} else {
		if (str_eq(line, STR("JSON:")))
			end_paragraph(r);
		put_word(r, "", line, "");
	}
}

/* --- finding ------------------------------------------------------------------------- */

/* Where the page is being read. */
struct reader {
	struct str rest, line;
	unsigned depth; /* of lists */
};

static bool
next_line(struct reader *r)
{
	if (r->rest.n == 0)
		return false;
	r->rest = str_split(r->rest, '\n', &r->line);
	if (str_starts(r->line, STR(".Bl")))
		r->depth++;
	else if (str_starts(r->line, STR(".El")) && r->depth > 0)
		r->depth--;
	return true;
}

/* Does w have the words of verbs at this place? None: is it the end, or a macro? */
static bool
has_verbs(const struct words *w, size_t at, const char *verbs)
{
	struct str rest = str_c(verbs), one;

	if (rest.n == 0)
		return w->n == at || is_macro(w->v[at]);
	for (; rest.n > 0; at++) {
		rest = str_split(rest, ' ', &one);
		if (w->n <= at || !str_eq(w->v[at], one))
			return false;
	}
	return true;
}

/* ".It Cm name verb ...", or the same behind Xo. */
static bool
is_item(struct reader *r, const char *name, const char *verbs)
{
	struct words w = split(str_from(r->line, 1));
	struct reader ahead = *r;
	size_t at = 2;

	if (w.n == 2 && str_eq(w.v[1], STR("Xo")) && next_line(&ahead)) {
		w = split(str_from(ahead.line, 1));
		at = 1;
	}
	return w.n > at && str_eq(w.v[at - 1], STR("Cm")) &&
	       str_eq(w.v[at], str_c(name)) && has_verbs(&w, at + 1, verbs);
}

/* Behind the head of an item, also one of several lines. */
static void
skip_head(struct reader *r)
{
	bool is_long = str_eq(r->line, STR(".It Xo"));

	while (is_long && next_line(r) && !str_eq(r->line, STR(".Xc")))
		continue;
	while (str_ends(r->line, STR("\\")) && next_line(r))
		continue;
}

static bool
ends_item(const struct reader *r)
{
	return (r->depth == 1 && str_starts(r->line, STR(".It"))) ||
	       r->depth == 0 || str_starts(r->line, STR(".Sh"));
}

/* From behind its head. */
static bool
put_body(struct reader *r, struct buf *to)
{
	struct render out = { .to = to, .par = BUF_INIT(PAR_MAX) };
	bool is_any = false;

	skip_head(r);
	while (next_line(r) && !ends_item(r)) {
		put_line(&out, r->line);
		is_any = true;
	}
	end_paragraph(&out);
	buf_done(&out.par);
	return is_any;
}

bool
help_put_item(
    struct str page, const char *name, const char *verbs, struct buf *to)
{
	struct reader r = { .rest = page };
	bool is_found = false;

	while (next_line(&r)) {
		struct reader item;

		if (r.depth != 1 || !str_starts(r.line, STR(".It")) ||
		    !is_item(&r, name, verbs))
			continue;
		if (is_found)
			buf_put_char(to, '\n');
		item = r;
		is_found |= put_body(&item, to);
	}
	return is_found;
}

/* An item that names a command and its sub-command. */
static struct str
command_of(struct reader r)
{
	struct words w = split(str_from(r.line, 1));
	size_t at = 2;

	if (str_eq(r.line, STR(".It Xo")) && next_line(&r)) {
		w = split(str_from(r.line, 1));
		at = 1;
	}
	if (w.n < at + 2 || !str_eq(w.v[at - 1], STR("Cm")) ||
	    is_macro(w.v[at + 1]) || is_closing(w.v[at + 1]))
		return STR_NONE;
	return w.v[at];
}

/* To the next section, or the list of commands of this one: with their name,
 * or the empty one. Lines on the way go into out, which may be NULL. */
static struct str
read_section(struct reader *r, struct render *out)
{
	struct str before = STR_NONE, name;

	while (next_line(r) && !str_starts(r->line, STR(".Sh"))) {
		name = str_starts(before, STR(".Bl")) &&
		               str_starts(r->line, STR(".It"))
		           ? command_of(*r)
		           : STR_NONE;
		if (name.n > 0)
			return name;
		if (out != NULL)
			put_line(out, r->line);
		before = r->line;
	}
	return STR_NONE;
}

static struct str
without_blank_lines(struct str s)
{
	while (s.n > 0 && s.p[0] == '\n')
		s = str_from(s, 1);
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	return s;
}

bool
help_put_section(struct str page, const char *name, struct buf *to)
{
	struct reader r = { .rest = page }, begin, end;
	struct buf text = BUF_INIT(KIB(64));
	struct render out = { .to = &text, .par = BUF_INIT(PAR_MAX) };
	struct str s, last;

	while (next_line(&r)) {
		begin = end = r;
		if (str_starts(r.line, STR(".Sh")) &&
		    str_eq(read_section(&end, NULL), str_c(name)))
			(void)read_section(&begin, &out);
	}
	end_paragraph(&out);
	/* The sentence that leads to the list of commands goes without it. */
	s = without_blank_lines(buf_str(&text));
	last = str_from(s, (size_t)(str_rfind(s, '\n') + 1));
	if (str_eq(last, STR("The commands are:")))
		s = without_blank_lines(str_first(s, s.n - last.n));
	buf_put_str(to, s);
	buf_put_c(to, s.n > 0 ? "\n" : "");
	buf_done(&out.par);
	buf_done(&text);
	return s.n > 0;
}
