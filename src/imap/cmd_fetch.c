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
#define PORTION      KIB(512)
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
	buf_done(&f->vanished);
	buf_done(&f->scratch);
}

static void
finish(struct session *s)
{
	struct fetch *f = s->cmd->data;

	if (f->is_cut)
		session_no(s, "LIMIT", "Too many large sections at once");
	else if (f->is_damaged)
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
	struct buf *b = &s->client.out;
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

		imap_put_fetch_flags(&s->client.out, (uint32_t)i + 1, e->uid,
		    &flags, view_is_recent(s->view, e));
		return;
	}
	imap_put_fetch_open(&s->client.out, (uint32_t)i + 1);
	fetch_put_view_items(s, e);
	buf_put_c(&s->client.out, ")\r\n");
}

/* f->left keeps the range under way until it is done. */
static void
fetch_from_view(struct session *s)
{
	struct fetch *f = s->cmd->data;
	const struct view *v = s->view;
	struct str rest = f->left;
	uint32_t first, last;

	for (; uid_set_next(&rest, &first, &last); f->left = rest) {
		size_t i = view_lower(v, (uint32_t)MAX(first, f->next));

		for (; i < v->n && v->entries[i].uid <= last; i++) {
			put_view_line(s, i);
			f->next = v->entries[i].uid;
			if (s->client.out.n < CLIENT_OUT_CHUNK)
				continue;
			client_flush(&s->client);
			if (f->next < last &&
			    session_wait_drained(s, fetch_from_view)) {
				f->next++;
				return;
			}
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
		.max_bytes = PORTION };

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
	if (f->left.n && !conn_is_full(s->client.conn) && !r.is_body_in_fd)
		ask_portion(s);
	is_ok = r.is_body_in_fd ? fetch_put_big(s, &r, m->fd)
	                        : fetch_put_items(s, r.items);
	if (!is_ok) {
		session_bye(s, "SERVERBUG", "Internal error");
		return;
	}
	client_flush(&s->client);
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

/* The last message of the command is one that is at hand. */
static bool
is_kept(struct session *s)
{
	struct fetch *f = s->cmd->data;
	struct str left = f->left;
	uint32_t first, last;

	return f->is_pieces && uid_set_next(&left, &first, &last) &&
	       first == last && !left.n && fetch_put_kept(s, first);
}

static void
fetch_more(struct session *s)
{
	struct fetch *f = s->cmd->data;

	if (client_is_asking(&s->client))
		return;
	if (session_wait_drained(s, fetch_more))
		return;
	if (!f->left.n && f->again.n)
		go_again(f);
	if (is_kept(s)) {
		f->left = STR_NONE;
		client_flush(&s->client);
	}
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

static void ask_seen(struct session *s);

static void
on_seen(struct session *s, struct ipc_msg *m)
{
	struct fetch *f = s->cmd->data;

	if (m->outcome != DONE) {
		s->has_changes = true;
		session_failed(s, m);
		return;
	}
	if (f->left.n) {
		ask_seen(s);
		return;
	}
	/* Our own change is told by the FETCH responses themselves. */
	s->silent = buf_str(&f->seen);
	session_sync(s, false, begin);
}

static void
ask_seen(struct session *s)
{
	struct fetch *f = s->cmd->data;
	struct buf b = BUF_INIT(KIB(512));
	struct msg_flags req = { .mailbox = s->view->mailbox,
		.uids = str_first(f->left, REQUEST_UIDS),
		.op = 1,
		.flags = IMAP_FLAG_SEEN };

	f->left = str_from(f->left, REQUEST_UIDS);
	msg_flags_put(&b, &req);
	imap_session_ask(s, MSG_FLAGS, &b, -1, on_seen);
	buf_done(&b);
}

/*
 * BODY[...] without PEEK sets \Seen (RFC 3501 6.4.5). The store is asked for
 * the whole set, which is short; those that have it already stay as they are.
 */
static bool
set_seen(struct session *s)
{
	struct fetch *f = s->cmd->data;
	struct str set = buf_str(&f->uids);
	uint32_t first, last;

	while (uid_set_next(&set, &first, &last))
		for (size_t i = view_lower(s->view, first);
		     i < s->view->n && s->view->entries[i].uid <= last; i++)
			if (!(s->view->entries[i].flags & IMAP_FLAG_SEEN))
				uid_set_add(&f->seen, s->view->entries[i].uid,
				    s->view->entries[i].uid);
	if (f->seen.n == 0)
		return false;
	f->left = buf_str(&f->uids);
	ask_seen(s);
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

/* --- VANISHED (RFC 7162 3.2.6) ------------------------------------------------------ */

static void ask_vanished(struct session *s, uint64_t since);

static void
start(struct session *s)
{
	const struct imap_fetch *c = &s->cmd->c.u.fetch;

	if (!c->sets_seen || s->view->is_readonly || !set_seen(s))
		begin(s);
}

/* Of what the client asked about; all that is missing when the store does not
 * know any more since when. */
static void
put_vanished(struct session *s, const struct str *among)
{
	const struct imap_fetch *c = &s->cmd->c.u.fetch;
	struct buf gone = BUF_INIT(SIZE_MAX / 2);
	struct imap_set set;

	if (s->view->uidnext > 1 && imap_set_normalise(&s->cmd->arena, &c->set,
					s->view->uidnext - 1, &set))
		view_missing(s->view, &set, among, &gone);
	view_put_vanished(buf_str(&gone), true, &s->client.out);
	buf_done(&gone);
	start(s);
}

static void
on_vanished(struct session *s, struct ipc_msg *m)
{
	struct fetch *f = s->cmd->data;
	struct msg_entries_reply r;
	struct str all;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_entries_reply_get(m->body, &r) ||
	    !uid_set_is_valid(r.vanished)) {
		session_broken_reply(s);
		return;
	}
	if (r.is_too_old) {
		put_vanished(s, NULL);
		return;
	}
	uid_set_merge(&f->vanished, r.vanished);
	if (r.has_more) {
		ask_vanished(s, r.modseq);
		return;
	}
	all = buf_str(&f->vanished);
	put_vanished(s, &all);
}

static void
ask_vanished(struct session *s, uint64_t since)
{
	struct msg_entries req = { .mailbox = s->view->mailbox,
		.since_modseq = MAX(since, 1),
		.known_keywords = (uint32_t)s->view->n_keywords };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	/* The store arms the next notice with this answer: it is as if one
	 * had come. */
	s->has_changes = true;
	imap_session_ask(s, MSG_ENTRIES, &b, -1, on_vanished);
	buf_done(&b);
}

static struct fetch *
plan(struct session *s)
{
	const struct imap_fetch *c = &s->cmd->c.u.fetch;
	struct fetch *f = session_cmd_data(s, sizeof(*f));

	s->cmd->cleanup = cleanup;
	buf_init(&f->uids, UIDS_MAX);
	buf_init(&f->seen, UIDS_MAX);
	buf_init(&f->again, UIDS_MAX);
	buf_init(&f->vanished, UIDS_MAX);
	buf_init(&f->scratch, SIZE_MAX / 2);
	f->c = c;
	f->attrs = c->attrs;
	if (s->cmd->c.is_uid)
		f->attrs |= IMAP_FETCH_UID;
	if (c->has_changed_since)
		f->attrs |= IMAP_FETCH_MODSEQ;
	for (size_t i = 0; i < c->n_sections; i++)
		f->is_pieces |= c->sections[i].has_partial;
	f->want = wanted(c);
	if (f->is_pieces) /* what is kept must do for the next one, too */
		f->want |= FETCH_DATES;
	f->header_only = needs_header_only(c);
	return f;
}

void
imap_cmd_fetch(struct session *s)
{
	const struct imap_fetch *c = &s->cmd->c.u.fetch;
	struct fetch *f = plan(s);

	if (c->vanished && !(s->enabled & ENABLED_QRESYNC)) {
		session_bad(s, "ENABLE QRESYNC comes first");
		return;
	}
	if (!view_resolve(
		s->view, &s->cmd->arena, &c->set, s->cmd->c.is_uid, &f->uids)) {
		session_bad(s, "No such message");
		return;
	}
	if (f->attrs & IMAP_FETCH_MODSEQ)
		session_enable(s, ENABLED_CONDSTORE);
	if (c->has_changed_since)
		keep_changed(s, c->changed_since);
	if (c->vanished)
		ask_vanished(s, c->changed_since);
	else
		start(s);
}
