/* SPDX-License-Identifier: ISC */
/* session_deliver_test.c - what is handed to the store, and what it says. */
#include "session_kit.h"

#define ASKED_AGAIN 10

TEST(a_copy_has_its_trace_lines_and_its_bytes)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE "..\r\n.\r\n" QUIT), 9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_starts(d, STR("Return-Path: <bob@else.example>\r\n"
				"Delivered-To: alice@demo.example\r\n"
				"Received: from client.example (local)\r\n"
				"\tby mx.demo.example with ESMTP id ")),
	    "begin");
	CHECK(str_search(d, STR("\r\n\tfor <alice@demo.example>;\r\n\t")) > 0,
	    "one recipient is named");
	CHECK(str_ends(d, STR("+0000\r\n" MESSAGE ".\r\n")),
	    "the bytes, without stuffing, and no more headers");
	CHECK(str_eq(buf_str(&p.rt.sender), STR("bob@else.example")), "from");
	play_done(&p);
}

TEST(forged_fields_are_cut_and_asked_about_once)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\nX-Forged: 1\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_ends(d, STR("+0000\r\nX-Results: ours\r\n" MESSAGE)),
	    "the first answer's results, without what was forged");
	CHECK(p.rt.unasked == 1, "the second time for the structure only");
	play_done(&p);
}

TEST(several_recipients_do_not_see_each_other)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "RCPT TO:<bob@demo.example>\r\n"
				"DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	CHECK(p.rt.delivered_rcpts == 2, "both");
	CHECK(str_search(buf_str(&p.rt.delivered), STR("bob@demo")) < 0,
	    "not in the first copy");
	play_done(&p);
}

TEST(a_submission_gets_the_fields_it_lacks)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_search(d, STR("with ESMTPA id ")) > 0, "protocol");
	CHECK(str_search(d, STR("\r\nDate: ")) > 0, "Date");
	CHECK(str_search(d, STR("\r\nMessage-ID: <")) > 0, "Message-ID");
	CHECK(str_search(d, STR("@mx.demo.example>\r\n" MESSAGE)) > 0, "last");
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT "DATA\r\nDate: x\r\n\r\n.\r\n" QUIT),
	    9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_search(d, STR("Date: ")) == str_search(d, STR("Date: x")),
	    "what is there stays alone");
	CHECK(p.rt.deliveries == 2, "both");
	play_done(&p);
}

TEST(a_submission_is_from_who_signed_in)
{
	static const struct {
		const char *header, *want;
	} cases[] = {
		{ "From: alice@demo.example\r\n", "250 2.0.0" },
		{ "From: Ceo <info@demo.example>\r\n", "250 2.0.0" },
		{ "From: \"bob@demo.example\" <alice@demo.example>\r\n",
		    "250 2.0.0" },
		{ "From: We: alice@demo.example, info@demo.example;\r\n"
		  "Sender: info@demo.example\r\n",
		    "250 2.0.0" },
		{ "Subject: no From\r\n", "250 2.0.0" },
		{ "From: bob@demo.example\r\n", "550 5.7.1" },
		{ "From: alice@demo.example <bob@demo.example>\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example, bob@demo.example\r\n"
		  "Sender: alice@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example, info@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example\r\nSender: bob@x.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example\r\n"
		  "FROM : alice@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: Alice\r\n", "550 5.7.1" },
		{ "From: us:;\r\n", "550 5.7.1" },
		{ "From: later@demo.example\r\n", "451 4.3.0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		bool is_off = i >= ARRAY_LEN(cases);
		size_t k = i % ARRAY_LEN(cases);
		struct buf in = BUF_INIT(KIB(4)), want = BUF_INIT(KIB(4));
		struct play p = { 0 };

		play_init(&p);
		p.conf.smtp_check_from = !is_off;
		buf_printf(&in,
		    HELLO SIGN_IN OWN RCPT "DATA\r\n%s\r\nx\r\n.\r\n" QUIT,
		    cases[k].header);
		buf_printf(&want,
		    "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|%s|" BYE,
		    is_off ? "250 2.0.0" : cases[k].want);
		play_run(&p, SERVICE_SUBMISSION, buf_str(&in), 9999);
		check_replies(&p, cases[k].header, buf_c(&want));
		play_done(&p);
		buf_done(&in);
		buf_done(&want);
	}
}

TEST(who_is_refused_is_told_about_which_address)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT
		"DATA\r\nFrom: \"x\" <b\"o\"b@else.example>\r\n\r\n.\r\n" QUIT),
	    9999);
	CHECK(str_search(buf_str(&p.got), STR("has bob@else.example, which")) >=
		  0,
	    "named");
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT
		"DATA\r\nFrom: x@y\r\nFrom: a@b\r\n\r\n.\r\n" QUIT),
	    9999);
	check_replies(&p, "mail from elsewhere", OK "250 2.0.0|" BYE);
	play_done(&p);
}

TEST(a_message_over_the_limit_is_read_to_its_end_and_refused)
{
	struct play p = { 0 };
	struct buf in = BUF_INIT(MIB(2));

	play_init(&p);
	buf_put_c(&in, HELLO MAIL RCPT "DATA\r\n");
	for (int i = 0; i < 1000; i++)
		buf_put_c(&in, "0123456789\r\n");
	buf_put_c(&in, ".\r\n" MAIL RCPT "BDAT 5000 LAST\r\n");
	for (int i = 0; i < 500; i++)
		buf_put_c(&in, "01234567\r\n");
	buf_put_c(&in, QUIT);
	play_run(&p, SERVICE_MX, buf_str(&in), 99999);
	check_replies(
	    &p, "too big", OK "552 5.3.4|250 2.1.0|250 2.1.5|552 5.3.4|" BYE);
	CHECK(p.rt.deliveries == 0, "nothing went on");
	buf_done(&in);
	play_done(&p);
}

TEST(what_the_store_says_is_what_the_client_hears)
{
	static const struct {
		enum outcome outcome;
		enum reason reason;
		const char *want, *want_lmtp;
	} cases[] = {
		{ TEMPFAIL, REASON_GONE, "451 4.3.0", "451 4.3.0" },
		{ TEMPFAIL, REASON_DISK_FULL, "452 4.3.1", "452 4.3.1" },
		{ TEMPFAIL, REASON_OVERQUOTA, "452 4.2.2", "452 4.2.2" },
		{ PERMFAIL, REASON_TOO_BIG, "552 5.3.4", "552 5.3.4" },
		{ NOT_FOUND, REASON_NO_USER, "550 5.1.1", "550 5.1.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct play p = { 0 };
		char want[200];

		play_init(&p);
		p.rt.deliver_outcome = cases[i].outcome;
		p.rt.deliver_reason = cases[i].reason;
		play_run(&p, SERVICE_MX,
		    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
		snprintf(want, sizeof(want), OK "%s|" BYE, cases[i].want);
		check_replies(&p, "MX", want);
		CHECK(cases[i].reason == REASON_GONE
			  ? p.rt.deliver_asked == 1 + ASKED_AGAIN
			  : p.rt.deliver_asked == 1,
		    "who has answered is not asked again, who is gone not for "
		    "ever");
		play_run(&p, SERVICE_LMTP,
		    STR("LHLO x\r\n" MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT),
		    9999);
		snprintf(want, sizeof(want), OK "%s|" BYE, cases[i].want_lmtp);
		check_replies(&p, "LMTP", want);
		play_done(&p);
	}
}

/* 250 is a promise: nobody gives it for the store. */
TEST(what_the_store_says_nothing_of_is_not_accepted)
{
	struct play p = { 0 };

	play_init(&p);
	p.rt.is_answer_short = true;
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	check_replies(&p, "of none", OK "451 4.3.0|" BYE);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "RCPT TO:<bob@demo.example>\r\n"
				"DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	check_replies(&p, "of one only",
	    "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|451 4.3.0|" BYE);
	play_run(&p, SERVICE_LMTP,
	    STR("LHLO x\r\n" MAIL RCPT "RCPT TO:<bob@demo.example>\r\n"
		"DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	check_replies(&p, "by LMTP, of one only",
	    "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|250 2.0.0|451 "
	    "4.3.0|" BYE);
	play_done(&p);
}

TEST(a_store_that_went_away_is_asked_again_about_the_same_message)
{
	struct play p = { 0 };

	play_init(&p);
	p.rt.deliver_gone = 2;
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	check_replies(&p, "accepted after all", OK "250 2.0.0|" BYE);
	CHECK(p.rt.deliveries == 1 && p.rt.is_retry, "once, as a repetition");
	play_done(&p);
}

TEST(what_a_client_asked_for_goes_along_to_the_queue)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO "MAIL FROM:<bob@else.example> RET=FULL ENVID=a+2Bb "
		      "BODY=8BITMIME SMTPUTF8\r\n"
		      "RCPT TO:<alice@demo.example> NOTIFY=SUCCESS,DELAY "
		      "ORCPT=rfc822;x+2By@z\r\n"
		      "RCPT TO:<b@demo.example> NOTIFY=NEVER\r\n"
		      "DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	CHECK(str_eq(buf_str(&p.rt.wishes),
		  STR("1 1 1 0 0 0 0 10 a+b|5 rfc822;x+y@z|8 ")),
	    buf_c(&p.rt.wishes));
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	CHECK(str_eq(buf_str(&p.rt.wishes), STR("0 0 0 0 0 0 0 10 |0 ")),
	    buf_c(&p.rt.wishes));
	play_done(&p);
}

TEST(without_the_filter_the_client_keeps_its_message)
{
	struct play p = { 0 };

	play_init(&p);
	p.rt.filter_is_away = true;
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	check_replies(&p, "filter", OK "451 4.3.0|" BYE);
	play_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(a_copy_has_its_trace_lines_and_its_bytes),
		UNIT(forged_fields_are_cut_and_asked_about_once),
		UNIT(several_recipients_do_not_see_each_other),
		UNIT(a_submission_gets_the_fields_it_lacks),
		UNIT(a_submission_is_from_who_signed_in),
		UNIT(who_is_refused_is_told_about_which_address),
		UNIT(a_message_over_the_limit_is_read_to_its_end_and_refused),
		UNIT(what_the_store_says_is_what_the_client_hears),
		UNIT(what_the_store_says_nothing_of_is_not_accepted),
		UNIT(
		    a_store_that_went_away_is_asked_again_about_the_same_message),
		UNIT(what_a_client_asked_for_goes_along_to_the_queue),
		UNIT(without_the_filter_the_client_keeps_its_message),
	};

	log_init("smtp-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
