/* SPDX-License-Identifier: ISC */
/*
 * sent_file.c - how mail to others went in eight days, and what is usual.
 *
 * Two files like those of reach_file.c: sent.cells, a ring of slots with holes behind the
 * pages that are in use, and sent.profiles, a page for each receiver.
 */
#include "watch/reach/cells.h"
#include "watch/reach/sent_internal.h"

#include <unistd.h>

struct sent_file {
	int cells, profiles; /* -1: it could not be opened */
	uint8_t slot[SENT_SLOT_BYTES];
};

struct sent_file *
sent_file_open(const char *dir)
{
	struct sent_file *f = X_NEW(struct sent_file);

	f->cells = cells_open(dir, "sent.cells");
	f->profiles = cells_open(dir, "sent.profiles");
	return f;
}

void
sent_file_close(struct sent_file *f)
{
	if (f == NULL)
		return;
	closep(&f->cells);
	closep(&f->profiles);
	free(f);
}

static off_t
place_of(uint64_t interval)
{
	return (off_t)(interval % SENT_INTERVALS * SENT_SLOT_BYTES);
}

bool
sent_file_read(struct sent_file *f, struct sent_table *t)
{
	/* Pages of an older round are of another interval. */
	ssize_t n =
	    pread(f->cells, f->slot, SENT_SLOT_BYTES, place_of(t->interval));

	return n > 0 &&
	       sent_table_decode(t, f->slot, (size_t)n / SENT_PAGE_BYTES);
}

int
sent_file_write(struct sent_file *f, const struct sent_table *t)
{
	size_t pages = sent_table_encode(t, f->slot);

	return cells_write(
	    f->cells, f->slot, pages * SENT_PAGE_BYTES, place_of(t->interval));
}

bool
sent_file_profile(struct sent_file *f, size_t n, struct sent_profile *ret)
{
	ssize_t got = pread(f->profiles, f->slot, SENT_PROFILE_BYTES,
	    (off_t)(n * SENT_PROFILE_BYTES));

	return got == SENT_PROFILE_BYTES && sent_profile_decode(f->slot, ret);
}

int
sent_file_put_profile(
    struct sent_file *f, size_t n, const struct sent_profile *p)
{
	sent_profile_encode(p, f->slot);
	return cells_write(f->profiles, f->slot, SENT_PROFILE_BYTES,
	    (off_t)(n * SENT_PROFILE_BYTES));
}
