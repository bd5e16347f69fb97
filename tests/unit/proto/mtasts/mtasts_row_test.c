/* SPDX-License-Identifier: ISC */
/* mtasts_row_test.c - a kept policy comes back as it was, or not at all. */
#include "../../test.h"

#include "proto/mtasts/mtasts_row.h"

#define POLICY "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9\n"

TEST(a_row_comes_back)
{
	const struct mtasts_row row = { 1790000000, 1790000009, STR("id1"),
		STR(POLICY) };
	struct buf b = BUF_INIT(MTASTS_ROW_MAX);
	struct mtasts_policy policy;
	struct mtasts_row read;

	mtasts_row_encode(&row, &b);
	CHECK(mtasts_row_decode(buf_str(&b), &read, &policy), "it is one");
	CHECK(
	    read.fetched == row.fetched && read.until == row.until, "numbers");
	CHECK(str_eq(read.id, row.id) && str_eq(read.text, row.text), "texts");
	CHECK(policy.mode == MTASTS_MODE_ENFORCE && policy.max_age_s == 9,
	    "the policy");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!mtasts_row_decode(
			  str_first(buf_str(&b), n), &read, &policy),
		    "cut");
	buf_put_char(&b, ' ');
	CHECK(!mtasts_row_decode(buf_str(&b), &read, &policy), "longer");
	b.n--;
	b.p[0]++;
	CHECK(!mtasts_row_decode(buf_str(&b), &read, &policy),
	    "of another version");
	buf_done(&b);
}

TEST(a_wrong_policy_is_none)
{
	const struct mtasts_row row = { .text = STR("mode: enforce\n") };
	struct buf b = BUF_INIT(MTASTS_ROW_MAX);
	struct mtasts_policy policy;
	struct mtasts_row read;

	mtasts_row_encode(&row, &b);
	CHECK(!mtasts_row_decode(buf_str(&b), &read, &policy), "no version");
	CHECK(!mtasts_row_decode(STR_NONE, &read, &policy), "nothing");
	buf_done(&b);
}

TEST(the_largest_policy_fits)
{
	struct buf text = BUF_INIT(MTASTS_POLICY_MAX);
	struct buf b = BUF_INIT(MTASTS_ROW_MAX);
	struct mtasts_policy policy;
	struct mtasts_row row = { 0 };

	buf_put_c(&text, POLICY "x: ");
	while (text.n < MTASTS_POLICY_MAX - 1)
		buf_put_char(&text, 'y');
	buf_put_char(&text, '\n');
	row.id = STR("0123456789abcdef0123456789abcdef");
	row.text = buf_str(&text);
	mtasts_row_encode(&row, &b);
	CHECK(!b.failed, "within the limit");
	CHECK(mtasts_row_decode(buf_str(&b), &row, &policy), "and back");
	buf_done(&text);
	buf_done(&b);
}

TEST_MAIN(UNIT(a_row_comes_back), UNIT(a_wrong_policy_is_none),
    UNIT(the_largest_policy_fits))
