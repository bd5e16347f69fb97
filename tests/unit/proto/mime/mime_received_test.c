/* SPDX-License-Identifier: ISC */
/* mime_received_test.c - who took a message, when, and how long that was. */
#include "../../test.h"
#include "proto/mime/mime_received.h"

#define DATE "Mon, 30 Nov 2026 21:00:00 +0000"
#define T0   INT64_C(1796072400)

TEST(a_field_says_who_and_when)
{
	static const struct {
		const char *value;
		bool is_any;
		const char *by;
		int64_t epoch; /* 0: it has none */
	} cases[] = {
		{ " from a.example ([192.0.2.1])\r\n\tby mx.example with "
		  "ESMTPS id 1\r\n\t(TLSv1.3 X)\r\n\tfor "
		  "<u@x.example>;\r\n\t" DATE,
		    true, "mx.example", T0 },
		{ "by mx.example; " DATE, true, "mx.example", T0 },
		{ "BY mx.example(comment);" DATE, true, "mx.example", T0 },
		{ "from by by mx.example; " DATE, true, "mx.example", T0 },
		{ "from x (by evil.example; Mon, 1 Jan 2001 00:00:00 +0000) "
		  "by mx.example; " DATE,
		    true, "mx.example", T0 },
		{ "from \"by evil;\" by [192.0.2.9]; " DATE, true,
		    "[192.0.2.9]", T0 },
		{ "by one by two; " DATE, true, "one", T0 },
		/* qmail's second field, and one whose id has a semicolon. */
		{ "(qmail 123 invoked by uid 8); 30 Nov 2026 21:00:00 -0000",
		    true, "", T0 },
		{ "by mx.example id 1;2; " DATE, true, "mx.example", T0 },
		{ "by mx.example; Mon, 30 Nov 2026 22:00:00 +0100 (CET)", true,
		    "mx.example", T0 },
		{ "by mx.example", true, "mx.example", 0 },
		{ "by mx.example; yesterday", true, "mx.example", 0 },
		{ "; " DATE, true, "", T0 },
		{ "; by mx.example", false, "", 0 },
		{ "from a.example with SMTP", false, "", 0 },
		{ "by", false, "", 0 },
		{ "by ; x", false, "", 0 },
		{ "(by mx.example; " DATE, false, "", 0 },
		{ "", false, "", 0 },
		{ ";;;", false, "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_received r = { 0 };

		CHECK(mime_received_parse(str_c(cases[i].value), &r) ==
			  cases[i].is_any,
		    cases[i].value);
		CHECK(str_eq(r.by, str_c(cases[i].by)), cases[i].value);
		CHECK(r.has_date == (cases[i].epoch != 0), cases[i].value);
		CHECK(!r.has_date || r.date.epoch == cases[i].epoch,
		    cases[i].value);
	}
}

#define HOP(by, time) \
	"Received: from x by " by "; Mon, 30 Nov 2026 " time " +0000\r\n"

static void
expect(const char *header, const char *want)
{
	struct buf got = BUF_INIT(KIB(4));
	struct mime_way way;

	/* 20 s in all. */
	mime_way_read(str_c(header), T0, T0 + 20, &way);
	for (size_t i = 0; i < way.n; i++)
		buf_printf(&got, "%.*s %lld%s, ", STR_ARG(way.hops[i].by),
		    (long long)way.hops[i].took_s,
		    way.hops[i].is_absurd ? "!" : "");
	buf_printf(&got, "rest %lld%s", (long long)way.rest_s,
	    way.is_rest_absurd ? "!" : "");
	CHECK(str_eq(buf_str(&got), str_c(want)), buf_c(&got));
	buf_done(&got);
}

TEST(a_way_goes_from_the_last_field_to_the_first)
{
	expect(HOP("mx", "21:00:18") HOP("relay", "21:00:03")
		   HOP("submit", "21:00:01") "Subject: x\r\n",
	    "submit 1, relay 2, mx 15, rest 2");
	expect("Subject: x\r\n\r\n" HOP("mx", "21:00:18"), "rest 20");
	expect("", "rest 20");
}

TEST(what_clocks_say_is_told_as_it_is)
{
	/* The relay's is an hour behind. */
	expect(HOP("mx", "21:00:18") HOP("relay", "20:00:03")
		   HOP("submit", "21:00:01"),
	    "submit 1, relay -3598!, mx 3615!, rest 2");
	/* The last one is ahead. */
	expect(HOP("mx", "22:00:18") HOP("submit", "21:00:01"),
	    "submit 1, mx 3617!, rest -3598!");
	expect("Received: by far; Fri, 31 Dec 9999 00:00:00 +0000\r\n"
	       "Received: by old; Sat, 1 Jan 1901 00:00:00 +0000\r\n",
	    "old -3973525200!, far 255579667200!, rest -251606141980!");
}

TEST(a_field_that_says_nothing_is_no_hop)
{
	expect(HOP("mx", "21:00:18") "Received: by nowhen\r\n"
				     "Received: rubbish\r\nReceived: (x); " DATE
				     "\r\n" HOP("submit", "21:00:01"),
	    "submit 1, mx 17, rest 2");
}

TEST(a_way_has_an_end)
{
	struct buf header = BUF_INIT(KIB(64));
	struct mime_way way;

	for (int i = 0; i < 500; i++)
		buf_put_c(&header, HOP("mx", "21:00:05"));
	mime_way_read(buf_str(&header), T0, T0 + 20, &way);
	assert_int_equal(way.n, MIME_HOPS_MAX);
	assert_int_equal(way.hops[0].took_s, 5);
	assert_int_equal(way.rest_s, 15);
	buf_done(&header);
}

TEST_MAIN(UNIT(a_field_says_who_and_when),
    UNIT(a_way_goes_from_the_last_field_to_the_first),
    UNIT(what_clocks_say_is_told_as_it_is),
    UNIT(a_field_that_says_nothing_is_no_hop), UNIT(a_way_has_an_end))
