/* SPDX-License-Identifier: ISC */
/*
 * markdown.h - Markdown (CommonMark) as HTML and as plain text, for texts that
 * an outsider may have written.
 *
 * A wrapper of libcmark, which reads; what is written is made here, so
 * that nothing is in it that is not listed here:
 * - HTML in the source is text. Images are links to them. A link has one of a
 *   few schemes, or it is text; it says rel="nofollow noopener".
 * - What nests deeper than MARKDOWN_DEPTH is written without its own element.
 * - Addresses that begin with http:// or https:// become links by themselves.
 *
 * Time: libcmark 0.30 has inputs for which it needs the square of their length.
 * At MARKDOWN_MAX bytes the worst of those that are known take some 10 ms;
 * tests/unit/base/markdown_test.c holds on to that.
 *
 * Layer: base. No I/O.
 */
#pragma once

#include "base/buf.h"

#define MARKDOWN_MAX   KIB(32) /* bytes of source */
#define MARKDOWN_DEPTH 16
/* Is enough for what MARKDOWN_MAX bytes become. */
#define MARKDOWN_HTML_MAX MIB(2)
#define MARKDOWN_TEXT_MAX MIB(2)

/*
 * Append text as HTML: block elements, each on lines of its own. Its first
 * heading is <h{heading}>, 1 to 6, and what the source leaves out between two
 * levels is closed up, as who hears a page expects. A text above MARKDOWN_MAX, or what
 * does not fit: to->failed.
 */
void markdown_html(struct str text, unsigned heading, struct buf *to);

/*
 * The same as plain text in lines of at most width bytes (0: as long as they
 * are), for mail. A word that is longer stays whole.
 */
void markdown_text(struct str text, unsigned width, struct buf *to);

/*
 * The same in one line without an end, for excerpts: a middle dot stands
 * between blocks and items of lists, a blank only behind what ends with a colon;
 * lists, quotes and code have no marks.
 */
void markdown_line(struct str text, struct buf *to);

/* Append s with & < > " ' as references: good between tags and in quotes.
 * Controls of the direction of text (U+202A to U+202E, U+2066 to U+2069)
 * become "?". */
void markdown_put_escaped(struct buf *to, struct str s);

/* --- for the writers ---------------------------------------------------------- */

enum markdown_node {
	MARKDOWN_QUOTE,
	MARKDOWN_LIST,
	MARKDOWN_ITEM,
	MARKDOWN_CODE_BLOCK, /* has a text, like those marked so below; no end */
	MARKDOWN_PARAGRAPH,
	MARKDOWN_HEADING,
	MARKDOWN_RULE,  /* no end */
	MARKDOWN_TEXT,  /* text */
	MARKDOWN_SPACE, /* a line end that means nothing; no end */
	MARKDOWN_BREAK, /* one that does; no end */
	MARKDOWN_CODE,  /* text */
	MARKDOWN_EMPHASIS,
	MARKDOWN_STRONG,
	MARKDOWN_LINK,
};

struct markdown_event {
	enum markdown_node node;
	bool is_end;
	bool is_tight;   /* a list, its items and their paragraphs */
	bool is_first;   /* an item of its list */
	bool is_ordered; /* a list and its items */
	unsigned number; /* level of a heading, start of an ordered list */
	struct str text;
	struct str url; /* of a link; STR_NONE when it is not a good one */
};

typedef void (*markdown_fn)(void *arg, const struct markdown_event *e);
/* Strings of events live until fn returns. False: text is too long. */
bool markdown_walk(struct str text, markdown_fn fn, void *arg) WARN_UNUSED;
