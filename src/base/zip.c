/* SPDX-License-Identifier: ISC */
/* zip.c - the first file of a zip archive (APPNOTE 4.3). See zip.h. */
#include "base/zip.h"

#include "base/wire.h"

#define END_SIGN     0x06054b50U
#define CENTRAL_SIGN 0x02014b50U
#define LOCAL_SIGN   0x04034b50U
#define END_BYTES    22
#define COMMENT_MAX  65535
#define FILES_MAX    100 /* looked at */
#define ENCRYPTED    1U

enum {
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
};

struct entry {
	unsigned flags, method;
	uint32_t sum, packed, size, offset;
};

/* The end record stands behind everything but a comment. False: there is
 * none. w reads what follows its signature. */
static bool
find_end(struct str in, struct wire *w)
{
	size_t look = MIN(in.n, END_BYTES + COMMENT_MAX);

	for (size_t back = END_BYTES; back <= look; back++) {
		*w = wire_read(str_from(in, in.n - back));
		if (wire_get_u32(w) == END_SIGN)
			return true;
	}
	return false;
}

/* The next entry of the central directory. */
static bool
read_entry(struct wire *w, struct entry *e)
{
	size_t name, extra, comment;

	if (wire_get_u32(w) != CENTRAL_SIGN)
		return false;
	(void)wire_get_u32(w); /* versions */
	e->flags = wire_get_u16(w);
	e->method = wire_get_u16(w);
	(void)wire_get_u32(w); /* time */
	e->sum = wire_get_u32(w);
	e->packed = wire_get_u32(w);
	e->size = wire_get_u32(w);
	name = wire_get_u16(w);
	extra = wire_get_u16(w);
	comment = wire_get_u16(w);
	(void)wire_get_u32(w); /* disk, internal attributes */
	(void)wire_get_u32(w); /* external attributes */
	e->offset = wire_get_u32(w);
	(void)wire_get_bytes(w, name + extra + comment);
	return !w->failed;
}

/* The packed bytes, behind a local header whose own sizes may be missing. */
static bool
find_bytes(struct str in, const struct entry *e, struct str *ret)
{
	struct wire w = wire_read(str_from(in, MIN(e->offset, in.n)));
	size_t name, extra;

	if (wire_get_u32(&w) != LOCAL_SIGN)
		return false;
	(void)wire_get_bytes(&w, 22);
	name = wire_get_u16(&w);
	extra = wire_get_u16(&w);
	(void)wire_get_bytes(&w, name + extra);
	*ret = wire_get_bytes(&w, e->packed);
	return !w.failed;
}

static enum gunzip
unpack(struct buf *to, struct str in, const struct entry *e)
{
	size_t was = to->n;
	struct str bytes;
	enum gunzip r = GUNZIP_OK;

	if ((e->flags & ENCRYPTED) || !find_bytes(in, e, &bytes))
		return GUNZIP_BAD;
	if (e->size > to->max - to->n)
		return GUNZIP_TOO_BIG;
	if (e->method == METHOD_DEFLATED)
		r = gunzip_raw(to, bytes);
	else if (e->method == METHOD_STORED)
		buf_put_str(to, bytes);
	else
		return GUNZIP_BAD;
	if (r == GUNZIP_OK &&
	    (to->n - was != e->size ||
		gzip_sum(str_from(buf_str(to), was)) != e->sum)) {
		to->n = was;
		r = GUNZIP_BAD;
	}
	return r;
}

enum gunzip
unzip_first(struct buf *to, struct str in)
{
	struct wire end, w;
	struct entry e;
	uint32_t at;
	size_t n;

	if (!find_end(in, &end))
		return GUNZIP_BAD;
	(void)wire_get_u32(&end); /* disks */
	(void)wire_get_u16(&end); /* files on this one */
	n = wire_get_u16(&end);
	(void)wire_get_u32(&end); /* size of the directory */
	at = wire_get_u32(&end);
	if (end.failed || at > in.n)
		return GUNZIP_BAD;
	w = wire_read(str_from(in, at));
	for (size_t i = 0; i < MIN(n, FILES_MAX); i++) {
		if (!read_entry(&w, &e))
			return GUNZIP_BAD;
		if (e.size > 0)
			return unpack(to, in, &e);
	}
	return GUNZIP_BAD;
}
