/* SPDX-License-Identifier: ISC */
/* smtp_command_test.c - verbs, arguments, ESMTP parameters. */
#include "../../test.h"
#include "proto/smtp/smtp_command.h"
#include "proto/smtp/smtp_xtext.h"

static const struct smtp_command_options everything = {
	.params = ~0u,
	.is_utf8 = true,
};
static const struct smtp_command_options bare = { 0 };

/* Parse with an arena that lives until the next call. */
static enum smtp_command_error
parse(const char *line, const struct smtp_command_options *options,
    struct smtp_command *cmd)
{
	static struct arena a;

	arena_done(&a);
	arena_init(&a, SMTP_COMMAND_ARENA);
	return smtp_command_parse(&a, str_c(line), options, cmd);
}

/* clang-format off */
static const struct {
	const char *line;
	enum smtp_command_error want;
	enum smtp_verb verb;
} cases[] = {
	{ "EHLO mx.example.net",           SMTP_COMMAND_OK, SMTP_EHLO },
	{ "ehlo [192.0.2.1]",              SMTP_COMMAND_OK, SMTP_EHLO },
	{ "EHLO my_pc ",                   SMTP_COMMAND_OK, SMTP_EHLO },
	{ "HELO localhost",                SMTP_COMMAND_OK, SMTP_HELO },
	{ "LHLO x",                        SMTP_COMMAND_OK, SMTP_LHLO },
	{ "EHLO",                          SMTP_COMMAND_BAD_DOMAIN, SMTP_EHLO },
	{ "EHLO a b",                      SMTP_COMMAND_BAD_DOMAIN, SMTP_EHLO },
	{ "EHLO [1.2.3]",                  SMTP_COMMAND_BAD_DOMAIN, SMTP_EHLO },
	{ "EHLO \xC3\xBC.example",         SMTP_COMMAND_BAD_DOMAIN, SMTP_EHLO },
	{ "MAIL FROM:<a@b>",               SMTP_COMMAND_OK, SMTP_MAIL },
	{ "mail from: <>",                 SMTP_COMMAND_OK, SMTP_MAIL },
	{ "MAIL  FROM:<a@b>  SIZE=1  ",    SMTP_COMMAND_OK, SMTP_MAIL },
	{ "MAIL",                          SMTP_COMMAND_SYNTAX, SMTP_MAIL },
	{ "MAIL TO:<a@b>",                 SMTP_COMMAND_SYNTAX, SMTP_MAIL },
	{ "MAIL FROM <a@b>",               SMTP_COMMAND_SYNTAX, SMTP_MAIL },
	{ "MAIL FROM:",                    SMTP_COMMAND_BAD_PATH, SMTP_MAIL },
	{ "MAIL FROM:a@b",                 SMTP_COMMAND_BAD_PATH, SMTP_MAIL },
	{ "MAIL FROM:<Postmaster>",        SMTP_COMMAND_BAD_PATH, SMTP_MAIL },
	{ "MAIL FROM:<a@b>SIZE=1",         SMTP_COMMAND_SYNTAX, SMTP_MAIL },
	{ "MAIL FROM:<a@b> =1",            SMTP_COMMAND_SYNTAX, SMTP_MAIL },
	{ "MAIL FROM:<a@b> FOO",           SMTP_COMMAND_UNKNOWN_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> NOTIFY=NEVER",  SMTP_COMMAND_UNKNOWN_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> size=1 SIZE=1", SMTP_COMMAND_TWICE, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SIZE",          SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SIZE=",         SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SIZE=-1",       SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SIZE=1=2",      SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SIZE=123456789012345678901",
	                                   SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> BODY=9BIT",     SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SMTPUTF8=1",    SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> SMTPUTF8=",     SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> REQUIRETLS",    SMTP_COMMAND_OK, SMTP_MAIL },
	{ "MAIL FROM:<a@b> RET=ALL",       SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> ENVID=a+0D+0Ab", SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> ENVID=a+2",     SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> ENVID=a+2b",    SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> AUTH=nobody",   SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> MT-PRIORITY=10", SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> MT-PRIORITY=-", SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z",
	                                   SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> BY=5;X",        SMTP_COMMAND_BAD_PARAM, SMTP_MAIL },
	{ "MAIL FROM:<a@b> BY=-5;NT",      SMTP_COMMAND_OK, SMTP_MAIL },
	{ "MAIL FROM:<\xC3\xBC@b>",        SMTP_COMMAND_NEEDS_UTF8, SMTP_MAIL },
	{ "MAIL FROM:<\xC3\xBC@b> SMTPUTF8", SMTP_COMMAND_OK, SMTP_MAIL },
	{ "RCPT TO:<a@b>",                 SMTP_COMMAND_OK, SMTP_RCPT },
	{ "RCPT TO:<Postmaster>",          SMTP_COMMAND_OK, SMTP_RCPT },
	{ "RCPT TO:<>",                    SMTP_COMMAND_BAD_PATH, SMTP_RCPT },
	{ "RCPT TO:<a@b> SIZE=1",          SMTP_COMMAND_UNKNOWN_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> NOTIFY=NEVER,DELAY", SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> NOTIFY=DELAY,",   SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> NOTIFY=DELAY,DELAY", SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> ORCPT=rfc822",    SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> ORCPT=;a",        SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> ORCPT=rfc822;a+0Ab", SMTP_COMMAND_BAD_PARAM, SMTP_RCPT },
	{ "RCPT TO:<a@b> ORCPT=utf-8;\xC3\xBC@b", SMTP_COMMAND_OK, SMTP_RCPT },
	{ "DATA",                          SMTP_COMMAND_OK, SMTP_DATA },
	{ "data ",                         SMTP_COMMAND_OK, SMTP_DATA },
	{ "DATA x",                        SMTP_COMMAND_NO_ARGUMENT, SMTP_DATA },
	{ "RSET",                          SMTP_COMMAND_OK, SMTP_RSET },
	{ "NOOP anything",                 SMTP_COMMAND_OK, SMTP_NOOP },
	{ "QUIT now",                      SMTP_COMMAND_NO_ARGUMENT, SMTP_QUIT },
	{ "STARTTLS",                      SMTP_COMMAND_OK, SMTP_STARTTLS },
	{ "STARTTLS x",                    SMTP_COMMAND_NO_ARGUMENT, SMTP_STARTTLS },
	{ "VRFY",                          SMTP_COMMAND_SYNTAX, SMTP_VRFY },
	{ "EXPN list",                     SMTP_COMMAND_OK, SMTP_EXPN },
	{ "HELP",                          SMTP_COMMAND_OK, SMTP_HELP },
	{ "BDAT",                          SMTP_COMMAND_SYNTAX, SMTP_BDAT },
	{ "BDAT 1",                        SMTP_COMMAND_OK, SMTP_BDAT },
	{ "BDAT 1 LAS",                    SMTP_COMMAND_SYNTAX, SMTP_BDAT },
	{ "BDAT 1 LAST x",                 SMTP_COMMAND_SYNTAX, SMTP_BDAT },
	{ "BDAT LAST",                     SMTP_COMMAND_SYNTAX, SMTP_BDAT },
	{ "BDAT 18446744073709551616",     SMTP_COMMAND_SYNTAX, SMTP_BDAT },
	{ "AUTH",                          SMTP_COMMAND_SYNTAX, SMTP_AUTH },
	{ "AUTH PLAIN =",                  SMTP_COMMAND_OK, SMTP_AUTH },
	{ "AUTH PL\xC3\xA4IN",             SMTP_COMMAND_SYNTAX, SMTP_AUTH },
	{ "AUTH PLAIN a b",                SMTP_COMMAND_SYNTAX, SMTP_AUTH },
	{ "AUTH THIS-NAME-IS-TOO-LONG-FOR-IT", SMTP_COMMAND_SYNTAX, SMTP_AUTH },
	{ "",                              SMTP_COMMAND_UNKNOWN_VERB, SMTP_UNKNOWN },
	{ " EHLO x",                       SMTP_COMMAND_UNKNOWN_VERB, SMTP_UNKNOWN },
	{ "EHLO\tx",                       SMTP_COMMAND_BAD_CHAR, SMTP_UNKNOWN },
	{ "TURN",                          SMTP_COMMAND_UNKNOWN_VERB, SMTP_UNKNOWN },
	{ "MAILFROM:<a@b>",                SMTP_COMMAND_UNKNOWN_VERB, SMTP_UNKNOWN },
	{ "GET / HTTP/1.1",                SMTP_COMMAND_FOREIGN, SMTP_UNKNOWN },
	{ "post /x HTTP/1.1",              SMTP_COMMAND_FOREIGN, SMTP_UNKNOWN },
	{ "NOOP \x01",                     SMTP_COMMAND_BAD_CHAR, SMTP_NOOP },
	{ "NOOP \xC3",                     SMTP_COMMAND_BAD_CHAR, SMTP_NOOP },
	{ "VRFY \xC3\xBC",                 SMTP_COMMAND_OK, SMTP_VRFY },
};
/* clang-format on */

TEST(each_line_gets_its_verb_and_verdict)
{
	struct smtp_command cmd;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(parse(cases[i].line, &everything, &cmd) == cases[i].want,
		    cases[i].line);
		CHECK(cmd.verb == cases[i].verb, cases[i].line);
	}
}

TEST(parameters_that_were_not_announced_are_unknown)
{
	static const char *const lines[] = { "MAIL FROM:<a@b> SIZE=1",
		"MAIL FROM:<a@b> BODY=8BITMIME", "MAIL FROM:<a@b> SMTPUTF8",
		"MAIL FROM:<a@b> AUTH=<>", "RCPT TO:<a@b> NOTIFY=NEVER",
		"RCPT TO:<a@b> ORCPT=rfc822;a@b" };
	static const struct smtp_command_options no_binary = {
		.params = SMTP_PARAM_BODY,
	};
	struct smtp_command cmd;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CHECK(
		    parse(lines[i], &bare, &cmd) == SMTP_COMMAND_UNKNOWN_PARAM,
		    lines[i]);
		CHECK(cmd.culprit.n > 0, lines[i]);
	}
	CHECK(parse("MAIL FROM:<a@b> BODY=BINARYMIME", &no_binary, &cmd) ==
		  SMTP_COMMAND_BAD_PARAM,
	    "BINARYMIME");
	CHECK(parse("RCPT TO:<\xC3\xBC@b>", &bare, &cmd) ==
		  SMTP_COMMAND_NEEDS_UTF8,
	    "RCPT in an ASCII transaction");
	CHECK(parse("MAIL FROM:<\xC3\xBC@b>", &bare, &cmd) ==
		  SMTP_COMMAND_NEEDS_UTF8,
	    "MAIL without the extension");
}

TEST(mail_parameters_are_values)
{
	struct smtp_command cmd;
	struct smtp_mail *mail = &cmd.u.mail;

	CHECK(parse("MAIL FROM:<A@B> SIZE=99999999999999999999 "
		    "BODY=binarymime SMTPUTF8 RET=hdrs ENVID=QQ+2B314+20x "
		    "AUTH=e+3Dmc2@Example.com MT-PRIORITY=-9 HOLDFOR=60 "
		    "BY=120;RT REQUIRETLS",
		  &everything, &cmd) == SMTP_COMMAND_OK,
	    "parse");
	CHECK(mail->size == UINT64_MAX, "a size above all limits");
	CHECK(mail->body == SMTP_BODY_BINARYMIME, "body");
	CHECK(mail->ret == SMTP_RET_HDRS, "ret");
	CHECK(str_eq(mail->envid, STR("QQ+314 x")), "envid");
	CHECK(str_eq(mail->auth.local, STR("e=mc2")), "auth");
	CHECK(str_eq(mail->auth.domain, STR("example.com")), "auth");
	CHECK(mail->mt_priority == -9, "priority");
	CHECK(mail->hold_seconds == 60, "hold");
	CHECK(str_eq(mail->by, STR("120;RT")), "by");
	CHECK(mail->given & SMTP_PARAM_REQUIRETLS, "requiretls");
	CHECK(parse("MAIL FROM:<a@b> AUTH=<>", &everything, &cmd) ==
		  SMTP_COMMAND_OK,
	    "null");
	CHECK(mail->auth.is_null, "null");
	CHECK(mail->body == SMTP_BODY_7BIT && !mail->ret, "defaults");
}

TEST(rcpt_bdat_auth_and_helo_are_values)
{
	struct smtp_command cmd;

	CHECK(parse("RCPT TO:<a@b> NOTIFY=success,Failure "
		    "ORCPT=RFC822;x+40y@z",
		  &everything, &cmd) == SMTP_COMMAND_OK,
	    "rcpt");
	CHECK(cmd.u.rcpt.notify == (SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE),
	    "notify");
	CHECK(str_eq(cmd.u.rcpt.orcpt_type, STR("rfc822")), "type");
	CHECK(str_eq(cmd.u.rcpt.orcpt, STR("x@y@z")), "orcpt");
	CHECK(parse("BDAT 18446744073709551615  last", &bare, &cmd) ==
		  SMTP_COMMAND_OK,
	    "bdat");
	CHECK(cmd.u.bdat.size == UINT64_MAX && cmd.u.bdat.is_last, "bdat");
	CHECK(parse("auth scram-sha-256 biws", &bare, &cmd) == SMTP_COMMAND_OK,
	    "auth");
	CHECK(str_eq(cmd.u.auth.mechanism, STR("SCRAM-SHA-256")), "mechanism");
	CHECK(str_eq(cmd.u.auth.initial, STR("biws")), "initial");
	CHECK(parse("AUTH PLAIN", &bare, &cmd) == SMTP_COMMAND_OK, "auth");
	CHECK(!cmd.u.auth.has_initial, "no initial response");
	CHECK(parse("EHLO [IPv6:2001:DB8::1]", &bare, &cmd) == SMTP_COMMAND_OK,
	    "ehlo");
	CHECK(str_eq(cmd.u.helo.domain, STR("[IPv6:2001:db8::1]")), "ehlo");
	CHECK(cmd.u.helo.is_literal, "ehlo");
}

static enum smtp_command_error
parse_long(const char *start, size_t n, struct smtp_command *cmd)
{
	struct buf line = BUF_INIT(KIB(4));
	enum smtp_command_error e;

	buf_put_c(&line, start);
	for (size_t i = 0; i < n; i++)
		buf_put_char(&line, 'x');
	e = parse(buf_c(&line), &everything, cmd);
	buf_done(&line);
	return e;
}

TEST(long_values_end_at_their_limits)
{
	const char *envid = "MAIL FROM:<a@b> ENVID=";
	const char *orcpt = "RCPT TO:<a@b> ORCPT=rfc822;";
	struct smtp_command cmd;

	CHECK(parse_long(envid, 100, &cmd) == SMTP_COMMAND_OK, "100");
	CHECK(parse_long(envid, 101, &cmd) == SMTP_COMMAND_BAD_PARAM, "101");
	CHECK(parse_long(orcpt, 493, &cmd) == SMTP_COMMAND_OK, "500");
	CHECK(parse_long(orcpt, 494, &cmd) == SMTP_COMMAND_BAD_PARAM, "501");
}

TEST(xtext_round_trips_and_is_strict)
{
	static const char *const bad[] = { "a b", "a=b", "a+", "a+2", "a+2g",
		"a+2b", "\xC3\xBC", "\x7F" };
	struct buf a = BUF_INIT(100), b = BUF_INIT(100);

	smtp_xtext_encode(&a, STR("a+b=c \xC3\r\n\0~"));
	CHECK(str_eq(buf_str(&a), STR("a+2Bb+3Dc+20+C3+0D+0A+00~")), "encode");
	CHECK(smtp_xtext_decode(&b, buf_str(&a)), "decode");
	CHECK(str_eq(buf_str(&b), STR("a+b=c \xC3\r\n\0~")), "decode");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t before = b.n;

		CHECK(!smtp_xtext_decode(&b, str_c(bad[i])), bad[i]);
		CHECK(b.n == before, bad[i]);
	}
	buf_done(&a);
	buf_done(&b);
}

TEST_MAIN(UNIT(each_line_gets_its_verb_and_verdict),
    UNIT(parameters_that_were_not_announced_are_unknown),
    UNIT(mail_parameters_are_values), UNIT(rcpt_bdat_auth_and_helo_are_values),
    UNIT(long_values_end_at_their_limits),
    UNIT(xtext_round_trips_and_is_strict))
