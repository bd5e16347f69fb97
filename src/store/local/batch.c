/* SPDX-License-Identifier: ISC */
/*
 * batch.c - putting a batch together. See engine.h and batch.h.
 */
#include "store/local/batch.h"

#define CHECKS_MAX 65536

struct engine_batch *
engine_batch_new(struct engine *e)
{
	struct engine_batch *b = X_NEW(struct engine_batch);

	b->e = e;
	b->ops = BUF_INIT(RECORD_OPS_MAX);
	return b;
}

void
engine_batch_free(struct engine_batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->tickets_n; i++)
		engine_ticket_free(b->tickets[i].ticket);
	for (size_t i = 0; i < b->checks_n; i++) {
		str_free(&b->checks[i].key);
		str_free(&b->checks[i].val);
	}
	buf_done(&b->ops);
	free(b->checks);
	free(b->shards);
	free(b->tickets);
	free(b->deltas);
	free(b);
}

static void
fail(struct engine_batch *b, int err)
{
	if (b->err == 0)
		b->err = err;
}

static void
touch(struct engine_batch *b, struct engine_shard shard)
{
	for (size_t i = b->shards_n; i > 0; i--)
		if (b->shards[i - 1].id == shard.id &&
		    b->shards[i - 1].kind == shard.kind)
			return;
	b->shards = x_grow(
	    b->shards, &b->shards_cap, b->shards_n + 1, sizeof(*b->shards));
	b->shards[b->shards_n++] = shard;
}

static void
add_op(struct engine_batch *b, const struct op *op)
{
	size_t max = op->kind == OP_PUT ? ENGINE_VALUE_MAX : ENGINE_KEY_MAX;

	if (op->key.n > ENGINE_KEY_MAX || op->val.n > max ||
	    b->ops.n + op->key.n + op->val.n > ENGINE_BATCH_MAX) {
		fail(b, ENGINE_TOO_BIG);
		return;
	}
	touch(b, op->shard);
	op_put(&b->ops, RECORD_BATCH, op);
}

void
batch_put_any(struct engine_batch *b, struct engine_shard shard, struct str key,
    struct str val)
{
	struct op op = {
		.kind = OP_PUT, .shard = shard, .key = key, .val = val
	};

	add_op(b, &op);
}

/* Kind 0 is the engine's own. */
static bool
is_own_shard(struct engine_batch *b, struct engine_shard shard)
{
	if (shard.kind == 0)
		fail(b, -EINVAL);
	return shard.kind == 0;
}

void
batch_put(struct engine_batch *b, struct engine_shard shard, struct str key,
    struct str val)
{
	if (!is_own_shard(b, shard))
		batch_put_any(b, shard, key, val);
}

void
batch_del(struct engine_batch *b, struct engine_shard shard, struct str key)
{
	struct op op = { .kind = OP_DEL, .shard = shard, .key = key };

	if (is_own_shard(b, shard))
		return;
	b->is_freeing = true;
	add_op(b, &op);
}

void
batch_del_range(struct engine_batch *b, struct engine_shard shard,
    struct str from, struct str to)
{
	struct op op = {
		.kind = OP_DEL_RANGE, .shard = shard, .key = from, .val = to
	};

	if (is_own_shard(b, shard))
		return;
	b->is_freeing = true;
	add_op(b, &op);
}

static struct check *
add_check(struct engine_batch *b, struct engine_shard shard)
{
	struct check *c;

	if (b->checks_n == CHECKS_MAX) {
		fail(b, ENGINE_TOO_BIG);
		return NULL;
	}
	b->checks = x_grow(
	    b->checks, &b->checks_cap, b->checks_n + 1, sizeof(*b->checks));
	c = &b->checks[b->checks_n++];
	*c = (struct check){ .shard = shard };
	return c;
}

static void
check_key(struct engine_batch *b, struct engine_shard shard, struct str key,
    const struct str *val)
{
	struct check *c;

	if (key.n > ENGINE_KEY_MAX || (val && val->n > ENGINE_VALUE_MAX)) {
		fail(b, ENGINE_TOO_BIG);
		return;
	}
	c = add_check(b, shard);
	if (!c)
		return;
	c->kind = val ? CHECK_EQ : CHECK_ABSENT;
	c->key = str_copy(key);
	if (val)
		c->val = str_copy(*val);
}

void
batch_check_absent(
    struct engine_batch *b, struct engine_shard shard, struct str key)
{
	check_key(b, shard, key, NULL);
}

void
batch_check_eq(struct engine_batch *b, struct engine_shard shard,
    struct str key, struct str val)
{
	check_key(b, shard, key, &val);
}

void
batch_check_lease(
    struct engine_batch *b, struct engine_shard shard, uint64_t epoch)
{
	struct check *c = add_check(b, shard);

	if (!c)
		return;
	c->kind = CHECK_LEASE;
	c->epoch = epoch;
}

uint64_t
batch_blob_new(struct engine_batch *b, struct engine_ticket *t)
{
	uint64_t blob = b->e->next_blob++;

	if (b->tickets_n == RECORD_BLOBS)
		fail(b, ENGINE_TOO_BIG);
	b->tickets = x_grow(
	    b->tickets, &b->tickets_cap, b->tickets_n + 1, sizeof(*b->tickets));
	b->tickets[b->tickets_n++] = (struct batch_ticket){ blob, t };
	return blob;
}

void
batch_blob_add(struct engine_batch *b, uint64_t blob, int64_t delta)
{
	if (delta == 0)
		return;
	if (b->ops.n + b->deltas_n * 16 > ENGINE_BATCH_MAX) {
		fail(b, ENGINE_TOO_BIG);
		return;
	}
	b->deltas = x_grow(
	    b->deltas, &b->deltas_cap, b->deltas_n + 1, sizeof(*b->deltas));
	b->deltas[b->deltas_n++] = (struct batch_delta){ blob, delta };
}

void
batch_blob_ref(struct engine_batch *b, uint64_t blob)
{
	batch_blob_add(b, blob, 1);
}

void
batch_blob_drop(struct engine_batch *b, uint64_t blob)
{
	b->is_freeing = true;
	batch_blob_add(b, blob, -1);
}

static int
delta_cmp(const void *pa, const void *pb)
{
	const struct batch_delta *a = pa, *b = pb;

	return a->blob < b->blob ? -1 : a->blob > b->blob;
}

void
batch_sort_deltas(struct engine_batch *b)
{
	if (b->deltas_n > 1)
		qsort(b->deltas, b->deltas_n, sizeof(*b->deltas), delta_cmp);
}
