/* SPDX-License-Identifier: ISC */
/* sip_serve_test.c - requests of others, and replies to them. */
#include "../../test.h"
#include "proto/sip/sip_serve.h"

#define HEAD \
	"Via: SIP/2.0/UDP a.example;branch=z9hG4bKx;rport\r\n" \
	"From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\n" \
	"Call-ID: abc\r\nCSeq: 7 OPTIONS\r\n"

static const struct sip_answer ok = { 200, "OK", "OPTIONS", "mine", "192.0.2.9",
	5070 };

TEST(what_we_ask_is_understood_and_what_is_answered)
{
	struct sip_options o = { .host = STR("192.0.2.1"),
		.port = 5060,
		.transport = "UDP",
		.own = STR("192.0.2.9"),
		.own_port = 5070,
		.tag = STR("abc") };
	struct buf q = BUF_INIT(KIB(4)), b = BUF_INIT(KIB(4));
	struct sip_request r;
	struct str reason;
	unsigned code;

	sip_options_put(&q, &o);
	assert_int_equal(sip_request_read(buf_str(&q), &r), SIP_ASKED);
	assert_true(str_eq(r.method, STR("OPTIONS")));
	assert_int_equal(r.n, q.n);
	sip_answer_put(&b, &r, &ok);
	assert_int_equal(
	    sip_reply_read(buf_str(&b), STR("abc"), &code, &reason), SIP_REPLY);
	assert_int_equal(code, 200);
	for (size_t n = 0; n < q.n; n++)
		assert_int_equal(
		    sip_request_read(str_first(buf_str(&q), n), &r),
		    SIP_ASKED_MORE);
	buf_done(&q);
	buf_done(&b);
}

TEST(bytes_of_a_reply)
{
	struct str in = STR("OPTIONS sip:b SIP/2.0\r\n" HEAD
			    "v: SIP/2.0/TCP c;rport=9\r\nSubject: x\r\n"
			    "l: 2\r\n\r\nhirest");
	struct buf b = BUF_INIT(KIB(4));
	struct sip_request r;

	assert_int_equal(sip_request_read(in, &r), SIP_ASKED);
	assert_int_equal(r.n, in.n - 4);
	sip_answer_put(&b, &r, &ok);
	assert_string_equal(buf_c(&b),
	    "SIP/2.0 200 OK\r\n"
	    "Via: SIP/2.0/UDP a.example;branch=z9hG4bKx;rport=5070;"
	    "received=192.0.2.9\r\n"
	    "Via: SIP/2.0/TCP c;rport=9\r\n"
	    "From: <sip:a@a.example>;tag=1\r\n"
	    "To: <sip:b@b.example>;tag=mine\r\n"
	    "Call-ID: abc\r\nCSeq: 7 OPTIONS\r\n"
	    "Allow: OPTIONS\r\nContent-Length: 0\r\n\r\n");
	buf_done(&b);
}

TEST(a_tag_of_the_client_stays_and_folds_as_well)
{
	struct str in = STR("OPTIONS sip:b SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP a;rportal;branch=1\r\n"
			    "f: <sip:a>\r\nt: <sip:b>\r\n ;tag=2\r\ni: abc\r\n"
			    "CSEQ: 7 OPTIONS\r\n\r\n");
	struct buf b = BUF_INIT(KIB(4));
	struct sip_request r;

	assert_int_equal(sip_request_read(in, &r), SIP_ASKED);
	sip_answer_put(&b, &r, &ok);
	assert_true(str_search(buf_str(&b),
			STR("\r\nTo: <sip:b>\r\n ;tag=2\r\nCall")) > 0);
	assert_true(
	    str_search(buf_str(&b), STR(" a;rportal;branch=1\r\n")) > 0);
	buf_done(&b);
}

TEST(what_cannot_be_answered)
{
	static const char *const cases[] = {
		"OPTIONS sip:b SIP/3.0\r\n" HEAD "\r\n",
		"OPTIONS sip:b  SIP/2.0\r\n" HEAD "\r\n",
		"OPTIONS sip:b\r\n" HEAD "\r\n",
		"SIP/2.0 200 OK\r\n" HEAD "\r\n",
		"OPT\001ONS sip:b SIP/2.0\r\n" HEAD "\r\n",
		"INVITE sip:b SIP/2.0\r\n" HEAD "\r\n",
		"OPTIONS sip:b SIP/2.0\r\n" HEAD "To: again\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\n" HEAD "X: a\nb\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\n" HEAD "X: a\rb\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: -1\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: 99999\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\n"
		"CSeq: 7 OPTIONS\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\nVia: v\r\nTo: b\r\nCall-ID: c\r\n"
		"CSeq: 7 OPTIONS\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\nVia: v\r\nFrom: a\r\nTo: b\r\n"
		"CSeq: 7 OPTIONS\r\n\r\n",
		"\r\n\r\n",
	};
	CLEANUP(freep) char *endless = x_calloc(1, SIP_HEAD_MAX + 1);
	struct sip_request r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (sip_request_read(str_c(cases[i]), &r) != SIP_ASKED_BAD)
			fail_msg("case %zu", i);
	memset(endless, 'a', SIP_HEAD_MAX);
	assert_int_equal(sip_request_read(str_c(endless), &r), SIP_ASKED_BAD);
	assert_int_equal(
	    sip_request_read(str_first(str_c(endless), SIP_HEAD_MAX - 1), &r),
	    SIP_ASKED_MORE);
}

TEST_MAIN(UNIT(what_we_ask_is_understood_and_what_is_answered),
    UNIT(bytes_of_a_reply), UNIT(a_tag_of_the_client_stays_and_folds_as_well),
    UNIT(what_cannot_be_answered))
