/* SPDX-License-Identifier: ISC */
/*
 * cmd_fetch.c - FETCH: plan, ask the store in portions, write the responses.
 *
 * What the view knows (UID, FLAGS, MODSEQ) is answered from it at once. For
 * the rest the store is asked for portions of messages; while one portion is
 * written the next is already being read. Output above the high-water mark
 * stops both, so a slow client costs a bounded amount of memory.
 *
 *   plan -> [set \Seen -> sync] -> portions ... -> finish
 */
#include "imap/fetch.h"

#define VIEW_ONLY    (IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ)
#define HEADER_GUESS KIB(16) /* bytes that hold most headers */
#define UIDS_MAX     MIB(64)
#define REQUEST_UIDS KIB(256) /* bytes of UID ranges in one request */

static void fetch_more(struct session *s);

static bool
needs_header_only(const struct imap_fetch *f)
{
	for (size_t i = 0; i < f->n_sections; i++) {
		const struct imap_section *x = &f->sections[i];

		if (x->n_parts || x->form == IMAP_FORM_BINARY_SIZE ||
		    (x->kind != IMAP_SECTION_HEADER &&
			x->kind != IMAP_SECTION_FIELDS &&
			x->kind != IMAP_SECTION_FIELDS_NOT))
			return false;
	}
	return f->n_sections > 0;
}

static uint32_t
wanted(const struct imap_fetch *f)
{
	uint32_t want = 0;

	if (f->attrs & IMAP_FETCH_INTERNALDATE)
		want |= FETCH_DATES;
	if (f->attrs & IMAP_FETCH_SIZE)
		want |= FETCH_SIZE;
	if (f->attrs &
	    (IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY | IMAP_FETCH_BODYSTRUCTURE))
		want |= FETCH_STRUCTURE | FETCH_SIZE | FETCH_PREFIX;
	if (f->n_sections)
		want |=
		    FETCH_BODY | FETCH_PREFIX | FETCH_STRUCTURE | FETCH_SIZE;
	return want;
}

static void
cleanup(struct session *s)
{
	struct fetch *f = s->cmd->data;

	buf_done(&f->uids);
	buf_done(&f->seen);
	buf_done(&f->again);
	buf_done(&f->scratch);
}

static void
finish(struct session *s)
{
	struct fetch *f = s->cmd->data;

	if (f->is_damaged)
		session_no(s, "CORRUPTION",
		    "A message is damaged on disk; the operator was told");
	else
		session_ok(s, "Done");
}

/* --- from the view alone --------------------------------------------------------------- */

void
fetch_put_view_items(struct session *s, const struct ipc_entry *e)
{
	struct fetch *f = s->cmd->data;
	struct buf *b = &s->out;
	const char *blank = "";

	if (f->attrs & IMAP_FETCH_UID) {
		buf_put_c(b, "UID ");
		imap_put_number(b, e->uid);
		blank = " ";
	}
	if (f->attrs & IMAP_FETCH_MODSEQ) {
		buf_put_c(b, blank);
		buf_put_c(b, "MODSEQ (");
		buf_put_u64(b, e->modseq);
		buf_put_char(b, ')');
		blank = " ";
	}
	if (f->attrs & IMAP_FETCH_FLAGS ||
	    uid_set_has(buf_str(&f->seen), e->uid)) {
		buf_put_c(b, blank);
		view_put_flags(s->view, e, b);
	}
}

static bool
is_hot_line(const struct fetch *f, const struct ipc_entry *e)
{
	return f->attrs == (IMAP_FETCH_UID | IMAP_FETCH_FLAGS) &&
	       !(e->keywords[0] | e->keywords[1]);
}

static void
put_view_line(struct session *s, size_t i)
{
	struct fetch *f = s->cmd->data;
	const struct ipc_entry *e = &s->view->entries[i];

	if (is_hot_line(f, e)) {
		struct imap_flags flags = { .bits = e->flags };

		imap_put_fetch_flags(&s->out, (uint32_t)i + 1, e->uid, &flags,
		    view_is_recent(s->view, e));
		return;
	}
	imap_put_fetch_open(&s->out, (uint32_t)i + 1);
	fetch_put_view_items(s, e);
	buf_put_c(&s->out, ")\r\n");
}

static void
fetch_from_view(struct session *s)
{
	struct fetch *f = s->cmd->data;
	uint32_t first, last;

	while (uid_set_next(&f->left, &first, &last)) {
		size_t i = view_lower(s->view, first);

		for (; i < s->view->n && s->view->entries[i].uid <= last; i++)
			put_view_line(s, i);
		if (s->out.n > SESSION_OUT_CHUNK) {
			session_flush(s);
			if (session_wait_drained(s, fetch_from_view))
				return;
		}
	}
	finish(s);
}

/* --- with the store ---------------------------------------------------------------------- */

static void on_portion(struct session *s, struct ipc_msg *m);

/* Take ranges off the front of what is left, into a request. */
static void
ask_portion(struct session *s)
{
	struct fetch *f = s->cmd->data;
	struct buf b = BUF_INIT(KIB(512));
	struct msg_fetch req = { .mailbox = s->view->mailbox,
		.uids = str_first(f->left, REQUEST_UIDS),
		.want = f->want,
		.size = f->header_only ? HEADER_GUESS : 0,
		.max_bytes = KIB(512) };

	f->asked = req.uids.n;
	msg_fetch_put(&b, &req);
	imap_session_ask(s, MSG_FETCH, &b, -1, on_portion);
	buf_done(&b);
}

static void
on_portion(struct session *s, struct ipc_msg *m)
{
	struct fetch *f = s->cmd->data;
	struct msg_fetch_reply r;
	bool is_ok;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_fetch_reply_get(m->body, &r)) {
		session_broken_reply(s);
		return;
	}
	f->left = uid_set_after(&f->uids, f->left, f->asked, r.next_uid);
	/* The next portion is read while this one is written. */
	if (f->left.n && !conn_is_full(s->conn) && !r.is_body_in_fd)
		ask_portion(s);
	is_ok = r.is_body_in_fd ? fetch_put_big(s, &r, m)
	                        : fetch_put_items(s, r.items);
	if (!is_ok) {
		session_bye(s, "SERVERBUG", "Internal error");
		return;
	}
	session_flush(s);
	fetch_more(s);
}

/*
 * Messages whose header was longer than the guess, or whose structure record
 * is of no use, once more: whole.
 */
static void
go_again(struct fetch *f)
{
	buf_done(&f->uids);
	f->uids = f->again;
	buf_init(&f->again, UIDS_MAX);
	f->left = buf_str(&f->uids);
	f->header_only = false;
	f->is_again = true;
	f->want |= FETCH_BODY | FETCH_PREFIX | FETCH_STRUCTURE | FETCH_SIZE;
}

static void
fetch_more(struct session *s)
{
	struct fetch *f = s->cmd->data;

	if (session_is_asking(s))
		return;
	if (session_wait_drained(s, fetch_more))
		return;
	if (!f->left.n && f->again.n)
		go_again(f);
	if (f->left.n)
		ask_portion(s);
	else
		finish(s);
}

/* --- planning -------------------------------------------------------------------------------- */

static void
begin(struct session *s)
{
	struct fetch *f = s->cmd->data;

	f->left = buf_str(&f->uids);
	if (f->want)
		fetch_more(s);
	else
		fetch_from_view(s);
}

static void
on_seen(struct session *s, struct ipc_msg *m)
{
	struct fetch *f = s->cmd->data;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	/* Our own change is told by the FETCH responses themselves. */
	s->silent = buf_str(&f->seen);
	session_sync(s, false, begin);
}

/* BODY[...] without PEEK sets \Seen (RFC 3501 6.4.5). */
static bool
set_seen(struct session *s)
{
	struct fetch *f = s->cmd->data;
	struct buf b = BUF_INIT(KIB(512));
	struct msg_flags req = {
		.mailbox = s->view->mailbox, .op = 1, .flags = IMAP_FLAG_SEEN
	};
	struct str set = buf_str(&f->uids);
	uint32_t first, last;

	while (uid_set_next(&set, &first, &last))
		for (size_t i = view_lower(s->view, first);
		     i < s->view->n && s->view->entries[i].uid <= last; i++)
			if (!(s->view->entries[i].flags & IMAP_FLAG_SEEN))
				uid_set_add(&f->seen, s->view->entries[i].uid,
				    s->view->entries[i].uid);
	req.uids = buf_str(&f->seen);
	msg_flags_put(&b, &req);
	if (f->seen.n == 0 || b.failed) {
		buf_done(&b);
		return false;
	}
	imap_session_ask(s, MSG_FLAGS, &b, -1, on_seen);
	buf_done(&b);
	return true;
}

/* CHANGEDSINCE: keep only what changed. */
static void
keep_changed(struct session *s, uint64_t since)
{
	struct fetch *f = s->cmd->data;
	struct buf kept = BUF_INIT(UIDS_MAX);
	struct str set = buf_str(&f->uids);
	uint32_t first, last;

	while (uid_set_next(&set, &first, &last))
		for (size_t i = view_lower(s->view, first);
		     i < s->view->n && s->view->entries[i].uid <= last; i++)
			if (s->view->entries[i].modseq > since)
				uid_set_add(&kept, s->view->entries[i].uid,
				    s->view->entries[i].uid);
	buf_done(&f->uids);
	f->uids = kept;
}

void
imap_cmd_fetch(struct session *s)
{
	const struct imap_fetch *c = &s->cmd->c.u.fetch;
	struct fetch *f = session_cmd_data(s, sizeof(*f));

	s->cmd->cleanup = cleanup;
	buf_init(&f->uids, UIDS_MAX);
	buf_init(&f->seen, KIB(500));
	buf_init(&f->again, UIDS_MAX);
	buf_init(&f->scratch, SIZE_MAX / 2);
	f->c = c;
	f->attrs = c->attrs;
	if (s->cmd->c.is_uid)
		f->attrs |= IMAP_FETCH_UID;
	if (c->has_changed_since)
		f->attrs |= IMAP_FETCH_MODSEQ;
	if (f->attrs & IMAP_FETCH_MODSEQ)
		s->enabled |= ENABLED_CONDSTORE;
	f->want = wanted(c);
	f->header_only = needs_header_only(c);
	if (!view_resolve(
		s->view, &s->cmd->arena, &c->set, s->cmd->c.is_uid, &f->uids)) {
		session_bad(s, "No such message");
		return;
	}
	if (c->has_changed_since)
		keep_changed(s, c->changed_since);
	if (c->sets_seen && !s->view->is_readonly && set_seen(s))
		return;
	begin(s);
}
