/* SPDX-License-Identifier: ISC */
/*
 * flags.c - FLAGS: change flags and keywords of messages.
 *
 * A message whose flags stay the same keeps its mod-sequence: nothing is
 * written and nobody is told.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

enum flags_op { OP_SET, OP_ADD, OP_REMOVE };

struct change {
	const struct msg_flags *q;
	uint64_t keywords[2];
	struct buf *failed; /* UIDs that were newer than unchangedsince */
};

static void
apply(const struct change *c, struct entry_record *e)
{
	uint64_t *kw = e->keywords;
	const uint64_t *with = c->keywords;

	switch ((enum flags_op)c->q->op) {
	case OP_SET:
		e->flags = c->q->flags;
		memcpy(kw, with, sizeof(c->keywords));
		return;
	case OP_ADD:
		e->flags |= c->q->flags;
		kw[0] |= with[0];
		kw[1] |= with[1];
		return;
	case OP_REMOVE:
		e->flags &= ~c->q->flags;
		kw[0] &= ~with[0];
		kw[1] &= ~with[1];
		return;
	}
}

static void
change_entry(struct tx *t, struct account *a, struct mailbox *mb,
    const struct change *c, const struct uid_entry *ue)
{
	struct entry_record now = ue->e;

	if (c->q->has_unchangedsince && ue->e.modseq > c->q->unchangedsince) {
		uid_set_add(c->failed, ue->uid, ue->uid);
		return;
	}
	apply(c, &now);
	if (now.flags != ue->e.flags ||
	    memcmp(now.keywords, ue->e.keywords, sizeof(now.keywords)) != 0)
		tx_entry_change(t, a, mb, ue, &now);
}

/* A batch of them, from *from_uid on; 0 there: that were the last. */
static struct verdict
flags_step(
    struct mail *m, uint64_t account, struct change *c, uint32_t *from_uid)
{
	struct entry_query q = {
		.account = account,
		.mailbox = c->q->mailbox,
		.uids = c->q->uids,
		.from_uid = *from_uid,
		.max = MAIL_BATCH_MAX,
	};
	struct entry_list list;
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_get(m, account, q.mailbox, &a, &mb);
	bool is_new = false;
	struct tx t;

	if (!verdict_is_done(v))
		return v;
	v = entries_read(m, &q, &list);
	if (!verdict_is_done(v))
		return v;
	*from_uid = list.next_uid;
	tx_begin(&t, m);
	v = keywords_bits(
	    mb, c->q->keywords, c->q->op != OP_REMOVE, c->keywords, &is_new);
	if (is_new || !verdict_is_done(v))
		tx_mailbox(&t, a, mb);
	for (size_t i = 0; i < list.n && verdict_is_done(v); i++)
		change_entry(&t, a, mb, c, &list.v[i]);
	entry_list_done(&list);
	if (!verdict_is_done(v) || t.n == 0) {
		tx_abort(&t);
		return v;
	}
	return tx_commit(&t);
}

struct verdict
mail_flags(struct mail *m, uint64_t account, const struct msg_flags *q,
    struct buf *out)
{
	struct buf failed = BUF_INIT(MAIL_REPLY_MAX);
	struct change c = { .q = q, .failed = &failed };
	struct msg_flags_reply reply;
	struct verdict v = VERDICT_DONE;
	uint32_t from_uid = q->uids.n ? 1 : 0;

	if (!uid_set_is_valid(q->uids) || q->op > OP_REMOVE ||
	    (q->flags & ~IMAP_FLAGS_STORED))
		return verdict_permfail(REASON_INTERNAL);
	while (verdict_is_done(v) && from_uid)
		v = flags_step(m, account, &c, &from_uid);
	if (verdict_is_done(v)) {
		reply.modseq = mail_mailbox_modseq(m, account, q->mailbox);
		reply.failed = buf_str(&failed);
		msg_flags_reply_put(out, &reply);
	}
	buf_done(&failed);
	return v;
}
