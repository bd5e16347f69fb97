/* SPDX-License-Identifier: ISC */
/*
 * imap_framer_test.c - commands out of a byte stream.
 *
 * Each case is a client's input and a transcript of what the framer says,
 * with literals answered by a fixed rule. Every case runs whole, byte by
 * byte and in every split into two; the transcript must be the same.
 */
#include "../../test.h"
#include "proto/imap/imap_framer.h"

static const struct imap_framer_limits limits = {
	.line = 40,
	.literal = 10,
	.literals = 3,
	.command = 60,
	.skip = 50,
	.non_sync = 30,
};

static const char *const names[] = {
	[IMAP_FRAME_COMMAND] = "CMD",
	[IMAP_FRAME_LITERAL] = "LIT",
	[IMAP_FRAME_BARE_EOL] = "BARE",
	[IMAP_FRAME_BAD_CHAR] = "CHAR",
	[IMAP_FRAME_LINE_LONG] = "LONG",
	[IMAP_FRAME_LITERAL_BIG] = "BIG",
	[IMAP_FRAME_TOO_MANY] = "MANY",
	[IMAP_FRAME_COMMAND_LONG] = "CMDLONG",
	[IMAP_FRAME_FATAL] = "FATAL",
};

static void
put_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			buf_put_c(out, "<");
		else if (s.p[i] == '\n')
			buf_put_c(out, ">");
		else
			buf_put_char(out, s.p[i]);
	}
}

/* Size 7 is rejected, messages are streamed, the rest is collected. */
static void
answer(struct imap_framer *f, const struct imap_literal *lit, struct buf *out)
{
	buf_printf(out, "%s%s%llu", lit->is_sync ? "" : "+",
	    lit->is_binary ? "~" : "", (unsigned long long)lit->size);
	if (lit->size == 7) {
		buf_put_c(out, "!|");
		imap_framer_reject(f);
	} else if (lit->can_stream) {
		buf_put_c(out, "s|");
		imap_framer_stream(f);
	} else {
		buf_put_c(out, "|");
		imap_framer_accept(f);
	}
}

static void
handle(struct imap_framer *f, enum imap_frame frame,
    const struct imap_frame_event *e, struct buf *out)
{
	if (frame == IMAP_FRAME_SLICE) {
		put_text(out, e->slice);
		if (e->left == 0)
			buf_put_c(out, "|");
		return;
	}
	buf_printf(out, "%s ", names[frame]);
	if (frame == IMAP_FRAME_LITERAL) {
		answer(f, &e->literal, out);
		return;
	}
	put_text(out, e->text);
	buf_put_c(out, "|");
}

/* Feed in as if it came in pieces that end at the given offsets. */
static void
feed(struct imap_framer *f, struct str in, size_t end, size_t *at,
    struct buf *out)
{
	for (;;) {
		struct imap_frame_event e;
		size_t used;
		enum imap_frame frame =
		    imap_framer_next(f, str_sub(in, *at, end - *at), &used, &e);

		*at += used;
		if (frame == IMAP_FRAME_MORE) {
			CHECK(*at == end, "MORE uses everything");
			return;
		}
		handle(f, frame, &e, out);
		if (frame == IMAP_FRAME_FATAL) {
			*at = in.n;
			return;
		}
	}
}

static void
run(struct str in, size_t split, size_t step, struct buf *out)
{
	struct imap_framer f;
	size_t at = 0;

	imap_framer_init(&f, &limits);
	for (size_t end = split; end < in.n; end += step) {
		if (at <= end)
			feed(&f, in, end, &at, out);
	}
	if (at < in.n || in.n == 0)
		feed(&f, in, in.n, &at, out);
	imap_framer_done(&f);
}

/* clang-format off */
static const struct {
	const char *name;
	struct str in;
	const char *want;
} cases[] = {
	{ "lines", STR("a NOOP\r\nb CHECK\r\n"), "CMD a NOOP|CMD b CHECK|" },
	{ "empty line", STR("\r\na\r\n"), "CMD |CMD a|" },
	{ "unfinished", STR("a NOOP\r"), "" },
	{ "literal", STR("a LOGIN {3}\r\nfoo {4}\r\nb\r\nr\r\n"),
	    "LIT 3|LIT 4|CMD a LOGIN {3}<>foo {4}<>b<>r|" },
	{ "LITERAL+", STR("a LOGIN {3+}\r\nfoo {1+}\r\nx\r\n"),
	    "LIT +3|LIT +1|CMD a LOGIN {3+}<>foo {1+}<>x|" },
	{ "empty literal", STR("a LOGIN {0}\r\n b\r\n"),
	    "LIT 0|CMD a LOGIN {0}<> b|" },
	{ "literal full of CR", STR("a X {2}\r\n\r\r\r\n"),
	    "LIT 2|CMD a X {2}<><<|" },
	{ "no header", STR("a X {}\r\na X {3-}\r\na X 3}\r\na {3!}\r\n"),
	    "CMD a X {}|CMD a X {3-}|CMD a X 3}|CMD a {3!}|" },
	{ "too many digits", STR("a {000000000000000000001}\r\n"),
	    "CMD a {000000000000000000001}|" },
	{ "append is streamed", STR("a append b {12}\r\nHello\r\nworld\r\n"),
	    "LIT 12s|Hello<>world|CMD a append b {12!}<>|" },
	{ "name is no message",
	    STR("a APPEND {1}\r\nb (\\Seen) ~{2+}\r\nxy\r\n"),
	    "LIT 1|LIT +~2s|xy|CMD a APPEND {1}<>b (\\Seen) ~{2!}<>|" },
	{ "multiappend", STR("a APPEND b {1}\r\nx {0}\r\n {2+}\r\nyz\r\n"),
	    "LIT 1s|x|LIT 0s||LIT +2s|yz|"
	    "CMD a APPEND b {1!}<> {0!}<> {2!}<>|" },
	{ "reject, synchronising", STR("a APPEND b {7}\r\nb NOOP\r\n"),
	    "LIT 7!|CMD b NOOP|" },
	{ "reject, not synchronising",
	    STR("a X {7+}\r\n1\r\n4567 {2+}\r\n\r\n\r\nb NOOP\r\n"),
	    "LIT +7!|CMD b NOOP|" },
	{ "reject, then a synchronising one",
	    STR("a X {7+}\r\n1234567 {2}\r\nb NOOP\r\n"),
	    "LIT +7!|CMD b NOOP|" },
	{ "bare LF", STR("a X\nb Y\r\nc Z\r\n"), "BARE a X|CMD c Z|" },
	{ "bare CR", STR("a X\rY\r\nc Z\r\n"), "BARE a X|CMD c Z|" },
	{ "CR CR LF", STR("a X\r\r\nc Z\r\n"), "BARE a X|CMD c Z|" },
	{ "NUL", STR("a X\0 {1+}\r\n\n\r\nc Z\r\n"), "CHAR a X|CMD c Z|" },
	{ "line fits", STR("0123456789012345678901234567890123456789\r\n"),
	    "CMD 0123456789012345678901234567890123456789|" },
	{ "line too long",
	    STR("01234567890123456789012345678901234567890 {1+}\r\nx\r\n"
		"c Z\r\n"),
	    "LONG 0123456789012345678901234567890123456789|CMD c Z|" },
	{ "literal too big", STR("a X {11}\r\nc Z\r\n"),
	    "BIG a X {11}|CMD c Z|" },
	{ "not synchronising and too big",
	    STR("a X {11+}\r\nb NOOP\r\nb N\r\nc Z\r\n"),
	    "BIG a X {11+}|CMD c Z|" },
	{ "message not synchronising and too big",
	    STR("a APPEND b {31+}\r\n0123456789012345678901234567890\r\n"
		"c Z\r\n"),
	    "BIG a APPEND b {31+}|CMD c Z|" },
	{ "beyond 64 bits", STR("a X {99999999999999999999}\r\nc Z\r\n"),
	    "BIG a X {99999999999999999999}|CMD c Z|" },
	{ "too much to skip", STR("a X {51+}\r\nc Z\r\n"),
	    "BIG a X {51+}|FATAL |" },
	{ "too much to skip in lines",
	    STR("a X\n0123456789012345678901234567890123456789"
		"012345678901234567890123456789\r\n"),
	    "BARE a X|FATAL |" },
	{ "too many literals",
	    STR("a {1}\r\nx{1}\r\nx{1}\r\nx{1}\r\nc Z\r\n"),
	    "LIT 1|LIT 1|LIT 1|MANY a {1}<>x{1}<>x{1}<>x{1}|CMD c Z|" },
	{ "command too long",
	    STR("a {10}\r\n0123456789 0123456789 0123456789 {10}\r\n"
		"0123456789 0123456789\r\nc Z\r\n"),
	    "LIT 10|LIT 10|CMDLONG a {10}<>0123456789 0123456789 0123456789 "
	    "{10}<>0123456789 01|CMD c Z|" },
	{ "no room for a literal",
	    STR("a {10}\r\n0123456789 0123456789 0123456789 {9}\r\n"
		"012345678 {1}\r\nc Z\r\n"),
	    "LIT 10|LIT 9|CMDLONG a {10}<>0123456789 0123456789 0123456789 "
	    "{9}<>012345678 {1}|CMD c Z|" },
};
/* clang-format on */

TEST(transcripts_do_not_depend_on_the_split)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(KIB(64));

		for (size_t split = 0; split <= cases[i].in.n; split++) {
			buf_reset(&out, KIB(64));
			run(cases[i].in, split, split ? SIZE_MAX / 2 : 1, &out);
			if (!str_eq(buf_str(&out), str_c(cases[i].want)))
				fail_msg("%s, split %zu: %s", cases[i].name,
				    split, buf_c(&out));
		}
		buf_done(&out);
	}
}

TEST(a_stream_can_be_given_up)
{
	struct str in = STR("a APPEND b {20+}\r\n01234567890123456789 {2+}"
			    "\r\nxx\r\nc Z\r\n");
	struct imap_frame_event e;
	struct imap_framer f;
	size_t used;

	imap_framer_init(&f, &limits);
	CHECK(imap_framer_next(&f, in, &used, &e) == IMAP_FRAME_LITERAL, "");
	imap_framer_stream(&f);
	in = str_from(in, used);
	CHECK(imap_framer_next(&f, str_first(in, 5), &used, &e) ==
		  IMAP_FRAME_SLICE,
	    "");
	CHECK(e.left == 15, "left");
	in = str_from(in, used);
	imap_framer_reject(&f);
	CHECK(imap_framer_next(&f, in, &used, &e) == IMAP_FRAME_COMMAND, "");
	CHECK(str_eq(e.text, STR("c Z")), "next command");
	CHECK(imap_framer_is_idle(&f), "idle");
	imap_framer_shrink(&f);
	CHECK(f.text.cap == 0, "memory is given back");
	imap_framer_done(&f);
}

TEST_MAIN(UNIT(transcripts_do_not_depend_on_the_split),
    UNIT(a_stream_can_be_given_up))
