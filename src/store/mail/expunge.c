/* SPDX-License-Identifier: ISC */
/*
 * expunge.c - EXPUNGE, and the way back: undelete.
 *
 * An expunged message leaves its mailbox and becomes "lost": a record under
 * the time of its expunge, which takes over the reference to the message. It
 * stays for the undelete window; then the reference is dropped (purge.c).
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

static void
make_lost(struct tx *t, struct account *a, const struct mailbox *mb,
    const struct uid_entry *ue)
{
	entry_record_encode(&t->val, &ue->e);
	tx_put(t, a, key_lost(mail_now(t->m), mb->id, ue->uid));
}

static struct verdict
drop_refs(struct tx *t, struct account *a, const struct entry_list *l)
{
	uint64_t *msgids = x_calloc(l->n + 1, sizeof(*msgids));
	struct verdict v;

	for (size_t i = 0; i < l->n; i++)
		msgids[i] = l->v[i].e.msgid;
	v = tx_refs(t, a, msgids, l->n, -1);
	free(msgids);
	return v;
}

struct verdict
expunge_entries(struct tx *t, struct account *a, struct mailbox *mb,
    const struct entry_list *l, bool is_lost)
{
	struct buf uids = BUF_INIT(MAIL_REPLY_MAX);
	struct verdict v = VERDICT_DONE;

	for (size_t i = 0; i < l->n; i++) {
		tx_entry_remove(t, a, mb, &l->v[i]);
		uid_set_add(&uids, l->v[i].uid, l->v[i].uid);
		if (is_lost)
			make_lost(t, a, mb, &l->v[i]);
	}
	if (l->n)
		v = tx_log_expunged(t, a, mb, buf_str(&uids));
	if (verdict_is_done(v) && !is_lost)
		v = drop_refs(t, a, l);
	buf_done(&uids);
	return v;
}

/* Keep those that are to go. */
static void
keep_deleted(struct entry_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].e.flags & IMAP_FLAG_DELETED)
			l->v[n++] = l->v[i];
	l->n = n;
}

static struct verdict
expunge_step(struct mail *m, uint64_t account, const struct msg_expunge *q,
    uint32_t *from_uid, struct buf *gone)
{
	struct entry_query eq = {
		.account = account,
		.mailbox = q->mailbox,
		.uids = q->uids,
		.from_uid = *from_uid,
		.max = MAIL_BATCH_MAX,
	};
	struct entry_list list;
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_get(m, account, q->mailbox, &a, &mb);
	struct tx t;

	if (!verdict_is_done(v))
		return v;
	v = entries_read(m, &eq, &list);
	if (!verdict_is_done(v))
		return v;
	*from_uid = list.next_uid;
	if (!q->is_any_flag)
		keep_deleted(&list);
	if (list.n) {
		tx_begin(&t, m);
		v = expunge_entries(
		    &t, a, mb, &list, m->config.undelete_days != 0);
		v = tx_end(&t, v);
	}
	for (size_t i = 0; i < list.n && verdict_is_done(v); i++)
		uid_set_add(gone, list.v[i].uid, list.v[i].uid);
	entry_list_done(&list);
	return v;
}

struct verdict
mail_expunge(struct mail *m, uint64_t account, const struct msg_expunge *q,
    struct buf *out)
{
	struct buf gone = BUF_INIT(MAIL_REPLY_MAX);
	struct msg_expunge_reply reply;
	struct verdict v = VERDICT_DONE;
	uint32_t from_uid = q->uids.n ? 1 : 0;

	if (!uid_set_is_valid(q->uids))
		return verdict_permfail(REASON_INTERNAL);
	while (verdict_is_done(v) && from_uid)
		v = expunge_step(m, account, q, &from_uid, &gone);
	if (verdict_is_done(v)) {
		reply.modseq = mail_mailbox_modseq(m, account, q->mailbox);
		reply.uids = buf_str(&gone);
		msg_expunge_reply_put(out, &reply);
	}
	buf_done(&gone);
	return v;
}
