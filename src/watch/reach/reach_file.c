/* SPDX-License-Identifier: ISC */
/*
 * reach_file.c - the counts of eight days, and what is usual.
 *
 * Two files. reach.cells is a ring of slots of REACH_SLOT_BYTES, one for each
 * five minutes; a slot has holes behind the pages that are in use, so the file
 * takes as much disk as there was to count. reach.profiles has a page for each
 * network and port. Both are written with pwrite(): a full disk is an error
 * that is told and tried again, and a process that is killed leaves pages that
 * are whole or cut, which their checksums tell.
 */
#include "watch/reach/cells.h"
#include "watch/reach/reach_internal.h"

#include <unistd.h>

struct reach_file {
	int cells, profiles; /* -1: it could not be opened */
	uint8_t *slot;
};

struct reach_file *
reach_file_open(const char *dir)
{
	struct reach_file *f = X_NEW(struct reach_file);

	f->cells = cells_open(dir, "reach.cells");
	f->profiles = cells_open(dir, "reach.profiles");
	f->slot = x_zalloc(REACH_SLOT_BYTES);
	return f;
}

void
reach_file_close(struct reach_file *f)
{
	if (f == NULL)
		return;
	closep(&f->cells);
	closep(&f->profiles);
	free(f->slot);
	free(f);
}

static off_t
place_of(uint64_t interval)
{
	return (off_t)(interval % REACH_INTERVALS * REACH_SLOT_BYTES);
}

static size_t
read_at(int fd, void *to, size_t n, off_t at)
{
	ssize_t got = pread(fd, to, n, at);

	return got > 0 ? (size_t)got : 0;
}

bool
reach_file_read(
    struct reach_file *f, struct reach_table *t, uint32_t *ret_generation)
{
	off_t at = place_of(t->interval);
	size_t pages = REACH_SLOT_PAGES, n;

	if (read_at(f->cells, f->slot, REACH_PAGE_BYTES, at) < REACH_PAGE_BYTES)
		return false;
	/* The first page knows how many there are, unless it is torn. */
	if (reach_page_is_sane(f->slot, t->interval, 0))
		pages = MAX(reach_page_count(f->slot), 1U);
	n = read_at(f->cells, f->slot, pages * REACH_PAGE_BYTES, at);
	*ret_generation = reach_page_generation(f->slot);
	return reach_table_decode(t, f->slot, n / REACH_PAGE_BYTES) > 0;
}

int
reach_file_write(
    struct reach_file *f, const struct reach_table *t, uint32_t generation)
{
	size_t pages = reach_table_encode(t, generation, f->slot);

	return cells_write(
	    f->cells, f->slot, pages * REACH_PAGE_BYTES, place_of(t->interval));
}

bool
reach_file_profile(struct reach_file *f, size_t n, struct reach_profile *ret)
{
	return read_at(f->profiles, f->slot, REACH_PROFILE_BYTES,
		   (off_t)(n * REACH_PROFILE_BYTES)) == REACH_PROFILE_BYTES &&
	       reach_profile_decode(f->slot, ret);
}

int
reach_file_put_profile(
    struct reach_file *f, size_t n, const struct reach_profile *p)
{
	reach_profile_encode(p, f->slot);
	return cells_write(f->profiles, f->slot, REACH_PROFILE_BYTES,
	    (off_t)(n * REACH_PROFILE_BYTES));
}
