/* SPDX-License-Identifier: ISC */
/*
 * session_test.c - whole dialogues of the SMTP server.
 *
 * Each script is played twice: as fast as a pipelining client sends it, and
 * one byte a write. The replies must be the same: what a client is told does
 * not depend on how its bytes were cut.
 */
#include "session_kit.h"

/* clang-format off */
static const struct script {
	const char *name;
	enum service service;
	const char *in;
	const char *want;
} scripts[] = {
	{ "a message", SERVICE_MX, HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "HELO", SERVICE_MX, "HELO x\r\n" MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "the null sender", SERVICE_MX, HELLO "MAIL FROM:<>\r\n" RCPT "DATA\r\n.\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "unknown user", SERVICE_MX, HELLO MAIL "RCPT TO:<nobody@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|" BYE },
	{ "cannot tell", SERVICE_MX, HELLO MAIL "RCPT TO:<later@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|451 4.3.0|" BYE },
	{ "mailbox is full", SERVICE_MX, HELLO MAIL "RCPT TO:<full@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|452 4.2.2|" BYE },
	{ "declared too big for the mailbox", SERVICE_MX,
	  HELLO "MAIL FROM:<> SIZE=20\r\nRCPT TO:<small@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|452 4.2.2|" BYE },
	{ "is too big for the mailbox", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<small@demo.example>\r\nDATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "452 4.2.2|" BYE },
	{ "no open relay", SERVICE_MX, HELLO MAIL "RCPT TO:<x@else.example>\r\n"
	  "RCPT TO:<@demo.example:x@else.example>\r\nRCPT TO:<\"x@else.example\"@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.7.1|550 5.7.1|250 2.1.5|" BYE },
	{ "Postmaster without a domain", SERVICE_MX, HELLO MAIL "RCPT TO:<Postmaster>\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|" BYE },
	{ "some recipients are bad", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<nobody@demo.example>\r\n" RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|250 2.1.5|354|250 2.0.0|" BYE },
	{ "pipelined behind a failed MAIL", SERVICE_MX,
	  HELLO "MAIL FROM:<bad\r\n" RCPT "DATA\r\n" QUIT,
	  "220|250|501 5.1.7|503 5.5.1|503 5.5.1|" BYE },
	{ "DATA without recipients", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<nobody@demo.example>\r\nDATA\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|554 5.5.1|" BYE },
	{ "too many recipients", SERVICE_MX, HELLO MAIL RCPT RCPT RCPT RCPT QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|250 2.1.5|452 4.5.3|" BYE },
	{ "too many messages", SERVICE_MX,
	  HELLO MAIL RCPT "DATA\r\n.\r\n" MAIL RCPT "DATA\r\n.\r\n" MAIL,
	  OK "250 2.0.0|250 2.1.0|250 2.1.5|354|250 2.0.0|421 4.7.0" },
	{ "order", SERVICE_MX, MAIL HELLO RCPT MAIL MAIL "RSET\r\n" RCPT QUIT,
	  "220|503 5.5.1|250|503 5.5.1|250 2.1.0|503 5.5.1|250 2.0.0|503 5.5.1|" BYE },
	{ "EHLO starts over", SERVICE_MX, HELLO MAIL HELLO RCPT QUIT,
	  "220|250|250 2.1.0|250|503 5.5.1|" BYE },
	{ "small commands", SERVICE_MX, HELLO "NOOP\r\nVRFY alice\r\nEXPN list\r\nHELP\r\nFOO\r\n" QUIT,
	  "220|250|250 2.0.0|252 2.0.0|502 5.5.1|214 2.0.0|500 5.5.1|" BYE },
	{ "parameters", SERVICE_MX, HELLO "MAIL FROM:<> FOO=1\r\n"
	  "MAIL FROM:<> SIZE=5000\r\nMAIL FROM:<> SIZE=x\r\n"
	  "MAIL FROM:<> RET=HDRS ENVID=a+20b BODY=8BITMIME SMTPUTF8\r\n"
	  "RCPT TO:<alice@demo.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.example\r\n" QUIT,
	  "220|250|555 5.5.4|552 5.3.4|501 5.5.4|250 2.1.0|250 2.1.5|" BYE },
	{ "no parameters with HELO", SERVICE_MX, "HELO x\r\nMAIL FROM:<> SIZE=1\r\n" QUIT,
	  "220|250|555 5.5.4|" BYE },
	{ "bare LF in a command", SERVICE_MX, HELLO "NOOP\nNOOP\r\n", "220|250|500 5.5.2" },
	{ "bare LF in DATA", SERVICE_MX,
	  HELLO MAIL RCPT "DATA\r\nSubject: x\n\r\nHi\r\n.\r\n" QUIT,
	  OK "550 5.6.11|" BYE },
	{ "no smuggling", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: b\r\n\r\nx\n.\r\n" MAIL RCPT
	  "DATA\r\nx\r\n.\n" MAIL "x\r.\r\n\r\n.\r\n" QUIT, OK "550 5.6.11|" BYE },
	{ "dots", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: b\r\n\r\n..\r\n...\r\n.\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "a NUL in DATA", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: %0\r\n.\r\n" QUIT, OK "554 5.6.0|" BYE },
	{ "a loop", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nReceived: 1\r\nReceived: 2\r\n"
	  "Received: 3\r\nReceived: 4\r\n\r\n.\r\n" QUIT, OK "554 5.4.6|" BYE },
	{ "hops at the limit", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nReceived: 1\r\nReceived: 2\r\n"
	  "Received: 3\r\n\r\n.\r\n" QUIT, OK "250 2.0.0|" BYE },
	{ "the filter says no", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nX-Bad: yes\r\n\r\n.\r\n" QUIT,
	  OK "550 5.7.1|" BYE },
	{ "the filter cannot tell", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nX-Later: yes\r\n\r\n.\r\n" QUIT,
	  OK "451 4.7.1|" BYE },
	{ "removed since RCPT", SERVICE_MX, HELLO MAIL "RCPT TO:<gone@demo.example>\r\nDATA\r\n.\r\n" QUIT,
	  OK "550 5.1.1|" BYE },
	{ "too many errors", SERVICE_MX, HELLO "A\r\nB\r\nC\r\nD\r\nE\r\nF\r\nG\r\nNOOP\r\n",
	  "220|250|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|421 4.7.0" },
	{ "HTTP", SERVICE_MX, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "220|500 5.5.1" },
	{ "no AUTH on MX", SERVICE_MX, HELLO SIGN_IN QUIT, "220|250|502 5.5.1|" BYE },
	{ "no TLS without a certificate", SERVICE_MX, HELLO "STARTTLS\r\nSTARTTLS x\r\n" QUIT,
	  "220|250|454 4.7.0|501 5.5.4|" BYE },

	{ "BDAT", SERVICE_MX, HELLO MAIL RCPT "BDAT 8\r\nA: b\r\n\r\nBDAT 4 LAST\r\nHi\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BDAT LAST of no bytes", SERVICE_MX, HELLO MAIL RCPT "BDAT 6\r\nA: b\r\nBDAT 0 LAST\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BDAT skips its bytes", SERVICE_MX, HELLO MAIL "BDAT 6\r\nNOOP\r\nNOOP\r\n" QUIT,
	  "220|250|250 2.1.0|554 5.5.1|250 2.0.0|" BYE },
	{ "BDAT before MAIL", SERVICE_MX, HELLO "BDAT 6 LAST\r\nNOOP\r\n" QUIT,
	  "220|250|503 5.5.1|" BYE },
	{ "BDAT, then DATA", SERVICE_MX, HELLO MAIL RCPT "BDAT 2\r\nA:DATA\r\nRSET\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|503 5.5.1|250 2.0.0|" BYE },
	{ "BDAT of too much", SERVICE_MX, HELLO MAIL RCPT "BDAT 99999999999 LAST\r\n",
	  "220|250|250 2.1.0|250 2.1.5|552 5.3.4" },
	{ "BDAT without a size", SERVICE_MX, HELLO MAIL RCPT "BDAT\r\nNOOP\r\n",
	  "220|250|250 2.1.0|250 2.1.5|501 5.5.4" },
	{ "bare LF in BDAT", SERVICE_MX, HELLO MAIL RCPT "BDAT 5 LAST\r\nA: b\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|550 5.6.11|" BYE },
	{ "CR at the end of a chunk", SERVICE_MX, HELLO MAIL RCPT "BDAT 5\r\nA: b\rBDAT 1 LAST\r\n\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BINARYMIME", SERVICE_MX, HELLO "MAIL FROM:<> BODY=BINARYMIME\r\n" RCPT
	  "DATA\r\nBDAT 6 LAST\r\nA: %0\n\r" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|503 5.5.1|250 2.0.0|" BYE },

	{ "submission wants AUTH", SERVICE_SUBMISSION, HELLO OWN "NOOP\r\n" QUIT,
	  "220|250|530 5.7.0|250 2.0.0|" BYE },
	{ "a submission", SERVICE_SUBMISSION, HELLO SIGN_IN OWN RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|250 2.0.0|" BYE },
	{ "another's address", SERVICE_SUBMISSION, HELLO SIGN_IN MAIL RCPT "MAIL FROM:<>\r\n"
	  "MAIL FROM:<later@demo.example>\r\n" QUIT,
	  "220|250|235 2.7.0|553 5.7.1|503 5.5.1|550 5.7.1|451 4.3.0|" BYE },
	{ "who signed in writes to other servers", SERVICE_SUBMISSION, HELLO SIGN_IN OWN "RCPT TO:<x@else.example>\r\n" QUIT,
	  "220|250|235 2.7.0|250 2.1.0|250 2.1.5|" BYE },
	{ "wrong password", SERVICE_SUBMISSION, HELLO "AUTH PLAIN AGFsaWNlAHdyb25n\r\n" OWN QUIT,
	  "220|250|535 5.7.8|530 5.7.0|" BYE },
	{ "AUTH twice", SERVICE_SUBMISSION, HELLO SIGN_IN SIGN_IN QUIT,
	  "220|250|235 2.7.0|503 5.5.1|" BYE },
	{ "AUTH LOGIN, cancelled, bad", SERVICE_SUBMISSION,
	  HELLO "AUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n%%%\r\nAUTH LOGIN\r\nc2VjcmV0\r\n" QUIT,
	  "220|250|334|501 5.0.0|334|501 5.5.2|334|235 2.7.0|" BYE },
	{ "AUTH SCRAM ends with the server's proof", SERVICE_SUBMISSION,
	  HELLO "AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\n\r\n" OWN QUIT,
	  "220|250|334|235 2.7.0|250 2.1.0|" BYE },
	{ "AUTH unknown", SERVICE_SUBMISSION, HELLO "AUTH CRAM-MD5\r\nAUTH\r\n" QUIT,
	  "220|250|504 5.5.4|501 5.5.4|" BYE },

	{ "LMTP", SERVICE_LMTP, HELLO "HELO x\r\nLHLO x\r\n" MAIL RCPT RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|500 5.5.1|500 5.5.1|250|250 2.1.0|250 2.1.5|250 2.1.5|354|250 2.0.0|250 2.0.0|" BYE },
	{ "LMTP: each on its own", SERVICE_LMTP, "LHLO x\r\n" MAIL "RCPT TO:<gone@demo.example>\r\n" RCPT
	  "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|550 5.1.1|250 2.0.0|" BYE },
	{ "LMTP: bare LF for each", SERVICE_LMTP, "LHLO x\r\n" MAIL RCPT RCPT "DATA\r\nx\ny\r\n.\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|550 5.6.11|550 5.6.11|" BYE },
	{ "LMTP: no recipients", SERVICE_LMTP, "LHLO x\r\n" MAIL "DATA\r\n" QUIT,
	  "220|250|250 2.1.0|503 5.5.1|" BYE },
};
/* clang-format on */

/* "%0" stands for a NUL, which a C string cannot hold. */
static struct str
with_nuls(const char *text, struct buf *to)
{
	for (struct str rest = str_c(text); rest.n > 0;) {
		if (str_starts(rest, STR("%0"))) {
			buf_put_char(to, '\0');
			rest = str_from(rest, 2);
		} else {
			buf_put_char(to, rest.p[0]);
			rest = str_from(rest, 1);
		}
	}
	return buf_str(to);
}

TEST(dialogues_go_by_the_book_however_bytes_are_cut)
{
	static const size_t steps[] = { 100000, 1, 7 };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			struct buf in = BUF_INIT(KIB(64));
			struct play p = { 0 };

			play_init(&p);
			play_run(&p, scripts[i].service,
			    with_nuls(scripts[i].in, &in), steps[k]);
			check_replies(&p, scripts[i].name, scripts[i].want);
			play_done(&p);
			buf_done(&in);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(dialogues_go_by_the_book_however_bytes_are_cut),
	};

	log_init("smtp-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
