/* SPDX-License-Identifier: ISC */
/*
 * schedule.c - pauses that grow. See schedule.h.
 *
 * With 3 minutes at first and 2 hours at most the attempts of five days come
 * after 3, 8, 14, 24, 40 minutes, 1, 1.6, 2.5, 3.8 hours, then every 2 hours: soon
 * enough for greylisting and restarts, and slow enough to be no burden.
 */
#include "send/queue/schedule.h"

/* Beyond this many factors of 3/2 any pause is at its maximum. */
#define STEPS_MAX 60

static uint64_t
pause_of(const struct schedule *s, uint32_t attempts)
{
	uint64_t pause = s->first_ms;

	for (uint32_t i = 1; i < MIN(attempts, STEPS_MAX); i++) {
		if (pause >= s->max_ms)
			break;
		pause += pause / 2;
	}
	return MIN(pause, s->max_ms);
}

struct schedule
schedule_with(const struct schedule *s, struct retry_rule rule)
{
	struct schedule with = *s;
	uint64_t *const times[] = { [RETRY_TIME_FIRST] = &with.first_ms,
		[RETRY_TIME_MAX] = &with.max_ms,
		[RETRY_TIME_EXPIRE] = &with.expire_ms,
		[RETRY_TIME_DELAY] = &with.delay_ms };

	for (size_t i = 0; i < RETRY_TIMES; i++)
		if (rule.set & 1U << i)
			*times[i] = rule.v[i] * UINT64_C(1000);
	return with;
}

uint64_t
schedule_end(const struct schedule *s, const struct schedule_entry *e)
{
	uint64_t end = e->arrival_ms + s->expire_ms;

	if (e->is_returned && e->deliver_by > 0)
		end = MIN(end, e->deliver_by * 1000);
	return end;
}

bool
schedule_is_over(
    const struct schedule *s, const struct schedule_entry *e, uint64_t now_ms)
{
	return now_ms >= schedule_end(s, e);
}

uint64_t
schedule_next(const struct schedule *s, const struct schedule_entry *e,
    uint64_t now_ms, uint32_t random)
{
	uint64_t pause = pause_of(s, e->attempts);
	uint64_t spread = pause / 4;
	uint64_t end = schedule_end(s, e), by_ms = e->deliver_by * 1000;

	pause = pause - spread / 2 + spread * random / UINT32_MAX;

	if (now_ms < end && now_ms + pause > end)
		return end;
	/* Its sender is to hear in time that it is late. */
	if (!e->is_returned && !e->is_delay_told && now_ms < by_ms &&
	    now_ms + pause > by_ms)
		return by_ms;
	return now_ms + MAX(pause, 1);
}

bool
schedule_is_late(
    const struct schedule *s, const struct schedule_entry *e, uint64_t now_ms)
{
	if (e->is_delay_told)
		return false;
	/* RFC 2852 section 4.1.4.2: with N the time is the sender's own. */
	if (e->deliver_by > 0 && !e->is_returned &&
	    now_ms >= e->deliver_by * 1000)
		return true;
	return s->delay_ms > 0 && now_ms >= e->arrival_ms + s->delay_ms;
}
