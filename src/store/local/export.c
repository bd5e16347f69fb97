/* SPDX-License-Identifier: ISC */
/*
 * export.c - one shard as a stream of records, and back.
 *
 * First the blobs, packed as they lie in the log, each with the number of
 * references the shard holds; then the keys; then a record without ops that
 * says nothing was cut off.
 */
#include "store/local/batch.h"

#include <unistd.h>

#define EXPORT_RECORD MIB(1) /* about so much in one record */
#define BLOBS_OF_MAX  256    /* blobs that one value refers to */

struct blob_count {
	uint64_t blob, refs;
};

/* --- writing ------------------------------------------------------------------ */

struct exporter {
	struct engine *e;
	struct engine_shard shard;
	engine_blobs_fn blobs_of;
	int fd;
	uint64_t seq;
	struct buf ops, data;
	struct blob_count *blobs;
	size_t blobs_n, blobs_cap;
	int err;
};

static int
write_fd(int fd, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0) {
		ssize_t r = write(fd, from, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		from += r;
		n -= (size_t)r;
	}
	return 0;
}

static int
write_record(struct exporter *x)
{
	static const char zeros[8];
	struct record rec = {
		.kind = RECORD_EXPORT, .seq = ++x->seq, .ops = buf_str(&x->ops)
	};
	size_t size = record_size(x->ops.n, x->data.n);
	char head[RECORD_HEADER];
	int r;

	if (x->ops.failed || x->data.failed)
		return ENGINE_TOO_BIG;
	record_header_put(head, &rec, x->data.n, 0);
	r = write_fd(x->fd, head, sizeof(head));
	if (r == 0)
		r = write_fd(x->fd, x->ops.p, x->ops.n);
	if (r == 0)
		r = write_fd(x->fd, x->data.p, x->data.n);
	if (r == 0)
		r = write_fd(
		    x->fd, zeros, size - RECORD_HEADER - x->ops.n - x->data.n);
	buf_reset(&x->ops, EXPORT_RECORD);
	buf_reset(&x->data, EXPORT_RECORD);
	return r;
}

static int
collect_blobs(void *arg, struct str key, struct str val)
{
	struct exporter *x = arg;
	uint64_t out[BLOBS_OF_MAX];
	size_t n = x->blobs_of(key, val, out, BLOBS_OF_MAX);

	ASSERT(n <= BLOBS_OF_MAX);
	x->blobs = x_grow(
	    x->blobs, &x->blobs_cap, x->blobs_n + n + 1, sizeof(*x->blobs));
	for (size_t i = 0; i < n; i++)
		x->blobs[x->blobs_n++] = (struct blob_count){ out[i], 1 };
	return 0;
}

static int
blob_cmp(const void *pa, const void *pb)
{
	const struct blob_count *a = pa, *b = pb;

	return a->blob < b->blob ? -1 : a->blob > b->blob;
}

static void
merge_counts(struct exporter *x)
{
	size_t n = 0;

	if (x->blobs_n > 1)
		qsort(x->blobs, x->blobs_n, sizeof(*x->blobs), blob_cmp);
	for (size_t i = 0; i < x->blobs_n; i++) {
		if (n > 0 && x->blobs[n - 1].blob == x->blobs[i].blob)
			x->blobs[n - 1].refs++;
		else
			x->blobs[n++] = x->blobs[i];
	}
	x->blobs_n = n;
}

static int
export_blob(struct exporter *x, const struct blob_count *bc)
{
	struct op op = { .kind = OP_BLOB, .blob = bc->blob };
	struct blob_entry en;
	struct segment *s;
	char *to;
	int r = blob_entry_get(x->e, bc->blob, &en), fd;

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	s = log_find(&x->e->log, en.seg);
	fd = s ? segment_ref(&x->e->log, s) : -ENOENT;
	if (fd < 0)
		return ENGINE_CORRUPT;
	to = buf_reserve(&x->data, en.stored);
	r = to ? fsops_read_all(fd, to, en.stored, en.off) : ENGINE_TOO_BIG;
	segment_unref(&x->e->log, s);
	if (r < 0)
		return r;
	if (!frame_is_good(en.codec, en.raw, str_make(to, en.stored), en.sum))
		return ENGINE_CORRUPT;
	x->data.n += en.stored;
	op.codec = en.codec;
	op.raw = en.raw;
	op.stored = en.stored;
	op.sum = en.sum;
	op.refs = (uint32_t)MIN(bc->refs, UINT32_MAX);
	op_put(&x->ops, RECORD_EXPORT, &op);
	return x->data.n >= EXPORT_RECORD ? write_record(x) : 0;
}

static int
export_key(void *arg, struct str key, struct str val)
{
	struct exporter *x = arg;
	struct op op = {
		.kind = OP_PUT, .shard = x->shard, .key = key, .val = val
	};

	op_put(&x->ops, RECORD_EXPORT, &op);
	if (x->ops.n >= EXPORT_RECORD)
		x->err = write_record(x);
	return x->err < 0;
}

static int
export_all(struct exporter *x)
{
	struct engine_range all = { .shard = x->shard };
	int r = 0;

	if (x->blobs_of)
		r = engine_scan(x->e, &all, collect_blobs, x);
	if (r < 0)
		return r;
	merge_counts(x);
	for (size_t i = 0; i < x->blobs_n; i++) {
		r = export_blob(x, &x->blobs[i]);
		if (r < 0)
			return r;
	}
	r = engine_scan(x->e, &all, export_key, x);
	if (r < 0 || x->err < 0)
		return r < 0 ? r : x->err;
	r = x->ops.n > 0 ? write_record(x) : 0;
	return r < 0 ? r : write_record(x); /* the end */
}

int
engine_export(struct engine *e, struct engine_shard shard,
    engine_blobs_fn blobs_of, int fd)
{
	struct exporter x = {
		.e = e,
		.shard = shard,
		.blobs_of = blobs_of,
		.fd = fd,
		.ops = BUF_INIT(RECORD_OPS_MAX),
		.data = BUF_INIT(RECORD_DATA_MAX),
	};
	int r;

	/* Blobs are read from the files. */
	engine_flush(e);
	r = flusher_wait(e->flusher, engine_position(e));
	if (r == 0)
		r = export_all(&x);
	buf_done(&x.ops);
	buf_done(&x.data);
	free(x.blobs);
	return r;
}

/* --- reading ------------------------------------------------------------------ */

struct engine_blob_map {
	struct pair {
		uint64_t old, new;
		uint32_t refs;
	} * pairs; /* ascending by old: that is how they are exported */
	size_t n, cap;
};

uint64_t
engine_blob_map_get(const struct engine_blob_map *map, uint64_t old)
{
	size_t lo = 0, hi = map->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (map->pairs[mid].old == old)
			return map->pairs[mid].new;
		if (map->pairs[mid].old < old)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

struct importer {
	struct engine *e;
	struct engine_shard as;
	engine_remap_fn remap;
	int fd;
	uint64_t seq;
	struct buf in, val;
	struct engine_blob_map map;
};

/* n bytes at the end of im->in. */
static int
read_fd(struct importer *im, size_t n)
{
	while (n > 0) {
		char *to = buf_reserve(&im->in, n);
		ssize_t r = to ? read(im->fd, to, n) : 0;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : ENGINE_CORRUPT;
		im->in.n += (size_t)r;
		n -= (size_t)r;
	}
	return 0;
}

static int
read_record(struct importer *im, struct record *ret)
{
	size_t need = RECORD_HEADER;

	buf_reset(&im->in, MIB(4));
	for (;;) {
		enum record_verdict v;
		int r = read_fd(im, need - im->in.n);

		if (r < 0)
			return r;
		v = record_parse(buf_str(&im->in), 0, ret);
		if (v == RECORD_OK)
			break;
		if (v != RECORD_MORE)
			return ENGINE_CORRUPT;
		need = ret->size;
	}
	if (ret->kind != RECORD_EXPORT || ret->seq != ++im->seq ||
	    !record_is_sound(ret))
		return ENGINE_CORRUPT;
	return 0;
}

static int
import_blob(struct importer *im, struct engine_batch *b,
    const struct record *rec, const struct op *op)
{
	struct engine_blob_map *m = &im->map;
	struct str stored = str_sub(rec->data,
	    (size_t)(op->data_off - RECORD_HEADER) - rec->ops.n, op->stored);
	struct engine_ticket *t;
	uint64_t blob;

	if (op->refs == 0 || (m->n > 0 && m->pairs[m->n - 1].old >= op->blob))
		return ENGINE_CORRUPT;
	t = X_NEW(struct engine_ticket);
	*t = (struct engine_ticket){ im->e, str_dup(stored), stored.n, op->raw,
		op->sum, op->codec };
	blob = batch_blob_new(b, t);
	batch_blob_add(b, blob, (int64_t)op->refs - 1);
	m->pairs = x_grow(m->pairs, &m->cap, m->n + 1, sizeof(*m->pairs));
	m->pairs[m->n++] = (struct pair){ op->blob, blob, op->refs };
	return 0;
}

static void
import_key(struct importer *im, struct engine_batch *b, const struct op *op)
{
	struct str val = op->val;

	if (im->remap) {
		buf_reset(&im->val, ENGINE_VALUE_MAX);
		im->remap(&im->map, op->key, op->val, &im->val);
		val = buf_str(&im->val);
	}
	batch_put(b, im->as, op->key, val);
}

static int
import_record(struct importer *im, const struct record *rec)
{
	struct engine_batch *b = engine_batch_new(im->e);
	size_t pairs = im->map.n;
	struct op_reader o = op_read(rec);
	struct op op;
	int r = 0;

	while (r == 0 && op_next(&o, &op) > 0) {
		if (op.kind == OP_BLOB)
			r = import_blob(im, b, rec, &op);
		else if (op.kind == OP_PUT)
			import_key(im, b, &op);
		else
			r = ENGINE_CORRUPT;
		if (im->val.failed)
			r = ENGINE_TOO_BIG;
	}
	if (r < 0)
		engine_batch_free(b);
	else
		r = engine_commit(im->e, b, NULL, NULL);
	if (r < 0)
		im->map.n = pairs; /* none of this record */
	return r;
}

static int
import_all(struct importer *im)
{
	struct record rec;
	int r;

	for (;;) {
		r = read_record(im, &rec);
		if (r < 0)
			return r;
		if (rec.ops.n == 0)
			return 0;
		r = import_record(im, &rec);
		if (r < 0)
			return r;
	}
}

/* Take back what was imported before the error. */
static void
undo_import(struct importer *im)
{
	struct engine_batch *b = engine_batch_new(im->e);
	int r;

	batch_del_range(b, im->as, STR_NONE, STR_NONE);
	for (size_t i = 0; i < im->map.n; i++)
		batch_blob_add(
		    b, im->map.pairs[i].new, -(int64_t)im->map.pairs[i].refs);
	r = engine_commit(im->e, b, NULL, NULL);
	if (r < 0 && !engine_is_dead(im->e))
		die("store: cannot take back a failed import: %d", r);
}

static int
stop_at_first(UNUSED void *arg, UNUSED struct str key, UNUSED struct str val)
{
	return 1;
}

int
engine_import(
    struct engine *e, int fd, struct engine_shard as, engine_remap_fn remap)
{
	struct importer im = {
		.e = e,
		.as = as,
		.remap = remap,
		.fd = fd,
		.in = BUF_INIT(RECORD_OPS_MAX + RECORD_DATA_MAX + KIB(1)),
		.val = BUF_INIT(ENGINE_VALUE_MAX),
	};
	struct engine_range all = { .shard = as };
	int r = engine_scan(e, &all, stop_at_first, NULL);

	if (r != 0)
		return r < 0 ? r : -EEXIST;
	r = import_all(&im);
	if (r < 0)
		undo_import(&im);
	engine_flush(e);
	if (flusher_wait(e->flusher, engine_position(e)) < 0)
		r = -EIO;
	buf_done(&im.in);
	buf_done(&im.val);
	free(im.map.pairs);
	return r;
}
