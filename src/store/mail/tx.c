/* SPDX-License-Identifier: ISC */
/*
 * tx.c - one change of one or several accounts: what it writes, and the
 * counters that must stay true with it. See mail_internal.h.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

/* An expunge log of so many records loses its older half. */
#define LOG_MAX  2000
#define LOG_KEEP 1000
/* Bytes of one expunge-log value. */
#define LOG_VALUE_MAX KIB(32)

void
tx_begin(struct tx *t, struct mail *m)
{
	*t = (struct tx){ .m = m, .b = engine_batch_new(m->engine) };
	buf_init(&t->val, ENGINE_VALUE_MAX + 1);
}

uint64_t
tx_account(struct tx *t, struct account *a)
{
	if (!a->is_in_tx) {
		t->accounts = x_grow(
		    t->accounts, &t->cap, t->n + 1, sizeof(struct account *));
		t->accounts[t->n++] = a;
		a->is_in_tx = true;
		a->new_modseq = 0;
	}
	if (!a->new_modseq)
		a->new_modseq = ++a->r.modseq;
	return a->new_modseq;
}

uint64_t
tx_mailbox(struct tx *t, struct account *a, struct mailbox *mb)
{
	mb->is_dirty = true;
	mb->r.modseq = tx_account(t, a);
	return mb->r.modseq;
}

void
tx_put(struct tx *t, struct account *a, struct mail_key key)
{
	batch_put(t->b, account_shard(a->id), key_str(&key), buf_str(&t->val));
	buf_reset(&t->val, t->val.cap);
}

void
tx_del(struct tx *t, struct account *a, struct mail_key key)
{
	batch_del(t->b, account_shard(a->id), key_str(&key));
}

static void
write_account(struct tx *t, struct account *a)
{
	account_record_encode(&t->val, &a->r);
	tx_put(t, a, key_kind('A'));
	for (size_t i = 0; i < a->n; i++) {
		if (!a->by_id[i]->is_dirty)
			continue;
		mailbox_record_encode(&t->val, &a->by_id[i]->r);
		tx_put(t, a, key_mailbox(a->by_id[i]->id));
	}
}

static void
tx_done(struct tx *t)
{
	buf_done(&t->val);
	free(t->accounts);
	*t = (struct tx){ 0 };
}

static void
finish_account(struct tx *t, struct account *a)
{
	const struct mail_config *c = &t->m->config;

	a->is_in_tx = false;
	a->position = engine_position(t->m->engine);
	for (size_t i = 0; i < a->n; i++) {
		if (!a->by_id[i]->is_dirty)
			continue;
		a->by_id[i]->is_dirty = false;
		if (c->changed)
			c->changed(c->arg, a->id, a->by_id[i]->id);
	}
}

struct verdict
tx_commit(struct tx *t)
{
	int r;

	for (size_t i = 0; i < t->n; i++)
		write_account(t, t->accounts[i]);
	r = engine_commit(t->m->engine, TAKE_PTR(t->b), NULL, NULL);
	if (r < 0) {
		tx_abort(t);
		return verdict_engine(r);
	}
	for (size_t i = 0; i < t->n; i++)
		finish_account(t, t->accounts[i]);
	tx_done(t);
	return VERDICT_DONE;
}

void
tx_abort(struct tx *t)
{
	engine_batch_free(t->b);
	for (size_t i = 0; i < t->n; i++)
		account_forget(t->m, t->accounts[i]);
	tx_done(t);
}

struct verdict
tx_end(struct tx *t, struct verdict v)
{
	if (verdict_is_done(v))
		return tx_commit(t);
	tx_abort(t);
	return v;
}

/* --- entries ------------------------------------------------------------------- */

/* One entry more (sign 1) or less (-1) in the counters. */
static void
count(struct account *a, struct mailbox *mb, const struct entry_record *e,
    int sign)
{
	uint32_t one = (uint32_t)sign;
	uint64_t size = sign > 0 ? e->size : -e->size;

	mb->r.messages += one;
	mb->r.bytes += size;
	if (!(e->flags & IMAP_FLAG_SEEN))
		mb->r.unseen += one;
	if (e->flags & IMAP_FLAG_DELETED)
		mb->r.deleted += one;
	a->r.messages += (uint64_t)(int64_t)sign;
	a->r.bytes += size;
}

static void
put_entry(struct tx *t, struct account *a, const struct mailbox *mb,
    const struct uid_entry *ue)
{
	entry_record_encode(&t->val, &ue->e);
	tx_put(t, a, key_entry(mb->id, ue->uid));
	tx_put(t, a, key_change(mb->id, ue->e.modseq, ue->uid));
}

uint32_t
tx_entry_add(
    struct tx *t, struct account *a, struct mailbox *mb, struct entry_record *e)
{
	struct uid_entry ue = { .uid = mb->r.uidnext };

	ASSERT(mb->r.uidnext < UINT32_MAX);
	e->modseq = tx_mailbox(t, a, mb);
	ue.e = *e;
	put_entry(t, a, mb, &ue);
	count(a, mb, e, 1);
	return mb->r.uidnext++;
}

void
tx_entry_change(struct tx *t, struct account *a, struct mailbox *mb,
    const struct uid_entry *old, const struct entry_record *now)
{
	struct uid_entry ue = { old->uid, *now };

	ue.e.modseq = tx_mailbox(t, a, mb);
	tx_del(t, a, key_change(mb->id, old->e.modseq, old->uid));
	put_entry(t, a, mb, &ue);
	count(a, mb, &old->e, -1);
	count(a, mb, now, 1);
}

void
tx_entry_remove(struct tx *t, struct account *a, struct mailbox *mb,
    const struct uid_entry *ue)
{
	tx_mailbox(t, a, mb);
	tx_del(t, a, key_entry(mb->id, ue->uid));
	tx_del(t, a, key_change(mb->id, ue->e.modseq, ue->uid));
	count(a, mb, &ue->e, -1);
}

/* --- the expunge log ---------------------------------------------------------------- */

struct trim {
	struct mail_key last; /* the last key that goes */
	uint64_t floor;
	uint32_t wanted, gone; /* records to let go */
};

/* Goes on to the end of a mod-sequence: the floor is a whole one. */
static int
trim_record(void *arg, struct str key, UNUSED struct str val)
{
	struct trim *trim = arg;
	uint32_t mailbox, uid;
	uint64_t modseq;

	if (!key_read_change(key, &mailbox, &modseq, &uid))
		return 1;
	if (trim->gone >= trim->wanted && modseq != trim->floor)
		return 1;
	trim->last = key_expunged(mailbox, modseq, uid);
	trim->floor = modseq;
	trim->gone++;
	return 0;
}

static struct verdict
trim_log(struct tx *t, struct account *a, struct mailbox *mb)
{
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_expunged(mb->id, 0, 0)),
		.to = KEY(key_expunged(mb->id, a->new_modseq, 0)),
	};
	struct trim trim = { .wanted = mb->r.log_count - LOG_KEEP };
	int r = engine_scan(t->m->engine, &range, trim_record, &trim);

	if (r < 0)
		return verdict_engine(r);
	if (trim.gone == 0)
		return VERDICT_DONE;
	batch_del_range(t->b, range.shard, range.from, key_str(&trim.last));
	tx_del(t, a, trim.last);
	mb->r.log_floor = trim.floor;
	mb->r.log_count -= trim.gone;
	return VERDICT_DONE;
}

struct verdict
tx_log_expunged(
    struct tx *t, struct account *a, struct mailbox *mb, struct str uids)
{
	uint64_t modseq = tx_mailbox(t, a, mb);

	for (; uids.n; uids = str_from(uids, LOG_VALUE_MAX)) {
		struct str part = str_first(uids, LOG_VALUE_MAX), rest = part;
		uint32_t first, last;

		if (!uid_set_next(&rest, &first, &last))
			break;
		buf_put_str(&t->val, part);
		tx_put(t, a, key_expunged(mb->id, modseq, first));
		mb->r.log_count++;
	}
	return mb->r.log_count > LOG_MAX ? trim_log(t, a, mb) : VERDICT_DONE;
}

/* --- messages and their references -------------------------------------------------- */

void
tx_message_add(struct tx *t, struct account *a, uint64_t msgid,
    const struct message_record *r)
{
	struct str rest = str_from(r->structure, RECORD_INLINE_MAX);

	message_record_encode(&t->val, r);
	tx_put(t, a, key_message(msgid));
	for (uint8_t part = 0; rest.n; part++) {
		buf_put_str(&t->val, str_first(rest, RECORD_PART_MAX));
		tx_put(t, a, key_part(msgid, part));
		rest = str_from(rest, RECORD_PART_MAX);
	}
}

static struct verdict
remove_message(struct tx *t, struct account *a, uint64_t msgid)
{
	struct message_record r;
	struct verdict v = message_read(t->m, a->id, msgid, &r);

	if (v.outcome == NOT_FOUND)
		return verdict_engine(ENGINE_CORRUPT);
	if (!verdict_is_done(v))
		return v;
	if (r.blob)
		batch_blob_drop(t->b, r.blob);
	if (r.structure_size > RECORD_INLINE_MAX)
		batch_del_range(t->b, account_shard(a->id),
		    KEY(key_part(msgid, 0)), KEY(key_part(msgid + 1, 0)));
	tx_del(t, a, key_message(msgid));
	return VERDICT_DONE;
}

static struct verdict
change_refs(struct tx *t, struct account *a, uint64_t msgid, int64_t delta)
{
	uint64_t refs = 1;
	struct str val;
	int r = engine_get(
	    t->m->engine, account_shard(a->id), KEY(key_refs(msgid)), &val);

	if (r < 0 || (r == 1 && !refs_decode(val, &refs)))
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	if (delta < 0 && refs < (uint64_t)-delta)
		return verdict_engine(ENGINE_CORRUPT);
	refs += (uint64_t)delta;
	if (refs > 1) {
		refs_encode(&t->val, refs);
		tx_put(t, a, key_refs(msgid));
	} else if (r == 1) {
		tx_del(t, a, key_refs(msgid));
	}
	return refs ? VERDICT_DONE : remove_message(t, a, msgid);
}

static int
compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct verdict
tx_refs(struct tx *t, struct account *a, uint64_t *msgids, size_t n, int delta)
{
	if (n)
		qsort(msgids, n, sizeof(*msgids), compare_u64);
	for (size_t i = 0, j; i < n; i = j) {
		struct verdict v;

		for (j = i; j < n && msgids[j] == msgids[i]; j++)
			;
		v = change_refs(t, a, msgids[i], delta * (int64_t)(j - i));
		if (!verdict_is_done(v))
			return v;
	}
	return VERDICT_DONE;
}
