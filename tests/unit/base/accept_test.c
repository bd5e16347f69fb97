/* SPDX-License-Identifier: ISC */
/* accept_test.c - what is taken, and how gladly. */
#include "../test.h"
#include "base/accept.h"

static const struct str have[] = { STR("en"), STR("de"), STR("fr"), STR("pt") };

#define NOTHING SIZE_MAX

static size_t
chosen(struct str field)
{
	size_t i = NOTHING;
	bool is_any = accept_language(field, have, ARRAY_LEN(have), &i);

	CHECK(is_any == (i != NOTHING), "untouched when there is none");
	return i;
}

TEST(members_of_a_list_stand_alone)
{
	struct str rest = STR(" ,a b,, c\t,"), one;

	CHECK(accept_list_next(&rest, &one) && str_eq(one, STR("a b")), "1");
	CHECK(accept_list_next(&rest, &one) && str_eq(one, STR("c")), "2");
	CHECK(!accept_list_next(&rest, &one), "no more");
}

TEST(weights_are_read)
{
	static const struct {
		const char *field, *token;
		unsigned want;
	} cases[] = {
		{ "gzip, br;q=0.5", "gzip", 1000 },
		{ "gzip, br;q=0.5", "br", 500 },
		{ "gzip", "zstd", 0 },
		{ "*;q=0.1, gzip;q=0", "gzip", 0 },
		{ "*;q=0.1", "gzip", 100 },
		{ "gzip; q=0.125", "gzip", 125 },
		{ "gzip;q=2", "gzip", 0 },
		{ "gzip;q=x", "gzip", 0 },
		{ "", "gzip", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(accept_weight(str_c(cases[i].field),
			  str_c(cases[i].token)) == cases[i].want,
		    cases[i].field);
}

TEST(a_language_is_chosen)
{
	static const struct {
		const char *field;
		size_t want;
	} cases[] = {
		{ "en", 0 },
		{ "DE", 1 },
		{ "pt-BR, en;q=0.5", 3 },
		{ "ja, fr;q=0.3", 2 },
		{ "en;q=0.2, de;q=0.7, fr;q=0.699", 1 },
		/* of equals the first */
		{ "fr, de", 2 },
		{ "fr;q=0, pt;q=0.1", 3 },
		{ "pt-", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(chosen(str_c(cases[i].field)) == cases[i].want,
		    cases[i].field);
}

TEST(what_is_no_known_language_chooses_none)
{
	static const char *const fields[] = { "", " ", ",", "*", "ja", "fra",
		"den-AT", "d", "-", "de_DE", "de;q=0", "de;q=0.000",
		"de;q=", "de;q=1.1.1", "de;q=-1", "de;q=0.5555", ";q=1",
		"=;,;=", "e\x01n", "\xff\xfe", "x-de", "i-de" };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		CHECK(chosen(str_c(fields[i])) == NOTHING, fields[i]);
	CHECK(chosen(str_make("de\0", 3)) == NOTHING, "NUL");
}

TEST_MAIN(UNIT(members_of_a_list_stand_alone), UNIT(weights_are_read),
    UNIT(a_language_is_chosen), UNIT(what_is_no_known_language_chooses_none))
