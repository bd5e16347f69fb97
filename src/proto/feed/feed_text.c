/* SPDX-License-Identifier: ISC */
/* feed_text.c - XML's characters; times. See feed_text.h. */
#include "proto/feed/feed_text.h"

#include <time.h>

#define REPLACEMENT STR("\xEF\xBF\xBD")
#define YEAR_9999_S UINT64_C(253402300799) /* the last one of four digits */

/* Bytes of the character at the front of s; 0: it is not UTF-8. */
static size_t
length(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80   ? 1
	           : c < 0xC0 ? 0
	           : c < 0xE0 ? 2
	           : c < 0xF0 ? 3
	                      : 4;

	return n > 0 && n <= s.n && str_is_utf8(str_first(s, n)) ? n : 0;
}

/* U+FFFE and U+FFFF. */
static bool
is_noncharacter(struct str s)
{
	return s.n == 3 && memcmp(s.p, "\xEF\xBF", 2) == 0 &&
	       (unsigned char)s.p[2] >= 0xBE;
}

static void
put_ascii(struct buf *to, char c)
{
	switch (c) {
	case '&':
	case '<':
	case '>':
	case '"':
	case '\'':
	case '\r':
		buf_printf(to, "&#x%X;", (unsigned)(unsigned char)c);
		return;
	default:
		if ((unsigned char)c < ' ' && c != '\t' && c != '\n')
			buf_put_str(to, REPLACEMENT);
		else
			buf_put_char(to, c);
	}
}

void
feed_put_xml(struct buf *to, struct str s)
{
	while (s.n > 0) {
		size_t n = length(s);
		struct str one = str_first(s, n);

		if (n == 1)
			put_ascii(to, one.p[0]);
		else if (n == 0 || is_noncharacter(one))
			buf_put_str(to, REPLACEMENT);
		else
			buf_put_str(to, one);
		s = str_from(s, MAX(n, (size_t)1));
	}
}

static struct tm
broken_down(uint64_t s)
{
	time_t t = (time_t)MIN(s, YEAR_9999_S);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	return tm;
}

void
feed_put_time(struct buf *to, uint64_t s)
{
	struct tm tm = broken_down(s);

	buf_printf(to, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
feed_put_date(struct buf *to, uint64_t s)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = broken_down(s);

	buf_printf(to, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}
