/* SPDX-License-Identifier: ISC */
/* mime_language_test.c - the language in which somebody wants an answer. */
#include "../../test.h"
#include "proto/mime/mime_language.h"

static const struct str have[] = { STR("en"), STR("de"), STR("fr"), STR("pt") };

/* "" when it asks for none of these. */
static const char *
asked(struct str message)
{
	size_t i = SIZE_MAX;

	if (mime_language(message, have, ARRAY_LEN(have), &i))
		return have[i].p;
	CHECK(i == SIZE_MAX, "untouched");
	return "";
}

TEST(the_header_says_the_language)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "Accept-Language: pt-BR\r\n\r\n", "pt" },
		{ "accept-language:de-DE, en-US\r\n\r\n", "de" },
		{ "Accept-Language: en;q=0.3, fr;q=0.5\r\n\r\n", "fr" },
		{ "Content-Language: de-AT\r\n\r\n", "de" },
		{ "Content-Language: de\r\nAccept-Language: fr\r\n\r\n", "fr" },
		{ "Accept-Language: ja\r\nContent-Language: de\r\n\r\n", "de" },
		{ "Accept-Language: *\r\nContent-Language: pt\r\n\r\n", "pt" },
		{ "Accept-Language: fr\nSubject: LF\n\n", "fr" },
		{ "Accept-Language: fr", "fr" },
		/* the first field of that name */
		{ "Accept-Language: fr\r\nAccept-Language: de\r\n\r\n", "fr" },
		/* folded, and with comments (RFC 3282 section 3) */
		{ "Accept-Language:\r\n\t(a, (nested) one) pt-PT (Lisbon) ;\r\n"
		  " (how much) q=0.9, fr;q=0.8\r\n\r\n",
		    "pt" },
		{ "Accept-Language: (\\)de, ) fr\r\n\r\n", "fr" },
		{ "Accept-Language: de(\\", "de" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(
		    strcmp(asked(str_c(cases[i].message)), cases[i].want) == 0,
		    cases[i].message);
}

TEST(rubbish_says_none)
{
	static const char *const messages[] = { "", "\r\n",
		"Subject: de\r\n\r\n", "Accept-Language:\r\n\r\n",
		"Accept-Language: ja, zh-TW\r\n\r\n",
		"Accept-Language: d e, f\r\n r\r\n\r\n",
		"Accept-Language: (de\r\n\r\n",
		"Accept-Language: de;q=0\r\n\r\n",
		"Accept-Language: \"de\"\r\n\r\n",
		"Accept-Language: \xff\xfe;;;,=\r\n\r\n",
		"X-Accept-Language: de\r\n\r\n",
		"Subject: a\r\n\r\nAccept-Language: de\r\n" };

	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		CHECK(asked(str_c(messages[i]))[0] == '\0', messages[i]);
}

/* What is behind the limit does not count, and what it cuts is no language. */
TEST(a_long_field_is_read_up_to_a_limit)
{
	static const char *const ends[] = { "fra", ",fr" };
	struct buf b = BUF_INIT(MIB(2));

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		buf_reset(&b, 0);
		buf_put_c(&b, "Accept-Language:");
		while (b.n <
		       strlen("Accept-Language:") + MIME_LANGUAGE_FIELD_MAX - 2)
			buf_put_char(&b, ',');
		buf_put_c(&b, ends[i]);
		CHECK(asked(buf_str(&b))[0] == '\0', ends[i]);
	}
	buf_reset(&b, 0);
	buf_put_c(&b, "Accept-Language: pt,");
	while (b.n < MIB(1))
		buf_put_c(&b, "(x) de;q=0.9,");
	CHECK(strcmp(asked(buf_str(&b)), "pt") == 0, "the beginning counts");
	buf_done(&b);
}

TEST_MAIN(UNIT(the_header_says_the_language), UNIT(rubbish_says_none),
    UNIT(a_long_field_is_read_up_to_a_limit))
