/* SPDX-License-Identifier: ISC */
/*
 * cmd_store.c - STORE, EXPUNGE, COPY, MOVE: changes to messages.
 *
 * The store does them; what it did comes back like what others
 * did, by synchronising the view, so that there is one way only by which a
 * view changes.
 */
#include "imap/session.h"

#define UIDS_MAX     MIB(64)
#define COPY_MAX     KIB(511) /* of one request, as ipc_msgs.def allows */
#define REQUEST_UIDS KIB(256) /* bytes of UID ranges in one request */

/*
 * A set goes to the store in portions, though only that of a search result
 * ("$") ever needs more than one: see view_resolve().
 */
struct change {
	struct buf uids;   /* UID set: all of the command */
	struct str left;   /* of uids: what was not asked for yet */
	uint64_t known;    /* STORE: the view's mod-sequence before it */
	struct buf failed; /* STORE: newer than UNCHANGEDSINCE */
	bool has_expunged;
};

static void
cleanup(struct session *s)
{
	struct change *ch = s->cmd->data;

	buf_done(&ch->uids);
	buf_done(&ch->failed);
}

/* The UIDs of the command's set; NULL: the command is answered. */
static struct change *
begin(struct session *s, const struct imap_set *set)
{
	struct change *ch = session_cmd_data(s, sizeof(*ch));

	s->cmd->cleanup = cleanup;
	buf_init(&ch->uids, UIDS_MAX);
	buf_init(&ch->failed, UIDS_MAX);
	ch->known = s->view->modseq;
	if (!set) {
		if (s->view->n)
			uid_set_add(
			    &ch->uids, 1, s->view->entries[s->view->n - 1].uid);
	} else if (!view_resolve(s->view, &s->cmd->arena, set, s->cmd->c.is_uid,
		       &ch->uids)) {
		session_bad(s, "No such message");
		return NULL;
	}
	ch->left = buf_str(&ch->uids);
	if (ch->uids.n)
		return ch;
	session_ok(s, "Nothing to do");
	return NULL;
}

static struct str
next_portion(struct change *ch)
{
	struct str portion = str_first(ch->left, REQUEST_UIDS);

	ch->left = str_from(ch->left, REQUEST_UIDS);
	return portion;
}

static bool
refuse_readonly(struct session *s)
{
	if (s->view->is_readonly)
		session_no(s, "NOPERM", "The mailbox is open read-only");
	return s->view->is_readonly;
}

/* --- STORE ------------------------------------------------------------------------- */

static void ask_flags(struct session *s);

/* "MODIFIED 7,9": UIDs or message numbers, as the command had them. */
static void
put_modified(struct session *s, struct buf *code)
{
	struct change *ch = s->cmd->data;
	struct buf set = BUF_INIT(SESSION_CODE_MAX);
	struct imap_set_writer w = { .b = &set };
	struct str failed = buf_str(&ch->failed);
	uint32_t first, last;

	while (uid_set_next(&failed, &first, &last))
		for (uint32_t uid = first;; uid++) {
			uint32_t v =
			    s->cmd->c.is_uid ? uid : view_seq(s->view, uid);

			if (v)
				imap_set_writer_add(&w, v);
			if (uid == last)
				break;
		}
	imap_set_writer_end(&w);
	if (set.n) {
		buf_put_c(code, "MODIFIED ");
		buf_put_str(code, buf_str(&set));
	}
	buf_done(&set);
}

/*
 * RFC 3501 6.4.6: the new flags of all messages, also of those that had them
 * already. What really changed was told by the synchronisation.
 */
static void
tell_unchanged(struct session *s)
{
	struct change *ch = s->cmd->data;
	struct view_apply_options o = { .with_modseq =
					    s->enabled & ENABLED_CONDSTORE,
		.with_uid = s->cmd->c.is_uid || s->enabled & ENABLED_QRESYNC };
	struct str set = buf_str(&ch->uids);
	uint32_t first, last;

	while (uid_set_next(&set, &first, &last))
		for (size_t i = view_lower(s->view, first);
		     i < s->view->n && s->view->entries[i].uid <= last; i++)
			if (s->view->entries[i].modseq <= ch->known &&
			    !uid_set_has(
				buf_str(&ch->failed), s->view->entries[i].uid))
				view_put_entry(s->view, i, &o, &s->client.out);
}

static void
store_synced(struct session *s)
{
	struct change *ch = s->cmd->data;
	struct buf code = BUF_INIT(SESSION_CODE_MAX);

	if (!s->cmd->c.u.store.is_silent)
		tell_unchanged(s);
	if (ch->failed.n)
		put_modified(s, &code);
	session_finish(s, IMAP_OK, buf_str(&code),
	    ch->failed.n ? STR("Some were changed by others") : STR("Done"));
	buf_done(&code);
}

static void
on_flags(struct session *s, struct ipc_msg *m)
{
	struct change *ch = s->cmd->data;
	struct msg_flags_reply r;

	if (m->outcome != DONE) {
		s->has_changes = true; /* a portion may have been done */
		session_failed(s, m);
		return;
	}
	if (!msg_flags_reply_get(m->body, &r) || !uid_set_is_valid(r.failed)) {
		session_broken_reply(s);
		return;
	}
	buf_put_str(&ch->failed, r.failed);
	if (ch->left.n) {
		ask_flags(s);
		return;
	}
	if (s->cmd->c.u.store.is_silent)
		s->silent = buf_str(&ch->uids);
	session_sync(s, session_may_expunge(s), store_synced);
}

static void
put_keywords(struct buf *b, const struct imap_flags *f)
{
	for (size_t i = 0; i < f->n_keywords; i++) {
		struct msg_text t = { .text = f->keywords[i] };

		msg_text_put(b, &t);
	}
}

static uint8_t
flags_op(enum imap_store_op op)
{
	switch (op) {
	case IMAP_STORE_REPLACE:
		return 0;
	case IMAP_STORE_ADD:
		return 1;
	case IMAP_STORE_REMOVE:
		return 2;
	}
	return 0;
}

static void
ask_flags(struct session *s)
{
	const struct imap_store *c = &s->cmd->c.u.store;
	struct buf keywords = BUF_INIT(KIB(8)), b = BUF_INIT(KIB(512));
	struct msg_flags req = { .mailbox = s->view->mailbox,
		.uids = next_portion(s->cmd->data),
		.op = flags_op(c->op),
		.flags = c->flags.bits,
		.has_unchangedsince = c->has_unchanged_since,
		.unchangedsince = c->unchanged_since };

	put_keywords(&keywords, &c->flags);
	req.keywords = buf_str(&keywords);
	msg_flags_put(&b, &req);
	imap_session_ask(s, MSG_FLAGS, &b, -1, on_flags);
	buf_done(&keywords);
	buf_done(&b);
}

void
imap_cmd_store(struct session *s)
{
	const struct imap_store *c = &s->cmd->c.u.store;

	if (refuse_readonly(s) || !begin(s, &c->set))
		return;
	if (c->has_unchanged_since)
		session_enable(s, ENABLED_CONDSTORE);
	ask_flags(s);
}

/* --- EXPUNGE ------------------------------------------------------------------------ */

static void ask_expunge(struct session *s);

/* RFC 7162 3.2.7, 3.2.8: what the client is up to date with now. */
static void
expunge_synced(struct session *s)
{
	struct change *ch = s->cmd->data;
	struct buf code = BUF_INIT(64);

	if (ch->has_expunged && s->enabled & ENABLED_CONDSTORE)
		buf_printf(&code, "HIGHESTMODSEQ %llu",
		    (unsigned long long)s->view->modseq);
	session_finish(s, IMAP_OK, buf_str(&code), STR("Done"));
	buf_done(&code);
}

static void
on_expunge(struct session *s, struct ipc_msg *m)
{
	struct change *ch = s->cmd->data;
	struct msg_expunge_reply r;

	if (m->outcome != DONE) {
		s->has_changes = true;
		session_failed(s, m);
		return;
	}
	if (!msg_expunge_reply_get(m->body, &r)) {
		session_broken_reply(s);
		return;
	}
	ch->has_expunged |= r.uids.n > 0;
	if (ch->left.n)
		ask_expunge(s);
	else
		session_sync(s, session_may_expunge(s), expunge_synced);
}

static void
ask_expunge(struct session *s)
{
	struct msg_expunge req = { .mailbox = s->view->mailbox,
		.uids = next_portion(s->cmd->data) };
	struct buf b = BUF_INIT(KIB(512));

	msg_expunge_put(&b, &req);
	imap_session_ask(s, MSG_EXPUNGE, &b, -1, on_expunge);
	buf_done(&b);
}

void
imap_cmd_expunge(struct session *s)
{
	const struct imap_set *set =
	    s->cmd->c.is_uid ? &s->cmd->c.u.expunge : NULL;

	if (!refuse_readonly(s) && begin(s, set))
		ask_expunge(s);
}

/* --- COPY and MOVE ------------------------------------------------------------------- */

static bool
put_uids(struct buf *b, struct str set)
{
	struct imap_set_writer w = { .b = b };
	uint32_t first, last;

	if (!uid_set_is_valid(set))
		return false;
	while (uid_set_next(&set, &first, &last))
		for (uint32_t uid = first;; uid++) {
			imap_set_writer_add(&w, uid);
			if (uid == last)
				break;
		}
	imap_set_writer_end(&w);
	return !b->failed;
}

static bool
put_copyuid(struct buf *code, const struct msg_copy_reply *r)
{
	buf_printf(code, "COPYUID %u ", r->uidvalidity);
	if (!put_uids(code, r->from))
		return false;
	buf_put_char(code, ' ');
	return put_uids(code, r->to);
}

static void
on_copy(struct session *s, struct ipc_msg *m)
{
	struct msg_copy_reply r;
	struct buf code = BUF_INIT(SESSION_CODE_MAX);

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_copy_reply_get(m->body, &r)) {
		session_broken_reply(s);
		return;
	}
	if (r.from.n == 0 || !put_copyuid(&code, &r))
		buf_reset(&code, 0);
	s->has_changes = true;
	if (s->cmd->c.verb == IMAP_MOVE && code.n) {
		/* Before the EXPUNGEs (RFC 6851 4.3). */
		imap_put_status(&s->client.out, STR_NONE, IMAP_OK,
		    buf_str(&code), STR("Moved"));
		buf_reset(&code, 0);
	}
	session_finish(s, IMAP_OK, buf_str(&code), STR("Done"));
	buf_done(&code);
}

/* One request: all or nothing. */
void
imap_cmd_copy(struct session *s)
{
	const struct imap_copy *c = &s->cmd->c.u.copy;
	bool is_move = s->cmd->c.verb == IMAP_MOVE;
	struct buf b = BUF_INIT(2 * UIDS_MAX);
	struct msg_copy req = { .mailbox = s->view->mailbox,
		.to_name = c->mailbox.name,
		.is_move = is_move };
	struct change *ch;

	if (is_move && refuse_readonly(s))
		return;
	ch = begin(s, &c->set);
	if (!ch)
		return;
	req.uids = buf_str(&ch->uids);
	msg_copy_put(&b, &req);
	if (b.n > COPY_MAX)
		session_no(s, "LIMIT", "The set has too many ranges");
	else
		imap_session_ask(s, MSG_COPY, &b, -1, on_copy);
	buf_done(&b);
}
