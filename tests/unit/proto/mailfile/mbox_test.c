/* SPDX-License-Identifier: ISC */
/* mbox_test.c - where messages begin and end, quoting, dates, flags. */
#include "../../test.h"
#include "proto/mailfile/mbox.h"

static struct buf seen;

static void
on_begin(UNUSED void *arg, const struct mbox_from *from)
{
	buf_printf(&seen, "[%.*s %llu]", STR_ARG(from->sender),
	    (unsigned long long)from->time);
}

static void
on_data(UNUSED void *arg, struct str bytes)
{
	buf_put_str(&seen, bytes);
}

static void
on_end(UNUSED void *arg)
{
	buf_put_c(&seen, "[end]");
}

static const struct mbox_handlers handlers = { on_begin, on_data, on_end };

static const char *
read_mbox(struct str in, size_t step, enum mbox_quoting q)
{
	struct mbox_reader r;

	buf_done(&seen);
	seen = BUF_INIT(MIB(1));
	mbox_reader_init(&r, q, &handlers, NULL);
	for (size_t i = 0; i < in.n; i += step)
		mbox_reader_feed(&r, str_sub(in, i, step));
	mbox_reader_finish(&r);
	mbox_reader_done(&r);
	return buf_c(&seen);
}

#define FROM "From a@b Thu Jan  1 00:00:10 1970\n"

static const struct {
	const char *name, *in;
	enum mbox_quoting q;
	const char *want;
} cases[] = {
	{ "empty file", "", MBOX_RD, "" },
	{ "no mbox at all", "Subject: x\n\nFrom me\n", MBOX_RD, "" },
	{ "one message", FROM "A: b\n\nx\n", MBOX_RD,
	    "[a@b 10]A: b\r\n\r\nx\r\n[end]" },
	{ "two, separator is not part", FROM "A: b\n\nx\n\n" FROM "C: d\n\n",
	    MBOX_RD, "[a@b 10]A: b\r\n\r\nx\r\n[end][a@b 10]C: d\r\n[end]" },
	{ "CRLF stays", "From - Thu Jan  1 00:00:10 1970\r\nA: b\r\n\r\nx\r\n",
	    MBOX_RD, "[- 10]A: b\r\n\r\nx\r\n[end]" },
	{ "From_ needs an empty line before it", FROM "A: b\n\nx\n" FROM,
	    MBOX_RD,
	    "[a@b 10]A: b\r\n\r\nx\r\nFrom a@b Thu Jan  1 00:00:10 "
	    "1970\r\n[end]" },
	{ "From_ needs a date", FROM "A: b\n\nFrom here on\n", MBOX_RD,
	    "[a@b 10]A: b\r\n\r\nFrom here on\r\n[end]" },
	{ "mboxrd", FROM "\n>From x\n>>From y\n> From z\n", MBOX_RD,
	    "[a@b 10]\r\nFrom x\r\n>From y\r\n> From z\r\n[end]" },
	{ "mboxo", FROM "\n>From x\n>>From y\n", MBOX_O,
	    "[a@b 10]\r\nFrom x\r\n>>From y\r\n[end]" },
	{ "no unquoting", FROM "\n>From x\n", MBOX_NONE,
	    "[a@b 10]\r\n>From x\r\n[end]" },
	{ "two empty lines: one stays", FROM "\nx\n\n\n" FROM "\ny\n", MBOX_RD,
	    "[a@b 10]\r\nx\r\n\r\n[end][a@b 10]\r\ny\r\n[end]" },
	{ "no line end at the end", FROM "\nx", MBOX_RD, "[a@b 10]\r\nx[end]" },
	{ "junk in front", "junk\n\n" FROM "\nx\n", MBOX_RD,
	    "[a@b 10]\r\nx\r\n[end]" },
};

TEST(messages_are_found_however_the_file_is_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 9; step++)
			assert_string_equal(
			    read_mbox(str_c(cases[i].in), step, cases[i].q),
			    cases[i].want);
	buf_done(&seen);
}

TEST(long_lines_are_data)
{
	struct buf in = BUF_INIT(KIB(64)), want = BUF_INIT(KIB(64));

	buf_put_c(&in, FROM "\n");
	buf_put_c(&want, "[a@b 10]\r\n");
	for (size_t n = MBOX_LINE_MAX - 8; n < MBOX_LINE_MAX + 8; n++) {
		buf_put_c(&in, ">From ");
		buf_put_c(&want, "From ");
		for (size_t i = 0; i < n; i++) {
			buf_put_char(&in, 'x');
			buf_put_char(&want, 'x');
		}
		buf_put_c(&in, n % 2 ? "\n" : "\r\n");
		buf_put_c(&want, "\r\n");
	}
	buf_put_c(&want, "[end]");
	for (size_t step = 1; step < 3000; step += 97)
		assert_string_equal(
		    read_mbox(buf_str(&in), step, MBOX_RD), buf_c(&want));
	buf_done(&in);
	buf_done(&want);
	buf_done(&seen);
}

TEST(dates_of_from_lines)
{
	static const struct {
		const char *in;
		bool ok;
		uint64_t time;
	} dates[] = {
		{ "From a Mon Nov 23 18:30:21 2026", true, 1795458621 },
		{ "From a Mon Nov 23 18:30 2026", true, 1795458600 },
		{ "From a Mon Nov 23 18:30:21 2026 +0130", true, 1795453221 },
		{ "From a Mon Nov 23 18:30:21 CET 2026", true, 1795458621 },
		{ "From \"a b\"@c Mon Nov 23 18:30:21 2026", true, 1795458621 },
		{ "From a Sat Feb 29 00:00:00 2020", true, 1582934400 },
		{ "From a Sun Feb 29 00:00:00 2021", false, 0 },
		{ "From a Mon Nov 31 18:30:21 2026", false, 0 },
		{ "From a Mon Nov 23 24:30:21 2026", false, 0 },
		{ "From a Mon Nov 23 18:30:21", false, 0 },
		{ "From a", false, 0 },
		{ "From ", false, 0 },
		{ "from a Mon Nov 23 18:30:21 2026", false, 0 },
		{ "From a Mon Nov 23 18:30:21 1969", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		struct mbox_from f = { .time = 0 };

		CHECK(mbox_from_parse(str_c(dates[i].in), &f) == dates[i].ok,
		    dates[i].in);
		CHECK(f.time == dates[i].time, dates[i].in);
	}
}

TEST(a_written_date_is_read_back)
{
	for (uint64_t t = 0; t < UINT64_C(253402300799);
	     t += UINT64_C(86400) * 13 + 3607) {
		struct mbox_from in = { STR("a@b"), t }, out;
		struct buf b = BUF_INIT(KIB(1));

		mbox_from_format(&in, &b);
		CHECK(mbox_from_parse(
			  str_trim(str_first(buf_str(&b), b.n - 1)), &out),
		    buf_c(&b));
		CHECK(out.time == t, buf_c(&b));
		buf_done(&b);
	}
}

TEST(what_is_written_is_read_back)
{
	struct str message = STR("A: b\r\n\r\nFrom x\r\n>From y\r\n\r\n"
				 "From a@b Thu Jan  1 00:00:10 1970\r\n"
				 "\r\n>>From\r\n\r\n");
	struct buf b = BUF_INIT(KIB(4)), want = BUF_INIT(KIB(4));

	for (int i = 0; i < 2; i++) {
		mbox_from_format(&(struct mbox_from){ STR("a@b"), 10 }, &b);
		mbox_put_message(&b, message);
		buf_put_c(&want, "[a@b 10]A: b\r\n\r\nFrom x\r\n>From y\r\n"
				 "\r\nFrom a@b Thu Jan  1 00:00:10 1970\r\n"
				 "\r\n>>From\r\n\r\n[end]");
	}
	assert_string_equal(read_mbox(buf_str(&b), 5, MBOX_RD), buf_c(&want));
	buf_done(&b);
	buf_done(&want);
	buf_done(&seen);
}

TEST(flags_are_letters_of_two_fields)
{
	struct buf b = BUF_INIT(KIB(1));

	CHECK(mbox_status_flags(STR("RO")) == MAILFILE_SEEN, "RO");
	CHECK(mbox_status_flags(STR("AFDT")) ==
		  (MAILFILE_ANSWERED | MAILFILE_FLAGGED | MAILFILE_DELETED |
		      MAILFILE_DRAFT),
	    "AFDT");
	mbox_put_status(&b, MAILFILE_SEEN | MAILFILE_FLAGGED);
	assert_string_equal(buf_c(&b), "Status: RO\nX-Status: F\n");
	buf_done(&b);
}

TEST_MAIN(UNIT(messages_are_found_however_the_file_is_cut),
    UNIT(long_lines_are_data), UNIT(dates_of_from_lines),
    UNIT(a_written_date_is_read_back), UNIT(what_is_written_is_read_back),
    UNIT(flags_are_letters_of_two_fields))
