/* SPDX-License-Identifier: ISC */
/*
 * watch_vantage.c - runs of results, and the verdict that follows from them.
 *
 * Four runs are counted: failures, answers, slow answers, fast answers. A
 * verdict needs a run of its kind; so both ways there is hysteresis, and one
 * lost packet is no more than a reason to look again.
 */
#include "proto/watch/watch_vantage.h"

/* The longest that any of the times may be; sums stay below 2^32. */
#define TIME_MAX_MS (14u * 86400 * 1000)
/* Between two probes, when the first took longer than its place in the plan. */
#define RECHECK_MIN_MS 1000
/* What may come late, of what is due. */
#define STALE_SPARE_MS   40000
#define CONFIRM_SPARE_MS 10000

struct watch_config
watch_config_default(void)
{
	/*
	 * Worst case of an outage with time-outs: 30 s until the next probe,
	 * 5 s for it, 15 s until the second re-check, 5 s for that: 55 s.
	 */
	return (struct watch_config){
		.interval_ms = 30000,
		.timeout_ms = 5000,
		.lag_ms = 2000,
		.stale_ms = 100000,
		.confirm_ms = 120000,
		.recheck_ms = { 5000, 15000, 30000 },
		.down_after = 3,
		.up_after = 2,
		.slow_after = 3,
		.loss_high = 9,
		.loss_low = 3,
		.flap_high = 5,
		.flap_low = 1,
		.flap_ms = 3600 * 1000,
	};
}

void
watch_config_confirm(struct watch_config *c, uint32_t ms)
{
	uint32_t runs = MAX(c->down_after, WATCH_RECHECKS + 1u);

	c->recheck_ms[0] = ms / 3;
	c->recheck_ms[1] = ms;
	c->recheck_ms[2] = ms * 2;
	/* Behind the third re-check each comes this time after the last one. */
	c->confirm_ms =
	    MAX(c->confirm_ms, runs * (ms + c->timeout_ms) + CONFIRM_SPARE_MS);
	c->stale_ms = MAX(c->stale_ms,
	    2 * MAX(c->interval_ms, ms) + c->timeout_ms + STALE_SPARE_MS);
}

void
watch_config_loss(struct watch_config *c, uint32_t percent)
{
	uint32_t high = (WATCH_LOSS_WINDOW * percent + 50) / 100;

	c->loss_high = (uint8_t)MIN(MAX(high, 1u), WATCH_LOSS_WINDOW);
	c->loss_low = c->loss_high / 3;
}

static bool
runs_are_sane(const struct watch_config *c)
{
	return c->down_after > 0 && c->down_after <= 100 && c->up_after > 0 &&
	       c->up_after <= 100 && c->slow_after > 0 &&
	       c->slow_after <= 100 && c->loss_low < c->loss_high &&
	       c->loss_high <= WATCH_LOSS_WINDOW && c->flap_low < c->flap_high;
}

bool
watch_config_is_sane(const struct watch_config *c)
{
	uint32_t last = 0;

	for (size_t i = 0; i < WATCH_RECHECKS; i++) {
		if (c->recheck_ms[i] <= last || c->recheck_ms[i] > TIME_MAX_MS)
			return false;
		last = c->recheck_ms[i];
	}
	return runs_are_sane(c) && c->interval_ms > 0 &&
	       c->interval_ms <= TIME_MAX_MS && c->timeout_ms > 0 &&
	       c->timeout_ms <= TIME_MAX_MS && c->lag_ms <= TIME_MAX_MS &&
	       /* Or each wait for a regular result would be an unknown. */
	       c->stale_ms >=
	           (uint64_t)c->interval_ms + c->timeout_ms + c->lag_ms &&
	       c->stale_ms <= 3 * TIME_MAX_MS && c->confirm_ms >= last &&
	       c->confirm_ms <= TIME_MAX_MS && c->flap_ms > 0 &&
	       c->flap_ms <= TIME_MAX_MS;
}

void
watch_vantage_init(struct watch_vantage *v, uint8_t network, uint64_t due_ms)
{
	*v = (struct watch_vantage){ .network = network, .due_ms = due_ms };
}

bool
watch_vantage_is_suspected(const struct watch_vantage *v)
{
	return v->bad_run > 0 && v->verdict != WATCH_DOWN;
}

/* The verdict is down, or was before the watcher lost sight of it. */
static bool
must_prove_itself(const struct watch_vantage *v)
{
	return v->verdict == WATCH_DOWN ||
	       (v->verdict == WATCH_UNKNOWN && v->was_down);
}

static void
set_verdict(
    struct watch_vantage *v, enum watch_status verdict, uint64_t since_ms)
{
	if (v->verdict == verdict)
		return;
	v->verdict = verdict;
	v->since_ms = MAX(since_ms, v->since_ms);
	if (verdict != WATCH_UNKNOWN)
		v->was_down = verdict == WATCH_DOWN;
}

/* What was unknown stays so until the result is there. */
static uint64_t
first_sign(const struct watch_vantage *v, const struct watch_result *r)
{
	return v->verdict == WATCH_UNKNOWN ? r->ended_ms : r->started_ms;
}

/* One more of a run; the first one says since when. */
static void
run_grow(uint8_t *run, uint64_t *since_ms, uint64_t at_ms)
{
	if (*run == 0)
		*since_ms = at_ms;
	if (*run < UINT8_MAX)
		(*run)++;
}

static void
count_loss(
    struct watch_vantage *v, const struct watch_config *c, bool is_failure)
{
	unsigned lost;

	v->losses =
	    (v->losses << 1 | is_failure) & ((1u << WATCH_LOSS_WINDOW) - 1);
	v->samples = (uint8_t)MIN(v->samples + 1, WATCH_LOSS_WINDOW);
	lost = (unsigned)__builtin_popcount(v->losses);
	if (lost >= c->loss_high)
		v->is_lossy = true;
	else if (lost <= c->loss_low)
		v->is_lossy = false;
}

static void
take_failure(struct watch_vantage *v, const struct watch_config *c,
    const struct watch_result *r)
{
	if (v->verdict != WATCH_DOWN && v->bad_run > 0 &&
	    r->ended_ms > v->bad_since_ms + c->confirm_ms)
		v->bad_run = 0;
	if (v->bad_run == 0)
		v->bad_ended_ms = r->ended_ms;
	run_grow(&v->bad_run, &v->bad_since_ms, first_sign(v, r));
	v->good_run = 0;
	v->fast_run = 0;
	v->slow_run = 0;
	v->cause = r->cause;
	if (v->bad_run >= c->down_after)
		set_verdict(v, WATCH_DOWN, v->bad_since_ms);
	else if (v->verdict == WATCH_UP && v->is_lossy)
		set_verdict(v, WATCH_DEGRADED, r->started_ms);
}

/* It answers; which of the two verdicts of the living? */
static void
choose_speed(struct watch_vantage *v, const struct watch_config *c)
{
	if (v->slow_run >= c->slow_after) {
		set_verdict(v, WATCH_DEGRADED, v->slow_since_ms);
		return;
	}
	if (v->is_lossy && v->verdict != WATCH_DEGRADED) {
		set_verdict(v, WATCH_DEGRADED, v->seen_start_ms);
		return;
	}
	if (v->verdict == WATCH_DEGRADED &&
	    (v->is_lossy || v->fast_run < c->slow_after))
		return;
	set_verdict(v, WATCH_UP,
	    v->verdict == WATCH_DEGRADED ? v->fast_since_ms : v->good_since_ms);
}

static void
take_answer(struct watch_vantage *v, const struct watch_config *c,
    const struct watch_result *r)
{
	v->bad_run = 0;
	run_grow(&v->good_run, &v->good_since_ms, first_sign(v, r));
	if (r->outcome == WATCH_SLOW) {
		run_grow(&v->slow_run, &v->slow_since_ms, first_sign(v, r));
		v->fast_run = 0;
	} else {
		run_grow(&v->fast_run, &v->fast_since_ms, first_sign(v, r));
		v->slow_run = 0;
	}
	if (must_prove_itself(v)) {
		if (v->good_run < c->up_after)
			return;
		/* The losses of the outage are not those of what follows. */
		v->losses = 0;
		v->is_lossy = false;
	}
	choose_speed(v, c);
}

static uint64_t
next_due(const struct watch_vantage *v, const struct watch_config *c,
    const struct watch_result *r)
{
	const uint32_t *recheck = c->recheck_ms;
	uint64_t regular = r->started_ms + c->interval_ms;

	if (watch_vantage_is_suspected(v)) {
		if (r->outcome == WATCH_INCONCLUSIVE ||
		    v->bad_run > WATCH_RECHECKS)
			return r->ended_ms + recheck[WATCH_RECHECKS - 1] -
			       recheck[WATCH_RECHECKS - 2];
		return MAX(v->bad_ended_ms + recheck[v->bad_run - 1],
		    r->ended_ms + RECHECK_MIN_MS);
	}
	if (must_prove_itself(v) && v->good_run > 0 &&
	    r->outcome != WATCH_INCONCLUSIVE)
		return r->ended_ms + MIN(c->interval_ms, recheck[0]);
	return regular > r->ended_ms ? regular : r->ended_ms + c->interval_ms;
}

static bool
is_conclusive(const struct watch_config *c, const struct watch_result *r)
{
	uint64_t took = r->ended_ms - r->started_ms;

	if (r->outcome == WATCH_FAILED)
		return took <= (uint64_t)c->timeout_ms + c->lag_ms;
	return r->outcome != WATCH_INCONCLUSIVE;
}

bool
watch_vantage_result(struct watch_vantage *v, const struct watch_config *c,
    const struct watch_result *r)
{
	struct watch_result mine = *r;

	ASSERT(r->started_ms <= r->ended_ms);
	if (r->ended_ms < v->result_ms || r->started_ms < v->seen_ms)
		return false;
	v->result_ms = r->ended_ms;
	watch_vantage_expire(v, c, r->ended_ms);
	if (!is_conclusive(c, r)) {
		mine.outcome = WATCH_INCONCLUSIVE;
		v->due_ms = next_due(v, c, &mine);
		return true;
	}
	v->seen_ms = r->ended_ms;
	v->seen_start_ms = r->started_ms;
	count_loss(v, c, r->outcome == WATCH_FAILED);
	if (r->outcome == WATCH_FAILED)
		take_failure(v, c, r);
	else
		take_answer(v, c, r);
	v->due_ms = next_due(v, c, r);
	return true;
}

void
watch_vantage_forget(struct watch_vantage *v)
{
	set_verdict(v, WATCH_UNKNOWN, v->seen_ms);
	v->bad_run = 0;
	v->good_run = 0;
	v->slow_run = 0;
	v->fast_run = 0;
	v->losses = 0;
	v->samples = 0;
	v->is_lossy = false;
}

void
watch_vantage_doubt(struct watch_vantage *v, uint64_t now_ms)
{
	if (v->verdict != WATCH_DOWN)
		return;
	v->bad_run = 0;
	v->due_ms = MIN(v->due_ms, now_ms);
}

bool
watch_vantage_expire(
    struct watch_vantage *v, const struct watch_config *c, uint64_t now_ms)
{
	bool was_known = v->verdict != WATCH_UNKNOWN;

	if (v->seen_ms == 0 || now_ms <= v->seen_ms + c->stale_ms)
		return false;
	watch_vantage_forget(v);
	return was_known;
}

uint64_t
watch_vantage_settled_ms(const struct watch_vantage *v)
{
	uint64_t t = v->seen_ms;

	if (watch_vantage_is_suspected(v))
		t = MIN(t, v->bad_since_ms);
	if (must_prove_itself(v) && v->good_run > 0)
		t = MIN(t, v->good_since_ms);
	if (v->verdict == WATCH_UP && v->slow_run > 0)
		t = MIN(t, v->slow_since_ms);
	if (v->verdict == WATCH_DEGRADED && v->fast_run > 0)
		t = MIN(t, v->fast_since_ms);
	return t;
}
