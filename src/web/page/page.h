/* SPDX-License-Identifier: ISC */
/*
 * page.h - one page that is being written: its frame, and what all pages say
 * in the same way: words, times, states, links.
 *
 * Everything is written into p->b. Functions that give a struct str give HTML
 * that lives as long as the page: for word_put() and the like. A page loads
 * nothing: one style sheet and one script of a few lines are in it, and its
 * Content-Security-Policy names their hashes.
 */
#pragma once

#include "base/arena.h"
#include "proto/watch/watch_vantage.h"
#include "web/page/html.h"
#include "web/visit.h"
#include "web/page/words.h"

#define PAGE_MAX MIB(4)

struct page {
	struct server *sv;
	enum language lang;
	bool is_asked; /* the language stands in the address: links keep it */
	bool is_copy;  /* for a static copy (copy.h): it tells its own age */
	uint64_t now_s;
	struct buf b;
	struct arena arena;
	/* Of the address that shows this page in another language. */
	struct str path;
	/* Whose feeds the page names: as for feeds_put_links(); everything's, when
	 * nothing is set before page_begin(). */
	struct str feed;
};

/* The title and the style of the whole: what is worst. */
enum look {
	LOOK_PLAIN,
	LOOK_UP,
	LOOK_DEGRADED,
	LOOK_DOWN,
	LOOK_PLANNED,
	LOOK_UNKNOWN,
	LOOKS
};
enum look look_of(enum watch_status s);
/* "up", "degraded", ...: the end of the names of classes and shapes. */
const char *look_name(enum look l);

/* What pages have in common, made once. */
struct page_kit;
struct page_kit *page_kit_new(void);
void page_kit_free(struct page_kit *k);

typedef void (*page_fn)(struct page *p, const void *arg);
/*
 * Answer with what fn writes: made once for each change of the state, and kept.
 * path: of the page, without a query, as links have it.
 */
void page_serve(struct visit *v, struct str path, page_fn fn, const void *arg);
/* The same of a page that shows more than the state: made anew when the version
 * of that, too, is another one. */
void page_serve_version(struct visit *v, struct str path, uint32_t version,
    page_fn fn, const void *arg);
/* The same for this visitor alone: never kept, here or on the way. policy: in
 * place of the usual one; NULL: that one. */
struct page_once {
	unsigned status;
	struct str path;
	const char *policy;
	struct str fields; /* as in visit_reply */
};
void page_answer(
    struct visit *v, const struct page_once *how, page_fn fn, const void *arg);
/* "?lang=fr", when the visitor's address says so: for a redirect. */
void page_put_asked_language(struct visit *v, struct buf *to);
/* An error in the same dress. text may be NULL. */
void page_error(struct visit *v, unsigned status);

/* The visitor's address asks more often than it may: 429, and true. */
struct limits;
bool page_is_too_fast(struct visit *v, struct limits *limits);

/* title: HTML, to which the name of the site is added; empty: the first
 * page's. */
void page_begin(struct page *p, struct str title, enum look look);
void page_end(struct page *p);

/* --- words ----------------------------------------------------------------------- */

/* The text alone, escaped, into the page; or as HTML. */
void page_word(struct page *p, enum word w);
struct str page_word_html(struct page *p, enum word w);
/* With what is put in; n of html. */
#define PAGE_SAY(p, w, ...) \
	word_put(&(p)->b, (p)->lang, (w), (const struct str[]){ __VA_ARGS__ }, \
	    ARRAY_LEN(((const struct str[]){ __VA_ARGS__ })))
#define PAGE_HTML(p, w, ...) \
	page_say_html((p), (w), (const struct str[]){ __VA_ARGS__ }, \
	    ARRAY_LEN(((const struct str[]){ __VA_ARGS__ })))
struct str page_say_html(
    struct page *p, enum word w, const struct str *html, size_t n);
struct str page_text_html(struct page *p, struct str text);
struct str page_number_html(struct page *p, uint64_t v);
/* "99.98 %", rounded down; 100 only when it is all. */
struct str page_percent_html(struct page *p, uint32_t ppm);
/* "3 h", "14 min": the largest unit, rounded down; at least a second. */
struct str page_span_html(struct page *p, uint64_t seconds);

/* Milliseconds with as many digits as count; without the unit. */
void page_put_ms(struct page *p, struct buf *to, uint32_t us);

/* Both behind each other; no HTML. */
struct str page_join(struct page *p, const char *prefix, struct str part);

/* --- times ----------------------------------------------------------------------- */

/* <time>: "14:02 UTC" of the same day, else with the date. */
struct str page_time_html(struct page *p, uint64_t t);
/* <time>: with the date always. */
struct str page_date_time_html(struct page *p, uint64_t t);
/* "12 Jun"; "June 2018" */
struct str page_day_html(struct page *p, uint64_t t);
struct str page_month_html(struct page *p, unsigned year, unsigned month);
struct tm;
void page_utc(uint64_t t, struct tm *ret);

/* --- links and shapes ------------------------------------------------------------- */

/* ' href="PATH"', with the language where it was asked for. */
void page_href(struct page *p, struct str path);
/* <svg> of a state; it says nothing to a screen reader: a word stands by. */
void page_shape(struct page *p, enum look l);
/* Shape and word. */
void page_state(struct page *p, enum look l, enum word w);
/* Where customers reach people; false and nothing written: not configured. */
bool page_contact(struct page *p, enum word w);
struct str page_site_name(const struct page *p);
