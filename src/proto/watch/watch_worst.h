/* SPDX-License-Identifier: ISC */
/*
 * watch_worst.h - several checks seen as one: a system, or what customers do.
 *
 * States: the worst wins, and what is not known is worse than what is up. A
 * check that never gave an answer counts only where none did, or when what it
 * gave so far are failures.
 *
 * Histories: of each hour the check that was down longest, and so on; checks
 * of one system fail together more often than one after the other, and a
 * ring does not keep which second it was.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/watch/watch_ring.h"
#include "proto/watch/watch_state.h"

struct watch_worst {
	unsigned n[WATCH_DOWN + 1]; /* checks of each status */
	uint64_t since_ms[WATCH_DOWN + 1];
	unsigned n_mute; /* that never gave an answer */
	unsigned n_all;
};

/* Add one; *w is all zeros before the first. */
void watch_worst_take(struct watch_worst *w, const struct watch_state *s);
enum watch_status watch_worst_status(const struct watch_worst *w);
/*
 * Where one of several is enough for some of it to work: down only when all
 * are; else down is degraded.
 */
enum watch_status watch_worst_shared(const struct watch_worst *w);
/* Since when it is so: up since the last one recovered, else since the first
 * one was not. 0: there are none. */
uint64_t watch_worst_since_ms(
    const struct watch_worst *w, enum watch_status status);

struct watch_worst_sum {
	uint64_t seconds[WATCH_CLASSES];
	/* The first hour of which something is known; 0: none is. */
	uint64_t first_s;
};

/* [from_s, to_s), from and to whole hours. */
void watch_worst_sum(const struct watch_ring *const *rings, size_t n,
    uint64_t from_s, uint64_t to_s, struct watch_worst_sum *ret);
/*
 * In that hour, the first second of which something is known: by the finest cells that
 * still reach there. What is not known later in the hour is no part of it, except
 * where hours are all that is left. 0: nothing is known.
 */
uint64_t watch_worst_first_s(const struct watch_ring *const *rings, size_t n,
    uint64_t hour_s, uint64_t now_s);
/* As watch_sum_uptime_ppm(). */
bool watch_worst_uptime_ppm(
    const struct watch_worst_sum *sum, uint32_t *ret) WARN_UNUSED;
/* All of it that is known. */
uint64_t watch_worst_known_s(const struct watch_worst_sum *sum);
