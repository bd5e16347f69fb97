/* SPDX-License-Identifier: ISC */
/*
 * pace.c - additive increase, multiplicative decrease. See pace.h.
 */
#include "send/queue/pace.h"

#define ONE       16U
#define STEPS_MAX 20

bool
pace_is_closed(const struct pace *p, uint64_t now_ms)
{
	return now_ms < p->closed_until_ms;
}

bool
pace_is_proven(const struct pace *p)
{
	return p->answered_ms > 0 && p->failures == 0;
}

bool
pace_may_open(
    const struct pace *p, const struct pace_limits *l, uint64_t now_ms)
{
	uint32_t limit = pace_is_proven(p) ? MAX(p->limit16 / ONE, 1) : 1;

	return !pace_is_closed(p, now_ms) && p->open < MIN(limit, l->max);
}

void
pace_begin(struct pace *p)
{
	p->open++;
}

void
pace_opened(struct pace *p, const struct pace_limits *l, uint64_t now_ms)
{
	if (!pace_is_proven(p))
		p->limit16 = MAX(p->limit16, l->first * ONE);
	p->limit16 = MIN(p->limit16, l->max * ONE);
	p->failures = 0;
	p->closed_until_ms = 0;
	p->answered_ms = MAX(now_ms, 1);
}

/* By one each time that all connections delivered one message. */
void
pace_delivered(struct pace *p, const struct pace_limits *l)
{
	uint32_t limit = MAX(p->limit16 / ONE, 1);

	p->limit16 = MIN(p->limit16 + MAX(ONE / limit, 1), l->max * ONE);
}

void
pace_end(struct pace *p)
{
	ASSERT(p->open > 0);
	p->open--;
}

bool
pace_failed(struct pace *p, const struct pace_limits *l, uint64_t now_ms,
    uint32_t random)
{
	uint64_t pause = l->pause_ms, spread;

	pace_end(p);
	p->limit16 = MAX(p->limit16 / 2, ONE);
	if (p->open > 0)
		return false;
	for (uint32_t i = 0; i < MIN(p->failures, STEPS_MAX); i++)
		pause = MIN(pause * 2, l->pause_max_ms);
	spread = pause / 4;
	p->failures++;
	p->closed_until_ms = now_ms + pause + spread * random / UINT32_MAX;
	return true;
}

uint32_t
spare_room(struct spare *s, uint32_t want, uint64_t now_ms)
{
	if (now_ms >= s->turn_end_ms) {
		s->turn_end_ms = now_ms + SPARE_TURN_MS;
		s->left = SPARE_TURN;
	}
	return MIN(want, s->left);
}

void
spare_take(struct spare *s, uint32_t n)
{
	s->left -= MIN(n, s->left);
}
