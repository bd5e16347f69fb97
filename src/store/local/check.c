/* SPDX-License-Identifier: ISC */
/*
 * check.c - verify a store, and make its index anew.
 *
 * Three walks. The index: every checksum, and the sums of live bytes that
 * the accounts of the segments must equal. The blobs in the order they lie
 * on disk: their bytes. The log: every record up to where the index covers
 * it, and every live value found in it, so that a rebuild would find it too.
 *
 * A running store goes on writing and removing segments meanwhile. The
 * snapshot of the index is held for the first walk only, because LMDB keeps
 * old pages for it; what has moved since is looked up again.
 */
#include "store/local/local.h"
#include "store/map.h"

#include "base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define PROGRESS_STEP 1000

struct place_of {
	uint64_t blob;
	struct blob_entry en;
};

struct checker {
	const struct engine_check *c;
	struct index *index;
	struct log log;
	struct index_pos pos;
	struct place_of *blobs;
	size_t blobs_n, blobs_cap;
	uint64_t problems, done, total;
	uint64_t missing_to; /* newest segment of a key that is not listed */
	bool is_running;
};

static void PRINTF_LIKE(2, 3) problem(struct checker *ck, const char *fmt, ...)
{
	struct buf b = BUF_INIT(KIB(4));
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	ck->problems++;
	if (ck->c->problem)
		ck->c->problem(ck->c->arg, buf_c(&b));
	buf_done(&b);
}

static void
progress(struct checker *ck)
{
	ck->done++;
	if (ck->c->progress && ck->done % PROGRESS_STEP == 0)
		ck->c->progress(ck->c->arg, ck->done, MAX(ck->total, ck->done));
}

/* --- the index ------------------------------------------------------------------ */

static void
hex(struct str s, char *to, size_t size)
{
	size_t n = MIN(s.n, (size - 1) / 2);

	to[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(to + 2 * i, 3, "%02x", (unsigned char)s.p[i]);
}

static int
walk_keys(struct checker *ck)
{
	CLEANUP(index_cursor_freep)
	struct index_cursor *c = index_cursor_new(ck->index, INDEX_KV);
	struct str key, stored;
	int r;

	for (r = index_move(c, INDEX_FIRST, &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		struct segment *s;
		struct kv_entry en;
		char name[2 * INDEX_KEY_MAX + 1];

		progress(ck);
		hex(key, name, sizeof(name));
		if (kv_entry_parse(key, stored, &en) < 0) {
			problem(ck, "index: bad checksum of key %s", name);
			continue;
		}
		s = log_find(&ck->log, en.seg);
		if (s)
			s->live += op_cost_kv(key.n - 9, en.val.n);
		else
			ck->missing_to = MAX(ck->missing_to, en.seg);
	}
	return r;
}

/*
 * The keys of segments that are not listed. A running store removes a
 * segment only when the index says of all its keys that they are elsewhere,
 * so an index read after the list knows. What is newer than missing_to came
 * after the list.
 */
static int
name_missing(struct checker *ck)
{
	int r = ck->is_running ? index_refresh(ck->index) : 0;
	struct str key, stored;

	if (r < 0)
		return r;
	CLEANUP(index_cursor_freep)
	struct index_cursor *c = index_cursor_new(ck->index, INDEX_KV);
	for (r = index_move(c, INDEX_FIRST, &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		char name[2 * INDEX_KEY_MAX + 1];
		struct kv_entry en;

		if (kv_entry_parse(key, stored, &en) < 0 ||
		    en.seg > ck->missing_to || log_find(&ck->log, en.seg))
			continue;
		hex(key, name, sizeof(name));
		problem(ck,
		    "index: key %s is in segment %016llx, which does not "
		    "exist",
		    name, (unsigned long long)en.seg);
	}
	return r;
}

static int
walk_blobs(struct checker *ck)
{
	CLEANUP(index_cursor_freep)
	struct index_cursor *c = index_cursor_new(ck->index, INDEX_BLOB);
	struct str key, stored;
	int r;

	for (r = index_move(c, INDEX_FIRST, &key, &stored); r > 0;
	     r = index_move(c, INDEX_NEXT, &key, &stored)) {
		struct place_of p;
		struct segment *s;

		progress(ck);
		p.blob = key.n == 8 ? be64_get(key.p) : 0;
		if (p.blob == 0 || blob_entry_parse(stored, &p.en) < 0 ||
		    p.en.refs == 0) {
			problem(ck, "index: bad entry of blob %llu",
			    (unsigned long long)p.blob);
			continue;
		}
		if (p.blob >= ck->pos.next_blob)
			problem(ck, "index: blob %llu is not given out yet",
			    (unsigned long long)p.blob);
		s = log_find(&ck->log, p.en.seg);
		if (s)
			s->live += op_cost_blob(p.en.stored);
		ck->blobs = x_grow(ck->blobs, &ck->blobs_cap, ck->blobs_n + 1,
		    sizeof(*ck->blobs));
		ck->blobs[ck->blobs_n++] = p;
	}
	return r;
}

static int
compare_accounts(struct checker *ck)
{
	for (size_t i = 0; i < ck->log.n; i++) {
		struct segment *s = ck->log.segs[i];
		struct seg_stats st = { 0 };
		int r = seg_stats_get(ck->index, s->id, &st);

		if (r == ENGINE_CORRUPT)
			problem(ck, "index: bad account of segment %016llx",
			    (unsigned long long)s->id);
		else if (r < 0)
			return r;
		else if (st.live != s->live)
			problem(ck,
			    "segment %016llx: account says %llu live "
			    "bytes, the index refers to %llu",
			    (unsigned long long)s->id,
			    (unsigned long long)st.live,
			    (unsigned long long)s->live);
		s->kept = 0;
	}
	return 0;
}

/* --- blobs on disk ---------------------------------------------------------------- */

static int
place_cmp(const void *pa, const void *pb)
{
	const struct place_of *a = pa, *b = pb;

	if (a->en.seg != b->en.seg)
		return a->en.seg < b->en.seg ? -1 : 1;
	return a->en.off < b->en.off ? -1 : a->en.off > b->en.off;
}

static bool
blob_reads_well(struct checker *ck, const struct blob_entry *en, struct buf *b)
{
	struct segment *s = log_find(&ck->log, en->seg);
	int fd = s ? segment_ref(&ck->log, s) : -ENOENT;
	bool is_good = false;
	char *to;

	buf_reset(b, MIB(1));
	to = buf_reserve(b, MAX(en->stored, 1));
	if (fd >= 0 && to)
		is_good = fsops_read_all(fd, to, en->stored, en->off) == 0 &&
		          frame_is_good(en->codec, en->raw,
			      str_make(to, en->stored), en->sum);
	if (fd >= 0)
		segment_unref(&ck->log, s);
	return is_good;
}

/* Did the running store drop it or move it since? 1, 0, or an error. */
static int
has_changed(struct checker *ck, const struct place_of *p)
{
	struct blob_entry now;
	struct str stored;
	char key[8];
	int r = index_refresh(ck->index);

	if (r < 0)
		return r;
	be64_put(key, p->blob);
	r = index_get(ck->index, INDEX_BLOB, str_make(key, 8), &stored);
	if (r <= 0)
		return r < 0 ? r : 1;
	if (blob_entry_parse(stored, &now) < 0)
		return 0;
	return now.seg != p->en.seg || now.off != p->en.off;
}

static int
read_blobs(struct checker *ck)
{
	struct buf b = BUF_INIT(RECORD_DATA_MAX);
	int r = 0;

	if (ck->blobs_n > 1)
		qsort(ck->blobs, ck->blobs_n, sizeof(*ck->blobs), place_cmp);
	for (size_t i = 0; i < ck->blobs_n && r >= 0; i++) {
		struct place_of *p = &ck->blobs[i];

		progress(ck);
		if (blob_reads_well(ck, &p->en, &b))
			continue;
		r = has_changed(ck, p);
		if (r == 0)
			problem(ck,
			    "blob %llu in segment %016llx at %llu: "
			    "its bytes are damaged or missing",
			    (unsigned long long)p->blob,
			    (unsigned long long)p->en.seg,
			    (unsigned long long)p->en.off);
	}
	buf_done(&b);
	return MIN(r, 0);
}

/* --- the log ------------------------------------------------------------------------ */

/* Does the index have the value from this put? */
static bool
is_live(struct checker *ck, const struct segment *s, const struct op *op,
    struct str key)
{
	struct kv_entry en;
	struct str stored;

	return index_get(ck->index, INDEX_KV, key, &stored) > 0 &&
	       kv_entry_parse(key, stored, &en) > 0 && en.seg == s->id &&
	       en.seq == op->seq && str_eq(en.val, op->val);
}

static void
find_live(struct checker *ck, struct segment *s, const struct record *rec)
{
	struct op_reader o = op_read(rec);
	struct map seen = { 0 }; /* a batch may put the same twice: one lives */
	struct op op;
	int r;

	while ((r = op_next(&o, &op)) > 0) {
		struct kv_key k;
		uint64_t hash;

		if (op.kind != OP_PUT)
			continue;
		kv_key_make(&k, op.shard, op.key);
		hash = hash64(k.b, k.n);
		if (map_get(&seen, hash) ||
		    !is_live(ck, s, &op, str_make(k.b, k.n)))
			continue;
		map_put(&seen, hash, s);
		s->kept += op_cost_kv(op.key.n, op.val.n);
	}
	map_done(&seen);
	if (r < 0)
		problem(ck, "segment %016llx: record %llu makes no sense",
		    (unsigned long long)s->id, (unsigned long long)rec->seq);
}

static int
walk_segment(struct checker *ck, size_t i)
{
	struct segment *s = ck->log.segs[i];
	uint64_t end = s->id == ck->pos.seg ? ck->pos.off : UINT64_MAX;
	uint64_t next = s->id;
	struct record rec;
	struct scan sc;
	int fd = segment_ref(&ck->log, s), r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd; /* collected meanwhile */
	r = scan_open(&sc, &ck->log, fd, s->id);
	while (r == 0 && sc.off < end && (r = scan_next(&sc, &rec)) > 0) {
		progress(ck);
		if (rec.seq != next)
			problem(ck,
			    "segment %016llx at %llu: record %llu "
			    "where %llu should be",
			    (unsigned long long)s->id,
			    (unsigned long long)(sc.off - rec.size),
			    (unsigned long long)rec.seq,
			    (unsigned long long)next);
		next = rec.seq + 1;
		find_live(ck, s, &rec);
		r = 0;
	}
	if (r == ENGINE_CORRUPT) {
		problem(ck, "segment %016llx at %llu: no readable record",
		    (unsigned long long)s->id, (unsigned long long)sc.off);
		r = 0;
	} else if (r == 0 && end != UINT64_MAX && sc.off < end) {
		problem(ck,
		    "segment %016llx ends at %llu, the index covers it "
		    "to %llu",
		    (unsigned long long)s->id, (unsigned long long)sc.off,
		    (unsigned long long)end);
	}
	scan_done(&sc);
	segment_unref(&ck->log, s);
	return r;
}

static int
walk_log(struct checker *ck)
{
	int r = index_refresh(ck->index);

	if (r == 0)
		r = MIN(index_pos_get(ck->index, &ck->pos), 0);
	for (size_t i = 0; i < ck->log.n && r == 0; i++)
		if (ck->log.segs[i]->id <= ck->pos.seg)
			r = walk_segment(ck, i);
	return r;
}

/* --- all of it ------------------------------------------------------------------------ */

static int
check_opened(struct checker *ck)
{
	int r = index_pos_get(ck->index, &ck->pos);

	if (r == ENGINE_CORRUPT || r == 0) {
		problem(ck, "index: it does not say which part of the log it "
			    "covers; rebuild it");
		return 0;
	}
	if (r < 0)
		return r;
	ck->total = index_count(ck->index, INDEX_KV) +
	            2 * index_count(ck->index, INDEX_BLOB);
	for (size_t i = 0; i < ck->log.n; i++)
		ck->log.segs[i]->live = ck->log.segs[i]->kept = 0;
	r = walk_keys(ck);
	if (r == 0)
		r = walk_blobs(ck);
	if (r == 0)
		r = compare_accounts(ck);
	if (r == 0 && ck->missing_to > 0)
		r = name_missing(ck);
	if (r == 0)
		r = read_blobs(ck);
	if (r == 0)
		r = walk_log(ck);
	if (r < 0 || ck->is_running)
		return r;
	/* At rest, each live value must have been seen in its segment. */
	for (size_t i = 0; i < ck->blobs_n; i++) {
		struct segment *s = log_find(&ck->log, ck->blobs[i].en.seg);

		if (s)
			s->kept += op_cost_blob(ck->blobs[i].en.stored);
	}
	for (size_t i = 0; i < ck->log.n; i++)
		if (ck->log.segs[i]->kept != ck->log.segs[i]->live)
			problem(ck,
			    "segment %016llx: a rebuild would not "
			    "find all of its live entries",
			    (unsigned long long)ck->log.segs[i]->id);
	return 0;
}

/* 1: somebody runs the store; 0: nobody does, and *ret_fd holds the lock. */
static int
take_lock(const char *dir, int *ret_fd)
{
	CLEANUP(freep) char *path = x_asprintf("%s/lock", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return 0;
	}
	close(fd);
	return errno == EWOULDBLOCK ? 1 : -errno;
}

int
engine_check(const struct engine_check *check, uint64_t *ret_problems)
{
	CLEANUP(freep) char *log_dir = x_asprintf("%s/log", check->dir);
	CLEANUP(freep) char *index_dir = x_asprintf("%s/index", check->dir);
	CLEANUP(closep) int lock_fd = -1;
	struct checker ck = { .c = check };
	int is_running = take_lock(check->dir, &lock_fd), r;

	if (is_running < 0)
		return is_running;
	ck.is_running = is_running;
	seglog_init(&ck.log, &fsops_real, 0);
	/* The snapshot first: every segment it names is then in the list, or
	 * was collected since. */
	r = index_open(index_dir, true, &ck.index);
	if (r == 0)
		r = log_open(&ck.log, log_dir);
	if (r == 0)
		r = check_opened(&ck);
	index_close(ck.index);
	log_done(&ck.log);
	free(ck.blobs);
	if (r == 0)
		*ret_problems = ck.problems;
	return r;
}

static void
tell_report(
    const struct engine_check *c, const struct engine_open_report *report)
{
	CLEANUP(freep) char *text = NULL;

	if (!c->problem || report->bad_records + report->torn_bytes == 0)
		return;
	text = x_asprintf("the log has %llu bad records (see %s/bad) and a "
			  "torn end of %llu bytes",
	    (unsigned long long)report->bad_records, c->dir,
	    (unsigned long long)report->torn_bytes);
	c->problem(c->arg, text);
}

int
engine_rebuild(const struct engine_check *check)
{
	CLEANUP(freep) char *index_dir = x_asprintf("%s/index", check->dir);
	/* Nothing is appended, so the size of a segment only says how much
	 * space is put aside. */
	struct engine_config config = { .dir = check->dir,
		.segment_bytes = MIB(1) };
	struct engine_open_report report;
	struct engine *e;
	int fd = -1, r = take_lock(check->dir, &fd);

	if (r != 0)
		return r < 0 ? r : -EBUSY;
	r = index_remove(index_dir);
	close(fd);
	if (r == 0)
		r = engine_open(&config, &report, &e);
	if (r < 0)
		return r;
	tell_report(check, &report);
	engine_close(e);
	return 0;
}
