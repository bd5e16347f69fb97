/* SPDX-License-Identifier: ISC */
/*
 * cmd_store.c - STORE, EXPUNGE, COPY, MOVE: changes to messages.
 *
 * Each is one request to the store; what it did comes back like what others
 * did, by synchronising the view, so that there is one way only by which a
 * view changes.
 */
#include "imap/session.h"

#define UIDS_MAX KIB(500)

static const char no_such[] = "No such message";

/* The UIDs of the command's set as a request field; false: answered. */
static bool
resolve(struct session *s, const struct imap_set *set, struct buf *uids)
{
	buf_init(uids, UIDS_MAX);
	if (!view_resolve(
		s->view, &s->cmd->arena, set, s->cmd->c.is_uid, uids)) {
		buf_done(uids);
		session_bad(s, no_such);
		return false;
	}
	if (uids->failed) {
		buf_done(uids);
		session_no(s, "LIMIT", "The set has too many ranges");
		return false;
	}
	if (uids->n == 0) {
		buf_done(uids);
		session_ok(s, "Nothing to do");
		return false;
	}
	return true;
}

static bool
refuse_readonly(struct session *s)
{
	if (s->view->is_readonly)
		session_no(s, "NOPERM", "The mailbox is open read-only");
	return s->view->is_readonly;
}

/* "MODIFIED 7,9": UIDs or message numbers, as the command had them. */
static void
put_modified(struct session *s, struct str failed, struct buf *code)
{
	struct imap_set_writer w = { .b = code };
	uint32_t first, last;

	buf_put_c(code, "MODIFIED ");
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
}

static void
on_flags(struct session *s, struct ipc_msg *m)
{
	struct msg_flags_reply r;
	struct buf code = BUF_INIT(KIB(256));

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_flags_reply_get(m->body, &r) || !uid_set_is_valid(r.failed)) {
		session_broken_reply(s);
		return;
	}
	s->has_changes = true;
	if (r.failed.n)
		put_modified(s, r.failed, &code);
	session_finish(s, IMAP_OK, buf_str(&code),
	    r.failed.n ? STR("Some were changed by others") : STR("Done"));
	buf_done(&code);
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

void
imap_cmd_store(struct session *s)
{
	const struct imap_store *c = &s->cmd->c.u.store;
	struct buf uids, keywords = BUF_INIT(KIB(8)), b = BUF_INIT(KIB(512));
	struct msg_flags req = { .mailbox = s->view->mailbox,
		.op = flags_op(c->op),
		.flags = c->flags.bits,
		.has_unchangedsince = c->has_unchanged_since,
		.unchangedsince = c->unchanged_since };

	if (refuse_readonly(s) || !resolve(s, &c->set, &uids))
		return;
	if (c->has_unchanged_since)
		s->enabled |= ENABLED_CONDSTORE;
	put_keywords(&keywords, &c->flags);
	req.uids = buf_str(&uids);
	req.keywords = buf_str(&keywords);
	if (c->is_silent &&
	    !arena_str(&s->cmd->arena, buf_str(&uids), &s->silent))
		s->silent = STR_NONE;
	msg_flags_put(&b, &req);
	imap_session_ask(s, MSG_FLAGS, &b, -1, on_flags);
	buf_done(&uids);
	buf_done(&keywords);
	buf_done(&b);
}

static void
on_expunge(struct session *s, struct ipc_msg *m)
{
	struct msg_expunge_reply r;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_expunge_reply_get(m->body, &r)) {
		session_broken_reply(s);
		return;
	}
	s->has_changes = true;
	session_ok(s, "Done");
}

void
imap_cmd_expunge(struct session *s)
{
	struct buf uids, b = BUF_INIT(KIB(512));
	struct msg_expunge req = { .mailbox = s->view->mailbox };

	if (refuse_readonly(s))
		return;
	if (s->view->n == 0) {
		imap_cmd_noop(s);
		return;
	}
	if (s->cmd->c.is_uid) {
		if (!resolve(s, &s->cmd->c.u.expunge, &uids))
			return;
	} else {
		buf_init(&uids, UIDS_MAX);
		uid_set_add(&uids, 1, s->view->entries[s->view->n - 1].uid);
	}
	req.uids = buf_str(&uids);
	msg_expunge_put(&b, &req);
	imap_session_ask(s, MSG_EXPUNGE, &b, -1, on_expunge);
	buf_done(&uids);
	buf_done(&b);
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
	struct buf code = BUF_INIT(KIB(250));

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
		imap_put_status(
		    &s->out, STR_NONE, IMAP_OK, buf_str(&code), STR("Moved"));
		buf_reset(&code, 0);
	}
	session_finish(s, IMAP_OK, buf_str(&code), STR("Done"));
	buf_done(&code);
}

void
imap_cmd_copy(struct session *s)
{
	const struct imap_copy *c = &s->cmd->c.u.copy;
	bool is_move = s->cmd->c.verb == IMAP_MOVE;
	struct buf uids, b = BUF_INIT(KIB(512));
	struct msg_copy req = { .mailbox = s->view->mailbox,
		.to_name = c->mailbox.name,
		.is_move = is_move };

	if ((is_move && refuse_readonly(s)) || !resolve(s, &c->set, &uids))
		return;
	req.uids = buf_str(&uids);
	msg_copy_put(&b, &req);
	imap_session_ask(s, MSG_COPY, &b, -1, on_copy);
	buf_done(&uids);
	buf_done(&b);
}
