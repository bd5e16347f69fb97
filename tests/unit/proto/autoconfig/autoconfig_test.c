/* SPDX-License-Identifier: ISC */
/* autoconfig_test.c - settings of mail programs as XML. */
#include "../../test.h"
#include "proto/autoconfig/autoconfig.h"

static const struct autoconfig_server all[] = {
	{ AUTOCONFIG_SMTP, 587, false },
	{ AUTOCONFIG_IMAP, 993, true },
	{ AUTOCONFIG_POP3, 110, false },
};

#define HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<clientConfig version=\"1.1\">\n"
#define TAIL "</emailProvider>\n</clientConfig>\n"
#define LOGIN \
	"<authentication>password-cleartext</authentication>\n" \
	"<username>%EMAILADDRESS%</username>\n"

TEST(a_file_names_each_server_receiving_ones_first)
{
	static const char want[] =
	    HEAD "<emailProvider id=\"a.example\">\n"
		 "<domain>a.example</domain>\n"
		 "<displayName>a.example</displayName>\n"
		 "<displayShortName>a.example</displayShortName>\n"
		 "<incomingServer type=\"imap\">\n"
		 "<hostname>mx.b.example</hostname>\n"
		 "<port>993</port>\n<socketType>SSL</socketType>\n" LOGIN
		 "</incomingServer>\n"
		 "<incomingServer type=\"pop3\">\n"
		 "<hostname>mx.b.example</hostname>\n"
		 "<port>110</port>\n<socketType>STARTTLS</socketType>\n" LOGIN
		 "</incomingServer>\n"
		 "<outgoingServer type=\"smtp\">\n"
		 "<hostname>mx.b.example</hostname>\n"
		 "<port>587</port>\n<socketType>STARTTLS</socketType>\n" LOGIN
		 "</outgoingServer>\n" TAIL;
	struct autoconfig a = { STR("a.example"), STR("mx.b.example"), all,
		ARRAY_LEN(all) };
	struct buf out = BUF_INIT(AUTOCONFIG_MAX);

	CHECK(autoconfig_put(&out, &a), "written");
	CHECK(str_eq(buf_str(&out), str_c(want)), buf_c(&out));
	buf_done(&out);
}

TEST(texts_are_escaped)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a.example", "a.example" },
		{ "<b>", "&#x3C;b&#x3E;" },
		{ "a&amp;b", "a&#x26;amp;b" },
		{ "\"'", "&#x22;&#x27;" },
		{ "]]>", "]]&#x3E;" },
		{ "a\r\n\t\x01\x7f", "a?????" },
		{ "b\xC3\xBC", "b\xC3\xBC" },
		{ "b\xC3", "b?" },
		{ "\xED\xA0\x80", "???" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct autoconfig a = { str_c(cases[i].in), str_c(cases[i].in),
			all, ARRAY_LEN(all) };
		struct buf out = BUF_INIT(AUTOCONFIG_MAX);
		struct buf want = BUF_INIT(KIB(1));

		CHECK(autoconfig_put(&out, &a), cases[i].in);
		buf_printf(&want, "<emailProvider id=\"%s\">\n<domain>%s<",
		    cases[i].want, cases[i].want);
		CHECK(
		    str_search(buf_str(&out), buf_str(&want)) > 0, buf_c(&out));
		buf_reset(&want, want.cap);
		buf_printf(&want, "<hostname>%s</hostname>", cases[i].want);
		CHECK(
		    str_search(buf_str(&out), buf_str(&want)) > 0, buf_c(&out));
		buf_done(&out);
		buf_done(&want);
	}
}

TEST(one_that_programs_refuse_is_not_written)
{
	static const struct autoconfig_server imap[] = { { AUTOCONFIG_IMAP, 993,
	    true } };
	static const struct autoconfig_server smtp[] = { { AUTOCONFIG_SMTP, 465,
	    true } };
	struct autoconfig a = { STR("a.example"), STR("b.example"), imap, 1 };
	struct buf out = BUF_INIT(AUTOCONFIG_MAX);

	CHECK(!autoconfig_put(&out, &a), "nothing sends");
	a.servers = smtp;
	CHECK(!autoconfig_put(&out, &a), "nothing receives");
	a.n = 0;
	CHECK(!autoconfig_put(&out, &a), "nothing");
	CHECK(out.n == 0, buf_c(&out));
	buf_done(&out);
}

TEST(what_does_not_fit_is_not_written_in_part)
{
	char longest[AUTOCONFIG_MAX];
	struct autoconfig a = { STR("a.example"), STR("b.example"), all,
		ARRAY_LEN(all) };
	struct buf small = BUF_INIT(200), out = BUF_INIT(2 * AUTOCONFIG_MAX);

	CHECK(!autoconfig_put(&small, &a), "a small buffer");
	CHECK(small.n == 0, "empty");
	memset(longest, '&', sizeof(longest));
	a.domain = str_make(longest, sizeof(longest));
	CHECK(!autoconfig_put(&out, &a), "a long name");
	CHECK(out.n == 0, "empty");
	buf_done(&small);
	buf_done(&out);
}

TEST_MAIN(cmocka_unit_test(a_file_names_each_server_receiving_ones_first),
    cmocka_unit_test(texts_are_escaped),
    cmocka_unit_test(one_that_programs_refuse_is_not_written),
    cmocka_unit_test(what_does_not_fit_is_not_written_in_part))
