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

static struct view_apply_options
options(const struct session *s, bool allow_expunge)
{
	return (struct view_apply_options){ .allow_expunge = allow_expunge,
		.with_modseq = s->enabled & ENABLED_CONDSTORE,
		.with_vanished = s->enabled & ENABLED_QRESYNC,
		.with_uid = s->enabled & ENABLED_QRESYNC ||
		            (s->cmd && s->cmd->c.is_uid),
		.silent = s->silent };
}

static void
done(struct session *s)
{
	session_fn then = s->sync_then;

	s->silent = STR_NONE;
	s->sync_then = NULL;
	then(s);
}

/* --- all anew ------------------------------------------------------------------ */

/*
 * The store's log of expunges does not reach back to where the view is: read
 * all entries, and find out what is missing.
 */
struct resync {
	struct buf entries; /* all, as they travel */
	struct buf keywords;
	uint64_t modseq; /* of the first portion: true for all of them */
	uint32_t uidnext;
};

void
resync_free(struct session *s)
{
	struct resync *rs = TAKE_PTR(s->resync);

	if (!rs)
		return;
	buf_done(&rs->entries);
	buf_done(&rs->keywords);
	free(rs);
}

static struct ipc_entry
entry_at(struct str packed, size_t i)
{
	struct wire w =
	    wire_read(str_from(packed, i * sizeof(struct ipc_entry)));
	struct ipc_entry e = { .uid = wire_get_u32(&w) };

	e.flags = wire_get_u32(&w);
	e.modseq = wire_get_u64(&w);
	return e;
}

/* Entries that the view need not hear of are left out; UIDs of the view that
 * are not among all are gone. */
static void
compare(const struct view *v, struct str all, struct buf *changed,
    struct buf *vanished)
{
	size_t n = all.n / sizeof(struct ipc_entry), at = 0;

	for (size_t i = 0; i < n; i++) {
		struct ipc_entry e = entry_at(all, i);

		for (; at < v->n && v->entries[at].uid < e.uid; at++)
			uid_set_add(
			    vanished, v->entries[at].uid, v->entries[at].uid);
		if (at == v->n || v->entries[at].uid != e.uid ||
		    v->entries[at].modseq != e.modseq)
			buf_put_str(
			    changed, str_sub(all, i * sizeof(e), sizeof(e)));
		at += at < v->n && v->entries[at].uid == e.uid;
	}
	for (; at < v->n; at++)
		uid_set_add(vanished, v->entries[at].uid, v->entries[at].uid);
}

static bool
apply_all(struct session *s)
{
	struct resync *rs = s->resync;
	struct view_apply_options o = options(s, s->sync_expunge);
	struct buf changed = BUF_INIT(SIZE_MAX / 2);
	struct buf vanished = BUF_INIT(SIZE_MAX / 2);
	struct msg_entries_reply r = { .modseq = rs->modseq,
		.uidnext = rs->uidnext,
		.keywords = buf_str(&rs->keywords) };
	bool is_ok;

	compare(s->view, buf_str(&rs->entries), &changed, &vanished);
	r.entries = buf_str(&changed);
	r.vanished = buf_str(&vanished);
	is_ok = view_apply(s->view, &r, &o, &s->client.out);
	buf_done(&changed);
	buf_done(&vanished);
	return is_ok;
}

static void on_all(struct session *s, struct ipc_msg *m);

static void
ask_all(struct session *s, uint32_t from_uid)
{
	struct msg_entries req = { .mailbox = s->view->mailbox,
		.from_uid = from_uid,
		.known_keywords = (uint32_t)s->view->n_keywords };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	imap_session_ask(s, MSG_ENTRIES, &b, -1, on_all);
	buf_done(&b);
}

static void
cannot_read(struct session *s)
{
	session_bye(s, "UNAVAILABLE", "The mailbox is gone or cannot be read");
}

static void
on_all(struct session *s, struct ipc_msg *m)
{
	struct resync *rs = s->resync;
	struct msg_entries_reply r;
	bool is_ok;

	if (m->outcome != DONE || !msg_entries_reply_get(m->body, &r) ||
	    r.entries.n % sizeof(struct ipc_entry)) {
		cannot_read(s);
		return;
	}
	if (!rs->modseq)
		rs->modseq = r.modseq;
	rs->uidnext = r.uidnext;
	buf_put_str(&rs->entries, r.entries);
	if (r.keywords.n) {
		buf_reset(&rs->keywords, KIB(32));
		buf_put_str(&rs->keywords, r.keywords);
	}
	if (r.next_uid) {
		ask_all(s, r.next_uid);
		return;
	}
	is_ok = apply_all(s);
	resync_free(s);
	if (is_ok)
		done(s);
	else
		cannot_read(s);
}

static void
start_resync(struct session *s)
{
	s->resync = X_NEW(struct resync);
	buf_init(&s->resync->entries, SIZE_MAX / 2);
	buf_init(&s->resync->keywords, KIB(64));
	ask_all(s, 1);
}

/* --- what changed --------------------------------------------------------------- */

static void
on_entries(struct session *s, struct ipc_msg *m)
{
	struct view_apply_options o = options(s, s->sync_expunge);
	struct msg_entries_reply r;

	if (m->outcome != DONE || !msg_entries_reply_get(m->body, &r)) {
		cannot_read(s);
		return;
	}
	if (r.is_too_old) {
		start_resync(s);
		return;
	}
	if (!view_apply(s->view, &r, &o, &s->client.out)) {
		cannot_read(s);
		return;
	}
	if (r.has_more)
		ask_entries(s, on_entries);
	else
		done(s);
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

	/* Also while it is being opened: SELECT then tells it at its end. */
	if (!s->view || s->view->mailbox != mailbox)
		return;
	s->has_changes = true;
	if (is_idling && !s->sync_then)
		idle_tell(s);
}
