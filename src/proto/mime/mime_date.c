/* SPDX-License-Identifier: ISC */
/*
 * mime_date.c - dates of mail. See mime_date.h.
 *
 * The words of a date are told apart by their look, not by their place: a
 * number below 32 before the month is the day, one behind it the day or the
 * year. That reads RFC 5322, ctime() and most inventions with one loop.
 */
#include "proto/mime/mime_date.h"

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const weekdays[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	"Fri", "Sat" };

/* RFC 5322 section 4.3, and the names that European senders use. */
static const struct {
	const char *name;
	int zone_min;
} zones[] = {
	{ "UT", 0 },
	{ "GMT", 0 },
	{ "UTC", 0 },
	{ "EST", -300 },
	{ "EDT", -240 },
	{ "CST", -360 },
	{ "CDT", -300 },
	{ "MST", -420 },
	{ "MDT", -360 },
	{ "PST", -480 },
	{ "PDT", -420 },
	{ "WEST", 60 },
	{ "BST", 60 },
	{ "CET", 60 },
	{ "MET", 60 },
	{ "CEST", 120 },
	{ "MEST", 120 },
	{ "EET", 120 },
	{ "EEST", 180 },
	{ "MSK", 180 },
	{ "JST", 540 },
	{ "KST", 540 },
};

#define EPOCH_MIN INT64_C(-2208902400)  /* 1900-01-02: any zone is in 1900 */
#define EPOCH_MAX INT64_C(253402207200) /* likewise, at the end of 9999 */

struct fields {
	int32_t year, zone_min;
	int month, day, hour, minute, second;
	bool has_time, has_zone, has_year, is_iso;
};

const char *
mime_month_name(int month)
{
	ASSERT(month >= 1 && month <= 12);
	return months[month - 1];
}

const char *
mime_weekday_name(int weekday)
{
	ASSERT(weekday >= 0 && weekday <= 6);
	return weekdays[weekday];
}

/*
 * Days since 1970-01-01 of a Gregorian date. Years are counted from March,
 * so that the leap day is the last one of its year.
 */
static int64_t
days_of(int32_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct mime_civil
mime_civil_of(struct mime_date date)
{
	int64_t wall = date.epoch + (int64_t)date.zone_min * 60;
	int64_t days = floor_div(wall, 86400);
	int64_t secs = wall - days * 86400;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct mime_civil){
		.year = (int32_t)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(secs / 3600),
		.minute = (int)(secs / 60 % 60),
		.second = (int)(secs % 60),
		.weekday = (int)(((days + 4) % 7 + 7) % 7),
	};
}

struct mime_date
mime_civil_to_date(struct mime_civil c, int32_t zone_min)
{
	int64_t days = days_of(c.year, c.month, c.day);

	return (struct mime_date){
		.epoch = days * 86400 + c.hour * 3600 + c.minute * 60 +
		         c.second - (int64_t)zone_min * 60,
		.zone_min = zone_min,
	};
}

int64_t
mime_date_day(struct mime_date date)
{
	return floor_div(date.epoch + (int64_t)date.zone_min * 60, 86400);
}

static int
month_length(int32_t year, int month)
{
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return is_leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* --- words ------------------------------------------------------------- */

/* Length of a comment at the start of s, nested ones included. */
static size_t
comment_length(struct str s)
{
	size_t i, depth = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

static bool
is_word(char c)
{
	return ascii_is_digit(c) || ascii_is_alpha(c) || c == ':' || c == '+' ||
	       c == '-' || c == '.';
}

/* Take the next word off *s; empty at the end. */
static struct str
next_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	while (s->n && !is_word(s->p[0]))
		*s = str_from(*s, s->p[0] == '(' ? comment_length(*s) : 1);
	while (n < s->n && is_word(s->p[n]))
		n++;
	word = str_first(*s, n);
	*s = str_from(*s, n);
	return word;
}

/* Take a number of at most max digits off *s; -1 when there is none. */
static int
take_number(struct str *s, size_t max)
{
	int v = 0;
	size_t n = 0;

	while (n < s->n && n < max && ascii_is_digit(s->p[n]))
		v = v * 10 + (s->p[n++] - '0');
	*s = str_from(*s, n);
	return n ? v : -1;
}

/* "Nov", "November": three letters tell months apart. */
static int
month_of(struct str word)
{
	for (int i = 0; i < 12 && word.n >= 3; i++)
		if (str_eq_case(str_first(word, 3), str_c(months[i])))
			return i + 1;
	return 0;
}

/* RFC 5322 section 4.3: 00-49 is 20xx, 50-99 and three digits add 1900. */
static int32_t
full_year(int v, size_t digits)
{
	if (digits <= 2)
		return v < 50 ? v + 2000 : v + 1900;
	return digits == 3 ? v + 1900 : v;
}

static bool
take_zone_number(struct fields *f, struct str word)
{
	int sign = word.p[0] == '-' ? -1 : 1, h, m;
	struct str s = str_from(word, 1);

	h = take_number(&s, 2);
	if (s.n && s.p[0] == ':')
		s = str_from(s, 1);
	m = take_number(&s, 2);
	if (h < 0 || s.n)
		return false;
	if (m < 0)
		m = 0;
	/* An impossible zone is an unknown one. */
	if (h > 23 || m > 59)
		h = m = 0;
	f->zone_min = sign * (h * 60 + m);
	f->has_zone = true;
	return true;
}

static void
take_zone_name(struct fields *f, struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct str name = str_c(zones[i].name);
		struct str rest = str_from(word, name.n);

		if (!str_starts_case(word, name))
			continue;
		/* "GMT+0100" is an offset with a name in front. */
		if (rest.n && (rest.p[0] == '+' || rest.p[0] == '-') &&
		    take_zone_number(f, rest))
			return;
		if (rest.n)
			continue;
		f->zone_min = zones[i].zone_min;
		f->has_zone = true;
		return;
	}
}

/* What stands behind the time in the same word: "Z", "+01:00", "GMT". */
static void
take_zone(struct fields *f, struct str word)
{
	if (word.n == 0 || f->has_zone)
		return;
	if (word.p[0] == '+' || word.p[0] == '-')
		take_zone_number(f, word);
	else
		take_zone_name(f, word);
}

/* "10:20", "10:20:30", "10.20.30", "10:20:30.123+01:00", "10:20PM". */
static bool
take_time(struct fields *f, struct str word)
{
	struct str s = word;
	int v[3] = { -1, -1, 0 };
	char sep = 0;
	int n = 0;

	for (; n < 3; n++) {
		v[n] = take_number(&s, 2);
		if (v[n] < 0)
			return false;
		if (!s.n || (s.p[0] != ':' && s.p[0] != '.') ||
		    (sep && s.p[0] != sep))
			break;
		sep = s.p[0];
		s = str_from(s, 1);
	}
	if (!sep || f->has_time)
		return false;
	/* Fractions of a second. */
	while (s.n && (s.p[0] == '.' || ascii_is_digit(s.p[0])))
		s = str_from(s, 1);
	f->hour = v[0];
	f->minute = v[1];
	f->second = n >= 2 && v[2] > 0 ? v[2] : 0;
	f->has_time = true;
	if (s.n >= 2 && ascii_lower(s.p[1]) == 'm' && f->hour <= 12) {
		if (ascii_lower(s.p[0]) == 'p')
			f->hour = f->hour % 12 + 12;
		else if (ascii_lower(s.p[0]) == 'a')
			f->hour %= 12;
		return true;
	}
	take_zone(f, s);
	return true;
}

/* "2026-11-23" and "2026-11-23T10:20:30Z" (RFC 3339). */
static bool
take_iso(struct fields *f, struct str word)
{
	struct str s = word;
	int y = take_number(&s, 4), m, d;

	if (word.n < 8 || s.n != word.n - 4 || s.p[0] != '-')
		return false;
	s = str_from(s, 1);
	m = take_number(&s, 2);
	if (m < 1 || m > 12 || !s.n || s.p[0] != '-')
		return false;
	s = str_from(s, 1);
	d = take_number(&s, 2);
	if (d < 1)
		return false;
	f->year = y;
	f->month = m;
	f->day = d;
	f->has_year = true;
	if (s.n > 1 && ascii_lower(s.p[0]) == 't')
		take_time(f, str_from(s, 1));
	return true;
}

/* A day or a year; "23-Nov-2026" is cut at its dashes. */
static void
take_numbers(struct fields *f, struct str word)
{
	while (word.n) {
		struct str piece;
		size_t digits;
		int v;

		word = str_split(word, '-', &piece);
		digits = piece.n;
		if (!f->month && month_of(piece))
			f->month = month_of(piece);
		v = take_number(&piece, 4);
		digits -= piece.n;
		if (v < 0)
			continue;
		if (!f->day && digits <= 2) {
			f->day = v;
		} else if (!f->has_year) {
			f->year = full_year(v, digits);
			f->has_year = true;
		}
	}
}

static void
take_word(struct fields *f, struct str word)
{
	char c = word.p[0];

	if (ascii_is_digit(c)) {
		if (!take_iso(f, word) && !take_time(f, word))
			take_numbers(f, word);
	} else if (c == '+' || c == '-') {
		take_zone(f, word);
	} else if (!f->month && month_of(word)) {
		f->month = month_of(word);
		if (str_find(word, '-') >= 0)
			take_numbers(f, word);
	} else if (f->has_time) {
		take_zone(f, word);
	}
}

bool
mime_date_parse(struct str in, struct mime_date *ret)
{
	struct fields f = { 0 };
	struct str word;

	/* No date is longer; a bound for what strangers write there. */
	in = str_first(in, 256);
	while ((word = next_word(&in)).n)
		take_word(&f, word);

	if (!f.month || !f.day || !f.has_year || !f.has_time)
		return false;
	if (f.year < MIME_YEAR_MIN || f.year > MIME_YEAR_MAX ||
	    f.day > month_length(f.year, f.month) || f.hour > 23 ||
	    f.minute > 59 || f.second > 60)
		return false;
	*ret = mime_civil_to_date(
	    (struct mime_civil){
		.year = f.year,
		.month = f.month,
		.day = f.day,
		.hour = f.hour,
		.minute = f.minute,
		.second = MIN(f.second, 59),
	    },
	    f.zone_min);
	return true;
}

void
mime_date_format(struct mime_date date, struct buf *out)
{
	struct mime_civil c;
	int zone;

	date.epoch = MAX(EPOCH_MIN, MIN(EPOCH_MAX, date.epoch));
	date.zone_min = MAX(-1439, MIN(1439, date.zone_min));
	c = mime_civil_of(date);
	zone = date.zone_min < 0 ? -date.zone_min : date.zone_min;
	buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d %c%02d%02d",
	    mime_weekday_name(c.weekday), c.day, mime_month_name(c.month),
	    c.year, c.hour, c.minute, c.second, date.zone_min < 0 ? '-' : '+',
	    zone / 60, zone % 60);
}
