/* SPDX-License-Identifier: ISC */
/*
 * entries.c - ENTRIES: all entries of a mailbox, or what changed in it.
 *
 * What changed is read from the change index and the expunge log, so that it
 * costs what it tells, not what the mailbox holds.
 */
#include "store/mail/mail_internal.h"

/* So many changes in one reply; it ends at the end of a mod-sequence. */
#define CHANGES_MAX 20000

static void
put_ipc_entry(struct buf *b, const struct uid_entry *ue)
{
	wire_put_u32(b, ue->uid);
	wire_put_u32(b, ue->e.flags);
	wire_put_u64(b, ue->e.modseq);
	wire_put_u64(b, ue->e.keywords[0]);
	wire_put_u64(b, ue->e.keywords[1]);
}

/* --- all of them -------------------------------------------------------------- */

struct full {
	struct buf *out;
	size_t n;
	uint32_t next_uid;
	bool is_corrupt;
};

static int
full_entry(void *arg, struct str key, struct str val)
{
	struct full *f = arg;
	struct uid_entry ue;
	uint32_t mailbox;

	if (!key_read_entry(key, &mailbox, &ue.uid) ||
	    !entry_record_decode(val, &ue.e)) {
		f->is_corrupt = true;
		return 1;
	}
	if (f->n == MAIL_PORTION) {
		f->next_uid = ue.uid;
		return 1;
	}
	put_ipc_entry(f->out, &ue);
	f->n++;
	return 0;
}

static struct verdict
read_full(struct mail *m, uint64_t account, const struct msg_entries *q,
    struct buf *out, uint32_t *ret_next)
{
	struct full f = { .out = out };
	struct engine_range range = {
		.shard = account_shard(account),
		.from = KEY(key_entry(q->mailbox, q->from_uid)),
		.to = KEY(key_entry(q->mailbox + 1, 0)),
	};
	int r = engine_scan(m->engine, &range, full_entry, &f);

	if (r < 0 || f.is_corrupt)
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	*ret_next = f.next_uid;
	return VERDICT_DONE;
}

/* --- what changed ---------------------------------------------------------------- */

struct changes {
	uint32_t *uids;
	size_t n, cap;
	uint64_t reached; /* mod-sequence of the last one */
	bool has_more, is_corrupt;
};

static int
change_uid(void *arg, struct str key, UNUSED struct str val)
{
	struct changes *c = arg;
	uint32_t mailbox, uid;
	uint64_t modseq;

	if (!key_read_change(key, &mailbox, &modseq, &uid)) {
		c->is_corrupt = true;
		return 1;
	}
	if (c->n >= CHANGES_MAX && modseq != c->reached) {
		c->has_more = true;
		return 1;
	}
	if (c->n == c->cap)
		c->uids = x_grow(c->uids, &c->cap, c->n + 1, sizeof(uid));
	c->uids[c->n++] = uid;
	c->reached = modseq;
	return 0;
}

static int
compare_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct verdict
put_changed(struct mail *m, uint64_t account, uint32_t mailbox,
    const struct changes *c, struct buf *out)
{
	for (size_t i = 0; i < c->n; i++) {
		struct uid_entry ue = { .uid = c->uids[i] };
		struct str val;
		int r = engine_get(m->engine, account_shard(account),
		    KEY(key_entry(mailbox, ue.uid)), &val);

		if (r < 0)
			return verdict_engine(r);
		if (r == 0 || !entry_record_decode(val, &ue.e))
			return verdict_engine(ENGINE_CORRUPT);
		put_ipc_entry(out, &ue);
	}
	return VERDICT_DONE;
}

static struct verdict
read_changes(struct mail *m, uint64_t account, const struct msg_entries *q,
    struct changes *c)
{
	struct engine_range range = {
		.shard = account_shard(account),
		.from = KEY(key_change(q->mailbox, q->since_modseq + 1, 0)),
		.to = KEY(key_change(q->mailbox + 1, 0, 0)),
	};
	int r = engine_scan(m->engine, &range, change_uid, c);

	if (r < 0 || c->is_corrupt)
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	if (c->n)
		qsort(c->uids, c->n, sizeof(*c->uids), compare_u32);
	return VERDICT_DONE;
}

/* --- what was expunged -------------------------------------------------------------- */

struct range_list {
	struct uid_range {
		uint32_t first, last;
	} * v;
	size_t n, cap;
	bool is_corrupt;
};

static int
expunged_set(void *arg, UNUSED struct str key, struct str val)
{
	struct range_list *l = arg;
	struct uid_range range;

	if (!uid_set_is_valid(val)) {
		l->is_corrupt = true;
		return 1;
	}
	while (uid_set_next(&val, &range.first, &range.last)) {
		l->v = x_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = range;
	}
	return 0;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct uid_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Expunged after q->since_modseq and up to upto, as one ascending set. */
static struct verdict
read_vanished(struct mail *m, uint64_t account, const struct msg_entries *q,
    uint64_t upto, struct buf *out)
{
	struct range_list l = { 0 };
	struct engine_range range = {
		.shard = account_shard(account),
		.from = KEY(key_expunged(q->mailbox, q->since_modseq + 1, 0)),
		.to = KEY(key_expunged(q->mailbox, upto + 1, 0)),
	};
	int r = engine_scan(m->engine, &range, expunged_set, &l);

	if (r >= 0 && l.n)
		qsort(l.v, l.n, sizeof(*l.v), compare_ranges);
	for (size_t i = 0; i < l.n; i++)
		uid_set_add(out, l.v[i].first, l.v[i].last);
	free(l.v);
	if (r < 0 || l.is_corrupt)
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	return VERDICT_DONE;
}

/* --- the request ------------------------------------------------------------------------ */

static struct verdict
since(struct mail *m, uint64_t account, const struct msg_entries *q,
    struct msg_entries_reply *reply, struct buf *bufs)
{
	struct changes c = { 0 };
	struct verdict v = read_changes(m, account, q, &c);

	if (verdict_is_done(v))
		v = put_changed(m, account, q->mailbox, &c, &bufs[0]);
	if (verdict_is_done(v)) {
		reply->has_more = c.has_more;
		if (c.has_more)
			reply->modseq = c.reached;
		v = read_vanished(m, account, q, reply->modseq, &bufs[1]);
	}
	free(c.uids);
	return v;
}

static struct verdict
build_reply(struct mail *m, uint64_t account, const struct msg_entries *q,
    const struct mailbox *mb, struct buf *out)
{
	struct buf bufs[3] = { BUF_INIT(MAIL_REPLY_MAX),
		BUF_INIT(MAIL_REPLY_MAX), BUF_INIT(KIB(32)) };
	struct msg_entries_reply reply = {
		.modseq = mb->r.modseq,
		.uidnext = mb->r.uidnext,
	};
	struct verdict v = VERDICT_DONE;

	if (q->since_modseq == 0)
		v = read_full(m, account, q, &bufs[0], &reply.next_uid);
	else if (q->since_modseq < mb->r.log_floor)
		reply.is_too_old = 1;
	else if (q->since_modseq < mb->r.modseq)
		v = since(m, account, q, &reply, bufs);
	if (mb->r.n_keywords > q->known_keywords)
		keywords_put(&bufs[2], mb);
	reply.entries = buf_str(&bufs[0]);
	reply.vanished = buf_str(&bufs[1]);
	reply.keywords = buf_str(&bufs[2]);
	if (verdict_is_done(v))
		msg_entries_reply_put(out, &reply);
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(&bufs[i]);
	return v;
}

struct verdict
mail_entries(struct mail *m, uint64_t account, const struct msg_entries *q,
    struct buf *out)
{
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_get(m, account, q->mailbox, &a, &mb);

	return verdict_is_done(v) ? build_reply(m, account, q, mb, out) : v;
}
