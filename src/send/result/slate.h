/* SPDX-License-Identifier: ISC */
/*
 * slate.h - final results on a page that outlives the process.
 *
 * When the server's reply is judged, the result is noted here first, with a
 * few stores to memory; when the store has answered, it is wiped off. What a
 * process that was killed leaves here its successor tells the store before it
 * takes over the leases: so what was accepted does not go out once more.
 *
 * The page may lie in a file (supervisor/keep.c). One process writes, and
 * nothing that it holds is trusted: a slot whose mark does not fit counts as
 * empty, and the store skips what names no lease that is out.
 */
#pragma once

#include "base/base.h"

/* The number of no slot. */
#define SLATE_NONE UINT32_MAX
/* Of a slot. */
#define SLATE_SLOT_BYTES 32

struct slate_result {
	uint64_t message, lease;
	uint32_t rcpt;
	uint32_t state; /* enum queue_state: QUEUE_DELIVERED, QUEUE_FAILED */
};

struct slate;

/* Reads what is there; page lives longer. NULL or no room: nothing is noted. */
struct slate *slate_new(void *page, size_t bytes);
void slate_free(struct slate *s); /* NULL is fine; the page stays as it is */
/* The slot, or SLATE_NONE when the page is full: then it is not noted. */
uint32_t slate_note(struct slate *s, const struct slate_result *r);
/* SLATE_NONE is fine. */
void slate_wipe(struct slate *s, uint32_t slot);
/* The next one that an earlier process left, from slot *at (first 0) on. */
bool slate_next(const struct slate *s, uint32_t *at, struct slate_result *ret);
