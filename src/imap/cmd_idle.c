/* SPDX-License-Identifier: ISC */
/*
 * cmd_idle.c - IDLE (RFC 2177): changes are told as they happen.
 *
 * Idling needs nothing but the session: no timer of its own, no buffers.
 */
#include "imap/session.h"

struct idle {
	bool is_ending; /* DONE came while a synchronisation was under way */
};

static void
idle_end(struct session *s)
{
	struct idle *idle = s->cmd->data;

	if (s->sync_then) {
		idle->is_ending = true;
		return;
	}
	session_ok(s, "Done");
}

void
idle_synced(struct session *s)
{
	struct idle *idle = s->cmd->data;

	session_flush(s);
	if (idle->is_ending)
		session_ok(s, "Done");
	else if (s->has_changes)
		session_sync(s, true, idle_synced);
}

static void
on_line(struct session *s, struct str line)
{
	if (imap_is_done(line))
		idle_end(s);
	else
		session_bad(s, "Expected DONE");
}

void
imap_cmd_idle(struct session *s)
{
	session_cmd_data(s, sizeof(struct idle));
	s->cmd->line = on_line;
	buf_put_c(&s->out, "+ idling\r\n");
	session_flush(s);
	/* What came before IDLE but was not told yet comes now. */
	if (s->view)
		session_sync(s, true, idle_synced);
	conn_resume(s->conn);
}
