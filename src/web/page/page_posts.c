/* SPDX-License-Identifier: ISC */
/* page_posts.c - one post; the archive; the posts of a month, tag, category. */
#include "web/page/pages.h"

#include "base/markdown.h"
#include "web/feed/feeds.h"
#include "web/page/parts.h"

/* --- one post ------------------------------------------------------------------------- */

static void
put_published(struct page *p, const struct status_post *post)
{
	HTML(&p->b, "<p class=\"hint\">");
	if (post->author.n > 0)
		PAGE_SAY(p, T_PUBLISHED_BY,
		    page_date_time_html(p, post->published_s),
		    page_text_html(p, post->author));
	else
		PAGE_SAY(
		    p, T_PUBLISHED, page_date_time_html(p, post->published_s));
	if (post->edited_s > post->published_s) {
		HTML(&p->b, ", ");
		PAGE_SAY(p, T_EDITED, page_date_time_html(p, post->edited_s));
	}
	HTML(&p->b, "</p>");
}

static void
put_times(struct page *p, const struct status_post *post)
{
	static const struct str begin = STR("<p class=\"lead\">");
	size_t at = p->b.n;

	buf_put_str(&p->b, begin);
	if (post->from_s != 0 && post->to_s != 0)
		PAGE_SAY(p, T_WINDOW, page_date_time_html(p, post->from_s),
		    page_date_time_html(p, post->to_s));
	else if (post->resolved_s > post->published_s)
		PAGE_SAY(p, T_RESOLVED_AT,
		    page_date_time_html(p, post->resolved_s),
		    page_span_html(p, post->resolved_s - post->published_s));
	if (status_post_is_open(post) && post->next_update_s > p->now_s) {
		HTML(&p->b, " ");
		PAGE_SAY(p, T_NEXT_AT, page_time_html(p, post->next_update_s));
	}
	if (p->b.n == at + begin.n)
		p->b.n = at; /* there are none */
	else
		HTML(&p->b, "</p>");
}

/* heading: of which level those in the text are. */
static void
put_text(struct page *p, const struct status_post *post, unsigned heading,
    struct str text)
{
	HTML(&p->b, "<div class=\"text\"");
	if (post->language.n > 0) {
		HTML(&p->b, " lang=\"");
		html_text(&p->b, post->language);
		HTML(&p->b, "\"");
	}
	HTML(&p->b, ">");
	markdown_html(text, heading, &p->b);
	HTML(&p->b, "</div>");
}

static void
put_update(
    struct page *p, const struct posts_entry *e, const struct status_update *u)
{
	enum word w;

	HTML(&p->b, "<article class=\"update\"><h3>");
	if (feeds_word_of_state(u->state, &w)) {
		page_word(p, w);
		HTML(&p->b, " ");
	}
	HTML(&p->b, "<span class=\"when\">");
	buf_put_str(&p->b, page_date_time_html(p, u->created_s));
	HTML(&p->b, "</span></h3>");
	put_text(p, &e->post, 4, u->body);
	HTML(&p->b, "</article>");
}

/* The newest first, and what it began with at the end. */
static void
put_updates(struct page *p, const struct posts_entry *e)
{
	if (e->n_updates == 0) {
		put_text(p, &e->post, 2, e->post.body);
		return;
	}
	HTML(&p->b, "<h2>");
	page_word(p, T_UPDATES);
	HTML(&p->b, "</h2>");
	for (size_t i = e->n_updates; i > 0; i--) {
		struct status_update u;

		if (posts_update(p->sv->posts, e, i - 1, &u))
			put_update(p, e, &u);
	}
	HTML(&p->b, "<article class=\"update\"><h3>");
	page_word(p, T_FIRST_WORDS);
	HTML(&p->b, " <span class=\"when\">");
	buf_put_str(&p->b, page_date_time_html(p, e->post.published_s));
	HTML(&p->b, "</span></h3>");
	put_text(p, &e->post, 4, e->post.body);
	HTML(&p->b, "</article>");
}

static void
put_words(struct page *p, enum word w, const char *prefix,
    const struct str *words, size_t n)
{
	if (n == 0)
		return;
	HTML(&p->b, "<p class=\"hint\">");
	page_word(p, w);
	HTML(&p->b, ": ");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			HTML(&p->b, ", ");
		part_word_link(p, prefix, words[i]);
	}
	HTML(&p->b, "</p>");
}

static void
put_related(struct page *p, const struct posts_entry *other, enum word w)
{
	struct buf link = BUF_INIT(KIB(4));

	posts_put_link(p, &link, &other->post);
	HTML(&p->b, "<p>");
	PAGE_SAY(p, w, buf_str(&link));
	HTML(&p->b, "</p>");
	buf_done(&link);
}

static void
put_relatives(struct page *p, const struct posts_entry *e)
{
	const struct posts *posts = p->sv->posts;
	const struct posts_entry *about =
	    e->post.incident != 0 ? posts_find(posts, e->post.incident) : NULL;

	if (about != NULL)
		put_related(p, about, T_ABOUT_INCIDENT);
	for (size_t i = 0; i < posts_count(posts); i++)
		if (posts_at(posts, i)->post.incident == e->number)
			put_related(p, posts_at(posts, i), T_HAS_POSTMORTEM);
}

static void
render_post(struct page *p, const void *arg)
{
	const struct posts_entry *e = arg;
	struct verdict v = verdict_of(p->sv);

	page_begin(p, page_text_html(p, e->post.title), v.look);
	HTML(&p->b, "<article class=\"page\"><p class=\"is\">");
	part_post_state(p, &e->post);
	HTML(&p->b, "</p><h1>");
	html_text(&p->b, e->post.title);
	HTML(&p->b, "</h1>");
	put_times(p, &e->post);
	put_published(p, &e->post);
	part_affected(p, &e->post.affects);
	put_updates(p, e);
	put_relatives(p, e);
	put_words(p, T_CATEGORIES, "/category/", e->post.categories,
	    e->post.n_categories);
	put_words(p, T_TAGS, "/tag/", e->post.tags, e->post.n_tags);
	HTML(&p->b, "</article>");
	page_end(p);
}

/* "/posts/NUMBER" leads to where the post is. */
static void
redirect(struct visit *v, uint32_t number)
{
	const struct posts_entry *e =
	    posts_find(visit_server(v)->posts, number);
	struct buf path = BUF_INIT(KIB(1));

	if (e == NULL) {
		page_error(v, 404);
		return;
	}
	status_post_put_path(&e->post, &path);
	page_put_asked_language(v, &path);
	/* Not for ever: the pretty address may change, the number does not. */
	visit_reply_redirect(v, buf_c(&path), false);
	buf_done(&path);
}

void
page_post(struct visit *v)
{
	const struct posts_entry *e;
	uint32_t number;

	if (str_to_u32(visit_rest(v), STATUS_POST_MAX, &number)) {
		redirect(v, number);
		return;
	}
	e = posts_find_path(visit_server(v)->posts, visit_path(v));
	if (e != NULL)
		page_serve(v, visit_path(v), render_post, e);
	else
		page_error(v, 404);
}

/* --- lists ------------------------------------------------------------------------------ */

static void
begin_list(struct page *p, struct str title)
{
	page_begin(p, title, verdict_of(p->sv).look);
	HTML(&p->b, "<section class=\"page\"><h1>");
	buf_put_str(&p->b, title);
	HTML(&p->b, "</h1>");
}

static void
end_list(struct page *p)
{
	HTML(&p->b, "</section>");
	page_end(p);
}

static void
render_archive(struct page *p, UNUSED const void *arg)
{
	begin_list(p, page_word_html(p, T_ARCHIVES));
	if (posts_count(p->sv->posts) == 0) {
		HTML(&p->b, "<p>");
		page_word(p, T_NO_POSTS);
		HTML(&p->b, "</p>");
	}
	part_months(p);
	HTML(&p->b, "</section>");
	part_side(p);
	page_end(p);
}

struct month {
	uint32_t year, month;
};

static bool
is_of_month(const struct posts_entry *e, const void *arg)
{
	const struct month *m = arg;

	return e->year == m->year && e->month == m->month;
}

static void
render_month(struct page *p, const void *arg)
{
	const struct month *m = arg;

	begin_list(
	    p, PAGE_HTML(p, T_OF_MONTH, page_month_html(p, m->year, m->month)));
	(void)part_post_list(p, is_of_month, m);
	end_list(p);
}

static bool
has_month(const struct posts *posts, const struct month *m)
{
	size_t n;
	const struct posts_count *months = posts_months(posts, &n);

	for (size_t i = 0; i < n; i++)
		if (months[i].year == m->year && months[i].month == m->month)
			return true;
	return false;
}

void
page_archive(struct visit *v)
{
	page_serve(v, STR("/archive"), render_archive, NULL);
}

void
page_month(struct visit *v)
{
	struct str year, month = str_split(visit_rest(v), '/', &year);
	struct month m;

	/* One address for each: "06", not "6". */
	if (year.n == 4 && month.n == 2 && str_to_u32(year, 9999, &m.year) &&
	    str_to_u32(month, 12, &m.month) &&
	    has_month(visit_server(v)->posts, &m))
		page_serve(v, visit_path(v), render_month, &m);
	else
		page_error(v, 404);
}

static bool
has_tag(const struct posts_entry *e, const void *arg)
{
	const struct str *tag = arg;

	return status_post_has_tag(&e->post, *tag);
}

static bool
has_category(const struct posts_entry *e, const void *arg)
{
	const struct str *category = arg;

	for (size_t i = 0; i < e->post.n_categories; i++)
		if (str_eq_case(e->post.categories[i], *category))
			return true;
	return false;
}

static void
render_tag(struct page *p, const void *arg)
{
	const struct posts_count *c = arg;

	p->feed = page_join(p, "/tag/", c->word);
	begin_list(p, PAGE_HTML(p, T_TAGGED, page_text_html(p, c->word)));
	(void)part_post_list(p, has_tag, &c->word);
	end_list(p);
}

static void
render_category(struct page *p, const void *arg)
{
	const struct posts_count *c = arg;

	p->feed = page_join(p, "/category/", c->word);
	begin_list(p, PAGE_HTML(p, T_IN_CATEGORY, page_text_html(p, c->word)));
	(void)part_post_list(p, has_category, &c->word);
	end_list(p);
}

/* As it is written there, so that each has one address and one copy. */
static void
serve_word(struct visit *v, const char *prefix,
    const struct posts_count *counts, size_t n, page_fn render)
{
	struct buf path = BUF_INIT(KIB(2));

	for (size_t i = 0; i < n; i++)
		if (str_eq_case(counts[i].word, visit_rest(v))) {
			html_path(&path, prefix, counts[i].word);
			page_serve(v, buf_str(&path), render, &counts[i]);
			buf_done(&path);
			return;
		}
	page_error(v, 404);
}

void
page_tag(struct visit *v)
{
	size_t n;
	const struct posts_count *c = posts_tags(visit_server(v)->posts, &n);

	serve_word(v, "/tag/", c, n, render_tag);
}

void
page_category(struct visit *v)
{
	size_t n;
	const struct posts_count *c =
	    posts_categories(visit_server(v)->posts, &n);

	serve_word(v, "/category/", c, n, render_category);
}
