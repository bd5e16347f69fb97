/* SPDX-License-Identifier: ISC */
/*
 * watch_alert.c - maintenance, parents, incidents.
 *
 * The difficulty is that a child may see the outage before its parent does.
 * So a child's first failure has its parents probed, and so has its verdict
 * (a lost packet may have brought the first failure forward). What it wants
 * told waits until each parent was seen well after the verdict, or until
 * hold_ms is over. When a parent comes back, its children must show anew
 * that they are down. One level is enough: a silenced child is down all the
 * same, and so it silences its own children.
 */
#include "proto/watch/watch_alert.h"

#include <stdio.h>

#define HOLD_MS   60000
#define GRACE_MS  60000
#define REOPEN_MS (30u * 60 * 1000)
#define SLOW_MS   (5u * 60 * 1000)

bool
watch_window_contains(const struct watch_window *w, uint64_t at_ms)
{
	uint64_t t = at_ms - w->from_ms;

	if (at_ms < w->from_ms)
		return false;
	return (w->every_ms > 0 ? t % w->every_ms : t) < w->length_ms;
}

void
watch_set_init(struct watch_set *set, struct watch_check *checks, size_t n)
{
	ASSERT(n <= WATCH_CHECKS_MAX);
	*set = (struct watch_set){ .checks = checks,
		.n = n,
		.hold_ms = HOLD_MS,
		.grace_ms = GRACE_MS,
		.reopen_ms = REOPEN_MS,
		.slow_ms = SLOW_MS };
}

/* Depth first from one check; each is visited once. */
static bool
can_reach(const struct watch_set *set, size_t from, size_t to)
{
	uint16_t stack[WATCH_CHECKS_MAX];
	bool is_seen[WATCH_CHECKS_MAX] = { false };
	size_t n = 0;

	stack[n++] = (uint16_t)from;
	is_seen[from] = true;
	while (n > 0) {
		const struct watch_check *c = &set->checks[stack[--n]];

		if (c == &set->checks[to])
			return true;
		for (size_t i = 0; i < c->n_parents; i++) {
			if (is_seen[c->parents[i]])
				continue;
			is_seen[c->parents[i]] = true;
			stack[n++] = c->parents[i];
		}
	}
	return false;
}

bool
watch_set_parents(
    struct watch_set *set, size_t check, const uint16_t *parents, size_t n)
{
	struct watch_check *c = &set->checks[check];

	ASSERT(check < set->n && n <= WATCH_PARENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		ASSERT(parents[i] < set->n);
		if (can_reach(set, parents[i], check))
			return false;
	}
	if (n > 0)
		memcpy(c->parents, parents, n * sizeof(*parents));
	c->n_parents = (uint8_t)n;
	return true;
}

bool
watch_check_is_maintained(const struct watch_check *c, uint64_t at_ms)
{
	for (size_t i = 0; i < c->n_windows; i++)
		if (watch_window_contains(&c->windows[i], at_ms))
			return true;
	return false;
}

/* What was down because of a parent that came back must show it is not. */
static void
doubt_children(struct watch_set *set, size_t parent, uint64_t now_ms)
{
	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < set->checks[i].n_parents; k++)
			if (set->checks[i].parents[k] == parent)
				watch_state_doubt(
				    &set->checks[i].state, now_ms);
}

static void
note_events(
    struct watch_set *set, size_t check, const struct watch_events *events)
{
	struct watch_check *c = &set->checks[check];

	for (size_t i = 0; i < events->n; i++) {
		const struct watch_event *e = &events->v[i];

		memcpy(c->reason, e->reason, sizeof(c->reason));
		if (e->kind == WATCH_CHANGED && e->from != WATCH_UP &&
		    e->to != WATCH_UNKNOWN && e->to != WATCH_DOWN)
			doubt_children(set, check, e->at_ms);
	}
}

/* Down, and it answers again. */
static bool
is_returning(const struct watch_state *s)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict == WATCH_DOWN &&
		    s->vantages[i].good_run > 0)
			return true;
	return false;
}

/* What fails, or comes back, is rarely alone: people are told of it in one message when
 * it is found at the same time. */
static void
poke_group(struct watch_set *set, size_t check, uint64_t now_ms)
{
	uint16_t group = set->checks[check].group;

	for (size_t i = 0; group != 0 && i < set->n; i++)
		if (i != check && set->checks[i].group == group)
			watch_state_poke(&set->checks[i].state, now_ms);
}

bool
watch_set_result(struct watch_set *set, size_t check, size_t vantage,
    const struct watch_result *r, struct watch_events *ret)
{
	struct watch_check *c = &set->checks[check];
	bool was_suspected = watch_state_is_suspected(&c->state);
	bool was_returning = is_returning(&c->state);
	enum watch_status before = c->state.status;
	bool is_taken = watch_state_result(&c->state, vantage, r, ret);

	note_events(set, check, ret);
	if ((!was_suspected && watch_state_is_suspected(&c->state)) ||
	    (!was_returning && is_returning(&c->state)))
		poke_group(set, check, r->ended_ms);
	if ((!was_suspected && watch_state_is_suspected(&c->state)) ||
	    (before != WATCH_DOWN && c->state.status == WATCH_DOWN))
		for (size_t i = 0; i < c->n_parents; i++)
			watch_state_poke(
			    &set->checks[c->parents[i]].state, r->ended_ms);
	return is_taken;
}

void
watch_set_tick(struct watch_set *set, size_t check, uint64_t now_ms,
    struct watch_events *ret)
{
	watch_state_tick(&set->checks[check].state, now_ms, ret);
	note_events(set, check, ret);
}

/* --- parents -------------------------------------------------------------- */

enum answer { SILENCE, WAIT, SPEAK };

static bool
is_failing(const struct watch_state *s)
{
	return s->status == WATCH_DOWN || s->is_unstable ||
	       (s->status == WATCH_UNKNOWN && s->known == WATCH_DOWN);
}

/* Every vantage point that is heard saw it well in a probe after t. */
static bool
was_seen_after(const struct watch_state *s, uint64_t t)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict != WATCH_UNKNOWN &&
		    s->vantages[i].seen_start_ms <= t)
			return false;
	return s->status != WATCH_UNKNOWN;
}

static enum answer
ask_parent(const struct watch_set *set, const struct watch_state *parent,
    const struct watch_state *child, uint64_t now_ms)
{
	if (is_failing(parent))
		return SILENCE;
	/* It is back; the child may be on its way. */
	if (parent->recovered_ms > 0 &&
	    now_ms < parent->recovered_ms + set->grace_ms)
		return WAIT;
	if (watch_state_is_suspected(parent) ||
	    !was_seen_after(parent, child->decided_ms))
		return WAIT;
	return SPEAK;
}

static enum answer
ask_parents(
    const struct watch_set *set, const struct watch_check *c, uint64_t now_ms)
{
	enum answer all = SPEAK;

	for (size_t i = 0; i < c->n_parents; i++)
		all =
		    MIN(all, ask_parent(set, &set->checks[c->parents[i]].state,
				 &c->state, now_ms));
	if (all == WAIT && now_ms > c->state.decided_ms + set->hold_ms) {
		/* Only a parent that came back may still be waited for. */
		for (size_t i = 0; i < c->n_parents; i++) {
			uint64_t t =
			    set->checks[c->parents[i]].state.recovered_ms;

			if (t > 0 && now_ms < t + set->grace_ms)
				return WAIT;
		}
		return SPEAK;
	}
	return all;
}

bool
watch_check_is_masked(const struct watch_set *set, size_t check)
{
	const struct watch_check *c = &set->checks[check];

	ASSERT(check < set->n);
	for (size_t i = 0; i < c->n_parents; i++)
		if (is_failing(&set->checks[c->parents[i]].state))
			return true;
	return false;
}

/* --- telling -------------------------------------------------------------- */

/* Slow answers, a certificate that ends: what somebody can do something about.
 * Lost packets, and failures that a few see, are for the page alone. */
static bool
is_slow(const struct watch_state *s)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict == WATCH_DEGRADED &&
		    s->vantages[i].slow_run >= s->config.slow_after)
			return true;
	return false;
}

static enum watch_told
what_is_true(
    const struct watch_set *set, const struct watch_check *c, uint64_t now_ms)
{
	const struct watch_state *s = &c->state;

	/* Nothing new is known: what was told stands. */
	if (s->status == WATCH_UNKNOWN)
		return c->told;
	if (s->is_unstable)
		return WATCH_TOLD_UNSTABLE;
	if (s->status == WATCH_DOWN)
		return WATCH_TOLD_DOWN;
	if (s->status != WATCH_DEGRADED)
		return WATCH_TOLD_FINE;
	if (c->told == WATCH_TOLD_DEGRADED)
		return c->told;
	/* After an outage it is better news, and told at once. */
	if (!is_slow(s) || (c->told == WATCH_TOLD_FINE &&
			       now_ms < s->decided_ms + set->slow_ms))
		return WATCH_TOLD_FINE;
	return WATCH_TOLD_DEGRADED;
}

static void
tell(struct watch_set *set, struct watch_check *c, enum watch_told now,
    uint64_t now_ms, struct watch_alert *ret)
{
	bool is_new =
	    c->told == WATCH_TOLD_FINE &&
	    (c->incident == 0 || now_ms > c->fine_since_ms + set->reopen_ms);

	c->incident += is_new;
	*ret = (struct watch_alert){ .check = (uint16_t)(c - set->checks),
		.now = now,
		.before = c->told,
		.is_new = is_new,
		.incident = c->incident,
		.since_ms = c->state.since_ms,
		.at_ms = now_ms,
		.cause = watch_state_cause(&c->state) };
	memcpy(ret->reason, c->reason, sizeof(ret->reason));
	c->told = now;
	if (now == WATCH_TOLD_FINE)
		c->fine_since_ms = now_ms;
}

bool
watch_set_has_alert(const struct watch_set *set, size_t check, uint64_t now_ms,
    enum watch_told *ret)
{
	const struct watch_check *c = &set->checks[check];
	enum watch_told now;

	ASSERT(check < set->n);
	now = what_is_true(set, c, now_ms);
	if (now == c->told)
		return false;
	*ret = now;
	if (now == WATCH_TOLD_FINE ||
	    (now == WATCH_TOLD_DEGRADED && c->told != WATCH_TOLD_FINE))
		return true;
	return !watch_check_is_maintained(c, now_ms) &&
	       (c->state.status != WATCH_DOWN ||
		   watch_state_is_proven(&c->state)) &&
	       ask_parents(set, c, now_ms) == SPEAK;
}

bool
watch_set_alert(struct watch_set *set, size_t check, uint64_t now_ms,
    struct watch_alert *ret)
{
	enum watch_told now;

	if (!watch_set_has_alert(set, check, now_ms, &now))
		return false;
	tell(set, &set->checks[check], now, now_ms, ret);
	return true;
}
