/* SPDX-License-Identifier: ISC */
/* http_answer_test.c - heads of responses. */
#include "../../test.h"
#include "proto/http/http_answer.h"

TEST(heads_say_what_comes_behind)
{
	static const struct {
		const char *in;
		bool is_head;
		bool ok;
		unsigned status;
		enum http_body_kind body;
		uint64_t length;
		bool ends;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", false, true, 200,
		    HTTP_BODY_LENGTH, 5, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, true, 200,
		    HTTP_BODY_NONE, 0, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", false, true, 200,
		    HTTP_BODY_NONE, 0, false },
		{ "HTTP/1.0 200 OK\r\n", false, true, 200, HTTP_BODY_NONE, 0,
		    true },
		{ "HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n", false, true,
		    200, HTTP_BODY_CHUNKED, 0, false },
		{ "HTTP/1.1 204 No\r\n", false, true, 204, HTTP_BODY_NONE, 0,
		    false },
		{ "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 3\r\n"
		  "content-length: 3\r\n",
		    false, true, 301, HTTP_BODY_LENGTH, 3, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		  "Content-Length: 4\r\n",
		    false, false, 0, 0, 0, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		  "Transfer-Encoding: chunked\r\n",
		    false, false, 0, 0, 0, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n", false, false, 0,
		    0, 0, false },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", false,
		    false, 0, 0, 0, false },
		{ "HTTP/2 200\r\n", false, false, 0, 0, 0, false },
		{ "HTTP/1.1 99 X\r\n", false, false, 0, 0, 0, false },
		{ "HTTP/1.1 2000 X\r\n", false, false, 0, 0, 0, false },
		{ "HTTP/1.1 200 OK\r\nNo colon\r\n", false, false, 0, 0, 0,
		    false },
		{ "220 mail ESMTP\r\n", false, false, 0, 0, 0, false },
		{ "", false, false, 0, 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_answer a;
		bool ok =
		    http_answer_parse(str_c(cases[i].in), cases[i].is_head, &a);

		CHECK(ok == cases[i].ok, cases[i].in);
		if (!ok)
			continue;
		CHECK(a.status == cases[i].status, cases[i].in);
		CHECK(a.body == cases[i].body, cases[i].in);
		CHECK(a.body != HTTP_BODY_LENGTH || a.length == cases[i].length,
		    cases[i].in);
		CHECK(a.ends_with_connection == cases[i].ends, cases[i].in);
	}
}

TEST_MAIN(UNIT(heads_say_what_comes_behind))
