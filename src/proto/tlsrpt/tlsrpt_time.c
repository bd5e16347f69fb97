/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_time.c - the times of reports (RFC 3339 section 5.6).
 *
 * Days are counted here and not by the C library, whose time_t and zones are
 * not the report's.
 */
#include "proto/tlsrpt/tlsrpt_report.h"

#define DAY_S 86400
/* 9999-12-31T23:59:59Z */
#define TIME_MAX 253402300799

/* Days from 1970-01-01; a year begins in March, so that February is last. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2), m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

static int64_t
month_length(int64_t year, int64_t month)
{
	return month == 12
	           ? 31
	           : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

void
tlsrpt_put_time(uint64_t t, struct buf *to)
{
	int64_t days = (int64_t)(MIN(t, (uint64_t)TIME_MAX) / DAY_S);
	unsigned s = (unsigned)(MIN(t, (uint64_t)TIME_MAX) % DAY_S);
	int64_t year = 1970 + days / 366, month = 1;

	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (month < 12 && days_of(year, month + 1, 1) <= days)
		month++;
	buf_printf(to, "%04d-%02d-%02dT%02u:%02u:%02uZ", (int)year, (int)month,
	    (int)(days - days_of(year, month, 1) + 1), s / 3600, s / 60 % 60,
	    s % 60);
}

/* Two or four digits, and what stands behind them. */
static bool
take_number(
    struct str *s, size_t digits, int64_t max, const char *behind, int64_t *ret)
{
	uint32_t n;

	if (!str_to_u32(str_first(*s, digits), (uint32_t)max, &n) ||
	    s->n < digits)
		return false;
	*s = str_from(*s, digits);
	*ret = n;
	if (!*behind)
		return true;
	if (s->n == 0 || ascii_upper(s->p[0]) != *behind)
		return false;
	*s = str_from(*s, 1);
	return true;
}

/* "Z", or "+hh:mm" that the clock there is ahead. */
static bool
take_zone(struct str s, int64_t *ret)
{
	int64_t hours, minutes;
	char sign = s.n ? s.p[0] : '\0';

	*ret = 0;
	if (str_eq_case(s, STR("Z")))
		return true;
	s = str_from(s, 1);
	if ((sign != '+' && sign != '-') ||
	    !take_number(&s, 2, 23, ":", &hours) ||
	    !take_number(&s, 2, 59, "", &minutes) || s.n > 0)
		return false;
	*ret = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
	return true;
}

static bool
skip_fraction(struct str *s)
{
	if (s->n == 0 || s->p[0] != '.')
		return true;
	*s = str_from(*s, 1);
	if (s->n == 0 || !ascii_is_digit(s->p[0]))
		return false;
	while (s->n > 0 && ascii_is_digit(s->p[0]))
		*s = str_from(*s, 1);
	return true;
}

bool
tlsrpt_parse_time(struct str s, uint64_t *ret)
{
	int64_t year, month, day, hour, minute, second, zone, t;

	if (!take_number(&s, 4, 9999, "-", &year) ||
	    !take_number(&s, 2, 12, "-", &month) ||
	    !take_number(&s, 2, 31, "T", &day) ||
	    !take_number(&s, 2, 23, ":", &hour) ||
	    !take_number(&s, 2, 59, ":", &minute) ||
	    !take_number(&s, 2, 60, "", &second) || !skip_fraction(&s) ||
	    !take_zone(s, &zone))
		return false;
	if (month < 1 || day < 1 || day > month_length(year, month))
		return false;
	t = days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 +
	    second - zone;
	if (t < 0 || t > TIME_MAX)
		return false;
	*ret = (uint64_t)t;
	return true;
}
