/* SPDX-License-Identifier: ISC */
#include "../test.h"
#include "cli/usage.h"

static const char *const queue[] = { "queue list [--sender A] [ID...]",
	"queue show ID [--json]", "queue retry|hold --all | [ID...]", NULL };
static const char *const reach[] = { "reach [--network N]", "reach --tls",
	"reach signals [--json]", NULL };
static const char *const agent[] = { "watch status", "watch agent add NAME",
	"watch agent list", NULL };
static const char *const dns[] = { "dns DOMAIN [--zone]", "dns DOMAIN --check",
	NULL };

TEST(a_word_is_found_among_the_alternatives_at_its_place)
{
	CHECK(usage_has_word("queue retry|hold ID", 1, "hold"), "second");
	CHECK(usage_has_word("queue retry|hold ID", 0, "queue"), "command");
	CHECK(usage_has_word("queue retry|hold ID", 2, "ID"), "last");
	CHECK(!usage_has_word("queue retry|hold ID", 1, "hol"), "part");
	CHECK(!usage_has_word("queue retry|hold ID", 3, "ID"), "beyond");
	CHECK(!usage_has_word("queue", 1, "queue"), "only one");
}

TEST(the_lines_are_those_that_the_words_mean)
{
	static const struct {
		const char *name;
		const char *const *lines;
		const char *words[4];
		const char *want;
	} cases[] = {
		{ "a verb", queue, { "queue", "show", "x" },
		    "queue show ID [--json]" },
		{ "one of several verbs", queue, { "queue", "hold" },
		    "queue retry|hold --all | [ID...]" },
		{ "none", reach, { "reach" },
		    "reach [--network N]\n       mailstead reach --tls" },
		{ "an option", reach, { "reach", "--tls" },
		    "reach [--network N]\n       mailstead reach --tls" },
		{ "a verb where some lines have none", reach,
		    { "reach", "signals" }, "reach signals [--json]" },
		{ "two verbs", agent, { "watch", "agent", "list" },
		    "watch agent list" },
		{ "a first verb alone", agent, { "watch", "agent" },
		    "watch agent add NAME\n       mailstead watch agent list" },
		{ "a second word that is no verb", agent,
		    { "watch", "agent", "x" },
		    "watch agent add NAME\n       mailstead watch agent list" },
		{ "no verbs", dns, { "dns", "example.org", "--check" },
		    "dns DOMAIN [--zone]\n       mailstead dns DOMAIN "
		    "--check" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf got = BUF_INIT(KIB(1));
		char *words[4];
		size_t n = 0;

		for (; n < 4 && cases[i].words[n]; n++)
			words[n] = x_strdup(cases[i].words[n]);
		usage_put(cases[i].lines, words, n, &got);
		CHECK(strcmp(buf_c(&got), cases[i].want) == 0, cases[i].name);
		while (n > 0)
			free(words[--n]);
		buf_done(&got);
	}
}

TEST_MAIN(UNIT(a_word_is_found_among_the_alternatives_at_its_place),
    UNIT(the_lines_are_those_that_the_words_mean))
