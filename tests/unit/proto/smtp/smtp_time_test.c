/* SPDX-License-Identifier: ISC */
/* smtp_time_test.c - the date-time of HOLDUNTIL. */
#include "../../test.h"

#include "proto/smtp/smtp_time.h"

TEST(a_date_time_of_rfc_3339_is_a_time)
{
	static const struct {
		const char *text;
		uint64_t want;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:01z", 1 },
		{ "1985-04-12T23:20:50.52Z", 482196050 },
		{ "1996-12-19T16:39:57-08:00", 851042397 },
		{ "1990-12-31T23:59:60Z", 662688000 },
		{ "2000-02-29T12:00:00+00:00", 951825600 },
		{ "2026-11-23T21:25:57+05:30", 1795449357 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t got = 7;

		CHECK(
		    smtp_time_parse(str_c(cases[i].text), &got), cases[i].text);
		CHECK(got == cases[i].want, cases[i].text);
	}
}

TEST(what_is_no_date_time_is_refused)
{
	static const char *const cases[] = { "", "2026", "2026-11-23",
		"2026-11-23T21:25:57", "2026-11-23 21:25:57Z",
		"2026-11-23T21:25Z", "2026-11-23T21:25:57.Z",
		"2026-11-23T24:00:00Z", "2026-11-23T21:60:00Z",
		"2026-11-23T21:25:61Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z", "0000-01-01T00:00:00Z",
		"2026-11-23T21:25:57+5:30", "2026-11-23T21:25:57+24:00",
		"2026-11-23T21:25:57+05:3", "2026-11-23T21:25:57ZZ",
		"2026-11-23T21:25:57+0530", "26-11-23T21:25:57Z",
		"+026-11-23T21:25:57Z", "1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t got = 7;

		CHECK(!smtp_time_parse(str_c(cases[i]), &got), cases[i]);
		CHECK(got == 7, "untouched");
	}
}

TEST(a_time_is_read_as_it_was_written)
{
	char text[SMTP_TIME_MAX];
	uint64_t got;

	for (uint64_t t = 0; t <= 253402300799; t += 86400 * 27 + 12345) {
		smtp_time_format(t, text);
		CHECK(smtp_time_parse(str_c(text), &got) && got == t, text);
	}
	smtp_time_format(951782399, text);
	CHECK(!strcmp(text, "2000-02-28T23:59:59Z"), text);
	smtp_time_format(951782400, text);
	CHECK(!strcmp(text, "2000-02-29T00:00:00Z"), text);
	smtp_time_format(UINT64_MAX, text);
	CHECK(!strcmp(text, "9999-12-31T23:59:59Z"), text);
}

TEST_MAIN(UNIT(a_date_time_of_rfc_3339_is_a_time),
    UNIT(what_is_no_date_time_is_refused),
    UNIT(a_time_is_read_as_it_was_written))
