/* SPDX-License-Identifier: ISC */
/* site_test.c - what checks tell customers of, and where posts are. */
#include "../../test.h"
#include "proto/status/status_path.h"
#include "proto/status/status_service.h"

#define BIT(s) STATUS_SERVICE_BIT(STATUS_##s)

static const struct {
	const char *kind, *target;
	const char *options[4];
	bool is_relay;
	unsigned want;
} checks[] = {
	{ "smtp", "mx.example.org", { NULL }, false, BIT(RECEIVE) },
	{ "smtp", "mx.example.org", { NULL }, true, BIT(SEND) },
	{ "submission", "mx.example.org", { NULL }, false, BIT(SEND) },
	{ "submission", "mx.example.org",
	    { "login=a@example.org", "password=x" }, false,
	    BIT(SEND) | BIT(SIGN_IN) },
	{ "imap", "mx.example.org", { "login=a", "password=x" }, false,
	    BIT(READ) | BIT(SIGN_IN) },
	{ "pop3", "mx.example.org", { NULL }, false, BIT(READ) },
	{ "ping", "mx.example.org", { NULL }, false, 0 },
	{ "http", "https://mail.example.org/", { NULL }, false, 0 },
	{ "http", "https://mail.example.org/", { "service=webmail" }, false,
	    BIT(WEBMAIL) },
	{ "tcp", "mx.example.org:25", { "service=send", "service=Receive" },
	    false, BIT(SEND) | BIT(RECEIVE) },
	{ "imap", "mx.example.org", { "service=none" }, false, 0 },
	{ "roundtrip", "a@example.org",
	    { "via=mx.example.org", "imap=mx.example.org", "login=a",
		"password=x" },
	    false, BIT(RECEIVE) | BIT(SEND) },
};

TEST(kinds_and_options_say_what_customers_do)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct status_fault f;
		struct status_check c;

		CHECK(status_check_begin(&c, str_c(checks[i].kind),
			  str_c(checks[i].target), &f),
		    checks[i].kind);
		for (size_t k = 0; k < 4 && checks[i].options[k]; k++)
			CHECK(status_check_put(
				  &c, str_c(checks[i].options[k]), &f),
			    checks[i].options[k]);
		CHECK(status_check_finish(&c, &f), checks[i].kind);
		CHECK(status_check_services(&c, checks[i].is_relay) ==
			  checks[i].want,
		    checks[i].kind);
	}
}

TEST(a_service_that_there_is_not_is_refused)
{
	struct status_fault f;
	struct status_check c;

	assert_true(
	    status_check_begin(&c, STR("tcp"), STR("mx.example.org:25"), &f));
	assert_false(status_check_put(&c, STR("service=fax"), &f));
}

TEST(a_post_is_where_its_month_and_slug_say)
{
	static const struct {
		uint64_t published_s;
		const char *slug, *want;
	} cases[] = {
		{ 1528362739, "2018-06-07-nc036-migration-update-17",
		    "/posts/2018/06/07-nc036-migration-update-17" },
		/* Published in another month than it was written. */
		{ 1530403200, "2018-06-07-late",
		    "/posts/2018/07/2018-06-07-late" },
		{ 1528362739, "own-words", "/posts/2018/06/own-words" },
		{ 1528362739, "2018-06-", "/posts/2018/06/2018-06-" },
		{ 951782400, "leap", "/posts/2000/02/leap" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_post p = { .slug = str_c(cases[i].slug),
			.published_s = cases[i].published_s };
		struct buf b = BUF_INIT(KIB(1));

		status_post_put_path(&p, &b);
		assert_string_equal(buf_c(&b), cases[i].want);
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(kinds_and_options_say_what_customers_do),
    UNIT(a_service_that_there_is_not_is_refused),
    UNIT(a_post_is_where_its_month_and_slug_say))
