/* SPDX-License-Identifier: ISC */
/*
 * log.c - event lines. See log.h.
 *
 * A line is built on the stack and written at once, so that lines of several
 * processes never mix. The date is computed here: gmtime_r() may open the
 * time zone file, which no sandboxed role can.
 */
#include "base/log.h"
#include "base/metrics.h"

#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX  4000
#define LOG_VALUE_MAX 1024 /* bytes of one value before escaping */

static struct {
	char process[48];
	enum log_level least;
} self = { "mailstead", LOG_LEVEL_INFO };

static const struct {
	const char *name;
	enum log_level level;
	const char *help;
} events[EVENT_COUNT] = {
#define EVENT(id, name_, level_, help_) \
	[EV_##id] = { name_, LOG_LEVEL_##level_, help_ },
#include "base/events.def"
#undef EVENT
};

void
log_init(const char *process, enum log_level least)
{
	(void)snprintf(self.process, sizeof(self.process), "%s[%ld]", process,
	    (long)getpid());
	self.least = least;
}

void
log_set_level(enum log_level least)
{
	self.least = least;
}

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

const char *
log_level_name(enum log_level level)
{
	ASSERT((unsigned)level < ARRAY_LEN(level_names));
	return level_names[level];
}

bool
log_level_from_name(const char *name, enum log_level *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(level_names); i++)
		if (strcmp(level_names[i], name) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

const char *
event_name(enum event_id id)
{
	ASSERT((unsigned)id < EVENT_COUNT);
	return events[id].name;
}

const char *
event_help(enum event_id id)
{
	ASSERT((unsigned)id < EVENT_COUNT);
	return events[id].help;
}

enum log_level
event_level(enum event_id id)
{
	ASSERT((unsigned)id < EVENT_COUNT);
	return events[id].level;
}

/* --- the line ---------------------------------------------------------------- */

/* Days since 1970 to a date of the Gregorian calendar, by counting eras of
 * 400 years that begin on the first of March. */
static void
date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = days + 719468, era = z / 146097;
	unsigned in_era = (unsigned)(z - era * 146097);
	unsigned year_of_era =
	    (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year =
	    in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (5 * in_year + 2) / 153;

	*day = in_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (unsigned)(year_of_era + era * 400) + (*month <= 2);
}

static void
put_time(struct buf *b, uint64_t unix_ms)
{
	uint64_t s = unix_ms / 1000;
	unsigned year, month, day, in_day = (unsigned)(s % 86400);

	date_of_days(s / 86400, &year, &month, &day);
	buf_printf(b, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
	    in_day / 3600, in_day / 60 % 60, in_day % 60,
	    (unsigned)(unix_ms % 1000));
}

static bool
is_plain(char c)
{
	return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
}

static void
put_hex(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_printf(b, "\\x%02x", (unsigned char)s.p[i]);
}

/* How many bytes s begins with that nobody sees, but that move what is seen: marks
 * and controls of direction, separators of lines; 0: none. */
static size_t
unseen_bytes(struct str s)
{
	static const char *const marks[] = { "\xE2\x80\x8E", "\xE2\x80\x8F",
		"\xE2\x80\xA8", "\xE2\x80\xA9", "\xD8\x9C" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (str_starts(s, str_c(marks[i])))
			return strlen(marks[i]);
	return str_turns_around(s) ? 3 : 0;
}

static void
put_escaped(struct buf *b, struct str s, bool is_quoted)
{
	bool is_text = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		size_t unseen =
		    is_text && c >= 0x80 ? unseen_bytes(str_from(s, i)) : 0;

		if (unseen > 0) {
			put_hex(b, str_sub(s, i, unseen));
			i += unseen - 1;
			continue;
		}
		if (is_plain(s.p[i]) || (is_quoted && (c == ' ' || c == '=')))
			buf_put_char(b, s.p[i]);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		/* C1 controls are two bytes in UTF-8 and steer terminals. */
		else if (c >= 0x80 && is_text &&
			 !(c == 0xC2 && (unsigned char)s.p[i + 1] < 0xA0) &&
			 !(i > 0 && (unsigned char)s.p[i - 1] == 0xC2 &&
			     c < 0xA0))
			buf_put_char(b, s.p[i]);
		else
			buf_printf(b, "\\x%02x", c);
	}
}

static void
put_value(struct buf *b, struct str s)
{
	struct str part = str_first(s, LOG_VALUE_MAX);
	bool is_quoted = part.n == 0;

	/* Do not cut a character in two: the rest would not be UTF-8. */
	while (part.n < s.n && part.n > LOG_VALUE_MAX - 4 &&
	       ((unsigned char)s.p[part.n] & 0xC0) == 0x80)
		part.n--;
	for (size_t i = 0; i < part.n && !is_quoted; i++)
		is_quoted = !is_plain(part.p[i]);
	if (is_quoted)
		buf_put_char(b, '"');
	put_escaped(b, part, is_quoted);
	if (part.n < s.n)
		buf_put_c(b, "...");
	if (is_quoted)
		buf_put_char(b, '"');
}

static void
put_field(struct buf *b, const struct log_field *f)
{
	buf_printf(b, " %s=", f->key);
	switch (f->type) {
	case LOG_STR:
		put_value(b, f->s);
		return;
	case LOG_U64:
		buf_put_u64(b, f->u);
		return;
	case LOG_I64:
		buf_printf(b, "%lld", (long long)f->i);
		return;
	}
}

void
log_format(struct buf *b, uint64_t unix_ms, enum event_id id,
    const struct log_field *fields, size_t n)
{
	ASSERT((unsigned)id < EVENT_COUNT);
	put_time(b, unix_ms);
	buf_printf(b, " %s %s event=%s", self.process,
	    log_level_name(events[id].level), events[id].name);
	for (size_t i = 0; i < n; i++) {
		struct buf one = BUF_INIT(LOG_VALUE_MAX * 4 + 64);
		bool fits;

		put_field(&one, &fields[i]);
		fits = b->n + one.n <= LOG_LINE_MAX;
		/* A field that does not fit is left out whole, and all that
		 * follow it; the mark says so. */
		buf_put_str(b, fits ? buf_str(&one) : STR(" cut=1"));
		buf_done(&one);
		if (!fits)
			break;
	}
	buf_put_char(b, '\n');
}

void
log_fields(enum event_id id, const struct log_field *fields, size_t n)
{
	struct buf b = BUF_INIT(LOG_LINE_MAX + 64);
	struct timespec ts;

	metric_event(id);
	if (event_level(id) < self.least)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	log_format(&b,
	    (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000, id,
	    fields, n);
	/* Nobody could be told that the log cannot be written. */
	if (write(STDERR_FILENO, b.p, b.n) < 0)
		metric_add(M_LOG_LOST, 1);
	buf_done(&b);
}
