/* SPDX-License-Identifier: ISC */
/*
 * page_search.c - /search?q=: posts by their words.
 *
 * The index is made when somebody searches and the posts are not those of the
 * last time. Answers are made for each visitor and not kept: what people
 * look for is endless, and their own affair.
 */
#include "base/markdown.h"
#include "proto/http/http_text.h"
#include "proto/search/search.h"
#include "web/page/pages.h"
#include "web/page/parts.h"
#include "web/table/posts.h"

#define RESULTS_MAX 30
#define BEFORE      80  /* bytes of a text in front of the first word */
#define EXCERPT     320 /* bytes shown of a text */
/* Bytes of posts whose text is looked through for one page: of the results
 * behind that only titles are shown. */
#define BUDGET KIB(128)

/* --- the index ------------------------------------------------------------------------- */

static void
add_post(
    struct search *x, const struct posts *posts, const struct posts_entry *e)
{
	const struct status_post *p = &e->post;
	struct buf tags = BUF_INIT(KIB(8)), body = BUF_INIT(MIB(32));

	for (size_t i = 0; i < p->n_tags; i++) {
		buf_put_str(&tags, p->tags[i]);
		buf_put_char(&tags, ' ');
	}
	for (size_t i = 0; i < p->n_categories; i++) {
		buf_put_str(&tags, p->categories[i]);
		buf_put_char(&tags, ' ');
	}
	for (size_t i = 0; i < p->affects.n; i++) {
		buf_put_str(&tags, p->affects.v[i].system);
		buf_put_char(&tags, ' ');
	}
	buf_put_str(&body, p->body);
	for (size_t i = 0; i < e->n_updates; i++) {
		struct status_update u;

		if (!posts_update(posts, e, i, &u))
			continue;
		buf_put_char(&body, '\n');
		buf_put_str(&body, u.body);
	}
	search_add(x, e->number,
	    &(struct search_text){ .title = p->title,
		.tags = buf_str(&tags),
		.body = buf_str(&body) });
	buf_done(&tags);
	buf_done(&body);
}

static const struct search *
index_of(struct server *sv)
{
	uint64_t version = posts_version(sv->posts);

	if (sv->search != NULL && sv->search_version == version)
		return sv->search;
	search_free(sv->search);
	sv->search = search_new();
	sv->search_version = version;
	for (size_t i = 0; i < posts_count(sv->posts); i++)
		add_post(sv->search, sv->posts, posts_at(sv->posts, i));
	return sv->search;
}

/* --- the page -------------------------------------------------------------------------- */

struct asked {
	struct str text; /* as typed */
	struct search_query query;
	size_t budget; /* bytes of Markdown that are still looked at */
};

/* s with the words that were looked for marked. */
static void
put_marked(struct page *p, const struct search_query *q, struct str s)
{
	while (s.n > 0) {
		struct str between, found;

		s = search_cut(q, s, &between, &found);
		html_text(&p->b, between);
		if (found.n == 0)
			continue;
		HTML(&p->b, "<mark>");
		html_text(&p->b, found);
		HTML(&p->b, "</mark>");
	}
}

/* From a byte on that begins a character, at most n bytes, whole characters. */
static struct str
whole(struct str s, size_t from, size_t n)
{
	struct str r;

	while (
	    from > 0 && from < s.n && ((unsigned char)s.p[from] & 0xC0) == 0x80)
		from--;
	r = str_sub(s, from, n);
	while (r.n > 0 && from + r.n < s.n &&
	       ((unsigned char)r.p[r.n] & 0xC0) == 0x80)
		r.n--;
	return r;
}

/* The first place from there on where a word begins; from, when none does. */
static size_t
begin_of_word(struct str s, size_t from)
{
	ptrdiff_t blank = from > 0 ? str_find(str_from(s, from), ' ') : -1;

	return blank < 0 ? from : from + (size_t)blank + 1;
}

/* Without the beginning of a word at its end. */
static struct str
whole_words(struct str s)
{
	ptrdiff_t blank = str_rfind(s, ' ');

	return blank > BEFORE ? str_first(s, (size_t)blank) : s;
}

/* Of a text the part around the first word that was looked for; false: there is
 * none in it. */
static bool
put_excerpt(struct page *p, struct asked *a, struct str markdown)
{
	const struct search_query *q = &a->query;
	struct buf b = BUF_INIT(MARKDOWN_TEXT_MAX);
	struct str between, found, part;
	size_t from;

	if (markdown.n > a->budget)
		return false;
	a->budget -= markdown.n;
	markdown_line(markdown, &b);
	(void)search_cut(q, buf_str(&b), &between, &found);
	if (found.n > 0) {
		from = begin_of_word(
		    between, between.n - MIN(between.n, (size_t)BEFORE));
		part = whole(buf_str(&b), from, EXCERPT);
		if (part.p + part.n < b.p + b.n)
			part = whole_words(part);
		HTML(&p->b, "<p>");
		if (from > 0)
			HTML(&p->b, "… ");
		put_marked(p, q, part);
		if (part.p + part.n < b.p + b.n)
			HTML(&p->b, " …");
		HTML(&p->b, "</p>");
	}
	buf_done(&b);
	return found.n > 0;
}

static void
put_result(struct page *p, struct asked *a, const struct posts_entry *e)
{
	struct buf path = BUF_INIT(KIB(1));
	bool is_shown;

	status_post_put_path(&e->post, &path);
	HTML(&p->b, "<li><h2><a");
	page_href(p, buf_str(&path));
	HTML(&p->b, ">");
	put_marked(p, &a->query, e->post.title);
	HTML(&p->b, "</a></h2><p class=\"when\">");
	buf_put_str(&p->b, page_date_time_html(p, e->post.published_s));
	if (e->post.kind != STATUS_NOTICE) {
		HTML(&p->b, " ");
		part_post_state(p, &e->post);
	}
	HTML(&p->b, "</p>");
	is_shown = put_excerpt(p, a, e->post.body);
	for (size_t i = e->n_updates; i-- > 0 && !is_shown;) {
		struct status_update u;

		if (posts_update(p->sv->posts, e, i, &u))
			is_shown = put_excerpt(p, a, u.body);
	}
	HTML(&p->b, "</li>");
	buf_done(&path);
}

static void
put_form(struct page *p, struct str text)
{
	HTML(&p->b, "<form class=\"after\" role=\"search\" action=\"/search\" "
		    "method=\"get\"><label for=\"q\">");
	page_word(p, T_SEARCH_LABEL);
	buf_printf(&p->b,
	    "</label><p class=\"ask\"><input type=\"search\" id=\"q\" "
	    "name=\"q\" enterkeyhint=\"search\" maxlength=\"%d\" value=\"",
	    SEARCH_QUERY_MAX);
	html_text(&p->b, text);
	HTML(&p->b, "\">");
	if (p->is_asked)
		buf_printf(&p->b,
		    "<input type=\"hidden\" name=\"lang\" value=\"%s\">",
		    language_code(p->lang));
	HTML(&p->b, " <button class=\"button\" type=\"submit\">");
	page_word(p, T_SEARCH);
	HTML(&p->b, "</button></p></form>");
}

static void
put_hint(struct page *p)
{
	HTML(&p->b, "<p class=\"hint\">");
	page_word(p, T_SEARCH_HINT);
	HTML(&p->b, "</p>");
}

static void
put_count(struct page *p, const struct search_hits *h)
{
	HTML(&p->b, "<p class=\"found\" role=\"status\">");
	if (h->total == 0)
		page_word(p, T_SEARCH_NONE);
	else if (h->total > h->n)
		PAGE_SAY(p, T_SEARCH_MANY, page_number_html(p, h->total),
		    page_number_html(p, h->n));
	else
		PAGE_SAY(p, T_SEARCH_COUNT, page_number_html(p, h->total));
	if (h->is_partial) {
		HTML(&p->b, " ");
		page_word(p, T_SEARCH_PART);
	}
	HTML(&p->b, "</p>");
}

/* How many there were. */
static size_t
put_results(struct page *p, struct asked *a)
{
	uint32_t ids[RESULTS_MAX];
	struct search_hits h = { .ids = ids, .max = RESULTS_MAX };

	search_find(index_of(p->sv), &a->query, &h);
	put_count(p, &h);
	if (h.n == 0)
		return 0;
	HTML(&p->b, "<ol class=\"results\">");
	for (size_t i = 0; i < h.n; i++) {
		const struct posts_entry *e = posts_find(p->sv->posts, ids[i]);

		if (e != NULL)
			put_result(p, a, e);
	}
	HTML(&p->b, "</ol>");
	return h.n;
}

static void
render(struct page *p, const void *arg)
{
	struct asked a = *(const struct asked *)arg;
	size_t found = 0;

	page_begin(p, page_word_html(p, T_SEARCH), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"page\"><h1>");
	page_word(p, T_SEARCH);
	HTML(&p->b, "</h1>");
	put_form(p, a.text);
	if (a.query.n > 0)
		found = put_results(p, &a);
	else if (a.text.n > 0)
		put_count(p, &(struct search_hits){ .n = 0 });
	else
		put_hint(p);
	HTML(&p->b, "</section>");
	/* Other ways to older posts. */
	if (found == 0)
		part_side(p);
	page_end(p);
}

void
page_search(struct visit *v)
{
	struct buf q = BUF_INIT(HTTP_TARGET_MAX);
	struct asked a = { .budget = BUDGET };

	if (page_is_too_fast(v, visit_server(v)->searches)) {
		buf_done(&q);
		return;
	}
	(void)!http_form_get(visit_request(v)->query, STR("q"), &q);
	a.text = whole(buf_str(&q), 0, SEARCH_QUERY_MAX);
	search_query_parse(a.text, &a.query);
	page_answer(v,
	    &(struct page_once){ .status = 200,
		.path = STR("/search"),
		.fields = STR("X-Robots-Tag: noindex\r\n") },
	    render, &a);
	buf_done(&q);
}
