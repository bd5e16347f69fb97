/* SPDX-License-Identifier: ISC */
/*
 * wire.h - the encoding of internal messages and of records on disk.
 *
 * Little-endian integers of fixed width; a string is its length (u32) and
 * its bytes. Writing goes to a buf (whose failed flag is sticky); reading is
 * a cursor whose error is sticky: after the first read past the end every
 * read gives zero or the empty string, and one check at the end decides.
 */
#pragma once

#include "base/buf.h"

void wire_put_u8(struct buf *b, uint8_t v);
void wire_put_u16(struct buf *b, uint16_t v);
void wire_put_u32(struct buf *b, uint32_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_str(struct buf *b, struct str s);
/* LEB128: 7 bits a byte, lowest first. For records where size counts. */
void wire_put_varint(struct buf *b, uint64_t v);
/* A string whose length is a varint. */
void wire_put_vstr(struct buf *b, struct str s);

struct wire {
	struct str in; /* what is left */
	bool failed;
};

static inline struct wire
wire_read(struct str in)
{
	return (struct wire){ .in = in };
}

/* A record whose first byte is its version: failed when it is another one. */
struct wire wire_read_version(struct str in, uint8_t version);
uint8_t wire_get_u8(struct wire *w);
uint16_t wire_get_u16(struct wire *w);
uint32_t wire_get_u32(struct wire *w);
uint64_t wire_get_u64(struct wire *w);
/* Points into the input. */
struct str wire_get_str(struct wire *w);
uint64_t wire_get_varint(struct wire *w); /* rejects more than 64 bits */
uint32_t wire_get_v32(struct wire *w);    /* a varint, at most 32 bits */
struct str wire_get_vstr(struct wire *w);
struct str wire_get_bytes(struct wire *w, size_t n);
/* Everything was read and nothing was missing. */
bool wire_is_complete(const struct wire *w) WARN_UNUSED;

/* Big-endian, for keys whose byte order must be their numeric order. */
void be32_put(void *to, uint32_t v);
void be64_put(void *to, uint64_t v);
uint32_t be32_get(const void *from);
uint64_t be64_get(const void *from);

/* The lowest n bytes of v, little-endian as wire_put_u32(), into memory of a fixed
 * layout; where the next one goes. n: 1 to 8. */
uint8_t *le_put(uint8_t *to, uint64_t v, unsigned n);
