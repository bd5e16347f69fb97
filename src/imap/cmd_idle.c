/* SPDX-License-Identifier: ISC */
/*
 * cmd_idle.c - IDLE (RFC 2177): changes are told as they happen.
 *
 * Idling needs nothing but the session: no timer of its own, no buffers.
 */
#include "imap/session.h"

static void
synced(struct session *s)
{
	client_flush(&s->client);
	if (s->has_changes)
		idle_tell(s);
}

/* A client that does not read is told nothing more until it does. */
void
idle_tell(struct session *s)
{
	if (!session_wait_drained(s, idle_tell))
		session_sync(s, true, synced);
}

/* session_finish() waits for a synchronisation that is under way. */
static void
on_line(struct session *s, struct str line)
{
	if (imap_is_done(line))
		session_ok(s, "Done");
	else
		session_bad(s, "Expected DONE");
}

void
imap_cmd_idle(struct session *s)
{
	s->cmd->line = on_line;
	buf_put_c(&s->client.out, "+ idling\r\n");
	client_flush(&s->client);
	/* What came before IDLE but was not told yet comes now. */
	if (s->view)
		session_sync(s, true, synced);
	conn_resume(s->client.conn);
}
