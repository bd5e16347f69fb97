/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/store/local/record.c src/store/local/frame.c
 *
 * store_log_fuzz.c - records of the store's log, from hostile bytes.
 *
 * As it is: parsing never reads outside, and what parses parses the same
 * when more bytes follow. As ops and data behind a good header: ops that
 * decode are encoded and decoded again, and must be equal.
 */
#include "store/local/frame.h"
#include "store/local/record.h"

#define SEED 0x1234567890abcdefull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static void
same_op(const struct op *a, const struct op *b)
{
	must(a->kind == b->kind && a->seq == b->seq);
	must(a->shard.kind == b->shard.kind && a->shard.id == b->shard.id);
	must(str_eq(a->key, b->key) && str_eq(a->val, b->val));
	must(a->blob == b->blob && a->refs == b->refs && a->raw == b->raw);
	must(a->codec == b->codec && a->stored == b->stored);
	must(a->stored == 0 || a->sum == b->sum);
}

/* A record around ops and data, in memory of exactly its size. */
static struct str
make_record(struct record *rec, struct str ops, struct str data)
{
	size_t size = record_size(ops.n, data.n);
	char *p = x_zalloc(size);

	rec->ops = ops;
	record_header_put(p, rec, data.n, SEED);
	if (ops.n > 0)
		memcpy(p + RECORD_HEADER, ops.p, ops.n);
	if (data.n > 0)
		memcpy(p + RECORD_HEADER + ops.n, data.p, data.n);
	return str_make(p, size);
}

static void
check_ops(enum record_kind kind, struct str ops, struct str data)
{
	struct record rec = { .kind = kind, .seq = UINT64_MAX - 1 }, got, again;
	struct str bytes = make_record(&rec, ops, data), second;
	struct buf out = BUF_INIT(MIB(16));
	struct op_reader o, p;
	struct op a, b;
	int r;

	must(record_parse(bytes, SEED, &got) == RECORD_OK);
	must(str_eq(got.ops, ops) && str_eq(got.data, data));
	must(got.kind == kind && got.seq == rec.seq && got.size == bytes.n);
	(void)!record_is_sound(&got);
	for (o = op_read(&got); (r = op_next(&o, &a)) > 0;) {
		must(a.key.n <= ENGINE_KEY_MAX && a.val.n <= ENGINE_VALUE_MAX);
		must(a.raw <= ENGINE_BLOB_MAX && frame_is_codec(a.codec));
		op_put(&out, kind, &a);
	}
	if (r == 0) {
		second = make_record(&rec, buf_str(&out), data);
		must(record_parse(second, SEED, &again) == RECORD_OK);
		o = op_read(&got);
		p = op_read(&again);
		while (op_next(&o, &a) > 0) {
			must(op_next(&p, &b) > 0);
			same_op(&a, &b);
		}
		must(op_next(&p, &b) == 0);
		must(record_is_sound(&got) == record_is_sound(&again));
		str_free(&second);
	}
	buf_done(&out);
	str_free(&bytes);
}

static void
check_raw(struct str in)
{
	struct record all, part;
	enum record_verdict v = record_parse(in, SEED, &all);

	if (v == RECORD_OK) {
		must(all.size <= in.n);
		must(record_parse(str_first(in, all.size), SEED, &part) ==
		     RECORD_OK);
		must(record_parse(str_first(in, all.size - 1), SEED, &part) ==
		     RECORD_MORE);
		must(part.size == all.size);
		(void)!record_is_sound(&all);
	} else if (v == RECORD_MORE) {
		must(all.size > in.n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_make(data, n), ops;
	size_t cut;

	check_raw(in);
	if (n < 3)
		return 0;
	/* Kind, length of the ops, ops, data. */
	cut = (size_t)data[1] | (size_t)data[2] << 8;
	ops = str_sub(in, 3, cut);
	check_ops((enum record_kind)(RECORD_BATCH + data[0] % 3), ops,
	    str_from(in, 3 + ops.n));
	return 0;
}
