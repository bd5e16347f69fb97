/* SPDX-License-Identifier: ISC */
/*
 * session_sync.c - tell a client what changed in its selected mailbox.
 *
 * The store notifies at most once until it is asked for the entries again;
 * one round trip brings the view up to date. In IDLE that happens at once,
 * else before the tagged reply of the next command.
 */
#include "imap/session.h"

bool
session_may_expunge(const struct session *s)
{
	const struct imap_command *c = s->cmd ? &s->cmd->c : NULL;

	if (!c)
		return false;
	/* UID commands may (RFC 3501 7.4.1): they carry no numbers. */
	return c->is_uid || !(imap_verb_flags(c->verb) & IMAP_NO_EXPUNGE);
}

static void
ask_entries(struct session *s, session_reply_fn fn)
{
	struct msg_entries req = { .mailbox = s->view->mailbox,
		.since_modseq = s->view->modseq,
		.known_keywords = (uint32_t)s->view->n_keywords };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	s->has_changes = false;
	imap_session_ask(s, MSG_ENTRIES, &b, -1, fn);
	buf_done(&b);
}

/* False: the session is on its way out. */
static bool
apply(struct session *s, struct ipc_msg *m, bool allow_expunge,
    bool *ret_has_more)
{
	struct msg_entries_reply r;
	struct view_apply_options o = { .allow_expunge = allow_expunge,
		.with_modseq = s->enabled & ENABLED_CONDSTORE,
		.with_vanished = s->enabled & ENABLED_QRESYNC,
		.with_uid = s->enabled & ENABLED_QRESYNC ||
		            (s->cmd && s->cmd->c.is_uid),
		.silent = s->silent };

	if (m->outcome != DONE) {
		session_bye(
		    s, "UNAVAILABLE", "The mailbox is gone or cannot be read");
		return false;
	}
	if (!msg_entries_reply_get(m->body, &r) || r.is_too_old ||
	    !view_apply(s->view, &r, &o, &s->out)) {
		session_bye(s, NULL, "The mailbox changed too much, reconnect");
		return false;
	}
	*ret_has_more = r.has_more;
	return true;
}

static void
on_entries(struct session *s, struct ipc_msg *m)
{
	bool has_more = false;
	session_fn then = s->sync_then;

	if (!apply(s, m, s->sync_expunge, &has_more))
		return;
	if (has_more) {
		ask_entries(s, on_entries);
		return;
	}
	s->silent = STR_NONE;
	s->sync_then = NULL;
	then(s);
}

void
session_sync(struct session *s, bool allow_expunge, session_fn fn)
{
	ASSERT(s->view && !s->sync_then);
	s->sync_expunge = allow_expunge;
	s->sync_then = fn;
	ask_entries(s, on_entries);
}

void
session_changed(struct session *s, uint32_t mailbox)
{
	bool is_idling =
	    s->cmd && s->cmd->c.verb == IMAP_IDLE && !s->cmd->is_finishing;

	if (s->state != SESSION_SELECTED || s->view->mailbox != mailbox)
		return;
	s->has_changes = true;
	if (is_idling && !s->sync_then)
		session_sync(s, true, idle_synced);
}
