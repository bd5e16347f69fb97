/* SPDX-License-Identifier: ISC */
/* mbox.c - mbox files. See mbox.h. */
#include "proto/mailfile/mbox.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days since 1970-01-01 of a Gregorian date, month 1 to 12. */
static int64_t
days_of(uint32_t year, uint32_t month, uint32_t day)
{
	/* Years begin in March, so that the leap day is the last one. */
	int64_t y = (int64_t)year - (month <= 2);
	int64_t m = ((int64_t)month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 +
	       (int64_t)day - 1 - 719468;
}

static uint32_t
days_in(uint32_t year, uint32_t month)
{
	uint32_t next = month == 12 ? 1 : month + 1;

	return (uint32_t)(days_of(year + (month == 12), next, 1) -
			  days_of(year, month, 1));
}

static bool
month_parse(struct str s, uint32_t *ret)
{
	for (uint32_t i = 0; i < 12; i++)
		if (str_eq(s, str_make(months + (size_t)3 * i, 3))) {
			*ret = i + 1;
			return true;
		}
	return false;
}

/* "18:30:21" or "18:30" as seconds of the day. */
static bool
clock_parse(struct str s, uint32_t *ret)
{
	struct str h, m, rest = str_split(s, ':', &h);
	struct str sec = str_split(rest, ':', &m);
	uint32_t hour, minute, second = 0;

	if (!str_to_u32(h, 23, &hour) || !str_to_u32(m, 59, &minute) ||
	    (sec.p && !str_to_u32(sec, 60, &second)))
		return false;
	*ret = hour * 3600 + minute * 60 + MIN(second, 59U);
	return true;
}

/* "+0130" as seconds; other zone names count as none. */
static int64_t
zone_of(struct str s)
{
	uint32_t n;
	int64_t seconds;

	if (s.n != 5 || (s.p[0] != '+' && s.p[0] != '-') ||
	    !str_to_u32(str_from(s, 1), 2359, &n))
		return 0;
	seconds = (int64_t)(n / 100) * 3600 + (int64_t)(n % 100) * 60;
	return s.p[0] == '-' ? -seconds : seconds;
}

/* Cut the next word off; several spaces are one. */
static struct str
word(struct str *s)
{
	struct str w;

	*s = str_trim(*s);
	*s = str_split(*s, ' ', &w);
	return w;
}

/* "Nov 23 18:30:21 [zone] 2026 [zone]", behind the day's name. */
static bool
date_parse(struct str s, uint64_t *ret)
{
	struct str zone = STR_NONE, year_s;
	uint32_t month, day, clock, year;
	int64_t t;

	if (!month_parse(word(&s), &month) || !str_to_u32(word(&s), 31, &day) ||
	    !clock_parse(word(&s), &clock))
		return false;
	year_s = word(&s);
	if (!str_to_u32(year_s, 9999, &year)) {
		zone = year_s;
		if (!str_to_u32(word(&s), 9999, &year))
			return false;
	} else {
		zone = word(&s);
	}
	if (year < 1970 || day < 1 || day > days_in(year, month))
		return false;
	t = days_of(year, month, day) * 86400 + clock - zone_of(zone);
	*ret = t < 0 ? 0 : (uint64_t)t;
	return true;
}

bool
mbox_from_parse(struct str line, struct mbox_from *ret)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	struct str rest, sender;
	uint64_t t;

	if (!str_starts(line, STR("From ")))
		return false;
	rest = str_from(line, 5);
	sender = word(&rest);
	/* A sender may have spaces in quotes: look for the day's name. */
	while (rest.n > 0) {
		struct str at = rest, day = word(&at);
		ptrdiff_t is_day =
		    day.n == 3 ? str_search(str_c(days), day) : -1;

		if (is_day >= 0 && is_day % 3 == 0 && date_parse(at, &t)) {
			*ret = (struct mbox_from){ sender, t };
			return true;
		}
		rest = at;
	}
	return false;
}

/* The date of a number of days: the inverse of days_of(). */
static void
civil_of(int64_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
	uint32_t y = (uint32_t)(1970 + days / 366), m = 1;

	while (days_of(y + 1, 1, 1) <= days)
		y++;
	while (m < 12 && days_of(y, m + 1, 1) <= days)
		m++;
	*year = y;
	*month = m;
	*day = (uint32_t)(days - days_of(y, m, 1)) + 1;
}

static bool
is_sender(struct str s)
{
	if (s.n == 0 || s.n > 320)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

void
mbox_from_format(const struct mbox_from *from, struct buf *out)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	uint64_t time = MIN(from->time, UINT64_C(253402300799));
	uint32_t clock = (uint32_t)(time % 86400), year, month, day;
	int64_t n = (int64_t)(time / 86400);

	civil_of(n, &year, &month, &day);
	buf_put_c(out, "From ");
	buf_put_str(out, is_sender(from->sender) ? from->sender : STR("-"));
	buf_printf(out, " %.3s %.3s %2u %02u:%02u:%02u %u\n",
	    days + (n % 7) * 3, months + (size_t)3 * (month - 1), day,
	    clock / 3600, clock / 60 % 60, clock % 60, year);
}

/* --- reading ------------------------------------------------------------------- */

void
mbox_reader_init(struct mbox_reader *r, enum mbox_quoting quoting,
    const struct mbox_handlers *handlers, void *arg)
{
	*r = (struct mbox_reader){ .handlers = handlers,
		.arg = arg,
		.quoting = quoting,
		.line = BUF_INIT(MBOX_LINE_MAX + 1),
		.has_empty_line = true };
}

void
mbox_reader_done(struct mbox_reader *r)
{
	buf_done(&r->line);
}

/* Is it ">From ", ">>From ", ... as far as the quoting goes? */
static bool
is_quoted(const struct mbox_reader *r, struct str line)
{
	size_t n = 0;

	if (r->quoting == MBOX_NONE)
		return false;
	while (n < line.n && line.p[n] == '>')
		n++;
	return n >= 1 && (r->quoting == MBOX_RD || n == 1) &&
	       str_starts(str_from(line, n), STR("From "));
}

static void
give(struct mbox_reader *r, struct str bytes)
{
	if (bytes.n == 0)
		return;
	if (r->is_in_message)
		r->handlers->data(r->arg, bytes);
	else
		r->junk += bytes.n;
}

/* The empty line that was held back is one of the message. */
static void
give_held(struct mbox_reader *r)
{
	if (r->has_empty_line && r->is_in_message)
		give(r, STR("\r\n"));
	r->has_empty_line = false;
}

static void
end_message(struct mbox_reader *r)
{
	if (r->is_in_message)
		r->handlers->end(r->arg);
	r->is_in_message = false;
}

/* A whole line of limited length, without its LF; has_end: there was one. */
static void
take_line(struct mbox_reader *r, struct str line, bool has_end)
{
	struct mbox_from from;

	if (has_end && str_ends(line, STR("\r")))
		line.n--;
	if (r->has_empty_line && mbox_from_parse(line, &from)) {
		end_message(r);
		r->has_empty_line = false;
		r->is_in_message = true;
		r->handlers->begin(r->arg, &from);
		return;
	}
	give_held(r);
	if (line.n == 0 && has_end) {
		r->has_empty_line = true;
		return;
	}
	if (is_quoted(r, line))
		line = str_from(line, 1);
	give(r, line);
	if (has_end)
		give(r, STR("\r\n"));
}

/* More of a line that is too long to be anything but data. */
static void
take_long(struct mbox_reader *r, struct str part, bool has_end)
{
	if (part.n > 0)
		r->after_cr = part.p[part.n - 1] == '\r';
	give(r, part);
	if (!has_end)
		return;
	give(r, r->after_cr ? STR("\n") : STR("\r\n"));
	r->is_long = false;
	r->after_cr = false;
}

static void
take_part(struct mbox_reader *r, struct str part, bool has_end)
{
	if (!r->is_long && r->line.n + part.n > MBOX_LINE_MAX) {
		size_t room = MBOX_LINE_MAX - r->line.n;
		struct str begin;

		/* Always cut at the same place, however the input came. */
		buf_put_str(&r->line, str_first(part, room));
		part = str_from(part, room);
		begin = buf_str(&r->line);
		give_held(r);
		r->is_long = true;
		if (is_quoted(r, begin))
			begin = str_from(begin, 1);
		take_long(r, begin, false);
		buf_reset(&r->line, MBOX_LINE_MAX + 1);
	}
	if (r->is_long) {
		take_long(r, part, has_end);
	} else if (has_end && r->line.n == 0) {
		take_line(r, part, true);
	} else {
		buf_put_str(&r->line, part);
		if (has_end) {
			take_line(r, buf_str(&r->line), true);
			buf_reset(&r->line, MBOX_LINE_MAX + 1);
		}
	}
}

void
mbox_reader_feed(struct mbox_reader *r, struct str bytes)
{
	while (bytes.n > 0) {
		ptrdiff_t at = str_find(bytes, '\n');
		size_t n = at < 0 ? bytes.n : (size_t)at;

		take_part(r, str_first(bytes, n), at >= 0);
		bytes = str_from(bytes, at < 0 ? n : n + 1);
	}
}

void
mbox_reader_finish(struct mbox_reader *r)
{
	if (r->line.n > 0)
		take_line(r, buf_str(&r->line), false);
	buf_reset(&r->line, 0);
	end_message(r);
}

/* --- writing ------------------------------------------------------------------- */

static bool
needs_quote(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == '>')
		n++;
	return str_starts(str_from(line, n), STR("From "));
}

void
mbox_put_message(struct buf *out, struct str message)
{
	while (message.n > 0) {
		ptrdiff_t at = str_find(message, '\n');
		size_t n = at < 0 ? message.n : (size_t)at;
		struct str line = str_first(message, n);

		message = str_from(message, at < 0 ? n : n + 1);
		/* A CR more than a line end has would be taken for one. */
		if (at >= 0 && str_ends(line, STR("\r")) &&
		    !str_ends(line, STR("\r\r")))
			line.n--;
		if (needs_quote(line))
			buf_put_char(out, '>');
		buf_put_str(out, line);
		buf_put_char(out, '\n');
	}
	buf_put_char(out, '\n');
}

static const struct {
	char letter;
	unsigned flag;
} statuses[] = {
	{ 'R', MAILFILE_SEEN },
	{ 'A', MAILFILE_ANSWERED },
	{ 'F', MAILFILE_FLAGGED },
	{ 'D', MAILFILE_DELETED },
	{ 'T', MAILFILE_DRAFT },
};

unsigned
mbox_status_flags(struct str letters)
{
	unsigned flags = 0;

	for (size_t i = 0; i < letters.n; i++)
		for (size_t j = 0; j < ARRAY_LEN(statuses); j++)
			if (letters.p[i] == statuses[j].letter)
				flags |= statuses[j].flag;
	return flags;
}

void
mbox_put_status(struct buf *out, unsigned flags)
{
	/* O: not new to the reader. */
	buf_put_c(out, flags & MAILFILE_SEEN ? "Status: RO\n" : "Status: O\n");
	if ((flags & ~(unsigned)MAILFILE_SEEN) == 0)
		return;
	buf_put_c(out, "X-Status: ");
	for (size_t i = 1; i < ARRAY_LEN(statuses); i++)
		if (flags & statuses[i].flag)
			buf_put_char(out, statuses[i].letter);
	buf_put_char(out, '\n');
}
