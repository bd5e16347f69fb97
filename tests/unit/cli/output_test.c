/* SPDX-License-Identifier: ISC */
/* output_test.c - what others say, on a terminal. */
#include "../test.h"
#include "cli/output.h"

TEST(nothing_steers_a_terminal)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "550 5.1.1 no", "550 5.1.1 no" },
		{ "a\nb\tc\x1b[2J\x7f", "a?b?c?[2J?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		/* CSI of C1 in UTF-8, and its neighbours. */
		{ "\xc2\x9b"
		  "2J\xc2\x80\xc2\x9f",
		    "??2J????" },
		{ "\xc2\xa0\xc2", "\xc2\xa0\xc2" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_strdup(cases[i].in);

		output_tame(text, strlen(text));
		CHECK(strcmp(text, cases[i].want) == 0, cases[i].in);
		free(text);
	}
}

TEST_MAIN(UNIT(nothing_steers_a_terminal))
