/* SPDX-License-Identifier: ISC */
/* imap_set_test.c - sequence sets: parse, normal form, compact output. */
#include "../../test.h"
#include "proto/imap/imap_set.h"

/* want NULL: not a set. */
static const struct {
	const char *in;
	uint32_t max;
	const char *want;
	uint64_t count;
} cases[] = {
	{ "1", 9, "1", 1 },
	{ "2,4:7,9,12:*", 15, "2,4:7,9,12:15", 10 }, /* RFC 3501 9 */
	{ "*:4,5:7", 10, "4:10", 7 },                /* RFC 3501 9 */
	{ "5:3", 9, "3:5", 3 },
	{ "1,2,3", 9, "1:3", 3 },
	{ "3,1,2,2", 9, "1:3", 3 },
	{ "7:*", 5, "5", 1 }, /* RFC 3501 6.4.8: contains the last */
	{ "*", 5, "5", 1 },
	{ "*:*", 5, "5", 1 },
	{ "4:9", 5, "4:5", 2 },
	{ "6:9", 5, "", 0 },
	{ "1:*", 0, "", 0 },
	{ "4294967294:4294967295,*", UINT32_MAX, "4294967294:4294967295", 2 },
	{ "", 9, NULL, 0 },
	{ "0", 9, NULL, 0 },
	{ "0:4", 9, NULL, 0 },
	{ "01", 9, NULL, 0 },
	{ "1:", 9, NULL, 0 },
	{ ":1", 9, NULL, 0 },
	{ "1:2:3", 9, NULL, 0 },
	{ "1,,2", 9, NULL, 0 },
	{ "1,", 9, NULL, 0 },
	{ "4294967296", 9, NULL, 0 },
	{ "**", 9, NULL, 0 },
	{ "$", 9, "", 0 },
	{ "1,$", 9, NULL, 0 },
};

TEST(sets_have_one_normal_form)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct imap_set set, normal;
		struct buf out = BUF_INIT(KIB(4));
		struct arena a;
		bool ok;

		arena_init(&a, KIB(64));
		ok = imap_set_parse(&a, str_c(cases[i].in), &set);
		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		if (ok) {
			CHECK(
			    imap_set_normalise(&a, &set, cases[i].max, &normal),
			    cases[i].in);
			imap_set_format(&out, &normal);
			CHECK(str_eq(buf_str(&out), str_c(cases[i].want)),
			    cases[i].in);
			CHECK(imap_set_count(&normal) == cases[i].count,
			    cases[i].in);
		}
		buf_done(&out);
		arena_done(&a);
	}
}

TEST(members_are_found_and_walked)
{
	struct imap_range ranges[] = { { 2, 2 }, { 4, 6 },
		{ UINT32_MAX - 1, UINT32_MAX } };
	struct imap_set set = { .ranges = ranges, .n = 3 };
	struct imap_set_iter it = { .set = &set };
	uint32_t want[] = { 2, 4, 5, 6, UINT32_MAX - 1, UINT32_MAX }, v;
	size_t n = 0;

	while (imap_set_next(&it, &v)) {
		CHECK(n < ARRAY_LEN(want) && v == want[n], "order");
		CHECK(imap_set_has(&set, v), "has");
		n++;
	}
	CHECK(n == ARRAY_LEN(want), "all");
	CHECK(!imap_set_has(&set, 1) && !imap_set_has(&set, 3) &&
		  !imap_set_has(&set, 7),
	    "has not");
}

TEST(numbers_are_written_compactly_and_in_their_order)
{
	static const uint32_t in[] = { 304, 319, 320, 321, 5, 4, 6, 7,
		UINT32_MAX, 1 };
	struct buf out = BUF_INIT(256);
	struct imap_set_writer w = { .b = &out };

	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		imap_set_writer_add(&w, in[i]);
	imap_set_writer_end(&w);
	CHECK(str_eq(buf_str(&out), STR("304,319:321,5,4,6:7,4294967295,1")),
	    buf_c(&out));
	buf_done(&out);
}

TEST(too_many_ranges_are_refused)
{
	struct buf in = BUF_INIT(KIB(64));
	struct imap_set set;
	struct arena a;

	arena_init(&a, MIB(1));
	for (size_t i = 1; i < IMAP_MAX_SET_RANGES; i++)
		buf_put_c(&in, "1,");
	buf_put_c(&in, "1");
	CHECK(imap_set_parse(&a, buf_str(&in), &set), "just fits");
	buf_put_c(&in, ",1");
	CHECK(!imap_set_parse(&a, buf_str(&in), &set), "one too many");
	buf_done(&in);
	arena_done(&a);
}

TEST_MAIN(UNIT(sets_have_one_normal_form), UNIT(members_are_found_and_walked),
    UNIT(numbers_are_written_compactly_and_in_their_order),
    UNIT(too_many_ranges_are_refused))
