/* SPDX-License-Identifier: ISC */
/*
 * cmd_select.c - SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.4.2).
 *
 * Opening asks the store for the mailbox and then for all its entries, in
 * portions. The client hears nothing before all of them are here, so that a
 * failure in between is a plain NO.
 */
#include "imap/session.h"

static void
ask_portion(struct session *s, uint32_t from_uid, session_reply_fn fn)
{
	struct msg_entries req = { .mailbox = s->view->mailbox,
		.from_uid = from_uid,
		.known_keywords = (uint32_t)s->view->n_keywords };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	imap_session_ask(s, MSG_ENTRIES, &b, -1, fn);
	buf_done(&b);
}

static void
give_up(struct session *s, const struct ipc_msg *m)
{
	session_deselect(s);
	if (m->outcome != DONE)
		session_failed(s, m);
	else
		session_broken_reply(s);
}

static void
opened(struct session *s)
{
	struct view *v = s->view;
	uint32_t unseen = view_first_unseen(v);

	s->state = SESSION_SELECTED;
	v->told_exists = (uint32_t)v->n;
	v->told_recent = view_count_recent(v);
	v->told_keywords = v->n_keywords;
	view_put_flags_lines(v, &s->out);
	session_untagged(s, "* %u EXISTS\r\n* %u RECENT\r\n", v->told_exists,
	    v->told_recent);
	if (unseen)
		session_untagged(
		    s, "* OK [UNSEEN %u] First unseen\r\n", unseen);
	session_untagged(s,
	    "* OK [UIDVALIDITY %u] UIDs valid\r\n"
	    "* OK [UIDNEXT %u] Next UID\r\n"
	    "* OK [HIGHESTMODSEQ %llu] Highest\r\n",
	    v->uidvalidity, v->uidnext, (unsigned long long)v->modseq);
	session_finish(s, IMAP_OK,
	    v->is_readonly ? STR("READ-ONLY") : STR("READ-WRITE"),
	    STR("Opened"));
}

static void
on_portion(struct session *s, struct ipc_msg *m)
{
	struct msg_entries_reply r;

	if (m->outcome != DONE || !msg_entries_reply_get(m->body, &r) ||
	    !view_load(s->view, r.entries) ||
	    (r.keywords.n && !view_set_keywords(s->view, r.keywords))) {
		give_up(s, m);
		return;
	}
	/* Changes between the portions are told by a synchronisation from
	 * the oldest mod-sequence of them. */
	if (r.next_uid) {
		ask_portion(s, r.next_uid, on_portion);
		return;
	}
	s->view->uidnext = MAX(s->view->uidnext, r.uidnext);
	opened(s);
}

static void
on_open(struct session *s, struct ipc_msg *m)
{
	struct msg_mailbox_open_reply r;
	struct msg_mailbox mb;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_mailbox_open_reply_get(m->body, &r) ||
	    !msg_mailbox_get(r.mailbox, &mb)) {
		session_broken_reply(s);
		return;
	}
	s->view = view_new(&mb, s->cmd->c.verb == IMAP_EXAMINE);
	s->view->recent_from = r.recent_from;
	if (r.keywords.n && !view_set_keywords(s->view, r.keywords)) {
		session_broken_reply(s);
		return;
	}
	ask_portion(s, 1, on_portion);
}

void
imap_cmd_select(struct session *s)
{
	const struct imap_select *sel = &s->cmd->c.u.select;
	struct msg_mailbox_open req = { .name = sel->mailbox.name,
		.is_readonly = s->cmd->c.verb == IMAP_EXAMINE,
		.is_watching = true };
	struct buf b = BUF_INIT(KIB(4));

	if (s->state == SESSION_SELECTED) {
		session_deselect(s);
		/* RFC 7162 3.2.11 */
		session_untagged(s, "* OK [CLOSED] Closed\r\n");
	}
	if (sel->condstore)
		s->enabled |= ENABLED_CONDSTORE;
	if (sel->qresync) {
		session_bad(s, "ENABLE QRESYNC is not offered");
		return;
	}
	msg_mailbox_open_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_OPEN, &b, -1, on_open);
	buf_done(&b);
}

void
session_deselect(struct session *s)
{
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);
	struct buf b = BUF_INIT(KIB(1));

	if (s->view && store) {
		struct msg_mailbox_unwatch m = { .mailbox = s->view->mailbox };

		msg_mailbox_unwatch_put(&b, &m);
		ipc_notify(store, MSG_MAILBOX_UNWATCH, s->id, buf_str(&b), -1);
	}
	buf_done(&b);
	view_free(s->view);
	s->view = NULL;
	s->has_changes = false;
	if (s->state == SESSION_SELECTED)
		s->state = SESSION_AUTHENTICATED;
}

void
imap_cmd_unselect(struct session *s)
{
	session_deselect(s);
	session_ok(s, "Done");
}

static void
on_close_expunged(struct session *s, struct ipc_msg *m)
{
	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	session_deselect(s);
	session_ok(s, "Closed");
}

/* CLOSE removes what is marked \Deleted, without telling (RFC 3501 6.4.2). */
void
imap_cmd_close(struct session *s)
{
	struct msg_expunge req = { .mailbox = s->view->mailbox };
	struct buf b = BUF_INIT(KIB(512)), uids = BUF_INIT(KIB(256));

	if (s->view->is_readonly || s->view->n == 0) {
		imap_cmd_unselect(s);
		return;
	}
	uid_set_add(&uids, 1, s->view->entries[s->view->n - 1].uid);
	req.uids = buf_str(&uids);
	msg_expunge_put(&b, &req);
	imap_session_ask(s, MSG_EXPUNGE, &b, -1, on_close_expunged);
	buf_done(&b);
	buf_done(&uids);
}
