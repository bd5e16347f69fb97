/* SPDX-License-Identifier: ISC */
/* page_words.c - words, numbers and times of a page. See page.h. */
#include "web/page/page.h"

#include <inttypes.h>
#include <time.h>

#define SHORT KIB(2)

/* Moves b into the page. */
static struct str
keep(struct page *p, struct buf *b)
{
	struct str s = STR("");

	if (b->failed || !arena_str(&p->arena, buf_str(b), &s))
		p->b.failed = true;
	buf_done(b);
	return s;
}

/* --- words ------------------------------------------------------------------------ */

void
page_word(struct page *p, enum word w)
{
	html_text(&p->b, word(p->lang, w));
}

struct str
page_text_html(struct page *p, struct str text)
{
	struct buf b = BUF_INIT(KIB(64));

	html_text(&b, text);
	return keep(p, &b);
}

struct str
page_word_html(struct page *p, enum word w)
{
	return page_text_html(p, word(p->lang, w));
}

struct str
page_say_html(struct page *p, enum word w, const struct str *html, size_t n)
{
	struct buf b = BUF_INIT(KIB(64));

	word_put(&b, p->lang, w, html, n);
	return keep(p, &b);
}

struct str
page_number_html(struct page *p, uint64_t v)
{
	struct buf b = BUF_INIT(SHORT);

	buf_put_u64(&b, v);
	return keep(p, &b);
}

struct str
page_percent_html(struct page *p, uint32_t ppm)
{
	struct buf b = BUF_INIT(SHORT);
	uint32_t hundredths = MIN(ppm, 1000000) / 100;

	buf_put_u64(&b, hundredths / 100);
	if (hundredths % 100 != 0 || hundredths < 10000) {
		html_text(&b, word(p->lang, T_POINT));
		buf_printf(&b, "%02" PRIu32, hundredths % 100);
	}
	return PAGE_HTML(p, T_PERCENT, keep(p, &b));
}

struct str
page_span_html(struct page *p, uint64_t s)
{
	static const struct {
		uint64_t least, unit;
		enum word w;
	} units[] = {
		{ 2 * 86400, 86400, T_D_DAYS },
		{ 2 * 3600, 3600, T_D_HOURS },
		{ 60, 60, T_D_MINUTES },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s >= units[i].least)
			return PAGE_HTML(p, units[i].w,
			    page_number_html(p, s / units[i].unit));
	return PAGE_HTML(p, T_D_SECONDS, page_number_html(p, MAX(s, 1)));
}

void
page_put_ms(struct page *p, struct buf *to, uint32_t us)
{
	unsigned whole = us / 1000, rest = us % 1000;

	buf_put_u64(to, whole);
	if (us >= 10000 || rest == 0)
		return;
	html_text(to, word(p->lang, T_POINT));
	/* Two digits below a millisecond; nothing takes no time at all. */
	if (whole == 0)
		buf_printf(to, "%02u", MAX(rest / 10, 1));
	else
		buf_printf(to, "%u", rest / 100);
}

struct str
page_join(struct page *p, const char *prefix, struct str part)
{
	struct buf b = BUF_INIT(KIB(2));

	buf_put_c(&b, prefix);
	buf_put_str(&b, part);
	return keep(p, &b);
}

/* --- times ------------------------------------------------------------------------- */

void
page_utc(uint64_t t, struct tm *ret)
{
	time_t time = (time_t)MIN(t, UINT64_C(253402300799));

	memset(ret, 0, sizeof(*ret));
	(void)gmtime_r(&time, ret);
}

static struct str
day_month(struct page *p, const struct tm *tm)
{
	return PAGE_HTML(p, T_DAY_MONTH,
	    page_number_html(p, (uint64_t)tm->tm_mday),
	    page_word_html(p, (enum word)(T_N1 + tm->tm_mon)));
}

struct str
page_day_html(struct page *p, uint64_t t)
{
	struct tm tm;

	page_utc(t, &tm);
	return day_month(p, &tm);
}

struct str
page_month_html(struct page *p, unsigned year, unsigned month)
{
	return PAGE_HTML(p, T_MONTH_YEAR,
	    page_word_html(p, (enum word)(T_M1 + (month - 1) % 12)),
	    page_number_html(p, year));
}

static struct str
time_html(struct page *p, uint64_t t, bool has_date)
{
	struct buf b = BUF_INIT(SHORT), clock = BUF_INIT(SHORT);
	struct str hm, date;
	struct tm tm;

	page_utc(t, &tm);
	buf_printf(&b,
	    "<time datetime=\"%04d-%02d-%02dT%02d:%02d:%02dZ\" data-l>",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	buf_printf(&clock, "%02d:%02d", tm.tm_hour, tm.tm_min);
	hm = keep(p, &clock);
	if (has_date) {
		date = PAGE_HTML(p, T_DATE,
		    page_number_html(p, (uint64_t)tm.tm_mday),
		    page_word_html(p, (enum word)(T_M1 + tm.tm_mon)),
		    page_number_html(p, (uint64_t)tm.tm_year + 1900));
		buf_put_str(&b, PAGE_HTML(p, T_AT_TIME, date, hm));
	} else {
		buf_put_str(&b, PAGE_HTML(p, T_ONLY_TIME, hm));
	}
	HTML(&b, "</time>");
	return keep(p, &b);
}

struct str
page_time_html(struct page *p, uint64_t t)
{
	return time_html(p, t, t / 86400 != p->now_s / 86400);
}

struct str
page_date_time_html(struct page *p, uint64_t t)
{
	return time_html(p, t, true);
}
