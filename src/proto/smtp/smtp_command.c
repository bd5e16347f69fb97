/* SPDX-License-Identifier: ISC */
/*
 * smtp_command.c - verbs and their arguments. See smtp_command.h.
 */
#include "proto/smtp/smtp_command.h"
#include "proto/smtp/smtp_param.h"

struct parse {
	struct arena *arena;
	const struct smtp_command_options *options;
	struct smtp_command *cmd;
};

typedef enum smtp_command_error verb_fn(struct parse *p, struct str args);

static enum smtp_command_error
path_failed(
    struct parse *p, enum smtp_path_error e, enum smtp_command_error otherwise)
{
	p->cmd->path_error = e;
	if (e == SMTP_PATH_NO_MEMORY)
		return SMTP_COMMAND_NO_MEMORY;
	if (e == SMTP_PATH_NEEDS_UTF8)
		return SMTP_COMMAND_NEEDS_UTF8;
	return otherwise;
}

/*
 * The name is only for the record, so underscores pass. RFC 6531 section
 * 3.7.1 wants A-labels here: UTF-8 is a bad domain, not a wish for SMTPUTF8.
 */
static enum smtp_command_error
args_helo(struct parse *p, struct str args)
{
	enum smtp_path_error e = smtp_domain_parse(
	    p->arena, args, SMTP_PATH_ALLOW_UNDERSCORE, &p->cmd->u.helo);

	if (e == SMTP_PATH_OK)
		return SMTP_COMMAND_OK;
	p->cmd->path_error = e;
	return e == SMTP_PATH_NO_MEMORY ? SMTP_COMMAND_NO_MEMORY
	                                : SMTP_COMMAND_BAD_DOMAIN;
}

static unsigned
path_flags(const struct parse *p, bool is_utf8)
{
	return (is_utf8 ? SMTP_PATH_ALLOW_UTF8 : 0u) |
	       (p->options->allow_underscore ? SMTP_PATH_ALLOW_UNDERSCORE : 0u);
}

/* Takes "FROM:" or "TO:" and the spaces that some clients put behind it. */
static bool
take_keyword(struct str *args, struct str keyword)
{
	if (!str_starts_case(*args, keyword))
		return false;
	*args = str_from(*args, keyword.n);
	while (args->n > 0 && args->p[0] == ' ')
		*args = str_from(*args, 1);
	return true;
}

static enum smtp_command_error
args_mail(struct parse *p, struct str args)
{
	struct smtp_path *from = &p->cmd->u.mail.from;
	bool is_utf8 = p->options->params & SMTP_PARAM_SMTPUTF8;
	enum smtp_path_error e;
	struct str rest;

	if (!take_keyword(&args, STR("FROM:")))
		return SMTP_COMMAND_SYNTAX;
	e = smtp_path_parse(p->arena, args,
	    path_flags(p, is_utf8) | SMTP_PATH_ALLOW_NULL, from, &rest);
	if (e != SMTP_PATH_OK)
		return path_failed(p, e, SMTP_COMMAND_BAD_PATH);
	return smtp_mail_params(p->arena, rest, p->options->params, p->cmd);
}

static enum smtp_command_error
args_rcpt(struct parse *p, struct str args)
{
	unsigned params = p->options->params;
	enum smtp_path_error e;
	struct str rest;

	if (!take_keyword(&args, STR("TO:")))
		return SMTP_COMMAND_SYNTAX;
	e = smtp_path_parse(p->arena, args,
	    path_flags(p, p->options->is_utf8) | SMTP_PATH_ALLOW_POSTMASTER,
	    &p->cmd->u.rcpt.to, &rest);
	if (e != SMTP_PATH_OK)
		return path_failed(p, e, SMTP_COMMAND_BAD_PATH);
	/* UTF-8 in values is for transactions that asked for it. */
	if (!p->options->is_utf8)
		params &= ~(unsigned)SMTP_PARAM_SMTPUTF8;
	return smtp_rcpt_params(p->arena, rest, params, p->cmd);
}

/* RFC 3030 section 2: chunk-size [ SP "LAST" ]. */
static enum smtp_command_error
args_bdat(struct parse *p, struct str args)
{
	struct smtp_bdat *bdat = &p->cmd->u.bdat;
	struct str size, last = str_trim(str_split(args, ' ', &size));

	bdat->is_last = str_eq_case(last, STR("LAST"));
	if (!str_to_u64(size, UINT64_MAX, &bdat->size) ||
	    (last.n > 0 && !bdat->is_last))
		return SMTP_COMMAND_SYNTAX;
	return SMTP_COMMAND_OK;
}

static bool
is_mechanism_char(char c)
{
	return (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '-' ||
	       c == '_';
}

static bool
is_initial_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/' ||
	       c == '=';
}

static enum smtp_command_error
args_auth(struct parse *p, struct str args)
{
	struct smtp_auth *auth = &p->cmd->u.auth;
	struct str name, initial = str_trim(str_split(args, ' ', &name));
	char *upper;

	if (name.n == 0 || name.n > SMTP_MECHANISM_MAX)
		return SMTP_COMMAND_SYNTAX;
	upper = arena_alloc(p->arena, name.n);
	if (!upper)
		return SMTP_COMMAND_NO_MEMORY;
	for (size_t i = 0; i < name.n; i++) {
		upper[i] = ascii_upper(name.p[i]);
		if (!is_mechanism_char(upper[i]))
			return SMTP_COMMAND_SYNTAX;
	}
	for (size_t i = 0; i < initial.n; i++)
		if (!is_initial_char(initial.p[i]))
			return SMTP_COMMAND_SYNTAX;
	auth->mechanism = str_make(upper, name.n);
	auth->has_initial = initial.n > 0;
	auth->initial = initial;
	return SMTP_COMMAND_OK;
}

static enum smtp_command_error
args_none(UNUSED struct parse *p, struct str args)
{
	return args.n ? SMTP_COMMAND_NO_ARGUMENT : SMTP_COMMAND_OK;
}

static enum smtp_command_error
args_any(UNUSED struct parse *p, UNUSED struct str args)
{
	return SMTP_COMMAND_OK;
}

static enum smtp_command_error
args_some(UNUSED struct parse *p, struct str args)
{
	return args.n ? SMTP_COMMAND_OK : SMTP_COMMAND_SYNTAX;
}

/* clang-format off */
static const struct {
	const char *word;
	enum smtp_verb verb;
	verb_fn *parse;
} verbs[] = {
	{ "EHLO",     SMTP_VERB_EHLO,     args_helo },
	{ "HELO",     SMTP_VERB_HELO,     args_helo },
	{ "LHLO",     SMTP_VERB_LHLO,     args_helo },
	{ "MAIL",     SMTP_VERB_MAIL,     args_mail },
	{ "RCPT",     SMTP_VERB_RCPT,     args_rcpt },
	{ "DATA",     SMTP_VERB_DATA,     args_none },
	{ "BDAT",     SMTP_VERB_BDAT,     args_bdat },
	{ "RSET",     SMTP_VERB_RSET,     args_none },
	{ "NOOP",     SMTP_VERB_NOOP,     args_any },
	{ "QUIT",     SMTP_VERB_QUIT,     args_none },
	{ "VRFY",     SMTP_VERB_VRFY,     args_some },
	{ "EXPN",     SMTP_VERB_EXPN,     args_some },
	{ "HELP",     SMTP_VERB_HELP,     args_any },
	{ "STARTTLS", SMTP_VERB_STARTTLS, args_none },
	{ "AUTH",     SMTP_VERB_AUTH,     args_auth },
};
/* clang-format on */

/*
 * A browser can be made to post an SMTP dialogue to our port. Its first line
 * gives it away, and then the connection must not be used any further.
 */
static bool
is_foreign(struct str word)
{
	static const char *const methods[] = { "CONNECT", "DELETE", "GET",
		"HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_eq_case(word, str_c(methods[i])))
			return true;
	return false;
}

/* Neither controls nor broken UTF-8 mean anything in a command. */
static bool
is_clean(struct str line)
{
	return str_is_utf8(line) && !str_has_control(line, "");
}

enum smtp_command_error
smtp_command_parse(struct arena *a, struct str line,
    const struct smtp_command_options *options, struct smtp_command *ret)
{
	struct parse p = { .arena = a, .options = options, .cmd = ret };

	*ret = (struct smtp_command){ 0 };
	ret->args = str_trim(str_split(line, ' ', &ret->word));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!str_eq_case(ret->word, str_c(verbs[i].word)))
			continue;
		ret->verb = verbs[i].verb;
		return is_clean(line) ? verbs[i].parse(&p, ret->args)
		                      : SMTP_COMMAND_BAD_CHAR;
	}
	if (is_foreign(ret->word))
		return SMTP_COMMAND_FOREIGN;
	return is_clean(line) ? SMTP_COMMAND_UNKNOWN_VERB
	                      : SMTP_COMMAND_BAD_CHAR;
}

const char *
smtp_verb_str(enum smtp_verb verb)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (verbs[i].verb == verb)
			return verbs[i].word;
	return "UNKNOWN";
}

const char *
smtp_command_error_str(enum smtp_command_error e)
{
	switch (e) {
	case SMTP_COMMAND_OK:
		return "ok";
	case SMTP_COMMAND_BAD_CHAR:
		return "control character or broken UTF-8";
	case SMTP_COMMAND_UNKNOWN_VERB:
		return "unknown command";
	case SMTP_COMMAND_FOREIGN:
		return "another protocol";
	case SMTP_COMMAND_SYNTAX:
		return "bad syntax";
	case SMTP_COMMAND_NO_ARGUMENT:
		return "no argument allowed";
	case SMTP_COMMAND_BAD_DOMAIN:
		return "bad host name";
	case SMTP_COMMAND_BAD_PATH:
		return "bad address";
	case SMTP_COMMAND_NEEDS_UTF8:
		return "address needs SMTPUTF8";
	case SMTP_COMMAND_UNKNOWN_PARAM:
		return "unknown parameter";
	case SMTP_COMMAND_TWICE:
		return "parameter given twice";
	case SMTP_COMMAND_BAD_PARAM:
		return "bad parameter value";
	case SMTP_COMMAND_NO_MEMORY:
		return "too much for one command";
	}
	return "unknown";
}
