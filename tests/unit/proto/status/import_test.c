/* SPDX-License-Identifier: ISC */
/* import_test.c - posts out of the text of a page; dates; JSON. */
#include "../../test.h"
#include "proto/status/status_date.h"
#include "proto/status/status_import.h"
#include "proto/status/status_json.h"

static const char page[] =
    "Example Networks\n"
    "System Status\n"
    "\n"
    "AB12: Disks, part 2\n"
    "\n"
    "7 June 2018 09:12:19 +0000\n"
    "\n"
    "All is *well*.\r\n"
    "\n"
    "  \xe2\x80\xa2 one_two\n"
    "  \xe2\x80\xa2 three\n"
    "\n"
    "Search:\n"
    "\n"
    "Diagnostic: 550\n"
    "    [192.0.2.1] <no>\n"
    "\n"
    "1. not a list\n"
    "# no heading\n"
    "\n"
    "AB12: Disks\n"
    "\n"
    "6 Jun 2018 11:00:00 +0200\n"
    "\n"
    "A dot zm domains outage.\n"
    "\n"
    "Example Networks home page\n"
    "\n"
    "Systems at a Glance:\n"
    "\n"
    "Loc.\n"
    "\n"
    "Tags:\n"
    "\n"
    ".co.zm domains back-up bounce messages dns dos attack dot-zm domains "
    "email email "
    "delivery mail mailing lists mail relay mail server shaw shaw "
    "communications inc. smtp web server\n"
    "\n"
    "Resources:\n";

TEST(posts_are_found_with_their_dates)
{
	struct status_import im = status_import_begin(str_c(page));
	struct buf body = BUF_INIT(KIB(4));
	struct status_import_post p;

	assert_true(status_import_next(&im, &p));
	assert_true(str_eq(p.title, STR("AB12: Disks, part 2")));
	assert_int_equal(p.at_s, 1528362739);
	status_import_markdown(p.body, &body);
	assert_string_equal(buf_c(&body), "All is \\*well\\*.\n"
					  "\n"
					  "- one\\_two\n"
					  "- three\n"
					  "\n"
					  "Search:\n"
					  "\n"
					  "    Diagnostic: 550\n"
					  "        [192.0.2.1] <no>\n"
					  "\n"
					  "1\\. not a list\\\n"
					  "\\# no heading\n");
	assert_true(status_import_next(&im, &p));
	assert_true(str_eq(p.title, STR("AB12: Disks")));
	assert_int_equal(p.at_s, 1528275600);
	buf_reset(&body, KIB(4));
	status_import_markdown(p.body, &body);
	assert_string_equal(buf_c(&body), "A dot zm domains outage.\n");
	assert_false(status_import_next(&im, &p));
	assert_false(status_import_next(&im, &p));
	buf_done(&body);
}

TEST(a_text_without_posts_has_none)
{
	static const char *const texts[] = { "", "\n\n", "A title\n\nA text\n",
		"7 June 2018 09:12:19 +0000\n", "Tags:\n\nmail\n" };
	struct status_import_post p;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct status_import im = status_import_begin(str_c(texts[i]));

		CHECK(!status_import_next(&im, &p), texts[i]);
	}
}

TEST(a_post_at_the_end_may_be_empty)
{
	struct status_import im =
	    status_import_begin(STR("Title\n7 June 2018 09:12:19 +0000"));
	struct status_import_post p;

	assert_true(status_import_next(&im, &p));
	assert_int_equal(p.body.n, 0);
	assert_false(status_import_next(&im, &p));
}

TEST(tags_end_where_their_order_says)
{
	static const char *const want[] = { ".co.zm domains", "back-up",
		"bounce messages", "dns", "dos attack", "dot-zm domains",
		"email", "email delivery", "mail", "mailing lists",
		"mail relay", "mail server", "shaw", "shaw communications inc.",
		"smtp", "web server" };
	struct str tags[STATUS_IMPORT_TAGS_MAX];
	size_t n = status_import_tags(str_c(page), tags, ARRAY_LEN(tags));

	assert_int_equal(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++)
		CHECK(str_eq(tags[i], str_c(want[i])), want[i]);
	assert_int_equal(status_import_tags(str_c(page), tags, 3), 3);
	assert_true(str_eq(tags[2], STR("bounce messages")));
	assert_int_equal(
	    status_import_tags(STR("Tags:\n"), tags, ARRAY_LEN(tags)), 0);
	assert_int_equal(
	    status_import_tags(STR("no tags"), tags, ARRAY_LEN(tags)), 0);
}

TEST(words_are_whole)
{
	assert_true(status_import_has_words(STR("The Mail."), STR("mail")));
	assert_false(status_import_has_words(STR("mailing"), STR("mail")));
	assert_true(status_import_has_words(STR("email, mail"), STR("mail")));
	assert_false(status_import_has_words(STR("mail\xc3\xa9"), STR("mail")));
	assert_false(status_import_has_words(STR("mail"), STR("")));
}

TEST(systems_stand_in_front_of_a_colon)
{
	assert_true(
	    str_eq(status_import_system(STR("NC036: x"), 0), STR("NC036")));
	assert_true(str_eq(
	    status_import_system(STR("NC036 NC023: x"), 1), STR("NC023")));
	assert_int_equal(status_import_system(STR("NC036 x"), 0).n, 0);
	assert_int_equal(status_import_system(STR("IPv4: RFC5321"), 0).n, 0);
	assert_int_equal(status_import_system(STR("NC036: x"), 1).n, 0);
}

TEST(a_post_has_what_its_text_says)
{
	const struct str tags[] = { STR("mail"), STR("disk"), STR("disks") };
	struct status_import_post from = { STR("NC036 NC023: Disks"),
		1528362739, STR("All *mail* is here.") };
	struct buf body = BUF_INIT(STATUS_BODY_MAX);
	struct status_post p, other;
	struct status_fault f;

	assert_true(
	    status_import_make(&from, tags, ARRAY_LEN(tags), &body, &p, &f));
	assert_true(p.is_imported && p.kind == STATUS_NOTICE);
	assert_true(str_eq(p.title, from.title));
	assert_int_equal(p.published_s, from.at_s);
	assert_true(str_eq(p.body, STR("All \\*mail\\* is here.\n")));
	assert_int_equal(p.affects.n, 2);
	assert_true(str_eq(p.affects.v[1].system, STR("NC023")));
	assert_int_equal(p.n_tags, 2);
	assert_true(str_eq(p.tags[1], STR("disks")));
	/* It is known again, and nothing else is. */
	assert_true(status_import_is(&from, &p));
	other = p;
	other.is_imported = false;
	assert_false(status_import_is(&from, &other));
	from.at_s++;
	assert_false(status_import_is(&from, &p));
	from.at_s--;
	from.title = STR("NC036 NC023: disks");
	assert_false(status_import_is(&from, &p));
	buf_done(&body);
}

TEST(a_post_that_is_too_long_is_a_fault)
{
	CLEANUP(freep) char *text = x_calloc(1, STATUS_BODY_MAX + 2);
	struct buf body = BUF_INIT(STATUS_BODY_MAX);
	struct status_post p;
	struct status_fault f;

	/* With its line feed it has as much as a post may have. */
	memset(text, 'a', STATUS_BODY_MAX - 1);
	assert_true(status_import_make(
	    &(struct status_import_post){ STR("A"), 1, str_c(text) }, NULL, 0,
	    &body, &p, &f));
	assert_int_equal(p.body.n, STATUS_BODY_MAX);
	text[STATUS_BODY_MAX - 1] = 'a';
	buf_reset(&body, STATUS_BODY_MAX);
	assert_false(status_import_make(
	    &(struct status_import_post){ STR("A"), 1, str_c(text) }, NULL, 0,
	    &body, &p, &f));
	assert_true(str_eq(f.part, STR("A")));
	buf_done(&body);
}

TEST(dates_are_read_and_written)
{
	static const struct {
		const char *text;
		uint64_t s; /* 0: no date */
	} cases[] = {
		{ "2018-06-07T09:12:19Z", 1528362739 },
		{ "2018-06-07 11:12:19+02:00", 1528362739 },
		{ "2018-06-07t09:12:19.999z", 1528362739 },
		{ "2018-06-07T09:12:19-00:30", 1528364539 },
		{ "2016-12-31T23:59:60Z", 1483228799 },
		{ "2018-02-29T00:00:00Z", 0 },
		{ "2018-06-31T00:00:00Z", 0 },
		{ "2018-13-01T00:00:00Z", 0 },
		{ "2018-06-07T24:00:00Z", 0 },
		{ "2018-06-07T09:12:19", 0 },
		{ "2018-06-07", 0 },
		{ "1969-12-31T23:59:59Z", 0 },
		{ "1970-01-01T00:00:00+01:00", 0 },
		{ "2018-06-07T09:12:19Z ", 0 },
		{ "2018-06-07T09:12:19.Z", 0 },
		{ "", 0 },
	};
	struct buf b = BUF_INIT(100);
	uint64_t s = 0;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is = status_date_parse(str_c(cases[i].text), &s);

		CHECK(is == (cases[i].s > 0), cases[i].text);
		CHECK(!is || s == cases[i].s, cases[i].text);
	}
	status_date_put(&b, 1528362739);
	assert_string_equal(buf_c(&b), "2018-06-07T09:12:19Z");
	assert_false(
	    status_date_parse_long(STR("7 Juno 2018 09:12:19 +0000"), &s));
	assert_false(status_date_parse_long(STR("7 June 2018 09:12:19"), &s));
	assert_false(
	    status_date_parse_long(STR("31 June 2018 09:12:19 +0000"), &s));
	assert_true(
	    status_date_parse_long(STR("7 june 2018 09:12:19 -0130"), &s));
	assert_int_equal(s, 1528368139);
	buf_done(&b);
}

TEST(a_post_is_json)
{
	struct status_post p = { .kind = STATUS_INCIDENT,
		.state = STATUS_IDENTIFIED,
		.title = STR("\"<b>\""),
		.slug = STR("b"),
		.language = STR("en"),
		.created_s = 1528362739,
		.affects = { 1, { { STR("NC036"), STATUS_IMPACT_DOWN } } },
		.n_tags = 1,
		.tags = { STR("mail") } };
	struct status_update u = { .state = STATUS_RESOLVED,
		.created_s = 1528362740 };
	struct buf b = BUF_INIT(KIB(4));

	status_json_begin_post(&b, 17, &p);
	status_json_put_update(&b, 1, &u, true);
	status_json_put_update(&b, 2, &u, false);
	status_json_end_post(&b);
	assert_string_equal(buf_c(&b),
	    "{\"number\":17,\"kind\":\"incident\",\"state\":\"identified\","
	    "\"title\":\"\\\"<b>\\\"\",\"slug\":\"b\",\"body\":\"\","
	    "\"author\":null,\"language\":\"en\","
	    "\"created\":\"2018-06-07T09:12:19Z\",\"published\":null,"
	    "\"edited\":null,\"changed\":null,\"resolved\":null,"
	    "\"next_update\":null,\"from\":null,\"to\":null,"
	    "\"incident\":null,\"affected\":[{\"system\":\"NC036\","
	    "\"impact\":\"down\"}],\"tags\":[\"mail\"],\"categories\":[],"
	    "\"imported\":false,\"quiet\":false,\"updates\":["
	    "{\"number\":1,\"state\":\"resolved\",\"body\":\"\","
	    "\"author\":null,\"created\":\"2018-06-07T09:12:20Z\","
	    "\"edited\":null,\"next_update\":null,\"affected\":[],"
	    "\"quiet\":false},"
	    "{\"number\":2,\"state\":\"resolved\",\"body\":\"\","
	    "\"author\":null,\"created\":\"2018-06-07T09:12:20Z\","
	    "\"edited\":null,\"next_update\":null,\"affected\":[],"
	    "\"quiet\":false}]}");
	buf_done(&b);
}

TEST_MAIN(UNIT(posts_are_found_with_their_dates),
    UNIT(a_text_without_posts_has_none), UNIT(a_post_at_the_end_may_be_empty),
    UNIT(tags_end_where_their_order_says), UNIT(words_are_whole),
    UNIT(systems_stand_in_front_of_a_colon),
    UNIT(a_post_has_what_its_text_says),
    UNIT(a_post_that_is_too_long_is_a_fault), UNIT(dates_are_read_and_written),
    UNIT(a_post_is_json))
