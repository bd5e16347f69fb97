/* SPDX-License-Identifier: ISC */
/*
 * handover.h - how long something took: percentiles of the last five to ten minutes.
 *
 * Counts in half octaves, in two windows: one that grows, and the one before. So
 * memory does not depend on traffic, and a burst is forgotten. Pure: time is an
 * argument.
 */
#pragma once

#include "proto/reach/sent_cell.h"

#define HANDOVER_WINDOW_MS 300000

struct handover {
	uint64_t window; /* number of the one that grows */
	struct sent_hist now, before;
};

void handover_add(struct handover *h, uint64_t waited_ms, uint64_t now_ms);
/* permille of them waited no longer; at most a half too large; 0: none. */
uint64_t handover_ms(struct handover *h, unsigned permille, uint64_t now_ms);
