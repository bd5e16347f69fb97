/* SPDX-License-Identifier: ISC */
/* ical.c - iCalendar. See ical.h. */
#include "proto/feed/ical.h"

#include <inttypes.h>
#include <time.h>

#define LINE_MAX_BYTES 75 /* section 3.1, without the line's end */
#define YEAR_9999_S    UINT64_C(253402300799)
#define HOUR_S         UINT64_C(3600)
#define DAY_S          UINT64_C(86400)

/* A line under way: bytes of it so far. */
struct line {
	struct buf *to;
	size_t n;
};

/* All bytes of one character, which stay together. */
static void
put_character(struct line *l, struct str c)
{
	if (l->n + c.n > LINE_MAX_BYTES) {
		buf_put_c(l->to, "\r\n ");
		l->n = 1;
	}
	buf_put_str(l->to, c);
	l->n += c.n;
}

static size_t
character_length(struct str s)
{
	size_t n = 1;

	while (n < s.n && n < 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* As it is: what we wrote, or a URL. */
static void
put_plain(struct line *l, struct str s)
{
	while (s.n > 0) {
		size_t n = character_length(s);

		if ((unsigned char)s.p[0] >= ' ' && s.p[0] != 0x7F)
			put_character(l, str_first(s, n));
		s = str_from(s, n);
	}
}

/* A TEXT (section 3.3.11): controls but tab and line feed go. */
static void
put_text(struct line *l, struct str s)
{
	while (s.n > 0) {
		size_t n = character_length(s);
		char c = s.p[0];

		if (c == '\n')
			put_character(l, STR("\\n"));
		else if (c == '\\' || c == ';' || c == ',') {
			char pair[] = { '\\', c };

			put_character(l, str_make(pair, 2));
		} else if (c == '\t' || ((unsigned char)c >= ' ' && c != 0x7F))
			put_character(l, str_first(s, n));
		s = str_from(s, n);
	}
}

static struct line
begin_line(struct buf *to, const char *name)
{
	struct line l = { .to = to };

	put_plain(&l, str_c(name));
	put_character(&l, STR(":"));
	return l;
}

static void
put_line(struct buf *to, const char *name, struct str value, bool is_text)
{
	struct line l = begin_line(to, name);
	struct buf clean = BUF_INIT(value.n * 3 + 1);

	/* What is not UTF-8 at all is seldom worth more. */
	if (str_is_utf8(value))
		buf_put_str(&clean, value);
	else
		for (size_t i = 0; i < value.n; i++)
			buf_put_char(&clean, (unsigned char)value.p[i] < 0x80
						 ? value.p[i]
						 : '?');
	if (is_text)
		put_text(&l, buf_str(&clean));
	else
		put_plain(&l, buf_str(&clean));
	buf_put_c(to, "\r\n");
	buf_done(&clean);
}

static void
put_time(struct buf *to, const char *name, uint64_t s)
{
	time_t t = (time_t)MIN(s, YEAR_9999_S);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	buf_printf(to, "%s:%04d%02d%02dT%02d%02d%02dZ\r\n", name,
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}

/* In UTC each day is as long as the other: a rule fits every distance. */
static void
put_rule(struct buf *to, uint64_t every_s)
{
	static const struct {
		const char *name;
		uint64_t length_s;
	} units[] = { { "WEEKLY", 7 * DAY_S }, { "DAILY", DAY_S },
		{ "HOURLY", HOUR_S }, { "MINUTELY", 60 }, { "SECONDLY", 1 } };
	size_t i = 0;

	while (every_s % units[i].length_s != 0)
		i++;
	buf_printf(to, "RRULE:FREQ=%s", units[i].name);
	if (every_s > units[i].length_s)
		buf_printf(
		    to, ";INTERVAL=%" PRIu64, every_s / units[i].length_s);
	buf_put_c(to, "\r\n");
}

void
ical_begin(struct buf *to, struct str name)
{
	buf_put_c(to, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
		      "PRODID:-//Mailstead//Status//EN\r\n"
		      "CALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n");
	put_line(to, "NAME", name, true);
	put_line(to, "X-WR-CALNAME", name, true);
	buf_put_c(to, "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n"
		      "X-PUBLISHED-TTL:PT1H\r\n");
}

void
ical_put(struct buf *to, const struct ical_event *e)
{
	buf_put_c(to, "BEGIN:VEVENT\r\n");
	put_line(to, "UID", e->uid, false);
	put_time(to, "DTSTAMP", e->changed_s);
	put_time(to, "LAST-MODIFIED", e->changed_s);
	buf_printf(to, "SEQUENCE:%" PRIu32 "\r\n", e->sequence);
	put_time(to, "DTSTART", e->from_s);
	/* Section 3.8.2.2: it has to be later. */
	if (e->to_s > e->from_s)
		put_time(to, "DTEND", e->to_s);
	if (e->every_s > 0)
		put_rule(to, e->every_s);
	put_line(to, "SUMMARY", e->summary, true);
	if (e->description.n > 0)
		put_line(to, "DESCRIPTION", e->description, true);
	if (e->location.n > 0)
		put_line(to, "LOCATION", e->location, true);
	if (e->url.n > 0)
		put_line(to, "URL", e->url, false);
	buf_printf(
	    to, "STATUS:%s\r\n", e->is_cancelled ? "CANCELLED" : "CONFIRMED");
	/* Nobody is busy because of it. */
	buf_put_c(to, "TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n");
}

void
ical_end(struct buf *to)
{
	buf_put_c(to, "END:VCALENDAR\r\n");
}
