/* SPDX-License-Identifier: ISC */
/*
 * feeds.c - RSS, Atom and JSON Feed: of everything, of a system, of a tag, of a
 * category.
 *
 * An entry is a post with its updates in its content, the newest on top. Those
 * that changed last come first, so that an old incident with news is there.
 */
#include "web/feed/feeds.h"

#include "base/markdown.h"
#include "proto/feed/feed.h"
#include "proto/feed/feed_text.h"
#include "proto/http/http_text.h"
#include "web/page/html.h"
#include "web/page/pages.h"
#include "web/site.h"

#define ENTRIES_MAX 50
/* What is beyond these is a link to the page. */
#define ENTRY_BYTES KIB(128)
#define HTML_BYTES  KIB(512)
#define FEED_BYTES  MIB(1)
#define HEADING     4

enum feed_of { FEED_OF_ALL, FEED_OF_SYSTEM, FEED_OF_TAG, FEED_OF_CATEGORY };

struct wanted {
	enum feed_of of;
	enum feed_format format;
	struct str name; /* of the system, tag or category */
};

/* --- which posts ----------------------------------------------------------------------- */

static bool
has_category(const struct status_post *p, struct str name)
{
	for (size_t i = 0; i < p->n_categories; i++)
		if (str_eq_case(p->categories[i], name))
			return true;
	return false;
}

static bool
is_wanted(const struct wanted *w, const struct status_post *p)
{
	enum status_impact impact;

	switch (w->of) {
	case FEED_OF_ALL:
		return true;
	case FEED_OF_SYSTEM:
		return status_affects_find(&p->affects, w->name, &impact);
	case FEED_OF_TAG:
		return status_post_has_tag(p, w->name);
	case FEED_OF_CATEGORY:
		return has_category(p, w->name);
	}
	return false;
}

static int
changed_last_first(const void *pa, const void *pb)
{
	const struct posts_entry *a = *(const struct posts_entry *const *)pa;
	const struct posts_entry *b = *(const struct posts_entry *const *)pb;
	uint64_t ta = MAX(a->post.changed_s, a->post.published_s);
	uint64_t tb = MAX(b->post.changed_s, b->post.published_s);

	if (ta != tb)
		return ta > tb ? -1 : 1;
	return a->number > b->number ? -1 : a->number < b->number;
}

/* The caller's to free. */
static const struct posts_entry **
choose(const struct server *sv, const struct wanted *w, size_t *ret_n)
{
	size_t all = posts_count(sv->posts), n = 0;
	const struct posts_entry **v = x_calloc(all + 1, sizeof(*v));

	for (size_t i = 0; i < all; i++) {
		const struct posts_entry *e = posts_at(sv->posts, i);

		if (is_wanted(w, &e->post))
			v[n++] = e;
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), changed_last_first);
	*ret_n = MIN(n, (size_t)ENTRIES_MAX);
	return v;
}

/* --- content --------------------------------------------------------------------------- */

bool
feeds_word_of_state(enum status_state s, enum word *ret)
{
	static const enum word words[STATUS_STATES] = {
		[STATUS_INVESTIGATING] = T_ST_INVESTIGATING,
		[STATUS_IDENTIFIED] = T_ST_IDENTIFIED,
		[STATUS_MONITORING] = T_ST_MONITORING,
		[STATUS_RESOLVED] = T_ST_RESOLVED,
		[STATUS_STATE_PLANNED] = T_ST_PLANNED,
		[STATUS_IN_PROGRESS] = T_ST_IN_PROGRESS,
		[STATUS_DONE] = T_ST_DONE,
	};

	if (s == STATUS_STATE_NONE || (unsigned)s >= STATUS_STATES)
		return false;
	*ret = words[s];
	return true;
}

/* "2026-11-30 08:50 UTC": the same in all languages. */
static void
put_time(struct buf *to, uint64_t s)
{
	struct buf b = BUF_INIT(40);

	feed_put_time(&b, s);
	buf_printf(to, "%.10s %.5s UTC", buf_c(&b), buf_c(&b) + 11);
	buf_done(&b);
}

static void
put_part(struct buf *to, struct str what, uint64_t at_s, struct str body)
{
	HTML(to, "<p>");
	if (what.n > 0) {
		HTML(to, "<strong>");
		html_text(to, what);
		HTML(to, "</strong> – ");
	}
	put_time(to, at_s);
	HTML(to, "</p>\n");
	markdown_html(body, HEADING, to);
}

static void
put_facts(struct document *d, struct buf *to, const struct status_post *p)
{
	struct buf systems = BUF_INIT(KIB(8)), from = BUF_INIT(40);
	struct buf until = BUF_INIT(40);

	for (size_t i = 0; i < p->affects.n; i++) {
		html_text(&systems, i > 0 ? STR(", ") : STR(""));
		html_text(&systems, p->affects.v[i].system);
	}
	if (p->kind == STATUS_PLANNED && p->from_s > 0) {
		put_time(&from, p->from_s);
		put_time(&until, p->to_s);
		HTML(to, "<p>");
		word_put(to, d->lang, T_F_WINDOW,
		    (struct str[]){ buf_str(&from), buf_str(&until) }, 2);
		HTML(to, "</p>\n");
	}
	if (systems.n > 0) {
		HTML(to, "<p>");
		word_put(to, d->lang, T_F_AFFECTED,
		    (struct str[]){ buf_str(&systems) }, 1);
		HTML(to, "</p>\n");
	}
	buf_done(&systems);
	buf_done(&from);
	buf_done(&until);
}

/* True: all of them; the oldest of a long thread are on its page. */
static bool
put_updates(struct document *d, struct buf *to, const struct posts_entry *e)
{
	for (size_t i = e->n_updates; i-- > 0;) {
		struct str state = STR("");
		struct status_update u;
		enum word w;

		if (!posts_update(d->sv->posts, e, i, &u))
			continue;
		if (to->n + u.body.n > ENTRY_BYTES)
			return false;
		if (feeds_word_of_state(u.state, &w))
			state = word(d->lang, w);
		put_part(to, state, u.created_s, u.body);
		HTML(to, "<hr>\n");
	}
	return true;
}

static void
put_older(struct document *d, struct buf *to, const struct posts_entry *e)
{
	HTML(to, "<p><a href=\"");
	html_text(to, document_post_id(d, e->number));
	HTML(to, "\">");
	html_text(to, word(d->lang, T_F_OLDER));
	HTML(to, "</a></p>\n");
}

static void
put_content(struct document *d, struct buf *to, const struct posts_entry *e)
{
	const struct status_post *p = &e->post;

	put_facts(d, to, p);
	if (!put_updates(d, to, e))
		put_older(d, to, e);
	else if (e->n_updates > 0)
		put_part(to, word(d->lang, T_F_FIRST), p->published_s, p->body);
	else
		markdown_html(p->body, HEADING, to);
}

static void
put_entry(struct document *d, struct feed *f, const struct posts_entry *e)
{
	const struct status_post *p = &e->post;
	struct str tags[STATUS_TAGS_MAX + STATUS_CATEGORIES_MAX];
	struct buf html = BUF_INIT(MARKDOWN_HTML_MAX * 2);
	struct feed_entry out = { .id = document_post_id(d, e->number),
		.url = document_post_url(d, p),
		.title = p->title,
		.author = p->author,
		.published_s = p->published_s,
		.updated_s = MAX(p->changed_s, p->published_s),
		.tags = tags };

	for (size_t i = 0; i < p->n_tags; i++)
		tags[out.n_tags++] = p->tags[i];
	for (size_t i = 0; i < p->n_categories; i++)
		tags[out.n_tags++] = p->categories[i];
	put_content(d, &html, e);
	/* Markdown can become many times as long as it is. */
	if (html.failed || html.n > HTML_BYTES) {
		buf_reset(&html, 0);
		put_older(d, &html, e);
	}
	out.html = buf_str(&html);
	feed_put(f, &out);
	buf_done(&html);
}

/* --- documents ------------------------------------------------------------------------- */

/* The name becomes what it was first written as; false: nothing has it. */
static bool
find_name(const struct server *sv, struct wanted *w)
{
	const struct msg_watch_system *m;
	const struct posts_count *v = NULL;
	size_t n = 0;

	if (w->of == FEED_OF_SYSTEM) {
		m = site_find(sv->site, w->name);
		if (m == NULL || (m->flags & WATCH_SITE_INTERNAL))
			return false;
		w->name = m->id;
		return true;
	}
	if (w->of == FEED_OF_TAG)
		v = posts_tags(sv->posts, &n);
	if (w->of == FEED_OF_CATEGORY)
		v = posts_categories(sv->posts, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq_case(v[i].word, w->name)) {
			w->name = v[i].word;
			return true;
		}
	return w->of == FEED_OF_ALL;
}

/* "/systems/NC036", encoded: the page that belongs to the feed. */
static void
put_page_path(struct buf *to, const struct wanted *w)
{
	static const char *const prefixes[] = { [FEED_OF_ALL] = "/",
		[FEED_OF_SYSTEM] = "/systems/",
		[FEED_OF_TAG] = "/tag/",
		[FEED_OF_CATEGORY] = "/category/" };

	buf_put_c(to, prefixes[w->of]);
	http_encode(to, w->name);
}

static bool
write_feed(struct document *d, const void *arg)
{
	const struct wanted *w = arg;
	struct feed_head head = { .language = str_c(language_code(d->lang)) };
	struct buf path = BUF_INIT(KIB(1));
	const struct posts_entry **v;
	struct feed f;
	size_t n;

	v = choose(d->sv, w, &n);
	put_page_path(&path, w);
	head.home_url = document_url(d, buf_str(&path));
	if (path.n > 1)
		buf_put_char(&path, '/');
	buf_printf(&path, "feed.%s", feed_format_name(w->format));
	head.self_url = document_url(d, buf_str(&path));
	head.title = w->of == FEED_OF_ALL
	                 ? d->name
	                 : document_join(d,
			       document_join(d, d->name, STR(": ")), w->name);
	if (n > 0)
		head.updated_s =
		    MAX(v[0]->post.changed_s, v[0]->post.published_s);
	/* A post that is gone changes the feed too. */
	d->changed_s = MAX(head.updated_s, posts_changed_at(d->sv->posts));
	feed_begin(&f, w->format, &head, &d->b);
	for (size_t i = 0; i < n && d->b.n < FEED_BYTES; i++)
		put_entry(d, &f, v[i]);
	feed_end(&f);
	free(v);
	buf_done(&path);
	return true;
}

static void
serve(struct visit *v, enum feed_of of)
{
	static const struct document_kind kinds[FEED_FORMATS] = {
		[FEED_RSS] = { "application/rss+xml; charset=utf-8", NULL, 60 },
		[FEED_ATOM] = { "application/atom+xml; charset=utf-8", NULL,
		    60 },
		[FEED_JSON] = { "application/feed+json", NULL, 60 },
	};
	struct str path = visit_path(v);
	struct wanted w = { .of = of };
	struct buf key = BUF_INIT(KIB(1));

	if (of != FEED_OF_ALL)
		w.name = visit_rest(v);
	/* The routes are of these endings only. */
	if (!feed_format_parse(
		str_from(path, (size_t)str_rfind(path, '.') + 1), &w.format) ||
	    !find_name(visit_server(v), &w)) {
		visit_reply_error(v, 404, "There is no such feed.");
		return;
	}
	buf_printf(&key, "feed %d %d ", (int)w.format, (int)of);
	buf_put_str(&key, w.name);
	document_serve(v, &kinds[w.format], buf_str(&key), write_feed, &w);
	buf_done(&key);
}

void
feed_all(struct visit *v)
{
	serve(v, FEED_OF_ALL);
}

void
feed_system(struct visit *v)
{
	serve(v, FEED_OF_SYSTEM);
}

void
feed_tag(struct visit *v)
{
	serve(v, FEED_OF_TAG);
}

void
feed_category(struct visit *v)
{
	serve(v, FEED_OF_CATEGORY);
}

void
feeds_put_links(struct buf *head, struct str prefix, struct str title)
{
	for (int i = 0; i < FEED_FORMATS; i++) {
		enum feed_format f = (enum feed_format)i;
		struct str rest = prefix, part;

		buf_printf(head, "<link rel=\"alternate\" type=\"%s\" title=\"",
		    feed_format_type(f));
		html_text(head, title);
		buf_printf(head, " (%s)\" href=\"", feed_format_title(f));
		/* "/tag/" and a name, which may have a slash of its own. */
		if (rest.n > 1) {
			rest = str_split(str_from(rest, 1), '/', &part);
			HTML(head, "/");
			html_text(head, part);
			html_path(head, "/", rest);
		}
		buf_printf(head, "/feed.%s\">", feed_format_name(f));
	}
}
