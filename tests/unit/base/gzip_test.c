/* SPDX-License-Identifier: ISC */
/* gzip_test.c - files of gzip, whole in memory. */
#include "../test.h"
#include "base/gzip.h"

/* gzip -9n of "hello\n", by Debian's gzip. */
static const unsigned char hello[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20,
	0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00 };

static void
fill(struct buf *b, size_t n)
{
	uint32_t v = 1;

	for (size_t i = 0; i < n; i++) {
		v = v * 1664525U + 1013904223U;
		buf_put_char(b, (char)(v >> 24));
	}
}

TEST(what_gzip_made_is_read)
{
	struct buf b = BUF_INIT(100);

	CHECK(gunzip(&b, str_make(hello, sizeof(hello))) == GUNZIP_OK, "");
	CHECK(str_eq(buf_str(&b), STR("hello\n")), "");
	buf_done(&b);
}

TEST(what_is_written_is_read_again_and_always_the_same)
{
	static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 300000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct buf in = BUF_INIT(MIB(1)), a = BUF_INIT(MIB(1)),
			   b = BUF_INIT(MIB(1)), out = BUF_INIT(sizes[i]);

		fill(&in, sizes[i]);
		gzip_put(&a, buf_str(&in));
		gzip_put(&b, buf_str(&in));
		CHECK(!a.failed && str_eq(buf_str(&a), buf_str(&b)), "same");
		CHECK(gunzip(&out, buf_str(&a)) == GUNZIP_OK, "just fits");
		CHECK(str_eq(buf_str(&out), buf_str(&in)), "round trip");
		buf_done(&in);
		buf_done(&a);
		buf_done(&b);
		buf_done(&out);
	}
}

TEST(a_file_that_unpacks_to_too_much_is_refused_and_leaves_nothing)
{
	struct buf in = BUF_INIT(MIB(1)), a = BUF_INIT(MIB(1)),
		   out = BUF_INIT(100004);

	for (size_t i = 0; i < 100001; i++)
		buf_put_char(&in, 'x');
	gzip_put(&a, buf_str(&in));
	CHECK(a.n < 1000, "small");
	buf_put_c(&out, "kept");
	CHECK(gunzip(&out, buf_str(&a)) == GUNZIP_TOO_BIG, "one too many");
	CHECK(str_eq(buf_str(&out), STR("kept")) && !out.failed, "as it was");
	buf_done(&in);
	buf_done(&a);
	buf_done(&out);
}

TEST(whatever_is_cut_off_or_changed_is_refused)
{
	struct buf b = BUF_INIT(100);
	char longer[sizeof(hello) + 1] = { 0 };
	char wrong[sizeof(hello)];

	for (size_t n = 0; n < sizeof(hello); n++)
		CHECK(gunzip(&b, str_make(hello, n)) == GUNZIP_BAD, "cut");
	memcpy(longer, hello, sizeof(hello));
	CHECK(
	    gunzip(&b, str_make(longer, sizeof(longer))) == GUNZIP_BAD, "more");
	memcpy(wrong, hello, sizeof(hello));
	wrong[18] ^= 1;
	CHECK(gunzip(&b, str_make(wrong, sizeof(wrong))) == GUNZIP_BAD, "sum");
	CHECK(gunzip(&b, STR("PK\3\4")) == GUNZIP_BAD, "a zip file");
	CHECK(b.n == 0, "nothing is left");
	buf_done(&b);
}

TEST(what_does_not_fit_says_so)
{
	struct buf in = BUF_INIT(KIB(64)), a = BUF_INIT(100);

	fill(&in, KIB(64));
	gzip_put(&a, buf_str(&in));
	CHECK(a.failed, "");
	buf_done(&in);
	buf_done(&a);
}

TEST_MAIN(UNIT(what_gzip_made_is_read),
    UNIT(what_is_written_is_read_again_and_always_the_same),
    UNIT(a_file_that_unpacks_to_too_much_is_refused_and_leaves_nothing),
    UNIT(whatever_is_cut_off_or_changed_is_refused),
    UNIT(what_does_not_fit_says_so))
