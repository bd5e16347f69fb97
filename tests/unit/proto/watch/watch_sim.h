/* SPDX-License-Identifier: ISC */
/*
 * watch_sim.h - a world in simulated time around a set of checks.
 *
 * The world says what is up when; packets get lost by a seeded generator;
 * probes take their time. The watcher itself can be away: then nothing is
 * probed, nothing is heard, and time passes.
 */
#pragma once

#include "proto/watch/watch_gather.h"

#define SIM_CHECKS_MAX   16
#define SIM_VANTAGES_MAX 4
#define SIM_ALERTS_MAX   64
#define SIM_START_MS     UINT64_C(1795392000000)
#define MINUTE_MS        UINT64_C(60000)
#define HOUR_MS          (60 * MINUTE_MS)
#define DAY_MS           (24 * HOUR_MS)

struct sim;
typedef bool sim_is_up(
    const struct sim *w, size_t check, size_t vantage, uint64_t t);

struct sim_probe {
	bool is_flying;
	bool was_lost;
	enum watch_outcome outcome;
	uint64_t start_ms, end_ms;
};

struct sim {
	struct watch_set set;
	struct watch_check checks[SIM_CHECKS_MAX];
	struct sim_probe probes[SIM_CHECKS_MAX][SIM_VANTAGES_MAX];
	uint64_t now_ms;
	uint64_t seed;
	sim_is_up *is_up;
	unsigned loss_ppm;   /* lost packets, of a million */
	bool only_single;    /* never two in a row */
	bool refuses;        /* what is down says so at once */
	uint64_t down_ms[4]; /* from, until, for the world's use */
	uint64_t away_ms[2]; /* the watcher */
	bool gathers;        /* alerts are told together */
	struct watch_gather gather;
	size_t n_mails; /* each with all alerts of one moment and kind */
	size_t n_alerts;
	struct watch_alert alerts[SIM_ALERTS_MAX];
	size_t n_events;
	struct watch_event last_event;
	size_t n_to[WATCH_DOWN + 1]; /* changes to each status */
	uint64_t n_probes;
};

/* xorshift64*: fast, and the same everywhere. */
static inline uint64_t
sim_random(struct sim *w, uint64_t below)
{
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return (w->seed * UINT64_C(2685821657736338717) >> 16) % below;
}

static inline void
sim_init(struct sim *w, size_t checks, size_t vantages, uint64_t seed)
{
	struct watch_config c = watch_config_default();
	uint8_t networks[SIM_VANTAGES_MAX] = { 0, 1, 2, 3 };

	*w = (struct sim){ .now_ms = SIM_START_MS, .seed = seed * 2 + 1 };
	for (size_t i = 0; i < 8; i++)
		sim_random(w, 2);
	watch_set_init(&w->set, w->checks, checks);
	for (size_t i = 0; i < checks; i++) {
		watch_state_init(
		    &w->checks[i].state, &c, networks, vantages, 0);
		for (size_t k = 0; k < vantages; k++)
			w->checks[i].state.vantages[k].due_ms =
			    SIM_START_MS + sim_random(w, c.interval_ms);
	}
}

static inline void
sim_note(struct sim *w, const struct watch_events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		w->last_event = events->v[i];
		w->n_events++;
		if (events->v[i].kind == WATCH_CHANGED)
			w->n_to[events->v[i].to]++;
	}
}

static inline void
sim_start_probe(struct sim *w, size_t check, size_t vantage)
{
	struct sim_probe *p = &w->probes[check][vantage];
	bool is_up = w->is_up(w, check, vantage, w->now_ms);
	bool is_lost = sim_random(w, 1000000) < w->loss_ppm &&
	               !(w->only_single && p->was_lost);
	uint64_t takes = 1 + sim_random(w, 80);

	if (is_lost || (!is_up && !w->refuses))
		takes = w->checks[check].state.config.timeout_ms;
	p->was_lost = is_lost;
	p->outcome = is_lost || !is_up ? WATCH_FAILED : WATCH_OK;
	p->is_flying = true;
	p->start_ms = w->now_ms;
	p->end_ms = w->now_ms + takes;
	w->n_probes++;
}

static inline void
sim_end_probe(struct sim *w, size_t check, size_t vantage)
{
	struct sim_probe *p = &w->probes[check][vantage];
	struct watch_events events;
	struct watch_result r = { .outcome = p->outcome,
		.cause = p->outcome == WATCH_FAILED ? WATCH_TIMEOUT : 0,
		.started_ms = p->start_ms,
		/* Whoever was away learns of it later. */
		.ended_ms = w->now_ms };

	p->is_flying = false;
	watch_set_result(&w->set, check, vantage, &r, &events);
	sim_note(w, &events);
}

static inline void
sim_tell(struct sim *w, size_t check, bool *is_any)
{
	struct watch_alert alert;

	if (!watch_set_alert(&w->set, check, w->now_ms, &alert))
		return;
	*is_any = true;
	if (w->n_alerts < SIM_ALERTS_MAX)
		w->alerts[w->n_alerts] = alert;
	w->n_alerts++;
}

static inline void
sim_tell_all(struct sim *w)
{
	bool is_time[WATCH_GATHER_KINDS] = { true, true };
	enum watch_told told;

	if (w->gathers)
		watch_gather_step(&w->gather, &w->set, w->now_ms, is_time);
	for (unsigned k = 0; k < WATCH_GATHER_KINDS; k++) {
		bool is_any = false;

		for (size_t i = 0; is_time[k] && i < w->set.n; i++)
			if (watch_set_has_alert(&w->set, i, w->now_ms, &told) &&
			    watch_gather_kind_of(told) == k)
				sim_tell(w, i, &is_any);
		w->n_mails += is_any;
	}
}

/* What is due now; ret_next: when something is due next. */
static inline void
sim_step(struct sim *w, uint64_t *ret_next)
{
	uint64_t next = w->now_ms + 1000;
	struct watch_events events;

	for (size_t i = 0; i < w->set.n; i++) {
		const struct watch_state *s = &w->checks[i].state;

		watch_set_tick(&w->set, i, w->now_ms, &events);
		sim_note(w, &events);
		for (size_t k = 0; k < s->n_vantages; k++) {
			struct sim_probe *p = &w->probes[i][k];

			if (p->is_flying && p->end_ms <= w->now_ms)
				sim_end_probe(w, i, k);
			if (!p->is_flying && s->vantages[k].due_ms <= w->now_ms)
				sim_start_probe(w, i, k);
			next = MIN(next,
			    p->is_flying ? p->end_ms : s->vantages[k].due_ms);
		}
	}
	sim_tell_all(w);
	*ret_next = MAX(next, w->now_ms + 1);
}

static inline void
sim_run(struct sim *w, uint64_t until_ms)
{
	uint64_t next;

	while (w->now_ms < until_ms) {
		if (w->now_ms >= w->away_ms[0] && w->now_ms < w->away_ms[1])
			w->now_ms = w->away_ms[1];
		sim_step(w, &next);
		w->now_ms = next;
	}
}
