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
#define E(name) SMTP_COMMAND_##name
#define V(name) SMTP_VERB_##name
static const struct {
	const char *line;
	enum smtp_command_error want;
	enum smtp_verb verb;
} cases[] = {
	{ "EHLO mx.example.net",           E(OK), V(EHLO) },
	{ "ehlo [192.0.2.1]",              E(OK), V(EHLO) },
	{ "EHLO my_pc ",                   E(OK), V(EHLO) },
	{ "HELO localhost",                E(OK), V(HELO) },
	{ "LHLO x",                        E(OK), V(LHLO) },
	{ "EHLO",                          E(BAD_DOMAIN), V(EHLO) },
	{ "EHLO a b",                      E(BAD_DOMAIN), V(EHLO) },
	{ "EHLO [1.2.3]",                  E(BAD_DOMAIN), V(EHLO) },
	{ "EHLO \xC3\xBC.example",         E(BAD_DOMAIN), V(EHLO) },
	{ "MAIL FROM:<a@b>",               E(OK), V(MAIL) },
	{ "mail from: <>",                 E(OK), V(MAIL) },
	{ "MAIL  FROM:<a@b>  SIZE=1  ",    E(OK), V(MAIL) },
	{ "MAIL",                          E(SYNTAX), V(MAIL) },
	{ "MAIL TO:<a@b>",                 E(SYNTAX), V(MAIL) },
	{ "MAIL FROM <a@b>",               E(SYNTAX), V(MAIL) },
	{ "MAIL FROM:",                    E(BAD_PATH), V(MAIL) },
	{ "MAIL FROM:a@b",                 E(BAD_PATH), V(MAIL) },
	{ "MAIL FROM:<Postmaster>",        E(BAD_PATH), V(MAIL) },
	{ "MAIL FROM:<a@b>SIZE=1",         E(SYNTAX), V(MAIL) },
	{ "MAIL FROM:<a@b> =1",            E(SYNTAX), V(MAIL) },
	{ "MAIL FROM:<a@b> FOO",           E(UNKNOWN_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> NOTIFY=NEVER",  E(UNKNOWN_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> size=1 SIZE=1", E(TWICE), V(MAIL) },
	{ "MAIL FROM:<a@b> SIZE",          E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SIZE=",         E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SIZE=-1",       E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SIZE=1=2",      E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SIZE=123456789012345678901",
	                                   E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BODY=9BIT",     E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SMTPUTF8=1",    E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> SMTPUTF8=",     E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> REQUIRETLS",    E(OK), V(MAIL) },
	{ "MAIL FROM:<a@b> RET=ALL",       E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> ENVID=a+0D+0Ab", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> ENVID=a+2",     E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> ENVID=a+2b",    E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> AUTH=nobody",   E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> MT-PRIORITY=10", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> MT-PRIORITY=-", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z",
	                                   E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=5;X",        E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=-5;NT",      E(OK), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=-5;R",       E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=0;R",        E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=+1;rt",      E(OK), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=+-1;N",      E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=5;NTT",      E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=5",          E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> BY=1234567890;N", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> REQUIRETLS=1",  E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> HOLDFOR=1234567890", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> HOLDFOR=-1",    E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> HOLDUNTIL=2026-02-30T00:00:00Z",
	                                   E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<a@b> HOLDUNTIL=tomorrow", E(BAD_PARAM), V(MAIL) },
	{ "MAIL FROM:<\xC3\xBC@b>",        E(NEEDS_UTF8), V(MAIL) },
	{ "MAIL FROM:<\xC3\xBC@b> SMTPUTF8", E(OK), V(MAIL) },
	{ "RCPT TO:<a@b>",                 E(OK), V(RCPT) },
	{ "RCPT TO:<Postmaster>",          E(OK), V(RCPT) },
	{ "RCPT TO:<>",                    E(BAD_PATH), V(RCPT) },
	{ "RCPT TO:<a@b> SIZE=1",          E(UNKNOWN_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> NOTIFY=NEVER,DELAY", E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> NOTIFY=DELAY,",   E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> NOTIFY=DELAY,DELAY", E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> ORCPT=rfc822",    E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> ORCPT=;a",        E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> ORCPT=rfc822;a+0Ab", E(BAD_PARAM), V(RCPT) },
	{ "RCPT TO:<a@b> ORCPT=utf-8;\xC3\xBC@b", E(OK), V(RCPT) },
	{ "DATA",                          E(OK), V(DATA) },
	{ "data ",                         E(OK), V(DATA) },
	{ "DATA x",                        E(NO_ARGUMENT), V(DATA) },
	{ "RSET",                          E(OK), V(RSET) },
	{ "NOOP anything",                 E(OK), V(NOOP) },
	{ "QUIT now",                      E(NO_ARGUMENT), V(QUIT) },
	{ "STARTTLS",                      E(OK), V(STARTTLS) },
	{ "STARTTLS x",                    E(NO_ARGUMENT), V(STARTTLS) },
	{ "VRFY",                          E(SYNTAX), V(VRFY) },
	{ "EXPN list",                     E(OK), V(EXPN) },
	{ "HELP",                          E(OK), V(HELP) },
	{ "BDAT",                          E(SYNTAX), V(BDAT) },
	{ "BDAT 1",                        E(OK), V(BDAT) },
	{ "BDAT 1 LAS",                    E(SYNTAX), V(BDAT) },
	{ "BDAT 1 LAST x",                 E(SYNTAX), V(BDAT) },
	{ "BDAT LAST",                     E(SYNTAX), V(BDAT) },
	{ "BDAT 18446744073709551616",     E(SYNTAX), V(BDAT) },
	{ "AUTH",                          E(SYNTAX), V(AUTH) },
	{ "AUTH PLAIN =",                  E(OK), V(AUTH) },
	{ "AUTH PL\xC3\xA4IN",             E(SYNTAX), V(AUTH) },
	{ "AUTH PLAIN a b",                E(SYNTAX), V(AUTH) },
	{ "AUTH THIS-NAME-IS-TOO-LONG-FOR-IT", E(SYNTAX), V(AUTH) },
	{ "",                              E(UNKNOWN_VERB), V(UNKNOWN) },
	{ " EHLO x",                       E(UNKNOWN_VERB), V(UNKNOWN) },
	{ "EHLO\tx",                       E(BAD_CHAR), V(UNKNOWN) },
	{ "TURN",                          E(UNKNOWN_VERB), V(UNKNOWN) },
	{ "MAILFROM:<a@b>",                E(UNKNOWN_VERB), V(UNKNOWN) },
	{ "GET / HTTP/1.1",                E(FOREIGN), V(UNKNOWN) },
	{ "post /x HTTP/1.1",              E(FOREIGN), V(UNKNOWN) },
	{ "NOOP \x01",                     E(BAD_CHAR), V(NOOP) },
	{ "NOOP \xC3",                     E(BAD_CHAR), V(NOOP) },
	{ "VRFY \xC3\xBC",                 E(OK), V(VRFY) },
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
	CHECK(mail->by_seconds == 120, "by");
	CHECK(mail->by_mode == (SMTP_BY_RETURN | SMTP_BY_TRACE), "by");
	CHECK(mail->hold_until == 0, "no date");
	CHECK(mail->given & SMTP_PARAM_REQUIRETLS, "requiretls");
	CHECK(parse("MAIL FROM:<a@b> AUTH=<>", &everything, &cmd) ==
		  SMTP_COMMAND_OK,
	    "null");
	CHECK(mail->auth.is_null, "null");
	CHECK(mail->body == SMTP_BODY_7BIT && !mail->ret, "defaults");
	CHECK(parse("MAIL FROM:<a@b> HOLDUNTIL=2026-11-23T21:25:57+05:30 "
		    "BY=-5;n MT-PRIORITY=+3",
		  &everything, &cmd) == SMTP_COMMAND_OK,
	    "times");
	CHECK(mail->hold_until == 1795449357, "hold");
	CHECK(mail->by_seconds == -5 && mail->by_mode == SMTP_BY_NOTIFY, "by");
	CHECK(mail->mt_priority == 3, "priority");
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

TEST(a_small_arena_is_an_error_of_its_own_and_never_another)
{
	static const char *const lines[] = {
		"MAIL FROM:<\"a b\"@[192.0.2.1]> ENVID=x AUTH=a@b",
		"RCPT TO:<a@b> ORCPT=rfc822;a@b", "AUTH PLAIN", "EHLO x"
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		enum smtp_command_error e = SMTP_COMMAND_NO_MEMORY;
		size_t max = 0;

		for (; max < KIB(1) && e == SMTP_COMMAND_NO_MEMORY; max++) {
			struct smtp_command cmd;
			struct arena a;

			arena_init(&a, max);
			e = smtp_command_parse(
			    &a, str_c(lines[i]), &everything, &cmd);
			arena_done(&a);
		}
		CHECK(max > 1 && e == SMTP_COMMAND_OK, lines[i]);
	}
}

TEST(every_verb_and_error_has_a_name_of_its_own)
{
	struct smtp_command cmd;

	for (int v = SMTP_VERB_EHLO; v <= SMTP_VERB_AUTH; v++) {
		const char *name = smtp_verb_str((enum smtp_verb)v);

		(void)!parse(name, &bare, &cmd);
		CHECK(cmd.verb == (enum smtp_verb)v, name);
	}
	CHECK(strcmp(smtp_verb_str(SMTP_VERB_UNKNOWN), "UNKNOWN") == 0, "?");
	for (int a = SMTP_COMMAND_OK; a <= SMTP_COMMAND_NO_MEMORY; a++)
		for (int b = SMTP_COMMAND_OK; b < a; b++)
			CHECK(strcmp(smtp_command_error_str(
					 (enum smtp_command_error)a),
				  smtp_command_error_str(
				      (enum smtp_command_error)b)) != 0,
			    "distinct");
	for (int a = SMTP_PATH_OK; a <= SMTP_PATH_NO_MEMORY; a++)
		for (int b = SMTP_PATH_OK; b < a; b++)
			CHECK(
			    strcmp(smtp_path_error_str((enum smtp_path_error)a),
				smtp_path_error_str((enum smtp_path_error)b)) !=
				0,
			    "distinct");
}

TEST_MAIN(UNIT(a_small_arena_is_an_error_of_its_own_and_never_another),
    UNIT(every_verb_and_error_has_a_name_of_its_own),
    UNIT(each_line_gets_its_verb_and_verdict),
    UNIT(parameters_that_were_not_announced_are_unknown),
    UNIT(mail_parameters_are_values), UNIT(rcpt_bdat_auth_and_helo_are_values),
    UNIT(long_values_end_at_their_limits),
    UNIT(xtext_round_trips_and_is_strict))
