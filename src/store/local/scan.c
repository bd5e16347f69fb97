/* SPDX-License-Identifier: ISC */
/*
 * scan.c - walk through the records of one segment file.
 *
 * Reads ahead a window at a time and never trusts a length before it has
 * compared it with the size of the file.
 */
#include "store/local/local.h"

#include <sys/stat.h>
#include <unistd.h>

#define WINDOW KIB(256)

/* The owner cut off the zeros behind the last record since we looked. */
static bool
is_shorter(struct scan *s)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0 || (uint64_t)st.st_size >= s->end)
		return false;
	s->end = MAX((uint64_t)st.st_size, s->off);
	return true;
}

/* Make bytes [s->off, s->off + n) available; n is within the file.
 * -ENODATA when it is no longer. */
static int
scan_fill(struct scan *s, size_t n, struct str *ret)
{
	uint64_t have_end = s->base + s->win.n;
	size_t want;
	char *to;
	int r;

	if (s->off >= s->base && s->off + n <= have_end) {
		*ret = str_from(buf_str(&s->win), (size_t)(s->off - s->base));
		return 0;
	}
	do {
		if (n > s->end - s->off)
			return -ENODATA;
		want = (size_t)MIN(MAX(n, WINDOW), s->end - s->off);
		buf_reset(&s->win, MAX(n, 4 * WINDOW));
		to = buf_reserve(&s->win, want);
		if (!to)
			return ENGINE_CORRUPT;
		r = fsops_read_all(s->fd, to, want, s->off);
	} while (r == -ENODATA && is_shorter(s));
	if (r < 0)
		return r;
	s->win.n = want;
	s->base = s->off;
	*ret = buf_str(&s->win);
	return 0;
}

int
scan_open(struct scan *s, const struct log *l, int fd, uint64_t id)
{
	struct stat st;
	struct str in;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	*s = (struct scan){
		.fd = fd,
		.id = id,
		.seed = l->seed,
		.end = (uint64_t)st.st_size,
		.win = BUF_INIT(RECORD_OPS_MAX + RECORD_DATA_MAX + KIB(1)),
	};
	if (s->end < SEGMENT_HEADER) {
		s->off = s->end;
		return ENGINE_CORRUPT;
	}
	r = scan_fill(s, SEGMENT_HEADER, &in);
	if (r < 0)
		return r;
	s->off = SEGMENT_HEADER;
	return segment_header_parse(in, id, &s->head) ? 0 : ENGINE_CORRUPT;
}

void
scan_done(struct scan *s)
{
	buf_done(&s->win);
}

int
scan_next(struct scan *s, struct record *ret)
{
	size_t need = RECORD_HEADER;

	for (;;) {
		enum record_verdict v;
		struct record rec;
		struct str in;
		int r;

		if (need > s->end - s->off)
			break;
		r = scan_fill(s, need, &in);
		if (r == -ENODATA && need > s->end - s->off)
			break;
		if (r < 0)
			return r;
		v = record_parse(in, s->seed, &rec);
		if (v == RECORD_END)
			return 0;
		if (v == RECORD_BAD)
			return ENGINE_CORRUPT;
		if (v == RECORD_OK) {
			s->off += rec.size;
			*ret = rec;
			return 1;
		}
		need = rec.size;
	}
	/* The file ends in the middle of a header or of a record. */
	return s->off == s->end ? 0 : ENGINE_CORRUPT;
}

int
scan_resync(struct scan *s, struct record *ret)
{
	while (s->off + RECORD_HEADER <= s->end) {
		struct record rec;
		int r = scan_next(s, &rec);

		if (r > 0) {
			*ret = rec;
			return 1;
		}
		if (r < 0 && r != ENGINE_CORRUPT)
			return r;
		s->off += 8;
	}
	return 0;
}
