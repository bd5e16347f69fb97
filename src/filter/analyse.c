/* SPDX-License-Identifier: ISC */
/* analyse.c - look at one message. See analyse.h. */
#include "filter/analyse.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/ipc_msgs.h"
#include "proto/mime/mime_author.h"
#include "proto/mime/mime_hop.h"
#include "proto/mime/mime_parse.h"
#include "proto/mime/mime_structure.h"

static void
build(struct str message, struct analysis *a)
{
	struct mime_structure view;

	if (!mime_structure_build(message, NULL, &a->structure)) {
		/* Cannot be, by contract. The reader makes its own then. */
		buf_reset(&a->structure, 0);
		a->is_limited = true;
	} else if (mime_structure_view(
		       buf_str(&a->structure), message.n, &view)) {
		a->is_limited = view.flags & MIME_IS_TRUNCATED;
	}
}

static void
find_authors(struct str message, struct analysis *a)
{
	struct mime_authors authors;
	struct arena arena;

	arena_init(&arena, MIME_AUTHORS_ARENA);
	mime_authors_read(message, &arena, &authors);
	a->author_faults = authors.faults;
	for (size_t i = 0; i < authors.n; i++)
		msg_text_put(&a->authors, &(struct msg_text){ authors.v[i] });
	arena_done(&arena);
}

void
analysis_done(struct analysis *a)
{
	buf_done(&a->structure);
	buf_done(&a->authors);
}

void
analyse_bytes(struct str message, bool wants_authors, struct analysis *ret)
{
	struct analysis a = {
		.structure = BUF_INIT(ANALYSE_STRUCTURE_MAX),
		.authors = BUF_INIT(ANALYSE_AUTHORS_MAX),
	};
	struct mime_hop hop;

	mime_hop_scan(message, &hop);
	a.hops = hop.received;
	a.missing = mime_hop_lacks(&hop);
	build(message, &a);
	if (wants_authors)
		find_authors(message, &a);
	*ret = a;
}

static bool
is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	int wanted = F_SEAL_WRITE | F_SEAL_SHRINK;

	return seals >= 0 && (seals & wanted) == wanted;
}

static int
analyse_mapped(int fd, size_t size, bool wants_authors, struct analysis *ret)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	analyse_bytes(str_make(p, size), wants_authors, ret);
	munmap(p, size);
	return 0;
}

static int
analyse_copy(int fd, size_t size, bool wants_authors, struct analysis *ret)
{
	char *p CLEANUP(freep) = x_malloc(size);
	size_t n = 0;

	while (n < size) {
		ssize_t got = pread(fd, p + n, size - n, (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		n += (size_t)got;
	}
	analyse_bytes(str_make(p, size), wants_authors, ret);
	return 0;
}

int
analyse_fd(int fd, uint64_t size, bool wants_authors, struct analysis *ret)
{
	struct stat st;

	if (size > ANALYSE_SIZE_MAX)
		return -EFBIG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	if ((uint64_t)st.st_size < size)
		return -ENODATA;
	if (size == 0) {
		analyse_bytes(STR_NONE, wants_authors, ret);
		return 0;
	}
	if (is_sealed(fd))
		return analyse_mapped(fd, (size_t)size, wants_authors, ret);
	return analyse_copy(fd, (size_t)size, wants_authors, ret);
}
