/* SPDX-License-Identifier: ISC */
/*
 * fsops.c - the real file system. See fsops.h.
 */
#include "store/local/fsops.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NEAR_BYTES KIB(64)

static int
errno_or(int r)
{
	return r < 0 ? -errno : r;
}

static int
real_open(UNUSED void *arg, int dirfd, const char *name, int flags)
{
	return errno_or(openat(dirfd, name, flags | O_CLOEXEC, 0600));
}

static ssize_t
real_pwritev(
    UNUSED void *arg, int fd, const struct iovec *iov, int count, off_t off)
{
	ssize_t n;

	do
		n = pwritev(fd, iov, count, off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int
real_fdatasync(UNUSED void *arg, int fd)
{
	return errno_or(fdatasync(fd));
}

static int
real_fallocate(UNUSED void *arg, int fd, off_t off, off_t len)
{
	int r;

	do
		r = fallocate(fd, 0, off, len);
	while (r < 0 && errno == EINTR);
	return errno_or(r);
}

static int
real_ftruncate(UNUSED void *arg, int fd, off_t size)
{
	return errno_or(ftruncate(fd, size));
}

static int
real_unlink(UNUSED void *arg, int dirfd, const char *name)
{
	return errno_or(unlinkat(dirfd, name, 0));
}

static int
real_sync_dir(UNUSED void *arg, int dirfd)
{
	return errno_or(fsync(dirfd));
}

static int
real_free_bytes(UNUSED void *arg, int dirfd, uint64_t *ret)
{
	struct statvfs st;

	if (fstatvfs(dirfd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

static int
real_index_commit(UNUSED void *arg)
{
	return 0;
}

static void
real_fatal(UNUSED void *arg, const char *what, int err)
{
	die("store: %s failed: %s; what is on disk is unknown, so this "
	    "process ends and the next one reads the log again",
	    what, strerror(-err));
}

const struct fsops fsops_real = {
	.open = real_open,
	.pwritev = real_pwritev,
	.fdatasync = real_fdatasync,
	.fallocate = real_fallocate,
	.ftruncate = real_ftruncate,
	.unlink = real_unlink,
	.sync_dir = real_sync_dir,
	.free_bytes = real_free_bytes,
	.index_commit = real_index_commit,
	.fatal = real_fatal,
};

int
fsops_write_all(
    const struct fsops *fs, int fd, struct iovec *iov, int count, off_t off)
{
	while (count > 0) {
		ssize_t n = fs->pwritev(fs->arg, fd, iov, count, off);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EIO;
		off += n;
		while (count > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int
fsops_read_all(int fd, void *to, size_t n, uint64_t off)
{
	char *p = to;

	while (n > 0) {
		ssize_t r = pread(fd, p, n, (off_t)off);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ENODATA;
		p += r;
		off += (uint64_t)r;
		n -= (size_t)r;
	}
	return 0;
}

bool
fsops_read_cached(int fd, void *to, size_t n, uint64_t off)
{
	struct iovec iov = { to, n };

	return preadv2(fd, &iov, 1, (off_t)off, RWF_NOWAIT) == (ssize_t)n;
}

void
fsops_read_ahead(int fd, uint64_t off)
{
	/* Advice: whoever cannot take it reads what is asked for. */
	(void)posix_fadvise(fd, (off_t)(off / NEAR_BYTES * NEAR_BYTES),
	    NEAR_BYTES, POSIX_FADV_WILLNEED);
}
