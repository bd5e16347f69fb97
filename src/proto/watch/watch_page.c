/* SPDX-License-Identifier: ISC */
/*
 * watch_page.c - cells and pages to bytes and back.
 */
#include "proto/watch/watch_page.h"

#define HEADER_BYTES 16
#define CELL_BYTES   12
#define NEWEST_AT    8
/* Cell numbers that are in a page; 0 stands for "none yet". */
#define INDEX_MAX (UINT64_C(1) << 40)

_Static_assert(HEADER_BYTES + WATCH_PAGE_CELLS * CELL_BYTES == WATCH_PAGE_BYTES,
    "a page is full");

static const struct {
	uint32_t width;
	unsigned pages;
} levels[WATCH_LEVELS] = {
	[WATCH_MINUTES] = { 60, 9 },
	[WATCH_FIVES] = { 300, 53 },
	[WATCH_HOURS] = { 3600, 129 },
};

unsigned
watch_level_pages(enum watch_level level)
{
	ASSERT((unsigned)level < WATCH_LEVELS);
	return levels[level].pages;
}

uint32_t
watch_level_cells(enum watch_level level)
{
	return watch_level_pages(level) * WATCH_PAGE_CELLS;
}

uint32_t
watch_level_width(enum watch_level level)
{
	ASSERT((unsigned)level < WATCH_LEVELS);
	return levels[level].width;
}

/* --- cells ---------------------------------------------------------------- */

bool
watch_cell_is_sane(const struct watch_cell *cell, enum watch_level level)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < WATCH_CLASSES; i++)
		sum += cell->seconds[i];
	return sum <= watch_level_width(level) &&
	       watch_quantiles_are_sane(&cell->latency);
}

void
watch_cell_encode(const struct watch_cell *cell, uint8_t *to)
{
	for (size_t i = 0; i < WATCH_CLASSES; i += 2) {
		unsigned a = cell->seconds[i] & 0xfffu;
		unsigned b = cell->seconds[i + 1] & 0xfffu;

		*to++ = (uint8_t)a;
		*to++ = (uint8_t)(a >> 8 | (b & 15u) << 4);
		*to++ = (uint8_t)(b >> 4);
	}
	*to++ = cell->loss;
	memcpy(to, cell->latency.v, WATCH_QUANTILES);
}

void
watch_cell_decode(const uint8_t *from, struct watch_cell *ret)
{
	for (size_t i = 0; i < WATCH_CLASSES; i += 2, from += 3) {
		ret->seconds[i] = (uint16_t)(from[0] | (from[1] & 15u) << 8);
		ret->seconds[i + 1] = (uint16_t)(from[1] >> 4 | from[2] << 4);
	}
	ret->loss = *from++;
	memcpy(ret->latency.v, from, WATCH_QUANTILES);
}

/* --- pages ---------------------------------------------------------------- */

uint64_t
watch_page_newest(const uint8_t *bytes)
{
	struct wire w = wire_read(str_make(bytes + NEWEST_AT, 8));

	return wire_get_u64(&w);
}

static void
set_newest(uint8_t *bytes, uint64_t i)
{
	for (unsigned k = 0; k < 8; k++)
		bytes[NEWEST_AT + k] = (uint8_t)(i >> 8 * k);
}

void
watch_page_init(uint8_t *bytes, enum watch_level level, unsigned page)
{
	ASSERT(page < watch_level_pages(level));
	memset(bytes, 0, WATCH_PAGE_BYTES);
	bytes[0] = 'm';
	bytes[1] = 'w';
	bytes[2] = WATCH_PAGE_VERSION;
	bytes[3] = (uint8_t)level;
	bytes[4] = (uint8_t)page;
	bytes[5] = (uint8_t)(page >> 8);
	bytes[6] = (uint8_t)WATCH_PAGE_CELLS;
	bytes[7] = (uint8_t)(WATCH_PAGE_CELLS >> 8);
}

static unsigned
page_of(enum watch_level level, uint64_t i)
{
	return (unsigned)(i % watch_level_cells(level) / WATCH_PAGE_CELLS);
}

bool
watch_page_is_sane(const uint8_t *bytes, enum watch_level level, unsigned page)
{
	struct wire w = wire_read(str_make(bytes, HEADER_BYTES));
	bool is_ours = wire_get_u8(&w) == 'm' && wire_get_u8(&w) == 'w' &&
	               wire_get_u8(&w) == WATCH_PAGE_VERSION &&
	               wire_get_u8(&w) == (unsigned)level &&
	               wire_get_u16(&w) == page &&
	               wire_get_u16(&w) == WATCH_PAGE_CELLS;
	uint64_t newest = watch_page_newest(bytes);

	return is_ours && newest < INDEX_MAX &&
	       (newest == 0 || page_of(level, newest) == page);
}

/* Is cell i one of this page's? */
static bool
is_here(const uint8_t *bytes, enum watch_level level, uint64_t i)
{
	return page_of(level, i) == (bytes[4] | (unsigned)bytes[5] << 8);
}

static uint8_t *
slot_of(uint8_t *bytes, uint64_t i)
{
	return bytes + HEADER_BYTES + i % WATCH_PAGE_CELLS * CELL_BYTES;
}

bool
watch_page_get(const uint8_t *bytes, enum watch_level level, uint64_t i,
    struct watch_cell *ret)
{
	static const uint8_t empty[CELL_BYTES];
	uint64_t newest = watch_page_newest(bytes);
	const uint8_t *slot =
	    bytes + HEADER_BYTES + i % WATCH_PAGE_CELLS * CELL_BYTES;
	struct watch_cell cell;

	if (!is_here(bytes, level, i) || i > newest ||
	    i + watch_level_cells(level) <= newest ||
	    memcmp(slot, empty, sizeof(empty)) == 0)
		return false;
	watch_cell_decode(slot, &cell);
	if (!watch_cell_is_sane(&cell, level))
		return false;
	*ret = cell;
	return true;
}

/*
 * Empty what lies after the newest, up to i. Within a page the slots of one
 * lap ascend; when a lap or more went by, all is old.
 */
static void
advance(uint8_t *bytes, enum watch_level level, uint64_t i)
{
	uint64_t newest = watch_page_newest(bytes);
	uint64_t from = newest + 1;
	uint64_t lap = watch_level_cells(level);

	if (newest == 0 || i >= newest + lap) {
		memset(
		    bytes + HEADER_BYTES, 0, WATCH_PAGE_BYTES - HEADER_BYTES);
	} else {
		for (; from <= i; from++)
			if (page_of(level, from) == page_of(level, i))
				memset(slot_of(bytes, from), 0, CELL_BYTES);
	}
	set_newest(bytes, i);
}

bool
watch_page_put(uint8_t *bytes, enum watch_level level, uint64_t i,
    const struct watch_cell *cell)
{
	uint64_t newest = watch_page_newest(bytes);

	if (i == 0 || i >= INDEX_MAX || !is_here(bytes, level, i) ||
	    !watch_cell_is_sane(cell, level) ||
	    i + watch_level_cells(level) <= newest)
		return false;
	if (i > newest)
		advance(bytes, level, i);
	watch_cell_encode(cell, slot_of(bytes, i));
	return true;
}
