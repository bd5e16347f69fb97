/* SPDX-License-Identifier: ISC */
/* http_request_test.c - heads and bodies of requests. */
#include "../../test.h"
#include "base/buf.h"
#include "proto/http/http_body.h"

static int
parse(const char *head, struct http_request *ret)
{
	return http_request_parse(str_c(head), ret);
}

TEST(a_request_is_read)
{
	struct http_request r;
	struct str value;

	assert_int_equal(
	    parse("GET /a/b?c=d HTTP/1.1\r\nHost: mail.example:8080\r\n"
		  "Accept:  text/html \r\nX-Empty:\r\n\r\n",
		&r),
	    0);
	assert_int_equal(r.method, HTTP_GET);
	assert_true(str_eq(r.path, STR("/a/b")));
	assert_true(str_eq(r.query, STR("c=d")));
	assert_true(str_eq(r.host, STR("mail.example:8080")));
	assert_true(http_request_field(&r, STR("accept"), &value));
	assert_true(str_eq(value, STR("text/html")));
	assert_true(http_request_field(&r, STR("X-EMPTY"), &value));
	assert_int_equal(value.n, 0);
	assert_false(http_request_field(&r, STR("Cookie"), &value));
	assert_true(r.is_kept);
	assert_false(r.expects_continue);
	assert_int_equal(r.body, HTTP_BODY_NONE);
}

TEST(fields_of_one_name_are_found_one_by_one)
{
	struct http_request r;
	struct str value;
	size_t i = 0;

	assert_int_equal(
	    parse("GET / HTTP/1.1\r\nIf-Match: \"a\"\r\nHost: x\r\n"
		  "if-match:\r\nIF-MATCH: \"b\"\r\n\r\n",
		&r),
	    0);
	assert_true(http_request_next_field(&r, STR("If-Match"), &i, &value));
	assert_true(str_eq(value, STR("\"a\"")));
	assert_true(http_request_next_field(&r, STR("If-Match"), &i, &value));
	assert_int_equal(value.n, 0);
	assert_true(http_request_next_field(&r, STR("If-Match"), &i, &value));
	assert_true(str_eq(value, STR("\"b\"")));
	assert_false(http_request_next_field(&r, STR("If-Match"), &i, &value));
}

TEST(the_authority_of_a_target_is_the_host)
{
	struct http_request r;

	assert_int_equal(
	    parse("GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n",
		&r),
	    0);
	assert_true(str_eq(r.host, STR("a.example")));
	assert_true(str_eq(r.path, STR("/x")));
}

TEST(connections_end_as_the_versions_say)
{
	static const struct {
		const char *head;
		bool is_kept;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
		    false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	struct http_request r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(parse(cases[i].head, &r) == 0, cases[i].head);
		CHECK(r.is_kept == cases[i].is_kept, cases[i].head);
	}
}

#define H "Host: a\r\n"

TEST(what_may_be_read_in_two_ways_is_refused)
{
	static const struct {
		const char *head;
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
		{ "GET / HTTP/2.0\r\n" H "\r\n", 505 },
		{ "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
		{ "GET / http/1.1\r\n" H "\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET a HTTP/1.1\r\n" H "\r\n", 400 },
		{ "GET * HTTP/1.1\r\n" H "\r\n", 400 },
		{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
		{ "CONNECT a:1 HTTP/1.1\r\n" H "\r\n", 400 },
		{ "GET /#x HTTP/1.1\r\n" H "\r\n", 400 },
		{ "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400 },
		{ "G(T / HTTP/1.1\r\n" H "\r\n", 400 },
		{ "BREW / HTTP/1.1\r\n" H "\r\n", 0 },
		{ "GET / HTTP/1.1\r\n" H " folded\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H "A: b\nc: d\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" H "A: b\r\n\r\nrest", 400 },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		  "Content-Length: 1\r\n\r\n",
		    400 },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" H
		  "Content-Length: 99999999999999999999\r\n\r\n",
		    400 },
		{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		  "Content-Length: 1\r\n\r\n",
		    400 },
		{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n",
		    501 },
		{ "POST / HTTP/1.1\r\n" H
		  "Transfer-Encoding: chunked, chunked\r\n\r\n",
		    501 },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		    400 },
		{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n",
		    0 },
	};
	struct http_request r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int got = parse(cases[i].head, &r);

		if (got != cases[i].status)
			fail_msg("%s: %d, not %d", cases[i].head, got,
			    cases[i].status);
	}
}

TEST(too_many_fields_are_refused)
{
	struct buf b = BUF_INIT(KIB(64));
	struct http_request r;

	buf_put_c(&b, "GET / HTTP/1.1\r\n" H);
	for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++)
		buf_put_c(&b, "A: b\r\n");
	buf_put_c(&b, "\r\n");
	assert_int_equal(http_request_parse(buf_str(&b), &r), 0);
	b.n -= 2;
	buf_put_c(&b, "A: b\r\n\r\n");
	assert_int_equal(http_request_parse(buf_str(&b), &r), 431);
	buf_done(&b);
}

TEST(a_long_target_is_refused)
{
	struct buf b = BUF_INIT(KIB(64));
	struct http_request r;

	buf_put_c(&b, "GET /");
	for (unsigned i = 0; i < HTTP_TARGET_MAX; i++)
		buf_put_char(&b, 'a');
	buf_put_c(&b, " HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(http_request_parse(buf_str(&b), &r), 414);
	buf_done(&b);
}

TEST(heads_are_cut_however_they_come)
{
	static const char in[] =
	    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nnext";
	size_t whole = sizeof(in) - 1 - 4;

	for (size_t step = 1; step < sizeof(in); step++) {
		enum http_frame f = HTTP_FRAME_MORE;
		size_t seen = 0, used = 0, n = 0;
		struct str head = STR_NONE;

		while (f == HTTP_FRAME_MORE && n < sizeof(in) - 1) {
			n = MIN(n + step, sizeof(in) - 1);
			f = http_frame_head(
			    str_make(in, n), &seen, &head, &used);
		}
		assert_int_equal(f, HTTP_FRAME_HEAD);
		assert_int_equal(used, whole);
		assert_true(str_starts(head, STR("GET")));
		assert_int_equal(head.n, whole - 4);
		assert_true(n - whole < step);
	}
}

TEST(a_head_has_a_limit)
{
	static char in[HTTP_HEAD_MAX + 10];
	size_t seen = 0, used;
	struct str head;

	memset(in, 'a', sizeof(in));
	assert_int_equal(http_frame_head(str_make(in, HTTP_HEAD_MAX - 1), &seen,
			     &head, &used),
	    HTTP_FRAME_MORE);
	assert_int_equal(
	    http_frame_head(str_make(in, HTTP_HEAD_MAX), &seen, &head, &used),
	    HTTP_FRAME_TOO_LONG);
	memcpy(in + HTTP_HEAD_MAX - 3, "\r\n\r\n", 4);
	seen = 0;
	assert_int_equal(
	    http_frame_head(str_make(in, sizeof(in)), &seen, &head, &used),
	    HTTP_FRAME_TOO_LONG);
	memcpy(in + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
	seen = 0;
	assert_int_equal(
	    http_frame_head(str_make(in, sizeof(in)), &seen, &head, &used),
	    HTTP_FRAME_HEAD);
}

/* --- bodies --------------------------------------------------------------------------- */

/* What a body in steps of so many bytes gives; used: of the input. */
static enum http_body_state
read_body(struct http_body b, struct str in, size_t step, struct buf *out,
    size_t *ret_used)
{
	size_t n = 0, at = 0;

	for (;;) {
		struct str data;
		size_t used;
		enum http_body_state s =
		    http_body_next(&b, str_sub(in, at, n - at), &data, &used);

		buf_put_str(out, data);
		at += used;
		*ret_used = at;
		if (s != HTTP_BODY_MORE)
			return s;
		if (used == 0 && n == in.n)
			return HTTP_BODY_MORE;
		if (used == 0)
			n = MIN(n + step, in.n);
	}
}

TEST(bodies_are_read_however_they_come)
{
	static const struct {
		enum http_body_kind kind;
		uint64_t length;
		const char *in;
		enum http_body_state want;
		const char *out;
		size_t left;
	} cases[] = {
		{ HTTP_BODY_NONE, 0, "next", HTTP_BODY_DONE, "", 4 },
		{ HTTP_BODY_LENGTH, 3, "abcnext", HTTP_BODY_DONE, "abc", 4 },
		{ HTTP_BODY_LENGTH, 9, "abc", HTTP_BODY_MORE, "abc", 0 },
		{ HTTP_BODY_LENGTH, 11, "abc", HTTP_BODY_TOO_BIG, "", 3 },
		{ HTTP_BODY_CHUNKED, 0, "3\r\nabc\r\n0\r\n\r\nnext",
		    HTTP_BODY_DONE, "abc", 4 },
		{ HTTP_BODY_CHUNKED, 0,
		    "1;x=\"y\"\r\na\r\n2 \r\nbc\r\n00\r\nT: x\r\n\r\n",
		    HTTP_BODY_DONE, "abc", 0 },
		{ HTTP_BODY_CHUNKED, 0, "A\r\n0123456789\r\n0\r\n\r\n",
		    HTTP_BODY_DONE, "0123456789", 0 },
		{ HTTP_BODY_CHUNKED, 0, "b\r\n0123456789a\r\n",
		    HTTP_BODY_TOO_BIG, "", 13 },
		{ HTTP_BODY_CHUNKED, 0, "9\r\n012345678\r\n2\r\nab\r\n",
		    HTTP_BODY_TOO_BIG, "012345678", 4 },
		{ HTTP_BODY_CHUNKED, 0, "g\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, "\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, " 1\r\na\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, "1\na\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, "1\r\nabc", HTTP_BODY_BAD, "a", 0 },
		{ HTTP_BODY_CHUNKED, 0, "-1\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, "0x1\r\n", HTTP_BODY_BAD, "", 0 },
		{ HTTP_BODY_CHUNKED, 0, "1000000000000000\r\n", HTTP_BODY_BAD,
		    "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 12; step++) {
			struct str in = str_c(cases[i].in);
			struct buf out = BUF_INIT(KIB(1));
			struct http_body b;
			size_t used;

			http_body_init(&b, cases[i].kind, cases[i].length, 10);
			CHECK(read_body(b, in, step, &out, &used) ==
				  cases[i].want,
			    cases[i].in);
			CHECK(str_eq(buf_str(&out), str_c(cases[i].out)),
			    cases[i].in);
			CHECK(cases[i].want == HTTP_BODY_BAD ||
				  in.n - used == cases[i].left,
			    cases[i].in);
			buf_done(&out);
		}
}

TEST(what_is_read_over_has_a_limit)
{
	struct buf in = BUF_INIT(KIB(64)), out = BUF_INIT(KIB(1));
	struct http_body b;
	size_t used;

	buf_put_c(&in, "1;");
	for (unsigned i = 0; i < HTTP_CHUNK_LINE_MAX; i++)
		buf_put_char(&in, 'x');
	http_body_init(&b, HTTP_BODY_CHUNKED, 0, 10);
	assert_int_equal(
	    read_body(b, buf_str(&in), 100, &out, &used), HTTP_BODY_BAD);
	buf_reset(&in, 0);
	buf_put_c(&in, "0\r\n");
	for (unsigned i = 0; i < HTTP_TRAILER_MAX / 4; i++)
		buf_put_c(&in, "A:b\r\n");
	http_body_init(&b, HTTP_BODY_CHUNKED, 0, 10);
	assert_int_equal(
	    read_body(b, buf_str(&in), 100, &out, &used), HTTP_BODY_BAD);
	buf_done(&in);
	buf_done(&out);
}

TEST_MAIN(UNIT(a_request_is_read),
    UNIT(fields_of_one_name_are_found_one_by_one),
    UNIT(the_authority_of_a_target_is_the_host),
    UNIT(connections_end_as_the_versions_say),
    UNIT(what_may_be_read_in_two_ways_is_refused),
    UNIT(too_many_fields_are_refused), UNIT(a_long_target_is_refused),
    UNIT(heads_are_cut_however_they_come), UNIT(a_head_has_a_limit),
    UNIT(bodies_are_read_however_they_come),
    UNIT(what_is_read_over_has_a_limit))
