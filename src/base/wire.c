/* SPDX-License-Identifier: ISC */
/*
 * wire.c - encoding of internal messages and records. See wire.h.
 */
#include "base/wire.h"

#include <endian.h>

void
wire_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, sizeof(v));
}

void
wire_put_u16(struct buf *b, uint16_t v)
{
	v = htole16(v);
	buf_put(b, &v, sizeof(v));
}

void
wire_put_u32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_put(b, &v, sizeof(v));
}

void
wire_put_u64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	buf_put(b, &v, sizeof(v));
}

void
wire_put_str(struct buf *b, struct str s)
{
	ASSERT(s.n <= UINT32_MAX);
	wire_put_u32(b, (uint32_t)s.n);
	buf_put_str(b, s);
}

void
wire_put_varint(struct buf *b, uint64_t v)
{
	unsigned char out[10];
	size_t n = 0;

	while (v >= 0x80) {
		out[n++] = (unsigned char)(v | 0x80);
		v >>= 7;
	}
	out[n++] = (unsigned char)v;
	buf_put(b, out, n);
}

void
wire_put_vstr(struct buf *b, struct str s)
{
	wire_put_varint(b, s.n);
	buf_put_str(b, s);
}

struct str
wire_get_bytes(struct wire *w, size_t n)
{
	struct str s;

	if (w->failed || n > w->in.n) {
		w->failed = true;
		w->in.n = 0;
		return STR_NONE;
	}
	s = str_first(w->in, n);
	w->in = str_from(w->in, n);
	return s;
}

uint8_t
wire_get_u8(struct wire *w)
{
	struct str s = wire_get_bytes(w, 1);

	return s.n ? (uint8_t)s.p[0] : 0;
}

uint16_t
wire_get_u16(struct wire *w)
{
	struct str s = wire_get_bytes(w, 2);
	uint16_t v = 0;

	if (s.n)
		memcpy(&v, s.p, sizeof(v));
	return le16toh(v);
}

uint32_t
wire_get_u32(struct wire *w)
{
	struct str s = wire_get_bytes(w, 4);
	uint32_t v = 0;

	if (s.n)
		memcpy(&v, s.p, sizeof(v));
	return le32toh(v);
}

uint64_t
wire_get_u64(struct wire *w)
{
	struct str s = wire_get_bytes(w, 8);
	uint64_t v = 0;

	if (s.n)
		memcpy(&v, s.p, sizeof(v));
	return le64toh(v);
}

struct str
wire_get_str(struct wire *w)
{
	return wire_get_bytes(w, wire_get_u32(w));
}

uint64_t
wire_get_varint(struct wire *w)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t c = wire_get_u8(w);

		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7F) << shift;
		if (!(c & 0x80))
			return w->failed ? 0 : v;
	}
	w->failed = true;
	w->in.n = 0;
	return 0;
}

struct str
wire_get_vstr(struct wire *w)
{
	return wire_get_bytes(w, wire_get_varint(w));
}

uint32_t
wire_get_v32(struct wire *w)
{
	uint64_t v = wire_get_varint(w);

	if (v > UINT32_MAX)
		w->failed = true;
	return (uint32_t)v;
}

struct wire
wire_read_version(struct str in, uint8_t version)
{
	struct wire w = wire_read(in);

	if (wire_get_u8(&w) != version)
		w.failed = true;
	return w;
}

bool
wire_is_complete(const struct wire *w)
{
	return !w->failed && w->in.n == 0;
}

void
be32_put(void *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof(v));
}

void
be64_put(void *to, uint64_t v)
{
	v = htobe64(v);
	memcpy(to, &v, sizeof(v));
}

uint32_t
be32_get(const void *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return be32toh(v);
}

uint64_t
be64_get(const void *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return be64toh(v);
}

uint8_t *
le_put(uint8_t *to, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> 8 * i);
	return to + n;
}
