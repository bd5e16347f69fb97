/* SPDX-License-Identifier: ISC */
/* wrap_test.c - text in lines of a terminal. */
#include "../../test.h"
#include "cli/output/wrap.h"

/* Tens of letters, so that columns can be counted. */
#define TEN    "abcdefghi "
#define THIRTY TEN TEN TEN
#define LONG   "x123456789y123456789z123456789x123456789y123456789z12345678"

TEST(words_go_on_in_the_next_line)
{
	const struct {
		const char *text, *want;
		size_t at, indent;
	} cases[] = {
		{ "", "", 0, 0 },
		{ "  a  b ", "a b", 3, 3 },
		/* 79 columns, and one more. */
		{ THIRTY THIRTY "abcdefghi abcdefghi",
		    THIRTY THIRTY "abcdefghi abcdefghi", 0, 0 },
		{ THIRTY THIRTY "abcdefghi abcdefghij",
		    THIRTY THIRTY "abcdefghi\n  abcdefghij", 0, 2 },
		{ THIRTY "ab", THIRTY "ab", 47, 4 },
		{ THIRTY "ab", TEN TEN "abcdefghi\n    ab", 48, 4 },
		/* Never two ends of line, never a blank at an end. */
		{ LONG LONG " a", LONG LONG "\n a", 10, 1 },
		{ "a " LONG LONG, "a\n " LONG LONG, 10, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf got = BUF_INIT(KIB(4));

		wrap_words(
		    &got, str_c(cases[i].text), cases[i].at, cases[i].indent);
		CHECK(strcmp(buf_c(&got), cases[i].want) == 0, cases[i].text);
		buf_done(&got);
	}
}

TEST(what_usage_has_in_brackets_stays_together)
{
	struct buf got = BUF_INIT(KIB(4));

	wrap_usage(&got,
	    STR("a " THIRTY TEN "[--from WHEN [--to WHEN]] [--json]\n"
		"       mailstead b [--c] " THIRTY TEN "d|e [--f GHIJ]]"));
	assert_string_equal(buf_c(&got),
	    "a " THIRTY "abcdefghi\n"
	    "                 [--from WHEN [--to WHEN]] [--json]\n"
	    "       mailstead b [--c] " THIRTY TEN "d|e\n"
	    "                 [--f GHIJ]]");
	buf_done(&got);
}

TEST_MAIN(UNIT(words_go_on_in_the_next_line),
    UNIT(what_usage_has_in_brackets_stays_together))
