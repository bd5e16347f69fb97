/* SPDX-License-Identifier: ISC */
/*
 * feed_rss.c - RSS 2.0, with what its best practices profile adds: the feed's
 * own address and the author's name by elements of Atom and Dublin Core (RSS's
 * own author has to be a mail address). Its guid is the permanent link.
 */
#include "proto/feed/feed_internal.h"

void
feed_rss_begin(struct feed *f)
{
	const struct feed_head *h = &f->head;
	struct buf *to = f->to;

	buf_put_c(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<rss version=\"2.0\" "
		      "xmlns:atom=\"http://www.w3.org/2005/Atom\" "
		      "xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n"
		      "<channel>\n");
	feed_put_element(to, "  ", "title", h->title);
	feed_put_element(to, "  ", "link", h->home_url);
	/* It has to be there. */
	feed_put_element(to, "  ", "description",
	    h->subtitle.n > 0 ? h->subtitle : h->title);
	if (h->language.n > 0)
		feed_put_element(to, "  ", "language", h->language);
	if (h->updated_s > 0) {
		buf_put_c(to, "  <lastBuildDate>");
		feed_put_date(to, h->updated_s);
		buf_put_c(to, "</lastBuildDate>\n");
	}
	feed_put_element(to, "  ", "generator", STR(FEED_GENERATOR));
	buf_put_c(to, "  <ttl>5</ttl>\n"
		      "  <atom:link rel=\"self\" type=\"application/rss+xml\" "
		      "href=\"");
	feed_put_xml(to, h->self_url);
	buf_put_c(to, "\"/>\n");
}

void
feed_rss_put(struct feed *f, const struct feed_entry *e)
{
	struct buf *to = f->to;

	buf_put_c(to, "  <item>\n");
	feed_put_element(to, "    ", "title", e->title);
	feed_put_element(to, "    ", "link", e->url);
	buf_put_c(to, "    <guid isPermaLink=\"true\">");
	feed_put_xml(to, e->id);
	buf_put_c(to, "</guid>\n    <pubDate>");
	feed_put_date(to, e->published_s);
	buf_put_c(to, "</pubDate>\n");
	if (e->author.n > 0)
		feed_put_element(to, "    ", "dc:creator", e->author);
	for (size_t i = 0; i < e->n_tags; i++)
		feed_put_element(to, "    ", "category", e->tags[i]);
	if (e->updated_s > e->published_s) {
		buf_put_c(to, "    <atom:updated>");
		feed_put_time(to, e->updated_s);
		buf_put_c(to, "</atom:updated>\n");
	}
	feed_put_element(to, "    ", "description", e->html);
	buf_put_c(to, "  </item>\n");
}

void
feed_rss_end(struct feed *f)
{
	buf_put_c(f->to, "</channel>\n</rss>\n");
}
