/* SPDX-License-Identifier: ISC */
/*
 * imap_date.c - INTERNALDATE and the dates of SEARCH. See imap_date.h.
 *
 * Not strptime() or timegm(): those depend on the locale and the time zone
 * of the process, and accept more than the grammar does.
 */
#include "proto/imap/imap_date.h"

#define DAY_SECONDS 86400
#define MAX_YEAR    9999

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/*
 * Days since 1970-01-01. The year is taken to start in March, so that the
 * leap day is its last and the month lengths follow one linear formula.
 */
int32_t
imap_civil_to_day(int year, int month, int mday)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int year_of_era = y - era * 400;
	int month_from_march = (month + 9) % 12;
	int day_of_year = (153 * month_from_march + 2) / 5 + mday - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 -
	                 year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void
imap_day_to_civil(int32_t day, int *ret_year, int *ret_month, int *ret_mday)
{
	int64_t z = (int64_t)day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int day_of_era = (int)(z - era * 146097);
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			      day_of_era / 146096) /
	                  365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
					   year_of_era / 100);
	int month_from_march = (5 * day_of_year + 2) / 153;
	int month =
	    month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	*ret_year = (int)(year_of_era + era * 400) + (month <= 2);
	*ret_month = month;
	*ret_mday = day_of_year - (153 * month_from_march + 2) / 5 + 1;
}

static int
month_days(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

static bool
parse_int(struct str s, uint32_t max, int *ret)
{
	uint32_t v;

	if (!str_to_u32(s, max, &v))
		return false;
	*ret = (int)v;
	return true;
}

/* "Jan" to 1, in any case; 0 when it is no month. */
static int
parse_month(struct str s)
{
	for (int i = 0; s.n == 3 && i < 12; i++) {
		if (str_eq_case(s, str_make(months + i * 3, 3)))
			return i + 1;
	}
	return 0;
}

/* "Jul-1996" behind a day of the month. */
static bool
parse_month_year(struct str s, int mday, int32_t *ret)
{
	int month = parse_month(str_first(s, 3)), year;

	if (s.n != 8 || month == 0 || s.p[3] != '-' ||
	    !parse_int(str_from(s, 4), MAX_YEAR, &year))
		return false;
	if (year < 1 || mday < 1 || mday > month_days(year, month))
		return false;
	*ret = imap_civil_to_day(year, month, mday);
	return true;
}

bool
imap_date_parse(struct str s, int32_t *ret_day)
{
	struct str first;
	struct str rest = str_split(s, '-', &first);
	int mday;

	if (first.n > 2 || !parse_int(first, 31, &mday))
		return false;
	return parse_month_year(rest, mday, ret_day);
}

/* "02:44:25" to seconds; 60 seconds occur in leap seconds. */
static bool
parse_clock(struct str s, int *ret)
{
	int h, m, sec;

	if (s.n != 8 || s.p[2] != ':' || s.p[5] != ':' ||
	    !parse_int(str_sub(s, 0, 2), 23, &h) ||
	    !parse_int(str_sub(s, 3, 2), 59, &m) ||
	    !parse_int(str_sub(s, 6, 2), 60, &sec))
		return false;
	*ret = h * 3600 + m * 60 + sec;
	return true;
}

static bool
parse_zone(struct str s, int *ret_minutes)
{
	int h, m;

	if (s.n != 5 || (s.p[0] != '+' && s.p[0] != '-') ||
	    !parse_int(str_sub(s, 1, 2), 23, &h) ||
	    !parse_int(str_sub(s, 3, 2), 59, &m))
		return false;
	*ret_minutes = s.p[0] == '-' ? -(h * 60 + m) : h * 60 + m;
	return true;
}

bool
imap_date_time_parse(struct str s, struct imap_time *ret)
{
	struct str mday_text = str_first(s, 2);
	int mday, seconds, zone;
	int32_t day;

	/* date-day-fixed is padded with a space: " 1-Feb-1994". */
	if (s.n != IMAP_DATE_TIME_LEN - 2 || s.p[2] != '-' || s.p[11] != ' ' ||
	    s.p[20] != ' ')
		return false;
	if (mday_text.p[0] == ' ')
		mday_text = str_from(mday_text, 1);
	if (!parse_int(mday_text, 31, &mday) ||
	    !parse_month_year(str_sub(s, 3, 8), mday, &day) ||
	    !parse_clock(str_sub(s, 12, 8), &seconds) ||
	    !parse_zone(str_sub(s, 21, 5), &zone))
		return false;

	ret->utc = (int64_t)day * DAY_SECONDS + seconds - (int64_t)zone * 60;
	ret->zone_minutes = zone;
	return true;
}

static int64_t
local_seconds(struct imap_time t)
{
	return t.utc + (int64_t)t.zone_minutes * 60;
}

static int64_t
floor_day(int64_t seconds)
{
	int64_t day = seconds / DAY_SECONDS;

	return seconds % DAY_SECONDS < 0 ? day - 1 : day;
}

int32_t
imap_day_of(struct imap_time t)
{
	int64_t day = floor_day(local_seconds(t));

	return (int32_t)MAX(MIN(day, INT32_MAX), INT32_MIN);
}

static char *
put_2(char *p, int v)
{
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

void
imap_put_date_time(struct buf *b, struct imap_time t)
{
	int32_t first = imap_civil_to_day(1, 1, 1);
	int32_t last = imap_civil_to_day(MAX_YEAR, 12, 31);
	int64_t local = local_seconds(t), day = floor_day(local);
	int clock = (int)(local - day * DAY_SECONDS);
	int zone = t.zone_minutes < 0 ? -t.zone_minutes : t.zone_minutes;
	char text[IMAP_DATE_TIME_LEN], *p = text;
	int y, m, d;

	/* A year that does not fit is shown as the nearest that does. */
	day = MAX(MIN(day, last), first);
	imap_day_to_civil((int32_t)day, &y, &m, &d);
	*p++ = '"';
	p = put_2(p, d);
	*p++ = '-';
	memcpy(p, months + (m - 1) * 3, 3);
	p += 3;
	*p++ = '-';
	p = put_2(put_2(p, y / 100), y % 100);
	*p++ = ' ';
	p = put_2(p, clock / 3600);
	*p++ = ':';
	p = put_2(p, clock / 60 % 60);
	*p++ = ':';
	p = put_2(p, clock % 60);
	*p++ = ' ';
	*p++ = t.zone_minutes < 0 ? '-' : '+';
	p = put_2(put_2(p, zone / 60), zone % 60);
	*p++ = '"';
	buf_put(b, text, (size_t)(p - text));
}
