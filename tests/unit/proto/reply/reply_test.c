/* SPDX-License-Identifier: ISC */
/* reply_test.c - real replies, the rule that decides each, and the table. */
#include "../../test.h"
#include "base/buf.h"
#include "proto/reply/reply.h"

static const struct {
	const char *rule;
	enum reply_stage stage;
	int code;
	const char *text;
} wordings[] = {
#define WORDING(rule, stage, code, text) { rule, stage, code, text },
#include "wordings.def"
#undef WORDING
};

/* A group at whose hosts the rule counts. */
static struct str
group_of(const struct reply_table *t, const char *rule)
{
	struct str first = STR_NONE;

	for (size_t r = 0; r < reply_table_count(t); r++)
		if (str_eq(reply_table_name(t, r), str_c(rule)))
			(void)str_split(reply_table_groups(t, r), ' ', &first);
	return first;
}

static struct reply_verdict
classify(const struct reply_table *t, size_t i, const char *text)
{
	struct reply_input in = { .group = group_of(t, wordings[i].rule),
		.stage = wordings[i].stage,
		.code = wordings[i].code,
		.text = str_c(text) };

	return reply_classify(t, &in);
}

TEST(real_wordings_are_decided_by_the_rule_that_was_made_for_them)
{
	struct reply_table *t = reply_table_new();
	size_t wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(wordings); i++) {
		struct reply_verdict v = classify(t, i, wordings[i].text);

		if (str_eq(v.rule, str_c(wordings[i].rule)))
			continue;
		print_error("%s: %.*s decides: %d %s\n", wordings[i].rule,
		    STR_ARG(v.rule), wordings[i].code, wordings[i].text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	reply_table_free(t);
}

TEST(every_rule_decides_a_wording)
{
	struct reply_table *t = reply_table_new();

	for (size_t r = 0; r < reply_table_count(t); r++) {
		struct str name = reply_table_name(t, r);
		size_t n = 0;

		for (size_t i = 0; i < ARRAY_LEN(wordings); i++)
			n += str_eq(name, str_c(wordings[i].rule));
		if (n == 0)
			fail_msg("no wording for %.*s", STR_ARG(name));
		for (size_t other = 0; other < r; other++)
			CHECK(!str_eq(name, reply_table_name(t, other)),
			    "a name stands for one rule");
	}
	reply_table_free(t);
}

/* Case, line ends and blanks are no matter: servers differ in all of them. */
TEST(the_form_of_a_reply_does_not_matter)
{
	struct reply_table *t = reply_table_new();

	for (size_t i = 0; i < ARRAY_LEN(wordings); i++) {
		struct buf text = BUF_INIT(KIB(8));

		for (const char *p = wordings[i].text; *p; p++) {
			buf_put_char(&text, ascii_upper(*p));
			if (*p == ' ')
				buf_put_c(&text, "  \t");
		}
		CHECK(str_eq(classify(t, i, buf_c(&text)).rule,
			  str_c(wordings[i].rule)),
		    wordings[i].rule);
		buf_done(&text);
	}
	reply_table_free(t);
}

/* clang-format off */
static const struct {
	int code;
	const char *text;
	enum reply_class want;
} fallbacks[] = {
	{ 0,   "",                       REPLY_CONNECTION },
	{ 0,   "banned sending ip",      REPLY_CONNECTION },
	{ 250, "banned",                 REPLY_CONNECTION },
	{ 451, "4.3.0 Something",        REPLY_TEMPORARY },
	{ 450, "",                       REPLY_TEMPORARY },
	{ 554, "",                       REPLY_PERMANENT },
	{ 550, "5.0.0 no",               REPLY_PERMANENT },
	{ 550, "5.7.605 x",              REPLY_PERMANENT },
	{ 550, "5.7.606 x",              REPLY_BLOCKED },
	{ 550, "5.7.649 x",              REPLY_BLOCKED },
	{ 550, "5.7.650 x",              REPLY_RATE },
	{ 450, "4.7.606 x",              REPLY_TEMPORARY },
	{ 550, "5.7.6060 x",             REPLY_PERMANENT },
	{ 550, "5.7.606.1 x",            REPLY_PERMANENT },
	{ 550, "x 5.7.606",              REPLY_PERMANENT },
	{ 550, "x\n5.7.606 y",           REPLY_BLOCKED },
	/* Words that are near to those of a rule, and mean something else. */
	{ 550, "HELO is not a valid name", REPLY_PERMANENT },
	{ 550, "The recipient has been banned", REPLY_PERMANENT },
	{ 550, "This user exists no more or less", REPLY_PERMANENT },
	{ 550, "5.1.1 a\n5.7.606 b", REPLY_UNKNOWN_USER },
	{ 550, "sorry (#5.1.1)",         REPLY_UNKNOWN_USER },
};
/* clang-format on */

TEST(what_no_rule_knows_goes_by_its_code)
{
	struct reply_table *t = reply_table_new();

	for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++) {
		struct reply_input in = { .group = STR("microsoft"),
			.stage = REPLY_AT_RCPT,
			.code = fallbacks[i].code,
			.text = str_c(fallbacks[i].text) };

		CHECK(reply_classify(t, &in).class == fallbacks[i].want,
		    fallbacks[i].text);
	}
	reply_table_free(t);
}

/* What a server quotes was chosen by somebody else. */
/* clang-format off */
static const struct {
	const char *address, *text;
	enum reply_class want;
} quotes[] = {
	{ "spamhaus.org/query/ip@b.example",
	  "5.1.1 <spamhaus.org/query/ip@b.example>: Recipient address rejected: User unknown",
	  REPLY_UNKNOWN_USER },
	{ "\"Your IP is  blacklisted\"@b.example",
	  "5.1.1 <\"your ip is  blacklisted\"@B.EXAMPLE>... User unknown",
	  REPLY_UNKNOWN_USER },
	{ "\"client host \\rejected\"@b.example",
	  "5.1.1 <client host rejected@b.example>: User unknown",
	  REPLY_UNKNOWN_USER },
	{ "\"client host rejected\"@b.example",
	  "5.1.1 no user client host rejected here: User unknown",
	  REPLY_UNKNOWN_USER },
	{ "x#5.7.606@b.example", "x#5.7.606@b.example is not here",
	  REPLY_PERMANENT },
	{ "5.7.606@b.example", "5.7.606@b.example is not here",
	  REPLY_PERMANENT },
	/* Somebody whose name is a word. */
	{ "ip@b.example", "Your IP is blacklisted, ip@b.example",
	  REPLY_BLOCKED },
	{ "b.example", "Your IP is blacklisted", REPLY_BLOCKED },
	{ "@", "Your IP is blacklisted", REPLY_BLOCKED },
	{ "\"\"@b.example", "Your IP is blacklisted", REPLY_BLOCKED },
	{ "", "", REPLY_PERMANENT },
};
/* clang-format on */

TEST(what_a_server_quotes_are_not_its_words)
{
	struct reply_table *t = reply_table_new();

	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		struct buf text = BUF_INIT(KIB(4));
		struct reply_input in = { .group = STR("microsoft"),
			.stage = REPLY_AT_RCPT,
			.code = 550 };

		buf_put_c(&text, quotes[i].text);
		reply_forget(&text, str_c(quotes[i].address));
		in.text = buf_str(&text);
		CHECK(reply_classify(t, &in).class == quotes[i].want,
		    quotes[i].text);
		buf_done(&text);
	}
	reply_table_free(t);
}

/* Whoever may choose a text on somebody's mail server could say it anywhere. */
TEST(a_providers_rules_count_at_its_own_hosts)
{
	static const char *const strangers[] = { "", "google", "micro",
		"microsoft microsoft-consumer" };
	struct reply_table *t = reply_table_new();
	struct reply_input in = { .stage = REPLY_AT_RCPT,
		.code = 550,
		.text = STR(
		    "5.7.606 Access denied, banned sending IP [192.0.2.1]") };

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		in.group = str_c(strangers[i]);
		CHECK(
		    reply_classify(t, &in).class == REPLY_POLICY, strangers[i]);
	}
	in.group = STR("microsoft");
	CHECK(reply_classify(t, &in).class == REPLY_BLOCKED, "one");
	in.group = STR("microsoft-consumer");
	CHECK(reply_classify(t, &in).class == REPLY_BLOCKED, "the other");
	reply_table_free(t);
}

TEST(groups_end_where_others_begin)
{
	struct reply_error error = { 0 };
	struct reply_table *t = reply_table_parse(
	    STR("a rate * * * \"x\"\n [ one  ]\nb rate * * * \"y\"\n"
		"default\nc rate * * * \"z\"\n[*]\nd rate * * * \"w\"\n"),
	    &error);
	size_t n;

	CHECK(t, "table");
	n = reply_table_count(t);
	CHECK(reply_table_groups(t, 0).n == 0, "before any");
	CHECK(str_eq(reply_table_groups(t, 1), STR("one")), "below");
	CHECK(str_eq(reply_table_groups(t, n - 2), STR("one")),
	    "the built-in rules have their own");
	CHECK(reply_table_groups(t, n - 1).n == 0, "behind");
	reply_table_free(t);
}

TEST(an_operators_rules_come_before_or_behind_the_default)
{
	struct reply_input in = { .group = STR("microsoft"),
		.stage = REPLY_AT_RCPT,
		.code = 550,
		.text = STR(
		    "5.7.606 Access denied, banned sending IP [192.0.2.1]") };
	struct reply_error error = { 0 };
	struct reply_table *t;

	t = reply_table_parse(
	    STR("# ours\r\n\r\n"
		"ours rate 550,554 *.7.600-699 rcpt,mail \"Access*BANNED\" "
		"\"192.0.2.1\" mailto:x@example.org\r\n"
		"default\n"
		"late policy * * * \"UPPER\"\n"),
	    &error);
	CHECK(t, "table");
	CHECK(reply_classify(t, &in).class == REPLY_RATE, "first");
	CHECK(str_eq(reply_classify(t, &in).link, STR("mailto:x@example.org")),
	    "link");
	in.stage = REPLY_AT_END;
	CHECK(reply_classify(t, &in).class == REPLY_BLOCKED, "stage");
	in.stage = REPLY_AT_RCPT;
	in.code = 553;
	CHECK(reply_classify(t, &in).class == REPLY_BLOCKED, "code");
	in.text = STR("upper");
	CHECK(reply_classify(t, &in).class == REPLY_POLICY, "behind default");
	reply_table_free(t);
	t = reply_table_parse(STR_NONE, &error);
	CHECK(t && reply_table_count(t) == 0, "an empty table is one");
	CHECK(reply_classify(t, &in).class == REPLY_PERMANENT, "by code");
	reply_table_free(t);
	t = reply_table_parse(str_c(reply_default_text()), &error);
	CHECK(t && reply_table_count(t) > 150, "what is shown is in force");
	reply_table_free(t);
}

/* clang-format off */
static const struct {
	const char *text;
	size_t line;
	const char *why;
} errors[] = {
	{ "x",                                   1, "not a class" },
	{ "# a\n\nx eaten * * *",                3, "not a class" },
	{ "x_y rate * * *",                      1, "not a name" },
	{ "x rate 450,451,452,453,454 * *",      1, "not a code" },
	{ "x rate 250 * *",                      1, "not a code" },
	{ "x rate 4x * *",                       1, "not a code" },
	{ "x rate 450, * *",                     1, "not a code" },
	{ "x rate * 5.7 *",                      1, "not a status" },
	{ "x rate * 3.7.1 *",                    1, "not a status" },
	{ "x rate * 5.7.9-1 *",                  1, "not a status" },
	{ "x rate * 5.7.1- *",                   1, "not a status" },
	{ "x rate * 5.7.1.1 *",                  1, "not a status" },
	{ "x rate * * later",                    1, "not a stage" },
	{ "x rate * * mail,",                    1, "not a stage" },
	{ "x rate * *",                          1, "not a stage" },
	{ "x rate * * * \"a",                    1, "texts" },
	{ "x rate * * * \"\"",                   1, "texts" },
	{ "x rate * * * \"a\"b",                 1, "texts" },
	{ "x rate * * * \"a\" \"a\" \"a\" \"a\" \"a\"", 1, "texts" },
	{ "x rate * * * \"a\" ftp://x",          1, "link" },
	{ "x rate * * * https://x y",            1, "behind the link" },
	{ "default\ndefault",                    2, "already" },
	{ "[]",                                  1, "not provider groups" },
	{ "[a_b]",                               1, "not provider groups" },
	{ "[a  b]",                              1, "not provider groups" },
	{ "[* a]",                               1, "not provider groups" },
	{ "[",                                   1, "not a name" },
};
/* clang-format on */

TEST(a_table_with_an_error_says_where_and_why)
{
	struct buf large = BUF_INIT(MIB(1));
	struct reply_error error;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		error = (struct reply_error){ 0 };
		CHECK(!reply_table_parse(str_c(errors[i].text), &error),
		    errors[i].text);
		CHECK(error.line == errors[i].line, errors[i].text);
		CHECK(strstr(error.text, errors[i].why), errors[i].text);
	}
	for (size_t i = 0; i <= REPLY_RULES_MAX; i++)
		buf_put_c(&large, "x rate * * *\n");
	CHECK(!reply_table_parse(buf_str(&large), &error), "too many");
	CHECK(error.line == REPLY_RULES_MAX + 1, "too many");
	buf_reset(&large, 0);
	for (size_t i = 0; i <= REPLY_LINE_MAX; i++)
		buf_put_char(&large, 'x');
	CHECK(!reply_table_parse(buf_str(&large), &error), "too long");
	for (size_t i = 0; i <= REPLY_TABLE_MAX; i++)
		buf_put_char(&large, '\n');
	CHECK(!reply_table_parse(buf_str(&large), &error), "too large");
	buf_done(&large);
}

TEST_MAIN(UNIT(real_wordings_are_decided_by_the_rule_that_was_made_for_them),
    UNIT(every_rule_decides_a_wording),
    UNIT(the_form_of_a_reply_does_not_matter),
    UNIT(what_no_rule_knows_goes_by_its_code),
    UNIT(what_a_server_quotes_are_not_its_words),
    UNIT(a_providers_rules_count_at_its_own_hosts),
    UNIT(groups_end_where_others_begin),
    UNIT(an_operators_rules_come_before_or_behind_the_default),
    UNIT(a_table_with_an_error_says_where_and_why))
