/* SPDX-License-Identifier: ISC */
/* way.c - the order of ways, and pauses. See way.h. */
#include "watch/outbox/way.h"

#define PAUSE_MAX_MS (15ULL * 60 * 1000)
#define DOUBLINGS    20 /* above it the limit counts anyway */
/* Of the first round, and at most. */
#define WHOLE_MS      10000
#define WHOLE_MAX_MS  180000
#define LOOKUP_MS     3000
#define LOOKUP_MAX_MS 30000

static size_t
add_relays(const struct way *relays, size_t n, bool is_down, struct way *to)
{
	size_t k = 0;

	for (size_t i = 0; i < MIN(n, WAY_RELAYS_MAX); i++)
		if (relays[i].is_down == is_down)
			to[k++] = relays[i];
	return k;
}

size_t
way_order(const struct way_wish *wish, struct way ret[WAYS_MAX])
{
	size_t k = add_relays(wish->relays, wish->n, false, ret);

	if (wish->is_direct && !wish->is_blind)
		ret[k++] = (struct way){ .kind = WAY_DIRECT };
	k += add_relays(wish->relays, wish->n, true, ret + k);
	if (wish->is_direct && wish->is_blind)
		ret[k++] = (struct way){ .kind = WAY_DIRECT };
	if (k == 0 || wish->round >= WAY_QUEUE_ROUND)
		ret[k++] = (struct way){ .kind = WAY_QUEUE };
	return k;
}

uint64_t
way_pause_ms(uint32_t round, uint64_t base_ms, uint32_t random)
{
	uint64_t pause = base_ms << MIN(MAX(round, 1) - 1, DOUBLINGS);
	uint64_t fifth;

	pause = MIN(pause, MAX(PAUSE_MAX_MS, base_ms));
	fifth = pause / 5;
	return pause - fifth + (fifth > 0 ? random % (2 * fifth + 1) : 0);
}

struct way_limits
way_limits(uint32_t round)
{
	uint64_t more = 1ULL << MIN(round, DOUBLINGS);

	return (struct way_limits){ .whole_ms = (uint32_t)MIN(
					WHOLE_MS * more, WHOLE_MAX_MS),
		.lookup_ms = (uint32_t)MIN(LOOKUP_MS * more, LOOKUP_MAX_MS) };
}

uint32_t
way_share_ms(uint32_t left_ms, size_t n)
{
	return MAX(n > 1 ? left_ms / 2 : left_ms, 1);
}
