/* SPDX-License-Identifier: ISC */
/* breaker.c - open, canary, closed again. See breaker.h. */
#include "send/route/breaker.h"

enum breaker_answer
breaker_ask(const struct breaker *b, uint64_t now_ms)
{
	if (!b->is_open)
		return BREAKER_FREE;
	if (b->is_forced || now_ms < b->next_ms)
		return BREAKER_SHUT;
	return BREAKER_CANARY;
}

void
breaker_canary(struct breaker *b, uint64_t now_ms)
{
	b->has_canary = true;
	b->next_ms = now_ms + BREAKER_CANARY_MS;
}

/* Up to an eighth longer, so that many breakers do not act at once. */
static void
wait_on(struct breaker *b, uint64_t now_ms, uint32_t random)
{
	b->has_canary = false;
	b->next_ms =
	    now_ms + b->pause_ms + b->pause_ms / 8 * random / UINT32_MAX;
}

bool
breaker_refused(struct breaker *b, const struct breaker_pace *p,
    bool was_canary, uint64_t now_ms, uint32_t random)
{
	bool was_open = b->is_open;
	bool is_again = b->closed_ms > 0 && !breaker_is_over(b, p, now_ms);

	if (b->is_forced)
		return false;
	/* Others that were under way when it opened say nothing new. */
	if (was_open && !was_canary)
		return false;
	if (was_open || is_again)
		b->pause_ms = MIN(MAX(b->pause_ms, p->first_ms) * 2, p->max_ms);
	else
		b->pause_ms = p->first_ms;
	b->is_open = true;
	if (!was_open)
		b->since_ms = now_ms;
	wait_on(b, now_ms, random);
	return !was_open;
}

void
breaker_unsure(struct breaker *b, uint64_t now_ms)
{
	if (b->is_open && !b->is_forced)
		wait_on(b, now_ms, 0);
}

void
breaker_close(struct breaker *b, uint64_t now_ms)
{
	b->is_open = b->is_forced = b->has_canary = false;
	b->closed_ms = now_ms;
}

void
breaker_force(struct breaker *b, uint64_t now_ms)
{
	if (!b->is_open)
		b->since_ms = now_ms;
	b->is_open = b->is_forced = true;
	b->has_canary = false;
	b->next_ms = 0;
}

bool
breaker_is_over(
    const struct breaker *b, const struct breaker_pace *p, uint64_t now_ms)
{
	return !b->is_open && now_ms > b->closed_ms + p->max_ms;
}
