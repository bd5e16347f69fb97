/* SPDX-License-Identifier: ISC */
/*
 * fsops.h - every system call by which the engine changes the disk.
 *
 * A table of functions, so that a test can make the n-th one fail or make
 * everything after it vanish. Reading is not in it: it changes nothing.
 * Results are 0 or a count, else -errno.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>
#include <sys/uio.h>

struct fsops {
	void *arg;
	int (*open)(void *arg, int dirfd, const char *name, int flags);
	ssize_t (*pwritev)(
	    void *arg, int fd, const struct iovec *iov, int count, off_t off);
	int (*fdatasync)(void *arg, int fd);
	/* Real blocks for [off, off + len); the file grows to cover them. */
	int (*fallocate)(void *arg, int fd, off_t off, off_t len);
	int (*ftruncate)(void *arg, int fd, off_t size);
	int (*unlink)(void *arg, int dirfd, const char *name);
	int (*sync_dir)(void *arg, int dirfd);
	/* Free bytes of the file system, for the one who calls. */
	int (*free_bytes)(void *arg, int dirfd, uint64_t *ret);
	/* Asked before each commit of the index: 0 goes on. */
	int (*index_commit)(void *arg);
	/*
	 * A write or flush failed: what is durable is unknown from here on, so
	 * the process must end. When it returns (tests), the engine is dead:
	 * it answers -EIO to everything and reports no success any more.
	 */
	void (*fatal)(void *arg, const char *what, int err);
};

extern const struct fsops fsops_real;

/* All of it, however often the system writes less; 0 or -errno. */
int fsops_write_all(const struct fsops *fs, int fd, struct iovec *iov,
    int count, off_t off) WARN_UNUSED;
/* Read exactly n bytes: 0, or -errno; -ENODATA when the file ends before. */
int fsops_read_all(int fd, void *to, size_t n, uint64_t off) WARN_UNUSED;
/* The same without ever waiting for the disk. False: not all of it is in the
 * system's memory, or whatever else; read_all() will tell. */
bool fsops_read_cached(int fd, void *to, size_t n, uint64_t off) WARN_UNUSED;
/* What lies around off comes into the system's memory in one piece. */
void fsops_read_ahead(int fd, uint64_t off);
