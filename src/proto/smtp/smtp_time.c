/* SPDX-License-Identifier: ISC */
/* smtp_time.c - the date-time of HOLDUNTIL. See smtp_time.h. */
#include "proto/smtp/smtp_time.h"

#include <stdio.h>

#define LAST UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Takes n digits, and after them the letter end unless it is 0. */
static bool
take(struct str *s, size_t n, char end, uint32_t max, uint32_t *ret)
{
	size_t all = n + (end != 0);

	if (s->n < all || !str_to_u32(str_first(*s, n), max, ret))
		return false;
	if (end != 0 && ascii_upper(s->p[n]) != end)
		return false;
	*s = str_from(*s, all);
	return true;
}

static bool
is_leap(uint32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t
days_in(uint32_t year, uint32_t month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first of January; year >= 1. */
static int64_t
days_before(uint32_t year)
{
	int64_t y = (int64_t)year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool
take_date(struct str *s, int64_t *ret_day)
{
	uint32_t year, month, day;
	int64_t days;

	if (!take(s, 4, '-', 9999, &year) || !take(s, 2, '-', 12, &month) ||
	    !take(s, 2, 'T', 31, &day) || year == 0 || month == 0 || day == 0 ||
	    day > days_in(year, month))
		return false;
	days = days_before(year) + day - 1;
	while (--month > 0)
		days += days_in(year, month);
	*ret_day = days;
	return true;
}

static bool
take_clock(struct str *s, int64_t *ret)
{
	uint32_t hour, minute, second;
	size_t n = 1;

	if (!take(s, 2, ':', 23, &hour) || !take(s, 2, ':', 59, &minute) ||
	    !take(s, 2, 0, 60, &second))
		return false;
	*ret = (int64_t)hour * 3600 + minute * 60 + second;
	if (!str_starts(*s, STR(".")))
		return true;
	while (n < s->n && ascii_is_digit(s->p[n]))
		n++;
	*s = str_from(*s, n);
	return n > 1;
}

/* Seconds east of Greenwich; the whole of s. */
static bool
read_zone(struct str s, int64_t *ret)
{
	uint32_t hour, minute;
	bool is_west = str_starts(s, STR("-"));

	if (str_eq_case(s, STR("Z"))) {
		*ret = 0;
		return true;
	}
	if (!is_west && !str_starts(s, STR("+")))
		return false;
	s = str_from(s, 1);
	if (!take(&s, 2, ':', 23, &hour) || !take(&s, 2, 0, 59, &minute) ||
	    s.n > 0)
		return false;
	*ret = (int64_t)hour * 3600 + minute * 60;
	if (is_west)
		*ret = -*ret;
	return true;
}

bool
smtp_time_parse(struct str s, uint64_t *ret)
{
	int64_t day, clock, zone, utc;

	if (!take_date(&s, &day) || !take_clock(&s, &clock) ||
	    !read_zone(s, &zone))
		return false;
	utc = day * 86400 + clock - zone;
	if (utc < 0)
		return false;
	*ret = (uint64_t)utc;
	return true;
}

void
smtp_time_format(uint64_t seconds, char ret[SMTP_TIME_MAX])
{
	uint64_t s = MIN(seconds, LAST), of_day = s % 86400;
	int64_t day = (int64_t)(s / 86400);
	/* A start that is never too late. */
	uint32_t year = 1970 + (uint32_t)(day / 366), month = 1;

	while (days_before(year + 1) <= day)
		year++;
	day -= days_before(year);
	while (day >= days_in(year, month))
		day -= days_in(year, month++);
	snprintf(ret, SMTP_TIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", year,
	    month, (unsigned)day + 1, (unsigned)(of_day / 3600),
	    (unsigned)(of_day / 60 % 60), (unsigned)(of_day % 60));
}
