/* SPDX-License-Identifier: ISC */
/* mime_downgrade_test.c - messages for servers that know 7 bits only. */
#include "../../test.h"
#include "proto/mime/mime_downgrade.h"

#define UE "\xC3\xBC"

/* clang-format off */
static const struct {
	const char *name;
	const char *in;
	enum mime_downgrade want;
	const char *out; /* NULL: nothing */
} cases[] = {
	{ "nothing to do", "Subject: a\r\n\r\nb\r\n",
	  MIME_DOWNGRADE_NOT_NEEDED, NULL },
	{ "only the header", "Subject: " UE "\r\n\r\nb\r\n",
	  MIME_DOWNGRADE_NOT_NEEDED, NULL },
	{ "text", "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
	  "Content-Transfer-Encoding: 8bit\r\nSubject: a\r\n\r\n"
	  "b" UE " =\r\nc \r\n", MIME_DOWNGRADE_DONE,
	  "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nSubject: a\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "b=C3=BC =3D\r\nc=20\r\n" },
	{ "without MIME", "Subject: a\r\n\r\n" UE "\r\n", MIME_DOWNGRADE_DONE,
	  "Subject: a\r\nMIME-Version: 1.0\r\n"
	  "Content-Type: text/plain; charset=unknown-8bit\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n" },
	{ "one part of two", "MIME-Version: 1.0\r\nContent-Type: "
	  "multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: 8bit\r\n"
	  "\r\npre" UE "\r\n--x\r\n\r\nplain\r\n--x\r\nContent-Type: "
	  "application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
	  "\r\n\xFF\r\n--x--\r\n", MIME_DOWNGRADE_DONE,
	  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n"
	  "\r\npre??\r\n--x\r\n\r\nplain\r\n--x\r\nContent-Type: "
	  "application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
	  "\r\n/w==\r\n\r\n--x--\r\n" },
	{ "a message in a message", "Content-Type: message/rfc822\r\n"
	  "Content-Transfer-Encoding: 8bit\r\n\r\nContent-Type: text/html\r\n"
	  "\r\n" UE, MIME_DOWNGRADE_DONE,
	  "Content-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC" },
	{ "quoted-printable that is 8-bit", "MIME-Version: 1.0\r\n"
	  "Content-Type: text/plain\r\nContent-Transfer-Encoding: "
	  "quoted-printable\r\n\r\n=41" UE "\r\n", MIME_DOWNGRADE_DONE,
	  "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\nA=C3=BC\r\n" },
	{ "a bare LF", "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
	  "a\nb\r\n", MIME_DOWNGRADE_DONE,
	  "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\na=0Ab\r\n" },
	{ "dots and dashes", "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
	  "\r\n.\r\n--x\r\n" UE "\r\n", MIME_DOWNGRADE_DONE,
	  "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "=2E\r\n=2D-x\r\n=C3=BC\r\n" },
};
/* clang-format on */

TEST(what_needs_it_is_encoded_and_the_rest_stays)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(KIB(64));

		CHECK(mime_downgrade(str_c(cases[i].in), NULL, &out) ==
			  cases[i].want,
		    cases[i].name);
		if (!str_eq(buf_str(&out), str_c(cases[i].out)))
			fail_msg("%s: got\n%s", cases[i].name, buf_c(&out));
		buf_done(&out);
	}
}

TEST(long_lines_are_broken_softly_and_never_into_a_delimiter)
{
	struct buf in = BUF_INIT(KIB(64)), out = BUF_INIT(KIB(64));
	size_t column = 0;

	buf_put_c(&in, "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
		       "--x\r\n\r\na");
	for (int i = 0; i < 1000; i++)
		buf_put_c(&in, "--x");
	buf_put_c(&in, "\r\n--x--\r\n");
	CHECK(mime_downgrade(buf_str(&in), NULL, &out) == MIME_DOWNGRADE_DONE,
	    "done");
	CHECK(str_search(buf_str(&out), STR("=\r\n--")) < 0, "no delimiter");
	CHECK(str_search(buf_str(&out), STR("=\r\n=2D")) > 0, "encoded");
	for (size_t i = (size_t)str_search(buf_str(&out), STR("\r\na--x"));
	     i < out.n; i++) {
		column = out.p[i] == '\n' ? 0 : column + 1;
		CHECK(column <= 77, "RFC 2045 section 6.7 rule 5");
	}
	buf_done(&in);
	buf_done(&out);
}

TEST(seven_bits_are_what_rfc_2045_says)
{
	struct buf line = BUF_INIT(KIB(2));

	CHECK(mime_is_7bit(STR("")), "empty");
	CHECK(mime_is_7bit(STR("a\r\n")), "line");
	CHECK(!mime_is_7bit(STR("a\0")), "NUL");
	CHECK(!mime_is_7bit(STR("a\r")), "CR at the end");
	CHECK(!mime_is_7bit(STR("\n")), "LF");
	CHECK(!mime_is_7bit(STR("a\rb")), "CR");
	for (int i = 0; i < 998; i++)
		buf_put_char(&line, 'x');
	buf_put_c(&line, "\r\n");
	CHECK(mime_is_7bit(buf_str(&line)), "longest");
	buf_reset(&line, 0);
	for (int i = 0; i < 999; i++)
		buf_put_char(&line, 'x');
	buf_put_c(&line, "\r\n");
	CHECK(!mime_is_7bit(buf_str(&line)), "too long");
	buf_done(&line);
}

TEST(limits_are_told)
{
	const struct mime_limits limits = { .parts = 2,
		.depth = 10,
		.fields = 100,
		.boundary = 100,
		.memory = MIME_MEMORY_MIN };
	struct str in = STR("Content-Type: multipart/mixed; boundary=x\r\n\r\n"
			    "--x\r\n\r\n" UE "\r\n--x\r\n\r\n" UE "\r\n--x--"),
		   small = STR("A: b\r\n\r\n" UE);
	struct buf out = BUF_INIT(10);

	CHECK(mime_downgrade(in, &limits, &out) == MIME_DOWNGRADE_TOO_COMPLEX,
	    "parts");
	CHECK(mime_downgrade(small, NULL, &out) == MIME_DOWNGRADE_TOO_LARGE,
	    "bytes");
	buf_done(&out);
}

TEST_MAIN(UNIT(what_needs_it_is_encoded_and_the_rest_stays),
    UNIT(long_lines_are_broken_softly_and_never_into_a_delimiter),
    UNIT(seven_bits_are_what_rfc_2045_says), UNIT(limits_are_told))
