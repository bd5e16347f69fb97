/* SPDX-License-Identifier: ISC */
/* smtp_client_loss_test.c - connections and dialogues that break. */
#include "smtp_client_kit.h"

/* The last recipient's result is that of the session, too. */
#define BOTH(what) "!rcpt 0 " what "\n!closed " what "\n"
/* clang-format off */
static const struct dialogue losses[] = {
	{ "lost at MAIL", .mail = ONE, .script = { HELLO, PLAIN, "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  BOTH("tempfail MAIL FROM 0 4.4.2 lost") },
	{ "lost at RCPT, one result is known", .mail = THREE,
	  .script = { HELLO, PIPE, "250 ok\r\n550 5.1.1 a\r\n250 ok\r\n",
		      "<lost>" },
	  .want = ">EHLO me|\n" MAIL "|" RCPTS "DATA|\n"
		  "!rcpt 0 permfail RCPT TO 550 5.1.1 5.1.1 a\n"
		  "!rcpt 1 tempfail RCPT TO 0 4.4.2 lost\n"
		  "!rcpt 2 tempfail RCPT TO 0 4.4.2 lost\n"
		  "!closed tempfail RCPT TO 0 4.4.2 lost\n" },
	{ "lost behind the end", .mail = ONE,
	  .script = { HELLO, PIPE, TAKEN, "<lost>" },
	  .want = SENT ">Hi|.|\n"
		  BOTH("tempfail end of message 0 4.4.2 dup lost") },
	{ "lost, and the end never left", .mail = ONE,
	  .script = { HELLO, PIPE, TAKEN, "<unsent>" },
	  .want = SENT ">Hi|.|\n"
		  BOTH("tempfail end of message 0 4.4.2 lost") },
	{ "421 behind the end is an answer", .mail = ONE,
	  .script = { HELLO, PIPE, TAKEN, "421 4.3.2 down\r\n" },
	  .want = SENT ">Hi|.|\n"
		  BOTH("tempfail end of message 421 4.3.2 4.3.2 down") },
	{ "nonsense behind the end is none", .mail = ONE,
	  .script = { HELLO, PIPE, TAKEN, "ok\r\n" },
	  .want = SENT ">Hi|.|\n"
		  BOTH("tempfail end of message 0 4.5.0 dup proto") },
	{ "421 to a recipient concerns all", .mail = THREE,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n",
		      "421 4.7.0 slow down\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n"
		  ">RCPT TO:<c@x.org>|\n"
		  "!rcpt 0 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!rcpt 1 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!rcpt 2 tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n"
		  "!closed tempfail RCPT TO 421 4.7.0 4.7.0 slow down\n" },
	{ "message cannot be read", .mail = ONE, .is_body_cut = true,
	  .script = { HELLO, PIPE, TAKEN },
	  .want = SENT "!rcpt 0 tempfail message 0 4.3.0\n"
		  "!closed tempfail message 0 4.3.0\n>Hi|\n" },
	{ "message longer than was said",
	  .mail = { FROM, .rcpts = one, .n_rcpts = 1, .size = 2 },
	  .script = { HELLO, PIPE, TAKEN },
	  .want = SENT BOTH("tempfail message 0 4.3.0") },
	{ "RSET refused is nobody's fault", .mail = ONE, .n_mails = 2,
	  .script = { HELLO, PLAIN, "550 a\r\n", "500 b\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  "!rcpt 0 permfail MAIL FROM 550 5.0.0 a\n!done\n>RSET|\n"
		  BOTH("tempfail RSET 500 5.0.0 b") },
	{ "a last word in the middle of the message", .mail = ONE,
	  .is_body_held = true,
	  .script = { HELLO, PIPE, TAKEN, "552 5.3.4 too big\r\n" },
	  .want = SENT ">Hi|\n"
		  BOTH("permfail message 552 5.3.4 5.3.4 too big") },
	{ "success in the middle of the message is none", .mail = ONE,
	  .is_body_held = true,
	  .script = { HELLO, PIPE, TAKEN, "250 ok\r\n" },
	  .want = SENT ">Hi|\n" BOTH("tempfail message 0 4.5.0 proto") },
	{ "lost in the middle of the message", .mail = ONE,
	  .is_body_held = true,
	  .script = { HELLO, PIPE, TAKEN, "<lost>" },
	  .want = SENT ">Hi|\n" BOTH("tempfail message 0 4.4.2 lost") },
	{ "DATA answered 250", .mail = ONE,
	  .script = { HELLO, PLAIN, "250 ok\r\n", "250 ok\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n>RCPT TO:<b@x.org>|\n>DATA|\n"
		  BOTH("tempfail DATA 0 4.5.0 proto") },
	{ "MAIL answered 354", .mail = ONE,
	  .script = { HELLO, PLAIN, "354 ok\r\n" },
	  .want = ">EHLO me|\n" MAIL "|\n"
		  BOTH("tempfail MAIL FROM 0 4.5.0 proto") },
};
/* clang-format on */

TEST(what_is_lost_is_temporary_and_maybe_a_duplicate)
{
	check_dialogues(losses, ARRAY_LEN(losses));
}

/* Wherever it is cut, each recipient has one result, and the right one. */
TEST(a_dialogue_may_be_cut_anywhere)
{
	static const char script[] =
	    HELLO PIPE "250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"
		       "250 done\r\n221 bye\r\n";
	const struct smtp_client_config config = { .helo = STR("me") };
	struct smtp_client_mail mail = THREE;

	mail.size = 4;
	for (size_t cut = 0; cut < strlen(script); cut++) {
		size_t end = strlen(script) - strlen("221 bye\r\n");
		struct run r = { .trace = BUF_INIT(MIB(1)),
			.mails = &mail,
			.n_mails = 1,
			.body = STR("Hi\r\n") };

		r.c = smtp_client_new(&config);
		for (size_t i = 0; i < cut; i++)
			feed(&r, str_make(script + i, 1));
		smtp_client_lost(r.c, SMTP_CLIENT_LOSS_CLOSED, 0);
		feed(&r, STR_NONE);
		CHECK(count(&r.trace, "!closed") == 1, "closed");
		CHECK(count(&r.trace, "!rcpt") == (r.next ? 3 : 0), "results");
		CHECK(count(&r.trace, "!rcpt 0 done") == (cut >= end), "first");
		CHECK(count(&r.trace, "!rcpt 2 done") == (cut >= end), "third");
		/* The loss is told by CLOSED as well. */
		CHECK(count(&r.trace, "dup") ==
			  (count(&r.trace, ">Hi") && cut < end ? 3 : 0),
		    "duplicates");
		smtp_client_free(r.c);
		buf_done(&r.trace);
	}
}

TEST_MAIN(UNIT(what_is_lost_is_temporary_and_maybe_a_duplicate),
    UNIT(a_dialogue_may_be_cut_anywhere))
