/* SPDX-License-Identifier: ISC */
/* part_posts.c - posts where several of them are shown. See parts.h. */
#include "web/page/parts.h"

#include "base/markdown.h"
#include "web/feed/feeds.h"

#define RECENT_MAX  5
#define EXCERPT_MAX 320
#define RUNNING_MAX 1500 /* bytes of a post that is open */
#define LINES_MAX   25
#define LIST_MAX    1000

/* --- words -------------------------------------------------------------------------- */

enum word
word_of_kind(enum status_post_kind k)
{
	static const enum word words[STATUS_POST_KINDS] = {
		[STATUS_INCIDENT] = T_K_INCIDENT,
		[STATUS_NOTICE] = T_K_NOTICE,
		[STATUS_PLANNED] = T_K_PLANNED,
		[STATUS_POSTMORTEM] = T_K_POSTMORTEM,
	};

	return words[k];
}

void
part_post_state(struct page *p, const struct status_post *post)
{
	enum look look = LOOK_PLAIN;
	enum word w = word_of_kind(post->kind);

	(void)!feeds_word_of_state(post->state, &w);
	if (post->kind == STATUS_PLANNED)
		look = post->state == STATUS_DONE ? LOOK_PLAIN : LOOK_PLANNED;
	else if (post->kind == STATUS_INCIDENT)
		look = status_post_is_open(post)
		           ? look_of_impact(
				 MAX(status_affects_worst(&post->affects),
				     STATUS_IMPACT_DEGRADED))
		           : LOOK_UP;
	page_state(p, look, w);
}

void
part_affected(struct page *p, const struct status_affects *a)
{
	static const enum word words[STATUS_IMPACTS] = {
		[STATUS_IMPACT_MAINTENANCE] = T_I_MAINTENANCE,
		[STATUS_IMPACT_DEGRADED] = T_I_DEGRADED,
		[STATUS_IMPACT_PARTIAL] = T_I_PARTIAL,
		[STATUS_IMPACT_DOWN] = T_I_DOWN,
	};

	if (a->n == 0)
		return;
	HTML(&p->b, "<ul class=\"affected\" aria-label=\"");
	page_word(p, T_AFFECTED);
	HTML(&p->b, "\">");
	for (size_t i = 0; i < a->n; i++) {
		const struct msg_watch_system *m =
		    site_find(p->sv->site, a->v[i].system);
		struct buf path = BUF_INIT(KIB(1));

		HTML(&p->b, "<li>");
		if (m != NULL && !(m->flags & WATCH_SITE_INTERNAL)) {
			html_path(&path, "/systems/", m->key);
			HTML(&p->b, "<a");
			page_href(p, buf_str(&path));
			HTML(&p->b, ">");
			html_text(&p->b, m->id);
			HTML(&p->b, "</a> ");
		} else {
			html_text(&p->b, a->v[i].system);
			HTML(&p->b, " ");
		}
		/* It was, and is not any more. */
		if (a->v[i].impact != STATUS_IMPACT_NONE)
			page_state(p, look_of_impact(a->v[i].impact),
			    words[a->v[i].impact]);
		HTML(&p->b, "</li>");
		buf_done(&path);
	}
	HTML(&p->b, "</ul>");
}

/* --- one ------------------------------------------------------------------------------ */

static void
put_markdown(struct page *p, struct str language, struct str text)
{
	HTML(&p->b, "<div class=\"text\"");
	if (language.n > 0 &&
	    !str_eq_case(language, str_c(language_code(p->lang)))) {
		HTML(&p->b, " lang=\"");
		html_text(&p->b, language);
		HTML(&p->b, "\"");
	}
	HTML(&p->b, ">");
	markdown_html(text, 4, &p->b);
	HTML(&p->b, "</div>");
}

static void
put_title(struct page *p, const struct status_post *post)
{
	struct buf link = BUF_INIT(KIB(4));

	HTML(&p->b, "<h3>");
	posts_put_link(p, &link, post);
	buf_put_str(&p->b, buf_str(&link));
	HTML(&p->b, "</h3>");
	buf_done(&link);
}

/* The beginning of a text, up to the end of a word. */
static void
put_excerpt(struct page *p, struct str markdown, size_t max)
{
	struct buf text = BUF_INIT(MARKDOWN_TEXT_MAX);
	struct str s;
	size_t n;

	markdown_line(markdown, &text);
	s = str_trim(buf_str(&text));
	n = s.n;
	if (n > max) {
		ptrdiff_t blank = str_rfind(str_first(s, max), ' ');

		/* A text without blanks is cut between two characters. */
		n = blank > 0 ? (size_t)blank : max;
		while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
			n--;
	}
	HTML(&p->b, "<p>");
	html_text(&p->b, str_first(s, n));
	if (n < s.n)
		HTML(&p->b, " \xE2\x80\xA6");
	HTML(&p->b, "</p>");
	buf_done(&text);
}

static bool
is_long(struct str text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	return text.n > RUNNING_MAX || lines > LINES_MAX;
}

/* A long text would hide what else goes on: its beginning, and where the rest is. */
static void
put_beginning(struct page *p, const struct status_post *post, struct str text)
{
	struct buf path = BUF_INIT(KIB(1));

	put_excerpt(p, text, RUNNING_MAX);
	status_post_put_path(post, &path);
	HTML(&p->b, "<p><a");
	page_href(p, buf_str(&path));
	HTML(&p->b, ">");
	page_word(p, T_READ_ON);
	HTML(&p->b, "</a></p>");
	buf_done(&path);
}

/* The last words: of the last update, or its own. */
static void
put_last_words(struct page *p, const struct posts_entry *e)
{
	const struct status_post *post = &e->post;
	struct status_update u;
	uint64_t at = post->published_s;
	struct str body = post->body;

	if (e->n_updates > 0 &&
	    posts_update(p->sv->posts, e, e->n_updates - 1, &u)) {
		at = u.created_s;
		body = u.body;
	}
	HTML(&p->b, "<p class=\"when\">");
	buf_put_str(&p->b, page_time_html(p, at));
	HTML(&p->b, "</p>");
	if (is_long(body))
		put_beginning(p, post, body);
	else
		put_markdown(p, post->language, body);
}

static void
put_running(struct page *p, const struct posts_entry *e)
{
	const struct status_post *post = &e->post;

	HTML(&p->b, "<article class=\"post\"><p class=\"is\">");
	part_post_state(p, post);
	HTML(&p->b, "</p>");
	put_title(p, post);
	part_affected(p, &post->affects);
	if (post->kind == STATUS_PLANNED && post->from_s != 0 &&
	    post->to_s != 0) {
		HTML(&p->b, "<p class=\"hint\">");
		PAGE_SAY(p, T_WINDOW, page_date_time_html(p, post->from_s),
		    page_date_time_html(p, post->to_s));
		HTML(&p->b, "</p>");
	}
	put_last_words(p, e);
	if (post->next_update_s > p->now_s) {
		HTML(&p->b, "<p class=\"hint\">");
		PAGE_SAY(p, T_NEXT_AT, page_time_html(p, post->next_update_s));
		HTML(&p->b, "</p>");
	}
	HTML(&p->b, "</article>");
}

/* Work that has not begun is not going on. */
static bool
is_coming(const struct page *p, const struct status_post *post)
{
	return post->kind == STATUS_PLANNED &&
	       post->state == STATUS_STATE_PLANNED && post->from_s > p->now_s;
}

const struct status_post *
part_next_work(const struct page *p)
{
	const struct status_post *next = NULL;

	for (size_t i = 0; i < posts_count(p->sv->posts); i++) {
		const struct status_post *post =
		    &posts_at(p->sv->posts, i)->post;

		if (is_coming(p, post) &&
		    (next == NULL || post->from_s < next->from_s))
			next = post;
	}
	return next;
}

static void
begin_section(struct page *p, const char *id, enum word w)
{
	buf_printf(&p->b,
	    "<section class=\"running\" aria-labelledby=\"%s\"><h2 id=\"%s\">",
	    id, id);
	page_word(p, w);
	HTML(&p->b, "</h2>");
}

static void
begin_running(struct page *p)
{
	begin_section(p, "running", T_RUNNING);
}

static void
begin_coming(struct page *p)
{
	begin_section(p, "coming", T_COMING);
}

static void
go_on(UNUSED struct page *p)
{
}

/* How many there were. */
static size_t
put_open(struct page *p, void (*begin)(struct page *p), bool coming)
{
	size_t n = 0;

	for (size_t i = 0; i < posts_count(p->sv->posts); i++) {
		const struct posts_entry *e = posts_at(p->sv->posts, i);

		if (!status_post_is_open(&e->post) ||
		    is_coming(p, &e->post) != coming)
			continue;
		if (n++ == 0)
			begin(p);
		put_running(p, e);
	}
	return n;
}

void
part_running(struct page *p)
{
	if (put_open(p, begin_running, false) > 0)
		HTML(&p->b, "</section>");
}

void
part_coming(struct page *p)
{
	size_t n = put_open(p, begin_coming, true);

	n += part_windows(p, n > 0 ? go_on : begin_coming);
	if (n > 0)
		HTML(&p->b, "</section>");
}

/* --- several ----------------------------------------------------------------------------- */

static void
put_recent(struct page *p, const struct posts_entry *e)
{
	HTML(&p->b, "<article class=\"post\"><p class=\"when\">");
	buf_put_str(&p->b, page_date_time_html(p, e->post.published_s));
	if (e->post.kind != STATUS_NOTICE) {
		HTML(&p->b, " ");
		part_post_state(p, &e->post);
	}
	HTML(&p->b, "</p>");
	put_title(p, &e->post);
	put_excerpt(p, e->post.body, EXCERPT_MAX);
	HTML(&p->b, "</article>");
}

void
part_recent(struct page *p)
{
	size_t n = posts_count(p->sv->posts), shown = 0;

	HTML(&p->b, "<section aria-labelledby=\"recent\"><h2 id=\"recent\">");
	page_word(p, T_RECENT);
	HTML(&p->b, "</h2>");
	for (size_t i = 0; i < n && shown < RECENT_MAX; i++) {
		const struct posts_entry *e = posts_at(p->sv->posts, i);

		if (status_post_is_open(&e->post))
			continue;
		put_recent(p, e);
		shown++;
	}
	HTML(&p->b, "<p>");
	if (n == 0) {
		page_word(p, T_NO_POSTS);
	} else {
		HTML(&p->b, "<a");
		page_href(p, STR("/archive"));
		HTML(&p->b, ">");
		page_word(p, T_ALL_POSTS);
		HTML(&p->b, "</a>");
	}
	HTML(&p->b, "</p></section>");
}

void
part_post_line(struct page *p, const struct posts_entry *e)
{
	struct buf link = BUF_INIT(KIB(4));

	HTML(&p->b, "<li><p class=\"when\">");
	buf_put_str(&p->b, page_date_time_html(p, e->post.published_s));
	HTML(&p->b, "</p><p>");
	posts_put_link(p, &link, &e->post);
	buf_put_str(&p->b, buf_str(&link));
	if (e->post.kind != STATUS_NOTICE) {
		HTML(&p->b, " ");
		part_post_state(p, &e->post);
	}
	HTML(&p->b, "</p></li>");
	buf_done(&link);
}

size_t
part_post_list(struct page *p,
    bool (*fn)(const struct posts_entry *e, const void *arg), const void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < posts_count(p->sv->posts) && n < LIST_MAX; i++) {
		const struct posts_entry *e = posts_at(p->sv->posts, i);

		if (!fn(e, arg))
			continue;
		if (n++ == 0)
			HTML(&p->b, "<ul class=\"lines\">");
		part_post_line(p, e);
	}
	if (n > 0)
		HTML(&p->b, "</ul>");
	return n;
}
