/* SPDX-License-Identifier: ISC */
/* listed_test.c - replies that quote a block list, and what our check says of it. */
#include "../../test.h"
#include "watch/reach/reach_internal.h"

struct world {
	struct server sv;
	struct watched check;
	struct watched *all[1];
	char key[16];
};

static void
world_init(struct world *w, enum watch_cause cause, const char *text)
{
	struct status_fault fault;

	*w = (struct world){ .key = "mx/lists" };
	w->sv.suffixes = suffixes_parse(STR("org\nnet\nexample\n"));
	w->check.key = w->key;
	w->check.at_wall_ms = 1;
	w->check.cause = cause;
	w->check.outcome = cause == WATCH_LISTED ? WATCH_FAILED : WATCH_OK;
	snprintf(w->check.text, sizeof(w->check.text), "%s", text);
	CHECK(status_check_begin(&w->check.check, STR("blocklist"),
		  STR("192.0.2.1"), &fault) &&
		  status_check_put(
		      &w->check.check, STR("list=zen.spamhaus.org"), &fault) &&
		  status_check_put(
		      &w->check.check, STR("list=dnsbl.example.net"), &fault),
	    "a check");
	w->all[0] = &w->check;
	w->sv.watched = w->all;
	w->sv.n_watched = 1;
}

/* What is said of a reply; static. */
static const char *
said(struct world *w, const char *address, const char *reply)
{
	static char text[600];
	struct buf b = BUF_INIT(KIB(1));

	reach_listed_put(&w->sv, str_c(address), str_c(reply), &b);
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&b);
	return text;
}

TEST(a_list_that_is_quoted_is_named_with_what_we_see_of_it)
{
	static const char *const quotes[] = {
		"550 5.7.1 [192.0.2.1] blocked using zen.spamhaus.org",
		"550 see https://www.Spamhaus.org/query/ip/192.0.2.1",
		"554 spamhaus.org.",
		"554 (spamhaus.org)",
	};
	static const char *const others[] = {
		"550 5.7.1 blocked",
		"550 notspamhaus.org says no",
		"550 spamhaus.org.example says no",
		"550 spamhaus.organic",
		"",
	};
	struct world w;

	world_init(&w, WATCH_LISTED, "listed by zen.spamhaus.org (127.0.0.2)");
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++)
		CHECK(strcmp(said(&w, "192.0.2.1", quotes[i]),
			  "; zen.spamhaus.org, which the reply quotes, lists "
			  "192.0.2.1 (check mx/lists)") == 0,
		    quotes[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		CHECK(strcmp(said(&w, "192.0.2.1", others[i]), "") == 0,
		    others[i]);
	CHECK(strcmp(said(&w, "192.0.2.9", quotes[0]), "") == 0,
	    "another address of ours");
	CHECK(said(&w, "", quotes[0])[0] == ';', "whichever address it was");
	CHECK(strcmp(said(&w, "", "550 dnsbl.example.net"),
		  "; dnsbl.example.net, which the reply quotes, may list "
		  "192.0.2.1 (check mx/lists)") == 0,
	    "the check failed because of the other one");
	suffixes_free(w.sv.suffixes);
}

TEST(a_list_that_has_us_no_more_is_told_too)
{
	struct world w;

	world_init(&w, WATCH_CAUSE_NONE, "not listed by 2 lists");
	CHECK(strcmp(said(&w, "192.0.2.1", "550 spamhaus.org"),
		  "; zen.spamhaus.org, which the reply quotes, does not list "
		  "192.0.2.1 (check mx/lists)") == 0,
	    "gone");
	w.check.at_wall_ms = 0;
	CHECK(strcmp(said(&w, "192.0.2.1", "550 spamhaus.org"), "") == 0,
	    "never looked");
	suffixes_free(w.sv.suffixes);
}

TEST_MAIN(UNIT(a_list_that_is_quoted_is_named_with_what_we_see_of_it),
    UNIT(a_list_that_has_us_no_more_is_told_too))
