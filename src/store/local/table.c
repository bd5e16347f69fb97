/* SPDX-License-Identifier: ISC */
/*
 * table.c - what the log says, applied to the index.
 *
 * Every entry remembers the sequence of the batch that wrote it and the
 * segment its record lies in. The first makes applying idempotent and lets a
 * rebuild read moved records in any number of copies; the second keeps the
 * accounts of live bytes that garbage collection decides by.
 *
 * Why a tombstone need not be remembered in the index: a value is moved only
 * while it is live, so every copy of it lies in the log before the tombstone
 * that ended it, and so before every moved copy of that tombstone.
 */
#include "store/local/local.h"

#include "base/hash.h"

#include <endian.h>

#define KV_HEAD    20
#define BLOB_ENTRY 52

/* --- keys and values ------------------------------------------------------- */

void
kv_key_make(struct kv_key *k, struct engine_shard shard, struct str key)
{
	ASSERT(key.n <= ENGINE_KEY_MAX);
	k->b[0] = (char)shard.kind;
	be64_put(k->b + 1, shard.id);
	if (key.n > 0)
		memcpy(k->b + 9, key.p, key.n);
	k->n = 9 + key.n;
}

struct engine_shard
kv_key_shard(struct str full)
{
	ASSERT(full.n >= 9);
	return (
	    struct engine_shard){ (uint8_t)full.p[0], be64_get(full.p + 1) };
}

static uint32_t
kv_sum(struct str key, uint64_t seq, uint64_t seg, struct str val)
{
	uint64_t head[2] = { seq, seg };
	uint64_t h = hash64_seed(head, sizeof(head), hash64(key.p, key.n));

	return (uint32_t)hash64_seed(val.p, val.n, h);
}

int
kv_entry_parse(struct str key, struct str stored, struct kv_entry *ret)
{
	struct wire w = wire_read(stored);
	struct kv_entry en = { 0 };
	uint32_t sum;

	en.seq = wire_get_u64(&w);
	en.seg = wire_get_u64(&w);
	sum = wire_get_u32(&w);
	en.val = str_from(stored, KV_HEAD);
	if (key.n < 9 || w.failed || sum != kv_sum(key, en.seq, en.seg, en.val))
		return ENGINE_CORRUPT;
	*ret = en;
	return 1;
}

int
kv_entry_get(struct engine *e, struct str key, struct kv_entry *ret)
{
	struct str stored;
	int r = index_get(e->index, INDEX_KV, key, &stored);

	return r > 0 ? kv_entry_parse(key, stored, ret) : r;
}

static void
put_u64(char *to, uint64_t v)
{
	v = htole64(v);
	memcpy(to, &v, 8);
}

static void
put_u32(char *to, uint32_t v)
{
	v = htole32(v);
	memcpy(to, &v, 4);
}

static int
kv_entry_put(struct engine *e, struct str key, const struct kv_entry *en)
{
	char *to;
	int r = index_put(e->index, INDEX_KV, key, KV_HEAD + en->val.n, &to);

	if (r < 0)
		return r;
	put_u64(to, en->seq);
	put_u64(to + 8, en->seg);
	put_u32(to + 16, kv_sum(key, en->seq, en->seg, en->val));
	if (en->val.n > 0)
		memcpy(to + KV_HEAD, en->val.p, en->val.n);
	return 0;
}

/* --- blobs ------------------------------------------------------------------ */

int
blob_entry_parse(struct str stored, struct blob_entry *ret)
{
	struct wire w = wire_read(stored);
	struct blob_entry en = { 0 };
	uint32_t sum;

	en.seg = wire_get_u64(&w);
	en.off = wire_get_u64(&w);
	en.sum = wire_get_u64(&w);
	en.seq = wire_get_u64(&w);
	en.stored = wire_get_u32(&w);
	en.raw = wire_get_u32(&w);
	en.refs = wire_get_u32(&w);
	en.codec = (uint8_t)wire_get_u32(&w);
	sum = wire_get_u32(&w);
	if (!wire_is_complete(&w) ||
	    sum != (uint32_t)hash64(stored.p, BLOB_ENTRY - 4))
		return ENGINE_CORRUPT;
	*ret = en;
	return 1;
}

int
blob_entry_get(struct engine *e, uint64_t blob, struct blob_entry *ret)
{
	struct str stored;
	char key[8];
	int r;

	be64_put(key, blob);
	r = index_get(e->index, INDEX_BLOB, str_make(key, 8), &stored);
	return r > 0 ? blob_entry_parse(stored, ret) : r;
}

static int
blob_entry_put(struct engine *e, uint64_t blob, const struct blob_entry *en)
{
	char key[8], *to;
	int r;

	be64_put(key, blob);
	r = index_put(e->index, INDEX_BLOB, str_make(key, 8), BLOB_ENTRY, &to);
	if (r < 0)
		return r;
	put_u64(to, en->seg);
	put_u64(to + 8, en->off);
	put_u64(to + 16, en->sum);
	put_u64(to + 24, en->seq);
	put_u32(to + 32, en->stored);
	put_u32(to + 36, en->raw);
	put_u32(to + 40, en->refs);
	put_u32(to + 44, en->codec);
	put_u32(to + 48, (uint32_t)hash64(to, BLOB_ENTRY - 4));
	return 0;
}

static int
blob_entry_del(struct engine *e, uint64_t blob)
{
	char key[8];

	be64_put(key, blob);
	return index_del(e->index, INDEX_BLOB, str_make(key, 8));
}

/* --- ops -------------------------------------------------------------------- */

struct place {
	struct segment *seg;
	uint64_t off;
	enum record_kind kind;
};

static void
account_kv(
    struct engine *e, struct str key, const struct kv_entry *en, int sign)
{
	int64_t cost = (int64_t)op_cost_kv(key.n - 9, en->val.n);

	segment_account(log_find(&e->log, en->seg), sign * cost, 0);
}

static int
apply_put(struct engine *e, const struct place *at, const struct op *op)
{
	struct kv_entry old, en = { op->seq, at->seg->id, op->val };
	struct kv_key k;
	struct str key;
	int r;

	kv_key_make(&k, op->shard, op->key);
	key = str_make(k.b, k.n);
	r = kv_entry_get(e, key, &old);
	if (r > 0 && old.seq > op->seq)
		return 0;
	/* What is damaged is written over; check says whose account is off. */
	if (r < 0 && r != ENGINE_CORRUPT)
		return r;
	if (r > 0)
		account_kv(e, key, &old, -1);
	account_kv(e, key, &en, 1);
	return kv_entry_put(e, key, &en);
}

/* Does a tombstone end this value? A moved one shares its sequence with what
 * the same batch wrote after it, and must leave that alone. */
static bool
is_ended(const struct place *at, uint64_t tomb_seq, uint64_t value_seq)
{
	return at->kind == RECORD_RELOC ? value_seq < tomb_seq
	                                : value_seq <= tomb_seq;
}

static int
apply_del(struct engine *e, const struct place *at, const struct op *op)
{
	struct kv_entry old;
	struct kv_key k;
	struct str key;
	int r;

	kv_key_make(&k, op->shard, op->key);
	key = str_make(k.b, k.n);
	r = kv_entry_get(e, key, &old);
	segment_account(at->seg, 0, (int64_t)op->size);
	if (r == 0 || (r > 0 && !is_ended(at, op->seq, old.seq)))
		return 0;
	if (r < 0 && r != ENGINE_CORRUPT)
		return r;
	if (r > 0)
		account_kv(e, key, &old, -1);
	r = index_del(e->index, INDEX_KV, key);
	return MIN(r, 0);
}

static int
apply_del_range(struct engine *e, const struct place *at, const struct op *op)
{
	CLEANUP(index_cursor_freep)
	struct index_cursor *c = index_cursor_new(e->index, INDEX_KV);
	struct str key, stored;
	struct kv_key from, to;
	int r;

	kv_key_make(&from, op->shard, op->key);
	kv_key_make(&to, op->shard, op->val);
	segment_account(at->seg, 0, (int64_t)op->size);
	for (r = index_seek(c, str_make(from.b, from.n), &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		struct kv_entry old;

		if (key.n < 9 || memcmp(key.p, from.b, 9) != 0 ||
		    (op->val.n && str_cmp(key, str_make(to.b, to.n)) >= 0))
			return 0;
		r = kv_entry_parse(key, stored, &old);
		if (r > 0 && !is_ended(at, op->seq, old.seq))
			continue;
		if (r > 0)
			account_kv(e, key, &old, -1);
		r = index_cursor_del(c);
		if (r < 0)
			return r;
	}
	return r;
}

static void
account_blob(struct engine *e, const struct blob_entry *en, int sign)
{
	int64_t cost = (int64_t)op_cost_blob(en->stored);

	segment_account(log_find(&e->log, en->seg), sign * cost, 0);
	e->blob_raw += (uint64_t)(sign * (int64_t)en->raw);
	e->blob_stored += (uint64_t)(sign * (int64_t)en->stored);
}

static int
apply_blob(struct engine *e, const struct place *at, const struct op *op)
{
	struct blob_entry old, en = {
		.seg = at->seg->id,
		.off = at->off + op->data_off,
		.sum = op->sum,
		.seq = op->seq,
		.stored = op->stored,
		.raw = op->raw,
		.refs = op->refs,
		.codec = op->codec,
	};
	int r = blob_entry_get(e, op->blob, &old);

	if (op->blob >= e->next_blob)
		e->next_blob = op->blob + 1;
	if (r < 0 && r != ENGINE_CORRUPT)
		return r;
	if (r > 0) {
		account_blob(e, &old, -1);
		if (old.seq > en.seq) {
			en.seq = old.seq;
			en.refs = old.refs;
		}
	}
	if (en.refs == 0) {
		r = blob_entry_del(e, op->blob);
		return MIN(r, 0);
	}
	account_blob(e, &en, 1);
	return blob_entry_put(e, op->blob, &en);
}

static int
apply_refs(struct engine *e, const struct place *at, const struct op *op)
{
	struct blob_entry en;
	int r = blob_entry_get(e, op->blob, &en);

	segment_account(at->seg, 0, (int64_t)op->size);
	/* Not there: its bytes were dropped, or come later in the log. */
	if (r == 0 || r == ENGINE_CORRUPT || (r > 0 && en.seq > op->seq))
		return 0;
	if (r < 0)
		return r;
	en.seq = op->seq;
	en.refs = op->refs;
	if (op->refs > 0)
		return blob_entry_put(e, op->blob, &en);
	account_blob(e, &en, -1);
	r = blob_entry_del(e, op->blob);
	return MIN(r, 0);
}

static int
apply_op(struct engine *e, const struct place *at, const struct op *op)
{
	switch (op->kind) {
	case OP_PUT:
		return apply_put(e, at, op);
	case OP_DEL:
		return apply_del(e, at, op);
	case OP_DEL_RANGE:
		return apply_del_range(e, at, op);
	case OP_BLOB:
		return apply_blob(e, at, op);
	case OP_REFS:
		return apply_refs(e, at, op);
	}
	return ENGINE_CORRUPT;
}

int
table_apply(
    struct engine *e, struct segment *seg, uint64_t off, const struct record *r)
{
	struct place at = { seg, off, r->kind };
	struct op_reader o = op_read(r);
	struct op op;
	int n;

	e->has_changes = true;
	while ((n = op_next(&o, &op)) > 0) {
		int err = apply_op(e, &at, &op);

		if (err < 0)
			return err;
	}
	return n < 0 ? ENGINE_CORRUPT : 0;
}
