/* SPDX-License-Identifier: ISC */
/* analyse.c - look at one message. See analyse.h. */
#include "filter/analyse.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/ipc_msgs.h"
#include "proto/authres/authres.h"
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

static void
find_forged(struct str message, struct str id, struct analysis *a)
{
	struct msg_cut cut = { 0 };
	size_t at = 0, from, n;
	unsigned places = 0;

	while (authres_next_forged(message, id, &at, &from, &n)) {
		if (cut.n > 0 && cut.offset + cut.n == from) {
			cut.n += (uint32_t)n;
			continue;
		}
		if (cut.n > 0)
			msg_cut_put(&a->cuts, &cut);
		a->is_stuffed = ++places > ANALYSE_CUTS_N;
		if (a->is_stuffed)
			return;
		cut = (struct msg_cut){ (uint32_t)from, (uint32_t)n };
	}
	if (cut.n > 0)
		msg_cut_put(&a->cuts, &cut);
}

void
analysis_done(struct analysis *a)
{
	buf_done(&a->structure);
	buf_done(&a->authors);
	buf_done(&a->cuts);
}

void
analyse_bytes(
    struct str message, bool wants_authors, struct str id, struct analysis *ret)
{
	struct analysis a = {
		.structure = BUF_INIT(ANALYSE_STRUCTURE_MAX),
		.authors = BUF_INIT(ANALYSE_AUTHORS_MAX),
		.cuts = BUF_INIT(ANALYSE_CUTS_MAX),
	};
	struct mime_hop hop;

	mime_hop_scan(message, &hop);
	a.hops = hop.received;
	a.missing = mime_hop_lacks(&hop);
	build(message, &a);
	find_forged(message, id, &a);
	if (wants_authors)
		find_authors(message, &a);
	*ret = a;
}

/* --- its bytes ----------------------------------------------------------------- */

static bool
is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	int wanted = F_SEAL_WRITE | F_SEAL_SHRINK;

	return seals >= 0 && (seals & wanted) == wanted;
}

static int
open_map(struct analyse_source *s, int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	s->map = p;
	s->message = str_make(p, size);
	return 0;
}

static int
open_copy(struct analyse_source *s, int fd, size_t size)
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
	s->message = str_make(p, size);
	s->copy = TAKE_PTR(p);
	return 0;
}

int
analyse_open(struct analyse_source *ret, int fd, struct str data, uint64_t size)
{
	struct stat st;

	*ret = (struct analyse_source){ .message = data };
	if (fd < 0)
		return 0;
	if (size > ANALYSE_SIZE_MAX)
		return -EFBIG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	if ((uint64_t)st.st_size < size)
		return -ENODATA;
	ret->message = STR_NONE;
	if (size == 0)
		return 0;
	return is_sealed(fd) ? open_map(ret, fd, (size_t)size)
	                     : open_copy(ret, fd, (size_t)size);
}

void
analyse_close(struct analyse_source *s)
{
	if (s->map != NULL)
		munmap(s->map, s->message.n);
	free(s->copy);
	*s = (struct analyse_source){ 0 };
}
