/* SPDX-License-Identifier: ISC */
/*
 * commit.c - a batch becomes a record: checked, applied, handed on.
 *
 * Everything that can be refused is refused before anything is changed. What
 * is left after that cannot fail: room on disk was made, and an index that
 * cannot be written is fatal.
 */
#include "store/local/batch.h"

#include <sys/stat.h>

#define QUEUE_MAX MIB(256) /* of bytes on their way to the disk */
/* The index is committed early when so much has changed since. */
#define BATCHES_OPEN_MAX 65536

struct waiter {
	struct waiter *next;
	uint64_t seq;
	engine_commit_fn fn;
	void *arg;
	struct engine_shard *touched; /* watched shards of a commit */
	size_t touched_n;
};

/* --- who waits ------------------------------------------------------------- */

static void
waiter_free(struct waiter *w)
{
	free(w->touched);
	free(w);
}

/* In order of position; nearly always at the end. */
static void
waiter_add(struct engine *e, struct waiter *w)
{
	struct waiter **at = e->waiters_tail;

	if (e->waiters && w->seq < e->next_seq - 1) {
		at = &e->waiters;
		while (*at && (*at)->seq <= w->seq)
			at = &(*at)->next;
	}
	w->next = *at;
	*at = w;
	if (!w->next)
		e->waiters_tail = &w->next;
}

void
waiters_run(struct engine *e, uint64_t durable)
{
	while (e->waiters && e->waiters->seq <= durable) {
		struct waiter *w = e->waiters;

		e->waiters = w->next;
		if (!e->waiters)
			e->waiters_tail = &e->waiters;
		if (w->fn)
			w->fn(w->arg, 0);
		for (size_t i = 0; i < w->touched_n; i++)
			watch_run(e, w->touched[i]);
		waiter_free(w);
	}
}

void
waiters_free(struct engine *e)
{
	struct waiter *w, *next;

	for (w = e->waiters; w; w = next) {
		next = w->next;
		waiter_free(w);
	}
	e->waiters = NULL;
	e->waiters_tail = &e->waiters;
}

void
engine_sync(struct engine *e, uint64_t position, engine_commit_fn fn, void *arg)
{
	struct waiter *w;

	if (position <= engine_durable(e)) {
		fn(arg, 0);
		return;
	}
	w = X_NEW(struct waiter);
	w->seq = position;
	w->fn = fn;
	w->arg = arg;
	waiter_add(e, w);
}

uint64_t
engine_position(const struct engine *e)
{
	return e->next_seq - 1;
}

uint64_t
engine_durable(const struct engine *e)
{
	return flusher_durable(e->flusher);
}

/* --- checks ----------------------------------------------------------------- */

static int
check_one(struct engine *e, const struct check *c)
{
	struct kv_entry en;
	struct kv_key k;
	int r;

	if (c->kind == CHECK_LEASE)
		return lease_check(e, c->shard, c->epoch);
	kv_key_make(&k, c->shard, c->key);
	r = kv_entry_get(e, str_make(k.b, k.n), &en);
	if (r < 0)
		return r;
	if (c->kind == CHECK_ABSENT)
		return r == 0 ? 0 : ENGINE_CONFLICT;
	return r > 0 && str_eq(en.val, c->val) ? 0 : ENGINE_CONFLICT;
}

static int
check_all(struct engine *e, const struct engine_batch *b)
{
	for (size_t i = 0; i < b->checks_n; i++) {
		int r = check_one(e, &b->checks[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- blobs of the batch ------------------------------------------------------ */

static int64_t
delta_of(const struct engine_batch *b, uint64_t blob)
{
	int64_t sum = 0;

	for (size_t i = 0; i < b->deltas_n; i++)
		if (b->deltas[i].blob == blob)
			sum += b->deltas[i].delta;
	return sum;
}

/* Ops for the new blobs, with the references this batch gives them. */
static int
encode_new_blobs(struct engine_batch *b, struct data_part *parts)
{
	for (size_t i = 0; i < b->tickets_n; i++) {
		struct engine_ticket *t = b->tickets[i].ticket;
		int64_t refs = 1 + delta_of(b, b->tickets[i].blob);
		struct op op = {
			.kind = OP_BLOB,
			.blob = b->tickets[i].blob,
			.codec = t->codec,
			.raw = (uint32_t)t->raw,
			.stored = (uint32_t)t->stored,
			.sum = t->sum,
			.refs = (uint32_t)refs,
		};

		if (refs < 0 || refs > UINT32_MAX)
			return -EINVAL;
		op_put(&b->ops, RECORD_BATCH, &op);
		parts[i] = (struct data_part){ t->p, t->stored, true };
	}
	return 0;
}

static bool
is_new_blob(const struct engine_batch *b, uint64_t blob)
{
	for (size_t i = 0; i < b->tickets_n; i++)
		if (b->tickets[i].blob == blob)
			return true;
	return false;
}

/* References are logged as what they are now, not as a difference: so that
 * applying twice, or from a moved copy, is harmless. */
static int
encode_refs(struct engine *e, struct engine_batch *b)
{
	batch_sort_deltas(b);
	for (size_t i = 0; i < b->deltas_n; i++) {
		struct op op = { .kind = OP_REFS, .blob = b->deltas[i].blob };
		int64_t refs = b->deltas[i].delta;
		struct blob_entry en;
		int r;

		while (i + 1 < b->deltas_n && b->deltas[i + 1].blob == op.blob)
			refs += b->deltas[++i].delta;
		if (is_new_blob(b, op.blob))
			continue;
		r = blob_entry_get(e, op.blob, &en);
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
		refs += en.refs;
		if (refs < 0 || refs > UINT32_MAX)
			return -EINVAL;
		op.refs = (uint32_t)refs;
		op_put(&b->ops, RECORD_BATCH, &op);
	}
	return 0;
}

/* --- appending --------------------------------------------------------------- */

int
engine_room(struct engine *e, size_t size, uint64_t untouched)
{
	struct segment *s = log_active(&e->log);
	bool grows = !s || s->size + size > s->alloc;
	int r = 0;

	/* Fresh figures when blocks are taken; otherwise tick's will do. */
	if (grows)
		r = e->fs->free_bytes(
		    e->fs->arg, e->log.dir_fd, &e->free_bytes);
	if (r < 0)
		return r;
	e->is_full = e->free_bytes < e->reserve_bytes + (grows ? size : 0);
	if (untouched > 0 && e->free_bytes < untouched + (grows ? size : 0))
		return ENGINE_FULL;
	r = log_room(&e->log, size, e->next_seq, e->next_blob);
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG) {
		e->is_full = true;
		return ENGINE_FULL;
	}
	return r;
}

int
engine_append(struct engine *e, enum record_kind kind, struct str ops,
    struct data_part *parts, size_t count)
{
	static const char zeros[8];
	struct record rec = { .kind = kind, .ops = ops };
	struct segment *seg = log_active(&e->log);
	char head[RECORD_HEADER];
	uint64_t data_len = 0, off = seg->size;
	int r;

	for (size_t i = 0; i < count; i++)
		data_len += parts[i].n;
	rec.seq = e->next_seq++;
	rec.durable = flusher_durable(e->flusher);
	rec.size = record_size(ops.n, data_len);
	/* Only for the offsets of blobs: nobody reads the data here. */
	rec.data = (struct str){ NULL, (size_t)data_len };
	r = table_apply(e, seg, off, &rec);
	if (r < 0) {
		engine_fatal(e, "changing the index", r);
		return -EIO;
	}
	record_header_put(head, &rec, data_len, e->log.seed);
	log_put(&e->log, head, sizeof(head));
	log_put(&e->log, ops.p, ops.n);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].is_owned)
			log_put_owned(&e->log, parts[i].p, parts[i].n);
		else
			log_put(&e->log, parts[i].p, parts[i].n);
		parts[i].p = NULL;
	}
	log_put(&e->log, zeros, off + rec.size - seg->size);
	return 0;
}

/* --- the commit --------------------------------------------------------------- */

static size_t
batch_data_len(const struct engine_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->tickets_n; i++)
		n += b->tickets[i].ticket->stored;
	return n;
}

/*
 * New data leaves the reserve alone. What sets space free may use all of it,
 * or a full disk could never be emptied; and other small changes half of it,
 * because people open and mark what they delete.
 */
static uint64_t
untouched_reserve(const struct engine *e, const struct engine_batch *b)
{
	if (b->tickets_n > 0)
		return e->reserve_bytes;
	return b->is_freeing ? 0 : e->reserve_bytes / 2;
}

static int
batch_prepare(struct engine *e, struct engine_batch *b, struct data_part *parts)
{
	size_t data_len = batch_data_len(b);
	int r = b->err ? b->err : check_all(e, b);

	if (r == 0)
		r = encode_refs(e, b);
	if (r == 0)
		r = encode_new_blobs(b, parts);
	if (r < 0)
		return r;
	if (b->ops.failed || data_len > RECORD_DATA_MAX)
		return ENGINE_TOO_BIG;
	return engine_room(
	    e, record_size(b->ops.n, data_len), untouched_reserve(e, b));
}

static void
wait_for(struct engine *e, const struct engine_batch *b, engine_commit_fn fn,
    void *arg)
{
	struct waiter *w = X_NEW(struct waiter);

	w->seq = e->next_seq - 1;
	w->fn = fn;
	w->arg = arg;
	for (size_t i = 0; i < b->shards_n && e->watches; i++) {
		if (!watch_any(e, b->shards[i]))
			continue;
		w->touched = x_realloc(
		    w->touched, (w->touched_n + 1) * sizeof(*w->touched));
		w->touched[w->touched_n++] = b->shards[i];
	}
	waiter_add(e, w);
}

int
engine_commit(
    struct engine *e, struct engine_batch *b, engine_commit_fn fn, void *arg)
{
	struct data_part *parts = x_calloc(b->tickets_n + 1, sizeof(*parts));
	int r = engine_is_dead(e) ? -EIO : batch_prepare(e, b, parts);

	if (r == 0) {
		for (size_t i = 0; i < b->tickets_n; i++)
			b->tickets[i].ticket->p = NULL;
		r = engine_append(
		    e, RECORD_BATCH, buf_str(&b->ops), parts, b->tickets_n);
		for (size_t i = 0; i < b->tickets_n; i++)
			free(parts[i].p); /* only after a failure */
	}
	if (r == 0) {
		e->batches++;
		e->batches_open++;
		wait_for(e, b, fn, arg);
		if (flusher_wait_queue(e->flusher, QUEUE_MAX) < 0 ||
		    (e->batches_open > BATCHES_OPEN_MAX &&
			engine_index_commit(e) < 0))
			e->is_dead = true; /* accepted, but never durable */
	}
	free(parts);
	engine_batch_free(b);
	return r;
}
