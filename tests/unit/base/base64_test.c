/* SPDX-License-Identifier: ISC */
/* base64_test.c - strict base64 and SASL lines. */
#include "../test.h"
#include "base/base64.h"

TEST(the_vectors_of_rfc_4648_round_trip)
{
	static const struct {
		const char *plain, *encoded;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xFB\xFF\xFE", "+//+" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf a = BUF_INIT(100), b = BUF_INIT(100);
		struct str plain = str_c(cases[i].plain);
		struct str encoded = str_c(cases[i].encoded);

		base64_encode(&a, plain);
		CHECK(str_eq(buf_str(&a), encoded), cases[i].encoded);
		CHECK(a.n == base64_encoded_len(plain.n), cases[i].encoded);
		CHECK(base64_decode(&b, encoded), cases[i].encoded);
		CHECK(str_eq(buf_str(&b), plain), cases[i].encoded);
		buf_done(&a);
		buf_done(&b);
	}
}

TEST(what_is_not_canonical_is_refused_and_leaves_nothing)
{
	static const char *const cases[] = { "Z", "Zg",
		"Zg=", "Zg===", "====", "=",
		"Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm9v ",
		"Zm-v", "Zm_v", "Zm9vZ", "Z=9v", "Zm=v", "\xC3\xBCm9" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		buf_put_c(&b, "kept");
		CHECK(!base64_decode(&b, str_c(cases[i])), cases[i]);
		CHECK(str_eq(buf_str(&b), STR("kept")), cases[i]);
		CHECK(!b.failed, cases[i]);
		buf_done(&b);
	}
}

TEST(a_full_buffer_fails_both_ways)
{
	struct buf b = BUF_INIT(3);

	CHECK(base64_decode(&b, STR("Zm9v")), "fits exactly");
	CHECK(!base64_decode(&b, STR("Zm9v")) && b.failed, "one more");
	buf_reset(&b, 0);
	base64_encode(&b, STR("f"));
	CHECK(b.failed && b.n == 0, "encode");
	buf_done(&b);
}

TEST(sasl_lines_know_empty_and_cancel)
{
	static const struct {
		const char *line;
		bool is_initial;
		enum sasl_line want;
		const char *text;
	} cases[] = {
		{ "=", true, SASL_LINE_OK, "" },
		{ "Zm9v", true, SASL_LINE_OK, "foo" },
		{ "", true, SASL_LINE_BAD, "" },
		{ "*", true, SASL_LINE_BAD, "" },
		{ "", false, SASL_LINE_OK, "" },
		{ "=", false, SASL_LINE_BAD, "" },
		{ "*", false, SASL_LINE_CANCEL, "" },
		{ "**", false, SASL_LINE_BAD, "" },
		{ "Zm9v", false, SASL_LINE_OK, "foo" },
		{ "Zm9", false, SASL_LINE_BAD, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		CHECK(sasl_line_decode(str_c(cases[i].line),
			  cases[i].is_initial, &b) == cases[i].want,
		    cases[i].line);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].text)), cases[i].line);
		buf_done_secret(&b);
	}
}

TEST_MAIN(UNIT(the_vectors_of_rfc_4648_round_trip),
    UNIT(what_is_not_canonical_is_refused_and_leaves_nothing),
    UNIT(a_full_buffer_fails_both_ways), UNIT(sasl_lines_know_empty_and_cancel))
