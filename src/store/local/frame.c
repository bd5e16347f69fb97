/* SPDX-License-Identifier: ISC */
/*
 * frame.c - the layout of a stored blob. See frame.h.
 */
#include "store/local/frame.h"

#include "base/hash.h"
#include "base/wire.h"

size_t
frame_count(size_t raw)
{
	return raw / FRAME_RAW + (raw % FRAME_RAW != 0);
}

bool
frame_get(
    struct str table, size_t raw, size_t i, size_t *off, struct frame *ret)
{
	struct wire w = wire_read(str_sub(table, i * FRAME_ENTRY, FRAME_ENTRY));
	uint32_t len = wire_get_u32(&w);
	struct frame f = { .sum = wire_get_u64(&w) };

	if (w.failed)
		return false;
	f.codec = len & FRAME_IS_PACKED ? FRAME_CODEC_ZSTD_1 : FRAME_CODEC_RAW;
	f.len = len & ~FRAME_IS_PACKED;
	f.raw = MIN(raw - i * FRAME_RAW, FRAME_RAW);
	f.off = *off ? *off : frame_count(raw) * FRAME_ENTRY;
	if (f.len > FRAME_RAW || (f.codec == FRAME_CODEC_RAW && f.len != f.raw))
		return false;
	*off = f.off + f.len;
	*ret = f;
	return true;
}

static bool
table_is_good(size_t raw, struct str stored, uint64_t sum)
{
	size_t n = frame_count(raw), off = 0;
	struct str table = str_first(stored, n * FRAME_ENTRY);
	struct frame f;

	if (table.n != n * FRAME_ENTRY || n < 2 ||
	    hash64(table.p, table.n) != sum)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct str s;

		if (!frame_get(table, raw, i, &off, &f))
			return false;
		s = str_sub(stored, f.off, f.len);
		if (s.n != f.len || hash64(s.p, s.n) != f.sum)
			return false;
	}
	return off == stored.n;
}

bool
frame_is_good(uint8_t codec, size_t raw, struct str stored, uint64_t sum)
{
	if (codec == FRAME_CODEC_TABLE)
		return table_is_good(raw, stored, sum);
	if (codec == FRAME_CODEC_RAW && stored.n != raw)
		return false;
	return raw <= FRAME_RAW && hash64(stored.p, stored.n) == sum;
}
