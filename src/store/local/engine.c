/* SPDX-License-Identifier: ISC */
/*
 * engine.c - opening, closing, and the turns of the loop.
 *
 * Folder: lock, log/ (segments), index/ (LMDB), bad/ (records set aside).
 */
#include "store/local/local.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX_COMMIT_MS      1000
#define INDEX_COMMIT_BATCHES 8192
#define HEADROOM_MIN         MIB(1)
#define HEADROOM_MAX         MIB(64)
#define GC_DEAD_PERCENT      50
#define GC_BUDGET_MS         4

uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool
engine_is_dead(struct engine *e)
{
	if (!e->is_dead && flusher_has_failed(e->flusher))
		e->is_dead = true;
	return e->is_dead;
}

void
engine_fatal(struct engine *e, const char *what, int err)
{
	e->fs->fatal(e->fs->arg, what, err);
	e->is_dead = true;
}

/* --- opening ------------------------------------------------------------------ */

static int
make_folders(struct engine *e)
{
	static const char *const names[] = { "log", "index", "bad" };

	e->dir_fd = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir_fd < 0)
		return -errno;
	e->lock_fd =
	    openat(e->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (e->lock_fd < 0)
		return -errno;
	if (flock(e->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (mkdirat(e->dir_fd, names[i], 0700) < 0 && errno != EEXIST)
			return -errno;
	return fsync(e->dir_fd) < 0 ? -errno : 0;
}

static int
open_log(struct engine *e)
{
	CLEANUP(freep) char *path = x_asprintf("%s/log", e->dir);

	return log_open(&e->log, path);
}

/* An index that cannot be read is made anew: the log is the truth. */
static int
open_index(struct engine *e, bool *ret_is_new)
{
	CLEANUP(freep) char *path = x_asprintf("%s/index", e->dir);
	struct index_pos pos;
	int r = index_open(path, false, &e->index);

	if (r == 0)
		r = index_pos_get(e->index, &pos);
	if (r != -EIO && r != ENGINE_CORRUPT)
		return MIN(r, 0);
	index_close(e->index);
	e->index = NULL;
	*ret_is_new = true;
	r = index_remove(path);
	return r < 0 ? r : index_open(path, false, &e->index);
}

static void
engine_free(struct engine *e)
{
	gc_free(e);
	pool_free(e->pool);
	zblob_dict_free(e->dict);
	flusher_free(e->flusher);
	index_close(e->index);
	waiters_free(e);
	watch_free(e);
	log_done(&e->log);
	closep(&e->event_fd);
	closep(&e->lock_fd);
	closep(&e->dir_fd);
	free(e->dir);
	free(e);
}

static struct engine *
engine_new(const struct engine_config *c)
{
	struct engine *e = X_NEW(struct engine);

	e->fs = c->fs ? c->fs : &fsops_real;
	e->dir = x_strdup(c->dir);
	e->dir_fd = e->lock_fd = -1;
	e->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->event_fd < 0)
		die("store: no eventfd: %s", strerror(errno));
	e->reserve_bytes = c->reserve_bytes;
	e->index_commit_ms =
	    c->index_commit_ms ? c->index_commit_ms : INDEX_COMMIT_MS;
	e->gc_dead_percent = (unsigned)(c->gc_dead_percent ? c->gc_dead_percent
							   : GC_DEAD_PERCENT);
	e->gc_pile_bytes = c->gc_pile_bytes;
	e->gc_budget_ms = GC_BUDGET_MS;
	e->waiters_tail = &e->waiters;
	e->index_ms = now_ms();
	seglog_init(&e->log, e->fs, c->segment_bytes);
	e->headroom =
	    MIN(MAX(e->log.segment_bytes, HEADROOM_MIN), HEADROOM_MAX);
	return e;
}

static int
open_all(struct engine *e, unsigned threads, struct engine_open_report *report)
{
	int r = make_folders(e);

	if (r == 0)
		r = open_log(e);
	if (r < 0)
		return r;
	e->flusher =
	    flusher_new(e->fs, e->log.dir_fd, e->event_fd, threads > 0);
	r = open_index(e, &report->was_rebuilt);
	if (r == 0)
		r = replay_log(e, report);
	if (r < 0)
		return r;
	e->dict = zblob_dict_new();
	e->pool = worker_pool_new(threads, e->event_fd, e->dict);
	r = e->fs->free_bytes(e->fs->arg, e->dir_fd, &e->free_bytes);
	if (r == 0)
		r = index_reserve(e->index, e->headroom);
	e->has_changes = true;
	if (r == 0 || r == -ENOSPC)
		r = engine_index_commit(e);
	return r;
}

int
engine_open(const struct engine_config *config,
    struct engine_open_report *ret_report, struct engine **ret)
{
	struct engine_open_report report = { 0 };
	struct engine *e = engine_new(config);
	int r = open_all(e, config->helper_threads, &report);

	if (r < 0) {
		if (e->pool)
			pool_stop(e->pool);
		engine_free(e);
		return r;
	}
	if (ret_report)
		*ret_report = report;
	*ret = e;
	return 0;
}

void
engine_close(struct engine *e)
{
	if (!e)
		return;
	if (!engine_is_dead(e) && engine_index_commit(e) == 0) {
		waiters_run(e, flusher_durable(e->flusher));
		reads_release(e, flusher_durable(e->flusher));
	}
	e->is_closing = true;
	reads_abandon(e);
	pool_stop(e->pool);
	pool_finish(e->pool);
	log_release(&e->log, flusher_collect(e->flusher));
	engine_free(e);
}

/* --- turns ---------------------------------------------------------------------- */

uint64_t
engine_collect(struct engine *e)
{
	uint64_t durable = flusher_durable(e->flusher);

	log_release(&e->log, flusher_collect(e->flusher));
	return durable;
}

void
engine_flush(struct engine *e)
{
	struct chunk *list = log_take(&e->log);
	uint64_t batches = e->batches - e->batches_kicked;

	e->batches_kicked = e->batches;
	if (list)
		flusher_submit(e->flusher, list, e->next_seq - 1, batches <= 1);
}

void
engine_kick(struct engine *e)
{
	/* What was packed in this thread is committed now, with the rest. */
	if (e->has_packed) {
		e->has_packed = false;
		pool_finish(e->pool);
	}
	e->inline_left = 1;
	engine_flush(e);
}

int
engine_fd(const struct engine *e)
{
	return e->event_fd;
}

void
engine_dispatch(struct engine *e)
{
	uint64_t count;

	/* Nothing to read is fine: who calls without need does no harm. */
	if (read(e->event_fd, &count, sizeof(count)) < 0)
		count = 0;
	if (engine_is_dead(e)) {
		reads_abandon(e);
	} else {
		uint64_t durable = engine_collect(e);

		reads_release(e, durable);
		waiters_run(e, durable);
	}
	pool_finish(e->pool);
}

/* --- the index -------------------------------------------------------------------- */

/* Everything up to the end of segment last is covered. */
static int
put_accounts(struct engine *e, const struct segment *last)
{
	struct index_pos pos = {
		.next_seq = e->next_seq,
		.seg = last ? last->id : 0,
		.off = last ? last->size : 0,
		.next_blob = e->next_blob,
		.blob_raw = e->blob_raw,
		.blob_stored = e->blob_stored,
	};
	int r = index_pos_put(e->index, &pos);

	for (size_t i = 0; r == 0 && i < e->log.n; i++) {
		struct segment *s = e->log.segs[i];

		if (!s->is_changed)
			continue;
		r = s->is_doomed ? seg_stats_del(e->index, s->id)
		                 : seg_stats_put(e->index, s);
		s->is_changed = false;
	}
	return r;
}

/* The index no longer needs them, and says so durably: they can go. */
static int
remove_doomed(struct engine *e)
{
	size_t removed = 0;

	for (size_t i = 0; i < e->log.n;) {
		struct segment *s = e->log.segs[i];
		int r;

		if (!s->is_doomed) {
			i++;
			continue;
		}
		r = log_remove(&e->log, s);
		if (r < 0)
			return r;
		removed++;
	}
	if (removed == 0)
		return 0;
	e->gc_segments += removed;
	return e->fs->sync_dir(e->fs->arg, e->log.dir_fd);
}

int
engine_index_save(struct engine *e, const struct segment *last)
{
	int r = e->fs->index_commit(e->fs->arg);

	if (r == 0)
		r = put_accounts(e, last);
	return r < 0 ? r : index_commit(e->index);
}

int
engine_index_commit(struct engine *e)
{
	int r;

	if (!e->has_changes)
		return 0;
	/* Only what is durable in the log may become durable in the index. */
	engine_flush(e);
	if (flusher_wait(e->flusher, e->next_seq - 1) < 0) {
		e->is_dead = true;
		return -EIO;
	}
	r = engine_index_save(e, log_active(&e->log));
	if (r == 0)
		r = remove_doomed(e);
	if (r < 0) {
		engine_fatal(e, "committing the index", r);
		return -EIO;
	}
	e->has_changes = false;
	e->batches_open = 0;
	e->index_ms = now_ms();
	e->index_commits++;
	return 0;
}

void
engine_tick(struct engine *e)
{
	uint64_t age = now_ms() - e->index_ms;

	if (engine_is_dead(e))
		return;
	engine_flush(e);
	engine_collect(e);
	if (e->fs->free_bytes(e->fs->arg, e->dir_fd, &e->free_bytes) == 0)
		e->is_full = e->free_bytes < e->reserve_bytes;
	if (index_reserve(e->index, e->headroom) == -ENOSPC)
		e->is_full = true;
	gc_step(e, e->gc_budget_ms);
	if (age < e->index_commit_ms && e->batches_open < INDEX_COMMIT_BATCHES)
		return;
	if (engine_index_commit(e) < 0)
		e->is_dead = true;
}

unsigned
engine_tick_ms(const struct engine *e)
{
	uint64_t age = now_ms() - e->index_ms;

	if (gc_is_active(e))
		return 0;
	if (!e->has_changes)
		return UINT_MAX;
	if (age >= e->index_commit_ms ||
	    e->batches_open >= INDEX_COMMIT_BATCHES)
		return 0;
	return e->index_commit_ms - (unsigned)age;
}

void
engine_stats(struct engine *e, struct engine_stats *ret)
{
	struct engine_stats st = {
		.segments = e->log.n,
		.blobs = index_count(e->index, INDEX_BLOB),
		.keys = index_count(e->index, INDEX_KV),
		.flushes = flusher_count(e->flusher),
		.batches = e->batches,
		.index_commits = e->index_commits,
		.gc_segments = e->gc_segments,
		.blob_raw_bytes = e->blob_raw,
		.blob_stored_bytes = e->blob_stored,
		.free_bytes = e->free_bytes,
		.is_full = e->is_full,
	};

	for (size_t i = 0; i < e->log.n; i++) {
		st.log_bytes += e->log.segs[i]->size;
		st.live_bytes += e->log.segs[i]->live;
	}
	*ret = st;
}
