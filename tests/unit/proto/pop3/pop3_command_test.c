/* SPDX-License-Identifier: ISC */
/* pop3_command_test.c - verbs and arguments of POP3. */
#include "../../test.h"
#include "proto/pop3/pop3_command.h"

/* clang-format off */
static const struct {
	const char *line;
	enum pop3_command_error want;
	enum pop3_verb verb;
	const char *text;
	uint32_t message, lines;
} cases[] = {
	{ "USER joe@example.net", POP3_COMMAND_OK, POP3_USER, "joe@example.net", 0, 0 },
	{ "user  joe ",      POP3_COMMAND_OK,         POP3_USER, "joe", 0, 0 },
	{ "USER",            POP3_COMMAND_MISSING,    POP3_USER, "", 0, 0 },
	{ "PASS a  b ",      POP3_COMMAND_OK,         POP3_PASS, "a  b ", 0, 0 },
	{ "PASS \x01\xFF",   POP3_COMMAND_OK,         POP3_PASS, "\x01\xFF", 0, 0 },
	{ "PASS a\rb",       POP3_COMMAND_BAD_CHAR,   POP3_PASS, "", 0, 0 },
	{ "PASS ",           POP3_COMMAND_MISSING,    POP3_PASS, "", 0, 0 },
	{ "APOP a b",        POP3_COMMAND_OK,         POP3_APOP, "a b", 0, 0 },
	{ "STAT",            POP3_COMMAND_OK,         POP3_STAT, "", 0, 0 },
	{ "stat ",           POP3_COMMAND_OK,         POP3_STAT, "", 0, 0 },
	{ "STAT 1",          POP3_COMMAND_UNEXPECTED, POP3_STAT, "", 0, 0 },
	{ "LIST",            POP3_COMMAND_OK,         POP3_LIST, "", 0, 0 },
	{ "LIST 4294967295", POP3_COMMAND_OK,         POP3_LIST, "", UINT32_MAX, 0 },
	{ "LIST 4294967296", POP3_COMMAND_BAD_NUMBER, POP3_LIST, "", 0, 0 },
	{ "UIDL 12",         POP3_COMMAND_OK,         POP3_UIDL, "", 12, 0 },
	{ "RETR 0",          POP3_COMMAND_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR -1",         POP3_COMMAND_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR 1 2",        POP3_COMMAND_BAD_NUMBER, POP3_RETR, "", 0, 0 },
	{ "RETR",            POP3_COMMAND_MISSING,    POP3_RETR, "", 0, 0 },
	{ "DELE 3",          POP3_COMMAND_OK,         POP3_DELE, "", 3, 0 },
	{ "TOP 1 0",         POP3_COMMAND_OK,         POP3_TOP,  "", 1, 0 },
	{ "TOP  7  20 ",     POP3_COMMAND_OK,         POP3_TOP,  "", 7, 20 },
	{ "TOP 1",           POP3_COMMAND_MISSING,    POP3_TOP,  "", 0, 0 },
	{ "TOP 0 1",         POP3_COMMAND_BAD_NUMBER, POP3_TOP,  "", 0, 0 },
	{ "TOP 1 x",         POP3_COMMAND_BAD_NUMBER, POP3_TOP,  "", 1, 0 },
	{ "AUTH",            POP3_COMMAND_OK,         POP3_AUTH, "", 0, 0 },
	{ "AUTH PLAIN",      POP3_COMMAND_OK,         POP3_AUTH, "PLAIN", 0, 0 },
	{ "AUTH PL/AIN",     POP3_COMMAND_SYNTAX,     POP3_AUTH, "PL/AIN", 0, 0 },
	{ "AUTH PLAIN a b",  POP3_COMMAND_SYNTAX,     POP3_AUTH, "PLAIN", 0, 0 },
	{ "LANG",            POP3_COMMAND_OK,         POP3_LANG, "", 0, 0 },
	{ "LANG *",          POP3_COMMAND_OK,         POP3_LANG, "*", 0, 0 },
	{ "LANG a b",        POP3_COMMAND_UNEXPECTED, POP3_LANG, "a b", 0, 0 },
	{ "UTF8",            POP3_COMMAND_OK,         POP3_UTF8, "", 0, 0 },
	{ "STLS",            POP3_COMMAND_OK,         POP3_STLS, "", 0, 0 },
	{ "CAPA x",          POP3_COMMAND_UNEXPECTED, POP3_CAPA, "", 0, 0 },
	{ "NOOP",            POP3_COMMAND_OK,         POP3_NOOP, "", 0, 0 },
	{ "RSET",            POP3_COMMAND_OK,         POP3_RSET, "", 0, 0 },
	{ "QUIT",            POP3_COMMAND_OK,         POP3_QUIT, "", 0, 0 },
	{ "XTND",            POP3_COMMAND_UNKNOWN_VERB, POP3_UNKNOWN, "", 0, 0 },
	{ "",                POP3_COMMAND_UNKNOWN_VERB, POP3_UNKNOWN, "", 0, 0 },
	{ " STAT",           POP3_COMMAND_UNKNOWN_VERB, POP3_UNKNOWN, "", 0, 0 },
	{ "USER a\tb",       POP3_COMMAND_BAD_CHAR,   POP3_USER, "", 0, 0 },
};
/* clang-format on */

TEST(each_line_gets_its_verb_arguments_and_verdict)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *line = cases[i].line;
		struct pop3_command c;

		CHECK(
		    pop3_command_parse(str_c(line), &c) == cases[i].want, line);
		CHECK(c.verb == cases[i].verb, line);
		CHECK(str_eq(c.text, str_c(cases[i].text)), line);
		CHECK(c.message == cases[i].message, line);
		CHECK(c.has_message == (cases[i].message > 0), line);
		CHECK(c.lines == cases[i].lines, line);
	}
}

TEST(auth_may_have_an_initial_response)
{
	struct pop3_command c;

	CHECK(pop3_command_parse(STR("AUTH PLAIN AGEAYg=="), &c) ==
		  POP3_COMMAND_OK,
	    "auth");
	CHECK(c.has_initial && str_eq(c.initial, STR("AGEAYg==")), "initial");
	CHECK(pop3_command_parse(STR("AUTH EXTERNAL ="), &c) == POP3_COMMAND_OK,
	    "empty");
	CHECK(c.has_initial && str_eq(c.initial, STR("=")), "empty");
	CHECK(pop3_command_parse(STR("PASS a\0b"), &c) == POP3_COMMAND_BAD_CHAR,
	    "NUL in a password");
}

TEST_MAIN(UNIT(each_line_gets_its_verb_arguments_and_verdict),
    UNIT(auth_may_have_an_initial_response))
