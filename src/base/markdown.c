/* SPDX-License-Identifier: ISC */
/* markdown.c - what libcmark reads, as a row of events. See markdown.h. */
#include "base/markdown.h"

#include <cmark.h>

/* --- links --------------------------------------------------------------------- */

/* Where a link may lead: nothing that a browser would run. */
static bool
is_good_url(struct str url)
{
	static const char *const schemes[] = { "http://", "https://",
		"mailto:", "tel:", "sip:", "#" };

	if (str_has_control(url, ""))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_starts_case(url, str_c(schemes[i])))
			return true;
	/* A path on this site; "//" would be another one. */
	return url.n > 0 && url.p[0] == '/' &&
	       (url.n == 1 || (url.p[1] != '/' && url.p[1] != '\\'));
}

/* --- the tree ---------------------------------------------------------------------- */

static bool
is_in_tight_list(cmark_node *paragraph)
{
	cmark_node *list = cmark_node_parent(cmark_node_parent(paragraph));

	return list != NULL && cmark_node_get_type(list) == CMARK_NODE_LIST &&
	       cmark_node_get_list_tight(list);
}

static void
describe_list(cmark_node *list, struct markdown_event *e)
{
	e->is_tight = cmark_node_get_list_tight(list);
	e->is_ordered = cmark_node_get_list_type(list) == CMARK_ORDERED_LIST;
	if (e->is_ordered)
		e->number = (unsigned)cmark_node_get_list_start(list);
}

static void
describe_link(cmark_node *node, struct markdown_event *e)
{
	struct str url = str_c(cmark_node_get_url(node));

	e->node = MARKDOWN_LINK;
	if (is_good_url(url))
		e->url = url;
}

/* HTML is text, a block of it a paragraph. */
static void
show_html_block(cmark_node *node, markdown_fn fn, void *arg)
{
	struct markdown_event e = { .node = MARKDOWN_PARAGRAPH };
	struct markdown_event text = { .node = MARKDOWN_TEXT,
		.text = str_trim(str_c(cmark_node_get_literal(node))) };

	while (text.text.n > 0 && text.text.p[text.text.n - 1] == '\n')
		text.text.n--;
	fn(arg, &e);
	fn(arg, &text);
	e.is_end = true;
	fn(arg, &e);
}

/* False: it is nothing that is shown. */
static bool
describe(cmark_node *node, struct markdown_event *e)
{
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		e->node = MARKDOWN_QUOTE;
		return true;
	case CMARK_NODE_LIST:
		e->node = MARKDOWN_LIST;
		describe_list(node, e);
		return true;
	case CMARK_NODE_ITEM:
		e->node = MARKDOWN_ITEM;
		describe_list(cmark_node_parent(node), e);
		e->is_first = cmark_node_previous(node) == NULL;
		return true;
	case CMARK_NODE_CODE_BLOCK:
		e->node = MARKDOWN_CODE_BLOCK;
		e->text = str_c(cmark_node_get_literal(node));
		return true;
	case CMARK_NODE_PARAGRAPH:
		e->node = MARKDOWN_PARAGRAPH;
		e->is_tight = is_in_tight_list(node);
		return true;
	case CMARK_NODE_HEADING:
		e->node = MARKDOWN_HEADING;
		e->number = (unsigned)cmark_node_get_heading_level(node);
		return true;
	case CMARK_NODE_THEMATIC_BREAK:
		e->node = MARKDOWN_RULE;
		return true;
	case CMARK_NODE_TEXT:
	case CMARK_NODE_HTML_INLINE:
		e->node = MARKDOWN_TEXT;
		e->text = str_c(cmark_node_get_literal(node));
		return true;
	case CMARK_NODE_SOFTBREAK:
		e->node = MARKDOWN_SPACE;
		return true;
	case CMARK_NODE_LINEBREAK:
		e->node = MARKDOWN_BREAK;
		return true;
	case CMARK_NODE_CODE:
		e->node = MARKDOWN_CODE;
		e->text = str_c(cmark_node_get_literal(node));
		return true;
	case CMARK_NODE_EMPH:
		e->node = MARKDOWN_EMPHASIS;
		return true;
	case CMARK_NODE_STRONG:
		e->node = MARKDOWN_STRONG;
		return true;
	case CMARK_NODE_LINK:
	case CMARK_NODE_IMAGE:
		describe_link(node, e);
		return true;
	case CMARK_NODE_NONE:
	case CMARK_NODE_DOCUMENT:
	case CMARK_NODE_HTML_BLOCK:
	case CMARK_NODE_CUSTOM_BLOCK:
	case CMARK_NODE_CUSTOM_INLINE:
		break;
	}
	return false;
}

bool
markdown_walk(struct str text, markdown_fn fn, void *arg)
{
	cmark_event_type event;
	cmark_node *root;
	cmark_iter *iter;

	if (text.n > MARKDOWN_MAX)
		return false;
	root = cmark_parse_document(
	    text.p ? text.p : "", text.n, CMARK_OPT_VALIDATE_UTF8);
	cmark_consolidate_text_nodes(root);
	iter = cmark_iter_new(root);
	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		struct markdown_event e = { .is_end =
						event == CMARK_EVENT_EXIT };

		if (cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK)
			show_html_block(node, fn, arg);
		else if (describe(node, &e))
			fn(arg, &e);
	}
	cmark_iter_free(iter);
	cmark_node_free(root);
	return true;
}
