/* SPDX-License-Identifier: ISC */
/*
 * watch_page.h - 340 cells of history in 4096 bytes.
 *
 * A ring of pages holds the newest cells of one resolution: cell number i
 * (its time divided by its width) lies in slot i modulo the ring's length.
 * Each page says which is the newest cell in it, so each slot's number
 * follows from the page alone: pages may be written, lost or left behind in
 * any order, and what is old is not taken for new.
 *
 * A page: magic "mw", version, level (u8 each), page number u16, cells u16,
 * newest cell u64, 340 cells of 12 bytes. A cell: four times 12 bits of
 * seconds (up, degraded, down, maintenance; the rest is unknown), one byte
 * of loss, five of latency. Twelve zeros are a cell that nobody wrote.
 */
#pragma once

#include "base/wire.h"
#include "proto/watch/watch_sketch.h"

#define WATCH_PAGE_BYTES   4096
#define WATCH_PAGE_CELLS   340
#define WATCH_PAGE_VERSION 1

enum watch_level {
	WATCH_MINUTES, /* 1 min:    9 pages,  3060 cells, 51 hours */
	WATCH_FIVES,   /* 5 min:   53 pages, 18020 cells, 62 days */
	WATCH_HOURS,   /* 1 hour: 129 pages, 43860 cells, 5.003 years */
	WATCH_LEVELS
};

/* What a second counts as. */
enum watch_class {
	WATCH_SECOND_UP,
	WATCH_SECOND_DEGRADED,
	WATCH_SECOND_DOWN,
	WATCH_SECOND_MAINTENANCE,
	WATCH_CLASSES
};

struct watch_cell {
	uint16_t seconds[WATCH_CLASSES]; /* together at most the width */
	uint8_t loss;                    /* 255ths of the probes; 0: none */
	struct watch_quantiles latency;
};

unsigned watch_level_pages(enum watch_level level);
uint32_t watch_level_cells(enum watch_level level);
uint32_t watch_level_width(enum watch_level level); /* seconds */

/* bytes are always WATCH_PAGE_BYTES. An empty page. */
void watch_page_init(uint8_t *bytes, enum watch_level level, unsigned page);
/* Is this that page, of this version? All else is no page. */
bool watch_page_is_sane(
    const uint8_t *bytes, enum watch_level level, unsigned page) WARN_UNUSED;
/*
 * Cell number i of a sane page. False: it was never written, is too old or
 * too new, not of this page, or cannot be true.
 */
bool watch_page_get(const uint8_t *bytes, enum watch_level level, uint64_t i,
    struct watch_cell *ret) WARN_UNUSED;
/*
 * Write cell i; the slots that time went past without a cell are emptied.
 * False when i is older than the ring is long or not of this page, or the
 * cell is not sane.
 */
bool watch_page_put(uint8_t *bytes, enum watch_level level, uint64_t i,
    const struct watch_cell *cell) WARN_UNUSED;

/* The newest cell that was written; 0: none. */
uint64_t watch_page_newest(const uint8_t *bytes);

bool watch_cell_is_sane(const struct watch_cell *cell, enum watch_level level);
/* 12 bytes each. Decoding takes anything; is_sane judges. */
void watch_cell_encode(const struct watch_cell *cell, uint8_t *to);
void watch_cell_decode(const uint8_t *from, struct watch_cell *ret);
