/* SPDX-License-Identifier: ISC */
/*
 * faultfs.h - a file system that fails at the n-th change, and then crashes.
 *
 * Works on real files and remembers how to undo whatever was not flushed.
 * From the n-th operation on nothing has any effect and everything answers
 * -EIO. faultfs_crash() then does to the files what a power cut may do.
 */
#pragma once

#include "store/local/fsops.h"

enum crash {
	CRASH_KEEPS, /* everything that was written is there */
	CRASH_LOSES, /* nothing that was not flushed is */
	CRASH_TEARS, /* some sectors are, some are not */
	CRASH_KINDS,
};

struct faultfs {
	struct fsops ops;
	uint64_t count;   /* operations so far */
	uint64_t fail_at; /* 0: never */
	uint64_t random;
	bool has_failed;
	bool was_fatal; /* the engine has said so */
	/* The disk is full: allocating fails, free space is this. */
	bool is_full;
	uint64_t free_bytes;
	struct undo *undo;
	int save_fd; /* folder of links to removed files */
	unsigned saved;
};

/* save_dir: an existing folder outside of what is tested. */
void faultfs_init(struct faultfs *f, const char *save_dir, uint64_t fail_at);
void faultfs_done(struct faultfs *f);
/* After the engine was closed. The table works again afterwards. */
void faultfs_crash(struct faultfs *f, enum crash how);
