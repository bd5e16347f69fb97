/* SPDX-License-Identifier: ISC */
/* mime_search_test.c - searching decoded texts. */
#include "../../test.h"
#include "proto/mime/mime_search.h"
#include "proto/mime/mime_text.h"

#define BOTH (MIME_TEXT_HEADER | MIME_TEXT_BODY)

TEST(texts_are_found_decoded_and_folded)
{
	static const struct {
		const char *needle;
		const char *in;
		unsigned which;
		bool want;
	} cases[] = {
		{ "", "\n", BOTH, true },
		{ "WORLD", "\nhello world\n", BOTH, true },
		{ "absent", "\nhello world\n", BOTH, false },
		{ "topic", "Subject: Topic\n\n", BOTH, true },
		{ "topic", "Subject: Topic\n\n", MIME_TEXT_BODY, false },
		{ "subject: to", "Subject: Topic\n\n", BOTH, true },
		{ "\xC3\x84", "Subject: =?utf-8?Q?=C3=A4?=\n\n", BOTH, true },
		{ "cafe",
		    "Content-Transfer-Encoding: quoted-printable\n\n"
		    "ca=\nfe\n",
		    BOTH, true },
		{ "hello",
		    "Content-Transfer-Encoding: base64\n\n"
		    "SGVs\nbG8=\n",
		    BOTH, true },
		{ "\xC3\xA9",
		    "Content-Type: text/plain; "
		    "charset=iso-8859-1\n\nCAF\xC9\n",
		    BOTH, true },
		{ "kiss", "\n\xE2\x84\xAAi\xC5\xBF\xC5\xBF\n", BOTH, true },
		{ "hello",
		    "Content-Type: text/plain; charset=utf-16be\n\n"
		    "hello",
		    BOTH, false },
		{ "hello", "Content-Type: image/png\n\nhello", BOTH, false },
		/* RFC 9051: BODY matches no header fields, TEXT all. */
		{ "inner",
		    "Content-Type: message/rfc822\n\n"
		    "Subject: inner\n\n",
		    MIME_TEXT_BODY, false },
		{ "inner",
		    "Content-Type: message/rfc822\n\n"
		    "Subject: inner\n\n",
		    BOTH, true },
		{ "inner",
		    "Content-Type: message/rfc822\n\n"
		    "Subject: s\n\ninner\n",
		    MIME_TEXT_BODY, true },
		{ "failed",
		    "Content-Type: message/delivery-status\n\n"
		    "Action: failed\n",
		    MIME_TEXT_BODY, true },
		/* A fold is a blank, with whatever blank it was made. */
		{ "one two", "Subject: one\n\ttwo\n\n", BOTH, true },
		{ "a\xFF", "\na\xFF\n", BOTH, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_needle nd;

		mime_needle_init(&nd, str_c(cases[i].needle));
		CHECK(mime_search_message(&nd, str_c(cases[i].in),
			  cases[i].which, NULL) == cases[i].want,
		    cases[i].in);
		mime_needle_done(&nd);
	}
}

TEST(fields_are_searched_by_name)
{
	struct str header = STR("To: a@b\r\nSubject: =?utf-8?B?w4Q=?= x\r\n");
	struct mime_needle nd;

	mime_needle_init(&nd, STR("\xC3\xA4 X"));
	CHECK(mime_search_field(&nd, header, STR("subject")), "folded");
	CHECK(!mime_search_field(&nd, header, STR("To")), "another field");
	mime_needle_done(&nd);
	mime_needle_init(&nd, STR(""));
	CHECK(mime_search_field(&nd, header, STR("To")), "is there");
	CHECK(!mime_search_field(&nd, header, STR("Cc")), "is not there");
	mime_needle_done(&nd);
}

/* FROM, TO: the strings of the envelope, and the field as it is written. */
TEST(addresses_are_searched_as_the_envelope_has_them)
{
	static const struct {
		const char *needle;
		const char *in;
		bool want;
	} cases[] = {
		{ "a@b.c", "From: (x)a(y)@(z)b.c\n", true },
		{ "a@b.c", "From: Ana <a@\n b . c>\n", true },
		{ "ana \"a\" b", "From: \"Ana \\\"A\\\" B\" <a@b>\n", true },
		{ "\xC3\xA4", "To: x (=?utf-8?Q?=C3=A4?=)\nFrom: a (b)\n",
		    false },
		{ "\xC3\xA4", "From: x@y (=?utf-8?Q?=C3=A4?=)\n", true },
		{ "(x)", "From: (x)a@b.c\n", true },
		{ "a@b.c", "Subject: a (x)@b.c\n", false },
		{ "c@d", "From: a (x) @b, c (y) @ d\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_needle nd;

		mime_needle_init(&nd, str_c(cases[i].needle));
		CHECK(mime_search_field(&nd, str_c(cases[i].in), STR("From")) ==
			  cases[i].want,
		    cases[i].in);
		mime_needle_done(&nd);
	}
}

/* The needle at every place around the edge of a chunk, in each encoding. */
TEST(texts_are_found_across_chunks)
{
	static const char *const heads[] = { "\n",
		"Content-Transfer-Encoding: quoted-printable\n\n",
		"Content-Type: text/plain; charset=shift_jis\n\n" };

	for (size_t h = 0; h < ARRAY_LEN(heads); h++)
		for (size_t at = 0; at < 16; at++) {
			struct buf in = BUF_INIT(MIB(1));
			struct mime_needle nd;

			buf_put_c(&in, heads[h]);
			for (size_t i = 0; i < MIME_TEXT_CHUNK - at; i++)
				buf_put_char(&in, 'n');
			buf_put_c(&in, "Needle in the middle");
			mime_needle_init(&nd, STR("needle IN"));
			CHECK(
			    mime_search_message(&nd, buf_str(&in), BOTH, NULL),
			    heads[h]);
			mime_needle_done(&nd);
			buf_done(&in);
		}
}

TEST(a_text_and_a_needle_made_for_each_other_stay_cheap)
{
	struct buf text = BUF_INIT(MIB(8)), word = BUF_INIT(KIB(4));
	struct mime_needle nd;

	/* Naively this is 4 MB times 2 000 comparisons. */
	while (text.n < MIB(4))
		buf_put_char(&text, 'a');
	while (word.n < 2000)
		buf_put_char(&word, 'A');
	word.p[1000] = 'b';
	mime_needle_init(&nd, buf_str(&word));
	nd.a = nd.b = 0;
	CHECK(!mime_search_utf8(&nd, buf_str(&text)), "absent");
	buf_put_str(&text, buf_str(&word));
	CHECK(mime_search_utf8(&nd, buf_str(&text)), "at the end");
	mime_needle_done(&nd);
	buf_done(&text);
	buf_done(&word);
}

TEST_MAIN(UNIT(texts_are_found_decoded_and_folded),
    UNIT(fields_are_searched_by_name),
    UNIT(addresses_are_searched_as_the_envelope_has_them),
    UNIT(texts_are_found_across_chunks),
    UNIT(a_text_and_a_needle_made_for_each_other_stay_cheap))
