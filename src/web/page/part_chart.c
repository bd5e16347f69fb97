/* SPDX-License-Identifier: ISC */
/*
 * part_chart.c - reply times as SVG: the line is the middle, the dark band half of all
 * replies, the pale one nine of ten; marks below say that some were lost. The scale of
 * time is linear, that of milliseconds begins at nothing.
 */
#include "web/page/parts.h"

#include <time.h>

#define WIDTH  720
#define HEIGHT 220
#define RIGHT \
	78 /* room for the numbers, beside what is newest; on a phone they are large */
#define PLOT   (WIDTH - RIGHT)
#define BOTTOM 26
#define LABEL  80 /* width of a date */
#define TOP    12

struct scale {
	const struct chart *chart;
	uint32_t top_us; /* a round number */
};

static unsigned
x_of(const struct scale *s, size_t i)
{
	size_t n = s->chart->n_points;

	return (unsigned)((2 * i + 1) * PLOT / (2 * n));
}

static unsigned
y_of(const struct scale *s, uint32_t us)
{
	uint64_t room = HEIGHT - TOP - BOTTOM;
	uint64_t up = (uint64_t)MIN(us, s->top_us) * room / s->top_us;

	return (unsigned)(HEIGHT - BOTTOM - up);
}

/* 1, 2 or 5 with zeros, not below the largest value that is drawn. */
static uint32_t
round_top(const struct chart *c)
{
	uint32_t most = 200, top = 100;

	for (size_t i = 0; i < c->n_points; i++)
		most = MAX(most, c->points[i].p95);
	for (unsigned step = 0; top < most && top < 100000000; step++)
		top = step % 3 == 1 ? top / 2 * 5 : top * 2;
	return top;
}

static bool
has_replies(const struct msg_watch_point *p)
{
	return p->p50 > 0;
}

/* --- shapes --------------------------------------------------------------------------- */

typedef uint32_t (*pick_fn)(const struct msg_watch_point *p);

static uint32_t
pick_p5(const struct msg_watch_point *p)
{
	return p->p5;
}

static uint32_t
pick_p25(const struct msg_watch_point *p)
{
	return p->p25;
}

static uint32_t
pick_p50(const struct msg_watch_point *p)
{
	return p->p50;
}

static uint32_t
pick_p75(const struct msg_watch_point *p)
{
	return p->p75;
}

static uint32_t
pick_p95(const struct msg_watch_point *p)
{
	return p->p95;
}

/* The end of the stretch of points with replies that begins at i. */
static size_t
stretch_end(const struct chart *c, size_t i)
{
	while (i < c->n_points && has_replies(&c->points[i]))
		i++;
	return i;
}

static void
put_along(
    struct page *p, const struct scale *s, size_t from, size_t to, pick_fn pick)
{
	for (size_t i = from; i < to; i++)
		buf_printf(&p->b, "%s%u %u", i == from ? "" : "L", x_of(s, i),
		    y_of(s, pick(&s->chart->points[i])));
}

static void
put_back(
    struct page *p, const struct scale *s, size_t from, size_t to, pick_fn pick)
{
	for (size_t i = to; i > from; i--)
		buf_printf(&p->b, "L%u %u", x_of(s, i - 1),
		    y_of(s, pick(&s->chart->points[i - 1])));
	HTML(&p->b, "z");
}

/* One path of all stretches; low NULL: a line. */
static void
put_path(struct page *p, const struct scale *s, const char *class, pick_fn high,
    pick_fn low)
{
	const struct chart *c = s->chart;

	buf_printf(&p->b, "<path class=\"%s\" d=\"", class);
	for (size_t i = 0; i < c->n_points;) {
		size_t end = stretch_end(c, i);

		if (end > i) {
			HTML(&p->b, "M");
			put_along(p, s, i, end, high);
			if (low != NULL)
				put_back(p, s, i, end, low);
			else if (end == i + 1)
				HTML(&p->b, "h1");
		}
		i = MAX(end, i + 1);
	}
	HTML(&p->b, "\"/>");
}

static void
put_losses(struct page *p, const struct scale *s)
{
	const struct chart *c = s->chart;
	unsigned wide =
	    (unsigned)MAX(PLOT / MAX(c->n_points, (size_t)1), (size_t)2);

	HTML(&p->b, "<path class=\"lost\" d=\"");
	for (size_t i = 0; i < c->n_points; i++) {
		const struct msg_watch_point *pt = &c->points[i];
		unsigned x = x_of(s, i);

		/* As high as the share of what was lost, so that one is seen. */
		if (pt->is_known && pt->loss > 0)
			buf_printf(&p->b, "M%u %dh%uv-%uh-%uz",
			    x - MIN(x, wide / 2), HEIGHT - BOTTOM, wide,
			    3 + pt->loss * 17U / 255U, wide);
	}
	HTML(&p->b, "\"/>");
}

/* --- axes ------------------------------------------------------------------------------- */

static void
put_ms(struct page *p, uint32_t us)
{
	struct buf b = BUF_INIT(64);

	page_put_ms(p, &b, us);
	PAGE_SAY(p, T_MS, buf_str(&b));
	buf_done(&b);
}

static void
put_levels(struct page *p, const struct scale *s)
{
	for (unsigned i = 0; i <= 2; i++) {
		uint32_t us = s->top_us / 2 * i;
		unsigned y = y_of(s, us);

		buf_printf(&p->b,
		    "<path class=\"grid\" d=\"M0 %uH%d\"/><text x=\"%d\" "
		    "y=\"%u\" dy=\".35em\">",
		    y, PLOT, PLOT + 8, y);
		put_ms(p, us);
		HTML(&p->b, "</text>");
	}
}

static void
put_time(struct page *p, const struct chart *c, uint64_t t)
{
	struct tm tm;

	page_utc(t, &tm);
	if (c->span == WATCH_SPAN_2_DAYS)
		buf_printf(&p->b, "%02d:%02d", tm.tm_hour, tm.tm_min);
	else if (c->span == WATCH_SPAN_90_DAYS)
		buf_put_str(&p->b, page_day_html(p, t));
	else
		buf_printf(
		    &p->b, "%04d-%02d", tm.tm_year + 1900, tm.tm_mon + 1);
}

static void
put_dates(struct page *p, const struct scale *s)
{
	const struct chart *c = s->chart;
	static const uint64_t steps_s[WATCH_SPANS] = { 8 * 3600, 15 * 86400,
		300 * 86400 };
	uint64_t first = c->from_s + c->width_s;
	uint64_t step = steps_s[c->span];

	first = (first + step - 1) / step * step;
	for (size_t i = (first - c->from_s) / c->width_s; i + 4 < c->n_points;
	     i += step / c->width_s) {
		/* Half of it would be cut off. */
		if (x_of(s, i) < LABEL / 2)
			continue;
		buf_printf(&p->b,
		    "<text x=\"%u\" y=\"%d\" text-anchor=\"middle\">",
		    x_of(s, i), HEIGHT - 8);
		put_time(p, c, c->from_s + (uint64_t)c->width_s * i);
		HTML(&p->b, "</text>");
	}
}

/* --- the whole ---------------------------------------------------------------------------- */

static int
ascending(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

/* The middle one of the middle values; 0: there are none. */
static uint32_t
middle(const struct chart *c)
{
	uint32_t v[CHART_POINTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->n_points; i++)
		if (has_replies(&c->points[i]))
			v[n++] = c->points[i].p50;
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(v[0]), ascending);
	return v[n / 2];
}

static void
put_label(struct page *p, const struct chart *c, uint32_t us)
{
	struct buf ms = BUF_INIT(64);
	uint64_t end = c->from_s + (uint64_t)c->width_s * c->n_points;

	page_put_ms(p, &ms, us);
	HTML(&p->b, " role=\"img\" aria-label=\"");
	PAGE_SAY(p, T_CHART_ALT, page_day_html(p, c->from_s),
	    page_day_html(p, end), PAGE_HTML(p, T_MS, buf_str(&ms)));
	HTML(&p->b, "\">");
	buf_done(&ms);
}

void
part_chart(struct page *p, const struct chart *c)
{
	const struct scale s = { c, round_top(c) };
	uint32_t us = middle(c);

	if (!c->is_there || us == 0) {
		HTML(&p->b, "<p>");
		page_word(p, site_state(p->sv->site)->is_stale ? T_NOT_SEEN
							       : T_CHART_NONE);
		HTML(&p->b, "</p>");
		return;
	}
	HTML(&p->b,
	    "<figure><div class=\"chart\" tabindex=\"0\" role=\"group\" "
	    "aria-labelledby=\"chart\"><svg ");
	buf_printf(&p->b, "viewBox=\"0 0 %d %d\"", WIDTH, HEIGHT);
	put_label(p, c, us);
	put_levels(p, &s);
	put_dates(p, &s);
	put_path(p, &s, "wide", pick_p95, pick_p5);
	put_path(p, &s, "half", pick_p75, pick_p25);
	put_path(p, &s, "line", pick_p50, NULL);
	put_losses(p, &s);
	HTML(&p->b, "</svg></div><figcaption class=\"hint\">");
	page_word(p, T_CHART_HINT);
	HTML(&p->b, "</figcaption></figure>");
}
