/* SPDX-License-Identifier: ISC */
/*
 * slowflush.c - make every disk flush slower, for benchmarks.
 *
 * A preload library: fsync, fdatasync, sync_file_range and writes to a
 * descriptor that was opened with O_DSYNC or O_SYNC take SLOWFLUSH_US
 * microseconds more (default 2000), as a disk without a write cache would.
 *
 *   cc -shared -fPIC -o slowflush.so bench/slowflush.c -ldl
 *   LD_PRELOAD=$PWD/slowflush.so SLOWFLUSH_US=2000 program
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long delay_us = -1;

static void
wait_a_bit(void)
{
	struct timespec ts;

	if (delay_us < 0) {
		const char *s = getenv("SLOWFLUSH_US");

		delay_us = s ? strtol(s, NULL, 10) : 2000;
	}
	ts.tv_sec = delay_us / 1000000;
	ts.tv_nsec = delay_us % 1000000 * 1000;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void
wait_if_sync(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && flags & O_DSYNC)
		wait_a_bit();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int
fsync(int fd)
{
	wait_a_bit();
	return NEXT(fsync)(fd);
}

int
fdatasync(int fd)
{
	wait_a_bit();
	return NEXT(fdatasync)(fd);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	wait_if_sync(fd);
	return NEXT(pwrite64)(fd, p, n, at);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	wait_if_sync(fd);
	return NEXT(pwrite)(fd, p, n, at);
}
