/* SPDX-License-Identifier: ISC */
/* watch_gather.c - which alerts are told together. See watch_gather.h. */
#include "proto/watch/watch_gather.h"

enum watch_gather_kind
watch_gather_kind_of(enum watch_told told)
{
	return told == WATCH_TOLD_FINE ? WATCH_GATHER_WELL : WATCH_GATHER_BAD;
}

/* It was asked to look, and what it has seen is older. */
static bool
owes_answer(const struct watch_vantage *v)
{
	return v->verdict != WATCH_UNKNOWN && v->asked_ms > v->seen_start_ms;
}

/* It fails, and more failures are needed; or it waits for what its parents say. */
static bool
may_become_bad(
    const struct watch_set *set, const struct watch_check *c, uint64_t now_ms)
{
	if (c->told == WATCH_TOLD_DOWN || c->told == WATCH_TOLD_UNSTABLE ||
	    watch_check_is_maintained(c, now_ms))
		return false;
	for (size_t i = 0; i < c->state.n_vantages; i++)
		if (owes_answer(&c->state.vantages[i]))
			return true;
	return watch_state_is_suspected(&c->state) ||
	       (c->state.status == WATCH_DOWN &&
		   now_ms < c->state.decided_ms + set->hold_ms);
}

static bool
may_become_well(const struct watch_check *c)
{
	if (c->told == WATCH_TOLD_FINE)
		return false;
	for (size_t i = 0; i < c->state.n_vantages; i++) {
		const struct watch_vantage *v = &c->state.vantages[i];

		if (v->verdict == WATCH_DOWN &&
		    (v->good_run > 0 || owes_answer(v)))
			return true;
	}
	return false;
}

void
watch_gather_step(struct watch_gather *g, const struct watch_set *set,
    uint64_t now_ms, bool ret_is_time[WATCH_GATHER_KINDS])
{
	bool waits[WATCH_GATHER_KINDS] = { false };
	bool others[WATCH_GATHER_KINDS] = { false };
	enum watch_told told;

	for (size_t i = 0; i < set->n; i++) {
		if (watch_set_has_alert(set, i, now_ms, &told)) {
			waits[watch_gather_kind_of(told)] = true;
			continue;
		}
		if (watch_check_is_masked(set, i))
			continue;
		others[WATCH_GATHER_BAD] |=
		    may_become_bad(set, &set->checks[i], now_ms);
		others[WATCH_GATHER_WELL] |= may_become_well(&set->checks[i]);
	}
	for (size_t k = 0; k < WATCH_GATHER_KINDS; k++) {
		uint64_t least =
		    others[k] ? WATCH_GATHER_MS : WATCH_GATHER_LEAST_MS;

		if (waits[k] && g->since_ms[k] == 0)
			g->since_ms[k] = MAX(now_ms, 1);
		ret_is_time[k] = waits[k] && now_ms >= g->since_ms[k] + least;
		if (!waits[k] || ret_is_time[k])
			g->since_ms[k] = 0;
	}
}
