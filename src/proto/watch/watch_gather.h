/* SPDX-License-Identifier: ISC */
/*
 * watch_gather.h - which alerts are told together.
 *
 * What fails together is not decided in the same moment. So an alert waits while other
 * checks are about to be decided as well, but not for long; one that is alone is told
 * after a moment. It is the same with what is well again. Nothing is kept but since when something
 * waits: what there is to tell follows from the state of things (watch_alert.h), also
 * after a restart.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/watch/watch_alert.h"

enum watch_gather_kind {
	WATCH_GATHER_BAD,
	WATCH_GATHER_WELL,
	WATCH_GATHER_KINDS,
};

/* The shortest and the longest that an alert waits for others: probes that were begun
 * when it was decided may be under way. */
#define WATCH_GATHER_LEAST_MS 2000
#define WATCH_GATHER_MS       20000

struct watch_gather {
	uint64_t since_ms[WATCH_GATHER_KINDS]; /* 0: nothing waits */
};

enum watch_gather_kind watch_gather_kind_of(enum watch_told told);
/* To be asked each second: is it time to tell all that is to be told, of each kind?
 * Those are then taken by watch_set_alert() before it is asked again. */
void watch_gather_step(struct watch_gather *g, const struct watch_set *set,
    uint64_t now_ms, bool ret_is_time[WATCH_GATHER_KINDS]);
