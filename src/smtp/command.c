/* SPDX-License-Identifier: ISC */
/*
 * command.c - the table: which command is legal in which state and on which
 * port, and what comes back when it is not.
 */
#include "smtp/command.h"

#include "base/log.h"

#define ON(service) (1U << SERVICE_##service)
#define TCP         (ON(MX) | ON(SUBMISSION) | ON(SUBMISSIONS))
#define ALL         (TCP | ON(LMTP))

#define IN(state)   STATE_BIT(STATE_##state)
#define TRANSACTION (IN(READY) | IN(MAIL) | IN(RCPT) | IN(BDAT))
#define ANY         (IN(HELLO) | TRANSACTION)

enum {
	WANTS_LOGIN = 1 << 0, /* on submission ports */
};

/* clang-format off */
static const struct command {
	enum smtp_verb verb;
	unsigned services; /* elsewhere: unknown, or not offered */
	unsigned states;   /* elsewhere: 503 */
	unsigned flags;
	command_fn run;
} commands[] = {
	{ SMTP_VERB_EHLO,     TCP,      ANY,                    0,           cmd_helo },
	{ SMTP_VERB_HELO,     TCP,      ANY,                    0,           cmd_helo },
	{ SMTP_VERB_LHLO,     ON(LMTP), ANY,                    0,           cmd_helo },
	{ SMTP_VERB_STARTTLS, TCP,      IN(HELLO) | IN(READY),  0,           cmd_starttls },
	{ SMTP_VERB_AUTH,     TCP,      IN(READY),              0,           cmd_auth },
	{ SMTP_VERB_MAIL,     ALL,      IN(READY),              WANTS_LOGIN, cmd_mail },
	{ SMTP_VERB_RCPT,     ALL,      IN(MAIL) | IN(RCPT),    WANTS_LOGIN, cmd_rcpt },
	{ SMTP_VERB_DATA,     ALL,      IN(MAIL) | IN(RCPT),    WANTS_LOGIN, cmd_data },
	/* Its bytes have to be skipped in any state. */
	{ SMTP_VERB_BDAT,     ALL,      ANY,                    0,           cmd_bdat },
	{ SMTP_VERB_RSET,     ALL,      ANY,                    0,           cmd_rset },
	{ SMTP_VERB_NOOP,     ALL,      ANY,                    0,           cmd_noop },
	{ SMTP_VERB_QUIT,     ALL,      ANY,                    0,           cmd_quit },
	{ SMTP_VERB_VRFY,     ALL,      ANY,                    WANTS_LOGIN, cmd_vrfy },
	{ SMTP_VERB_EXPN,     ALL,      ANY,                    0,           cmd_expn },
	{ SMTP_VERB_HELP,     ALL,      ANY,                    0,           cmd_help },
};
/* clang-format on */

static const struct command *
find(enum smtp_verb verb)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (commands[i].verb == verb)
			return &commands[i];
	}
	return NULL;
}

/* The reply to a command that comes too early or too late. */
static enum reply_id
reply_of_order(const struct session *s, enum smtp_verb verb)
{
	if (s->state == STATE_HELLO)
		return session_is_lmtp(s) ? REPLY_LHLO_FIRST
		                          : REPLY_HELLO_FIRST;
	if (s->state == STATE_READY)
		return REPLY_MAIL_FIRST;
	if (verb == SMTP_VERB_MAIL)
		return REPLY_MAIL_TWICE;
	return REPLY_BAD_SEQUENCE;
}

static enum reply_id
reply_of_path(const struct smtp_command *c)
{
	if (c->path_error == SMTP_PATH_NO_MEMORY)
		return REPLY_NO_MEMORY;
	return c->verb == SMTP_VERB_MAIL ? REPLY_BAD_SENDER : REPLY_BAD_RCPT;
}

static enum reply_id
reply_of_error(const struct smtp_command *c, enum smtp_command_error e)
{
	switch (e) {
	case SMTP_COMMAND_OK:
		break;
	case SMTP_COMMAND_BAD_CHAR:
		return REPLY_BAD_CHAR;
	case SMTP_COMMAND_UNKNOWN_VERB:
		return REPLY_UNKNOWN;
	case SMTP_COMMAND_FOREIGN:
		return REPLY_FOREIGN;
	case SMTP_COMMAND_SYNTAX:
		return REPLY_SYNTAX;
	case SMTP_COMMAND_NO_ARGUMENT:
		return REPLY_NO_ARGUMENT;
	case SMTP_COMMAND_BAD_DOMAIN:
		return REPLY_BAD_DOMAIN;
	case SMTP_COMMAND_BAD_PATH:
		return reply_of_path(c);
	case SMTP_COMMAND_NEEDS_UTF8:
		return REPLY_NEEDS_UTF8;
	case SMTP_COMMAND_UNKNOWN_PARAM:
		return REPLY_UNKNOWN_PARAM;
	case SMTP_COMMAND_TWICE:
		return REPLY_TWICE;
	case SMTP_COMMAND_BAD_PARAM:
		return REPLY_BAD_PARAM;
	case SMTP_COMMAND_NO_MEMORY:
		return REPLY_NO_MEMORY;
	}
	return REPLY_NONE;
}

/* What the command answers, or why it may not run. */
static enum reply_id
dispatch(
    struct session *s, const struct smtp_command *c, enum smtp_command_error e)
{
	const struct command *row = find(c->verb);

	if (row == NULL)
		return reply_of_error(c, e);
	if ((row->services & 1U << s->service) == 0)
		return REPLY_UNKNOWN;
	/* A BDAT that cannot be read leaves us in the dark about what follows:
	 * a command, or bytes of a message. */
	if (e != SMTP_COMMAND_OK && c->verb == SMTP_VERB_BDAT) {
		session_log_syntax(s, "BDAT without a size");
		session_end(s, REPLY_SYNTAX);
		return REPLY_NONE;
	}
	if ((row->states & STATE_BIT(s->state)) == 0)
		return reply_of_order(s, c->verb);
	if ((row->flags & WANTS_LOGIN) && session_is_submission(s) &&
	    s->login == NULL)
		return REPLY_AUTH_FIRST;
	if (e != SMTP_COMMAND_OK)
		return reply_of_error(c, e);
	return row->run(s, c);
}

void
command_run(struct session *s, struct str line)
{
	struct smtp_command_options options = {
		.params = cmd_params(s),
		.is_utf8 = s->env.is_utf8,
		.allow_underscore = true,
	};
	struct smtp_command c;
	enum smtp_command_error e;

	arena_reset(&s->sv->arena);
	e = smtp_command_parse(&s->sv->arena, line, &options, &c);
	if (e == SMTP_COMMAND_FOREIGN) {
		session_log_syntax(s, "another protocol");
		session_end(s, REPLY_FOREIGN);
		return;
	}
	session_reply(s, dispatch(s, &c, e));
}
