/* SPDX-License-Identifier: ISC */
/* words_test.c - the texts of the status site are complete in all languages. */
#include "../../test.h"
#include "web/page/words.h"

static unsigned
placeholders(struct str s)
{
	unsigned set = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '{')
			continue;
		CHECK(i + 2 < s.n && s.p[i + 2] == '}' && s.p[i + 1] >= '0' &&
			  s.p[i + 1] <= '2',
		    s.p);
		set |= 1U << (s.p[i + 1] - '0');
	}
	return set;
}

TEST(every_text_is_there_in_every_language)
{
	for (unsigned w = 0; w < WORDS; w++)
		for (unsigned l = 0; l < LANGUAGES; l++) {
			struct str s = word((enum language)l, (enum word)w);

			CHECK(s.n > 0, "a text is missing");
			CHECK(str_is_utf8(s), s.p);
			CHECK(str_eq(s, str_trim(s)), s.p);
			CHECK(placeholders(s) ==
				  placeholders(word(ENGLISH, (enum word)w)),
			    s.p);
		}
}

/* What a narrow page shows of it (page_frame.c). */
TEST(the_short_name_of_a_page_begins_the_long_one)
{
	for (unsigned l = 0; l < LANGUAGES; l++)
		CHECK(str_starts(word((enum language)l, T_NAV_CHECK),
			  word((enum language)l, T_NAV_CHECK_SHORT)),
		    language_code((enum language)l));
}

/* French sets a space before these, and no line may begin with them. */
TEST(no_line_of_french_begins_with_a_mark)
{
	static const struct str bad[] = { STR(" ?"), STR(" !"), STR(" :"),
		STR(" ;") };

	for (unsigned w = 0; w < WORDS; w++)
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			struct str s = word(FRENCH, (enum word)w);

			CHECK(str_search(s, bad[i]) < 0, s.p);
		}
}

TEST(the_language_is_the_one_that_was_asked_for)
{
	static const struct {
		const char *field;
		enum language first, want;
	} cases[] = {
		{ "", ENGLISH, ENGLISH },
		{ "", PORTUGUESE, PORTUGUESE },
		{ "fr", ENGLISH, FRENCH },
		{ "pt-BR,pt;q=0.9,en;q=0.8", ENGLISH, PORTUGUESE },
		{ "de, fr;q=0.5, en;q=0.4", ENGLISH, FRENCH },
		{ "de", FRENCH, FRENCH },
		{ "en;q=0.2, pt;q=0.9", FRENCH, PORTUGUESE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(language_choose(str_c(cases[i].field), cases[i].first) ==
			  cases[i].want,
		    cases[i].field);
}

TEST(what_is_put_in_takes_its_place_and_the_text_is_escaped)
{
	struct buf b = BUF_INIT(KIB(1));

	word_put(&b, FRENCH, T_SINCE,
	    (const struct str[]){ STR("<i>a</i>"), STR("b") }, 2);
	assert_string_equal(buf_c(&b), "<i>a</i>, depuis b");
	buf_done(&b);
	word_put(&b, ENGLISH, T_ME_OR_YOU, NULL, 0);
	assert_string_equal(buf_c(&b), "Is it you, or is it me?");
	buf_done(&b);
}

TEST_MAIN(UNIT(every_text_is_there_in_every_language),
    UNIT(the_short_name_of_a_page_begins_the_long_one),
    UNIT(no_line_of_french_begins_with_a_mark),
    UNIT(the_language_is_the_one_that_was_asked_for),
    UNIT(what_is_put_in_takes_its_place_and_the_text_is_escaped))
