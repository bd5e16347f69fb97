/* SPDX-License-Identifier: ISC */
/* tlsrpt_record_test.c - who wants TLS reports; the times in them. */
#include "../../test.h"
#include "proto/tlsrpt/tlsrpt_record.h"
#include "proto/tlsrpt/tlsrpt_report.h"

TEST(one_right_record_says_where_reports_go)
{
	static const struct {
		const char *in;
		enum tlsrpt_found want;
		const char *rua;
	} cases[] = {
		/* RFC 8460 sections 3.1.1 and 3.1.2. */
		{ "v=TLSRPTv1;rua=mailto:reports@example.com", TLSRPT_FOUND,
		    "mailto:reports@example.com" },
		{ "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
		    TLSRPT_FOUND, "https://reporting.example.com/v1/tlsrpt" },
		{ "v=TLSRPTv1 ; rua = mailto:a@b , https://c/ ; x.y=z ;",
		    TLSRPT_FOUND, "mailto:a@b , https://c/" },
		{ "v=TLSRPTv1; x=y; rua=ftp://a", TLSRPT_FOUND, "ftp://a" },
		{ "v=TLSRPTv1; rua=x:y", TLSRPT_FOUND, "x:y" },
		{ "v=TLSRPTv1; rua=:y", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1;", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; RUA=mailto:a@b", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b,", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b!10m", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a @b", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=a@b", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; rua=mailto:c@d", TLSRPT_BROKEN,
		    NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; nonsense", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b;; x=y", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; =y", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; x=", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; -x=y", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; x=a=b", TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1; rua=mailto:a@b; "
		  "x2345678901234567890123456789012=y",
		    TLSRPT_FOUND, "mailto:a@b" },
		{ "v=TLSRPTv1; rua=mailto:a@b; "
		  "x23456789012345678901234567890123=y",
		    TLSRPT_BROKEN, NULL },
		{ "v=TLSRPTv1", TLSRPT_NONE, NULL },
		{ "v=TLSRPTv2; rua=mailto:a@b", TLSRPT_NONE, NULL },
		{ "V=TLSRPTv1; rua=mailto:a@b", TLSRPT_NONE, NULL },
		{ "rua=mailto:a@b; v=TLSRPTv1;", TLSRPT_NONE, NULL },
		{ "", TLSRPT_NONE, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in), rua = STR("mine");

		CHECK(tlsrpt_find_record(&in, 1, &rua) == cases[i].want,
		    cases[i].in);
		CHECK(str_eq(rua, str_c(cases[i].rua ? cases[i].rua : "mine")),
		    cases[i].in);
	}
}

TEST(two_records_are_none)
{
	struct str some[] = { STR("v=spf1"), STR("v=TLSRPTv1; rua=mailto:a@b"),
		STR("v=TLSRPTv1; rua=mailto:a@b") };
	struct str rua;

	CHECK(tlsrpt_find_record(some, 3, &rua) == TLSRPT_BROKEN, "two");
	CHECK(tlsrpt_find_record(some, 2, &rua) == TLSRPT_FOUND, "one");
	CHECK(tlsrpt_find_record(some, 1, &rua) == TLSRPT_NONE, "none");
}

TEST(uris_come_one_by_one_and_are_written)
{
	struct str list = STR("ftp://x,MAILTO:a@b , https://c/d,http://e");
	struct str uris[] = { STR("mailto:a@b"), STR("https://c/?d=e") };
	struct str bad[] = { STR("mailto:a@b"), STR("mailto:a;b@c") };
	struct buf b = BUF_INIT(200);
	struct str uri, rua;

	CHECK(tlsrpt_next_uri(&list, &uri), "1");
	CHECK(str_eq(uri, STR("MAILTO:a@b")), "1");
	CHECK(tlsrpt_next_uri(&list, &uri), "2");
	CHECK(str_eq(uri, STR("https://c/d")), "2");
	CHECK(!tlsrpt_next_uri(&list, &uri), "end");
	CHECK(!tlsrpt_put_record(&b, bad, 2) && b.n == 0, "semicolon");
	CHECK(!tlsrpt_put_record(&b, uris, 0) && b.n == 0, "nobody");
	CHECK(tlsrpt_put_record(&b, uris, 2), "put");
	uri = buf_str(&b);
	CHECK(tlsrpt_find_record(&uri, 1, &rua) == TLSRPT_FOUND, "read");
	CHECK(str_eq(rua, STR("mailto:a@b,https://c/?d=e")), "same");
	buf_done(&b);
}

TEST(records_have_a_longest_length)
{
	struct buf b = BUF_INIT(2 * TLSRPT_RECORD_MAX);
	struct str text, rua;

	buf_put_c(&b, "v=TLSRPTv1; rua=mailto:a@b; x=");
	while (b.n < TLSRPT_RECORD_MAX)
		buf_put_char(&b, 'x');
	text = buf_str(&b);
	CHECK(tlsrpt_find_record(&text, 1, &rua) == TLSRPT_FOUND, "longest");
	buf_put_char(&b, 'x');
	text = buf_str(&b);
	CHECK(tlsrpt_find_record(&text, 1, &rua) == TLSRPT_BROKEN, "longer");
	buf_done(&b);
}

TEST(times_are_read_in_any_zone)
{
	static const struct {
		const char *in;
		bool ok;
		uint64_t want;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", true, 0 },
		{ "2016-04-01T00:00:00Z", true, 1459468800 },
		{ "2016-04-01t23:59:59z", true, 1459555199 },
		{ "2016-04-01T02:00:00+02:00", true, 1459468800 },
		{ "2016-03-31T18:30:00-05:30", true, 1459468800 },
		{ "2016-04-01T00:00:00.999Z", true, 1459468800 },
		{ "2016-02-29T00:00:00Z", true, 1456704000 },
		{ "2000-02-29T12:00:00Z", true, 951825600 },
		{ "2016-12-31T23:59:60Z", true, 1483228800 },
		{ "9999-12-31T23:59:59Z", true, 253402300799 },
		{ "2100-02-29T00:00:00Z", false, 0 },
		{ "2015-02-29T00:00:00Z", false, 0 },
		{ "2016-04-31T00:00:00Z", false, 0 },
		{ "2016-00-01T00:00:00Z", false, 0 },
		{ "2016-13-01T00:00:00Z", false, 0 },
		{ "2016-01-00T00:00:00Z", false, 0 },
		{ "2016-12-32T00:00:00Z", false, 0 },
		{ "2016-04-01T24:00:00Z", false, 0 },
		{ "2016-04-01T00:60:00Z", false, 0 },
		{ "2016-04-01T00:00:61Z", false, 0 },
		{ "2016-04-01T00:00:00", false, 0 },
		{ "2016-04-01T00:00:00.Z", false, 0 },
		{ "2016-04-01T00:00:00+2:00", false, 0 },
		{ "2016-04-01T00:00:00+02:00x", false, 0 },
		{ "2016-04-01T00:00:00Zx", false, 0 },
		{ "2016-04-01 00:00:00Z", false, 0 },
		{ "2016-04-01", false, 0 },
		{ "16-04-01T00:00:00Z", false, 0 },
		{ "1969-12-31T23:59:59Z", false, 0 },
		{ "1970-01-01T00:00:00+00:01", false, 0 },
		{ "9999-12-31T23:59:59-00:01", false, 0 },
		{ "", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t got = 77;

		CHECK(
		    tlsrpt_parse_time(str_c(cases[i].in), &got) == cases[i].ok,
		    cases[i].in);
		CHECK(got == (cases[i].ok ? cases[i].want : 77), cases[i].in);
	}
}

TEST(every_day_is_written_as_it_is_read)
{
	struct buf b = BUF_INIT(40);
	uint64_t got;

	for (uint64_t t = 0; t < 253402300800; t += 86399 * 17) {
		buf_reset(&b, 40);
		tlsrpt_put_time(t, &b);
		CHECK(b.n == 20, buf_c(&b));
		CHECK(tlsrpt_parse_time(buf_str(&b), &got), buf_c(&b));
		CHECK(got == t, buf_c(&b));
	}
	buf_done(&b);
}

TEST_MAIN(UNIT(one_right_record_says_where_reports_go),
    UNIT(two_records_are_none), UNIT(uris_come_one_by_one_and_are_written),
    UNIT(records_have_a_longest_length), UNIT(times_are_read_in_any_zone),
    UNIT(every_day_is_written_as_it_is_read))
