/* SPDX-License-Identifier: ISC */
/* http_text_test.c - paths, forms, cookies, dates, tags, what is accepted. */
#include "../../test.h"
#include "proto/http/http_response.h"
#include "proto/http/http_text.h"

TEST(paths_are_decoded_and_resolved)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} cases[] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/b/", "/a/b/" },
		{ "//a///b", "/a/b" },
		{ "/a/./b/../c", "/a/c" },
		{ "/../../etc", "/etc" },
		{ "/a/..", "/" },
		{ "/a/b/..", "/a/" },
		{ "/%2e%2e/%2E/a", "/a" },
		{ "/a%2fb", "/a/b" },
		{ "/%C3%A9t%C3%A9", "/été" },
		{ "/a+b", "/a+b" },
		{ "/%", NULL },
		{ "/%4", NULL },
		{ "/%4g", NULL },
		{ "/%00", NULL },
		{ "/%0a", NULL },
		{ "/%ff", NULL },
		{ "a", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(KIB(1));
		bool ok = http_path_decode(str_c(cases[i].in), &out);

		CHECK(ok == (cases[i].out != NULL), cases[i].in);
		CHECK(!ok || str_eq(buf_str(&out), str_c(cases[i].out)),
		    cases[i].in);
		buf_done(&out);
	}
}

TEST(forms_are_read)
{
	const struct str form = STR("a=1&&b=x+y%26z&c&a=2&d=%0d%0a");
	struct buf out = BUF_INIT(KIB(1));

	assert_true(http_form_get(form, STR("a"), &out));
	assert_string_equal(buf_c(&out), "1");
	buf_reset(&out, 0);
	assert_true(http_form_get(form, STR("b"), &out));
	assert_string_equal(buf_c(&out), "x y&z");
	buf_reset(&out, 0);
	assert_true(http_form_get(form, STR("c"), &out));
	assert_int_equal(out.n, 0);
	assert_true(http_form_get(form, STR("d"), &out));
	assert_string_equal(buf_c(&out), "\r\n");
	assert_false(http_form_get(form, STR("e"), &out));
	assert_false(http_form_get(STR("e=%00"), STR("e"), &out));
	buf_done(&out);
}

TEST(what_is_encoded_decodes)
{
	struct buf b = BUF_INIT(KIB(1)), back = BUF_INIT(KIB(1));

	http_encode(&b, STR("a b&c=d/é~"));
	assert_string_equal(buf_c(&b), "a%20b%26c%3Dd%2F%C3%A9~");
	assert_true(http_form_decode(buf_str(&b), &back));
	assert_string_equal(buf_c(&back), "a b&c=d/é~");
	buf_done(&b);
	buf_done(&back);
}

TEST(cookies_are_found)
{
	const struct str field = STR("a=1; sid=\"x y\"; b=");
	struct str value;

	assert_true(http_cookie_get(field, STR("sid"), &value));
	assert_true(str_eq(value, STR("x y")));
	assert_true(http_cookie_get(field, STR("b"), &value));
	assert_int_equal(value.n, 0);
	assert_false(http_cookie_get(field, STR("id"), &value));
}

TEST(dates_are_written_and_read)
{
	static const struct {
		uint64_t t;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1709251199, "Thu, 29 Feb 2024 23:59:59 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	static const char *const bad[] = { "Mon, 06 Nov 1994 08:49:37 GMT",
		"Wed, 30 Feb 2000 00:00:00 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun,  6 Nov 1994 08:49:37 GMT", "" };
	uint64_t t;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(64);

		http_date_format(&b, cases[i].t);
		assert_string_equal(buf_c(&b), cases[i].text);
		assert_true(http_date_parse(buf_str(&b), &t));
		assert_int_equal(t, cases[i].t);
		buf_done(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!http_date_parse(str_c(bad[i]), &t), bad[i]);
}

TEST(entity_tags_match_weakly)
{
	static const struct {
		const char *field;
		bool want;
	} cases[] = {
		{ "\"a\"", true },
		{ "W/\"a\"", true },
		{ "\"b\", \"a\"", true },
		{ "\"b,c\" , W/\"a\"", true },
		{ "*", true },
		{ "\"b\"", false },
		{ "a", false },
		{ "\"a", false },
		{ "", false },
		{ "\"b\" \"a\"", false },
		{ "W/", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(http_etag_matches(str_c(cases[i].field), STR("\"a\"")) ==
			  cases[i].want,
		    cases[i].field);
	assert_true(http_etag_matches(STR("\"a\""), STR("W/\"a\"")));
}

TEST(a_change_is_made_only_of_the_very_same)
{
	static const struct {
		const char *name, *field;
		enum http_match want;
	} cases[] = {
		{ "the tag", "\"a\"", HTTP_MATCH_YES },
		{ "another", "\"b\"", HTTP_MATCH_NO },
		{ "any", " * ", HTTP_MATCH_YES },
		{ "one of a list", "\"b\", \"a\" ,\"c\"", HTTP_MATCH_YES },
		{ "lines put together, one empty", ",\"b\",,\"a\",",
		    HTTP_MATCH_YES },
		{ "commas inside", "\"x,\",\"a\"", HTTP_MATCH_YES },
		{ "a weak one", "W/\"a\"", HTTP_MATCH_NO },
		{ "weak and strong", "W/\"a\", \"a\"", HTTP_MATCH_YES },
		{ "a small w", "w/\"a\"", HTTP_MATCH_MALFORMED },
		{ "nothing", "", HTTP_MATCH_MALFORMED },
		{ "nothing but commas", " , ,", HTTP_MATCH_MALFORMED },
		{ "no quotes", "a", HTTP_MATCH_MALFORMED },
		{ "one quote", "\"a", HTTP_MATCH_MALFORMED },
		{ "a word behind the right one", "\"a\", b",
		    HTTP_MATCH_MALFORMED },
		{ "no comma", "\"a\" \"b\"", HTTP_MATCH_MALFORMED },
		{ "a blank inside", "\"a b\"", HTTP_MATCH_MALFORMED },
		{ "any in a list", "\"a\", *", HTTP_MATCH_MALFORMED },
		{ "any twice", "*,*", HTTP_MATCH_MALFORMED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(http_if_match(str_c(cases[i].field), STR("\"a\"")) ==
			  cases[i].want,
		    cases[i].name);
	/* What is weak here is not named by itself either. */
	assert_int_equal(
	    http_if_match(STR("W/\"a\""), STR("W/\"a\"")), HTTP_MATCH_NO);
}

TEST(responses_are_written)
{
	struct buf b = BUF_INIT(KIB(1));

	http_response_begin(
	    &b, &(struct http_response){
		    .status = 404, .now = 0, .length = 3, .is_kept = false });
	http_response_field(&b, "Location", STR("/a\r\nSet-Cookie: b"));
	http_response_end(&b);
	assert_string_equal(buf_c(&b),
	    "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Content-Length: 3\r\nConnection: close\r\n"
	    "Location: /aSet-Cookie: b\r\n\r\n");
	buf_reset(&b, 0);
	http_response_begin(
	    &b, &(struct http_response){ .status = 304, .is_kept = true });
	assert_string_equal(buf_c(&b),
	    "HTTP/1.1 304 Not Modified\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	buf_done(&b);
}

TEST_MAIN(UNIT(paths_are_decoded_and_resolved), UNIT(forms_are_read),
    UNIT(what_is_encoded_decodes), UNIT(cookies_are_found),
    UNIT(dates_are_written_and_read), UNIT(entity_tags_match_weakly),
    UNIT(a_change_is_made_only_of_the_very_same), UNIT(responses_are_written))
