/* SPDX-License-Identifier: ISC */
/*
 * flusher.h - the one writer of the log: group commit.
 *
 * The main thread hands over chunks in order; the flusher writes all that is
 * there and flushes once. While it does, the next group fills. The first
 * failure is the last thing it does: nothing is reported durable after it.
 *
 * It writes zeros ahead of the log, so that a flush changes the content of
 * blocks and not the map of the file: on ext4 that is four times as fast.
 */
#pragma once

#include "store/local/fsops.h"

struct segment;

/* Bytes for one place of one segment. */
struct chunk {
	struct chunk *next;
	struct segment *seg;
	int fd;
	uint64_t off;
	uint64_t room; /* the segment has blocks up to here, at least */
	char *p;
	size_t n, cap;
	bool is_new_file; /* the folder must be flushed too */
	bool is_last;     /* of its segment: cut the file at the end of it */
};

struct chunk *chunk_new(struct segment *seg, uint64_t off, size_t cap);
void chunk_free(struct chunk *c);

struct flusher;

/* Without a thread, flusher_submit() does the work itself. event_fd is made
 * readable when more has become durable. */
struct flusher *flusher_new(
    const struct fsops *fs, int dir_fd, int event_fd, bool has_thread);
void flusher_free(struct flusher *f); /* finishes what was submitted */

/*
 * seq is the last sequence that is complete with these chunks. is_alone: it is
 * one batch, and the caller has nothing better to do than to wait: where
 * flushes are quick it then writes itself, which saves two changes of thread.
 */
void flusher_submit(
    struct flusher *f, struct chunk *list, uint64_t seq, bool is_alone);
/* 0 when all up to seq is durable, -EIO when it will never be. */
int flusher_wait(struct flusher *f, uint64_t seq) WARN_UNUSED;
/* Wait until fewer bytes than max are on their way. */
int flusher_wait_queue(struct flusher *f, size_t max) WARN_UNUSED;
uint64_t flusher_durable(struct flusher *f);
uint64_t flusher_count(struct flusher *f);
bool flusher_has_failed(struct flusher *f);
/* Chunks that were written, for the owner of the segments to free. */
struct chunk *flusher_collect(struct flusher *f);
/* At start: this much is durable already. */
void flusher_set_durable(struct flusher *f, uint64_t seq);
