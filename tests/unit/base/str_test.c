/* SPDX-License-Identifier: ISC */
/* str_test.c - borrowed strings: numbers, searching, UTF-8. */
#include "../test.h"
#include "base/str.h"

TEST(numbers_are_digits_only_and_bounded)
{
	static const struct {
		const char *in;
		uint32_t max;
		bool ok;
		uint32_t want;
	} cases[] = {
		{ "0", 10, true, 0 },
		{ "10", 10, true, 10 },
		{ "11", 10, false, 0 },
		{ "", 10, false, 0 },
		{ "-1", 10, false, 0 },
		{ "+1", 10, false, 0 },
		{ "1 ", 10, false, 0 },
		{ "4294967295", UINT32_MAX, true, UINT32_MAX },
		{ "4294967296", UINT32_MAX, false, 0 },
		{ "99999999999999999999999", UINT32_MAX, false, 0 },
		{ "9", 5, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t got = 77;
		bool ok = str_to_u32(str_c(cases[i].in), cases[i].max, &got);

		CHECK(ok == cases[i].ok, cases[i].in);
		CHECK(got == (ok ? cases[i].want : 77), cases[i].in);
	}
}

TEST(only_well_formed_utf8_passes)
{
	static const struct {
		const char *in;
		bool ok;
	} cases[] = {
		{ "plain", true },
		{ "gr\xC3\xBC\xC3\x9F", true },
		{ "\xF0\x9F\x93\xAC", true },
		{ "\xC0\x80", false },         /* overlong NUL */
		{ "\xE0\x9F\xBF", false },     /* overlong */
		{ "\xED\xA0\x80", false },     /* surrogate */
		{ "\xF4\x90\x80\x80", false }, /* above U+10FFFF */
		{ "\xC3", false },             /* cut */
		{ "\x80", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(str_is_utf8(str_c(cases[i].in)) == cases[i].ok,
		    cases[i].in);
}

TEST(controls_are_seen_but_for_those_allowed)
{
	CHECK(!str_has_control(STR("gr\xC3\xBC\xC3\x9F ~"), ""), "text");
	CHECK(!str_has_control(STR_NONE, ""), "nothing");
	CHECK(str_has_control(STR("a\x1F"), ""), "the last below a blank");
	CHECK(str_has_control(STR("\x7F"), "\n\t"), "DEL");
	CHECK(str_has_control(str_make("a\0", 2), ""), "NUL");
	CHECK(str_has_control(str_make("a\0", 2), "\n\t"), "NUL, again");
	CHECK(str_has_control(STR("a\tb"), ""), "TAB");
	CHECK(!str_has_control(STR("a\tb\n"), "\n\t"), "allowed");
	CHECK(str_has_control(STR("a\r\n"), "\n\t"), "CR is not");
}

TEST(parts_clamp_and_split_finds_the_first)
{
	struct str s = STR("user@host@x"), head;
	struct str rest = str_split(s, '@', &head);

	CHECK(str_eq(head, STR("user")), "head");
	CHECK(str_eq(rest, STR("host@x")), "rest");
	CHECK(str_from(s, 99).n == 0, "from clamps");
	CHECK(str_sub(s, 5, 99).n == 6, "sub clamps");
	CHECK(str_rfind(s, '@') == 9, "rfind");
	CHECK(str_search_case(s, STR("HOST")) == 5, "search_case");
	CHECK(str_search(s, STR("HOST")) == -1, "search");
	CHECK(str_eq(str_trim(STR(" \ta b\t ")), STR("a b")), "trim");
}

TEST(one_is_not_several)
{
	assert_string_equal(str_s(0), "s");
	assert_string_equal(str_s(1), "");
	assert_string_equal(str_s(2), "s");
	assert_string_equal(str_s((uint64_t)1 << 32 | 1), "s");
}

TEST_MAIN(UNIT(one_is_not_several), UNIT(numbers_are_digits_only_and_bounded),
    UNIT(only_well_formed_utf8_passes),
    UNIT(controls_are_seen_but_for_those_allowed),
    UNIT(parts_clamp_and_split_finds_the_first))
