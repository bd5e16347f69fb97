/* SPDX-License-Identifier: ISC */
/* part_systems.c - systems at a glance. See parts.h. */
#include "web/page/parts.h"

#include "proto/status/status_system.h"

#define DAY_S UINT64_C(86400)

enum word
word_of_role(unsigned role)
{
	static const enum word words[STATUS_ROLES] = {
		[STATUS_ROLE_MAIL] = T_R_MAIL,
		[STATUS_ROLE_RELAY] = T_R_RELAY,
		[STATUS_ROLE_WEB] = T_R_WEB,
		[STATUS_ROLE_PRIMARY_NS] = T_R_PRIMARY_NS,
		[STATUS_ROLE_SECONDARY_NS] = T_R_SECONDARY_NS,
		[STATUS_ROLE_PHONE] = T_R_PHONE,
		[STATUS_ROLE_MONITORING] = T_R_MONITORING,
		[STATUS_ROLE_STATUS] = T_R_STATUS,
		[STATUS_ROLE_OTHER] = T_R_OTHER,
	};

	return role < STATUS_ROLES ? words[role] : T_R_OTHER;
}

void
part_place(struct page *p, const struct msg_watch_system *m)
{
	html_text(&p->b, m->city);
	if (m->city.n > 0 && m->country.n > 0)
		HTML(&p->b, ", ");
	html_text(&p->b, m->country);
}

void
part_ping(struct page *p, const struct msg_watch_system *m)
{
	struct buf ms = BUF_INIT(64);

	if (m->at_s == 0 || m->outcome == WATCH_INCONCLUSIVE ||
	    site_state(p->sv->site)->is_stale) {
		HTML(&p->b, "\xE2\x80\x93"); /* an en dash */
	} else if (m->outcome == WATCH_FAILED) {
		page_word(p, T_NO_REPLY);
	} else {
		page_put_ms(p, &ms, m->us);
		PAGE_SAY(p, T_MS, buf_str(&ms));
	}
	buf_done(&ms);
}

/* --- one day --------------------------------------------------------------------------- */

/* How high the other colour is: four steps, so that a minute can be seen. */
static unsigned
step_of(uint32_t bad_s, uint64_t known_s)
{
	uint64_t permille = known_s > 0 ? bad_s * UINT64_C(1000) / known_s : 0;

	return permille < 10 ? 1 : permille < 50 ? 2 : permille < 250 ? 3 : 4;
}

static void
put_class(struct page *p, const struct site_day *d)
{
	uint64_t known = (uint64_t)d->up_s + d->degraded_s + d->down_s;

	if (d->down_s > 0)
		buf_printf(&p->b, "d%u", step_of(d->down_s, known));
	else if (d->degraded_s > 0)
		buf_printf(&p->b, "g%u", step_of(d->degraded_s, known));
	else if (d->planned_s > d->up_s)
		HTML(&p->b, "p");
	else if (d->up_s > 0)
		HTML(&p->b, "u");
	else
		HTML(&p->b, "n");
}

static void
put_part(struct page *p, bool *is_first, enum word w, uint32_t seconds)
{
	if (seconds == 0)
		return;
	if (!*is_first)
		HTML(&p->b, ", ");
	*is_first = false;
	PAGE_SAY(p, w, page_span_html(p, seconds));
}

/* "12 Jun: down 14 min, planned work 2 h" */
static void
put_day_text(struct page *p, uint64_t from_s, const struct site_day *d)
{
	bool is_first = true;

	buf_put_str(&p->b, page_day_html(p, from_s));
	HTML(&p->b, ": ");
	put_part(p, &is_first, T_DAY_DOWN, d->down_s);
	put_part(p, &is_first, T_DAY_DEGRADED, d->degraded_s);
	put_part(p, &is_first, T_DAY_PLANNED, d->planned_s);
	if (is_first)
		page_word(p, d->up_s > 0 ? T_DAY_UP : T_DAY_NONE);
}

/* --- ninety ------------------------------------------------------------------------------ */

static void
put_bars(struct page *p, const struct msg_watch_system *m, uint64_t today_s)
{
	HTML(&p->b, "<ol class=\"days\" tabindex=\"0\" aria-label=\"");
	PAGE_SAY(p, T_BARS_OF, page_text_html(p, m->id));
	HTML(&p->b, "\">");
	for (unsigned i = 0; i < WATCH_SITE_DAYS; i++) {
		uint64_t from = today_s - (WATCH_SITE_DAYS - 1 - i) * DAY_S;
		struct site_day d;

		if (!site_day(m, i, &d))
			break;
		HTML(&p->b, "<li class=\"");
		put_class(p, &d);
		HTML(&p->b, "\"><b>");
		put_day_text(p, from, &d);
		HTML(&p->b, "</b></li>");
	}
	HTML(&p->b, "</ol>");
}

void
part_days(struct page *p, const struct msg_watch_system *m)
{
	if (m->days.n > 0)
		put_bars(p, m, site_state(p->sv->site)->today_s);
}

static bool
is_trouble(const struct site_day *d)
{
	return d->down_s > 0 || d->degraded_s > 0 || d->planned_s > 0;
}

void
part_trouble(struct page *p, const struct msg_watch_system *m)
{
	uint64_t today_s = site_state(p->sv->site)->today_s;
	bool is_first = true;

	for (unsigned ago = 0; ago < WATCH_SITE_DAYS; ago++) {
		struct site_day d;

		if (!site_day(m, WATCH_SITE_DAYS - 1 - ago, &d) ||
		    !is_trouble(&d))
			continue;
		if (is_first)
			HTML(&p->b, "<ul class=\"trouble\">");
		is_first = false;
		HTML(&p->b, "<li>");
		put_day_text(p, today_s - ago * DAY_S, &d);
		HTML(&p->b, "</li>");
	}
	if (is_first) {
		HTML(&p->b, "<p class=\"hint\">");
		page_word(p, T_NO_TROUBLE);
		HTML(&p->b, "</p>");
	} else {
		HTML(&p->b, "</ul>");
	}
}

void
part_uptime(struct page *p, const struct msg_watch_system *m)
{
	uint64_t oldest =
	    site_state(p->sv->site)->today_s - (WATCH_SITE_DAYS - 1) * DAY_S;
	struct str up;

	if (!(m->flags & WATCH_SITE_UPTIME))
		return;
	up = page_percent_html(p, m->uptime_ppm);
	/* Younger than the bars: their beginning says more than a share. */
	if (m->first_s > oldest + 2 * DAY_S)
		PAGE_SAY(p, T_UP_SINCE_FIRST, up,
		    m->first_s / DAY_S == p->now_s / DAY_S
			? page_time_html(p, m->first_s)
			: page_day_html(p, m->first_s));
	else
		PAGE_SAY(
		    p, T_UPTIME_OF, up, page_percent_html(p, m->coverage_ppm));
}

/* --- the list ------------------------------------------------------------------------------ */

static void
put_status(struct page *p, const struct msg_watch_system *m)
{
	struct shown is =
	    shown_system(site_state(p->sv->site), m, said_of_system(p->sv, m));

	HTML(&p->b, "<p class=\"is\">");
	page_state(p, is.look, is.word);
	if (is.look != LOOK_PLANNED && (m->flags & WATCH_SITE_PLANNED)) {
		HTML(&p->b, " ");
		page_state(p, LOOK_PLANNED, T_S_PLANNED);
	}
	if (m->flags & WATCH_SITE_UNSTABLE) {
		HTML(&p->b, " <span class=\"hint\">");
		page_word(p, T_S_UNSTABLE);
		HTML(&p->b, "</span>");
	}
	HTML(&p->b, "</p>");
}

static void
put_name(struct page *p, const struct msg_watch_system *m)
{
	struct buf path = BUF_INIT(KIB(1));

	html_path(&path, "/systems/", m->key);
	HTML(&p->b, "<div class=\"who\"><h3><a");
	page_href(p, buf_str(&path));
	HTML(&p->b, ">");
	html_text(&p->b, m->id);
	HTML(&p->b, "</a></h3><p><span>");
	page_word(p, word_of_role(m->role));
	HTML(&p->b, "</span> <span>");
	part_place(p, m);
	HTML(&p->b, "</span></p></div>");
	buf_done(&path);
}

static void
put_system(struct page *p, const struct msg_watch_system *m)
{
	HTML(&p->b, "<li>");
	put_name(p, m);
	put_status(p, m);
	HTML(&p->b, "<p class=\"ping\">");
	page_word(p, T_PING);
	HTML(&p->b, " ");
	part_ping(p, m);
	HTML(&p->b, "</p>");
	if (m->days.n > 0) {
		HTML(&p->b, "<div class=\"past\">");
		part_days(p, m);
		HTML(&p->b, "<p class=\"uptime\">");
		part_uptime(p, m);
		HTML(&p->b, "</p></div>");
	}
	HTML(&p->b, "</li>");
}

static void
put_legend(struct page *p)
{
	static const struct {
		const char *class;
		enum word w;
	} items[] = {
		{ "u", T_S_UP },
		{ "g4", T_S_DEGRADED },
		{ "d4", T_S_DOWN },
		{ "p", T_S_PLANNED },
		{ "n", T_DAY_NONE },
	};

	HTML(&p->b, "<p class=\"hint\">");
	page_word(p, T_GLANCE_HINT);
	HTML(&p->b, "</p><ul class=\"legend\" aria-label=\"");
	page_word(p, T_LEGEND);
	HTML(&p->b, "\">");
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		buf_printf(&p->b, "<li><i class=\"%s\"></i>", items[i].class);
		page_word(p, items[i].w);
		HTML(&p->b, "</li>");
	}
	HTML(&p->b, "</ul>");
}

static bool
is_internal(const struct msg_watch_system *m)
{
	return (m->flags & WATCH_SITE_INTERNAL) != 0;
}

/* Name, role, place: role watch tells no more of them. */
static void
put_internal(struct page *p, const struct msg_watch_system *m)
{
	HTML(&p->b, "<li>");
	html_text(&p->b, m->id);
	HTML(&p->b, " <span>");
	page_word(p, word_of_role(m->role));
	if (m->city.n + m->country.n > 0)
		HTML(&p->b, ", ");
	part_place(p, m);
	HTML(&p->b, "</span></li>");
}

/* One line that opens without a script. */
static void
put_internals(struct page *p, const struct site_state *t, size_t n)
{
	if (n == 0)
		return;
	HTML(&p->b, "<details class=\"internal\"><summary>");
	if (n == 1)
		page_word(p, T_INTERNAL_ONE);
	else
		PAGE_SAY(p, T_INTERNAL_MANY, page_number_html(p, n));
	HTML(&p->b, "</summary><p>");
	page_word(p, T_INTERNAL_HINT);
	HTML(&p->b, "</p><ul>");
	for (size_t i = 0; i < t->n_systems; i++)
		if (is_internal(&t->systems[i]))
			put_internal(p, &t->systems[i]);
	HTML(&p->b, "</ul></details>");
}

static void
put_publics(struct page *p, const struct site_state *t)
{
	HTML(&p->b, "<ul class=\"systems\">");
	for (size_t i = 0; i < t->n_systems; i++)
		if (!is_internal(&t->systems[i]))
			put_system(p, &t->systems[i]);
	HTML(&p->b, "</ul>");
}

void
part_systems(struct page *p)
{
	const struct site_state *t = site_state(p->sv->site);
	size_t internal = 0;

	for (size_t i = 0; i < t->n_systems; i++)
		internal += is_internal(&t->systems[i]);
	if (t->n_systems == 0)
		return;
	HTML(&p->b, "<section aria-labelledby=\"systems\"><h2 id=\"systems\">");
	page_word(p, T_GLANCE);
	HTML(&p->b, "</h2>");
	if (internal < t->n_systems)
		put_publics(p, t);
	put_internals(p, t, internal);
	if (internal < t->n_systems)
		put_legend(p);
	HTML(&p->b, "</section>");
}
