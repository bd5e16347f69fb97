/* SPDX-License-Identifier: ISC */
/*
 * plan.h - the ways that a mail may take, in order, and which one of them it
 * takes now.
 *
 * The plan is made of its route, and behind that of the operator's fall-back
 * for everybody. What is known of each way comes from outside (breakers, SPF).
 *
 * Pure: no look-ups, no clock.
 */
#pragma once

#include "send/route/route.h"

#define PLAN_WAYS_MAX ((size_t)2 * ROUTE_WAYS_MAX)

struct plan_way {
	struct route_way way;
	struct str password;
	bool is_fallback; /* of everybody's */
};

/* Strings live until the routes change. */
struct plan {
	const struct route_item *item; /* NULL: none fits */
	struct plan_way ways[PLAN_WAYS_MAX];
	size_t n;
};

/*
 * ROUTE_FOUND and ROUTE_NONE: *ret has at least one way. ROUTE_NOWHERE: it has
 * none. ROUTE_NEEDS_MX: it is not made.
 */
enum route_answer plan_make(const struct routes *r, const struct route_query *q,
    struct plan *ret) WARN_UNUSED;
/* The plan of one route by itself: an operator said where this mail goes. */
void plan_make_own(const struct route *r, struct plan *ret);

enum way_state {
	WAY_FREE,
	WAY_CANARY,    /* refused lately; one message should try it again */
	WAY_SHUT,      /* refused lately */
	WAY_FORBIDDEN, /* not for this sender */
};

enum plan_answer {
	PLAN_GO,     /* this way */
	PLAN_DETOUR, /* this way, because a better one is shut */
	PLAN_CANARY, /* one recipient this way; for the others ask again */
	PLAN_WAIT,   /* there is none now */
};

/* states: of each way. random: any number. */
enum plan_answer plan_pick(const struct plan *p, const enum way_state *states,
    uint32_t random, size_t *ret_way);
