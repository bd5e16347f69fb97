/* SPDX-License-Identifier: ISC */
/*
 * read.c - keys: get, scan, list of shards.
 *
 * All reads go through the open write transaction of the index, so they see
 * every accepted commit.
 */
#include "store/local/local.h"

int
engine_get(struct engine *e, struct engine_shard shard, struct str key,
    struct str *ret_val)
{
	struct kv_entry en;
	struct kv_key k;
	int r;

	if (engine_is_dead(e))
		return -EIO;
	if (key.n > ENGINE_KEY_MAX)
		return 0;
	kv_key_make(&k, shard, key);
	r = kv_entry_get(e, str_make(k.b, k.n), &en);
	if (r > 0)
		*ret_val = en.val;
	return r;
}

/* Put the cursor on the last key below a bound. */
static int
seek_below(struct index_cursor *c, struct str bound, struct str *ret_key,
    struct str *ret_val)
{
	int r = index_seek(c, bound, ret_key, ret_val);

	if (r < 0)
		return r;
	return index_move(c, r > 0 ? INDEX_PREV : INDEX_LAST, ret_key, ret_val);
}

static bool
is_in_shard(struct str key, const struct kv_key *of)
{
	return key.n >= 9 && memcmp(key.p, of->b, 9) == 0;
}

/* The bound of a scan from above: to, or the first key of the next shard. */
static struct str
upper_bound(const struct engine_range *range, struct kv_key *k)
{
	if (range->to.n > 0) {
		kv_key_make(k, range->shard, range->to);
		return str_make(k->b, k->n);
	}
	kv_key_make(k, range->shard, STR_NONE);
	for (size_t i = k->n; i > 0; i--)
		if (++k->b[i - 1] != 0)
			break;
	return str_make(k->b, k->n);
}

int
engine_scan(struct engine *e, const struct engine_range *range,
    engine_scan_fn fn, void *arg)
{
	CLEANUP(index_cursor_freep) struct index_cursor *c = NULL;
	enum index_move step = range->is_reverse ? INDEX_PREV : INDEX_NEXT;
	struct kv_key from, to;
	struct str key, stored, low, high;
	int r;

	if (engine_is_dead(e))
		return -EIO;
	if (range->from.n > ENGINE_KEY_MAX || range->to.n > ENGINE_KEY_MAX)
		return ENGINE_TOO_BIG;
	c = index_cursor_new(e->index, INDEX_KV);
	kv_key_make(&from, range->shard, range->from);
	low = str_make(from.b, from.n);
	high = upper_bound(range, &to);
	if (range->is_reverse)
		r = seek_below(c, high, &key, &stored);
	else
		r = index_seek(c, low, &key, &stored);
	for (; r > 0; r = index_move(c, step, &key, &stored)) {
		struct kv_entry en;
		int stop;

		if (!is_in_shard(key, &from) || str_cmp(key, low) < 0 ||
		    str_cmp(key, high) >= 0)
			return 0;
		r = kv_entry_parse(key, stored, &en);
		if (r < 0)
			return r;
		stop = fn(arg, str_from(key, 9), en.val);
		if (stop)
			return 1;
	}
	return r;
}

int
engine_shards(
    struct engine *e, uint8_t kind, uint64_t after, uint64_t *out, size_t max)
{
	CLEANUP(index_cursor_freep) struct index_cursor *c = NULL;
	/* Shard 0 exists, and after is exclusive: 0 starts at the start. */
	uint64_t next = after == 0 ? 0 : after + 1;
	struct str key, stored;
	size_t n = 0;

	if (engine_is_dead(e))
		return -EIO;
	c = index_cursor_new(e->index, INDEX_KV);
	while (n < max && n < INT_MAX && (next > 0 || after == 0)) {
		struct kv_key k;
		int r;

		kv_key_make(&k, (struct engine_shard){ kind, next }, STR_NONE);
		r = index_seek(c, str_make(k.b, k.n), &key, &stored);
		if (r < 0)
			return r;
		if (r == 0 || key.n < 9 || (uint8_t)key.p[0] != kind)
			break;
		out[n++] = kv_key_shard(key).id;
		if (out[n - 1] == UINT64_MAX)
			break;
		next = out[n - 1] + 1;
	}
	return (int)n;
}
