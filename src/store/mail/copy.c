/* SPDX-License-Identifier: ISC */
/*
 * copy.c - COPY and MOVE within an account: the message is shared.
 *
 * Up to MAIL_BATCH_MAX messages are one batch. More are several: a MOVE may
 * then stop between two of them (RFC 6851 3.3), a COPY takes back what it
 * did (RFC 3501 6.4.7).
 */
#include "store/mail/mail_internal.h"

struct copy {
	struct mail *m;
	uint64_t account;
	uint32_t from, to;
	struct str uids; /* empty: all */
	bool is_move;
	uint32_t from_uid; /* where to go on; 0: done */
	uint32_t last_uid; /* those copied into the same mailbox stay out */
	struct buf *from_set, *to_set;
};

static bool
is_over_quota(const struct account *a, const struct entry_list *l)
{
	uint64_t bytes = a->r.bytes;

	for (size_t i = 0; i < l->n; i++)
		bytes += l->v[i].e.size;
	return (a->r.bytes_limit && bytes > a->r.bytes_limit) ||
	       (a->r.messages_limit &&
		   a->r.messages + l->n > a->r.messages_limit);
}

static void
add_pair(const struct copy *c, uint32_t from, uint32_t to)
{
	uid_set_add(c->from_set, from, from);
	uid_set_add(c->to_set, to, to);
}

static struct verdict
add_refs(struct tx *t, struct account *a, const struct entry_list *l)
{
	uint64_t *msgids = x_calloc(l->n + 1, sizeof(*msgids));
	struct verdict v;

	for (size_t i = 0; i < l->n; i++)
		msgids[i] = l->v[i].e.msgid;
	v = tx_refs(t, a, msgids, l->n, 1);
	free(msgids);
	return v;
}

/* The originals go, without becoming lost: their references move along. */
static struct verdict
remove_originals(struct tx *t, struct account *a, struct mailbox *mb,
    const struct entry_list *l)
{
	struct buf uids = BUF_INIT(MAIL_REPLY_MAX);
	struct verdict v;

	for (size_t i = 0; i < l->n; i++) {
		tx_entry_remove(t, a, mb, &l->v[i]);
		uid_set_add(&uids, l->v[i].uid, l->v[i].uid);
	}
	v = tx_log_expunged(t, a, mb, buf_str(&uids));
	buf_done(&uids);
	return v;
}

static struct verdict
copy_list(const struct copy *c, struct tx *t, struct account *a,
    const struct entry_list *l)
{
	struct mailbox *from = account_mailbox(a, c->from);
	struct mailbox *to = account_mailbox(a, c->to);
	struct keyword_map map = { 0 };

	if (!c->is_move && is_over_quota(a, l))
		return verdict_permfail(REASON_OVERQUOTA);
	if (UINT32_MAX - to->r.uidnext <= l->n)
		return verdict_permfail(REASON_LIMIT);
	for (size_t i = 0; i < l->n; i++) {
		struct entry_record e = l->v[i].e;

		e.savedate = mail_now(c->m);
		if (from != to)
			keywords_translate(
			    &map, from->r.keywords, to, e.keywords);
		add_pair(c, l->v[i].uid, tx_entry_add(t, a, to, &e));
	}
	return c->is_move ? remove_originals(t, a, from, l) : add_refs(t, a, l);
}

/* Leave out what this very copy put there. */
static void
cut_list(const struct copy *c, struct entry_list *l)
{
	while (l->n && l->v[l->n - 1].uid > c->last_uid) {
		l->n--;
		l->next_uid = 0;
	}
}

static struct verdict
copy_step(struct copy *c)
{
	struct entry_query q = {
		.account = c->account,
		.mailbox = c->from,
		.uids = c->uids,
		.from_uid = c->from_uid,
		.max = MAIL_BATCH_MAX,
	};
	struct entry_list list;
	struct account *a;
	struct verdict v = account_get(c->m, c->account, &a);
	struct tx t;

	if (!verdict_is_done(v))
		return v;
	v = entries_read(c->m, &q, &list);
	if (!verdict_is_done(v))
		return v;
	cut_list(c, &list);
	c->from_uid = list.next_uid;
	if (list.n) {
		tx_begin(&t, c->m);
		tx_account(&t, a);
		v = copy_list(c, &t, a, &list);
		v = tx_end(&t, v);
	}
	entry_list_done(&list);
	return v;
}

/* Take back the batches that were done. When even that fails, copies stay:
 * the first verdict is what the client hears. */
static void
undo(const struct copy *c, uint32_t first_new)
{
	struct entry_query q = {
		.account = c->account,
		.mailbox = c->to,
		.from_uid = first_new,
		.max = SIZE_MAX,
	};
	struct entry_list list;
	struct account *a;
	struct mailbox *mb;
	struct tx t;

	if (!verdict_is_done(mailbox_get(c->m, c->account, c->to, &a, &mb)) ||
	    mb->r.uidnext == first_new ||
	    !verdict_is_done(entries_read(c->m, &q, &list)))
		return;
	tx_begin(&t, c->m);
	tx_account(&t, a);
	(void)tx_end(&t, expunge_entries(&t, a, mb, &list, false));
	entry_list_done(&list);
}

static struct verdict
run_copy(struct copy *c, uint32_t first_new)
{
	struct verdict v = VERDICT_DONE;

	while (verdict_is_done(v) && c->from_uid)
		v = copy_step(c);
	if (!verdict_is_done(v) && !c->is_move)
		undo(c, first_new);
	return v;
}

static struct verdict
find_target(struct account *a, struct str name, struct mailbox **ret)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);

	*ret = mailbox_name_clean(name, &clean)
	           ? account_find(a, buf_str(&clean))
	           : NULL;
	buf_done(&clean);
	return *ret ? VERDICT_DONE : verdict_not_found(REASON_NO_MAILBOX);
}

struct verdict
mail_copy(
    struct mail *m, uint64_t account, const struct msg_copy *q, struct buf *out)
{
	struct buf sets[2] = { BUF_INIT(MAIL_REPLY_MAX),
		BUF_INIT(MAIL_REPLY_MAX) };
	struct copy c = { .m = m,
		.account = account,
		.from = q->mailbox,
		.uids = q->uids,
		.from_uid = q->uids.n ? 1 : 0,
		.is_move = q->is_move,
		.from_set = &sets[0],
		.to_set = &sets[1] };
	struct msg_copy_reply reply;
	struct account *a;
	struct mailbox *from, *to;
	struct verdict v;

	if (!uid_set_is_valid(q->uids))
		return verdict_permfail(REASON_INTERNAL);
	v = mailbox_get(m, account, q->mailbox, &a, &from);
	if (verdict_is_done(v))
		v = find_target(a, q->to_name, &to);
	if (!verdict_is_done(v))
		return v;
	c.to = to->id;
	c.last_uid = from->r.uidnext - 1;
	reply.uidvalidity = to->r.uidvalidity;
	v = run_copy(&c, to->r.uidnext);
	if (verdict_is_done(v)) {
		reply.from = buf_str(&sets[0]);
		reply.to = buf_str(&sets[1]);
		reply.modseq = mail_mailbox_modseq(m, account, c.from);
		msg_copy_reply_put(out, &reply);
	}
	buf_done(&sets[0]);
	buf_done(&sets[1]);
	return v;
}

struct verdict
move_all(struct mail *m, uint64_t account, uint32_t from, uint32_t to)
{
	struct buf sets[2] = { BUF_INIT(MAIL_REPLY_MAX),
		BUF_INIT(MAIL_REPLY_MAX) };
	struct copy c = { .m = m,
		.account = account,
		.from = from,
		.to = to,
		.from_uid = 1,
		.is_move = true,
		.last_uid = UINT32_MAX,
		.from_set = &sets[0],
		.to_set = &sets[1] };
	struct verdict v = run_copy(&c, 0);

	buf_done(&sets[0]);
	buf_done(&sets[1]);
	return v;
}
