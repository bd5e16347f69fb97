/* SPDX-License-Identifier: ISC */
/* mime_value_test.c - dates, addresses, encoded words, parameters, charsets. */
#include "../../test.h"
#include "proto/mime/mime_address.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_cte.h"
#include "proto/mime/mime_date.h"
#include "proto/mime/mime_param.h"
#include "proto/mime/mime_word.h"

TEST(dates_are_read_in_all_their_forms)
{
	static const struct {
		const char *in;
		const char *want; /* NULL: no date */
	} cases[] = {
		{ "Mon, 23 Nov 2026 10:20:30 +0100",
		    "Mon, 23 Nov 2026 10:20:30 +0100" },
		{ "23 Nov 2026 10:20 GMT", "Mon, 23 Nov 2026 10:20:00 +0000" },
		{ "Mon,23 Nov 2026\r\n 10:20:30 -0330 (NST)",
		    "Mon, 23 Nov 2026 10:20:30 -0330" },
		{ "Fri, 1 Jan 99 00:00:00 EST",
		    "Fri, 01 Jan 1999 00:00:00 -0500" },
		{ "1 Jan 49 00:00:00 Z", "Fri, 01 Jan 2049 00:00:00 +0000" },
		{ "1 Jan 103 00:00:00 Z", "Wed, 01 Jan 2003 00:00:00 +0000" },
		{ "Mon Nov 23 10:20:30 2026",
		    "Mon, 23 Nov 2026 10:20:30 +0000" },
		{ "Mon Nov 23 10:20:30 CET 2026",
		    "Mon, 23 Nov 2026 10:20:30 +0100" },
		{ "2026-11-23T10:20:30.123+01:00",
		    "Mon, 23 Nov 2026 10:20:30 +0100" },
		{ "2026-11-23 10:20:30", "Mon, 23 Nov 2026 10:20:30 +0000" },
		{ "23-Nov-2026 10:20:30 +0000",
		    "Mon, 23 Nov 2026 10:20:30 +0000" },
		{ "23 November 2026 10:20:30 GMT+0200",
		    "Mon, 23 Nov 2026 10:20:30 +0200" },
		{ "29 Feb 2028 23:59:60 +0000",
		    "Tue, 29 Feb 2028 23:59:59 +0000" },
		{ "23 Nov 2026 10:20:30 +9999",
		    "Mon, 23 Nov 2026 10:20:30 +0000" },
		{ "29 Feb 2026 10:00:00 +0000", NULL },
		{ "31 Apr 2026 10:00:00 +0000", NULL },
		{ "1 Jan 2026 24:00:00 +0000", NULL },
		{ "1 Jan 1800 00:00:00 +0000", NULL },
		{ "1 Jan 2026", NULL },
		{ "(1 Jan 2026 10:00:00", NULL },
		{ "tomorrow", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_date d = { .epoch = 77 };
		struct buf b = BUF_INIT(64);
		bool ok = mime_date_parse(str_c(cases[i].in), &d);

		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		CHECK(ok || d.epoch == 77, cases[i].in);
		if (ok)
			mime_date_format(d, &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].in);
		buf_done(&b);
	}
}

TEST(days_are_those_of_the_senders_wall)
{
	struct mime_date d;

	CHECK(mime_date_parse(STR("1 Jan 1970 00:30:00 +0100"), &d), "parses");
	CHECK(d.epoch == -1800 && mime_date_day(d) == 0, "1970-01-01");
	CHECK(mime_date_parse(STR("9 Sep 2001 01:46:40 +0000"), &d), "parses");
	CHECK(d.epoch == 1000000000, "a known second");
}

/* "kind name/route/local/domain;" with "-" for what is not there. */
static void
show_addresses(const struct mime_address *a, struct buf *out)
{
	for (; a; a = a->next) {
		const struct str v[] = { a->name, a->route, a->local,
			a->domain };

		buf_put_char(out, "MGE"[a->kind]);
		for (size_t i = 0; i < 4; i++) {
			buf_put_char(out, '/');
			buf_put_str(out, v[i].p ? v[i] : STR("-"));
		}
		buf_put_char(out, ';');
	}
}

TEST(addresses_are_read_however_they_are_written)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "a@b.c", "M/-/-/a/b.c;" },
		{ "Ana B <a@b>", "M/Ana B/-/a/b;" },
		{ "\"B, \\\"Ana\\\"\" <a@b>, c@d",
		    "M/B, \"Ana\"/-/a/b;M/-/-/c/d;" },
		{ "a@b (Ana (x))", "M/Ana (x)/-/a/b;" },
		{ "Ana (note) <a@b>", "M/Ana/-/a/b;" },
		{ "<@r,@s:a@b>", "M/-/@r,@s/a/b;" },
		{ "\"a b\"@c", "M/-/-/a b/c;" },
		{ "a . b @ c . d", "M/-/-/a.b/c.d;" },
		/* Only dots hold words together. */
		{ "a@b.c d", "M/-/-/a/b.c;" },
		{ "Ana B a@b", "M/-/-/a/b;" },
		{ "x <a@b c>, d@e", "M/x/-/a/b;M/-/-/d/e;" },
		{ "\"a\" . b . \"c\"@d", "M/-/-/a.b.c/d;" },
		{ "<hidden:;@b>, c@d", "M/-/-/hidden/-;M/-/-/c/d;" },
		{ "<a b; c@d", "M/-/-/b/-;M/-/-/c/d;" },
		{ "Ana <<a@b>>, c@d", "M/Ana/-/a/b;M/-/-/c/d;" },
		{ "a@[IPv6:::1]", "M/-/-/a/[IPv6:::1];" },
		{ "g: a@b, c@d;, e@f",
		    "G/g/-/-/-;M/-/-/a/b;M/-/-/c/d;E/-/-/-/-;M/-/-/e/f;" },
		{ "undisclosed-recipients:;",
		    "G/undisclosed-recipients/-/-/-;E/-/-/-/-;" },
		{ "g: a@b", "G/g/-/-/-;M/-/-/a/b;E/-/-/-/-;" },
		{ "a@b; c@d", "M/-/-/a/b;M/-/-/c/d;" },
		{ "=?utf-8?Q?=C3=A4?= <a@b>", "M/=?utf-8?Q?=C3=A4?=/-/a/b;" },
		{ "John Doe", "M/-/-/John Doe/-;" },
		{ "<>", "M/-/-//-;" },
		{ "\"\" <a@b>", "M//-/a/b;" },
		{ "Ana\r\n <a@\r\n b>", "M/Ana/-/a/b;" },
		{ ", ,", "" },
		{ "<a@b", "M/-/-/a/b;" },
		{ "\"open <a@b>", "M/-/-/open <a@b>/-;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(1000);
		struct arena a;

		arena_init(&a, KIB(64));
		show_addresses(
		    mime_address_parse(str_c(cases[i].in), 10, &a, NULL), &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].in);
		arena_done(&a);
		buf_done(&b);
	}
}

TEST(a_list_of_addresses_ends_at_its_limits)
{
	struct mime_address *list;
	bool is_truncated = false;
	struct buf b = BUF_INIT(100);
	struct arena a;

	arena_init(&a, KIB(64));
	list = mime_address_parse(STR("a@b, c@d, e@f"), 2, &a, &is_truncated);
	mime_address_format(list, &b);
	CHECK(is_truncated, "says so");
	CHECK(str_eq(buf_str(&b), STR("<a@b>, <c@d>")), "two");
	arena_done(&a);
	arena_init(&a, 10);
	CHECK(!mime_address_parse(STR("a@b"), 2, &a, &is_truncated), "arena");
	arena_done(&a);
	buf_done(&b);
}

TEST(encoded_words_are_decoded)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "plain", "plain" },
		{ " a\r\n b ", "a b" },
		{ "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= x", "Gr\xC3\xBC\xC3\x9F"
						   "e x" },
		{ "=?ISO-8859-1?q?a_b=5F=E4?=", "a b_\xC3\xA4" },
		{ "=?utf-8?B?w6Q=?=\r\n =?utf-8?B?w7Y=?=", "\xC3\xA4\xC3\xB6" },
		{ "=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "\xC3\xA4" },
		{ "x =?utf-8?Q?y?= =?utf-8?Q?z?= w", "x yz w" },
		{ "\"=?utf-8?Q?y?=\"", "\"y\"" },
		{ "=?utf-8*de?Q?y?=", "y" },
		{ "=?no-such?Q?=E4?=", "\xC3\xA4" },
		{ "=?iso-2022-jp?B?GyRCJCIbKEI=?=", "\xE3\x81\x82" },
		{ "=?utf-8?Q?open", "=?utf-8?Q?open" },
		{ "=?utf-8?X?y?=", "=?utf-8?X?y?=" },
		{ "=??Q?y?=", "=??Q?y?=" },
		{ "raw \xC3\xA4 \xE4", "raw \xC3\xA4 \xC3\xA4" },
		{ "=?utf-8?Q?a=0D=0Ab=00c?=", "a  b\xEF\xBF\xBD"
					      "c" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(1000);

		mime_word_decode(str_c(cases[i].in), &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].in);
		buf_done(&b);
	}
}

TEST(words_are_encoded_within_lines)
{
	struct buf in = BUF_INIT(1000), enc = BUF_INIT(1000),
		   dec = BUF_INIT(1000);
	struct str line, rest;

	mime_word_encode(STR("plain text"), &enc);
	CHECK(str_eq(buf_str(&enc), STR("plain text")), "as it is");
	buf_reset(&enc, 1000);
	for (int i = 0; i < 50; i++)
		buf_put_c(&in, "\xE2\x82\xAC"
			       "a");
	mime_word_encode(buf_str(&in), &enc);
	for (rest = buf_str(&enc); rest.n;) {
		rest = str_split(rest, '\n', &line);
		CHECK(line.n <= 77, "75, a blank and a CR");
	}
	mime_word_decode(buf_str(&enc), &dec);
	CHECK(str_eq(buf_str(&in), buf_str(&dec)), "the same again");
	buf_done(&in);
	buf_done(&enc);
	buf_done(&dec);
}

TEST(parameters_are_joined_and_decoded)
{
	static const struct {
		const char *in;
		const char *head;
		const char *name;
		const char *raw; /* of the first parameter */
		const char *want;
	} cases[] = {
		{ "a/b; x=y", "a/b", "x", "y", "y" },
		{ "a/b;x=\"y \\\"z\"", "a/b", "x", "y \"z", "y \"z" },
		{ "a / b (c); x = y (d) ; z", "a / b", "x", "y", "y" },
		{ "a/b x=y", "a/b", "x", "y", "y" },
		{ "(a) a (b) / (;) b (c); (d) x (e) = (f) y (g)",
		    "a (b) / (;) b", "x", "y", "y" },
		{ "a/b (c) x=y", "a/b", "x", "y", "y" },
		{ "a; x=b c.pdf ; y=d", "a", "x", "b c.pdf", "b c.pdf" },
		{ "a; x=f(1).pdf", "a", "x", "f(1).pdf", "f(1).pdf" },
		{ "a; x*=utf-8'de'%C3%A4", "a", "x", "utf-8'de'%C3%A4",
		    "\xC3\xA4" },
		{ "a; x*0=b; x*1=c", "a", "x", "bc", "bc" },
		{ "a; x*1=c; x*0=b", "a", "x", "bc", "bc" },
		{ "a; x*0*=utf-8''%C3; x*1*=%A4; x*2=\"%z\"", "a", "x",
		    "utf-8''%C3%A4%25z", "\xC3\xA4%z" },
		{ "a; x=\"=?utf-8?Q?=C3=A4?=\"", "a", "x",
		    "=?utf-8?Q?=C3=A4?=", "\xC3\xA4" },
		{ "a; x*=no quotes%41", "a", "x", "no quotes%41",
		    "no quotesA" },
		{ ";; =v; x=y", "", "x", "y", "y" },
		{ "a; b; x=", "a", "x", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(1000);
		struct mime_params params;
		struct arena a;
		struct str head;

		arena_init(&a, KIB(64));
		mime_param_parse(str_c(cases[i].in), &a, &head, &params);
		CHECK(str_eq(head, str_c(cases[i].head)), cases[i].in);
		CHECK(params.n >= 1, cases[i].in);
		CHECK(str_eq(params.v[0].value, str_c(cases[i].raw)),
		    cases[i].in);
		CHECK(mime_param_decode(&params, str_c(cases[i].name), &b),
		    cases[i].in);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].in);
		arena_done(&a);
		buf_done(&b);
	}
}

TEST(parameters_end_at_their_limit)
{
	struct buf in = BUF_INIT(KIB(64));
	struct mime_params params;
	struct arena a;
	struct str head;

	arena_init(&a, KIB(256));
	buf_put_c(&in, "a/b");
	for (int i = 0; i < 1000; i++)
		buf_printf(&in, "; p%d=x", i);
	mime_param_parse(buf_str(&in), &a, &head, &params);
	CHECK(params.n == MIME_PARAM_MAX, "limit");
	arena_done(&a);
	buf_done(&in);
}

TEST(charsets_become_utf8_whatever_they_are)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want;
	} cases[] = {
		{ "utf-8", "\xC3\xA4\xFF", "\xC3\xA4\xEF\xBF\xBD" },
		{ "", "\xC3\xA4\x80", "\xC3\xA4\xE2\x82\xAC" },
		{ "us-ascii", "a\xE4", "a\xC3\xA4" },
		{ "ISO-8859-1", "\xE4\x93", "\xC3\xA4\xE2\x80\x9C" },
		{ "koi8-r", "\xC1", "\xD0\xB0" },
		{ "shift_jis", "\x82\xA0", "\xE3\x81\x82" },
		{ "gb2312", "\xB0\xA1", "\xE5\x95\x8A" },
		{ "iso-8859-15", "\xA4", "\xE2\x82\xAC" },
		{ "../../etc/x", "\xE4", "\xC3\xA4" },
		{ "ibm-37,swaplfnl", "a", "a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		mime_charset_to_utf8(
		    str_c(cases[i].name), str_c(cases[i].in), &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].name);
		buf_done(&b);
	}
}

TEST(folding_is_simple_and_full_of_unicode)
{
	struct buf b = BUF_INIT(100);

	mime_charset_fold(
	    STR("aB\xC3\x84\xCE\xA3\xE2\x84\xAA\xC5\xBF\xFF"), &b);
	CHECK(str_eq(buf_str(&b), STR("ab\xC3\xA4\xCF\x83ks\xEF\xBF\xBD")),
	    "folded");
	buf_done(&b);
}

TEST(transfer_encodings_are_tolerant)
{
	static const struct {
		const char *cte;
		const char *in;
		const char *want;
	} cases[] = {
		{ "base64", "SGVsbG8=", "Hello" },
		{ "BASE64 ", "SG\r\nVs!bG8", "Hello" },
		{ "base64", "QQ==QQ==", "AA" },
		{ "base64", "Q", "" },
		{ "quoted-printable", "a=C3=a4=\r\nb",
		    "a\xC3\xA4"
		    "b" },
		{ "Quoted-Printable", "a  \r\nb \n", "a\r\nb\n" },
		{ "quoted-printable", "a= \t\r\nb", "ab" },
		{ "quoted-printable", "1=x =4", "1=x =4" },
		{ "quoted-printable", "end=", "end" },
		{ "quoted-printable", "end  ", "end  " },
		{ "8bit", "=41", "=41" },
		{ "(x) base64 (y)", "SGVsbG8=", "Hello" },
		{ "\"base64\"", "SGVsbG8=", "Hello" },
		{ "x-unknown", "=41", "=41" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_cte_decoder d;
		struct buf b = BUF_INIT(100);

		mime_cte_init(&d, mime_cte_of(str_c(cases[i].cte)));
		mime_cte_feed(&d, str_c(cases[i].in), &b);
		mime_cte_finish(&d, &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].in);
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(dates_are_read_in_all_their_forms),
    UNIT(days_are_those_of_the_senders_wall),
    UNIT(addresses_are_read_however_they_are_written),
    UNIT(a_list_of_addresses_ends_at_its_limits),
    UNIT(encoded_words_are_decoded), UNIT(words_are_encoded_within_lines),
    UNIT(parameters_are_joined_and_decoded),
    UNIT(parameters_end_at_their_limit),
    UNIT(charsets_become_utf8_whatever_they_are),
    UNIT(folding_is_simple_and_full_of_unicode),
    UNIT(transfer_encodings_are_tolerant))
