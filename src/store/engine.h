/* SPDX-License-Identifier: ISC */
/*
 * engine.h - the narrow interface between mail semantics and durable bytes.
 *
 * A shard is the unit of atomicity: an account, the directory, a queue shard,
 * the status site. Inside a shard, keys are ordered by their bytes. Everything
 * above this header (UIDs, flags, quotas, addresses) is written once; what is
 * below it is an engine: "local" (log + LMDB), a fault-injecting wrapper for
 * tests, later Ceph RADOS.
 *
 * Rules that every engine keeps:
 *  - a commit is all or nothing for each shard it names, and durable when its
 *    callback says so; a batch is at most ENGINE_BATCH_MAX bytes;
 *  - what was committed is visible to reads at once, before it is durable;
 *    who shows it to anybody waits for durability (engine_sync());
 *  - a blob is durable before, or together with, the first key that refers
 *    to it; a blob that nothing refers to any more is collected;
 *  - no transaction spans calls, no iterator is held open across calls;
 *  - repeating a commit whose result is unknown is harmless when the batch
 *    carries a check on the shard's version;
 *  - a failed flush is fatal: no success is ever reported after one.
 *
 * One thread (the store's main thread) calls all of this; callbacks arrive on
 * that thread from engine_dispatch() and engine_kick(). Errors are -errno or the codes below.
 */
#pragma once

#include "base/buf.h"

struct engine;
struct engine_batch;

enum {
	ENGINE_CONFLICT = -1001, /* a check of the batch did not hold */
	ENGINE_FENCED = -1002,   /* the lease epoch is stale */
	ENGINE_CORRUPT = -1003,  /* a checksum did not match; it was reported */
	ENGINE_TOO_BIG = -1004,  /* key, value or batch over its limit */
	ENGINE_FULL = -1005,     /* no room on disk; nothing was changed */
};

#define ENGINE_KEY_MAX   200      /* bytes of a key, without the shard */
#define ENGINE_VALUE_MAX KIB(64)  /* bytes of a value */
#define ENGINE_BATCH_MAX MIB(8)   /* keys and values of one batch */
#define ENGINE_BLOB_MAX  MIB(256) /* bytes of one blob */

/* 'a' account, 'd' directory, 'q' queue, 'l' ledger, 's' status site. */
struct engine_shard {
	uint8_t kind;
	uint64_t id;
};

/* --- opening -------------------------------------------------------------- */

struct engine_config {
	const char *dir;          /* data folder of the engine; must exist */
	uint64_t segment_bytes;   /* 0: default */
	uint64_t reserve_bytes;   /* free disk space that is never used */
	unsigned helper_threads;  /* blob reads and compression; 0: none, all
	                            * work is done inside the calls */
	unsigned index_commit_ms; /* 0: default 1000 */
	uint64_t gc_dead_percent; /* rewrite a segment deader than this */
	uint64_t gc_pile_bytes;   /* when they have more garbage than this */
	const struct fsops *fs;   /* NULL: the real file system */
};

/* What happened while opening, for the log and for `mailstead check`. */
struct engine_open_report {
	uint64_t replayed_batches;
	uint64_t torn_bytes;  /* cut off the end of the last segment */
	uint64_t bad_records; /* set aside: see the bad-records file */
	bool was_rebuilt;     /* the index was made anew from the log */
};

/*
 * Open or create. Takes an exclusive lock on the folder: -EBUSY when another
 * process has it. Replays the log into the index from the position that the
 * index covers. On failure *ret is untouched.
 */
int engine_open(const struct engine_config *config,
    struct engine_open_report *ret_report, struct engine **ret) WARN_UNUSED;
/* Waits for what is in flight, commits the index, closes. NULL is fine. */
void engine_close(struct engine *e);

/*
 * Readable when engine_dispatch() has something to do; dispatch runs the
 * callbacks of finished commits, blob puts and blob reads. engine_tick():
 * index commits, garbage collection in small steps. It is called when
 * engine_tick_ms() have passed, though not more often than every 50 ms, and
 * once a second in any case, to see how full the disk is. Both never block
 * for longer than one index commit.
 */
int engine_fd(const struct engine *e);
void engine_dispatch(struct engine *e);
void engine_tick(struct engine *e);
/* Milliseconds until engine_tick() has work; UINT_MAX: there is none now. */
unsigned engine_tick_ms(const struct engine *e);
/* End of an event loop round: finish what was begun in it, and hand what was
 * committed to the flusher. A lone batch may be flushed here and now. */
void engine_kick(struct engine *e);

/* --- reading -------------------------------------------------------------- */

/*
 * *ret_val points into the engine and is valid until the next engine call.
 * 1 found, 0 not there, or an error (-EIO, ENGINE_CORRUPT): an error is never
 * "not there".
 */
int engine_get(struct engine *e, struct engine_shard shard, struct str key,
    struct str *ret_val) WARN_UNUSED;

/* Return 0 to go on, 1 to stop. No engine call is allowed inside, but for
 * engine_get() on another key after copying what is needed: don't. */
typedef int (*engine_scan_fn)(void *arg, struct str key, struct str val);

/*
 * Keys from <= k < to in order (to empty: to the end of the shard), or the
 * other way round when is_reverse. 0 reached the end, 1 fn stopped, or error.
 */
struct engine_range {
	struct engine_shard shard;
	struct str from, to;
	bool is_reverse;
};
int engine_scan(struct engine *e, const struct engine_range *range,
    engine_scan_fn fn, void *arg) WARN_UNUSED;

/* Shards of a kind, ascending from after (exclusive; 0 from the start): fills
 * out, returns how many, or an error. */
int engine_shards(struct engine *e, uint8_t kind, uint64_t after, uint64_t *out,
    size_t max) WARN_UNUSED;

/* --- blobs ---------------------------------------------------------------- */

/*
 * Store bytes: from fd (offset, size), or from memory when fd is -1 (copied
 * before the call returns). Compression and checksums are made in a helper
 * thread; small bytes in memory that will be gone soon (is_brief) are stored
 * as they are: packing them costs more than the room. The callback gives a ticket that the next batch of this process
 * turns into a durable blob by batch_blob_new(); a ticket that is not used
 * is given back with engine_ticket_free(). The descriptor is only borrowed
 * and must stay open until the callback.
 */
struct engine_ticket;
struct engine_source {
	int fd;
	uint64_t offset, size;
	struct str mem;
	bool is_brief;
};
typedef void (*engine_put_fn)(void *arg, int err, struct engine_ticket *t);
void engine_blob_put(struct engine *e, const struct engine_source *src,
    engine_put_fn fn, void *arg);
void engine_ticket_free(struct engine_ticket *t);
uint64_t engine_ticket_size(const struct engine_ticket *t); /* raw bytes */

/*
 * Read count blobs in one helper-thread job; for each one the bytes
 * [offset, offset + size) of its raw content (clamped to its end). They are
 * appended to one buffer in the order asked for; got[i] is the number of
 * bytes of blob i, or an error (ENGINE_CORRUPT, -ENOENT, -EIO). With a
 * descriptor (fd >= 0; only for count 1) the bytes go there by pwrite at
 * offset 0 instead. The callback owns nothing: buf and got die after it.
 */
struct engine_read {
	uint64_t blob;
	uint64_t offset, size;
	bool has_neighbours; /* what was put beside it is read soon, too */
};
struct engine_read_result {
	const struct buf *data;
	const int64_t *got;
	size_t count;
};
typedef void (*engine_read_fn)(void *arg, const struct engine_read_result *r);
void engine_blob_read(struct engine *e, const struct engine_read *reads,
    size_t count, int fd, engine_read_fn fn, void *arg);
/* Raw size of a blob: 1 found, 0 not there, or an error. */
int engine_blob_size(
    struct engine *e, uint64_t blob, uint64_t *ret) WARN_UNUSED;

/* --- writing -------------------------------------------------------------- */

struct engine_batch *engine_batch_new(struct engine *e);
void engine_batch_free(struct engine_batch *b); /* NULL is fine */

/* Bytes are copied. Errors (too big) stick and come out of the commit. */
void batch_put(struct engine_batch *b, struct engine_shard shard,
    struct str key, struct str val);
void batch_del(
    struct engine_batch *b, struct engine_shard shard, struct str key);
/* All keys from <= k < to. Done when committed, in bounded pieces inside. */
void batch_del_range(struct engine_batch *b, struct engine_shard shard,
    struct str from, struct str to);
/* The commit fails with ENGINE_CONFLICT unless the key is absent/equal. */
void batch_check_absent(
    struct engine_batch *b, struct engine_shard shard, struct str key);
void batch_check_eq(struct engine_batch *b, struct engine_shard shard,
    struct str key, struct str val);
/* The commit fails with ENGINE_FENCED unless epoch holds the lease. */
void batch_check_lease(
    struct engine_batch *b, struct engine_shard shard, uint64_t epoch);

/* Use up a ticket: the blob becomes part of this batch, with one reference
 * held by it; the answer is its id (never 0). The id holds if the commit is
 * accepted. */
uint64_t batch_blob_new(struct engine_batch *b, struct engine_ticket *t);
/* One reference more, or one less; at zero the bytes become garbage. */
void batch_blob_ref(struct engine_batch *b, uint64_t blob);
void batch_blob_drop(struct engine_batch *b, uint64_t blob);

typedef void (*engine_commit_fn)(void *arg, int err);

/*
 * Check, apply, and append to the log; takes the batch (always). 0: accepted:
 * reads see it, and fn (may be NULL) runs once it is durable, with err 0. An
 * error (ENGINE_CONFLICT, ENGINE_FENCED, ENGINE_TOO_BIG, ENGINE_FULL): nothing
 * was changed and fn does not run. Commits become durable in order.
 */
int engine_commit(struct engine *e, struct engine_batch *b, engine_commit_fn fn,
    void *arg) WARN_UNUSED;

/* Position of the last accepted commit, and up to where all is durable. A
 * reply that shows data waits until durable >= the position it was read at;
 * fn of engine_sync() runs then (at once, from inside, when it already is). */
uint64_t engine_position(const struct engine *e);
uint64_t engine_durable(const struct engine *e);
void engine_sync(
    struct engine *e, uint64_t position, engine_commit_fn fn, void *arg);

/* --- leases, watching, export ------------------------------------------------ */

/*
 * Become (or stay, when owner is the same) the one holder of a shard for
 * ttl_ms. 0 and the fencing epoch, or -EBUSY while another owner holds it.
 * Durable before the callback. The epoch grows with each change of owner.
 */
typedef void (*engine_lease_fn)(void *arg, int err, uint64_t epoch);
void engine_lease(struct engine *e, struct engine_shard shard, struct str owner,
    uint32_t ttl_ms, engine_lease_fn fn, void *arg);
int engine_release(
    struct engine *e, struct engine_shard shard, uint64_t epoch) WARN_UNUSED;

/* fn runs after each durable commit that touched the shard; may merge. */
typedef void (*engine_watch_fn)(void *arg, struct engine_shard shard);
uint64_t engine_watch(
    struct engine *e, struct engine_shard shard, engine_watch_fn fn, void *arg);
void engine_unwatch(struct engine *e, uint64_t id);

/*
 * Write all keys of a shard and the blobs they hold references to (listed by
 * blobs_of, which is asked for each key and value and answers how many; NULL:
 * there are none) to fd as log records that engine_import() of another engine
 * reads. The caller's thread; may block.
 */
typedef size_t (*engine_blobs_fn)(
    struct str key, struct str val, uint64_t *out, size_t max);
int engine_export(struct engine *e, struct engine_shard shard,
    engine_blobs_fn blobs_of, int fd) WARN_UNUSED;

/*
 * Read an export from fd into the empty shard as (-EEXIST when it has keys;
 * ENGINE_CORRUPT when the export is damaged or cut). Blobs get new ids, so
 * remap (NULL: values hold none) is called for each value, and writes the
 * value that is to be stored. All of it is durable at the return; after an
 * error nothing of it is left. The caller's thread; may block.
 */
struct engine_blob_map;
uint64_t engine_blob_map_get(const struct engine_blob_map *map, uint64_t old);
typedef void (*engine_remap_fn)(const struct engine_blob_map *map,
    struct str key, struct str val, struct buf *to);
int engine_import(struct engine *e, int fd, struct engine_shard as,
    engine_remap_fn remap) WARN_UNUSED;

/* --- looking after ------------------------------------------------------------- */

struct engine_stats {
	uint64_t segments, log_bytes, live_bytes, blobs, keys;
	uint64_t flushes, batches, index_commits, gc_segments;
	uint64_t blob_raw_bytes, blob_stored_bytes;
	uint64_t free_bytes; /* of the file system */
	bool is_full;        /* commits with new data answer ENGINE_FULL */
};
void engine_stats(struct engine *e, struct engine_stats *ret);

/*
 * Verify a closed or a running store (a running one: from another process,
 * read-only): every checksum of log and index, every blob that is referred
 * to, reference counts, segment accounting. Problems are told one by one, as
 * text for a person. *ret_problems counts them; 0 or an error that kept it
 * from looking.
 */
struct engine_check {
	const char *dir;
	void (*problem)(void *arg, const char *text);
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;
};
int engine_check(
    const struct engine_check *check, uint64_t *ret_problems) WARN_UNUSED;
/* Make the index anew from the log. The store must not be running. */
int engine_rebuild(const struct engine_check *check) WARN_UNUSED;
