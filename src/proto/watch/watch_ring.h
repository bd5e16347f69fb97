/* SPDX-License-Identifier: ISC */
/*
 * watch_ring.h - the history of one check: five years in 764 KiB, for ever.
 *
 * Three rings of pages: minutes for two days, five minutes for two months,
 * hours for five years. Each second and each sample goes into all three, so
 * nothing is rolled up later and a restart loses nothing.
 *
 *	 9 pages *  340 cells of 1 min  =  51 hours
 *	53 pages *  340 cells of 5 min  =  62.5 days
 *     129 pages *  340 cells of 1 hour =   5.003 years of 365.25 days
 *     191 pages * 4096 bytes = 782 336 bytes a check
 *     500 checks             = 391 168 000 bytes (limit: 400 000 000)
 *
 * The bytes are the caller's (a mapped file). Layer: proto. No I/O, no clock;
 * times are Unix seconds.
 */
#pragma once

#include "proto/watch/watch_page.h"

#define WATCH_RING_PAGES (9 + 53 + 129)
#define WATCH_RING_BYTES ((size_t)WATCH_RING_PAGES * WATCH_PAGE_BYTES)

/* The cell that samples go to, of one level; 1 KiB each. */
struct watch_open_cell {
	uint64_t index;
	uint32_t lost; /* of the probes; answers are in the sketch */
	struct watch_sketch sketch;
};

struct watch_ring {
	uint8_t *bytes;
	struct watch_open_cell open[WATCH_LEVELS];
};

/*
 * Use WATCH_RING_BYTES at bytes, which must outlive the ring. Pages that are
 * not sane (a new file is all zeros) are made empty; answers how many.
 */
unsigned watch_ring_open(struct watch_ring *ring, uint8_t *bytes);

/*
 * The seconds [from_s, to_s) count as class. To be called once for each
 * stretch that is settled; in any order as long as the cell is kept. What is
 * more than a cell can hold is dropped.
 */
void watch_ring_spend(struct watch_ring *ring, enum watch_class class,
    uint64_t from_s, uint64_t to_s);
/*
 * A probe that ended at at_s: answered after us, or lost. At each level it is
 * counted when its cell is the newest one or newer; what is older is not.
 */
void watch_ring_sample(
    struct watch_ring *ring, uint64_t at_s, uint32_t us, bool is_lost);

/*
 * The same with hindsight: only seconds that are not known yet, which is decided
 * by the minute. So it may be called for what is known in part, and twice.
 */
void watch_ring_fill_seconds(struct watch_ring *ring, enum watch_class class,
    uint64_t from_s, uint64_t to_s);
/*
 * Samples that a cell missed, because the watcher was away: to be called with all
 * of them at once. A cell that has samples keeps those, and these are lost.
 */
void watch_ring_fill(struct watch_ring *ring, enum watch_level level,
    uint64_t at_s, const struct watch_sketch *answers, uint32_t lost);

struct watch_sum {
	uint64_t range_s;
	uint64_t seconds[WATCH_CLASSES]; /* unknown is the rest of the range */
	uint64_t weight;                 /* seconds behind loss and latency */
	uint64_t loss;                   /* 255ths, times weight */
	struct watch_sketch latency;
};

/*
 * All of [from_s, to_s): whole hours from hours, the ends from the finest
 * level that still reaches there, part of a cell by its share: so a range
 * had better begin and end with a minute.
 */
void watch_ring_sum(const struct watch_ring *ring, uint64_t from_s,
    uint64_t to_s, struct watch_sum *ret);
/* One cell, for charts; false when there is none. */
bool watch_ring_cell(const struct watch_ring *ring, enum watch_level level,
    uint64_t at_s, struct watch_cell *ret);

/*
 * Of the seconds that were measured and not planned, those up (slow ones
 * too), in millionths, rounded down: one second down is never 100 %. False
 * when nothing was measured.
 */
bool watch_sum_uptime_ppm(const struct watch_sum *sum, uint32_t *ret);
/* Of all seconds, those that are known: up, down or planned. */
uint32_t watch_sum_coverage_ppm(const struct watch_sum *sum);
uint32_t watch_sum_loss_ppm(const struct watch_sum *sum);

enum watch_day_kind {
	WATCH_DAY_NONE,    /* no second is known */
	WATCH_DAY_PLANNED, /* nothing but maintenance */
	WATCH_DAY_UP,
	WATCH_DAY_DEGRADED, /* some of it */
	WATCH_DAY_DOWN,     /* some of it: the worst unplanned second wins */
};

struct watch_day {
	uint64_t from_s;
	enum watch_day_kind kind;
	uint32_t seconds[WATCH_CLASSES];
	uint32_t unknown_s;
};

/*
 * The n days that end with the one that begins at today_s, oldest first.
 * Seconds after the last full minute before now_s are in no count.
 */
void watch_ring_days(const struct watch_ring *ring, uint64_t today_s,
    uint64_t now_s, struct watch_day *ret, size_t n);
