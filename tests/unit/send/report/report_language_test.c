/* SPDX-License-Identifier: ISC */
/* report_language_test.c - the language of reports: message, setting, English. */
#include "../../test.h"
#include "send/report/report_language.h"

TEST(the_message_counts_before_the_setting_before_english)
{
	static const struct {
		const char *message, *usual, *want;
	} cases[] = {
		{ "Accept-Language: en-GB\r\n\r\n", "fr", "en" },
		{ "Accept-Language: de\r\n\r\n", "en", "de" },
		{ "Accept-Language: fr\r\n\r\n", "en", "fr" },
		{ "Accept-Language: pt-BR, de;q=0.5\r\n\r\n", "en", "pt" },
		{ "Content-Language: de-CH\r\n\r\n", "fr", "de" },
		{ "Accept-Language: fr\r\nContent-Language: de\r\n\r\n", "en",
		    "fr" },
		{ "Accept-Language: ja\r\n\r\n", "pt", "pt" },
		{ "Accept-Language: ;;=,\xff(\r\n\r\n", "de", "de" },
		{ "Subject: a\r\n\r\nAccept-Language: de\r\n", "fr", "fr" },
		{ "", "de", "de" },
		{ "", "en", "en" },
		{ "", "xx", "en" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(strcmp(report_language(
				 str_c(cases[i].message), cases[i].usual),
			  cases[i].want) == 0,
		    cases[i].message);
}

TEST_MAIN(UNIT(the_message_counts_before_the_setting_before_english))
