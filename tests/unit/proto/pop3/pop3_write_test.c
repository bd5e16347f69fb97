/* SPDX-License-Identifier: ISC */
/* pop3_write_test.c - multi-line responses and status lines. */
#include "../../test.h"
#include "proto/pop3/pop3_write.h"

#define ALL UINT32_MAX

/* clang-format off */
static const struct {
	const char *name, *in;
	uint32_t top; /* ALL: RETR */
	const char *want;
} cases[] = {
	{ "empty",          "",                  ALL, ".\r\n" },
	{ "plain",          "A: b\r\n\r\nx\r\n", ALL, "A: b\r\n\r\nx\r\n.\r\n" },
	{ "dots",           ".\r\n..\r\n.x\r\n", ALL, "..\r\n...\r\n..x\r\n.\r\n" },
	{ "dot inside",     "a.b\r\n",           ALL, "a.b\r\n.\r\n" },
	{ "no last CRLF",   "a\r\nb",            ALL, "a\r\nb\r\n.\r\n" },
	{ "a dot is last",  "a\r\n.",            ALL, "a\r\n..\r\n.\r\n" },
	{ "CR is last",     "a\r",               ALL, "a\r\r\n.\r\n" },
	{ "bare LF",        "a\n.\nb\n",         ALL, "a\r\n..\r\nb\r\n.\r\n" },
	{ "LF first",       "\n.",               ALL, "\r\n..\r\n.\r\n" },
	{ "bare CR stays",  "a\rb\r\r\n",        ALL, "a\rb\r\r\n.\r\n" },
	{ "CR dot",         "\r.\r\n",           ALL, "\r.\r\n.\r\n" },
	{ "top 0",          "A: b\r\n\r\nx\r\n", 0,   "A: b\r\n\r\n.\r\n" },
	{ "top 1",          "A\r\n\r\n1\r\n2\r\n", 1, "A\r\n\r\n1\r\n.\r\n" },
	{ "top of dots",    "A\r\n\r\n.\r\n.\r\n", 1, "A\r\n\r\n..\r\n.\r\n" },
	{ "top, blank body", "A\r\n\r\n\r\n\r\nx", 2, "A\r\n\r\n\r\n\r\n.\r\n" },
	{ "top, more than all", "A\r\n\r\n1",    9,   "A\r\n\r\n1\r\n.\r\n" },
	{ "top, header only", "A\r\nB\r\n",      0,   "A\r\nB\r\n.\r\n" },
	{ "top, no header", "\r\nx\r\ny\r\n",    1,   "\r\nx\r\n.\r\n" },
	{ "top, bare LF",   "A\n\n1\n2\n",       1,   "A\r\n\r\n1\r\n.\r\n" },
};
/* clang-format on */

static void
run(size_t i, size_t cut, struct buf *to)
{
	struct str in = str_c(cases[i].in), piece;
	struct str parts[] = { str_first(in, cut), str_from(in, cut) };
	struct pop3_writer w;

	if (cases[i].top == ALL)
		pop3_writer_init(&w);
	else
		pop3_writer_init_top(&w, cases[i].top);
	for (size_t n = 0; n < ARRAY_LEN(parts); n++) {
		while (pop3_writer_next(&w, &parts[n], &piece))
			buf_put_str(to, piece);
		CHECK(
		    parts[n].n == 0 || pop3_writer_is_full(&w), cases[i].name);
	}
	buf_put_str(to, pop3_writer_end(&w));
}

TEST(every_split_gives_the_same_response)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut <= strlen(cases[i].in); cut++) {
			struct buf got = BUF_INIT(1000);

			run(i, cut, &got);
			CHECK(str_eq(buf_str(&got), str_c(cases[i].want)),
			    cases[i].name);
			buf_done(&got);
		}
}

TEST(clean_text_is_handed_out_as_it_lies)
{
	struct str in = STR("A: b\r\n\r\nbody\r\n"), piece;
	const char *start = in.p;
	struct pop3_writer w;

	pop3_writer_init(&w);
	CHECK(pop3_writer_next(&w, &in, &piece), "a piece");
	CHECK(piece.p == start && piece.n == 14, "all of it, not copied");
	CHECK(!pop3_writer_next(&w, &in, &piece), "no more");
}

TEST(the_size_that_is_told_is_the_size_that_is_sent)
{
	static const struct {
		const char *message;
		uint64_t extra;
	} sizes[] = {
		{ "", 0 },
		{ "a\r\n", 0 },
		{ "a\r\n\r\n.b\r\n", 0 },
		{ "a", 2 },
		{ "a\n", 1 },
		{ "\n", 1 },
		{ "\n\n", 2 },
		{ "\r\n\n", 1 },
		{ "\r\r\n", 0 },
		{ "a\r", 2 },
		{ "a\nb\r\nc\nd", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		CHECK(
		    pop3_crlf_extra(str_c(sizes[i].message)) == sizes[i].extra,
		    sizes[i].message);
}

TEST(status_lines_are_clean_and_short)
{
	char text[600];
	struct buf b = BUF_INIT(2000);

	memset(text, 'x', sizeof(text));
	pop3_put_ok(&b, STR(""));
	pop3_put_ok(&b, STR("2 320"));
	pop3_put_err(&b, "IN-USE", STR("a\r\n+OK \xFF"));
	pop3_put_err(&b, NULL, STR("no"));
	CHECK(str_eq(buf_str(&b), STR("+OK\r\n+OK 2 320\r\n"
				      "-ERR [IN-USE] a??+OK ?\r\n"
				      "-ERR no\r\n")),
	    "lines");
	buf_reset(&b, 0);
	pop3_put_err(&b, "SYS/TEMP", str_make(text, sizeof(text)));
	CHECK(b.n == 512 && str_ends(buf_str(&b), STR("x\r\n")), "cut");
	buf_done(&b);
}

TEST_MAIN(UNIT(every_split_gives_the_same_response),
    UNIT(clean_text_is_handed_out_as_it_lies),
    UNIT(the_size_that_is_told_is_the_size_that_is_sent),
    UNIT(status_lines_are_clean_and_short))
