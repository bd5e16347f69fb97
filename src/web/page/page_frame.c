/* SPDX-License-Identifier: ISC */
/* page_frame.c - head, header and footer of every page. See page.h. */
#include "web/page/page_frame.h"

#include "conf/link_text.h"
#include "proto/status/status_path.h"
#include "web/copy.h"
#include "web/feed/feeds.h"
#include "web/page/page.h"
#include "web/site.h"

static const char style[] =
#include "web/page/style.def"
    ;
static const char script[] =
#include "web/page/script.def"
    ;

static const char check_script[] =
#include "web/page/check_script.def"
    ;

struct str
page_style(void)
{
	return str_make(style, sizeof(style) - 1);
}

struct str
page_script(void)
{
	return str_make(script, sizeof(script) - 1);
}

struct str
page_check_script(void)
{
	return str_make(check_script, sizeof(check_script) - 1);
}

enum look
look_of(enum watch_status s)
{
	static const enum look looks[] = { [WATCH_UNKNOWN] = LOOK_UNKNOWN,
		[WATCH_UP] = LOOK_UP,
		[WATCH_DEGRADED] = LOOK_DEGRADED,
		[WATCH_DOWN] = LOOK_DOWN };

	return looks[s];
}

const char *
look_name(enum look l)
{
	static const char *const names[LOOKS] = { "plain", "up", "degraded",
		"down", "planned", "unknown" };

	return names[l];
}

struct str
page_site_name(const struct page *p)
{
	const struct conf *c = p->sv->conf;

	return str_c(c->site_title[0] ? c->site_title : c->hostname);
}

/* --- links and shapes ----------------------------------------------------------------- */

void
page_href(struct page *p, struct str path)
{
	HTML(&p->b, " href=\"");
	html_text(&p->b, path);
	if (p->is_asked)
		buf_printf(&p->b, "?lang=%s", language_code(p->lang));
	HTML(&p->b, "\"");
}

void
page_shape(struct page *p, enum look l)
{
	buf_printf(&p->b,
	    "<svg class=\"shape %s\" aria-hidden=\"true\"><use "
	    "href=\"#s-%s\"/></svg>",
	    look_name(l), look_name(l));
}

void
page_state(struct page *p, enum look l, enum word w)
{
	buf_printf(&p->b, "<span class=\"state %s\">", look_name(l));
	page_shape(p, l);
	page_word(p, w);
	HTML(&p->b, "</span>");
}

bool
page_contact(struct page *p, enum word w)
{
	struct str c = str_c(p->sv->conf->site_contact);

	if (c.n == 0)
		return false;
	if (link_is_url(c) || str_find(c, '@') > 0) {
		HTML(&p->b, "<a href=\"");
		if (!link_is_url(c))
			HTML(&p->b, "mailto:");
		html_text(&p->b, c);
		HTML(&p->b, "\">");
		page_word(p, w);
		HTML(&p->b, "</a>");
	} else {
		page_word(p, w);
		HTML(&p->b, ": ");
		html_text(&p->b, c);
	}
	return true;
}

/* --- the frame ------------------------------------------------------------------------ */

/* Shapes that differ by form, not only by colour; drawn once, used often. */
static void
put_shapes(struct page *p)
{
	HTML(&p->b,
	    "<svg class=\"shapes\" aria-hidden=\"true\">"
	    "<symbol id=\"s-up\" viewBox=\"0 0 16 16\"><circle cx=\"8\" "
	    "cy=\"8\" "
	    "r=\"7\"/></symbol>"
	    "<symbol id=\"s-degraded\" viewBox=\"0 0 16 16\"><path "
	    "d=\"M8 .8 15.6 15H.4z\"/></symbol>"
	    "<symbol id=\"s-down\" viewBox=\"0 0 16 16\"><path d=\"M3.2.6 8 "
	    "5.4 12.8.6l2.6 2.6L10.6 8l4.8 4.8-2.6 2.6L8 10.6l-4.8 "
	    "4.8-2.6-2.6L5.4 8 .6 3.2z\"/></symbol>"
	    "<symbol id=\"s-planned\" viewBox=\"0 0 16 16\"><path "
	    "fill=\"none\" "
	    "stroke=\"currentColor\" stroke-width=\"2\" d=\"M8 1.5 14.5 8 8 "
	    "14.5 1.5 8zM5 8l3-3M6.5 9.5l3-3M8 11l3-3\"/></symbol>"
	    "<symbol id=\"s-unknown\" viewBox=\"0 0 16 16\"><circle cx=\"8\" "
	    "cy=\"8\" r=\"6\" fill=\"none\" stroke=\"currentColor\" "
	    "stroke-width=\"2\"/></symbol>"
	    "<symbol id=\"s-plain\" viewBox=\"0 0 16 16\"><path "
	    "d=\"M1 6.8h14v2.4H1z\"/></symbol></svg>");
}

static void
put_languages(struct page *p)
{
	HTML(&p->b, "<nav class=\"languages\" aria-label=\"");
	page_word(p, T_LANGUAGES);
	HTML(&p->b, "\"><ul>");
	for (unsigned i = 0; i < LANGUAGES; i++) {
		const char *code = language_code((enum language)i);

		buf_printf(
		    &p->b, "<li lang=\"%s\"><a hreflang=\"%s\"", code, code);
		if (i == p->lang)
			HTML(&p->b, " aria-current=\"true\"");
		HTML(&p->b, " href=\"");
		html_text(&p->b, p->path);
		buf_printf(&p->b, "?lang=%s\">", code);
		buf_put_c(&p->b, language_name((enum language)i));
		HTML(&p->b, "</a></li>");
	}
	HTML(&p->b, "</ul></nav>");
}

/* On a phone the first word has to do; it is read out as a whole. */
static void
put_check(struct page *p)
{
	struct str whole = word(p->lang, T_NAV_CHECK);
	struct str first = word(p->lang, T_NAV_CHECK_SHORT);

	html_text(&p->b, first);
	HTML(&p->b, "<span class=\"rest\">");
	html_text(&p->b, str_from(whole, first.n));
	HTML(&p->b, "</span>");
}

static void
put_nav_link(struct page *p, struct str path, enum word w)
{
	HTML(&p->b, "<li><a");
	page_href(p, path);
	if (str_eq(path, p->path))
		HTML(&p->b, " aria-current=\"page\"");
	HTML(&p->b, ">");
	if (w == T_NAV_CHECK)
		put_check(p);
	else
		page_word(p, w);
	HTML(&p->b, "</a></li>");
}

static void
put_header(struct page *p)
{
	HTML(&p->b, "<a class=\"skip\" href=\"#main\">");
	page_word(p, T_SKIP);
	HTML(&p->b, "</a><header class=\"top\"><p class=\"name\"><a");
	page_href(p, STR("/"));
	HTML(&p->b, "><b>");
	html_text(&p->b, page_site_name(p));
	HTML(&p->b, "</b> <span>");
	page_word(p, T_STATUS);
	HTML(&p->b, "</span></a></p><nav aria-label=\"");
	page_word(p, T_NAV);
	HTML(&p->b, "\"><ul>");
	put_nav_link(p, STR("/check"), T_NAV_CHECK);
	put_nav_link(p, STR("/archive"), T_NAV_ARCHIVE);
	put_nav_link(p, STR("/search"), T_SEARCH);
	put_nav_link(p, STR("/subscribe"), T_NAV_SUBSCRIBE);
	HTML(&p->b, "</ul></nav></header>");
}

static void
put_title(struct page *p, struct str title)
{
	struct str name = page_text_html(p, page_site_name(p));

	HTML(&p->b, "<title>");
	if (title.n == 0) {
		PAGE_SAY(p, T_SITE_TITLE, name);
	} else {
		buf_put_str(&p->b, title);
		HTML(&p->b, " \xE2\x80\x93 "); /* an en dash */
		buf_put_str(&p->b, name);
	}
	HTML(&p->b, "</title>");
}

void
page_begin(struct page *p, struct str title, enum look look)
{
	HTML(&p->b, "<!DOCTYPE html>\n<html lang=\"");
	buf_put_c(&p->b, language_code(p->lang));
	HTML(&p->b, "\" data-here=\"");
	page_word(p, T_HERE);
	HTML(&p->b, "\"");
	/* A copy renews itself (copy.h). */
	if (!p->is_copy && status_path_is_live(p->path))
		HTML(&p->b, " data-live");
	HTML(&p->b, "><head><meta charset=\"utf-8\">");
	if (p->is_copy)
		copy_put_head(p);
	HTML(&p->b, "<meta name=\"viewport\" "
		    "content=\"width=device-width,initial-scale=1\">");
	put_title(p, title);
	HTML(&p->b, "<meta name=\"color-scheme\" content=\"light "
		    "dark\"><link rel=\"icon\" href=\"/favicon.svg\" "
		    "type=\"image/svg+xml\">");
	feeds_put_links(&p->b, p->feed, page_site_name(p));
	HTML(&p->b, "<style>");
	buf_put_str(&p->b, page_style());
	HTML(&p->b, "</style></head><body class=\"is-");
	buf_put_c(&p->b, look_name(look));
	if (site_state(p->sv->site)->is_stale)
		HTML(&p->b, " is-stale");
	HTML(&p->b, "\">");
	put_shapes(p);
	if (p->is_copy)
		copy_put_banner(p);
	put_header(p);
	HTML(&p->b, "<main id=\"main\">");
}

static void
put_links(struct page *p)
{
	struct str rest = str_c(p->sv->conf->site_links), line, url, title;

	if (rest.n == 0 && !p->sv->conf->site_home[0] &&
	    !p->sv->conf->site_contact[0])
		return;
	HTML(&p->b, "<ul class=\"links\">");
	if (link_is_url(str_c(p->sv->conf->site_home))) {
		HTML(&p->b, "<li><a href=\"");
		html_text(&p->b, str_c(p->sv->conf->site_home));
		HTML(&p->b, "\">");
		html_text(&p->b, page_site_name(p));
		HTML(&p->b, "</a></li>");
	}
	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		if (!link_parse(line, &url, &title))
			continue;
		HTML(&p->b, "<li><a href=\"");
		html_text(&p->b, url);
		HTML(&p->b, "\">");
		html_text(&p->b, title);
		HTML(&p->b, "</a></li>");
	}
	if (p->sv->conf->site_contact[0]) {
		HTML(&p->b, "<li>");
		(void)page_contact(p, T_DO_CONTACT);
		HTML(&p->b, "</li>");
	}
	HTML(&p->b, "</ul>");
}

void
page_end(struct page *p)
{
	HTML(&p->b, "</main><footer>");
	put_links(p);
	put_languages(p);
	HTML(&p->b, "<p>");
	PAGE_SAY(p, T_MADE_AT, page_date_time_html(p, p->now_s));
	HTML(&p->b, "</p></footer><script>");
	buf_put_str(&p->b, page_script());
	HTML(&p->b, "</script>");
	if (p->is_copy)
		copy_put_script(p);
	HTML(&p->b, "</body></html>\n");
}
