/* SPDX-License-Identifier: ISC */
/*
 * badges.c - /badge.svg and /badge/SYSTEM.svg: the state as an image for other
 * people's pages; with ?uptime=7, 30 or 90 the share of that many days.
 */
#include "proto/feed/badge.h"
#include "proto/http/http_text.h"
#include "proto/watch/watch_worst.h"
#include "web/page/document.h"
#include "web/page/pages.h"
#include "web/page/parts.h"

#define DAYS_MAX WATCH_SITE_DAYS

struct wanted {
	struct str system; /* its key as kept; empty: all */
	uint32_t days;     /* 0: the state */
};

/* How the page calls it is the page's; here are the colours. */
static enum badge_colour
colour_of(enum look l)
{
	static const enum badge_colour colours[LOOKS] = {
		[LOOK_PLAIN] = BADGE_UNKNOWN,
		[LOOK_UP] = BADGE_OK,
		[LOOK_DEGRADED] = BADGE_DEGRADED,
		[LOOK_DOWN] = BADGE_DOWN,
		[LOOK_PLANNED] = BADGE_PLANNED,
		[LOOK_UNKNOWN] = BADGE_UNKNOWN,
	};

	return colours[l];
}

/* --- the state ------------------------------------------------------------------------- */

static void
put_state(struct document *d, struct str label, struct shown is)
{
	bool is_stale =
	    site_state(d->sv->site)->is_stale && is.look == LOOK_UNKNOWN;
	enum word w = is_stale ? T_F_STALE : is.word;

	badge_put(&d->b, &(struct badge){ .label = label,
			     .value = word(d->lang, w),
			     .colour = colour_of(is.look) });
}

/* --- uptime ---------------------------------------------------------------------------- */

/* Seconds of the last days, of one system, or of all together. */
static void
add_days(const struct msg_watch_system *m, uint32_t days, struct site_day *sum,
    uint64_t *up, uint64_t *known)
{
	for (unsigned i = DAYS_MAX - days; i < DAYS_MAX; i++) {
		if (!site_day(m, i, sum))
			continue;
		/* As on the page: degraded is up, planned is neither. */
		*up += (uint64_t)sum->up_s + sum->degraded_s;
		*known += (uint64_t)sum->up_s + sum->degraded_s + sum->down_s;
	}
}

static void
put_uptime(struct document *d, struct str label, const struct wanted *w)
{
	const struct site_state *t = site_state(d->sv->site);
	struct badge b = { .colour = BADGE_UNKNOWN };
	struct buf full = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(1));
	uint64_t up = 0, known = 0;
	struct site_day day;

	for (size_t i = 0; i < t->n_systems; i++)
		if (w->system.n == 0 || str_eq(t->systems[i].key, w->system))
			add_days(&t->systems[i], w->days, &day, &up, &known);
	buf_put_str(&full, label);
	buf_put_char(&full, ' ');
	buf_put_str(&full, word(d->lang, T_F_UPTIME));
	buf_printf(&full, " %u d", (unsigned)w->days);
	if (known > 0) {
		uint32_t ppm = (uint32_t)(up * 1000000 / known);

		badge_put_uptime(&value, ppm);
		b.colour = ppm >= 999000   ? BADGE_OK
		           : ppm >= 990000 ? BADGE_DEGRADED
		                           : BADGE_DOWN;
	} else {
		buf_put_str(&value, word(d->lang, T_S_UNKNOWN));
	}
	b.label = buf_str(&full);
	b.value = buf_str(&value);
	badge_put(&d->b, &b);
	buf_done(&full);
	buf_done(&value);
}

/* --- documents ------------------------------------------------------------------------- */

static bool
write_badge(struct document *d, const void *arg)
{
	const struct wanted *w = arg;
	const struct site_state *t = site_state(d->sv->site);
	const struct msg_watch_system *m = NULL;
	enum look look = verdict_of(d->sv).look;

	if (w->system.n > 0) {
		m = site_find(d->sv->site, w->system);
		/* Of one that is internal nothing is told. */
		if (m == NULL || (m->flags & WATCH_SITE_INTERNAL))
			return false;
	}
	if (w->days > 0)
		put_uptime(d, m != NULL ? m->id : d->name, w);
	else if (m != NULL)
		put_state(
		    d, m->id, shown_system(t, m, said_of_system(d->sv, m)));
	else
		put_state(
		    d, d->name, (struct shown){ look, word_of_look(look) });
	return true;
}

/* False: it was answered. */
static bool
read_days(struct visit *v, uint32_t *ret)
{
	struct buf b = BUF_INIT(16);
	bool is_there =
	    http_form_get(visit_request(v)->query, STR("uptime"), &b);
	bool ok = !is_there || str_to_u32(buf_str(&b), DAYS_MAX, ret);

	buf_done(&b);
	if (ok && (!is_there || *ret == 7 || *ret == 30 || *ret == 90))
		return true;
	visit_reply_error(v, 400, "uptime is 7, 30 or 90.");
	return false;
}

static void
serve(struct visit *v, struct str system)
{
	static const struct document_kind kind = {
		"image/svg+xml",
		/* For other people's pages, whatever they have set. */
		"Cross-Origin-Resource-Policy: cross-origin\r\n",
		60,
	};
	struct wanted w = { .system = system };
	struct buf key = BUF_INIT(KIB(1));

	if (!read_days(v, &w.days))
		return;
	buf_printf(&key, "badge %u ", (unsigned)w.days);
	buf_put_str(&key, system);
	document_serve(v, &kind, buf_str(&key), write_badge, &w);
	buf_done(&key);
}

void
badge_all(struct visit *v)
{
	serve(v, STR(""));
}

void
badge_system(struct visit *v)
{
	const struct msg_watch_system *m =
	    site_find(visit_server(v)->site, visit_rest(v));

	if (m == NULL)
		visit_reply_error(v, 404, "There is no such system.");
	else
		serve(v, m->key);
}
