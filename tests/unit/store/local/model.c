/* SPDX-License-Identifier: ISC */
/*
 * model.c - see model.h.
 */
#include "model.h"

#include "base/hash.h"
#include "store/local/local.h"

static const struct engine_shard number_shard = { 's', 0 };

void
model_init(struct model *m, uint64_t seed)
{
	*m = (struct model){ .random = seed, .next_id = 1 };
	m->history = x_calloc(MODEL_BATCH_MAX, sizeof(*m->history));
}

void
model_done(struct model *m)
{
	free(m->history);
}

static uint32_t
pick(struct model *m, uint32_t n)
{
	return (uint32_t)(kit_random(&m->random) % n);
}

static struct engine_shard
shard_of(size_t s)
{
	return (struct engine_shard){ 'a', s * 1000 };
}

static struct str
key_of(size_t i, char to[2])
{
	to[0] = 'k';
	to[1] = (char)('a' + i);
	return str_make(to, 2);
}

static void
value_bytes(struct buf *b, const struct model_value *v)
{
	buf_put_u64(b, v->id);
	kit_noise(b, v->id, v->id % 90);
}

static void
blob_bytes(struct buf *b, const struct model_value *v)
{
	if (v->seed % 2)
		kit_noise(b, v->seed, v->bytes);
	else
		kit_text(b, v->seed, v->bytes);
}

/* --- a batch -------------------------------------------------------------------- */

struct work {
	struct model *m;
	struct kit *k;
	struct engine_batch *b;
	struct model_state st;
};

static void
drop(struct work *w, struct model_value *v)
{
	if (v->blob)
		batch_blob_drop(w->b, v->blob);
	*v = (struct model_value){ 0 };
}

static void
put(struct work *w, size_t s, size_t i)
{
	struct model_value *v = &w->st.v[s][i];
	struct buf b = BUF_INIT(KIB(1));
	char key[2];

	v->id = w->m->next_id++;
	value_bytes(&b, v);
	batch_put(w->b, shard_of(s), key_of(i, key), buf_str(&b));
	buf_done(&b);
}

static void
put_blob(struct work *w, size_t s, size_t i)
{
	struct model_value *v = &w->st.v[s][i];
	struct buf b = BUF_INIT(KIB(8));

	drop(w, v);
	v->bytes = pick(w->m, 3000);
	v->seed = w->m->next_id++;
	blob_bytes(&b, v);
	v->blob = batch_blob_new(w->b, kit_ticket(w->k, buf_str(&b)));
	buf_done(&b);
	put(w, s, i);
}

static void
copy_blob(struct work *w, size_t s, size_t i)
{
	struct model_value *from =
	    &w->st.v[pick(w->m, MODEL_SHARDS)][pick(w->m, MODEL_KEYS)];
	struct model_value *to = &w->st.v[s][i], copy = *from;

	if (copy.blob)
		batch_blob_ref(w->b, copy.blob);
	drop(w, to);
	*to = copy;
	put(w, s, i);
}

static void
del_range(struct work *w, size_t s)
{
	size_t from = pick(w->m, MODEL_KEYS), to = pick(w->m, MODEL_KEYS);
	char a[2], z[2];

	batch_del_range(w->b, shard_of(s), key_of(from, a), key_of(to, z));
	for (size_t i = from; i < to; i++)
		drop(w, &w->st.v[s][i]);
}

static void
one_op(struct work *w)
{
	size_t s = pick(w->m, MODEL_SHARDS), i = pick(w->m, MODEL_KEYS);
	char key[2];

	switch (pick(w->m, 8)) {
	case 0:
		del_range(w, s);
		if (pick(w->m, 2))
			put(w, s, i);
		break;
	case 1:
	case 2:
		batch_del(w->b, shard_of(s), key_of(i, key));
		drop(w, &w->st.v[s][i]);
		break;
	case 3:
		copy_blob(w, s, i);
		break;
	case 4:
	case 5:
		put_blob(w, s, i);
		break;
	default:
		put(w, s, i);
		break;
	}
}

static void
acked(void *arg, int err)
{
	struct model *m = arg;

	if (err == 0)
		m->acked++;
}

int
model_step(struct model *m, struct kit *k)
{
	struct work w = { m, k, engine_batch_new(k->e), m->history[m->n] };
	uint32_t n = m->n + 1;
	int r;

	if (n == MODEL_BATCH_MAX)
		die("model: history is full");
	for (uint32_t i = 1 + pick(m, 4); i > 0; i--)
		one_op(&w);
	batch_put(w.b, number_shard, STR("n"), str_make(&n, sizeof(n)));
	r = engine_commit(k->e, w.b, acked, m);
	if (r == 0) {
		m->n = n;
		m->history[n] = w.st;
	}
	return r;
}

uint64_t
model_max_blob(const struct model *m, uint32_t n)
{
	uint64_t max = 0;

	for (uint32_t b = 0; b <= n; b++)
		for (size_t s = 0; s < MODEL_SHARDS; s++)
			for (size_t i = 0; i < MODEL_KEYS; i++)
				max = MAX(max, m->history[b].v[s][i].blob);
	return max;
}

void
model_cut(struct model *m, uint32_t n)
{
	m->n = m->acked = n;
}

/* --- comparing ------------------------------------------------------------------ */

uint32_t
model_batch_of(struct kit *k)
{
	struct str val;
	uint32_t n;
	int r = engine_get(k->e, number_shard, STR("n"), &val);

	if (r == 0)
		return 0;
	if (r < 0 || val.n != sizeof(n))
		die("model: no number: %d", r);
	memcpy(&n, val.p, sizeof(n));
	return n;
}

static uint32_t
refs_of(const struct model_state *st, uint64_t blob)
{
	uint32_t refs = 0;

	for (size_t s = 0; s < MODEL_SHARDS; s++)
		for (size_t i = 0; i < MODEL_KEYS; i++)
			refs += st->v[s][i].blob == blob;
	return refs;
}

static void
check_blob(
    struct kit *k, const struct model_state *st, const struct model_value *v)
{
	struct buf want = BUF_INIT(KIB(8)), got = BUF_INIT(KIB(8));
	struct blob_entry en;

	blob_bytes(&want, v);
	if (kit_read(k, v->blob, 0, SIZE_MAX, &got) != (int64_t)v->bytes ||
	    !str_eq(buf_str(&want), buf_str(&got)))
		die("model: blob %llu differs", (unsigned long long)v->blob);
	if (blob_entry_get(k->e, v->blob, &en) != 1 ||
	    en.refs != refs_of(st, v->blob))
		die("model: blob %llu has %u references",
		    (unsigned long long)v->blob, en.refs);
	buf_done(&want);
	buf_done(&got);
}

static bool
check_value(struct kit *k, const struct model_value *v, size_t s, size_t i)
{
	struct buf want = BUF_INIT(KIB(1));
	struct str got;
	char key[2];
	int r = engine_get(k->e, shard_of(s), key_of(i, key), &got);

	if (r < 0 || r != (v->id != 0))
		die("model: key %zu/%zu: %d, model has %u", s, i, r, v->id);
	value_bytes(&want, v);
	if (r > 0 && !str_eq(got, buf_str(&want)))
		die("model: key %zu/%zu differs", s, i);
	buf_done(&want);
	return r > 0;
}

void
model_check(struct model *m, struct kit *k, uint32_t n)
{
	const struct model_state *st = &m->history[n];
	uint64_t keys = n > 0, blobs = 0;
	struct engine_stats stats;

	for (size_t s = 0; s < MODEL_SHARDS; s++) {
		for (size_t i = 0; i < MODEL_KEYS; i++) {
			const struct model_value *v = &st->v[s][i];

			keys += check_value(k, v, s, i);
			if (v->blob) {
				check_blob(k, st, v);
				blobs += 840 / refs_of(st, v->blob);
			}
		}
	}
	engine_stats(k->e, &stats);
	if (stats.keys != keys)
		die("model: %llu keys, not %llu",
		    (unsigned long long)stats.keys, (unsigned long long)keys);
	/* Each blob was counted once for each reference, by its share. */
	if ((blobs + 420) / 840 != stats.blobs)
		die("model: %llu blobs, not %llu",
		    (unsigned long long)stats.blobs,
		    (unsigned long long)(blobs + 420) / 840);
}

static uint64_t
hash_keys(struct kit *k, uint64_t h)
{
	struct index_cursor *c = index_cursor_new(k->e->index, INDEX_KV);
	struct str key, stored;
	int r;

	for (r = index_move(c, INDEX_FIRST, &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		struct kv_entry en;

		if (kv_entry_parse(key, stored, &en) < 0)
			die("model: bad entry");
		h = hash64_seed(key.p, key.n, h);
		h = hash64_seed(&en.seq, sizeof(en.seq), h);
		h = hash64_seed(en.val.p, en.val.n, h);
	}
	index_cursor_free(c);
	return h;
}

uint64_t
model_index_hash(struct kit *k)
{
	struct index_cursor *c = index_cursor_new(k->e->index, INDEX_BLOB);
	struct str key, stored;
	uint64_t h = 1;
	int r;

	for (r = index_move(c, INDEX_FIRST, &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		struct blob_entry en;

		if (blob_entry_parse(stored, &en) < 0)
			die("model: bad blob entry");
		uint64_t v[] = { en.sum, en.seq, en.stored, en.raw, en.refs,
			en.codec };

		h = hash64_seed(key.p, key.n, h);
		h = hash64_seed(v, sizeof(v), h);
	}
	index_cursor_free(c);
	return hash_keys(k, h);
}
