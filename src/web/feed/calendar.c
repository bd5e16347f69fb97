/* SPDX-License-Identifier: ISC */
/*
 * calendar.c - planned work as calendars (RFC 5545): posts about it, and
 * windows of single systems.
 *
 * /calendar.ics is all of it, for those who subscribe; /posts/NUMBER.ics and
 * /maintenance/SYSTEM-START.ics are one event each, for a link beside it.
 */
#include "base/markdown.h"
#include "proto/feed/ical.h"
#include "web/page/document.h"
#include "web/page/pages.h"
#include "web/table/posts.h"
#include "web/site.h"
#include "web/table/windows.h"

#include <inttypes.h>

#define OLD_S      (UINT64_C(90) * 86400) /* work that is over for so long */
#define EVENTS_MAX 2000
#define TEXT_MAX   KIB(4) /* bytes of a description */

static const struct document_kind kind = { "text/calendar; charset=utf-8", NULL,
	300 };

/* One of them, or all. */
struct wanted {
	uint32_t post; /* 0: none */
	struct str window;
	bool is_all;
};

/* "post-7@status.example.org": the address without its scheme. */
static struct str
uid(struct document *d, const char *what, struct str id)
{
	struct str host = d->base;
	ptrdiff_t slashes = str_search(host, STR("://"));

	if (slashes >= 0)
		host = str_from(host, (size_t)slashes + 3);
	return document_join(d,
	    document_join(d, document_join(d, str_c(what), id), STR("@")),
	    host);
}

static void
take_change(struct document *d, uint64_t changed_s)
{
	d->changed_s = MAX(d->changed_s, changed_s);
}

/* --- posts ----------------------------------------------------------------------------- */

static struct str
systems_of(struct document *d, const struct status_post *p)
{
	struct buf b = BUF_INIT(KIB(4));
	struct str kept;

	for (size_t i = 0; i < p->affects.n; i++) {
		buf_put_c(&b, i > 0 ? ", " : "");
		buf_put_str(&b, p->affects.v[i].system);
	}
	kept = document_join(d, buf_str(&b), STR(""));
	buf_done(&b);
	return kept;
}

static void
put_post(struct document *d, const struct posts_entry *e)
{
	const struct status_post *p = &e->post;
	struct buf text = BUF_INIT(MARKDOWN_TEXT_MAX);
	uint64_t changed = MAX(p->changed_s, p->published_s);
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, e->number);
	markdown_text(p->body, 0, &text);
	ical_put(&d->b,
	    &(struct ical_event){ .uid = uid(d, "post-", str_c(number)),
		/* Each change is later than the one before. */
		.sequence = (uint32_t)MIN(
		    changed - MIN(p->created_s, changed), (uint64_t)INT32_MAX),
		.summary = p->title,
		.description = str_first(buf_str(&text), TEXT_MAX),
		.location = systems_of(d, p),
		.url = document_post_id(d, e->number),
		.from_s = p->from_s,
		.to_s = p->to_s,
		.changed_s = changed });
	take_change(d, changed);
	buf_done(&text);
}

static bool
is_event(const struct status_post *p)
{
	return p->kind == STATUS_PLANNED && p->from_s > 0;
}

/* --- windows --------------------------------------------------------------------------- */

/* The key in a path and in a UID: its '/' is a '-'. */
static struct str
window_name(struct document *d, struct str key)
{
	struct str system, start = str_split(key, '/', &system);

	return document_join(d, document_join(d, system, STR("-")), start);
}

static void
put_window(struct document *d, struct str key, const struct status_window *w,
    const struct msg_watch_system *m)
{
	struct str summary =
	    w->note.n > 0
		? document_join(d, document_join(d, m->id, STR(": ")), w->note)
		: document_join(d, document_join(d, m->id, STR(": ")),
		      word(d->lang, T_ST_PLANNED));
	struct buf path = BUF_INIT(KIB(1));

	buf_put_c(&path, "/systems/");
	buf_put_str(&path, m->id);
	/* A window is made and removed, never changed: its sequence is 0. */
	ical_put(&d->b,
	    &(struct ical_event){ .uid = uid(d, "window-", window_name(d, key)),
		.summary = summary,
		.url = document_url(d, buf_str(&path)),
		.from_s = w->from_s,
		.to_s = w->from_s + w->length_s,
		.changed_s = w->from_s,
		.every_s = w->every_s });
	buf_done(&path);
}

/* Of a system that anybody may know of; nothing is told of others. */
static const struct msg_watch_system *
public_system(const struct server *sv, const struct status_window *w)
{
	const struct msg_watch_system *m = site_find(sv->site, w->system);

	return m != NULL && !(m->flags & WATCH_SITE_INTERNAL) ? m : NULL;
}

/* --- documents ------------------------------------------------------------------------- */

static size_t
put_posts(struct document *d, const struct wanted *w)
{
	uint64_t now = loop_time(d->sv->loop);
	size_t n = 0;

	for (size_t i = 0; i < posts_count(d->sv->posts) && n < EVENTS_MAX;
	     i++) {
		const struct posts_entry *e = posts_at(d->sv->posts, i);

		if (!is_event(&e->post))
			continue;
		if (w->is_all ? e->post.to_s + OLD_S < now
			      : e->number != w->post)
			continue;
		put_post(d, e);
		n++;
	}
	return n;
}

static size_t
put_windows(struct document *d, const struct wanted *w)
{
	uint64_t now = loop_time(d->sv->loop);
	size_t n = 0;

	for (size_t i = 0; i < windows_count(d->sv->windows) && n < EVENTS_MAX;
	     i++) {
		const struct msg_watch_system *m;
		struct status_window win;
		struct str key;

		if (!windows_at(d->sv->windows, i, &key, &win))
			continue;
		m = public_system(d->sv, &win);
		if (m == NULL)
			continue;
		if (w->is_all ? win.every_s == 0 &&
				    win.from_s + win.length_s + OLD_S < now
			      : !str_eq_case(window_name(d, key), w->window))
			continue;
		put_window(d, key, &win, m);
		n++;
	}
	return n;
}

static bool
write_calendar(struct document *d, const void *arg)
{
	const struct wanted *w = arg;
	struct buf name = BUF_INIT(KIB(4));
	size_t n = 0;

	word_put(&name, d->lang, T_F_CALENDAR, &d->name, 1);
	ical_begin(&d->b, buf_str(&name));
	buf_done(&name);
	if (w->is_all || w->post != 0)
		n += put_posts(d, w);
	if (w->is_all || w->window.n > 0)
		n += put_windows(d, w);
	ical_end(&d->b);
	return w->is_all || n > 0;
}

void
calendar_all(struct visit *v)
{
	document_serve(v, &kind, STR("calendar"), write_calendar,
	    &(struct wanted){ .is_all = true });
}

void
calendar_post(struct visit *v)
{
	struct wanted w = { 0 };
	struct buf key = BUF_INIT(KIB(1));

	if (!str_to_u32(visit_rest(v), STATUS_POST_MAX, &w.post) ||
	    w.post == 0) {
		visit_reply_error(v, 404, NULL);
		return;
	}
	buf_printf(&key, "calendar post %" PRIu32, w.post);
	document_serve(v, &kind, buf_str(&key), write_calendar, &w);
	buf_done(&key);
}

void
calendar_window(struct visit *v)
{
	struct wanted w = { .window = visit_rest(v) };
	struct buf key = BUF_INIT(HTTP_TARGET_MAX + 64);

	buf_put_c(&key, "calendar window ");
	status_put_key(&key, w.window);
	document_serve(v, &kind, buf_str(&key), write_calendar, &w);
	buf_done(&key);
}
