/* SPDX-License-Identifier: ISC */
/* line_test.c - the strict line framer. */
#include "../test.h"
#include "base/line.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *in;
	size_t max;
	enum line_frame want;
	size_t used;
} cases[] = {
	{ "one line",           "NOOP\r\nQU",   512, LINE_OK,       6 },
	{ "empty line",         "\r\n",         512, LINE_OK,       2 },
	{ "empty, limit 0",     "\r\n",         0,   LINE_OK,       2 },
	{ "nothing",            "",             512, LINE_MORE,     0 },
	{ "half a CRLF",        "NOOP\r",       512, LINE_MORE,     0 },
	{ "bare LF",            "NOOP\nQU",     512, LINE_BARE_EOL, 0 },
	{ "LF first",           "\nNOOP\r\n",   512, LINE_BARE_EOL, 0 },
	{ "bare CR",            "NO\rOP\r\n",   512, LINE_BARE_EOL, 0 },
	{ "two CR",             "NOOP\r\r\n",   512, LINE_BARE_EOL, 0 },
	{ "just fits",          "NOOP\r\n",     4,   LINE_OK,       6 },
	{ "fits, not yet over", "NOOP",         4,   LINE_MORE,     0 },
	{ "one too long",       "NOOPS\r\n",    4,   LINE_TOO_LONG, 0 },
	{ "bare CR at limit",   "NOOP\rX",      4,   LINE_BARE_EOL, 0 },
};
/* clang-format on */

TEST(answers_are_the_same_however_input_is_split)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct line_framer f = { .max = cases[i].max };
		struct line_framer whole = f;
		enum line_frame got = LINE_MORE;
		struct str line = { 0 }, in = str_c(cases[i].in);
		size_t used = 0, used_whole = 0;

		for (size_t n = 0; n <= in.n && got == LINE_MORE; n++)
			got = line_framer_next(
			    &f, str_first(in, n), &line, &used);
		CHECK(got == cases[i].want, cases[i].name);
		CHECK(used == cases[i].used, cases[i].name);
		got = line_framer_next(&whole, in, &line, &used_whole);
		CHECK(got == cases[i].want, cases[i].name);
		CHECK(used_whole == used, cases[i].name);
		if (got == LINE_OK)
			CHECK(line.n == used - 2, cases[i].name);
	}
}

TEST(pipelined_lines_come_one_by_one)
{
	struct line_framer f = { .max = 10 };
	struct str in = STR("RSET\r\na\0b\r\n\r\nQUI"), line;
	const struct str want[] = { STR("RSET"), STR("a\0b"), STR("") };
	size_t used;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CHECK(line_framer_next(&f, in, &line, &used) == LINE_OK, "ok");
		CHECK(str_eq(line, want[i]), want[i].p);
		in = str_from(in, used);
	}
	CHECK(line_framer_next(&f, in, &line, &used) == LINE_MORE, "rest");
}

TEST_MAIN(UNIT(answers_are_the_same_however_input_is_split),
    UNIT(pipelined_lines_come_one_by_one))
