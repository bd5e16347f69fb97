/* SPDX-License-Identifier: ISC */
/* feed_atom.c - Atom (RFC 4287). */
#include "proto/feed/feed_internal.h"

static void
put_time(struct buf *to, const char *indent, const char *name, uint64_t s)
{
	buf_printf(to, "%s<%s>", indent, name);
	feed_put_time(to, s);
	buf_printf(to, "</%s>\n", name);
}

static void
put_link(struct buf *to, const char *indent, const char *rel, const char *type,
    struct str url)
{
	buf_printf(
	    to, "%s<link rel=\"%s\" type=\"%s\" href=\"", indent, rel, type);
	feed_put_xml(to, url);
	buf_put_c(to, "\"/>\n");
}

static void
put_author(struct buf *to, const char *indent, struct str name)
{
	buf_printf(to, "%s<author><name>", indent);
	feed_put_xml(to, name);
	buf_put_c(to, "</name></author>\n");
}

void
feed_atom_begin(struct feed *f)
{
	const struct feed_head *h = &f->head;
	struct buf *to = f->to;

	buf_put_c(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<feed xmlns=\"http://www.w3.org/2005/Atom\"");
	if (h->language.n > 0) {
		buf_put_c(to, " xml:lang=\"");
		feed_put_xml(to, h->language);
		buf_put_char(to, '"');
	}
	buf_put_c(to, ">\n");
	feed_put_element(to, "  ", "id", h->self_url);
	feed_put_element(to, "  ", "title", h->title);
	if (h->subtitle.n > 0)
		feed_put_element(to, "  ", "subtitle", h->subtitle);
	put_time(to, "  ", "updated", h->updated_s);
	/* Section 4.1.1: of the feed, where an entry has none of its own. */
	put_author(to, "  ", h->title);
	put_link(to, "  ", "self", feed_format_type(FEED_ATOM), h->self_url);
	put_link(to, "  ", "alternate", "text/html", h->home_url);
	feed_put_element(to, "  ", "generator", STR(FEED_GENERATOR));
}

void
feed_atom_put(struct feed *f, const struct feed_entry *e)
{
	struct buf *to = f->to;

	buf_put_c(to, "  <entry>\n");
	feed_put_element(to, "    ", "id", e->id);
	feed_put_element(to, "    ", "title", e->title);
	put_link(to, "    ", "alternate", "text/html", e->url);
	put_time(to, "    ", "published", e->published_s);
	put_time(to, "    ", "updated", MAX(e->updated_s, e->published_s));
	if (e->author.n > 0)
		put_author(to, "    ", e->author);
	for (size_t i = 0; i < e->n_tags; i++) {
		buf_put_c(to, "    <category term=\"");
		feed_put_xml(to, e->tags[i]);
		buf_put_c(to, "\"/>\n");
	}
	buf_put_c(to, "    <content type=\"html\">");
	feed_put_xml(to, e->html);
	buf_put_c(to, "</content>\n  </entry>\n");
}

void
feed_atom_end(struct feed *f)
{
	buf_put_c(f->to, "</feed>\n");
}
