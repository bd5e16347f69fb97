/* SPDX-License-Identifier: ISC */
/* Calendars: folding, escaping, rules (RFC 5545). */
#include "proto/feed/ical.h"
#include "../../test.h"

static const char *
write_event(struct buf *to, const struct ical_event *e)
{
	buf_init(to, KIB(64));
	ical_begin(to, STR("Example, planned"));
	ical_put(to, e);
	ical_end(to);
	CHECK(!to->failed, "fits");
	return buf_c(to);
}

static const struct ical_event plain = {
	.uid = STR("post-7@status.example"),
	.sequence = 3,
	.summary = STR("New disks"),
	.from_s = 1764492000,
	.to_s = 1764495600,
	.changed_s = 1764490000,
};

TEST(an_event_has_what_calendars_want)
{
	struct buf b;
	const char *s = write_event(&b, &plain);

	CHECK(strstr(s, "\r\nUID:post-7@status.example\r\n"), "uid");
	CHECK(strstr(s, "\r\nSEQUENCE:3\r\n"), "sequence");
	CHECK(strstr(s, "\r\nDTSTAMP:20251130T080640Z\r\n"), "stamp");
	CHECK(strstr(s, "\r\nDTSTART:20251130T084000Z\r\n"), "start");
	CHECK(strstr(s, "\r\nDTEND:20251130T094000Z\r\n"), "end");
	CHECK(strstr(s, "\r\nNAME:Example\\, planned\r\n"), "name");
	CHECK(strstr(s, "RRULE") == NULL, "once");
	CHECK(strstr(s, "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), "ends");
	buf_done(&b);
}

TEST(an_end_that_is_not_later_is_left_out)
{
	struct ical_event e = plain;
	struct buf b;

	e.to_s = e.from_s;
	CHECK(strstr(write_event(&b, &e), "DTEND") == NULL, "no end");
	buf_done(&b);
}

TEST(a_distance_is_a_rule)
{
	static const struct {
		uint64_t every_s;
		const char *want;
	} cases[] = {
		{ 604800, "\r\nRRULE:FREQ=WEEKLY\r\n" },
		{ 1209600, "\r\nRRULE:FREQ=WEEKLY;INTERVAL=2\r\n" },
		{ 86400, "\r\nRRULE:FREQ=DAILY\r\n" },
		{ 2592000, "\r\nRRULE:FREQ=DAILY;INTERVAL=30\r\n" },
		{ 43200, "\r\nRRULE:FREQ=HOURLY;INTERVAL=12\r\n" },
		{ 90 * 60, "\r\nRRULE:FREQ=MINUTELY;INTERVAL=90\r\n" },
		{ 61, "\r\nRRULE:FREQ=SECONDLY;INTERVAL=61\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ical_event e = plain;
		struct buf b;

		e.every_s = cases[i].every_s;
		CHECK(
		    strstr(write_event(&b, &e), cases[i].want), cases[i].want);
		buf_done(&b);
	}
}

TEST(texts_are_escaped_and_cannot_begin_a_line)
{
	struct ical_event e = plain;
	struct buf b;
	const char *s;

	e.summary = STR("a;b,c\\d\ne\r\nATTENDEE:x\0\x1B\x7F.");
	e.url = STR("https://status.example/x\r\nATTACH:y");
	e.description = STR("caf\xE9");
	s = write_event(&b, &e);
	CHECK(strstr(s, "\r\nSUMMARY:a\\;b\\,c\\\\d\\ne\\nATTENDEE:x.\r\n"),
	    "summary");
	CHECK(strstr(s, "\r\nURL:https://status.example/xATTACH:y\r\n"), "url");
	CHECK(strstr(s, "\r\nDESCRIPTION:caf?\r\n"), "not UTF-8");
	CHECK(strlen(s) == b.n, "no NUL");
	buf_done(&b);
}

/* Unfolding as section 3.1 says gives back what was folded. */
TEST(lines_are_folded_at_75_bytes_between_characters)
{
	static const char *const parts[] = { "x", "\xC3\xA9", "\xE2\x82\xAC",
		"\xF0\x9F\x98\x80", "," };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct buf text = BUF_INIT(KIB(4)), back = BUF_INIT(KIB(16)), b;
		struct buf want = BUF_INIT(KIB(16));
		struct ical_event e = plain;
		struct str rest, line;

		buf_put_c(&want, "\nSUMMARY:");
		for (size_t k = 0; k < 300; k++) {
			buf_put_c(&text, parts[i]);
			buf_printf(&want, "%s%s",
			    parts[i][0] == ',' ? "\\" : "", parts[i]);
		}
		buf_put_c(&want, "\n");
		e.summary = buf_str(&text);
		(void)write_event(&b, &e);
		rest = buf_str(&b);
		while (rest.n > 0) {
			rest = str_split(rest, '\n', &line);
			CHECK(line.n > 0 && line.p[line.n - 1] == '\r', "CRLF");
			line.n--;
			CHECK(line.n <= 75, "75 bytes");
			CHECK(str_is_utf8(line), "whole characters");
			if (str_starts(line, STR(" ")))
				buf_put_str(&back, str_from(line, 1));
			else {
				buf_put_char(&back, '\n');
				buf_put_str(&back, line);
			}
		}
		CHECK(
		    str_search(buf_str(&back), buf_str(&want)) >= 0, parts[i]);
		buf_done(&text);
		buf_done(&back);
		buf_done(&want);
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(an_event_has_what_calendars_want),
    UNIT(an_end_that_is_not_later_is_left_out), UNIT(a_distance_is_a_rule),
    UNIT(texts_are_escaped_and_cannot_begin_a_line),
    UNIT(lines_are_folded_at_75_bytes_between_characters))
