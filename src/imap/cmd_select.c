/* SPDX-License-Identifier: ISC */
/*
 * cmd_select.c - SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.4.2).
 *
 * Opening asks the store for the mailbox and then for all its entries, in
 * portions. The client hears nothing before all of them are here, so that a
 * failure in between is a plain NO.
 */
#include "imap/kept.h"

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
tell_opened(struct session *s)
{
	struct view *v = s->view;
	uint32_t unseen = view_first_unseen(v);

	s->state = SESSION_SELECTED;
	v->told_exists = (uint32_t)v->n;
	v->told_recent = view_count_recent(v);
	v->told_keywords = v->n_keywords;
	view_put_flags_lines(v, &s->client.out);
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
}

static void
finish_open(struct session *s)
{
	session_finish(s, IMAP_OK,
	    s->view->is_readonly ? STR("READ-ONLY") : STR("READ-WRITE"),
	    STR("Opened"));
}

/* --- QRESYNC: what happened since the client was here (RFC 7162 3.2.5) ----------- */

/*
 * Flags that changed after what the client knows, from the view. Without its
 * list of UIDs it knows all of them.
 */
static void
tell_known_changed(struct session *s, const struct imap_set *known)
{
	const struct imap_select *sel = &s->cmd->c.u.select;
	struct view *v = s->view;
	struct view_apply_options o = { .with_modseq = true, .with_uid = true };

	for (size_t i = 0; i < v->n; i++)
		if (v->entries[i].modseq > sel->mod_seq &&
		    (!known || imap_set_has(known, v->entries[i].uid)))
			view_put_entry(v, i, &o, &s->client.out);
}

static void
tell_since(struct session *s, const struct str *vanished)
{
	const struct imap_select *sel = &s->cmd->c.u.select;
	struct buf gone = BUF_INIT(SIZE_MAX / 2);
	struct imap_set known;
	bool has_known =
	    sel->has_known_uids && imap_set_normalise(&s->cmd->arena,
				       &sel->known_uids, UINT32_MAX, &known);

	view_missing(s->view, has_known ? &known : NULL, vanished, &gone);
	view_put_vanished(buf_str(&gone), true, &s->client.out);
	tell_known_changed(s, has_known ? &known : NULL);
	buf_done(&gone);
	finish_open(s);
}

/* The expunge log of the store, in portions; too old: what is not there. */
struct resume {
	struct buf vanished;
	uint64_t since;
};

static void ask_vanished(struct session *s);

static void
resume_cleanup(struct session *s)
{
	struct resume *rs = s->cmd->data;

	buf_done(&rs->vanished);
}

static void
on_vanished(struct session *s, struct ipc_msg *m)
{
	struct resume *rs = s->cmd->data;
	struct msg_entries_reply r;
	struct str all;

	if (m->outcome != DONE || !msg_entries_reply_get(m->body, &r) ||
	    !uid_set_is_valid(r.vanished)) {
		session_deselect(s);
		session_no(s, "UNAVAILABLE", "Cannot read what changed");
		return;
	}
	if (r.is_too_old) {
		tell_since(s, NULL);
		return;
	}
	uid_set_merge(&rs->vanished, r.vanished);
	rs->since = r.modseq;
	if (r.has_more) {
		ask_vanished(s);
		return;
	}
	all = buf_str(&rs->vanished);
	tell_since(s, &all);
}

static void
ask_vanished(struct session *s)
{
	const struct resume *rs = s->cmd->data;
	struct msg_entries req = { .mailbox = s->view->mailbox,
		.since_modseq = rs->since,
		.known_keywords = (uint32_t)s->view->n_keywords };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	imap_session_ask(s, MSG_ENTRIES, &b, -1, on_vanished);
	buf_done(&b);
}

static void
opened(struct session *s)
{
	const struct imap_select *sel = &s->cmd->c.u.select;
	struct resume *rs;

	tell_opened(s);
	/* Another UIDVALIDITY: the client knows nothing. Nothing newer: nor
	 * is there anything to tell. */
	if (!sel->qresync || sel->uid_validity != s->view->uidvalidity ||
	    sel->mod_seq >= s->view->modseq) {
		finish_open(s);
		return;
	}
	rs = session_cmd_data(s, sizeof(*rs));
	s->cmd->cleanup = resume_cleanup;
	buf_init(&rs->vanished, SIZE_MAX / 2);
	rs->since = MAX(sel->mod_seq, 1);
	ask_vanished(s);
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
		give_up(s, m);
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

	if (sel->qresync && !(s->enabled & ENABLED_QRESYNC)) {
		session_bad(s, "ENABLE QRESYNC comes first");
		return;
	}
	if (s->state == SESSION_SELECTED) {
		session_deselect(s);
		/* RFC 7162 3.2.11 */
		session_untagged(s, "* OK [CLOSED] Closed\r\n");
	}
	if (sel->condstore)
		session_enable(s, ENABLED_CONDSTORE);
	msg_mailbox_open_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_OPEN, &b, -1, on_open);
	buf_done(&b);
}

void
session_deselect(struct session *s)
{
	struct ipc_peer *store = runtime_peer(s->client.sv->rt, ROLE_STORE);
	struct buf b = BUF_INIT(KIB(1));

	if (s->view && store) {
		struct msg_mailbox_unwatch m = { .mailbox = s->view->mailbox };

		msg_mailbox_unwatch_put(&b, &m);
		ipc_notify(
		    store, MSG_MAILBOX_UNWATCH, s->client.id, buf_str(&b), -1);
	}
	buf_done(&b);
	kept_drop(s);
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
	struct buf b = BUF_INIT(KIB(1)), uids = BUF_INIT(KIB(1));

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
