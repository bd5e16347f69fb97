/* SPDX-License-Identifier: ISC */
/*
 * markdown_text.c - Markdown as plain text, for mail and excerpts. See markdown.h.
 *
 * A block is collected, and written in lines behind a prefix: "> " for each quote
 * that is open, and for each item of a list its mark, which becomes spaces
 * behind the first line.
 */
#include "base/markdown.h"

#define PREFIX_MAX (MARKDOWN_DEPTH * 12)
#define WIDTH_MIN  20 /* of the text, however long the prefix is */

struct writer {
	struct buf *to;
	size_t start; /* what was in it before */
	unsigned width;
	bool is_line; /* all in one, without marks: markdown_line() */
	struct buf prefix, block;
	bool has_gap;   /* an empty line belongs in front of the next block */
	unsigned depth; /* open quotes, lists, items */
	unsigned lengths[MARKDOWN_DEPTH + 1]; /* what each adds to the prefix */
	unsigned numbers[MARKDOWN_DEPTH + 1]; /* of a list's next item */
	unsigned tight;                       /* open lists that are */
	unsigned links;
	struct buf url;    /* of the outermost link */
	size_t link_start; /* where its text begins in the block */
};

/* --- lines --------------------------------------------------------------------------- */

static void
trim(struct writer *w)
{
	while (w->to->n > w->start && w->to->p[w->to->n - 1] == ' ')
		w->to->n--;
}

static void
end_line(struct writer *w)
{
	trim(w);
	buf_put_char(w->to, '\n');
	for (size_t i = 0; i < w->prefix.n; i++)
		if (w->prefix.p[i] != '>')
			w->prefix.p[i] = ' ';
}

static void
begin_block(struct writer *w)
{
	if (w->has_gap && w->to->n > w->start) {
		/* Without marks: they belong to what follows. */
		for (size_t i = 0; i < w->prefix.n; i++)
			buf_put_char(w->to, w->prefix.p[i] == '>' ? '>' : ' ');
		trim(w);
		buf_put_char(w->to, '\n');
	}
	w->has_gap = true;
}

/* A block behind what is there, in the same line. */
static void
put_behind(struct writer *w, struct str block)
{
	size_t before = w->to->n;
	struct str word;

	while (block.n > 0) {
		block = str_split(block, ' ', &word);
		if (word.n == 0)
			continue;
		if (w->to->n == before && before > w->start)
			buf_put_c(w->to,
			    w->to->p[before - 1] == ':' ? " " : " \xC2\xB7 ");
		else if (w->to->n > before)
			buf_put_char(w->to, ' ');
		buf_put_str(w->to, word);
	}
}

/* One line of the block, broken between words. */
static void
put_line(struct writer *w, struct str line)
{
	size_t width = w->width == 0 ? SIZE_MAX
	               : w->width > w->prefix.n + WIDTH_MIN
	                   ? w->width - w->prefix.n
	                   : WIDTH_MIN;
	size_t used = 0;
	struct str word;

	buf_put_str(w->to, buf_str(&w->prefix));
	while (line.n > 0) {
		line = str_split(line, ' ', &word);
		if (word.n == 0)
			continue;
		if (used > 0 && used + 1 + word.n > width) {
			end_line(w);
			buf_put_str(w->to, buf_str(&w->prefix));
			used = 0;
		}
		if (used > 0) {
			buf_put_char(w->to, ' ');
			used++;
		}
		buf_put_str(w->to, word);
		used += word.n;
	}
	end_line(w);
}

static void
end_block(struct writer *w)
{
	struct str rest = buf_str(&w->block), line;

	if (w->is_line) {
		put_behind(w, rest);
		w->block.n = 0;
		return;
	}
	begin_block(w);
	do {
		rest = str_split(rest, '\n', &line);
		put_line(w, line);
	} while (rest.n > 0);
	w->block.n = 0;
}

/* A line end in what was HTML is none here. */
static void
put_text(struct writer *w, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(&w->block, s.p[i] == '\n' ? ' ' : s.p[i]);
}

static void
put_code_block(struct writer *w, struct str text)
{
	struct str line;

	if (w->is_line) {
		put_text(w, text);
		end_block(w);
		return;
	}
	begin_block(w);
	while (text.n > 0) {
		text = str_split(text, '\n', &line);
		buf_put_str(w->to, buf_str(&w->prefix));
		buf_put_c(w->to, "    ");
		buf_put_str(w->to, line);
		end_line(w);
	}
}

/* --- what nests ------------------------------------------------------------------------ */

static void
push(struct writer *w, const char *mark)
{
	size_t n = strlen(mark);

	if (++w->depth > MARKDOWN_DEPTH)
		return;
	if (w->prefix.n + n > PREFIX_MAX)
		n = 0;
	buf_put(&w->prefix, mark, n);
	w->lengths[w->depth] = (unsigned)n;
}

static void
pop(struct writer *w)
{
	if (w->depth <= MARKDOWN_DEPTH)
		w->prefix.n -= w->lengths[w->depth];
	w->depth--;
}

static void
on_list(struct writer *w, const struct markdown_event *e)
{
	if (e->is_end) {
		w->tight -= e->is_tight;
		pop(w);
		return;
	}
	if (w->tight > 0)
		w->has_gap = false;
	w->tight += e->is_tight;
	push(w, "");
	if (w->depth <= MARKDOWN_DEPTH)
		w->numbers[w->depth] = e->number;
}

static void
on_item(struct writer *w, const struct markdown_event *e)
{
	char mark[16] = "- ";

	if (e->is_end) {
		pop(w);
		return;
	}
	if (e->is_tight && !e->is_first)
		w->has_gap = false;
	if (e->is_ordered && w->depth <= MARKDOWN_DEPTH)
		snprintf(mark, sizeof(mark), "%u. ", w->numbers[w->depth]++);
	push(w, mark);
}

/* "text (URL)", unless the text says it already. */
static void
on_link(struct writer *w, const struct markdown_event *e)
{
	struct str text, url = buf_str(&w->url);

	if (!e->is_end) {
		if (++w->links == 1) {
			buf_reset(&w->url, 0);
			buf_put_str(&w->url, e->url);
			w->link_start = w->block.n;
		}
		return;
	}
	if (--w->links > 0 || url.n == 0)
		return;
	text = str_from(buf_str(&w->block), w->link_start);
	if (str_starts_case(url, STR("mailto:")) &&
	    str_eq(str_from(url, 7), text))
		return;
	if (!str_eq(url, text)) {
		buf_put_c(&w->block, text.n > 0 ? " (" : "(");
		buf_put_str(&w->block, url);
		buf_put_char(&w->block, ')');
	}
}

static void
on_event(void *arg, const struct markdown_event *e)
{
	struct writer *w = arg;

	switch (e->node) {
	case MARKDOWN_QUOTE:
		if (e->is_end)
			pop(w);
		else
			push(w, "> ");
		break;
	case MARKDOWN_LIST:
		on_list(w, e);
		break;
	case MARKDOWN_ITEM:
		on_item(w, e);
		break;
	case MARKDOWN_CODE_BLOCK:
		put_code_block(w, e->text);
		break;
	case MARKDOWN_PARAGRAPH:
	case MARKDOWN_HEADING:
		if (e->is_end)
			end_block(w);
		break;
	case MARKDOWN_RULE:
		if (w->is_line)
			break;
		buf_put_c(&w->block, "---");
		end_block(w);
		break;
	case MARKDOWN_TEXT:
	case MARKDOWN_CODE:
		put_text(w, e->text);
		break;
	case MARKDOWN_SPACE:
		buf_put_char(&w->block, ' ');
		break;
	case MARKDOWN_BREAK:
		buf_put_char(&w->block, w->is_line ? ' ' : '\n');
		break;
	case MARKDOWN_LINK:
		on_link(w, e);
		break;
	case MARKDOWN_EMPHASIS:
	case MARKDOWN_STRONG:
		break;
	}
}

static void
write_all(struct str text, unsigned width, bool is_line, struct buf *to)
{
	struct writer w = { .to = to,
		.start = to->n,
		.width = width,
		.is_line = is_line,
		.prefix = BUF_INIT(PREFIX_MAX),
		.block = BUF_INIT(MARKDOWN_TEXT_MAX),
		.url = BUF_INIT(MARKDOWN_MAX) };

	if (!markdown_walk(text, on_event, &w) || w.block.failed)
		to->failed = true;
	buf_done(&w.prefix);
	buf_done(&w.block);
	buf_done(&w.url);
}

void
markdown_text(struct str text, unsigned width, struct buf *to)
{
	write_all(text, width, false, to);
}

void
markdown_line(struct str text, struct buf *to)
{
	write_all(text, 0, true, to);
}
