/* SPDX-License-Identifier: ISC */
/*
 * flow.h - what waits for one destination: how much comes and goes, when that is done,
 * and whether it only grows.
 *
 * Counts of the last hour, in steps of five minutes. Pure: time is an argument (wall
 * clock, milliseconds).
 */
#pragma once

#include "base/base.h"

#define FLOW_STEPS   12
#define FLOW_STEP_MS 300000
/* Stuck: so many wait, and of those that came in half an hour, hardly any went. */
#define FLOW_STUCK_STEPS 6
#define FLOW_STUCK_MIN   20 /* wait */
#define FLOW_STUCK_BEGAN 10 /* came */
#define FLOW_STUCK_SHARE 20 /* at most one in so many went */
#define FLOW_FREE        10 /* fewer than that are stuck no more */

struct flow_step {
	uint32_t began, left; /* to wait; the queue */
};

struct flow {
	uint64_t waiting;
	uint64_t step;     /* number of the last one in steps */
	uint64_t first_ms; /* counted since; 0: nothing was yet */
	struct flow_step steps[FLOW_STEPS]; /* newest last */
	uint64_t stuck_ms;                  /* since when; 0: it is not */
};

/* Some began to wait, some left, and so many wait now. */
void flow_change(struct flow *f, uint32_t began, uint32_t left,
    uint64_t waiting, uint64_t now_ms);
/* Each minute or so. True: stuck_ms became another. */
bool flow_look(struct flow *f, uint64_t now_ms);
/* What came and went in the last n steps, the present one counted. */
struct flow_step flow_sum(struct flow *f, unsigned n, uint64_t now_ms);
/* Nothing happened for an hour, and nothing waits. */
bool flow_is_idle(struct flow *f, uint64_t now_ms);

enum flow_trend {
	FLOW_EMPTY,
	FLOW_SHRINKS, /* empty_ms is when it will be empty, as it goes on */
	FLOW_STILL,   /* nothing comes, nothing goes */
	FLOW_STEADY,  /* as much comes as goes */
	FLOW_GROWS,
};
struct flow_forecast {
	enum flow_trend trend;
	uint64_t empty_ms;
	/* In an hour, at the pace of the last 15 to 20 minutes (or since it began). */
	uint64_t began, left;
};
struct flow_forecast flow_forecast(struct flow *f, uint64_t now_ms);
