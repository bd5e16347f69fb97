/* SPDX-License-Identifier: ISC */
/*
 * cmd_starttls.c - STARTTLS (RFC 3207). What the client said before counts
 * no more; what it pipelined behind the command is thrown away.
 */
#include "smtp/command.h"

enum reply_id
cmd_starttls(struct session *s, UNUSED const struct smtp_command *c)
{
	if (conn_has_tls(s->conn))
		return REPLY_TLS_ON;
	if (s->sv->tls == NULL)
		return REPLY_TLS_MISSING;
	session_reply(s, REPLY_START_TLS);
	free(s->helo);
	s->helo = NULL;
	s->is_esmtp = false;
	session_reset(s);
	if (s->state != STATE_ENDED)
		conn_start_tls(s->conn, s->sv->tls);
	return REPLY_NONE;
}
