/* SPDX-License-Identifier: ISC */
/*
 * blob.c - putting and reading blobs in helper threads.
 *
 * A put ends with a ticket: packed bytes in memory that a batch turns into a
 * part of its record. A read works on descriptors and places that the main
 * thread looked up; a segment that is collected meanwhile stays readable
 * until the last job that holds it is done.
 */
#include "store/local/local.h"

#include "base/hash.h"

#include <endian.h>
#include <unistd.h>

#define READ_DATA_MAX (2ull * ENGINE_BLOB_MAX)
#define INLINE_MAX    KIB(32)  /* put and read in the main thread at times */
#define SPLIT_BYTES   KIB(128) /* a larger read is shared by helpers */
#define SPLIT_PARTS   4

/* --- putting ---------------------------------------------------------------- */

struct put_job {
	struct pool_job job;
	struct engine_source src;
	char *copy; /* of src.mem */
	struct engine_ticket *ticket;
	int err;
	engine_put_fn fn;
	void *arg;
};

/* Not packed, so that it takes no longer than to copy it. */
static bool
is_brief(const struct put_job *j)
{
	return j->src.is_brief && j->src.fd < 0 && j->src.mem.n <= INLINE_MAX;
}

/* Raw bytes [off, off + n) of the source; in scratch when from a file. */
static int
source_part(
    struct put_job *j, struct worker *w, size_t off, size_t n, struct str *ret)
{
	char *to;
	int r;

	if (j->src.fd < 0) {
		*ret = str_sub(j->src.mem, off, n);
		return 0;
	}
	buf_reset(&w->in, FRAME_RAW + 1);
	to = buf_reserve(&w->in, n);
	if (!to)
		return ENGINE_TOO_BIG;
	r = fsops_read_all(j->src.fd, to, n, j->src.offset + off);
	if (r == 0)
		*ret = str_make(to, n);
	return r;
}

static int
pack_one(struct put_job *j, struct worker *w)
{
	struct engine_ticket *t = j->ticket;
	struct str raw;
	int r = source_part(j, w, 0, t->raw, &raw);

	if (r < 0)
		return r;
	if (is_brief(j)) {
		t->codec = FRAME_CODEC_RAW;
		buf_put_str(&w->out, raw);
	} else if (!zblob_pack(w->z, raw, &w->out, &t->codec)) {
		return ENGINE_TOO_BIG;
	}
	t->sum = hash64(w->out.p, w->out.n);
	return 0;
}

static int
pack_frame(struct put_job *j, struct worker *w, size_t i)
{
	size_t start = w->out.n, len;
	struct str raw;
	uint8_t codec;
	uint32_t word;
	uint64_t sum;
	int r = source_part(j, w, i * FRAME_RAW,
	    MIN(j->ticket->raw - i * FRAME_RAW, FRAME_RAW), &raw);

	if (r < 0)
		return r;
	if (!zblob_pack(w->z, raw, &w->out, &codec))
		return ENGINE_TOO_BIG;
	len = w->out.n - start;
	word = htole32((uint32_t)len |
		       (codec == FRAME_CODEC_ZSTD_1 ? FRAME_IS_PACKED : 0));
	sum = htole64(hash64(w->out.p + start, len));
	memcpy(w->out.p + i * FRAME_ENTRY, &word, 4);
	memcpy(w->out.p + i * FRAME_ENTRY + 4, &sum, 8);
	return 0;
}

static int
pack_frames(struct put_job *j, struct worker *w)
{
	size_t n = frame_count(j->ticket->raw);

	if (!buf_reserve(&w->out, n * FRAME_ENTRY))
		return ENGINE_TOO_BIG;
	w->out.n = n * FRAME_ENTRY;
	for (size_t i = 0; i < n; i++) {
		int r = pack_frame(j, w, i);

		if (r < 0)
			return r;
	}
	j->ticket->codec = FRAME_CODEC_TABLE;
	j->ticket->sum = hash64(w->out.p, n * FRAME_ENTRY);
	return 0;
}

static void
put_work(struct pool_job *job, void *own)
{
	struct worker *w = own;
	struct put_job *j = CONTAINER_OF(job, struct put_job, job);
	struct engine_ticket *t = j->ticket;

	if (j->err < 0)
		return;
	j->err = t->raw > FRAME_RAW ? pack_frames(j, w) : pack_one(j, w);
	if (j->err < 0)
		return;
	t->stored = w->out.n;
	t->p = x_malloc(MAX(t->stored, 1));
	if (t->stored > 0)
		memcpy(t->p, w->out.p, t->stored);
}

static void
put_done(struct pool_job *job)
{
	struct put_job *j = CONTAINER_OF(job, struct put_job, job);

	if (j->ticket->e->is_dead || j->ticket->e->is_closing)
		j->err = -ECANCELED;
	if (j->err < 0) {
		engine_ticket_free(j->ticket);
		j->ticket = NULL;
	}
	j->fn(j->arg, j->err, j->ticket);
	free(j->copy);
	free(j);
}

void
engine_blob_put(struct engine *e, const struct engine_source *src,
    engine_put_fn fn, void *arg)
{
	struct put_job *j;

	if (e->is_closing) {
		fn(arg, -ECANCELED, NULL);
		return;
	}
	j = X_NEW(struct put_job);
	j->job.work = put_work;
	j->job.done = put_done;
	j->src = *src;
	j->fn = fn;
	j->arg = arg;
	j->ticket = X_NEW(struct engine_ticket);
	j->ticket->e = e;
	j->ticket->raw = src->fd < 0 ? src->mem.n : src->size;
	if (j->ticket->raw > ENGINE_BLOB_MAX) {
		j->err = ENGINE_TOO_BIG;
	} else if (src->fd < 0) {
		j->copy = x_malloc(MAX(src->mem.n, 1));
		if (src->mem.n > 0)
			memcpy(j->copy, src->mem.p, src->mem.n);
		j->src.mem.p = j->copy;
	}
	/* A lone small message waits least when it is packed here and now; of
	 * several in one round the helpers take the rest. */
	if (is_brief(j) ||
	    (j->ticket->raw <= INLINE_MAX && e->inline_left > 0)) {
		if (!is_brief(j))
			e->inline_left--;
		e->has_packed = true;
		pool_run(e->pool, &j->job);
	} else {
		pool_add(e->pool, &j->job);
	}
}

void
engine_ticket_free(struct engine_ticket *t)
{
	if (!t)
		return;
	free(t->p);
	free(t);
}

uint64_t
engine_ticket_size(const struct engine_ticket *t)
{
	return t->raw;
}

/* --- reading ---------------------------------------------------------------- */

struct read_item {
	struct segment *seg;
	int fd;
	struct blob_entry en;
	size_t offset, size;
	size_t at; /* where its bytes belong in the data */
	bool has_neighbours;
};

/* A share of a read: some of its items, for one helper. */
struct read_part {
	struct pool_job job;
	struct read_job *all;
	size_t from, to;
};

struct read_job {
	struct read_part parts[SPLIT_PARTS];
	size_t part_count, parts_done;
	struct engine *e;
	struct read_job *next_held;
	uint64_t need; /* position that must be on disk first */
	int fd;
	uint64_t fd_off;
	engine_read_fn fn;
	void *arg;
	struct buf data;
	size_t count;
	int64_t *got;
	struct read_item *items;
	size_t bytes;
};

/* Of an unpacked frame: n bytes from skip on, which belong at at. */
struct span {
	size_t skip, n, at;
};

/* Stored bytes [off, off + n) of the blob, checked. */
static int
read_stored(
    struct read_item *it, struct worker *w, size_t off, size_t n, uint64_t sum)
{
	char *to;
	int r;

	buf_reset(&w->in, MIB(1));
	to = buf_reserve(&w->in, MAX(n, 1));
	if (!to)
		return ENGINE_CORRUPT;
	if (it->has_neighbours)
		fsops_read_ahead(it->fd, it->en.off + off);
	r = fsops_read_all(it->fd, to, n, it->en.off + off);
	if (r < 0)
		return r == -ENODATA ? ENGINE_CORRUPT : -EIO;
	w->in.n = n;
	return hash64(to, n) == sum ? 0 : ENGINE_CORRUPT;
}

static int
write_to_fd(struct read_job *j, struct str s)
{
	while (s.n > 0) {
		ssize_t r = pwrite(j->fd, s.p, s.n, (off_t)j->fd_off);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		s = str_from(s, (size_t)r);
		j->fd_off += (uint64_t)r;
	}
	return 0;
}

/* Unpack what is in w->in and put [skip, skip + n) of it at at. */
static int
emit(struct read_job *j, struct worker *w, const struct frame *f,
    const struct span *want)
{
	bool is_direct = j->fd < 0 && want->skip == 0 && want->n == f->raw;
	/* A file has no place in memory. */
	char *to = is_direct ? j->data.p + want->at : NULL;

	if (!is_direct) {
		buf_reset(&w->out, MIB(1));
		to = buf_reserve(&w->out, MAX(f->raw, 1));
	}
	if (!to)
		return ENGINE_TOO_BIG;
	if (!zblob_unpack(w->z, (uint8_t)f->codec, buf_str(&w->in), to, f->raw))
		return ENGINE_CORRUPT;
	if (j->fd >= 0)
		return write_to_fd(j, str_make(to + want->skip, want->n));
	if (!is_direct)
		memcpy(j->data.p + want->at, to + want->skip, want->n);
	return 0;
}

static int
read_one_frame(struct read_job *j, struct read_item *it, struct worker *w)
{
	struct frame f = { .codec = (enum frame_codec)it->en.codec,
		.raw = it->en.raw };
	struct span want = { it->offset, it->size, it->at };
	int r = read_stored(it, w, 0, it->en.stored, it->en.sum);

	return r < 0 ? r : emit(j, w, &f, &want);
}

static int
read_frames(struct read_job *j, struct read_item *it, struct worker *w)
{
	size_t n = frame_count(it->en.raw), off = 0;
	size_t end = it->offset + it->size;
	CLEANUP(freep) char *copy = NULL;
	struct str table;
	int r = n * FRAME_ENTRY > it->en.stored
	            ? ENGINE_CORRUPT
	            : read_stored(it, w, 0, n * FRAME_ENTRY, it->en.sum);

	if (r < 0)
		return r;
	copy = str_dup(buf_str(&w->in));
	table = str_make(copy, n * FRAME_ENTRY);
	for (size_t i = 0; i < n && i * FRAME_RAW < end; i++) {
		size_t start = i * FRAME_RAW;
		struct span want;
		struct frame f;

		if (!frame_get(table, it->en.raw, i, &off, &f) ||
		    f.off + f.len > it->en.stored)
			return ENGINE_CORRUPT;
		if (start + f.raw <= it->offset)
			continue;
		want.skip = it->offset > start ? it->offset - start : 0;
		want.n = MIN(end, start + f.raw) - start - want.skip;
		want.at = it->at + (start + want.skip - it->offset);
		r = read_stored(it, w, f.off, f.len, f.sum);
		if (r == 0)
			r = emit(j, w, &f, &want);
		if (r < 0)
			return r;
	}
	return 0;
}

static void
read_work(struct pool_job *job, void *own)
{
	struct worker *w = own;
	struct read_part *part = CONTAINER_OF(job, struct read_part, job);
	struct read_job *j = part->all;

	for (size_t i = part->from; i < part->to; i++) {
		struct read_item *it = &j->items[i];
		int r = 0;

		if (j->got[i] < 0 || it->size == 0)
			continue;
		if (it->en.codec == FRAME_CODEC_TABLE)
			r = read_frames(j, it, w);
		else
			r = read_one_frame(j, it, w);
		j->got[i] = r < 0 ? r : (int64_t)it->size;
	}
}

static void
read_free(struct read_job *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (j->items[i].seg)
			segment_unref(&j->e->log, j->items[i].seg);
	buf_done(&j->data);
	free(j->got);
	free(j->items);
	free(j);
}

/* What failed leaves no bytes behind: close the gaps. */
static void
close_gaps(struct read_job *j)
{
	size_t to = 0;

	for (size_t i = 0; i < j->count; i++) {
		if (j->got[i] <= 0)
			continue;
		if (to != j->items[i].at)
			memmove(j->data.p + to, j->data.p + j->items[i].at,
			    (size_t)j->got[i]);
		to += (size_t)j->got[i];
	}
	j->data.n = j->fd < 0 ? to : 0;
}

static void
read_finish(struct read_job *j)
{
	struct engine_read_result res = { &j->data, j->got, j->count };

	close_gaps(j);
	j->fn(j->arg, &res);
	read_free(j);
}

static void
read_done(struct pool_job *job)
{
	struct read_part *part = CONTAINER_OF(job, struct read_part, job);

	if (++part->all->parts_done == part->all->part_count)
		read_finish(part->all);
}

static void
add_part(struct read_job *j, size_t from, size_t to)
{
	struct read_part *part = &j->parts[j->part_count++];

	part->job.work = read_work;
	part->job.done = read_done;
	part->all = j;
	part->from = from;
	part->to = to;
}

/* A small blob as it is, whose bytes the system has in memory: that takes less
 * than to wake a helper. False: a helper does it, whatever is the matter. */
static bool
read_now(struct read_job *j)
{
	struct read_item *it = &j->items[0];
	char *to;

	if (j->count != 1 || j->fd >= 0 || j->got[0] < 0 || it->size == 0 ||
	    it->en.codec != FRAME_CODEC_RAW || it->en.raw > INLINE_MAX ||
	    it->size != it->en.raw || it->en.stored != it->en.raw)
		return false;
	to = j->data.p + it->at;
	if (!fsops_read_cached(it->fd, to, it->size, it->en.off) ||
	    hash64(to, it->size) != it->en.sum)
		return false;
	j->got[0] = (int64_t)it->size;
	return true;
}

/* Give the items to helpers in shares of about the same number of bytes. */
static void
read_start(struct read_job *j)
{
	size_t bytes = j->bytes;
	size_t parts = j->fd < 0 && bytes >= SPLIT_BYTES
	                   ? MAX(1, MIN(pool_threads(j->e->pool), SPLIT_PARTS))
	                   : 1;
	size_t from = 0, sum = 0;

	if (read_now(j)) {
		add_part(j, 0, 0); /* nothing is left to be done */
		j->e->has_packed = true;
		pool_run(j->e->pool, &j->parts[0].job);
		return;
	}
	for (size_t i = 0; i < j->count && j->part_count + 1 < parts; i++) {
		sum += j->items[i].size;
		if (sum < bytes / parts * (j->part_count + 1))
			continue;
		add_part(j, from, i + 1);
		from = i + 1;
	}
	add_part(j, from, j->count);
	for (size_t i = 0; i < j->part_count; i++)
		pool_add(j->e->pool, &j->parts[i].job);
}

static void
refuse_all(struct read_job *j, int err)
{
	for (size_t i = 0; i < j->count; i++)
		j->got[i] = err;
}

static size_t
place_items(struct read_job *j)
{
	size_t at = 0;

	for (size_t i = 0; i < j->count; i++) {
		j->items[i].at = at;
		if (j->got[i] >= 0)
			at += j->items[i].size;
	}
	return at;
}

/* Look a blob up and pin its segment: 0 or what is wrong. */
static int
read_locate(
    struct read_job *j, struct read_item *it, const struct engine_read *rd)
{
	struct engine *e = j->e;
	int r = engine_is_dead(e) ? -EIO : blob_entry_get(e, rd->blob, &it->en);
	struct segment *seg;

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	seg = log_find(&e->log, it->en.seg);
	if (!seg)
		return ENGINE_CORRUPT;
	it->fd = segment_ref(&e->log, seg);
	if (it->fd < 0)
		return it->fd;
	it->seg = seg;
	it->has_neighbours = rd->has_neighbours;
	it->offset = (size_t)MIN(rd->offset, it->en.raw);
	it->size = (size_t)MIN(rd->size, it->en.raw - it->offset);
	if (it->en.off + it->en.stored > seg->flushed)
		j->need = engine_position(e);
	return 0;
}

void
engine_blob_read(struct engine *e, const struct engine_read *reads,
    size_t count, int fd, engine_read_fn fn, void *arg)
{
	struct read_job *j = X_NEW(struct read_job);

	ASSERT(fd < 0 || count == 1);
	j->e = e;
	j->fd = fd;
	j->fn = fn;
	j->arg = arg;
	j->data = BUF_INIT(READ_DATA_MAX);
	j->count = count;
	j->got = x_calloc(count + 1, sizeof(*j->got));
	j->items = x_calloc(count + 1, sizeof(*j->items));
	engine_collect(e);
	for (size_t i = 0; i < count; i++)
		j->got[i] = read_locate(j, &j->items[i], &reads[i]);
	if (e->is_closing) {
		refuse_all(j, -ECANCELED);
		read_finish(j);
		return;
	}
	j->bytes = place_items(j);
	if (j->bytes > READ_DATA_MAX)
		refuse_all(j, ENGINE_TOO_BIG);
	else if (fd < 0)
		(void)buf_reserve(&j->data, MAX(j->bytes, 1));
	if (j->need == 0) {
		read_start(j);
		return;
	}
	j->next_held = e->held_reads;
	e->held_reads = j;
	engine_flush(e);
	reads_release(e, engine_collect(e));
}

void
reads_release(struct engine *e, uint64_t durable)
{
	struct read_job **at = &e->held_reads, *j;

	while ((j = *at)) {
		if (j->need > durable) {
			at = &j->next_held;
			continue;
		}
		*at = j->next_held;
		read_start(j);
	}
}

/* The bytes will never come: the answers are errors. */
void
reads_abandon(struct engine *e)
{
	struct read_job *j;

	while ((j = e->held_reads)) {
		e->held_reads = j->next_held;
		refuse_all(j, -EIO);
		read_start(j);
	}
}

int
engine_blob_size(struct engine *e, uint64_t blob, uint64_t *ret)
{
	struct blob_entry en;
	int r = engine_is_dead(e) ? -EIO : blob_entry_get(e, blob, &en);

	if (r > 0)
		*ret = en.raw;
	return r;
}
