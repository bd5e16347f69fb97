/* SPDX-License-Identifier: ISC */
/* plan.c - which way now. See plan.h. */
#include "send/route/plan.h"

static void
add_ways(struct plan *p, const struct route *r, struct str password,
    bool is_fallback)
{
	uint16_t first =
	    p->n > 0 ? (uint16_t)(p->ways[p->n - 1].way.order + 1) : 0;

	for (size_t i = 0; i < r->n_ways; i++) {
		struct plan_way *w = &p->ways[p->n++];

		*w = (struct plan_way){ r->ways[i], password, is_fallback };
		w->way.order += first;
	}
}

static void
add_item(struct plan *p, const struct route_item *item, bool is_fallback)
{
	struct route r;

	if (route_text_parse(str_c(item->text), &r))
		add_ways(p, &r, str_c(item->password), is_fallback);
}

static bool
is_hold(const struct plan *p)
{
	return p->n > 0 && p->ways[0].way.kind == ROUTE_HOLD;
}

enum route_answer
plan_make(const struct routes *r, const struct route_query *q, struct plan *ret)
{
	static const struct route direct = {
		.ways = { { .kind = ROUTE_DIRECT, .weight = ROUTE_WEIGHT } },
		.n_ways = 1,
	};
	const struct route_item *fallback = route_fallback(r);
	enum route_answer answer;

	ret->item = NULL;
	ret->n = 0;
	answer = route_find(r, q, &ret->item);
	if (answer == ROUTE_FOUND)
		add_item(ret, ret->item, false);
	else if (answer == ROUTE_NONE)
		add_ways(ret, &direct, STR_NONE, false);
	/* What is held on purpose has no other way. */
	if (fallback != NULL && ret->n > 0 && !is_hold(ret))
		add_item(ret, fallback, true);
	return answer;
}

void
plan_make_own(const struct route *r, struct plan *ret)
{
	ret->item = NULL;
	ret->n = 0;
	add_ways(ret, r, STR_NONE, false);
}

/* --- choosing ------------------------------------------------------------------ */

/* By weight, among the free ways of one order; false: there are none. */
static bool
choose(const struct plan *p, const enum way_state *states, uint16_t order,
    uint32_t random, size_t *ret)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->ways[i].way.order == order && states[i] == WAY_FREE)
			sum += p->ways[i].way.weight;
	if (sum == 0)
		return false;
	random %= sum;
	for (size_t i = 0; i < p->n; i++) {
		const struct route_way *w = &p->ways[i].way;

		if (w->order != order || states[i] != WAY_FREE)
			continue;
		if (random < w->weight) {
			*ret = i;
			return true;
		}
		random -= w->weight;
	}
	return false;
}

enum plan_answer
plan_pick(const struct plan *p, const enum way_state *states, uint32_t random,
    size_t *ret_way)
{
	bool has_shut = false;

	for (size_t i = 0; i < p->n; i++) {
		uint16_t order = p->ways[i].way.order;

		if (i > 0 && order == p->ways[i - 1].way.order)
			continue;
		for (size_t j = i; j < p->n && p->ways[j].way.order == order;
		     j++) {
			if (states[j] == WAY_CANARY) {
				*ret_way = j;
				return PLAN_CANARY;
			}
			has_shut |= states[j] == WAY_SHUT;
		}
		if (choose(p, states, order, random, ret_way))
			return has_shut ? PLAN_DETOUR : PLAN_GO;
	}
	return PLAN_WAIT;
}
