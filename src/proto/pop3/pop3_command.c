/* SPDX-License-Identifier: ISC */
/*
 * pop3_command.c - verbs and their arguments. See pop3_command.h.
 */
#include "proto/pop3/pop3_command.h"

typedef enum pop3_command_error verb_fn(
    struct pop3_command *c, struct str args);

static enum pop3_command_error
args_none(UNUSED struct pop3_command *c, struct str args)
{
	return str_trim(args).n ? POP3_COMMAND_UNEXPECTED : POP3_COMMAND_OK;
}

/* The rest of the line, spaces and all: a password may have some. */
static enum pop3_command_error
args_raw(struct pop3_command *c, struct str args)
{
	c->text = args;
	return args.n ? POP3_COMMAND_OK : POP3_COMMAND_MISSING;
}

static enum pop3_command_error
args_text(struct pop3_command *c, struct str args)
{
	c->text = str_trim(args);
	return c->text.n ? POP3_COMMAND_OK : POP3_COMMAND_MISSING;
}

static enum pop3_command_error
args_lang(struct pop3_command *c, struct str args)
{
	c->text = str_trim(args);
	return str_find(c->text, ' ') < 0 ? POP3_COMMAND_OK
	                                  : POP3_COMMAND_UNEXPECTED;
}

static bool
is_mechanism(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n <= POP3_MECHANISM_MAX;
}

static enum pop3_command_error
args_auth(struct pop3_command *c, struct str args)
{
	c->initial = str_trim(str_split(str_trim(args), ' ', &c->text));
	c->has_initial = c->initial.n > 0;
	if (!is_mechanism(c->text) || str_find(c->initial, ' ') >= 0)
		return POP3_COMMAND_SYNTAX;
	return POP3_COMMAND_OK;
}

static enum pop3_command_error
message_number(struct pop3_command *c, struct str s)
{
	uint32_t v = 0;

	if (!str_to_u32(s, UINT32_MAX, &v) || v == 0)
		return POP3_COMMAND_BAD_NUMBER;
	c->message = v;
	c->has_message = true;
	return POP3_COMMAND_OK;
}

static enum pop3_command_error
args_message(struct pop3_command *c, struct str args)
{
	args = str_trim(args);
	return args.n ? message_number(c, args) : POP3_COMMAND_MISSING;
}

static enum pop3_command_error
args_maybe_message(struct pop3_command *c, struct str args)
{
	args = str_trim(args);
	return args.n ? message_number(c, args) : POP3_COMMAND_OK;
}

static enum pop3_command_error
args_top(struct pop3_command *c, struct str args)
{
	struct str number, lines;
	enum pop3_command_error e;

	lines = str_trim(str_split(str_trim(args), ' ', &number));
	if (number.n == 0 || lines.n == 0)
		return POP3_COMMAND_MISSING;
	e = message_number(c, number);
	if (e)
		return e;
	return str_to_u32(lines, UINT32_MAX, &c->lines)
	           ? POP3_COMMAND_OK
	           : POP3_COMMAND_BAD_NUMBER;
}

/* clang-format off */
static const struct {
	const char *word;
	enum pop3_verb verb;
	verb_fn *parse;
} verbs[] = {
	{ "USER", POP3_VERB_USER, args_text },
	{ "PASS", POP3_VERB_PASS, args_raw },
	{ "APOP", POP3_VERB_APOP, args_text },
	{ "AUTH", POP3_VERB_AUTH, args_auth },
	{ "STLS", POP3_VERB_STLS, args_none },
	{ "CAPA", POP3_VERB_CAPA, args_none },
	{ "STAT", POP3_VERB_STAT, args_none },
	{ "LIST", POP3_VERB_LIST, args_maybe_message },
	{ "UIDL", POP3_VERB_UIDL, args_maybe_message },
	{ "RETR", POP3_VERB_RETR, args_message },
	{ "TOP",  POP3_VERB_TOP,  args_top },
	{ "DELE", POP3_VERB_DELE, args_message },
	{ "RSET", POP3_VERB_RSET, args_none },
	{ "NOOP", POP3_VERB_NOOP, args_none },
	{ "UTF8", POP3_VERB_UTF8, args_none },
	{ "LANG", POP3_VERB_LANG, args_lang },
	{ "QUIT", POP3_VERB_QUIT, args_none },
};
/* clang-format on */

/* A password may hold any byte but those that no line can: CR, LF and NUL. */
static bool
is_clean(const struct pop3_command *c, struct str args)
{
	if (c->verb != POP3_VERB_PASS)
		return !str_has_control(args, "");
	return str_find(args, '\0') < 0 && str_find(args, '\r') < 0 &&
	       str_find(args, '\n') < 0;
}

enum pop3_command_error
pop3_command_parse(struct str line, struct pop3_command *ret)
{
	struct str word, args = str_split(line, ' ', &word);

	*ret = (struct pop3_command){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!str_eq_case(word, str_c(verbs[i].word)))
			continue;
		ret->verb = verbs[i].verb;
		return is_clean(ret, args) ? verbs[i].parse(ret, args)
		                           : POP3_COMMAND_BAD_CHAR;
	}
	return str_has_control(line, "") ? POP3_COMMAND_BAD_CHAR
	                                 : POP3_COMMAND_UNKNOWN_VERB;
}

const char *
pop3_verb_str(enum pop3_verb verb)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (verbs[i].verb == verb)
			return verbs[i].word;
	return "UNKNOWN";
}

const char *
pop3_command_error_str(enum pop3_command_error e)
{
	switch (e) {
	case POP3_COMMAND_OK:
		return "ok";
	case POP3_COMMAND_UNKNOWN_VERB:
		return "unknown command";
	case POP3_COMMAND_BAD_CHAR:
		return "control character";
	case POP3_COMMAND_MISSING:
		return "argument missing";
	case POP3_COMMAND_UNEXPECTED:
		return "too many arguments";
	case POP3_COMMAND_BAD_NUMBER:
		return "bad number";
	case POP3_COMMAND_SYNTAX:
		return "bad syntax";
	}
	return "unknown";
}
