/* SPDX-License-Identifier: ISC */
/*
 * gc.c - segments that are mostly dead are rewritten, a little each turn.
 *
 * What is live in the segment is appended to the log again, with the
 * sequence it had. When all of it has moved, the index is committed, and only
 * then is the file removed; a crash before that leaves two copies, which a
 * replay takes for what they are.
 *
 * A tombstone moves too, as long as an older segment exists that may hold
 * what it ended. In the oldest segment it has done its work.
 *
 * What moves mixes with what is written meanwhile: where most of that is dead
 * soon (a queue that mail flows through), the same entries would move again
 * and again, with each segment. So a pile of garbage is left alone up to a
 * bound; then the deadest segments go first, in which little has moved before.
 */
#include "store/local/local.h"

#define MOVE_BYTES   KIB(512) /* of one record of moved ops */
#define RETRY_MS     1000     /* after a full disk */
#define FULL_PERCENT 10       /* threshold while the disk is full */
#define PARTS_MAX    RECORD_BLOBS

struct gc {
	struct segment *seg; /* NULL: idle */
	bool is_oldest;
	struct scan scan;
	struct buf ops;
	struct data_part parts[PARTS_MAX];
	size_t parts_n, data_n;
	uint64_t not_before_ms;
};

/* --- which segment ------------------------------------------------------------ */

/* Bytes of a segment that collecting would set free. */
static uint64_t
dead_bytes(const struct segment *s, bool is_oldest)
{
	uint64_t stays = s->live + (is_oldest ? 0 : s->kept) + SEGMENT_HEADER;

	return s->size > stays ? s->size - stays : 0;
}

static bool
is_candidate(const struct segment *s)
{
	return !s->is_bad && !s->is_doomed && s->flushed >= s->size;
}

/* The one with the most garbage; NULL: none has enough. *ret_dead is the
 * garbage of all that have. */
static struct segment *
pick(const struct engine *e, uint64_t *ret_dead)
{
	unsigned percent = e->gc_dead_percent;
	struct segment *best = NULL;
	uint64_t best_share = 0;

	*ret_dead = 0;
	if (e->is_full)
		percent = MIN(percent, FULL_PERCENT);
	for (size_t i = 0; i + 1 < e->log.n; i++) {
		struct segment *s = e->log.segs[i];
		uint64_t dead, share;

		if (!is_candidate(s))
			continue;
		dead = dead_bytes(s, i == 0);
		share = dead * 100 / MAX(s->size, 1);
		if (share < percent)
			continue;
		*ret_dead += dead;
		if (!best || share > best_share) {
			best = s;
			best_share = share;
		}
	}
	return best;
}

static bool
may_wait(const struct engine *e, uint64_t dead)
{
	return dead <= e->gc_pile_bytes && !e->is_full &&
	       e->free_bytes > e->reserve_bytes + 2 * e->gc_pile_bytes;
}

static void
gc_reset(struct gc *gc)
{
	for (size_t i = 0; i < gc->parts_n; i++)
		free(gc->parts[i].p);
	gc->parts_n = gc->data_n = 0;
	buf_reset(&gc->ops, MIB(1));
	gc->seg = NULL;
}

static void
gc_end(struct engine *e)
{
	struct segment *s = e->gc->seg;

	scan_done(&e->gc->scan);
	gc_reset(e->gc);
	segment_unref(&e->log, s);
}

void
gc_free(struct engine *e)
{
	if (!e->gc)
		return;
	if (e->gc->seg)
		gc_end(e);
	buf_done(&e->gc->ops);
	free(e->gc);
	e->gc = NULL;
}

static bool
gc_begin(struct engine *e)
{
	uint64_t dead;
	struct segment *s = pick(e, &dead);
	struct gc *gc = e->gc;
	int fd;

	if (!s || may_wait(e, dead))
		return false;
	fd = segment_ref(&e->log, s);
	if (fd < 0)
		return false;
	gc->seg = s;
	gc->is_oldest = s == e->log.segs[0];
	if (scan_open(&gc->scan, &e->log, fd, s->id) == 0)
		return true;
	bad_keep(e, s, 0, SEGMENT_HEADER, "its header");
	gc_end(e);
	return false;
}

/* --- what is live -------------------------------------------------------------- */

/* 1 moves, 0 stays behind, or an error. */
static int
put_is_live(struct engine *e, const struct op *op)
{
	struct kv_entry en;
	struct kv_key k;
	int r;

	kv_key_make(&k, op->shard, op->key);
	r = kv_entry_get(e, str_make(k.b, k.n), &en);
	if (r <= 0)
		return r;
	/* A batch may write a key twice: only the value that stayed moves. */
	return en.seg == e->gc->seg->id && en.seq == op->seq &&
	       str_eq(en.val, op->val);
}

static int
del_is_needed(struct engine *e, const struct op *op)
{
	struct kv_entry en;
	struct kv_key k;
	int r;

	if (e->gc->is_oldest)
		return 0;
	kv_key_make(&k, op->shard, op->key);
	r = kv_entry_get(e, str_make(k.b, k.n), &en);
	if (r < 0)
		return r;
	/* A newer value outdoes old copies by itself. */
	return r == 0 || en.seq < op->seq;
}

static int
refs_are_needed(struct engine *e, const struct op *op)
{
	struct blob_entry en;
	int r = blob_entry_get(e, op->blob, &en);

	if (r < 0)
		return r;
	if (r == 0)
		return op->refs == 0 && !e->gc->is_oldest;
	/* Bytes that lie later in the log carry their count with them. */
	return en.seq == op->seq && en.seg < e->gc->seg->id;
}

static int
blob_is_live(struct engine *e, struct op *op, uint64_t record_off)
{
	struct blob_entry en;
	int r = blob_entry_get(e, op->blob, &en);

	if (r <= 0)
		return r;
	if (en.seg != e->gc->seg->id || en.off != record_off + op->data_off)
		return 0;
	op->seq = en.seq;
	op->refs = en.refs;
	return 1;
}

static int
is_live(struct engine *e, struct op *op, uint64_t record_off)
{
	switch (op->kind) {
	case OP_PUT:
		return put_is_live(e, op);
	case OP_DEL:
		return del_is_needed(e, op);
	case OP_DEL_RANGE:
		return !e->gc->is_oldest;
	case OP_BLOB:
		return blob_is_live(e, op, record_off);
	case OP_REFS:
		return refs_are_needed(e, op);
	}
	return 0;
}

/* --- moving -------------------------------------------------------------------- */

static int
gc_write(struct engine *e)
{
	struct gc *gc = e->gc;
	int r;

	if (gc->ops.n == 0)
		return 0;
	r = engine_room(e, record_size(gc->ops.n, gc->data_n), 0);
	if (r == 0)
		r = engine_append(
		    e, RECORD_RELOC, buf_str(&gc->ops), gc->parts, gc->parts_n);
	if (r < 0)
		return r;
	e->batches_open++;
	gc->parts_n = gc->data_n = 0;
	buf_reset(&gc->ops, MIB(1));
	return 0;
}

static int
take_blob(struct gc *gc, const struct record *rec, const struct op *op)
{
	struct str stored = str_sub(rec->data,
	    (size_t)(op->data_off - RECORD_HEADER) - rec->ops.n, op->stored);
	char *copy;

	if (!frame_is_good(op->codec, op->raw, stored, op->sum))
		return ENGINE_CORRUPT;
	copy = x_malloc(MAX(stored.n, 1));
	if (stored.n > 0)
		memcpy(copy, stored.p, stored.n);
	gc->parts[gc->parts_n++] = (struct data_part){ copy, stored.n, true };
	gc->data_n += stored.n;
	return 0;
}

static int
move_record(struct engine *e, const struct record *rec, uint64_t off)
{
	struct op_reader o = op_read(rec);
	struct gc *gc = e->gc;
	struct op op;
	int r;

	while ((r = op_next(&o, &op)) > 0) {
		r = is_live(e, &op, off);
		if (r > 0 && op.kind == OP_BLOB) {
			int err = take_blob(gc, rec, &op);

			if (err < 0)
				return err;
		}
		if (r > 0)
			op_put(&gc->ops, RECORD_RELOC, &op);
		if (r < 0)
			return r;
		if (gc->ops.n + gc->data_n >= MOVE_BYTES ||
		    gc->parts_n == PARTS_MAX) {
			r = gc_write(e);
			if (r < 0)
				return r;
		}
	}
	return r < 0 ? ENGINE_CORRUPT : 0;
}

/* Everything has moved: the file goes with the next commit of the index. */
static void
gc_finish(struct engine *e)
{
	struct segment *s = e->gc->seg;

	if (s->live == 0) {
		s->is_doomed = true;
		s->is_changed = true;
		e->has_changes = true;
	} else {
		/* Accounts that do not add up are no reason to lose mail. */
		bad_keep(e, s, 0, SEGMENT_HEADER,
		    "live entries that were not found when it was collected");
	}
	gc_end(e);
}

static void
gc_give_up(struct engine *e, int err)
{
	struct segment *s = e->gc->seg;

	e->gc->not_before_ms = now_ms() + RETRY_MS;
	if (err == ENGINE_CORRUPT)
		bad_keep(e, s, e->gc->scan.off, e->gc->scan.off,
		    "damage found before here; the segment is kept");
	gc_end(e);
}

static int
gc_record(struct engine *e)
{
	struct record rec;
	int r = scan_next(&e->gc->scan, &rec);

	if (r > 0)
		return move_record(e, &rec, e->gc->scan.off - rec.size);
	if (r == 0)
		r = gc_write(e);
	if (r == 0)
		gc_finish(e);
	return r;
}

bool
gc_is_active(const struct engine *e)
{
	return e->gc && e->gc->seg;
}

void
gc_step(struct engine *e, uint64_t budget_ms)
{
	uint64_t end = now_ms() + budget_ms;
	int r;

	if (!e->gc) {
		e->gc = X_NEW(struct gc);
		e->gc->ops = BUF_INIT(RECORD_OPS_MAX);
	}
	if (now_ms() < e->gc->not_before_ms)
		return;
	if (!e->gc->seg && !gc_begin(e))
		return;
	do
		r = gc_record(e);
	while (r == 0 && e->gc->seg && now_ms() < end);
	/* What was found live must be in the log before anybody can end it: a
	 * copy after its tombstone would bring it back. */
	if (r == 0 && e->gc->seg)
		r = gc_write(e);
	if (r < 0)
		gc_give_up(e, r);
}
