/* SPDX-License-Identifier: ISC */
/* pop3_command_test.c - verbs and arguments of POP3. */
#include "../../test.h"
#include "proto/pop3/pop3_command.h"

/* clang-format off */
#define E(name) POP3_COMMAND_##name
#define V(name) POP3_VERB_##name
static const struct {
	const char *line;
	enum pop3_command_error want;
	enum pop3_verb verb;
	const char *text;
	uint32_t message, lines;
} cases[] = {
	{ "USER joe@example.net", E(OK), V(USER), "joe@example.net", 0, 0 },
	{ "user  joe ",      E(OK),         V(USER), "joe", 0, 0 },
	{ "USER",            E(MISSING),    V(USER), "", 0, 0 },
	{ "PASS a  b ",      E(OK),         V(PASS), "a  b ", 0, 0 },
	{ "PASS \x01\xFF",   E(OK),         V(PASS), "\x01\xFF", 0, 0 },
	{ "PASS a\rb",       E(BAD_CHAR),   V(PASS), "", 0, 0 },
	{ "PASS ",           E(MISSING),    V(PASS), "", 0, 0 },
	{ "APOP a b",        E(OK),         V(APOP), "a b", 0, 0 },
	{ "STAT",            E(OK),         V(STAT), "", 0, 0 },
	{ "stat ",           E(OK),         V(STAT), "", 0, 0 },
	{ "STAT 1",          E(UNEXPECTED), V(STAT), "", 0, 0 },
	{ "LIST",            E(OK),         V(LIST), "", 0, 0 },
	{ "LIST 4294967295", E(OK),         V(LIST), "", UINT32_MAX, 0 },
	{ "LIST 4294967296", E(BAD_NUMBER), V(LIST), "", 0, 0 },
	{ "UIDL 12",         E(OK),         V(UIDL), "", 12, 0 },
	{ "RETR 0",          E(BAD_NUMBER), V(RETR), "", 0, 0 },
	{ "RETR -1",         E(BAD_NUMBER), V(RETR), "", 0, 0 },
	{ "RETR 1 2",        E(BAD_NUMBER), V(RETR), "", 0, 0 },
	{ "RETR",            E(MISSING),    V(RETR), "", 0, 0 },
	{ "DELE 3",          E(OK),         V(DELE), "", 3, 0 },
	{ "TOP 1 0",         E(OK),         V(TOP),  "", 1, 0 },
	{ "TOP  7  20 ",     E(OK),         V(TOP),  "", 7, 20 },
	{ "TOP 1",           E(MISSING),    V(TOP),  "", 0, 0 },
	{ "TOP 0 1",         E(BAD_NUMBER), V(TOP),  "", 0, 0 },
	{ "TOP 1 x",         E(BAD_NUMBER), V(TOP),  "", 1, 0 },
	{ "AUTH",            E(OK),         V(AUTH), "", 0, 0 },
	{ "AUTH PLAIN",      E(OK),         V(AUTH), "PLAIN", 0, 0 },
	{ "AUTH PL/AIN",     E(SYNTAX),     V(AUTH), "PL/AIN", 0, 0 },
	{ "AUTH PLAIN a b",  E(SYNTAX),     V(AUTH), "PLAIN", 0, 0 },
	{ "LANG",            E(OK),         V(LANG), "", 0, 0 },
	{ "LANG *",          E(OK),         V(LANG), "*", 0, 0 },
	{ "LANG a b",        E(UNEXPECTED), V(LANG), "a b", 0, 0 },
	{ "UTF8",            E(OK),         V(UTF8), "", 0, 0 },
	{ "STLS",            E(OK),         V(STLS), "", 0, 0 },
	{ "CAPA x",          E(UNEXPECTED), V(CAPA), "", 0, 0 },
	{ "NOOP",            E(OK),         V(NOOP), "", 0, 0 },
	{ "RSET",            E(OK),         V(RSET), "", 0, 0 },
	{ "QUIT",            E(OK),         V(QUIT), "", 0, 0 },
	{ "XTND",            E(UNKNOWN_VERB), V(UNKNOWN), "", 0, 0 },
	{ "",                E(UNKNOWN_VERB), V(UNKNOWN), "", 0, 0 },
	{ " STAT",           E(UNKNOWN_VERB), V(UNKNOWN), "", 0, 0 },
	{ "USER a\tb",       E(BAD_CHAR),   V(USER), "", 0, 0 },
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

TEST(every_verb_and_error_has_a_name_of_its_own)
{
	struct pop3_command c;

	for (int v = POP3_VERB_USER; v <= POP3_VERB_QUIT; v++) {
		const char *name = pop3_verb_str((enum pop3_verb)v);

		(void)!pop3_command_parse(str_c(name), &c);
		CHECK(c.verb == (enum pop3_verb)v, name);
	}
	CHECK(strcmp(pop3_verb_str(POP3_VERB_UNKNOWN), "UNKNOWN") == 0, "?");
	for (int a = POP3_COMMAND_OK; a <= POP3_COMMAND_SYNTAX; a++)
		for (int b = POP3_COMMAND_OK; b < a; b++)
			CHECK(strcmp(pop3_command_error_str(
					 (enum pop3_command_error)a),
				  pop3_command_error_str(
				      (enum pop3_command_error)b)) != 0,
			    "distinct");
}

TEST_MAIN(UNIT(every_verb_and_error_has_a_name_of_its_own),
    UNIT(each_line_gets_its_verb_arguments_and_verdict),
    UNIT(auth_may_have_an_initial_response))
