/* SPDX-License-Identifier: ISC */
/* status_date.c - moments as texts. See status_date.h. */
#include "proto/status/status_date.h"

#include <time.h>

#define YEAR_10000 INT64_C(253402300800)

void
status_date_put(struct buf *to, uint64_t s)
{
	time_t t = (time_t)MIN(s, (uint64_t)YEAR_10000 - 1);
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_printf(to, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* What is read, and how far. */
struct cursor {
	struct str in;
	bool failed;
};

/* min to max digits that are a number from low to high. */
static int
number(struct cursor *c, size_t min, size_t max, int low, int high)
{
	size_t n = 0;
	int v = 0;

	while (n < max && n < c->in.n && ascii_is_digit(c->in.p[n]))
		v = v * 10 + (c->in.p[n++] - '0');
	if (n < min || v < low || v > high)
		c->failed = true;
	c->in = str_from(c->in, n);
	return v;
}

static void
expect(struct cursor *c, const char *any)
{
	if (c->in.n == 0 || c->in.p[0] == '\0' ||
	    strchr(any, c->in.p[0]) == NULL)
		c->failed = true;
	c->in = str_from(c->in, 1);
}

/* "+HH:MM" or "+HHMM", in seconds. */
static int
offset(struct cursor *c, bool has_colon)
{
	bool is_west = c->in.n > 0 && c->in.p[0] == '-';
	int s;

	expect(c, "+-");
	s = number(c, 2, 2, 0, 23) * 3600;
	if (has_colon)
		expect(c, ":");
	s += number(c, 2, 2, 0, 59) * 60;
	return is_west ? -s : s;
}

static void
time_of_day(struct cursor *c, struct tm *tm)
{
	tm->tm_hour = number(c, 2, 2, 0, 23);
	expect(c, ":");
	tm->tm_min = number(c, 2, 2, 0, 59);
	expect(c, ":");
	/* A leap second counts as the one before it. */
	tm->tm_sec = number(c, 2, 2, 0, 60);
	if (tm->tm_sec == 60)
		tm->tm_sec = 59;
}

static bool
finish(struct cursor *c, struct tm *tm, int zone_s, uint64_t *ret)
{
	struct tm asked = *tm;
	int64_t t;

	if (c->failed || c->in.n > 0)
		return false;
	t = timegm(tm);
	/* timegm() makes 1 March of 29 February: no such day. */
	if (tm->tm_mday != asked.tm_mday || tm->tm_mon != asked.tm_mon)
		return false;
	t -= zone_s;
	if (t < 0 || t >= YEAR_10000)
		return false;
	*ret = (uint64_t)t;
	return true;
}

bool
status_date_parse(struct str text, uint64_t *ret)
{
	struct cursor c = { text, false };
	struct tm tm = { 0 };
	int zone_s = 0;

	tm.tm_year = number(&c, 4, 4, 1970, 9999) - 1900;
	expect(&c, "-");
	tm.tm_mon = number(&c, 2, 2, 1, 12) - 1;
	expect(&c, "-");
	tm.tm_mday = number(&c, 2, 2, 1, 31);
	expect(&c, "Tt ");
	time_of_day(&c, &tm);
	if (c.in.n > 0 && c.in.p[0] == '.') {
		c.in = str_from(c.in, 1);
		(void)number(&c, 1, 9, 0, 999999999);
	}
	if (c.in.n > 0 && (c.in.p[0] == 'Z' || c.in.p[0] == 'z'))
		c.in = str_from(c.in, 1);
	else
		zone_s = offset(&c, true);
	return finish(&c, &tm, zone_s, ret);
}

static int
month(struct cursor *c)
{
	static const char *const names[] = { "January", "February", "March",
		"April", "May", "June", "July", "August", "September",
		"October", "November", "December" };
	struct str word, rest = str_split(c->in, ' ', &word);

	c->in = rest;
	for (int i = 0; i < (int)ARRAY_LEN(names); i++)
		if (str_eq_case(word, str_c(names[i])) ||
		    str_eq_case(word, str_first(str_c(names[i]), 3)))
			return i;
	c->failed = true;
	return 0;
}

bool
status_date_parse_long(struct str text, uint64_t *ret)
{
	struct cursor c = { text, false };
	struct tm tm = { 0 };
	int zone_s;

	tm.tm_mday = number(&c, 1, 2, 1, 31);
	expect(&c, " ");
	tm.tm_mon = month(&c);
	tm.tm_year = number(&c, 4, 4, 1970, 9999) - 1900;
	expect(&c, " ");
	time_of_day(&c, &tm);
	expect(&c, " ");
	zone_s = offset(&c, false);
	return finish(&c, &tm, zone_s, ret);
}
