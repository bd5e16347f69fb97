/* SPDX-License-Identifier: ISC */
/* http_date.c - IMF-fixdate (RFC 9110 section 5.6.7). See http_text.h. */
#include "proto/http/http_text.h"

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

#define LENGTH   29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define DAY_S    86400
#define TIME_MAX UINT64_C(253402300799) /* the end of the year 9999 */

struct date {
	unsigned year, month, day; /* month from 0, day from 1 */
};

/* Days since 1970 and back: years begin in March, so that a leap day is the
 * last one. */
static uint64_t
to_days(const struct date *d)
{
	uint64_t y = d->year - (d->month < 2), m = (d->month + 10) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 +
	       d->day - 1 - 719468;
}

static struct date
from_days(uint64_t days_)
{
	uint64_t z = days_ + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;

	return (struct date){ (unsigned)(yoe + era * 400 + (mp >= 10)),
		(unsigned)((mp + 2) % 12),
		(unsigned)(doy - (153 * mp + 2) / 5 + 1) };
}

void
http_date_format(struct buf *out, uint64_t t)
{
	struct date d;
	unsigned s;

	t = MIN(t, TIME_MAX);
	d = from_days(t / DAY_S);
	s = (unsigned)(t % DAY_S);
	buf_printf(out, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	    days[(t / DAY_S + 4) % 7], d.day, months[d.month], d.year, s / 3600,
	    s / 60 % 60, s % 60);
}

static bool
read_month(struct str s, unsigned *ret)
{
	for (unsigned i = 0; i < 12; i++)
		if (str_eq(s, str_c(months[i]))) {
			*ret = i;
			return true;
		}
	return false;
}

bool
http_date_parse(struct str s, uint64_t *ret)
{
	struct buf again = BUF_INIT(64);
	uint32_t hour, minute, second, year, day;
	struct date d;
	uint64_t t;
	bool ok;

	if (s.n != LENGTH || !str_to_u32(str_sub(s, 5, 2), 31, &day) ||
	    !read_month(str_sub(s, 8, 3), &d.month) ||
	    !str_to_u32(str_sub(s, 12, 4), 9999, &year) ||
	    !str_to_u32(str_sub(s, 17, 2), 23, &hour) ||
	    !str_to_u32(str_sub(s, 20, 2), 59, &minute) ||
	    !str_to_u32(str_sub(s, 23, 2), 60, &second) || year < 1970 ||
	    day < 1)
		return false;
	d.year = year;
	d.day = day;
	t = to_days(&d) * DAY_S + hour * 3600 + minute * 60 + MIN(second, 59U);
	/* Blanks, the day of the week, and days that do not exist. */
	http_date_format(&again, t);
	ok = second == 60 || str_eq(buf_str(&again), s);
	buf_done(&again);
	if (ok)
		*ret = t;
	return ok;
}
