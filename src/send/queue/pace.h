/* SPDX-License-Identifier: ISC */
/*
 * pace.h - how many connections one destination gets at a time.
 *
 *   UNKNOWN --a session opened--> OPEN: the limit grows with each delivery
 *      |                           |  and is halved by each failure
 *      | failed                    | the last connection failed
 *      v                           v
 *     CLOSED until a time that doubles each time; then one connection tries
 *
 * A destination that has not answered yet gets one connection, so that a dead
 * one costs no more than that.
 *
 * Pure: the caller says what time it is.
 */
#pragma once

#include "base/base.h"

struct pace_limits {
	uint32_t first;    /* connections once the first one is open */
	uint32_t max;      /* connections at most */
	uint64_t pause_ms; /* closed for so long at first */
	uint64_t pause_max_ms;
};

struct pace {
	uint32_t limit16;  /* connections allowed, times 16 */
	uint32_t open;     /* connections, those being made counted */
	uint32_t failures; /* in a row, of all connections */
	uint64_t closed_until_ms;
	uint64_t answered_ms; /* when a session was opened last; 0: never */
};

/* One connection more, now? */
bool pace_may_open(const struct pace *p, const struct pace_limits *l,
    uint64_t now_ms) WARN_UNUSED;
/* Nothing is tried before closed_until_ms. */
bool pace_is_closed(const struct pace *p, uint64_t now_ms);
/* It answered since its last failure as a whole. */
bool pace_is_proven(const struct pace *p);

/* A connection is being made. */
void pace_begin(struct pace *p);
/* It is open, and the server is ready for mail. */
void pace_opened(struct pace *p, const struct pace_limits *l, uint64_t now_ms);
/* A transaction ended as it should, whatever the replies to recipients. */
void pace_delivered(struct pace *p, const struct pace_limits *l);
/* A connection ended in peace. */
void pace_end(struct pace *p);
/*
 * A connection could not be made, was refused, or was lost. When no other is
 * left, the destination is closed for some time: the answer is true then.
 */
bool pace_failed(struct pace *p, const struct pace_limits *l, uint64_t now_ms,
    uint32_t random);

/*
 * What can wait gets a little at a time while there is better to do: so many
 * in each turn of so many milliseconds.
 */
#define SPARE_TURN_MS 250U
#define SPARE_TURN    25U

struct spare {
	uint64_t turn_end_ms;
	uint32_t left;
};

/* How many of want may go now; count what went by spare_take(). */
uint32_t spare_room(struct spare *s, uint32_t want, uint64_t now_ms);
void spare_take(struct spare *s, uint32_t n);
