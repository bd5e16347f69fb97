/* SPDX-License-Identifier: ISC */
/* part_side.c - ways to older posts, and to be told of new ones. */
#include "web/page/parts.h"

#define MONTHS_SHOWN 12
#define TAG_SIZES    4

void
part_word_link(struct page *p, const char *prefix, struct str word_)
{
	struct buf path = BUF_INIT(KIB(2));

	html_path(&path, prefix, word_);
	HTML(&p->b, "<a");
	page_href(p, buf_str(&path));
	HTML(&p->b, ">");
	html_text(&p->b, word_);
	HTML(&p->b, "</a>");
	buf_done(&path);
}

static void
put_month(struct page *p, const struct posts_count *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/archive/%04u/%02u", m->year, m->month);
	HTML(&p->b, "<li><a");
	page_href(p, str_c(path));
	HTML(&p->b, ">");
	buf_put_str(&p->b, page_month_html(p, m->year, m->month));
	HTML(&p->b, "</a> <span class=\"hint\">");
	buf_put_u64(&p->b, m->n);
	HTML(&p->b, "</span></li>");
}

static void
begin(struct page *p, const char *id, enum word w)
{
	buf_printf(
	    &p->b, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">", id, id);
	page_word(p, w);
	HTML(&p->b, "</h2>");
}

static void
put_months(struct page *p, size_t max)
{
	size_t n;
	const struct posts_count *m = posts_months(p->sv->posts, &n);

	HTML(&p->b, "<ul class=\"months\">");
	for (size_t i = 0; i < n && i < max; i++)
		put_month(p, &m[i]);
	HTML(&p->b, "</ul>");
}

void
part_months(struct page *p)
{
	put_months(p, SIZE_MAX);
}

static void
put_categories(struct page *p)
{
	size_t n;
	const struct posts_count *c = posts_categories(p->sv->posts, &n);

	if (n == 0)
		return;
	begin(p, "categories", T_CATEGORIES);
	HTML(&p->b, "<ul>");
	for (size_t i = 0; i < n; i++) {
		HTML(&p->b, "<li>");
		part_word_link(p, "/category/", c[i].word);
		HTML(&p->b, " <span class=\"hint\">");
		buf_put_u64(&p->b, c[i].n);
		HTML(&p->b, "</span></li>");
	}
	HTML(&p->b, "</ul></section>");
}

/* Larger the more posts have it, by the logarithm. */
static unsigned
size_of(size_t n, size_t most)
{
	unsigned own = 0, all = 0;

	for (; n > 1; n /= 2)
		own++;
	for (; most > 1; most /= 2)
		all++;
	return all == 0 ? 1 : 1 + own * (TAG_SIZES - 1) / all;
}

static void
put_tags(struct page *p)
{
	size_t n, most = 1;
	const struct posts_count *t = posts_tags(p->sv->posts, &n);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		most = MAX(most, t[i].n);
	begin(p, "tags", T_TAGS);
	HTML(&p->b, "<ul class=\"tags\">");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&p->b, "<li class=\"t%u\">", size_of(t[i].n, most));
		part_word_link(p, "/tag/", t[i].word);
		HTML(&p->b, "</li>");
	}
	HTML(&p->b, "</ul></section>");
}

static void
put_archives(struct page *p)
{
	size_t n;

	(void)posts_months(p->sv->posts, &n);
	if (n == 0)
		return;
	begin(p, "archives", T_ARCHIVES);
	put_months(p, MONTHS_SHOWN);
	if (n > MONTHS_SHOWN) {
		HTML(&p->b, "<p><a");
		page_href(p, STR("/archive"));
		HTML(&p->b, ">");
		page_word(p, T_ALL_POSTS);
		HTML(&p->b, "</a></p>");
	}
	HTML(&p->b, "</section>");
}

static void
put_subscriptions(struct page *p)
{
	begin(p, "subscriptions", T_SUBSCRIPTIONS);
	HTML(&p->b, "<ul><li><a");
	page_href(p, STR("/subscribe"));
	HTML(&p->b, ">");
	page_word(p, T_BY_MAIL);
	HTML(&p->b, "</a></li><li><a href=\"/feed.rss\">RSS</a>, "
		    "<a href=\"/feed.atom\">Atom</a>, "
		    "<a href=\"/feed.json\">JSON Feed</a></li>"
		    "<li><a href=\"/calendar.ics\">");
	page_word(p, T_CALENDAR);
	HTML(&p->b, "</a></li></ul></section>");
}

void
part_side(struct page *p)
{
	HTML(&p->b, "<div class=\"side\">");
	put_subscriptions(p);
	/* That page has all of them already. */
	if (!str_eq(p->path, STR("/archive")))
		put_archives(p);
	put_categories(p);
	put_tags(p);
	HTML(&p->b, "</div>");
}
