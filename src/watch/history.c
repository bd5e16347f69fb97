/* SPDX-License-Identifier: ISC */
/* history.c - mapped files of history. See history.h. */
#include "watch/history.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct history {
	uint8_t *bytes;
	struct watch_ring ring;
};

static char *
path_of(const char *dir, const char *key)
{
	char *path = x_asprintf("%s/%s.ring", dir, key);
	char *slash = strchr(path + strlen(dir) + 1, '/');

	if (slash != NULL)
		*slash = ',';
	return path;
}

/* Some file systems cannot allocate without writing. */
static int
write_zeros(int fd, size_t bytes)
{
	static const char zeros[KIB(64)];
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pwrite(
		    fd, zeros, MIN(sizeof(zeros), bytes - done), (off_t)done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int
history_allocate(int fd, size_t bytes)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == (off_t)bytes)
		return 0;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	if (fallocate(fd, 0, 0, (off_t)bytes) < 0)
		r = errno == EOPNOTSUPP ? write_zeros(fd, bytes) : -errno;
	/* The next one who opens it must not take it for complete. */
	if (r < 0)
		(void)!ftruncate(fd, 0);
	return r;
}

int
history_open(const char *dir, const char *key, struct history **ret)
{
	CLEANUP(freep) char *path = path_of(dir, key);
	CLEANUP(closep)
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct history *h;
	void *bytes;
	int r;

	if (fd < 0)
		return -errno;
	r = history_allocate(fd, WATCH_RING_BYTES);
	if (r < 0)
		return r;
	bytes = mmap(
	    NULL, WATCH_RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	h = X_NEW(struct history);
	h->bytes = bytes;
	(void)watch_ring_open(&h->ring, h->bytes);
	history_relax(h);
	*ret = h;
	return 0;
}

void
history_close(struct history *h)
{
	if (h == NULL)
		return;
	(void)munmap(h->bytes, WATCH_RING_BYTES);
	free(h);
}

struct watch_ring *
history_ring(struct history *h)
{
	return &h->ring;
}

void
history_relax(struct history *h)
{
	(void)madvise(h->bytes, WATCH_RING_BYTES, MADV_DONTNEED);
}

void
history_remove(const char *dir, const char *key)
{
	CLEANUP(freep) char *path = path_of(dir, key);

	(void)unlink(path);
}
