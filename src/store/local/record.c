/* SPDX-License-Identifier: ISC */
/*
 * record.c - encoding of log records. See record.h.
 */
#include "store/local/record.h"

#include "base/hash.h"
#include "store/local/frame.h"

#include <endian.h>

#define RECORD_MAGIC 0x3152534du /* "MSR1" */

size_t
record_size(size_t ops_len, uint64_t data_len)
{
	return (size_t)((RECORD_HEADER + ops_len + data_len + 7) & ~7ull);
}

void
record_header_put(char to[RECORD_HEADER], const struct record *r,
    uint64_t data_len, uint64_t seed)
{
	struct buf b = BUF_INIT(RECORD_HEADER);
	uint64_t sum;

	wire_put_u32(&b, RECORD_MAGIC);
	wire_put_u32(&b, (uint32_t)r->ops.n);
	wire_put_u64(&b, r->seq);
	wire_put_u64(&b, r->durable);
	wire_put_u32(&b, (uint32_t)data_len);
	wire_put_u32(&b, (uint32_t)r->kind);
	sum = hash64_seed(r->ops.p, r->ops.n, hash64_seed(b.p, b.n, seed));
	wire_put_u64(&b, sum);
	ASSERT(!b.failed && b.n == RECORD_HEADER);
	memcpy(to, b.p, RECORD_HEADER);
	buf_done(&b);
}

static bool
is_zero(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			return false;
	return true;
}

enum record_verdict
record_parse(struct str in, uint64_t seed, struct record *ret)
{
	struct wire w = wire_read(in);
	struct record r = { 0 };
	uint32_t magic, ops_len, data_len, kind;
	uint64_t sum;

	if (in.n < RECORD_HEADER) {
		ret->size = RECORD_HEADER;
		return RECORD_MORE;
	}
	magic = wire_get_u32(&w);
	ops_len = wire_get_u32(&w);
	r.seq = wire_get_u64(&w);
	r.durable = wire_get_u64(&w);
	data_len = wire_get_u32(&w);
	kind = wire_get_u32(&w);
	sum = wire_get_u64(&w);
	if (is_zero(str_first(in, RECORD_HEADER)))
		return RECORD_END;
	if (magic != RECORD_MAGIC || kind < RECORD_BATCH ||
	    kind > RECORD_EXPORT || ops_len > RECORD_OPS_MAX ||
	    data_len > RECORD_DATA_MAX)
		return RECORD_BAD;

	r.kind = (enum record_kind)kind;
	r.size = record_size(ops_len, data_len);
	if (in.n < r.size) {
		ret->size = r.size;
		return RECORD_MORE;
	}
	r.ops = str_sub(in, RECORD_HEADER, ops_len);
	r.data = str_sub(in, RECORD_HEADER + ops_len, data_len);
	if (sum != hash64_seed(r.ops.p, r.ops.n,
		       hash64_seed(in.p, RECORD_HEADER - 8, seed)))
		return RECORD_BAD;
	*ret = r;
	return RECORD_OK;
}

/* --- ops ------------------------------------------------------------------ */

static void
shard_put(struct buf *b, struct engine_shard shard)
{
	wire_put_u8(b, shard.kind);
	wire_put_varint(b, shard.id);
}

void
op_put(struct buf *b, enum record_kind kind, const struct op *op)
{
	wire_put_u8(b, (uint8_t)op->kind);
	if (kind == RECORD_RELOC)
		wire_put_varint(b, op->seq);
	switch (op->kind) {
	case OP_PUT:
	case OP_DEL_RANGE:
		shard_put(b, op->shard);
		wire_put_vstr(b, op->key);
		wire_put_vstr(b, op->val);
		break;
	case OP_DEL:
		shard_put(b, op->shard);
		wire_put_vstr(b, op->key);
		break;
	case OP_BLOB:
		wire_put_varint(b, op->blob);
		wire_put_u8(b, op->codec);
		wire_put_varint(b, op->raw);
		wire_put_varint(b, op->stored);
		wire_put_u64(b, op->sum);
		wire_put_varint(b, op->refs);
		break;
	case OP_REFS:
		wire_put_varint(b, op->blob);
		wire_put_varint(b, op->refs);
		break;
	}
}

struct op_reader
op_read(const struct record *r)
{
	uint64_t data = RECORD_HEADER + r->ops.n;

	return (struct op_reader){
		.in = wire_read(r->ops),
		.kind = r->kind,
		.seq = r->seq,
		.data_off = data,
		.data_end = data + r->data.n,
	};
}

static bool
get_key_val(struct op_reader *o, struct op *op)
{
	size_t max = ENGINE_KEY_MAX;

	op->shard.kind = wire_get_u8(&o->in);
	op->shard.id = wire_get_varint(&o->in);
	op->key = wire_get_vstr(&o->in);
	if (op->kind != OP_DEL)
		op->val = wire_get_vstr(&o->in);
	if (op->kind == OP_PUT)
		max = ENGINE_VALUE_MAX;
	return op->key.n <= ENGINE_KEY_MAX && op->val.n <= max;
}

static bool
get_u32(struct op_reader *o, uint32_t max, uint32_t *ret)
{
	uint64_t v = wire_get_varint(&o->in);

	*ret = (uint32_t)MIN(v, max);
	return v <= max;
}

static bool
get_blob(struct op_reader *o, struct op *op)
{
	bool is_ok;

	op->blob = wire_get_varint(&o->in);
	if (op->kind == OP_REFS)
		return get_u32(o, UINT32_MAX, &op->refs) && op->blob != 0;
	op->codec = wire_get_u8(&o->in);
	is_ok = get_u32(o, ENGINE_BLOB_MAX, &op->raw);
	is_ok = get_u32(o, RECORD_DATA_MAX, &op->stored) && is_ok;
	op->sum = wire_get_u64(&o->in);
	is_ok = get_u32(o, UINT32_MAX, &op->refs) && is_ok;
	if (!is_ok || op->blob == 0 || !frame_is_codec(op->codec))
		return false;
	if (op->stored > o->data_end - o->data_off)
		return false;
	op->data_off = o->data_off;
	o->data_off += op->stored;
	return true;
}

int
op_next(struct op_reader *o, struct op *ret)
{
	struct op op = { .seq = o->seq };
	size_t before = o->in.in.n;
	uint8_t kind;
	bool is_ok;

	if (before == 0)
		return o->in.failed || o->data_off != o->data_end ? -1 : 0;
	kind = wire_get_u8(&o->in);
	if (kind < OP_PUT || kind > OP_REFS)
		return -1;
	op.kind = (enum op_kind)kind;
	if (o->kind == RECORD_RELOC)
		op.seq = wire_get_varint(&o->in);
	is_ok = op.kind >= OP_BLOB ? get_blob(o, &op) : get_key_val(o, &op);
	if (!is_ok || o->in.failed || op.seq > o->seq)
		return -1;
	op.size = before - o->in.in.n;
	*ret = op;
	return 1;
}

bool
record_is_sound(const struct record *r)
{
	struct op_reader o = op_read(r);
	struct op op;
	int r2;

	while ((r2 = op_next(&o, &op)) > 0) {
		struct str stored;

		if (op.kind != OP_BLOB)
			continue;
		stored = str_sub(r->data,
		    (size_t)(op.data_off - RECORD_HEADER) - r->ops.n,
		    op.stored);
		if (!frame_is_good(op.codec, op.raw, stored, op.sum))
			return false;
	}
	return r2 == 0;
}

uint64_t
op_cost_kv(size_t key_len, size_t val_len)
{
	return 4 + key_len + val_len;
}

uint64_t
op_cost_blob(uint64_t stored)
{
	return 16 + stored;
}
