/* SPDX-License-Identifier: ISC */
/* sip_test.c - OPTIONS and what comes back. */
#include "../../test.h"
#include "proto/sip/sip.h"

TEST(a_question_is_a_whole_request)
{
	struct sip_options o = { .host = STR("2001:db8::1"),
		.port = 5061,
		.transport = "TLS",
		.own = STR("192.0.2.9"),
		.tag = STR("abc") };
	struct buf b = BUF_INIT(KIB(4));

	sip_options_put(&b, &o);
	assert_true(str_starts(buf_str(&b),
	    STR("OPTIONS sips:[2001:db8::1]:5061 SIP/2.0\r\n"
		"Via: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bKabc;rport\r\n")));
	assert_true(str_search(buf_str(&b), STR("\r\nCall-ID: abc\r\n")) > 0);
	assert_true(str_ends(buf_str(&b), STR("Content-Length: 0\r\n\r\n")));
	buf_done(&b);
}

TEST(any_well_formed_reply_of_ours_is_life)
{
	static const struct {
		const char *in;
		enum sip_verdict want;
		unsigned code;
	} cases[] = {
		{ "SIP/2.0 200 OK\r\nCall-ID: abc\r\n\r\n", SIP_REPLY, 200 },
		{ "SIP/2.0 403 No\r\ni: abc\r\n\r\nbody", SIP_REPLY, 403 },
		{ "SIP/2.0 405 \r\nVia: x\r\ncall-id : abc\r\n\r\n", SIP_REPLY,
		    405 },
		{ "SIP/2.0 200 OK\r\nCall-ID: abd\r\n\r\n", SIP_FOREIGN, 0 },
		{ "SIP/2.0 200 OK\r\n\r\n", SIP_BAD, 0 },
		{ "SIP/2.0 200 OK\r\nCall-ID: abc\r\n", SIP_MORE, 0 },
		{ "SIP/2", SIP_MORE, 0 },
		{ "", SIP_MORE, 0 },
		{ "SIP/2.0 99 X\r\nCall-ID: abc\r\n\r\n", SIP_BAD, 0 },
		{ "SIP/2.0 2000 X\r\nCall-ID: abc\r\n\r\n", SIP_BAD, 0 },
		{ "HTTP/1.1 400 Bad\r\n\r\n", SIP_BAD, 0 },
		{ "OPTIONS sip:x SIP/2.0\r\nCall-ID: abc\r\n\r\n", SIP_BAD, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str reason = STR_NONE;
		unsigned code = 0;

		CHECK(sip_reply_read(str_c(cases[i].in), STR("abc"), &code,
			  &reason) == cases[i].want,
		    cases[i].in);
		CHECK(code == cases[i].code, cases[i].in);
	}
}

TEST_MAIN(UNIT(a_question_is_a_whole_request),
    UNIT(any_well_formed_reply_of_ours_is_life))
