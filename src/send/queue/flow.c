/* SPDX-License-Identifier: ISC */
/* flow.c - what waits for one destination. See flow.h. */
#include "send/queue/flow.h"

#define PACE_STEPS 4       /* a pace is that of */
#define PACE_LEAST 60000   /* ms; or of so long at least */
#define HOUR_MS    3600000 /* of a pace */

static void
turn(struct flow *f, uint64_t now_ms)
{
	uint64_t step = now_ms / FLOW_STEP_MS, by;

	if (step <= f->step)
		return;
	by = MIN(step - f->step, (uint64_t)FLOW_STEPS);
	memmove(&f->steps[0], &f->steps[by],
	    (FLOW_STEPS - by) * sizeof(f->steps[0]));
	memset(&f->steps[FLOW_STEPS - by], 0, by * sizeof(f->steps[0]));
	f->step = step;
}

void
flow_change(struct flow *f, uint32_t began, uint32_t left, uint64_t waiting,
    uint64_t now_ms)
{
	struct flow_step *now = &f->steps[FLOW_STEPS - 1];

	turn(f, now_ms);
	if (f->first_ms == 0)
		f->first_ms = now_ms;
	now->began += MIN(began, UINT32_MAX - now->began);
	now->left += MIN(left, UINT32_MAX - now->left);
	f->waiting = waiting;
}

struct flow_step
flow_sum(struct flow *f, unsigned n, uint64_t now_ms)
{
	struct flow_step sum = { 0 };

	turn(f, now_ms);
	for (unsigned i = FLOW_STEPS - n; i < FLOW_STEPS; i++) {
		sum.began += f->steps[i].began;
		sum.left += f->steps[i].left;
	}
	return sum;
}

/* Hardly any of what came went. */
static bool
is_little(const struct flow_step *s)
{
	return (uint64_t)s->left * FLOW_STUCK_SHARE <= s->began;
}

static bool
is_stuck(struct flow *f, uint64_t now_ms)
{
	struct flow_step sum = flow_sum(f, FLOW_STUCK_STEPS + 1, now_ms);
	struct flow_step late = flow_sum(f, 3, now_ms);

	return f->waiting >= FLOW_STUCK_MIN &&
	       now_ms >= f->first_ms + FLOW_STUCK_STEPS * FLOW_STEP_MS &&
	       sum.began >= FLOW_STUCK_BEGAN && is_little(&sum) &&
	       is_little(&late);
}

/* It goes out again: more than comes, in the last quarter of an hour. */
static bool
is_free(struct flow *f, uint64_t now_ms)
{
	struct flow_step sum = flow_sum(f, 3, now_ms);

	return f->waiting < FLOW_FREE ||
	       (sum.left > sum.began && sum.left * 4 >= FLOW_STUCK_BEGAN);
}

bool
flow_look(struct flow *f, uint64_t now_ms)
{
	uint64_t was = f->stuck_ms;

	turn(f, now_ms);
	if (was == 0 && is_stuck(f, now_ms))
		f->stuck_ms =
		    MAX(now_ms - FLOW_STUCK_STEPS * FLOW_STEP_MS, f->first_ms);
	else if (was != 0 && is_free(f, now_ms))
		f->stuck_ms = 0;
	return f->stuck_ms != was;
}

bool
flow_is_idle(struct flow *f, uint64_t now_ms)
{
	struct flow_step sum = flow_sum(f, FLOW_STEPS, now_ms);

	return f->waiting == 0 && sum.began == 0 && sum.left == 0;
}

struct flow_forecast
flow_forecast(struct flow *f, uint64_t now_ms)
{
	struct flow_step sum = flow_sum(f, PACE_STEPS, now_ms);
	uint64_t span = now_ms % FLOW_STEP_MS + (PACE_STEPS - 1) * FLOW_STEP_MS;
	struct flow_forecast r = { .trend = FLOW_EMPTY };

	span = MAX(
	    MIN(span, now_ms - MIN(f->first_ms, now_ms)), (uint64_t)PACE_LEAST);
	r.began = sum.began * (uint64_t)HOUR_MS / span;
	r.left = sum.left * (uint64_t)HOUR_MS / span;
	if (f->waiting == 0)
		return r;
	if (sum.left > sum.began) {
		r.trend = FLOW_SHRINKS;
		r.empty_ms =
		    now_ms + f->waiting * span / (sum.left - sum.began);
	} else if (sum.began > sum.left) {
		r.trend = FLOW_GROWS;
	} else {
		r.trend = sum.began == 0 ? FLOW_STILL : FLOW_STEADY;
	}
	return r;
}
