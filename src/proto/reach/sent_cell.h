/* SPDX-License-Identifier: ISC */
/*
 * sent_cell.h - how mail to others went in five minutes, by receiver.
 *
 * A receiver is a provider group (proto/provider), or all those that are in none:
 * single domains are nobody's business here. Counted are transactions, not
 * recipients: a letter to a hundred people at one provider is one observation.
 * How long the stages took is kept as histograms in half octaves: at most a half
 * too large, and they can be added up.
 *
 *   WAIT   accepted (or released) -> first attempt; of all that were tried
 *   TALK   attempt -> handed over: connection, dialogue, message; of those
 *          delivered, their last attempt
 *   WHOLE  accepted (or released) -> handed over; of those delivered
 *
 * Also the form on disk: pages of 4 KiB, each of which stands for itself: magic
 * "ms", version, number (u8 each), interval u64, checksum u64 (of the page with zeros in
 * its place), cells u8, padding up to 32 bytes; then cells of SENT_CELL_BYTES. Cells do
 * not move while an interval is open, so a torn write costs what is in one page.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/wire.h"

#define SENT_STEPS      52 /* from 16 ms to 12 days */
#define SENT_NAME_MAX   32
#define SENT_CELLS_MAX  65 /* groups, and the others */
#define SENT_OTHERS     "*"
#define SENT_INTERVAL_S 300
#define SENT_SLOW_MS    60000 /* nobody calls less than that slow */

#define SENT_PAGE_BYTES 4096
#define SENT_CELL_BYTES \
	(1 + SENT_NAME_MAX + 4 + 2 * SENT_SENDERS * 2 + \
	    SENT_STAGES * SENT_STEPS * 4)
#define SENT_PAGE_CELLS 5
#define SENT_SLOT_PAGES \
	((SENT_CELLS_MAX + SENT_PAGE_CELLS - 1) / SENT_PAGE_CELLS)
#define SENT_SLOT_BYTES ((size_t)SENT_SLOT_PAGES * SENT_PAGE_BYTES)

enum sent_stage { SENT_WAIT, SENT_TALK, SENT_WHOLE, SENT_STAGES };
/* "queue", "dialogue", "whole". */
const char *sent_stage_name(enum sent_stage s);

struct sent_hist {
	uint32_t n[SENT_STEPS];
};
/* The step of a time, and where a step ends: 16, 24, 32, 48, 64, ... */
unsigned sent_step_of(uint64_t ms);
uint64_t sent_step_end(unsigned step);

void sent_hist_add(struct sent_hist *h, uint64_t ms);
void sent_hist_merge(struct sent_hist *h, const struct sent_hist *other);
uint64_t sent_hist_total(const struct sent_hist *h);
/* permille of them took no longer; at most a half too large; 0: there are none. */
uint64_t sent_hist_ms(const struct sent_hist *h, unsigned permille);
/* How many took longer for sure. */
uint64_t sent_hist_above(const struct sent_hist *h, uint64_t ms);
/* Steps that are not empty, as step u8 and count u32; and back, added. False: it is
 * malformed. */
void sent_hist_put(struct buf *b, const struct sent_hist *h);
bool sent_hist_get(struct str s, struct sent_hist *ret) WARN_UNUSED;

/*
 * By account, folded to SENT_SENDERS: who has two accounts is never taken for more.
 * One sender's mail says nothing about a receiver, so none counts for more than the
 * one with the SENT_SENDERS_MIN-th most.
 */
#define SENT_SENDERS     16
#define SENT_SENDERS_MIN 3
struct sent_senders {
	uint16_t n[SENT_SENDERS];
};
void sent_senders_add(struct sent_senders *s, uint64_t account);
void sent_senders_merge(
    struct sent_senders *s, const struct sent_senders *other);
/* How many count. */
uint32_t sent_senders_fair(const struct sent_senders *s);
/* SENT_SENDERS u16. */
void sent_senders_put(struct buf *b, const struct sent_senders *s);
bool sent_senders_get(struct str s, struct sent_senders *ret) WARN_UNUSED;

struct sent_cell {
	char name[SENT_NAME_MAX + 1];
	struct sent_hist stages[SENT_STAGES];
	uint32_t refused; /* by policy, for good or for now (docs/reach.md) */
	struct sent_senders refused_by;
	struct sent_senders slow_by; /* it took longer than SENT_SLOW_MS */
};
void sent_cell_merge(struct sent_cell *c, const struct sent_cell *other);

struct sent_table {
	uint64_t interval; /* time / SENT_INTERVAL_S */
	size_t n;
	struct sent_cell cells[SENT_CELLS_MAX];
};
const struct sent_cell *sent_table_find(
    const struct sent_table *t, struct str name);
/* The cell of a name; of others when there is no room, or the name is too long. */
struct sent_cell *sent_table_cell(struct sent_table *t, struct str name);

/* Into SENT_SLOT_BYTES; the answer is how many pages are in use, at least one. */
size_t sent_table_encode(const struct sent_table *t, uint8_t *slot);
/* Of the interval of an empty table. False: nothing of it is there. */
bool sent_table_decode(
    struct sent_table *t, const uint8_t *slot, size_t n_pages) WARN_UNUSED;
