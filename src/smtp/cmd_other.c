/* SPDX-License-Identifier: ISC */
/* cmd_other.c - RSET, NOOP, QUIT, VRFY, EXPN, HELP. */
#include "smtp/command.h"

enum reply_id
cmd_rset(struct session *s, UNUSED const struct smtp_command *c)
{
	session_reset(s);
	return REPLY_OK;
}

enum reply_id
cmd_noop(UNUSED struct session *s, UNUSED const struct smtp_command *c)
{
	return REPLY_OK;
}

enum reply_id
cmd_quit(struct session *s, UNUSED const struct smtp_command *c)
{
	s->attempt.is_well = true;
	return REPLY_BYE;
}

/* We do not tell who exists for the asking (RFC 5321 section 7.3). */
enum reply_id
cmd_vrfy(UNUSED struct session *s, UNUSED const struct smtp_command *c)
{
	return REPLY_VRFY;
}

enum reply_id
cmd_expn(UNUSED struct session *s, UNUSED const struct smtp_command *c)
{
	return REPLY_NOT_HERE;
}

enum reply_id
cmd_help(UNUSED struct session *s, UNUSED const struct smtp_command *c)
{
	return REPLY_HELP;
}
