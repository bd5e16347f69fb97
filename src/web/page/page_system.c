/* SPDX-License-Identifier: ISC */
/*
 * page_system.c - one system: how it is, how fast it answers, its months, its
 * posts. "/systems/ID", and "/systems/ID/90d" and "/5y" for longer times.
 */
#include "web/page/pages.h"

#include "web/page/parts.h"

static const struct {
	const char *end; /* of the path */
	enum word w;
} spans[WATCH_SPANS] = {
	[WATCH_SPAN_2_DAYS] = { "", T_SPAN_2D },
	[WATCH_SPAN_90_DAYS] = { "/90d", T_SPAN_90D },
	[WATCH_SPAN_5_YEARS] = { "/5y", T_SPAN_5Y },
};

/* A visit that waits for a chart. */
struct look_up {
	struct visit *v;
	char *key;
	struct chart_ask *ask;
};

struct view {
	const struct msg_watch_system *m;
	const struct chart *chart;
};

/* --- writing ---------------------------------------------------------------------------- */

static void
put_head(struct page *p, const struct msg_watch_system *m)
{
	const struct site_state *t = site_state(p->sv->site);
	struct shown is = shown_system(t, m, said_of_system(p->sv, m));

	HTML(&p->b, "<section class=\"page\"><h1>");
	html_text(&p->b, m->id);
	HTML(&p->b, "</h1><p class=\"lead\">");
	page_word(p, word_of_role(m->role));
	if (m->city.n > 0 || m->country.n > 0) {
		HTML(&p->b, ", ");
		part_place(p, m);
	}
	HTML(&p->b, "</p><p class=\"is\">");
	page_state(p, is.look, is.word);
	if (is.look != LOOK_PLANNED && (m->flags & WATCH_SITE_PLANNED)) {
		HTML(&p->b, " ");
		page_state(p, LOOK_PLANNED, T_S_PLANNED);
	}
	HTML(&p->b, "</p><p>");
	if (t->is_stale && t->at_s > 0) {
		PAGE_SAY(p, T_NOT_SINCE, page_time_html(p, t->at_s));
	} else if (m->flags & WATCH_SITE_CHECKED) {
		/* What somebody said has its time in the post. */
		if (is.look == look_by_checks(t, m)) {
			PAGE_SAY(p, T_SYSTEM_SINCE,
			    page_date_time_html(p, m->since_s));
			HTML(&p->b, " ");
		}
		if (m->at_s > 0)
			PAGE_SAY(p, T_LAST_RESULT, page_time_html(p, m->at_s));
		HTML(&p->b, " ");
		page_word(p, T_PING);
		HTML(&p->b, ": ");
		part_ping(p, m);
	}
	HTML(&p->b, "</p></section>");
}

static void
put_days(struct page *p, const struct msg_watch_system *m)
{
	if (m->days.n == 0)
		return;
	HTML(&p->b, "<section aria-labelledby=\"days\"><h2 id=\"days\">");
	page_word(p, T_NINETY_DAYS);
	HTML(&p->b, "</h2><div class=\"past tall\">");
	part_days(p, m);
	HTML(&p->b, "<p class=\"uptime\">");
	part_uptime(p, m);
	HTML(&p->b, "</p></div>");
	part_trouble(p, m);
	HTML(&p->b, "</section>");
}

static void
put_spans(struct page *p, const struct view *v)
{
	HTML(&p->b, "<nav aria-label=\"");
	page_word(p, T_SPANS);
	HTML(&p->b, "\"><ul class=\"spans\">");
	for (size_t i = 0; i < WATCH_SPANS; i++) {
		struct buf path = BUF_INIT(KIB(1));

		html_path(&path, "/systems/", v->m->key);
		buf_put_c(&path, spans[i].end);
		HTML(&p->b, "<li><a");
		if (i == v->chart->span)
			HTML(&p->b, " aria-current=\"page\"");
		page_href(p, buf_str(&path));
		HTML(&p->b, ">");
		page_word(p, spans[i].w);
		HTML(&p->b, "</a></li>");
		buf_done(&path);
	}
	HTML(&p->b, "</ul></nav>");
}

static void
put_month(struct page *p, const struct msg_watch_month *m)
{
	unsigned year, month;

	status_month_of(m->from_s, &year, &month);
	HTML(&p->b, "<tr><th scope=\"row\">");
	buf_put_str(&p->b, page_month_html(p, year, month));
	HTML(&p->b, "</th><td>");
	if (m->has_uptime)
		buf_put_str(&p->b, page_percent_html(p, m->uptime_ppm));
	HTML(&p->b, "</td><td>");
	if (m->down_s > 0)
		buf_put_str(&p->b, page_span_html(p, m->down_s));
	else
		HTML(&p->b, "\xE2\x80\x93");
	HTML(&p->b, "</td><td>");
	buf_put_str(&p->b, page_percent_html(p, m->coverage_ppm));
	HTML(&p->b, "</td></tr>");
}

static void
put_months(struct page *p, const struct chart *c)
{
	static const enum word heads[] = { T_MONTH, T_UP_SHARE, T_DOWN_TIME,
		T_WATCHED_SHARE };

	if (!c->is_there || c->n_months == 0)
		return;
	HTML(&p->b, "<section aria-labelledby=\"months\"><h2 id=\"months\">");
	page_word(p, T_MONTHS);
	HTML(&p->b, "</h2><table><thead><tr>");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		HTML(&p->b, "<th scope=\"col\">");
		page_word(p, heads[i]);
		HTML(&p->b, "</th>");
	}
	HTML(&p->b, "</tr></thead><tbody>");
	for (size_t i = c->n_months; i > 0; i--)
		put_month(p, &c->months[i - 1]);
	HTML(&p->b, "</tbody></table></section>");
}

static bool
is_about(const struct posts_entry *e, const void *arg)
{
	const struct str *id = arg;
	enum status_impact impact;

	return status_affects_find(&e->post.affects, *id, &impact) ||
	       status_post_has_tag(&e->post, *id) ||
	       str_search_case(e->post.title, *id) >= 0;
}

static void
put_posts(struct page *p, const struct msg_watch_system *m)
{
	size_t at = p->b.n;

	HTML(&p->b, "<section aria-labelledby=\"posts\"><h2 id=\"posts\">");
	PAGE_SAY(p, T_ABOUT_SYSTEM, page_text_html(p, m->id));
	HTML(&p->b, "</h2>");
	if (part_post_list(p, is_about, &m->id) == 0)
		p->b.n = at;
	else
		HTML(&p->b, "</section>");
}

static void
render(struct page *p, const void *arg)
{
	const struct view *v = arg;

	p->feed = page_join(p, "/systems/", v->m->key);
	page_begin(p, page_text_html(p, v->m->id),
	    shown_system(
		site_state(p->sv->site), v->m, said_of_system(p->sv, v->m))
		.look);
	put_head(p, v->m);
	put_days(p, v->m);
	HTML(&p->b, "<section aria-labelledby=\"chart\"><h2 id=\"chart\">");
	page_word(p, T_REPLY_TIMES);
	HTML(&p->b, "</h2>");
	put_spans(p, v);
	part_chart(p, v->chart);
	HTML(&p->b, "</section>");
	put_months(p, v->chart);
	put_posts(p, v->m);
	page_end(p);
}

/* --- asking ------------------------------------------------------------------------------- */

static void
free_look_up(struct look_up *l)
{
	free(l->key);
	free(l);
}

static void
on_chart(void *arg, const struct chart *chart)
{
	struct look_up *l = arg;
	struct server *sv = visit_server(l->v);
	/* It may be gone by now. */
	struct view view = { site_find(sv->site, str_c(l->key)), chart };
	struct buf path = BUF_INIT(KIB(1));

	if (view.m == NULL || (view.m->flags & WATCH_SITE_INTERNAL)) {
		page_error(l->v, 404);
	} else {
		html_path(&path, "/systems/", view.m->key);
		buf_put_c(&path, spans[chart->span].end);
		page_serve_version(
		    l->v, buf_str(&path), chart->version, render, &view);
	}
	buf_done(&path);
	free_look_up(l);
}

static void
on_gone(void *arg)
{
	struct look_up *l = arg;

	charts_cancel(l->ask);
	free_look_up(l);
}

static bool
read_path(struct str rest, struct str *ret_id, unsigned *ret_span)
{
	struct str end = str_split(rest, '/', ret_id);

	*ret_span = WATCH_SPAN_2_DAYS;
	if (ret_id->n == rest.n)
		return true;
	for (unsigned i = 1; i < WATCH_SPANS; i++)
		if (str_eq(end, str_c(spans[i].end + 1))) {
			*ret_span = i;
			return true;
		}
	return false;
}

void
page_system(struct visit *v)
{
	struct server *sv = visit_server(v);
	const struct msg_watch_system *m;
	struct look_up *l;
	struct chart_ask *ask;
	struct str id;
	unsigned span;

	if (!read_path(visit_rest(v), &id, &span) ||
	    (m = site_find(sv->site, id)) == NULL ||
	    (m->flags & WATCH_SITE_INTERNAL)) {
		page_error(v, 404);
		return;
	}
	l = X_NEW(struct look_up);
	l->v = v;
	l->key = str_dup(m->key);
	ask = charts_get(sv->charts, m->key, span, on_chart, l);
	if (ask == NULL)
		return;
	l->ask = ask;
	visit_wait(v, on_gone, l);
}
