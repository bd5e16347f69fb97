/* SPDX-License-Identifier: ISC */
/* smtp_client_test.c - mails: results of recipients, parameters, limits. */
#include "smtp_client_kit.h"

/* clang-format off */
static const struct dialogue mails[] = {
	{ "one at a time", .mail = ONE,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
		      "250 2.0.0 queued\r\n", "221 bye\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n!body\n"
		  ">Hi|.|\n!rcpt 0 done end of message 250 2.0.0 2.0.0 queued\n"
		  "!done\n>QUIT|\n!closed done QUIT 0 0.0.0\n" },
	{ "pipelined, mixed recipients", .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n"
		      "550 5.1.1 who\r\n450 4.2.0 grey\r\n354 go\r\n",
		      "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.1.1 5.1.1 who\n"
		  "!rcpt 2 tempfail RCPT TO 450 4.2.0 4.2.0 grey\n"
		  "!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "nobody accepted, DATA accepted", .mail = ONE,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 who\r\n354 go\r\n",
		      "554 no recipients\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 who\n>.|\n"
		  "!done\n>QUIT|\n" },
	{ "nobody accepted, DATA refused", .mail = ONE,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 who\r\n503 no\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 who\n"
		  "!done\n>QUIT|\n" },
	{ "nobody accepted, one at a time: no DATA", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "550 a\r\n", "250 ok\r\n",
		      "250 ok\r\n", "450 b\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.0.0 a\n!done\n>RSET|\n"
		  MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 tempfail RCPT TO 450 4.0.0 b\n!done\n>QUIT|\n" },
	{ "sender refused", .mail = THREE,
	  .script = { HELLO, PLAIN, "550 5.7.1 you\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!rcpt 1 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!rcpt 2 permfail MAIL FROM 550 5.7.1 5.7.1 you\n"
		  "!done\n>QUIT|\n" },
	{ "sender refused, the rest was on its way", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PIPE, "450 4.7.1 you\r\n503 no\r\n354 go\r\n",
		      "554 nothing\r\n",
		      "250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 tempfail MAIL FROM 450 4.7.1 4.7.1 you\n>.|\n"
		  "!done\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "sender refused, recipient taken, DATA taken: never a dot",
	  .mail = ONE,
	  .script = { HELLO, PIPE, "550 you\r\n250 ok\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|DATA|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.0.0 you\n"
		  "!closed tempfail DATA 0 4.5.0 proto\n" },
	{ "DATA refused", .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n550 a\r\n250 ok\r\n"
		      "451 4.3.0 later\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.0.0 a\n"
		  "!rcpt 0 tempfail DATA 451 4.3.0 4.3.0 later\n"
		  "!rcpt 2 tempfail DATA 451 4.3.0 4.3.0 later\n"
		  "!done\n>QUIT|\n" },
	{ "message refused", .mail = ONE,
	  .script = { HELLO, PIPE, TAKEN, "554-5.7.1 spam\r\n554 5.7.1 see x\r\n" },
	  .want = SENT ">Hi|.|\n"
		  "!rcpt 0 permfail end of message 554 5.7.1 "
		  "5.7.1 spam|5.7.1 see x\n!done\n>QUIT|\n" },
	{ "two mails", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PIPE, TAKEN, "250 1\r\n", "250 ok\r\n250 ok\r\n354 go\r\n",
		      "250 2\r\n" },
	  .want = SENT ">Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 1\n!done\n"
		  MAIL "|RCPT TO:<b@x.org>|DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 2\n!done\n>QUIT|\n" },
	{ "only one mail is allowed", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, "250-x\r\n250 LIMITS MAILMAX=1\r\n", "250 ok\r\n",
		      "250 ok\r\n", "354 go\r\n", "250 1\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n!body\n"
		  ">Hi|.|\n!rcpt 0 done end of message 250 2.0.0 1\n"
		  "!done last\n>QUIT|\n" },
	{ "too many recipients, announced", .mail = THREE,
	  .script = { HELLO, "250-x\r\n250 LIMITS RCPTMAX=1 X=2\r\n",
		      "250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n!rcpt 1 tempfail MAIL FROM 0 4.5.3 many\n"
		  "!rcpt 2 tempfail MAIL FROM 0 4.5.3 many\n"
		  MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n" },
	{ "too many recipients, found out", .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n452 4.5.3 many\r\n"
		      "552 many\r\n354 go\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 tempfail RCPT TO 452 4.5.3 many 4.5.3 many\n"
		  "!rcpt 2 tempfail RCPT TO 552 4.0.0 many many\n"
		  "!body\n>Hi|.|\n" },
	{ "mailbox full is not too many", .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n552 5.2.2 full\r\n" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 552 5.2.2 5.2.2 full\n" },
	{ "BDAT", .mail = ONE, .body = "a\n.\r\nb",
	  .script = { HELLO, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
		      "250 ok\r\n250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|\n!body\n"
		  ">BDAT 6 LAST|\n>a|.|b\n"
		  "!rcpt 0 done end of message 250 2.0.0 ok\n!done\n>QUIT|\n" },
	{ "BDAT is not sent for nobody", .mail = ONE,
	  .script = { HELLO, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
		      "250 ok\r\n550 no\r\n" },
	  .want = ">EHLO me|\n" MAIL "|RCPT TO:<b@x.org>|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.0.0 no\n!done\n>QUIT|\n" },
	{ "LMTP", .config = { .is_lmtp = true }, .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n550 x\r\n250 ok\r\n"
		      "354 go\r\n", "250 first\r\n", "452 4.2.2 full\r\n" },
	  .want = ">LHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 1 permfail RCPT TO 550 5.0.0 x\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 first\n"
		  "!rcpt 2 tempfail end of message 452 4.2.2 4.2.2 full\n"
		  "!done\n>QUIT|\n" },
	{ "LMTP, lost between", .config = { .is_lmtp = true }, .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n250 ok\r\n250 x\r\n250 ok\r\n"
		      "354 go\r\n", "250 first\r\n", "<lost>" },
	  .want = ">LHLO me|\n" MAIL "|" RCPTS "DATA|\n!body\n>Hi|.|\n"
		  "!rcpt 0 done end of message 250 2.0.0 first\n"
		  "!rcpt 1 tempfail end of message 0 4.4.2 dup lost\n"
		  "!rcpt 2 tempfail end of message 0 4.4.2 dup lost\n"
		  "!closed tempfail end of message 0 4.4.2 dup lost\n" },
};

#define UTF8 "b\xC3\xBC@x.org"
static const struct smtp_client_rcpt odd[] = {
	{ .to = { "no\r\nQUIT@x", 9 } },
	{ .to = { "\"a b\"@x.org", 11 }, .notify = SMTP_NOTIFY_FAILURE |
	  SMTP_NOTIFY_DELAY, .orcpt = { "rfc822;a+b=c@x", 14 } },
	{ .to = { UTF8, 9 }, .notify = SMTP_NOTIFY_NEVER,
	  .orcpt = { "utf-8;" UTF8, 15 } },
};
static const struct dialogue params[] = {
	{ "all parameters",
	  .mail = { FROM, .rcpts = odd, .n_rcpts = 3, .size = 4,
		.body = SMTP_BODY_8BITMIME, .has_requiretls = true,
		.has_priority = true, .priority = -3, .ret = SMTP_RET_HDRS,
		.envid = { "a b", 3 },
		.hold_until = { "2026-11-23T18:20:05Z", 20 },
		.by_mode = 'R', .by_seconds = 120, .by_trace = true },
	  .config = { .has_tls = true },
	  .script = { HELLO, "250-x\r\n250-SIZE 1000\r\n250-8bitmime\r\n"
		      "250-PIPELINING\r\n250-SMTPUTF8\r\n250-DSN\r\n"
		      "250-REQUIRETLS\r\n250-MT-PRIORITY MIXER\r\n"
		      "250-DELIVERBY 10\r\n"
		      "250 FUTURERELEASE 10000 2030-01-01T00:00:00Z\r\n" },
	  .want = ">EHLO me|\n"
		  "!rcpt 0 permfail MAIL FROM 0 5.1.3\n"
		  MAIL " SIZE=4 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b"
		  " REQUIRETLS MT-PRIORITY=-3 HOLDUNTIL=2026-11-23T18:20:05Z"
		  " BY=120;RT|"
		  "RCPT TO:<\"a b\"@x.org> NOTIFY=FAILURE,DELAY"
		  " ORCPT=rfc822;a+2Bb+3Dc@x|"
		  "RCPT TO:<" UTF8 "> NOTIFY=NEVER ORCPT=utf-8;" UTF8
		  "|DATA|\n" },
	{ "what the server lacks is left out, or fails",
	  .mail = { .rcpts = odd, .n_rcpts = 3, .has_priority = true,
		.ret = SMTP_RET_FULL, .envid = { "x", 1 },
		.hold_until = { "2026-11-23T18:20:05Z", 20 },
		.by_mode = 'N', .by_seconds = 120 },
	  .script = { HELLO, "250-x\r\n250 PIPELINING\r\n" },
	  .want = ">EHLO me|\n"
		  "!rcpt 0 permfail MAIL FROM 0 5.1.3\n"
		  "!rcpt 2 permfail MAIL FROM 0 5.6.7\n"
		  ">MAIL FROM:<>|RCPT TO:<\"a b\"@x.org>|DATA|\n" },
	{ "ignored as if not announced", .mail = ONE,
	  .config = { .ignore = SMTP_CAP_PIPELINING | SMTP_CAP_SIZE },
	  .script = { HELLO, "250-x\r\n250-SIZE 1\r\n250 PIPELINING\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n" },
#define FAILS(name_, want_, ...) \
	{ name_, \
	  .mail = { FROM, .rcpts = one, .n_rcpts = 1, __VA_ARGS__ }, \
	  .script = { HELLO, "250-x\r\n250 SIZE 10\r\n" }, \
	  .want = ">EHLO me|\n!rcpt 0 permfail MAIL FROM 0 " want_ "\n" \
		  "!done\n>QUIT|\n" }
	FAILS("too large", "5.3.4", .size = 11),
	FAILS("needs 8BITMIME", "5.6.3", .body = SMTP_BODY_8BITMIME),
	FAILS("needs BINARYMIME", "5.6.3", .body = SMTP_BODY_BINARYMIME),
	FAILS("needs SMTPUTF8", "5.6.7", .is_smtputf8 = true),
	FAILS("needs REQUIRETLS", "5.7.30", .has_requiretls = true),
	FAILS("needs DELIVERBY", "5.3.3", .by_mode = 'R'),
};
/* clang-format on */

TEST(each_recipient_gets_the_verdict_that_is_meant_for_it)
{
	check_dialogues(mails, ARRAY_LEN(mails));
}

TEST(parameters_follow_what_the_server_knows)
{
	check_dialogues(params, ARRAY_LEN(params));
}

TEST(more_bytes_than_were_said_never_leave)
{
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = ONE;
	struct smtp_client_event e;
	struct str in = STR(HELLO "250-x\r\n250 CHUNKING\r\n");
	struct smtp_client *c = smtp_client_new(&config);

	mail.size = 4;
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_READY, "ready");
	smtp_client_mail(c, &mail);
	in = STR("250 ok\r\n250 ok\r\n");
	/* One at a time: the second reply answers what the first let go. */
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_BODY, "body");
	smtp_client_body(c, STR("Hi\r\n"));
	smtp_client_body(c, STR("RSET\r\n"));
	smtp_client_end(c, true);
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_RESULT, "one");
	CHECK(e.outcome == TEMPFAIL && e.status.subject == 3, "4.3.0");
	CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_CLOSED, "end");
	CHECK(
	    str_ends(buf_str(smtp_client_out(c)), STR("BDAT 4 LAST\r\nHi\r\n")),
	    "no command");
	smtp_client_free(c);
}

TEST(no_more_commands_than_the_window_run_ahead)
{
	static struct smtp_client_rcpt rcpts[SMTP_CLIENT_WINDOW * 3];
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = { FROM, .rcpts = rcpts, .size = 4 };
	struct run r = { .trace = BUF_INIT(MIB(8)),
		.mails = &mail,
		.n_mails = 1,
		.body = STR("Hi\r\n") };
	size_t answered = 0;

	mail.n_rcpts = ARRAY_LEN(rcpts);
	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i].to = STR("b@x.org");
	r.c = smtp_client_new(&config);
	feed(&r, STR(HELLO PIPE));
	while (count(&r.trace, "DATA|") == 0) {
		size_t sent =
		    count(&r.trace, "MAIL FROM") + count(&r.trace, "RCPT TO");

		CHECK(sent - answered == SMTP_CLIENT_WINDOW, "full");
		feed(&r, STR("250 ok\r\n"));
		answered++;
	}
	while (count(&r.trace, "!body") == 0) {
		CHECK(answered <= mail.n_rcpts + 1, "354 is next");
		feed(&r, answered++ <= mail.n_rcpts ? STR("250 ok\r\n")
						    : STR("354 go\r\n"));
	}
	feed(&r, STR("250 ok\r\n"));
	CHECK(count(&r.trace, "!rcpt") == mail.n_rcpts, "all");
	CHECK(smtp_client_mails(r.c) == 1, "one");
	smtp_client_free(r.c);
	buf_done(&r.trace);
}

TEST_MAIN(UNIT(each_recipient_gets_the_verdict_that_is_meant_for_it),
    UNIT(parameters_follow_what_the_server_knows),
    UNIT(more_bytes_than_were_said_never_leave),
    UNIT(no_more_commands_than_the_window_run_ahead))
