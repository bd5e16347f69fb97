/* SPDX-License-Identifier: ISC */
/* args_test.c - options, sizes and times as people write them. */
#include "../test.h"
#include "cli/args.h"

TEST(sizes)
{
	static const struct {
		const char *in;
		bool ok;
		uint64_t want;
	} cases[] = {
		{ "0", true, 0 },
		{ "none", true, 0 },
		{ "1024", true, 1024 },
		{ "1K", true, 1024 },
		{ "5G", true, UINT64_C(5) << 30 },
		{ "5 GB", true, UINT64_C(5) << 30 },
		{ "5gib", true, UINT64_C(5) << 30 },
		{ "1.5G", true, UINT64_C(3) << 29 },
		{ "1000T", true, UINT64_C(1000) << 40 },
		{ "", false, 0 },
		{ "G", false, 0 },
		{ "5X", false, 0 },
		{ "5GG", false, 0 },
		{ "-5G", false, 0 },
		{ "1.55G", false, 0 },
		{ "1.5", false, 0 },
		{ "99999999T", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t got = 77;

		CHECK(args_size(cases[i].in, &got) == cases[i].ok, cases[i].in);
		CHECK(got == (cases[i].ok ? cases[i].want : 77), cases[i].in);
	}
}

TEST(times)
{
	uint64_t now = 1795458621, got;

	CHECK(args_time("3d", now, &got) && got == now - 3 * 86400, "3d");
	CHECK(args_when("+30m", now, &got) && got == now + 1800, "+30m");
	CHECK(args_when("now", now, &got) && got == now, "now");
	CHECK(args_when("3d", now, &got) && got == now - 3 * 86400, "ago");
	CHECK(!args_when("+", now, &got) && !args_when("+x", now, &got), "+");
	CHECK(args_time("30m", now, &got) && got == now - 1800, "30m");
	CHECK(args_time("999999d", now, &got) && got == 0, "long ago");
	CHECK(args_time("2026-11-23T18:30:21Z", now, &got) && got == now, "Z");
	CHECK(args_time("2026-11-23 18:30Z", now, &got) && got == now - 21,
	    "no seconds");
	CHECK(args_time("2026-11-23", now, &got), "a day");
	CHECK(!args_time("2026-11-23x", now, &got), "trailing");
	CHECK(!args_time("2026-13-23", now, &got), "month");
	CHECK(!args_time("yesterday", now, &got), "word");
	CHECK(!args_time("", now, &got), "empty");
	CHECK(!args_time("3w", now, &got), "unit");
}

TEST(options_may_stand_anywhere)
{
	char *argv[] = { (char[]){ "a" }, (char[]){ "--flag" },
		(char[]){ "--value" }, (char[]){ "v" }, (char[]){ "b" },
		(char[]){ "--value=w" }, (char[]){ "-" }, (char[]){ "--" },
		(char[]){ "--flag" } };
	const char *value = NULL;
	bool flag = false;
	const struct arg_option options[] = { { "--flag", NULL, &flag },
		{ "--value", &value, NULL } };
	struct args a = { options, ARRAY_LEN(options), { 0 }, 0, "" };

	CHECK(args_parse(&a, (int)ARRAY_LEN(argv), argv, NULL), a.error);
	CHECK(a.n_words == 4 && flag, "words and flag");
	assert_string_equal(value, "w");
	assert_string_equal(a.words[1], "b");
	assert_string_equal(a.words[2], "-");
	assert_string_equal(a.words[3], "--flag");
	CHECK(args_parse(&a, 1, argv, NULL) && a.n_words == 1, "again");
	CHECK(!args_parse(&a, 1, &argv[2], NULL), "value is missing");
	CHECK(!args_parse(&a, 1, (char *[]){ (char[]){ "--other" } }, NULL),
	    "unknown");
}

TEST(a_sub_command_has_the_options_of_its_usage)
{
	const char *to = NULL, *token = NULL, *mood = NULL;
	bool is_json = false;
	struct arg_option options[] = { { "--to", &to, NULL },
		{ "--token", &token, NULL }, { "--state", &mood, NULL },
		{ "--json", NULL, &is_json } };
	struct args a = { options, ARRAY_LEN(options), { 0 }, 0, "" };

	static const char usage[] =
	    "thing do NAME [--token TOKEN] [--tokens] [--json]";

	CHECK(args_parse(&a, 2,
		  (char *[]){ (char[]){ "--json" }, (char[]){ "--token=1" } },
		  usage),
	    a.error);
	CHECK(is_json && token != NULL, "both of them");
	CHECK(!args_parse(&a, 1, (char *[]){ (char[]){ "--state=x" } }, usage),
	    "not there");
	CHECK(!args_parse(&a, 1, (char *[]){ (char[]){ "--to=x" } }, usage),
	    "longer");
}

TEST_MAIN(UNIT(sizes), UNIT(times), UNIT(options_may_stand_anywhere),
    UNIT(a_sub_command_has_the_options_of_its_usage))
