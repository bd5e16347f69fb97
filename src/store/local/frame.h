/* SPDX-License-Identifier: ISC */
/*
 * frame.h - how the bytes of a blob lie on disk.
 *
 * A blob of up to FRAME_RAW bytes is one frame: raw, or zstd with the
 * dictionary of its codec number. A longer one is a table and then its
 * frames, each of FRAME_RAW raw bytes and with its own checksum, so that a
 * part of a large attachment is read without unpacking all of it. Codec
 * numbers never change their meaning: a new dictionary is a new number.
 *
 * Pure: no I/O, no compression library.
 */
#pragma once

#include "base/str.h"

#define FRAME_RAW       KIB(256)
#define FRAME_ENTRY     12          /* bytes of a table entry */
#define FRAME_IS_PACKED 0x80000000u /* in the entry's length */

enum frame_codec {
	FRAME_CODEC_RAW = 0,
	FRAME_CODEC_ZSTD_1 = 1, /* zstd, dictionary 1 */
	FRAME_CODEC_TABLE = 2,  /* table of frames: raw or ZSTD_1 each */
};

static inline bool
frame_is_codec(uint8_t codec)
{
	return codec <= FRAME_CODEC_TABLE;
}

/* Number of frames of a blob. */
size_t frame_count(size_t raw);

struct frame {
	size_t off, len; /* stored bytes, from the start of the blob */
	uint64_t sum;
	enum frame_codec codec;
	size_t raw;
};

/*
 * Frame i of a blob, given its table (the first frame_count() * FRAME_ENTRY
 * bytes). False when the table makes no sense. Offsets are sums: walk i up
 * from 0, with *off 0 at the start.
 */
bool frame_get(
    struct str table, size_t raw, size_t i, size_t *off, struct frame *ret);
/* Every checksum of the stored bytes of a whole blob. */
bool frame_is_good(
    uint8_t codec, size_t raw, struct str stored, uint64_t sum) WARN_UNUSED;
