/* SPDX-License-Identifier: ISC */
/*
 * log.h - the segments of the log, and where the next record goes.
 *
 * A segment's name and id is the sequence of its first record, so positions
 * (segment, offset) order like time. Blocks are allocated ahead of the
 * write: once log_room() has said yes, an append cannot meet a full disk.
 */
#pragma once

#include "store/local/flusher.h"
#include "store/local/record.h"

#define SEGMENT_HEADER  56
#define SEGMENT_VERSION 1
#define SEGMENT_DEFAULT MIB(64)

struct segment {
	uint64_t id;
	int fd;           /* -1: not open at the moment */
	uint64_t size;    /* bytes in use, header included */
	uint64_t alloc;   /* bytes with blocks behind them */
	uint64_t flushed; /* bytes that came back from the flusher */
	uint64_t live;    /* op_cost of what the index points to in here */
	uint64_t kept;    /* tombstones and reference counts */
	uint64_t used_at;
	unsigned refs;   /* users of fd, and chunks on their way */
	bool is_changed; /* live or kept, since the index was committed */
	bool is_bad;     /* has unreadable records: never collected */
	bool is_doomed;  /* empty: goes with the next commit of the index */
	bool is_gone;    /* removed; freed when refs is 0 */
};

struct log {
	const struct fsops *fs;
	int dir_fd;
	uint64_t segment_bytes;
	uint64_t seed;
	uint64_t clock; /* for the least recently used descriptor */
	size_t open_fds;
	struct segment **segs; /* ascending by id; the last one is written */
	size_t n, cap;
	struct chunk *head, *tail; /* not yet with the flusher */
};

void seglog_init(struct log *l, const struct fsops *fs, uint64_t segment_bytes);
void log_done(struct log *l);
/* Open folder path and list its segments (sizes from the files). The seed is
 * theirs, or a new one. */
int log_open(struct log *l, const char *path) WARN_UNUSED;

/* NULL when there is none (any more). */
struct segment *log_find(const struct log *l, uint64_t id);
struct segment *log_active(const struct log *l);
/* Open descriptor of a segment, with a reference; or -errno. */
int segment_ref(struct log *l, struct segment *s) WARN_UNUSED;
void segment_unref(struct log *l, struct segment *s);
/* Header of a segment. prev is the id of the segment before it when it was
 * made: it tells a segment that was collected from one that is missing. */
struct segment_head {
	uint64_t prev, next_blob;
	uint64_t seed; /* of all checksums of records: one for a store */
};
/* False when it is not a header, or not this one's. */
bool segment_header_parse(struct str in, uint64_t id, struct segment_head *ret);
void segment_name(char to[24], uint64_t id);
void segment_account(struct segment *s, int64_t live, int64_t kept);

/*
 * Make sure that a record of size bytes fits: allocate blocks, or begin a new
 * segment (named by seq). 0, -ENOSPC, or -errno; then nothing has changed.
 */
int log_room(
    struct log *l, size_t size, uint64_t seq, uint64_t next_blob) WARN_UNUSED;
/* Append bytes (copied), or memory that the log frees. */
void log_put(struct log *l, const void *p, size_t n);
void log_put_owned(struct log *l, char *p, size_t n);
/* What is waiting, for the flusher. */
struct chunk *log_take(struct log *l);
/* Chunks that came back from the flusher. */
void log_release(struct log *l, struct chunk *list);
/* Drop a segment from the list and its file from the folder. */
int log_remove(struct log *l, struct segment *s) WARN_UNUSED;
