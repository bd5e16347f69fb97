/* SPDX-License-Identifier: ISC */
/*
 * reach_table.h - the cells of one stretch of five minutes, bounded.
 *
 * Strangers decide how many networks there are, so there is room for
 * REACH_CELLS_MAX. When it is full, who matters more takes the place of who
 * matters less, whose counts go to "others" of the same port: networks that
 * have a profile before those where somebody signed in, and these before the
 * rest. So a flood from everywhere folds the flood, and costs no search.
 *
 * Also the form on disk: pages of 4 KiB, each of which stands for itself. A
 * page: magic "mr", version, number (u8 each), generation u32, interval u64,
 * checksum u64 (of the page with zeros in its place), cells u16, pages of
 * this interval u8, then the
 * cells. A full table fits into REACH_SLOT_PAGES; most need two or three.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/reach/reach_cell.h"

#define REACH_CELLS_MAX     512
#define REACH_INTERVAL_S    300
#define REACH_PAGE_BYTES    4096
#define REACH_SLOT_PAGES    100
#define REACH_SLOT_BYTES    ((size_t)REACH_SLOT_PAGES * REACH_PAGE_BYTES)
#define REACH_INTERVALS_MAX (UINT64_C(1) << 40)

/* "Others" of each service, port and family come on top. */
#define REACH_OTHERS_MAX 64

enum reach_rank {
	REACH_RANK_ANY,
	REACH_RANK_SIGNS_IN, /* somebody has signed in from there */
	REACH_RANK_PROFILE,  /* it is known what is usual there */
};

struct reach_entry {
	struct reach_cell cell;
	uint8_t rank; /* enum reach_rank; not kept on disk */
};

struct reach_table {
	uint64_t interval; /* time / REACH_INTERVAL_S */
	struct reach_entry *entries;
	size_t n, allocated;
	size_t n_others; /* of n */
	uint64_t seed;   /* of the hash below */
	uint16_t heads[1024];
	uint16_t *next; /* chains; 0 ends one, else the entry's number + 1 */
};

void reach_table_init(struct reach_table *t, uint64_t interval, uint64_t seed);
void reach_table_done(struct reach_table *t);

struct reach_cell *reach_table_find(
    struct reach_table *t, const struct reach_key *key);
/* The cell of a key, or of "others" in its place; a rank that is higher than
 * before is kept. Valid until the next call. */
struct reach_cell *reach_table_cell(
    struct reach_table *t, const struct reach_key *key, enum reach_rank rank);
/* Add c to its cell, or to others. */
void reach_table_merge(
    struct reach_table *t, const struct reach_cell *c, enum reach_rank rank);

/*
 * Write all cells into REACH_SLOT_BYTES at slot: the answer is how many pages
 * are in use. Pages behind them are not touched.
 */
size_t reach_table_encode(
    const struct reach_table *t, uint32_t generation, uint8_t *slot);
/*
 * Read n pages of one interval into an empty table. Pages that are not sane,
 * or of another interval, are left out; of a cell that is in two pages the one
 * of the newer generation counts. Answers the pages that were good.
 */
size_t reach_table_decode(
    struct reach_table *t, const uint8_t *slot, size_t n_pages);
/* Of a sane page: how often the interval was written before, and how many pages
 * it had then. */
unsigned reach_page_count(const uint8_t *page);
uint32_t reach_page_generation(const uint8_t *page);
bool reach_page_is_sane(
    const uint8_t *page, uint64_t interval, unsigned number) WARN_UNUSED;
