/* SPDX-License-Identifier: ISC */
/* status_news_test.c - what subscribers are written. */
#include "../../holds.h"
#include "../../test.h"
#include "proto/status/status_news.h"

static struct status_post post;
static struct status_update update;

static struct status_news
news(void)
{
	post = (struct status_post){ .kind = STATUS_INCIDENT,
		.state = STATUS_IDENTIFIED,
		.title = STR("Mail is <slow>"),
		.body = STR(
		    "We *know* why.\n\n- a disk\n- [log](https://x.example)"),
		.next_update_s = 1795392000 };
	post.affects.n = 1;
	post.affects.v[0] =
	    (struct status_affected){ STR("NC036"), STATUS_IMPACT_DOWN };
	update = (struct status_update){ .state = STATUS_RESOLVED,
		.body = STR("All \"well\".") };
	return (struct status_news){ .language = STR("en"),
		.site = STR("Example Mail"),
		.url = STR("https://status.example.org"),
		.number = 7,
		.post = &post,
		.leave = STR("https://status.example.org/unsubscribe?to=x") };
}

TEST(news_say_what_is_known)
{
	struct status_news n = news();
	struct buf b = BUF_INIT(KIB(48));

	status_news_subject(&n, &b);
	assert_string_equal(
	    buf_c(&b), "[Example Mail] identified: Mail is <slow>");
	buf_reset(&b, 0);
	status_news_body(&n, &b);
	CHECK(str_starts(buf_str(&b), STR("Mail is <slow>\nState: identified\n"
					  "Affected: NC036 (down)\n"
					  "Next update: 2026-11-23 00:00 UTC\n"
					  "\n")),
	    buf_c(&b));
	CHECK(holds(&b, "\nhttps://status.example.org/posts/7\n"), "link");
	CHECK(holds(&b, "\n-- \n") &&
		  holds(&b, ":\nhttps://status.example.org/unsubscribe?to=x\n"),
	    "the way out");
	buf_done(&b);
}

TEST(an_update_says_how_it_is_now)
{
	struct status_news n = news();
	struct buf b = BUF_INIT(KIB(48));

	n.update = &update;
	n.language = STR("fr-CA");
	status_news_subject(&n, &b);
	assert_string_equal(
	    buf_c(&b), "[Example Mail] r\xC3\xA9solu: Mail is <slow>");
	buf_reset(&b, 0);
	status_news_body(&n, &b);
	CHECK(!holds(&b, "NC036") && holds(&b, "All \"well\"."), "as it is");
	buf_done(&b);
}

TEST(news_are_json)
{
	struct status_news n = news();
	struct buf b = BUF_INIT(KIB(48));

	n.update = &update;
	status_news_json(&n, &b);
	CHECK(holds(&b, "{\"type\":\"update\",\"number\":7,"), "type");
	CHECK(holds(&b, "\"state\":\"resolved\",\"affects\":[],"), "state");
	CHECK(holds(&b, "\"markdown\":\"All \\\"well\\\".\""), "quotes");
	CHECK(holds(&b, "\"url\":\"https://status.example.org/posts/7\""),
	    "link");
	CHECK(b.p[b.n - 1] == '}', "whole");
	buf_reset(&b, 0);
	n.update = NULL;
	status_news_json(&n, &b);
	CHECK(holds(&b, "\"affects\":[{\"system\":\"NC036\",\"impact\":"
			"\"down\"}]"),
	    "affects");
	buf_done(&b);
}

TEST(every_language_has_every_word)
{
	static const char *const languages[] = { "en", "fr", "pt", "pt-BR",
		"xx", "" };
	struct status_news n = news();

	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		struct buf b = BUF_INIT(KIB(48));

		n.language = str_c(languages[i]);
		for (unsigned s = 0; s < STATUS_STATES; s++) {
			post.state = (enum status_state)s;
			status_news_subject(&n, &b);
			status_news_body(&n, &b);
		}
		for (unsigned k = 0; k < STATUS_IMPACTS; k++) {
			post.affects.v[0].impact = (enum status_impact)k;
			status_news_body(&n, &b);
		}
		CHECK(!b.failed && !holds(&b, "(null)"), languages[i]);
		CHECK(str_is_utf8(buf_str(&b)), languages[i]);
		buf_done(&b);
	}
	CHECK(str_eq(status_news_language(STR("pt-BR")), STR("pt")), "pt");
	CHECK(str_eq(status_news_language(STR("xx")), STR("en")), "en");
}

TEST(languages_that_there_are_not_are_named)
{
	static const struct {
		const char *language;
		bool is_there;
	} cases[] = { { "en", true }, { "FR", true }, { "pt-BR", true },
		{ "xx", false }, { "english", false }, { "e", false },
		{ "", false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_fault f = { 0 };
		bool is =
		    status_news_has_language(str_c(cases[i].language), &f);

		CHECK(is == cases[i].is_there, cases[i].language);
		CHECK(is || strstr(f.expected, "en, fr or pt") != NULL,
		    cases[i].language);
	}
}

TEST_MAIN(UNIT(news_say_what_is_known), UNIT(an_update_says_how_it_is_now),
    UNIT(news_are_json), UNIT(every_language_has_every_word),
    UNIT(languages_that_there_are_not_are_named))
