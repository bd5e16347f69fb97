/* SPDX-License-Identifier: ISC */
/* gzip.c - zlib for whole files in memory. See gzip.h. */
#include "base/gzip.h"

#include <zlib.h>

#define STEP         KIB(16)
#define WINDOW_GZIP  (15 + 16) /* the largest window, with a gzip header */
#define WINDOW_RAW   (-15)
#define MEMORY_LEVEL 8 /* the default of zlib */

static Bytef *
bytes(const char *p)
{
	/* zlib does not write there; its types are older than const. */
	return (Bytef *)(uintptr_t)p;
}

/* The next bytes of in, as many as its counter can hold. */
static void
feed(z_stream *z, struct str *in)
{
	size_t n = MIN(in->n, (size_t)UINT_MAX);

	if (z->avail_in > 0 || n == 0)
		return;
	z->next_in = bytes(in->p);
	z->avail_in = (uInt)n;
	*in = str_from(*in, n);
}

/* Room for a step of output; what is left of the maximum when that is less. */
static bool
make_room(z_stream *z, struct buf *to)
{
	size_t n = MIN(STEP, to->max - to->n);
	char *p = n > 0 ? buf_reserve(to, n) : NULL;

	z->next_out = bytes(p);
	z->avail_out = p == NULL ? 0 : (uInt)n;
	return p != NULL;
}

static void
put_at_level(struct buf *to, struct str in, int level)
{
	z_stream z = { 0 };
	int r = Z_OK;

	if (deflateInit2(&z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK)
		die("deflateInit2: %s", z.msg ? z.msg : "no memory");
	while (r == Z_OK) {
		feed(&z, &in);
		if (!make_room(&z, to)) {
			to->failed = true;
			break;
		}
		r = deflate(&z, in.n > 0 ? Z_NO_FLUSH : Z_FINISH);
		to->n = (size_t)((char *)z.next_out - to->p);
	}
	(void)deflateEnd(&z);
}

void
gzip_put(struct buf *to, struct str in)
{
	put_at_level(to, in, Z_DEFAULT_COMPRESSION);
}

void
gzip_put_best(struct buf *to, struct str in)
{
	put_at_level(to, in, Z_BEST_COMPRESSION);
}

static enum gunzip
inflate_all(z_stream *z, struct buf *to, struct str in)
{
	int r = Z_OK;

	while (r == Z_OK) {
		Bytef spare;

		feed(z, &in);
		if (!make_room(z, to)) {
			/* Full: it may yet be at its end. */
			z->next_out = &spare;
			z->avail_out = 1;
			r = inflate(z, Z_NO_FLUSH);
			if (z->avail_out == 0)
				return GUNZIP_TOO_BIG;
			continue;
		}
		r = inflate(z, Z_NO_FLUSH);
		to->n = (size_t)((char *)z->next_out - to->p);
	}
	if (r != Z_STREAM_END || z->avail_in > 0 || in.n > 0)
		return GUNZIP_BAD;
	return GUNZIP_OK;
}

static enum gunzip
unpack(struct buf *to, struct str in, int window)
{
	z_stream z = { 0 };
	size_t n = to->n;
	enum gunzip r;

	if (inflateInit2(&z, window) != Z_OK)
		die("inflateInit2: %s", z.msg ? z.msg : "no memory");
	r = inflate_all(&z, to, in);
	(void)inflateEnd(&z);
	if (r != GUNZIP_OK) {
		to->n = n;
		to->failed = false;
	}
	return r;
}

enum gunzip
gunzip(struct buf *to, struct str in)
{
	return unpack(to, in, WINDOW_GZIP);
}

enum gunzip
gunzip_raw(struct buf *to, struct str in)
{
	return unpack(to, in, WINDOW_RAW);
}

uint32_t
gzip_sum(struct str s)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes(s.p), s.n);
}
