/* SPDX-License-Identifier: ISC */
/*
 * local.h - inside of the embedded engine; for this folder only.
 *
 * The log is the truth; the index is what the log says, applied. Everything
 * here runs on the main thread; the flusher and the pool get copies or
 * references that nobody changes while they have them.
 */
#pragma once

#include "store/engine.h"
#include "store/local/flusher.h"
#include "store/local/frame.h"
#include "store/local/index.h"
#include "store/local/log.h"
#include "store/local/worker.h"
#include "store/local/record.h"

/* Leases are ordinary keys of a shard that no caller may name. */
#define LEASE_SHARD ((struct engine_shard){ .kind = 0, .id = 0 })

struct waiter; /* somebody waits for a position to be durable */
struct watch;
struct gc;
struct read_job;

struct engine {
	const struct fsops *fs;
	char *dir;
	int dir_fd, lock_fd, event_fd;
	uint64_t reserve_bytes;
	uint64_t gc_pile_bytes;
	uint64_t headroom; /* real blocks in front of the index's end */
	unsigned index_commit_ms, gc_dead_percent, gc_budget_ms;
	struct log log;
	struct index *index;
	struct flusher *flusher;
	struct zblob_dict *dict; /* of the pool's workers */
	struct pool *pool;
	unsigned inline_left; /* puts of this round done by the main thread */
	bool has_packed;      /* jobs were: engine_kick() ends them */
	uint64_t batches_kicked;

	uint64_t next_seq, next_blob;
	struct waiter *waiters, **waiters_tail;
	struct read_job *held_reads; /* of bytes that are not written yet */
	struct watch *watches;
	uint64_t next_watch;
	struct gc *gc;

	uint64_t batches_open; /* since the last commit of the index */
	uint64_t index_ms;     /* when that was */
	bool has_changes, is_full, is_dead, is_closing;
	uint64_t free_bytes;
	uint64_t blob_raw, blob_stored; /* totals of the index */
	uint64_t batches, index_commits, gc_segments;
};

uint64_t now_ms(void); /* monotonic */
/* True when a write has failed: everything answers -EIO from then on. */
bool engine_is_dead(struct engine *e);
void engine_fatal(struct engine *e, const char *what, int err);
/* Take back what the flusher has written. */
uint64_t engine_collect(struct engine *e);
/* engine_kick() without callbacks. */
void engine_flush(struct engine *e);
/* Commit the index, with all that is accepted; removes doomed segments. */
int engine_index_commit(struct engine *e) WARN_UNUSED;
/* The part of it that replay needs, too: commit what is applied, as covering
 * the log to the end of segment last. */
int engine_index_save(struct engine *e, const struct segment *last) WARN_UNUSED;

/* --- table.c: what the log says, applied to the index ---------------------- */

struct kv_key {
	char b[9 + ENGINE_KEY_MAX];
	size_t n;
};
void kv_key_make(struct kv_key *k, struct engine_shard shard, struct str key);
struct engine_shard kv_key_shard(struct str full);

struct kv_entry {
	uint64_t seq, seg;
	struct str val;
};
/* Decode and verify; ENGINE_CORRUPT when the checksum does not fit. */
int kv_entry_parse(
    struct str key, struct str stored, struct kv_entry *ret) WARN_UNUSED;
int kv_entry_get(
    struct engine *e, struct str key, struct kv_entry *ret) WARN_UNUSED;

struct blob_entry {
	uint64_t seg, off, sum, seq; /* seq: of the last change of refs */
	uint32_t stored, raw, refs;
	uint8_t codec;
};
int blob_entry_parse(struct str stored, struct blob_entry *ret) WARN_UNUSED;
int blob_entry_get(
    struct engine *e, uint64_t blob, struct blob_entry *ret) WARN_UNUSED;

/*
 * Apply the ops of a record that lies at (seg, off). Doing it again, or in
 * the order of a log that garbage collection has rewritten, gives the same
 * index: the newest sequence wins.
 */
int table_apply(struct engine *e, struct segment *seg, uint64_t off,
    const struct record *r) WARN_UNUSED;

/* Position that the index covers, and totals. */
struct index_pos {
	uint64_t next_seq, seg, off, next_blob, blob_raw, blob_stored;
};
int index_pos_get(struct index *ix, struct index_pos *ret) WARN_UNUSED;
int index_pos_put(struct index *ix, const struct index_pos *pos) WARN_UNUSED;
struct seg_stats {
	uint64_t live, kept, size;
};
int seg_stats_get(
    struct index *ix, uint64_t id, struct seg_stats *ret) WARN_UNUSED;
int seg_stats_put(struct index *ix, const struct segment *s) WARN_UNUSED;
int seg_stats_del(struct index *ix, uint64_t id) WARN_UNUSED;

/* --- scan.c: walk through the records of a segment ------------------------- */

struct scan {
	int fd;
	uint64_t id, seed, off, end;
	struct buf win; /* bytes of the file from base on */
	uint64_t base;
	struct segment_head head;
};
/* 0; ENGINE_CORRUPT when the header is not good (off stands behind it). */
int scan_open(
    struct scan *s, const struct log *l, int fd, uint64_t id) WARN_UNUSED;
void scan_done(struct scan *s);
/* 1 a record at s->off - ret->size; 0 the end or zeros; ENGINE_CORRUPT at
 * s->off; -errno. The record is valid until the next call. */
int scan_next(struct scan *s, struct record *ret) WARN_UNUSED;
/* From s->off on, the next place where a record stands; 0 when none does. */
int scan_resync(struct scan *s, struct record *ret) WARN_UNUSED;

/* --- replay.c --------------------------------------------------------------- */

int replay_log(struct engine *e, struct engine_open_report *report) WARN_UNUSED;
/* bad.c: keep a copy of [off, end) of a segment in bad/ and say in words
 * what it was. */
void bad_keep(struct engine *e, struct segment *s, uint64_t off, uint64_t end,
    const char *why);
/* The file of a segment with so many live bytes is gone. */
void bad_missing(struct engine *e, uint64_t id, uint64_t live);

/* --- commit.c ---------------------------------------------------------------- */

/* A record of kind from encoded ops and data; the caller has made room. */
struct data_part {
	char *p;
	size_t n;
	bool is_owned; /* malloc'ed: the log frees it */
};
int engine_append(struct engine *e, enum record_kind kind, struct str ops,
    struct data_part *parts, size_t count) WARN_UNUSED;
/* Room for a record, with so much of the reserve left alone: 0 for what sets
 * space free, all of it for new data. */
int engine_room(struct engine *e, size_t size, uint64_t untouched) WARN_UNUSED;
void waiters_run(struct engine *e, uint64_t durable);
void waiters_free(struct engine *e);

/* --- blob.c, watch.c, gc.c --------------------------------------------------- */

struct engine_ticket {
	struct engine *e;
	char *p;
	size_t stored, raw;
	uint64_t sum;
	uint8_t codec;
};
void reads_release(struct engine *e, uint64_t durable);
void reads_abandon(struct engine *e);

bool watch_any(struct engine *e, struct engine_shard shard);
void watch_run(struct engine *e, struct engine_shard shard);
void watch_free(struct engine *e);

void gc_step(struct engine *e, uint64_t budget_ms);
/* A segment is being collected: steps should follow soon. */
bool gc_is_active(const struct engine *e);
void gc_free(struct engine *e);
