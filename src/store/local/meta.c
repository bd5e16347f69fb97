/* SPDX-License-Identifier: ISC */
/*
 * meta.c - what the index says about the log: position and accounts.
 *
 * Both are committed together with the entries they describe.
 */
#include "store/local/local.h"

#include "base/hash.h"

#define META_VERSION 1

static const struct str pos_key = { "pos", 3 };

static int
meta_get(struct index *ix, struct str key, uint64_t *v, size_t n)
{
	struct str stored;
	struct wire w;
	int r = index_get(ix, INDEX_META, key, &stored);

	if (r <= 0)
		return r;
	if (stored.n != 8 * n + 8)
		return ENGINE_CORRUPT;
	w = wire_read(stored);
	for (size_t i = 0; i < n; i++)
		v[i] = wire_get_u64(&w);
	return wire_get_u64(&w) == hash64(stored.p, 8 * n) ? 1 : ENGINE_CORRUPT;
}

static int
meta_put(struct index *ix, struct str key, const uint64_t *v, size_t n)
{
	struct buf b = BUF_INIT(KIB(1));
	char *to;
	int r;

	for (size_t i = 0; i < n; i++)
		wire_put_u64(&b, v[i]);
	wire_put_u64(&b, hash64(b.p, b.n));
	r = index_put(ix, INDEX_META, key, b.n, &to);
	if (r == 0)
		memcpy(to, b.p, b.n);
	buf_done(&b);
	return r;
}

int
index_pos_get(struct index *ix, struct index_pos *ret)
{
	uint64_t v[7];
	int r = meta_get(ix, pos_key, v, ARRAY_LEN(v));

	if (r <= 0)
		return r;
	if (v[0] != META_VERSION)
		return ENGINE_CORRUPT;
	*ret = (struct index_pos){ v[1], v[2], v[3], v[4], v[5], v[6] };
	return 1;
}

int
index_pos_put(struct index *ix, const struct index_pos *p)
{
	uint64_t v[7] = { META_VERSION, p->next_seq, p->seg, p->off,
		p->next_blob, p->blob_raw, p->blob_stored };

	return meta_put(ix, pos_key, v, ARRAY_LEN(v));
}

static struct str
stats_key(char to[9], uint64_t id)
{
	to[0] = 's';
	be64_put(to + 1, id);
	return str_make(to, 9);
}

int
seg_stats_get(struct index *ix, uint64_t id, struct seg_stats *ret)
{
	char key[9];
	uint64_t v[3];
	int r = meta_get(ix, stats_key(key, id), v, ARRAY_LEN(v));

	if (r > 0)
		*ret = (struct seg_stats){ v[0], v[1], v[2] };
	return r;
}

int
seg_stats_put(struct index *ix, const struct segment *s)
{
	uint64_t v[3] = { s->live, s->kept, s->size };
	char key[9];

	return meta_put(ix, stats_key(key, s->id), v, ARRAY_LEN(v));
}

int
seg_stats_del(struct index *ix, uint64_t id)
{
	char key[9];
	int r = index_del(ix, INDEX_META, stats_key(key, id));

	return MIN(r, 0);
}
