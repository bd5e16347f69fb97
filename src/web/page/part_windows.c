/* SPDX-License-Identifier: ISC */
/*
 * part_windows.c - planned work of single systems (mailstead maintenance) that has
 * not begun. What a post tells readers already is not told twice.
 */
#include "web/page/parts.h"
#include "web/table/windows.h"

#define WINDOWS_MAX 20                    /* the first; the calendar has all */
#define AGAIN_S     (UINT64_C(7) * 86400) /* of what comes again and again */

struct coming {
	const struct msg_watch_system *system;
	struct str note;
	uint64_t from_s, to_s;
};

static bool
has_post(const struct page *p, const struct coming *c)
{
	enum status_impact impact;

	for (size_t i = 0; i < posts_count(p->sv->posts); i++) {
		const struct status_post *post =
		    &posts_at(p->sv->posts, i)->post;

		if (post->kind == STATUS_PLANNED && status_post_is_open(post) &&
		    post->from_s < c->to_s && post->to_s > c->from_s &&
		    status_affects_find(
			&post->affects, c->system->key, &impact))
			return true;
	}
	return false;
}

/* False: it is not shown. Internal systems are nobody's business. */
static bool
read_window(const struct page *p, size_t i, struct coming *ret)
{
	struct status_window w;
	struct str key;

	if (!windows_at(p->sv->windows, i, &key, &w) ||
	    !status_window_turn(&w, p->now_s, &ret->from_s) ||
	    ret->from_s <= p->now_s ||
	    (w.every_s > 0 && ret->from_s > p->now_s + AGAIN_S))
		return false;
	ret->system = site_find(p->sv->site, w.system);
	ret->to_s = ret->from_s + w.length_s;
	ret->note = w.note;
	return ret->system != NULL &&
	       !(ret->system->flags & WATCH_SITE_INTERNAL) && !has_post(p, ret);
}

/* The earliest first. */
static size_t
find_windows(const struct page *p, struct coming to[WINDOWS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < windows_count(p->sv->windows); i++) {
		struct coming c;
		size_t at;

		if (!read_window(p, i, &c))
			continue;
		at = n;
		while (at > 0 && to[at - 1].from_s > c.from_s)
			at--;
		if (at == WINDOWS_MAX)
			continue;
		n = MIN(n + 1, (size_t)WINDOWS_MAX);
		memmove(&to[at + 1], &to[at], (n - at - 1) * sizeof(*to));
		to[at] = c;
	}
	return n;
}

static void
put_window(struct page *p, const struct coming *c)
{
	struct buf path = BUF_INIT(KIB(1));

	html_path(&path, "/systems/", c->system->key);
	HTML(&p->b, "<article class=\"post\"><p class=\"is\">");
	page_state(p, LOOK_PLANNED, T_ST_PLANNED);
	HTML(&p->b, "</p><h3><a");
	page_href(p, buf_str(&path));
	HTML(&p->b, ">");
	html_text(&p->b, c->system->id);
	HTML(&p->b, "</a></h3><p class=\"hint\">");
	PAGE_SAY(p, T_WINDOW, page_date_time_html(p, c->from_s),
	    page_date_time_html(p, c->to_s));
	HTML(&p->b, "</p>");
	if (c->note.n > 0) {
		HTML(&p->b, "<p>");
		html_text(&p->b, c->note);
		HTML(&p->b, "</p>");
	}
	HTML(&p->b, "</article>");
	buf_done(&path);
}

size_t
part_windows(struct page *p, void (*begin)(struct page *p))
{
	struct coming windows[WINDOWS_MAX];
	size_t n = find_windows(p, windows);

	if (n > 0)
		begin(p);
	for (size_t i = 0; i < n; i++)
		put_window(p, &windows[i]);
	return n;
}
