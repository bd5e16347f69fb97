/* SPDX-License-Identifier: ISC */
/*
 * mailbox_state.c - what a session learns of mailboxes, in a list, of one, or
 * when it opens one.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

static int
count_entry(void *arg, UNUSED struct str key, UNUSED struct str val)
{
	++*(uint32_t *)arg;
	return 0;
}

static struct verdict
count_recent(struct mail *m, const struct account *a, struct mailbox *mb)
{
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_entry(mb->id, mb->r.recent_from)),
		.to = KEY(key_entry(mb->id + 1, 0)),
	};
	uint32_t n = 0;
	int r;

	if (mb->recent_modseq == mb->r.modseq &&
	    mb->recent_from == mb->r.recent_from)
		return VERDICT_DONE;
	if (mb->r.recent_from < mb->r.uidnext) {
		r = engine_scan(m->engine, &range, count_entry, &n);
		if (r < 0)
			return verdict_engine(r);
	}
	mb->recent = n;
	mb->recent_modseq = mb->r.modseq;
	mb->recent_from = mb->r.recent_from;
	return VERDICT_DONE;
}

struct deleted {
	uint32_t left; /* so many are not found yet */
	uint64_t bytes;
	bool is_corrupt;
};

static int
add_deleted(void *arg, UNUSED struct str key, struct str val)
{
	struct deleted *d = arg;
	struct entry_record e;

	if (!entry_record_decode(val, &e)) {
		d->is_corrupt = true;
	} else if (e.flags & IMAP_FLAG_DELETED) {
		d->bytes += e.size;
		d->left--;
	}
	return d->is_corrupt || d->left == 0;
}

/* From the end: what was deleted is often among the newest. */
static struct verdict
sum_deleted(
    struct mail *m, const struct account *a, struct mailbox *mb, uint64_t *ret)
{
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_entry(mb->id, 0)),
		.to = KEY(key_entry(mb->id + 1, 0)),
		.is_reverse = true,
	};
	struct deleted d = { .left = mb->r.deleted };
	int r = d.left ? engine_scan(m->engine, &range, add_deleted, &d) : 0;

	if (d.is_corrupt)
		r = ENGINE_CORRUPT;
	*ret = d.bytes;
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static struct verdict
put_mailbox(struct mail *m, const struct account *a, struct mailbox *mb,
    bool wants_deleted_bytes, struct buf *out)
{
	struct msg_mailbox msg = {
		.id = mb->id,
		.name = mb->r.name,
		.special = mb->r.special,
		.is_subscribed = account_is_subscribed(a, mb->r.name),
		.uidvalidity = mb->r.uidvalidity,
		.uidnext = mb->r.uidnext,
		.modseq = mb->r.modseq,
		.messages = mb->r.messages,
		.unseen = mb->r.unseen,
		.deleted = mb->r.deleted,
		.bytes = mb->r.bytes,
	};
	struct verdict v = count_recent(m, a, mb);

	msg.recent = mb->recent;
	if (verdict_is_done(v) && wants_deleted_bytes)
		v = sum_deleted(m, a, mb, &msg.deleted_bytes);
	if (verdict_is_done(v))
		msg_mailbox_put(out, &msg);
	return v;
}

static struct verdict
put_all(struct mail *m, struct account *a, const struct msg_mailbox_list *q,
    struct buf *out)
{
	for (size_t i = 0; i < a->n; i++) {
		struct verdict v = put_mailbox(
		    m, a, a->by_name[i], q->wants_deleted_bytes, out);

		if (!verdict_is_done(v))
			return v;
	}
	for (size_t i = 0; i < a->n_subs; i++) {
		struct msg_mailbox msg = {
			.name = a->subs[i].name,
			.is_subscribed = 1,
		};

		if (!account_find(a, msg.name))
			msg_mailbox_put(out, &msg);
	}
	return VERDICT_DONE;
}

struct verdict
mail_list(struct mail *m, uint64_t account, const struct msg_mailbox_list *q,
    struct buf *out)
{
	struct buf list = BUF_INIT(MAIL_REPLY_MAX);
	struct account *a;
	struct verdict v = account_get_with_subs(m, account, &a);

	if (verdict_is_done(v))
		v = put_all(m, a, q, &list);
	if (verdict_is_done(v)) {
		struct msg_mailbox_list_reply reply = { buf_str(&list) };

		msg_mailbox_list_reply_put(out, &reply);
	}
	buf_done(&list);
	return v;
}

struct verdict
mailbox_find(struct mail *m, uint64_t account, struct str name,
    struct account **ret_a, struct mailbox **ret_mb)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	struct verdict v = account_get_with_subs(m, account, ret_a);

	if (!verdict_is_done(v))
		return v;
	if (!mailbox_name_clean(name, &clean))
		v = verdict_not_found(REASON_NO_MAILBOX);
	else if (!(*ret_mb = account_find(*ret_a, buf_str(&clean))))
		v = verdict_not_found(REASON_NO_MAILBOX);
	buf_done(&clean);
	return v;
}

struct verdict
mail_status(struct mail *m, uint64_t account,
    const struct msg_mailbox_status *q, struct buf *out)
{
	struct buf one = BUF_INIT(KIB(4));
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_find(m, account, q->name, &a, &mb);

	if (verdict_is_done(v))
		v = put_mailbox(m, a, mb, q->wants_deleted_bytes, &one);
	if (verdict_is_done(v)) {
		struct msg_mailbox_status_reply reply = { buf_str(&one) };

		msg_mailbox_status_reply_put(out, &reply);
	}
	buf_done(&one);
	return v;
}

/*
 * A read-write opening takes the \Recent messages. On a full disk they stay
 * for the next one: who cannot open a mailbox can delete nothing. Afterwards
 * a and mb are gone, unless all went well.
 */
static struct verdict
take_recent(struct mail *m, struct account *a, struct mailbox *mb)
{
	struct verdict v;
	struct tx t;

	if (mb->r.recent_from == mb->r.uidnext)
		return VERDICT_DONE;
	tx_begin(&t, m);
	tx_account(&t, a);
	mb->r.recent_from = mb->r.uidnext;
	mb->is_dirty = true;
	v = tx_commit(&t);
	return v.reason == REASON_DISK_FULL ? VERDICT_DONE : v;
}

struct verdict
mail_open(struct mail *m, uint64_t account, const struct msg_mailbox_open *q,
    uint32_t *ret_mailbox, struct buf *out)
{
	struct buf one = BUF_INIT(KIB(4)), keywords = BUF_INIT(KIB(32));
	struct msg_mailbox_open_reply reply = { 0 };
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_find(m, account, q->name, &a, &mb);

	if (verdict_is_done(v))
		v = put_mailbox(m, a, mb, false, &one);
	if (verdict_is_done(v)) {
		reply.mailbox = buf_str(&one);
		reply.recent_from = mb->r.recent_from;
		keywords_put(&keywords, mb);
		reply.keywords = buf_str(&keywords);
		*ret_mailbox = mb->id;
		if (!q->is_readonly)
			v = take_recent(m, a, mb);
	}
	if (verdict_is_done(v))
		msg_mailbox_open_reply_put(out, &reply);
	buf_done(&one);
	buf_done(&keywords);
	return v;
}

uint64_t
mail_mailbox_modseq(struct mail *m, uint64_t account, uint32_t mailbox)
{
	struct account *a;
	struct mailbox *mb;

	return verdict_is_done(mailbox_get(m, account, mailbox, &a, &mb))
	           ? mb->r.modseq
	           : 0;
}
