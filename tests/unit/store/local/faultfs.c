/* SPDX-License-Identifier: ISC */
/*
 * faultfs.c - see faultfs.h.
 */
#include "faultfs.h"

#include "kit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

enum undo_kind { UNDO_WRITE, UNDO_SIZE, UNDO_CREATE, UNDO_UNLINK };

struct undo {
	struct undo *next; /* newest first */
	enum undo_kind kind;
	int fd;     /* of the file, our own */
	ino_t file; /* what a flush of it makes durable */
	int dirfd;  /* our own */
	char name[64];
	char saved[32];
	off_t off, size;
	char *old; /* bytes at off before */
	size_t n;
};

static void
undo_free(struct undo *u)
{
	if (u->fd >= 0)
		close(u->fd);
	if (u->dirfd >= 0)
		close(u->dirfd);
	free(u->old);
	free(u);
}

static struct undo *
undo_new(struct faultfs *f, enum undo_kind kind, int fd)
{
	struct undo *u = X_NEW(struct undo);
	struct stat st;

	u->kind = kind;
	u->fd = u->dirfd = -1;
	if (fd >= 0) {
		u->fd = dup(fd);
		if (u->fd < 0 || fstat(fd, &st) < 0)
			die("faultfs: %s", strerror(errno));
		u->file = st.st_ino;
		u->size = st.st_size;
	}
	u->next = f->undo;
	f->undo = u;
	return u;
}

/* Keep bytes [off, off + n) of the file, as far as it has them. */
static void
undo_bytes(struct undo *u, off_t off, size_t n)
{
	ssize_t got;

	u->off = off;
	u->old = x_malloc(n + 1);
	got = pread(u->fd, u->old, n, off);
	u->n = got < 0 ? 0 : (size_t)got;
}

/* One more operation: may it have an effect? */
static bool
step(struct faultfs *f)
{
	if (!f->has_failed && ++f->count == f->fail_at)
		f->has_failed = true;
	return !f->has_failed;
}

static int
fault_open(void *arg, int dirfd, const char *name, int flags)
{
	struct faultfs *f = arg;
	struct undo *u;
	int fd;

	if (!step(f))
		return -EIO;
	fd = fsops_real.open(NULL, dirfd, name, flags);
	if (fd >= 0 && (flags & O_CREAT)) {
		u = undo_new(f, UNDO_CREATE, -1);
		u->dirfd = dup(dirfd);
		snprintf(u->name, sizeof(u->name), "%s", name);
	}
	return fd;
}

static ssize_t
fault_pwritev(void *arg, int fd, const struct iovec *iov, int count, off_t off)
{
	struct faultfs *f = arg;
	bool may = step(f), was_now = !may && f->count == f->fail_at;
	struct iovec half = iov[0];
	size_t n = 0;
	struct undo *u;

	if (!may && (!was_now || !f->fail_at))
		return -EIO;
	for (int i = 0; i < count; i++)
		n += iov[i].iov_len;
	undo_new(f, UNDO_SIZE, fd);
	u = undo_new(f, UNDO_WRITE, fd);
	undo_bytes(u, off, n);
	if (may) {
		ssize_t r = pwritev(fd, iov, count, off);

		return r < 0 ? -errno : r;
	}
	/* The one that fails has still done a part of its work. */
	f->fail_at = 0;
	half.iov_len = kit_random(&f->random) % (half.iov_len + 1);
	if (pwritev(fd, &half, 1, off) < 0)
		return -errno;
	return -EIO;
}

/* Forget what can no longer be lost. */
static void
make_durable(struct faultfs *f, ino_t file, bool of_dir)
{
	struct undo **at = &f->undo, *u;

	while ((u = *at)) {
		bool is_dir_op =
		    u->kind == UNDO_CREATE || u->kind == UNDO_UNLINK;

		if (is_dir_op != of_dir || (!of_dir && u->file != file)) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		undo_free(u);
	}
}

static int
fault_fdatasync(void *arg, int fd)
{
	struct faultfs *f = arg;
	struct stat st;

	if (!step(f) || fstat(fd, &st) < 0)
		return -EIO;
	make_durable(f, st.st_ino, false);
	return 0;
}

static int
fault_fallocate(void *arg, int fd, off_t off, off_t len)
{
	struct faultfs *f = arg;

	if (!step(f))
		return -EIO;
	if (f->is_full)
		return -ENOSPC;
	undo_new(f, UNDO_SIZE, fd);
	return fsops_real.fallocate(NULL, fd, off, len);
}

static int
fault_ftruncate(void *arg, int fd, off_t size)
{
	struct faultfs *f = arg;
	struct undo *u;

	if (!step(f))
		return -EIO;
	u = undo_new(f, UNDO_WRITE, fd);
	if (u->size > size)
		undo_bytes(u, size, (size_t)(u->size - size));
	undo_new(f, UNDO_SIZE, fd);
	return fsops_real.ftruncate(NULL, fd, size);
}

static int
fault_unlink(void *arg, int dirfd, const char *name)
{
	struct faultfs *f = arg;
	struct undo *u;

	if (!step(f))
		return -EIO;
	u = undo_new(f, UNDO_UNLINK, -1);
	u->dirfd = dup(dirfd);
	snprintf(u->name, sizeof(u->name), "%s", name);
	snprintf(u->saved, sizeof(u->saved), "saved-%u", f->saved++);
	(void)unlinkat(f->save_fd, u->saved, 0);
	if (linkat(dirfd, name, f->save_fd, u->saved, 0) < 0)
		return -errno;
	return fsops_real.unlink(NULL, dirfd, name);
}

static int
fault_sync_dir(void *arg, UNUSED int dirfd)
{
	struct faultfs *f = arg;

	if (!step(f))
		return -EIO;
	make_durable(f, 0, true);
	return 0;
}

static int
fault_free_bytes(void *arg, UNUSED int dirfd, uint64_t *ret)
{
	struct faultfs *f = arg;

	*ret = f->free_bytes;
	return 0;
}

static int
fault_index_commit(void *arg)
{
	return step(arg) ? 0 : -EIO;
}

static void
fault_fatal(void *arg, UNUSED const char *what, UNUSED int err)
{
	struct faultfs *f = arg;

	f->was_fatal = true;
}

void
faultfs_init(struct faultfs *f, const char *save_dir, uint64_t fail_at)
{
	*f = (struct faultfs){
		.ops = {
			.arg = f,
			.open = fault_open,
			.pwritev = fault_pwritev,
			.fdatasync = fault_fdatasync,
			.fallocate = fault_fallocate,
			.ftruncate = fault_ftruncate,
			.unlink = fault_unlink,
			.sync_dir = fault_sync_dir,
			.free_bytes = fault_free_bytes,
			.index_commit = fault_index_commit,
			.fatal = fault_fatal,
		},
		.fail_at = fail_at,
		.random = fail_at,
		.free_bytes = UINT64_MAX / 2,
	};
	f->save_fd = open(save_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->save_fd < 0)
		die("faultfs: %s", strerror(errno));
}

void
faultfs_done(struct faultfs *f)
{
	make_durable(f, 0, true);
	while (f->undo)
		make_durable(f, f->undo->file, false);
	close(f->save_fd);
}

/* --- the crash ---------------------------------------------------------------- */

static void
must(bool is_good)
{
	if (!is_good)
		die("faultfs: undo failed: %s", strerror(errno));
}

static void
undo_write(struct faultfs *f, struct undo *u, enum crash how)
{
	for (size_t i = 0; i < u->n; i += SECTOR) {
		size_t n = MIN(SECTOR, u->n - i);

		if (how == CRASH_LOSES || kit_random(&f->random) % 2)
			must(pwrite(u->fd, u->old + i, n, u->off + (off_t)i) ==
			     (ssize_t)n);
	}
}

static void
undo_one(struct faultfs *f, struct undo *u, enum crash how)
{
	bool does = how == CRASH_LOSES || kit_random(&f->random) % 2;

	switch (u->kind) {
	case UNDO_WRITE:
		undo_write(f, u, how);
		break;
	case UNDO_SIZE:
		if (does)
			must(ftruncate(u->fd, u->size) == 0);
		break;
	case UNDO_CREATE:
		if (does)
			(void)unlinkat(u->dirfd, u->name, 0);
		break;
	case UNDO_UNLINK:
		if (does)
			must(linkat(f->save_fd, u->saved, u->dirfd, u->name,
				 0) == 0 ||
			     errno == EEXIST);
		break;
	}
}

void
faultfs_crash(struct faultfs *f, enum crash how)
{
	struct undo *u;

	while ((u = f->undo)) {
		f->undo = u->next;
		if (how != CRASH_KEEPS)
			undo_one(f, u, how);
		undo_free(u);
	}
	f->has_failed = f->was_fatal = false;
	f->fail_at = 0;
}
