/* SPDX-License-Identifier: ISC */
/* smtp_data_test.c - the DATA phase, for every split of its input. */
#include "../../test.h"
#include "base/buf.h"
#include "proto/smtp/smtp_data.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *in;
	const char *message; /* NULL: it has a bad line end */
	size_t left;         /* bytes behind the end; NO_END: none was found */
} cases[] = {
#define NO_END SIZE_MAX
	{ "empty",             ".\r\n",                 "", 0 },
	{ "one line",          "a\r\n.\r\n",            "a\r\n", 0 },
	{ "pipelined",         "a\r\n.\r\nQUIT\r\n",    "a\r\n", 6 },
	{ "a blank line",      "\r\n.\r\n",             "\r\n", 0 },
	{ "stuffed",           "..\r\n.\r\n",           ".\r\n", 0 },
	{ "stuffed twice",     "...\r\n..x\r\n.\r\n",   "..\r\n.x\r\n", 0 },
	{ "dot not doubled",   ".x\r\n.\r\n",           "x\r\n", 0 },
	{ "dots inside",       "a.b.\r\n.\r\n",         "a.b.\r\n", 0 },
	{ "end twice",         ".\r\n.\r\n",            "", 3 },
	{ "LF.LF",             "a\n.\nb\r\n.\r\n",      NULL, 0 },
	{ "LF.CRLF",           "a\n.\r\nb\r\n.\r\n",    NULL, 0 },
	{ "CRLF.LF",           "a\r\n.\nb\r\n.\r\n",    NULL, 0 },
	{ "CRLF.CR",           "a\r\n.\rb\r\n.\r\n",    NULL, 0 },
	{ "CR.CR",             "a\r.\rb\r\n.\r\n",      NULL, 0 },
	{ "CR CR LF",          "a\r\r\n.\r\n",          NULL, 0 },
	{ "dot CR CR LF",      ".\r\r\n.\r\n",          NULL, 0 },
	{ "LF CR",             "a\n\r\n.\r\n",          NULL, 0 },
	{ "LF first",          "\n.\r\n\r\n.\r\n",      NULL, 0 },
	{ "CR at line start",  "\rx\r\n.\r\n",          NULL, 0 },
	{ "CR, dot at start",  "\r.\r\n\r\n.\r\n",      NULL, 0 },
	{ "bad, then stuffed", "\n\r\n..\r\n.\r\nX",    NULL, 1 },
	{ "no end yet",        "a\r\n.\r",              "a\r\n", NO_END },
	{ "nearly an end",     "a\r\n. \r\n",           "a\r\n \r\n", NO_END },
	{ "dot without CRLF",  "a.\r\n",                "a.\r\n", NO_END },
};
/* clang-format on */

/* Feed in, cut in front of a and b; the answer is what is left, or NO_END. */
static size_t
run(struct smtp_data *d, struct str in, size_t a, size_t b, struct buf *to)
{
	const size_t cuts[] = { a, b, in.n };
	size_t from = 0;

	smtp_data_init(d);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct str part = str_sub(in, from, cuts[i] - from), slice;
		enum smtp_data_step step;

		from = cuts[i];
		while ((step = smtp_data_next(d, &part, &slice)) ==
		       SMTP_DATA_SLICE)
			buf_put_str(to, slice);
		if (step == SMTP_DATA_END)
			return part.n + in.n - from;
		CHECK(part.n == 0, "MORE uses everything");
	}
	return NO_END;
}

TEST(every_split_gives_the_same_message)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);

		for (size_t a = 0; a <= in.n; a++)
			for (size_t b = a; b <= in.n; b++) {
				struct buf got = BUF_INIT(1000);
				struct smtp_data d;

				CHECK(run(&d, in, a, b, &got) == cases[i].left,
				    cases[i].name);
				CHECK(d.has_bad_eol == !cases[i].message,
				    cases[i].name);
				if (cases[i].message) {
					CHECK(str_eq(buf_str(&got),
						  str_c(cases[i].message)),
					    cases[i].name);
					CHECK(d.size == got.n, cases[i].name);
				}
				buf_done(&got);
			}
	}
}

TEST(slices_are_not_copies_and_are_long)
{
	struct str in = STR("one\r\ntwo\r\nthree\r\n.\r\n"), slice;
	const char *start = in.p;
	struct smtp_data d = { 0 };

	CHECK(smtp_data_next(&d, &in, &slice) == SMTP_DATA_SLICE, "slice");
	CHECK(slice.p == start && slice.n == 17, "all lines at once");
	CHECK(smtp_data_next(&d, &in, &slice) == SMTP_DATA_END, "end");
	CHECK(d.size == 17 && in.n == 0, "end");
}

TEST(nul_and_8_bit_pass_and_the_longest_line_is_known)
{
	struct str in = STR("a\0b\r\n\xC3\xBC\xFF"
			    "12345\r\n.\r\n"),
		   slice;
	struct smtp_data d = { 0 };

	CHECK(smtp_data_next(&d, &in, &slice) == SMTP_DATA_SLICE, "slice");
	CHECK(str_eq(slice, STR("a\0b\r\n\xC3\xBC\xFF"
				"12345\r\n")),
	    "bytes");
	CHECK(d.line_max == 8, "longest line");
}

TEST(a_bad_message_hands_out_nothing_more)
{
	struct str in = STR("a\nb\r\nlong text\r\n..\r\n.\r\n"), slice;
	struct smtp_data d = { 0 };

	CHECK(smtp_data_next(&d, &in, &slice) == SMTP_DATA_END, "end");
	CHECK(d.has_bad_eol && d.size == 0, "nothing");
}

TEST_MAIN(UNIT(every_split_gives_the_same_message),
    UNIT(slices_are_not_copies_and_are_long),
    UNIT(nul_and_8_bit_pass_and_the_longest_line_is_known),
    UNIT(a_bad_message_hands_out_nothing_more))
