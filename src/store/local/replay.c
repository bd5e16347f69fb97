/* SPDX-License-Identifier: ISC */
/*
 * replay.c - opening: from the log to the index.
 *
 * Records are applied from the position that the index covers. Where one
 * cannot be read, one question decides: does any later record say that its
 * group had been flushed? Then somebody was promised it, it is damage, and
 * it is kept aside and reported. If none does, it is the torn end of the
 * last group, which nobody was promised: the log is cut there.
 */
#include "store/local/local.h"

struct replay {
	struct engine *e;
	struct engine_open_report *report;
	uint64_t next; /* sequence expected */
};

/* Index of the last byte that is not zero, plus one; off when there is none. */
static int
content_end(int fd, uint64_t off, uint64_t end, uint64_t *ret)
{
	char block[KIB(16)];
	uint64_t last = off;

	for (uint64_t at = off; at < end;) {
		size_t n = (size_t)MIN(sizeof(block), end - at);
		int r = fsops_read_all(fd, block, n, at);

		if (r < 0)
			return r;
		for (size_t i = n; i > 0; i--) {
			if (block[i - 1]) {
				last = at + i;
				break;
			}
		}
		at += n;
	}
	*ret = last;
	return 0;
}

/* Does a record at or after s->off say that seq was durable? 1, 0, -errno. */
static int
says_durable(struct scan *s, uint64_t seq)
{
	struct record rec;
	int r;

	while ((r = scan_resync(s, &rec)) > 0)
		if (rec.seq >= seq && rec.durable >= seq)
			return 1;
	return r;
}

static int
was_promised(struct replay *rp, size_t i, struct scan here, uint64_t seq)
{
	struct log *l = &rp->e->log;
	int r;

	/* The caller's scan goes on from where it was: work on a copy. */
	here.win = BUF_INIT(here.win.max);
	here.base = 0;
	r = says_durable(&here, seq);
	scan_done(&here);
	for (i++; r == 0 && i < l->n; i++) {
		int fd = segment_ref(l, l->segs[i]);
		struct scan s;

		if (fd < 0)
			return fd;
		r = scan_open(&s, l, fd, l->segs[i]->id);
		if (r == 0 || r == ENGINE_CORRUPT)
			r = says_durable(&s, seq);
		scan_done(&s);
		segment_unref(l, l->segs[i]);
	}
	return r;
}

/* --- the torn end ------------------------------------------------------------ */

/* Cut segment i at off and drop all after it. */
static int
cut(struct replay *rp, size_t i, uint64_t off)
{
	struct log *l = &rp->e->log;
	struct segment *s = l->segs[i];
	int fd, r = 0;

	while (r == 0 && l->n > i + 1) {
		rp->report->torn_bytes += l->segs[l->n - 1]->size;
		r = log_remove(l, l->segs[l->n - 1]);
	}
	if (r < 0)
		return r;
	fd = segment_ref(l, s);
	if (fd < 0)
		return fd;
	r = l->fs->ftruncate(l->fs->arg, fd, (off_t)off);
	if (r == 0)
		r = l->fs->fdatasync(l->fs->arg, fd);
	segment_unref(l, s);
	s->size = s->alloc = s->flushed = off;
	return r;
}

/* A segment without even a header holds nothing that was promised. */
static int
drop_from(struct replay *rp, size_t i)
{
	struct log *l = &rp->e->log;
	int r = 0;

	while (r == 0 && l->n > i)
		r = log_remove(l, l->segs[l->n - 1]);
	return r;
}

/* --- one segment -------------------------------------------------------------- */

/* Apply a record; *ret_bad when a blob in it is damaged. */
static int
apply(struct replay *rp, struct segment *seg, uint64_t off,
    const struct record *rec)
{
	int r = table_apply(rp->e, seg, off, rec);

	if (r < 0)
		return r;
	rp->next = rec->seq + 1;
	rp->report->replayed_batches++;
	return 0;
}

/* What stands at sc->off cannot be read, but was promised: keep it aside and
 * go on with the next record of this segment. 1 there is one, 0 not. */
static int
skip_bad(
    struct replay *rp, struct segment *seg, struct scan *sc, struct record *ret)
{
	uint64_t start = sc->off, end;
	int r;

	sc->off += 8;
	r = scan_resync(sc, ret);
	if (r < 0)
		return r;
	end = r > 0 ? sc->off - ret->size : sc->end;
	rp->report->bad_records++;
	bad_keep(rp->e, seg, start, end, "no readable record");
	/* Told once is enough: no gap on top of it. */
	if (r > 0)
		rp->next = MAX(rp->next, ret->seq);
	return r;
}

/* Was the next segment begun right after this one? Then nothing may be
 * missing between them; else what was between has been collected. */
static bool
next_follows(struct replay *rp, size_t i)
{
	struct log *l = &rp->e->log;
	struct segment *next = l->segs[i + 1];
	int fd = segment_ref(l, next);
	bool follows = true;
	struct scan sc;

	if (fd < 0)
		return true;
	if (scan_open(&sc, l, fd, next->id) == 0)
		follows = sc.head.prev == l->segs[i]->id;
	scan_done(&sc);
	segment_unref(l, next);
	return follows;
}

/*
 * Decide what an unreadable place is. 1: *ret is the next record to apply;
 * 0: the segment is done; 2: the log was cut here.
 */
static int
at_stop(struct replay *rp, size_t i, struct scan *sc, struct record *ret)
{
	struct log *l = &rp->e->log;
	uint64_t content = 0;
	bool is_last = i + 1 == l->n;
	int r = content_end(sc->fd, sc->off, sc->end, &content);

	if (r < 0)
		return r;
	if (content == sc->off && (is_last || l->segs[i + 1]->id == rp->next ||
				      !next_follows(rp, i))) {
		if (is_last || sc->off < sc->end)
			l->segs[i]->size = sc->off;
		return is_last ? 2 : 0;
	}
	r = was_promised(rp, i, *sc, rp->next);
	if (r < 0)
		return r;
	if (r == 0) {
		rp->report->torn_bytes += content - sc->off;
		return 2;
	}
	if (content > sc->off)
		return skip_bad(rp, l->segs[i], sc, ret);
	/* A tail is missing: it is told by the gap before the next record. */
	return 0;
}

static void
note_gap(struct replay *rp, struct segment *seg, uint64_t off, uint64_t got)
{
	char why[96];

	snprintf(why, sizeof(why), "records %llu to %llu are missing before it",
	    (unsigned long long)rp->next, (unsigned long long)got - 1);
	rp->report->bad_records++;
	bad_keep(rp->e, seg, off, off, why);
}

/* The index was made from more than the file has now. */
static void
note_lost(struct replay *rp, struct segment *seg, uint64_t end, uint64_t off)
{
	char why[96];

	snprintf(why, sizeof(why),
	    "the file ends at %llu, the index knows %llu",
	    (unsigned long long)end, (unsigned long long)off);
	rp->report->bad_records++;
	bad_keep(rp->e, seg, end, end, why);
}

/* 1: go on with the next segment; 2: the log ends here; or an error. */
static int
replay_records(struct replay *rp, size_t i, struct scan *sc)
{
	struct segment *seg = rp->e->log.segs[i];
	struct record rec;

	for (;;) {
		uint64_t at;
		int r = scan_next(sc, &rec);

		if (r == ENGINE_CORRUPT || r == 0)
			r = at_stop(rp, i, sc, &rec);
		if (r == 2)
			return cut(rp, i, sc->off) < 0 ? -EIO : 2;
		if (r <= 0)
			return r < 0 ? r : 1;
		at = sc->off - rec.size;
		if (rec.seq < rp->next)
			continue; /* a copy of what was applied */
		if (!record_is_sound(&rec)) {
			r = was_promised(rp, i, *sc, rec.seq);
			if (r < 0)
				return r;
			if (r == 0) {
				rp->report->torn_bytes += rec.size;
				return cut(rp, i, at) < 0 ? -EIO : 2;
			}
			/* Its ops are good: only a blob is lost. */
			rp->report->bad_records++;
			bad_keep(rp->e, seg, at, sc->off, "a damaged blob");
		}
		if (rec.seq > rp->next)
			note_gap(rp, seg, at, rec.seq);
		r = apply(rp, seg, at, &rec);
		if (r < 0)
			return r;
	}
}

static int
replay_segment(struct replay *rp, size_t i, uint64_t off)
{
	struct log *l = &rp->e->log;
	struct segment *seg = l->segs[i];
	int fd = segment_ref(l, seg), r;
	struct scan sc;

	if (fd < 0)
		return fd;
	r = scan_open(&sc, l, fd, seg->id);
	if (r == ENGINE_CORRUPT) {
		r = was_promised(rp, i, sc, rp->next);
		if (r == 0) {
			scan_done(&sc);
			segment_unref(l, seg);
			rp->report->torn_bytes += seg->size;
			r = drop_from(rp, i);
			return r < 0 ? r : 2;
		}
		if (r > 0) {
			rp->report->bad_records++;
			bad_keep(rp->e, seg, 0, SEGMENT_HEADER, "its header");
			r = 0;
		}
	} else if (r == 0) {
		rp->e->next_blob = MAX(rp->e->next_blob, sc.head.next_blob);
		/* The ones between were collected: no gap. */
		if (i > 0 && sc.head.prev != l->segs[i - 1]->id)
			rp->next = MAX(rp->next, seg->id);
	}
	if (r == 0) {
		if (off > sc.end)
			note_lost(rp, seg, sc.end, off);
		sc.off = MIN(MAX(off, sc.off), sc.end);
		r = replay_records(rp, i, &sc);
	}
	scan_done(&sc);
	segment_unref(l, seg);
	return r;
}

/* --- all of it ----------------------------------------------------------------- */

/* The accounts of the segments. One whose file is not there any more, though
 * the index refers to it, is damage: collected ones have no account. */
static int
load_stats(struct replay *rp)
{
	struct engine *e = rp->e;
	CLEANUP(index_cursor_freep)
	struct index_cursor *c = index_cursor_new(e->index, INDEX_META);
	struct str key, stored;
	int r;

	for (r = index_seek(c, STR("s"), &key, &stored);
	     r > 0 && key.n == 9 && key.p[0] == 's';
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		uint64_t id = be64_get(key.p + 1);
		struct segment *s = log_find(&e->log, id);
		struct seg_stats st = { 0 };
		int err = seg_stats_get(e->index, id, &st);

		if (err < 0)
			return err;
		if (s) {
			s->live = st.live;
			s->kept = st.kept;
		} else if (st.live > 0) {
			rp->report->bad_records++;
			bad_missing(e, id, st.live);
		}
	}
	return MIN(r, 0);
}

int
replay_log(struct engine *e, struct engine_open_report *report)
{
	struct replay rp = { .e = e, .report = report };
	struct index_pos pos = { .next_seq = 1, .next_blob = 1 };
	int r = index_pos_get(e->index, &pos);

	if (r < 0)
		return r;
	if (r == 0 && e->log.n > 0) {
		report->was_rebuilt = true;
		pos.next_seq = e->log.segs[0]->id;
	}
	r = load_stats(&rp);
	if (r < 0)
		return r;
	rp.next = pos.next_seq;
	e->next_blob = pos.next_blob;
	e->blob_raw = pos.blob_raw;
	e->blob_stored = pos.blob_stored;
	for (size_t i = 0; i < e->log.n && r != 2; i++) {
		uint64_t id = e->log.segs[i]->id;

		if (id < pos.seg)
			continue;
		r = replay_segment(&rp, i, id == pos.seg ? pos.off : 0);
		if (r < 0)
			return r;
		/* A rebuild of a large log must not be one transaction. */
		e->next_seq = rp.next;
		if (r == 1 && engine_index_save(e, e->log.segs[i]) < 0)
			return -EIO;
	}
	e->next_seq = rp.next;
	flusher_set_durable(e->flusher, rp.next - 1);
	return 0;
}
