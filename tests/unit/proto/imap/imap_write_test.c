/* SPDX-License-Identifier: ISC */
/* imap_write_test.c - strings, flags, dates and names in responses. */
#include "../../test.h"
#include "proto/imap/imap_write.h"

static void
expect(struct buf *b, struct str want)
{
	CHECK(!b->failed, "failed");
	CHECK(str_eq(buf_str(b), want), buf_c(b));
	buf_done(b);
}

TEST(strings_take_the_form_that_is_safe)
{
	struct buf b = BUF_INIT(KIB(16));
	char big[IMAP_MAX_QUOTED + 1];

	imap_put_string(&b, STR("plain"));
	expect(&b, STR("\"plain\""));
	imap_put_string(&b, STR(""));
	expect(&b, STR("\"\""));
	imap_put_string(&b, STR("say \"a\\b\""));
	expect(&b, STR("\"say \\\"a\\\\b\\\"\""));
	imap_put_string(&b, STR("a\r\n* BYE"));
	expect(&b, STR("{8}\r\na\r\n* BYE"));
	imap_put_string(&b, STR("\xC3\xBC"));
	expect(&b, STR("{2}\r\n\xC3\xBC"));
	imap_put_string(&b, STR("a\0b"));
	expect(&b, STR("{3}\r\na\x80"
		       "b"));
	imap_put_nstring(&b, STR_NONE);
	imap_put_nstring(&b, STR(""));
	expect(&b, STR("NIL\"\""));
	imap_put_astring(&b, STR("a]b"));
	imap_put_astring(&b, STR("nil"));
	imap_put_astring(&b, STR(""));
	imap_put_astring(&b, STR("a b"));
	expect(&b, STR("a]b\"nil\"\"\"\"a b\""));
	imap_put_literal(&b, 5000000000, true);
	expect(&b, STR("~{5000000000}\r\n"));
	memset(big, 'x', sizeof(big));
	imap_put_string(&b, str_make(big, sizeof(big)));
	CHECK(str_starts(buf_str(&b), STR("{1025}\r\nxxx")), "long");
	buf_done(&b);
}

TEST(replies_cannot_be_broken_by_their_text)
{
	struct buf b = BUF_INIT(KIB(4));

	imap_put_reply(&b, STR("a1"),
	    (struct imap_reply){ IMAP_NO, "TRYCREATE", "No such mailbox" });
	expect(&b, STR("a1 NO [TRYCREATE] No such mailbox\r\n"));
	imap_put_reply(
	    &b, STR_NONE, (struct imap_reply){ IMAP_BYE, NULL, "Good bye" });
	expect(&b, STR("* BYE Good bye\r\n"));
	imap_put_status(
	    &b, STR("a"), IMAP_OK, STR("X ]\n"), STR("a\r\nb \xC3]"));
	expect(&b, STR("a OK [X ??] a??b ?]\r\n"));
	imap_put_status(&b, STR("a"), IMAP_BAD, STR_NONE, STR_NONE);
	expect(&b, STR("a BAD -\r\n"));
}

TEST(mailbox_names_are_encoded_for_the_client)
{
	struct buf b = BUF_INIT(KIB(4));

	imap_put_mailbox(&b, STR("INBOX"), false);
	expect(&b, STR("INBOX"));
	imap_put_mailbox(&b, STR("R&D \xC3\xBC"), false);
	expect(&b, STR("\"R&-D &APw-\""));
	imap_put_mailbox(&b, STR("R&D"), true);
	expect(&b, STR("R&D"));
	imap_put_mailbox(&b, STR("\xC3\xBC\"x"), true);
	expect(&b, STR("\"\xC3\xBC\\\"x\""));
}

TEST(flags_are_written_in_a_fixed_order)
{
	struct str words[] = { STR("$Forwarded"), STR("todo") };
	struct imap_flags flags = {
		IMAP_FLAG_SEEN | IMAP_FLAG_DRAFT | IMAP_FLAG_ANSWERED, words, 2
	};
	struct buf b = BUF_INIT(KIB(4));

	imap_put_fetch_flags(
	    &b, 123, 4, &(struct imap_flags){ .bits = IMAP_FLAG_SEEN }, false);
	expect(&b, STR("* 123 FETCH (UID 4 FLAGS (\\Seen))\r\n"));
	imap_put_fetch_flags(&b, UINT32_MAX, UINT32_MAX, &flags, true);
	expect(&b, STR("* 4294967295 FETCH (UID 4294967295 FLAGS (\\Answered "
		       "\\Seen \\Draft \\Recent $Forwarded todo))\r\n"));
	imap_put_flags(&b, 0, words, 1);
	expect(&b, STR("$Forwarded"));
	imap_put_flags(&b, ~0U, NULL, 0);
	expect(&b, STR("\\Answered \\Flagged \\Deleted \\Seen \\Draft "
		       "\\Recent"));
	imap_put_fetch_open(&b, 9);
	imap_put_number(&b, UINT64_MAX);
	expect(&b, STR("* 9 FETCH (18446744073709551615"));
}

TEST(a_flag_is_a_bit_or_a_keyword_or_bad)
{
	static const struct {
		const char *in;
		enum imap_flag_kind kind;
		unsigned bit;
	} cases[] = {
		{ "\\seen", IMAP_FLAG_KIND_SYSTEM, IMAP_FLAG_SEEN },
		{ "\\FLAGGED", IMAP_FLAG_KIND_SYSTEM, IMAP_FLAG_FLAGGED },
		{ "\\Recent", IMAP_FLAG_KIND_BAD, 0 },
		{ "\\Other", IMAP_FLAG_KIND_BAD, 0 },
		{ "Seen", IMAP_FLAG_KIND_KEYWORD, 0 },
		{ "$MDNSent", IMAP_FLAG_KIND_KEYWORD, 0 },
		{ "a b", IMAP_FLAG_KIND_BAD, 0 },
		{ "a]", IMAP_FLAG_KIND_BAD, 0 },
		{ "", IMAP_FLAG_KIND_BAD, 0 },
	};
	char big[IMAP_MAX_KEYWORD_BYTES + 1];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned bit = 0;

		CHECK(
		    imap_flag_parse(str_c(cases[i].in), &bit) == cases[i].kind,
		    cases[i].in);
		CHECK(bit == cases[i].bit, cases[i].in);
	}
	memset(big, 'k', sizeof(big));
	CHECK(imap_keyword_is_valid(str_make(big, sizeof(big) - 1)), "max");
	CHECK(!imap_keyword_is_valid(str_make(big, sizeof(big))), "max + 1");
}

TEST(date_times_go_both_ways)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t utc;
		int zone;
	} cases[] = {
		/* RFC 3501 7.4.2 and 6.3.11 */
		{ "17-Jul-1996 02:44:25 -0700", true, 837596665, -420 },
		{ " 7-Feb-1994 21:52:25 -0800", true, 760686745, -480 },
		{ "01-Jan-1970 00:00:00 +0000", true, 0, 0 },
		{ "29-Feb-2000 23:59:59 +0530", true, 951848999, 330 },
		{ "31-Dec-9999 23:59:59 +0000", true, 253402300799, 0 },
		{ "01-Jan-0001 00:00:00 +2359", true, -62135683140, 1439 },
		{ "29-Feb-1900 00:00:00 +0000", false, 0, 0 },
		{ "31-Apr-2000 00:00:00 +0000", false, 0, 0 },
		{ "00-Jan-2000 00:00:00 +0000", false, 0, 0 },
		{ "01-Jan-0000 00:00:00 +0000", false, 0, 0 },
		{ "01-Jan-2000 24:00:00 +0000", false, 0, 0 },
		{ "01-Jan-2000 00:60:00 +0000", false, 0, 0 },
		{ "01-Jan-2000 00:00:61 +0000", false, 0, 0 },
		{ "01-Jan-2000 00:00:00 +2400", false, 0, 0 },
		{ "01-Jan-2000 00:00:00 0000 ", false, 0, 0 },
		{ "1-Jan-2000 00:00:00 +0000", false, 0, 0 },
		{ "01-Jam-2000 00:00:00 +0000", false, 0, 0 },
		{ "  -Jan-2000 00:00:00 +0000", false, 0, 0 },
		{ "", false, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(64);
		struct imap_time t = { 0 }, again;

		CHECK(
		    imap_date_time_parse(str_c(cases[i].in), &t) == cases[i].ok,
		    cases[i].in);
		if (!cases[i].ok)
			continue;
		CHECK(t.utc == cases[i].utc, cases[i].in);
		CHECK(t.zone_minutes == cases[i].zone, cases[i].in);
		imap_put_date_time(&b, t);
		CHECK(b.n == IMAP_DATE_TIME_LEN, cases[i].in);
		CHECK(
		    imap_date_time_parse(str_sub(buf_str(&b), 1, 26), &again) &&
			again.utc == t.utc &&
			again.zone_minutes == t.zone_minutes,
		    cases[i].in);
		buf_done(&b);
	}
}

TEST(days_and_dates_agree)
{
	int32_t day, first = imap_civil_to_day(1, 1, 1);
	int y, m, d;

	for (day = first; day <= imap_civil_to_day(9999, 12, 31); day++) {
		imap_day_to_civil(day, &y, &m, &d);
		if (imap_civil_to_day(y, m, d) != day)
			fail_msg("day %d", (int)day);
	}
	CHECK(y == 9999 && m == 12 && d == 31, "the last");
	CHECK(imap_date_parse(STR("1-Feb-1994"), &day) && day == 8797, "d");
	CHECK(imap_date_parse(STR("01-FEB-1994"), &day) && day == 8797, "dd");
	CHECK(!imap_date_parse(STR("001-Feb-1994"), &day), "three digits");
	CHECK(!imap_date_parse(STR("1-Feb-94"), &day), "two-digit year");
	CHECK(!imap_date_parse(STR("-Feb-1994"), &day), "no day");
	CHECK(imap_day_of((struct imap_time){ -1, 0 }) == -1, "before 1970");
	CHECK(imap_day_of((struct imap_time){ -1, 1 }) == 0, "own zone");
}

TEST_MAIN(UNIT(strings_take_the_form_that_is_safe),
    UNIT(replies_cannot_be_broken_by_their_text),
    UNIT(mailbox_names_are_encoded_for_the_client),
    UNIT(flags_are_written_in_a_fixed_order),
    UNIT(a_flag_is_a_bit_or_a_keyword_or_bad), UNIT(date_times_go_both_ways),
    UNIT(days_and_dates_agree))
