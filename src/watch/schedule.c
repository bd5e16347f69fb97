/* SPDX-License-Identifier: ISC */
/*
 * schedule.c - when a check is probed, and what a result means.
 *
 * The state (proto/watch) says when the next probe is due: at its interval, or sooner
 * while a failure is being confirmed; here a little is added at random, so
 * that checks do not march in step. History is written up to where no later
 * event can change it.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "watch/agent/agent.h"
#include "watch/alert/alert.h"
#include "watch/server.h"

#define BUSY_MS      100
#define SLEPT_MS     15000 /* the tick comes each second */
#define SPEND_MS     5000
#define HISTORY_MS   60000 /* between attempts to have a file */
#define JITTER_PARTS 20    /* of the interval */

/* --- history -------------------------------------------------------------------- */

/* The class of a state, or -1: unknown, which is what nobody wrote. */
static int
class_of(enum watch_status status)
{
	switch (status) {
	case WATCH_UP:
		return WATCH_SECOND_UP;
	case WATCH_DEGRADED:
		return WATCH_SECOND_DEGRADED;
	case WATCH_DOWN:
		return WATCH_SECOND_DOWN;
	case WATCH_UNKNOWN:
		break;
	}
	return -1;
}

static bool
is_maintained_at(const struct watched *w, uint64_t wall_ms)
{
	uint64_t now_wall = loop_time_ms(w->sv->loop), now = server_now_ms();

	/* Before this machine was started: the clock has no such time. */
	return wall_ms + now >= now_wall &&
	       watch_check_is_maintained(
		   watched_state(w), wall_ms + now - now_wall);
}

int
schedule_class(
    const struct watched *w, enum watch_status status, uint64_t at_wall_ms)
{
	if (is_maintained_at(w, at_wall_ms))
		return WATCH_SECOND_MAINTENANCE;
	return class_of(status);
}

static void
spend_as(struct watched *w, enum watch_status status, uint64_t to_ms)
{
	const struct watch_check *c = watched_state(w);
	uint64_t from_ms = w->spent_ms;
	int class = class_of(status);

	if (to_ms <= from_ms)
		return;
	w->spent_ms = to_ms;
	if (watch_check_is_maintained(c, from_ms))
		class = WATCH_SECOND_MAINTENANCE;
	if (class >= 0 && w->history != NULL)
		watch_ring_spend(history_ring(w->history),
		    (enum watch_class) class,
		    server_wall_ms(w->sv, from_ms) / 1000,
		    server_wall_ms(w->sv, to_ms) / 1000);
}

void
schedule_spend(struct watched *w, uint64_t to_ms)
{
	spend_as(w, watched_state(w)->state.status, to_ms);
}

/* --- events ---------------------------------------------------------------------- */

static void
log_change(const struct watched *w, const struct watch_event *e)
{
	if (e->kind == WATCH_CHANGED && e->to == WATCH_UP)
		log_event(EV_WATCH_UP, LC("check", w->key),
		    LC("from", watch_status_name(e->from)),
		    LC("found", w->text));
	else if (e->kind == WATCH_CHANGED)
		log_event(EV_WATCH_CHANGED, LC("check", w->key),
		    LC("from", watch_status_name(e->from)),
		    LC("to", watch_status_name(e->to)), LC("reason", e->reason),
		    LC("found", w->text));
	else
		log_event(EV_WATCH_FLAPPING, LC("check", w->key),
		    LC("state",
			e->kind == WATCH_UNSTABLE ? "unstable" : "steady"));
}

static void
take_events(struct watched *w, const struct watch_events *events)
{
	struct watch_check *c = watched_state(w);

	for (size_t i = 0; i < events->n; i++) {
		const struct watch_event *e = &events->v[i];

		/* With hindsight: it began when the first sign was seen. */
		if (e->kind == WATCH_CHANGED)
			spend_as(w, e->from, e->since_ms);
		(void)snprintf(c->reason, sizeof(c->reason), "%s", e->reason);
		log_change(w, e);
	}
	if (events->n > 0 && w->sv->site != NULL)
		site_changed(w->sv->site);
}

/* --- results ----------------------------------------------------------------------- */

static void
sample(const struct watched *w, const struct watch_result *r, uint32_t us)
{
	bool is_lost = r->outcome == WATCH_FAILED;

	if (w->history != NULL && r->outcome != WATCH_INCONCLUSIVE)
		watch_ring_sample(history_ring(w->history),
		    server_wall_ms(w->sv, r->ended_ms) / 1000, us, is_lost);
}

/* They stand together. */
static void
arm_system(struct watched *w)
{
	const struct server *sv = w->sv;
	uint16_t group = watched_state(w)->group;

	for (size_t i = group - 1U; i < sv->n_watched; i++) {
		if (watched_state(sv->watched[i])->group != group)
			break;
		schedule_arm(sv->watched[i]);
	}
}

void
schedule_result(struct watched *w, size_t vantage, const struct watch_result *r,
    uint32_t us)
{
	struct server *sv = w->sv;
	struct watch_events events = { 0 };

	if (watch_set_result(&sv->set, w->index, vantage, r, &events))
		sample(w, r, us);
	take_events(w, &events);
	/* A first failure makes parents due at once, and others of the system. */
	for (size_t i = 0; i < watched_state(w)->n_parents; i++)
		schedule_arm(sv->watched[watched_state(w)->parents[i]]);
	arm_system(w);
}

void
schedule_arrange(
    struct watched *w, const uint8_t *networks, const uint8_t *from, size_t n)
{
	struct watch_events events = { 0 };

	watch_state_arrange(&watched_state(w)->state, networks, from, n,
	    server_now_ms(), &events);
	take_events(w, &events);
}

void
schedule_blind(struct watched *w, size_t vantage)
{
	struct watch_events events = { 0 };

	watch_state_blind(
	    &watched_state(w)->state, vantage, server_now_ms(), &events);
	take_events(w, &events);
}

/* What this process found itself. */
static void
take_own(struct watched *w)
{
	if (w->sv->agent != NULL)
		agent_keep(w->sv->agent, w, &w->held);
	schedule_result(w, 0, &w->held, w->us);
}

void
schedule_release(struct server *sv, bool has_uplink)
{
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		if (!w->is_held)
			continue;
		w->is_held = false;
		if (!has_uplink) {
			w->held.outcome = WATCH_INCONCLUSIVE;
			w->held.cause = WATCH_CAUSE_NONE;
			schedule_blind(w, 0);
		}
		take_own(w);
	}
}

static void
keep_stages(struct watched *w, const struct probe_report *report)
{
	size_t n = report->n_stages;

	free(w->stages);
	w->stages = x_calloc(n, sizeof(*w->stages));
	w->n_stages = n;
	if (n > 0)
		memcpy(w->stages, report->stages, n * sizeof(*w->stages));
}

static void
on_report(void *arg, const struct probe_report *report)
{
	struct watched *w = arg;
	struct server *sv = w->sv;
	uint64_t now = server_now_ms();

	w->probe = NULL;
	w->at_wall_ms = server_wall_ms(sv, now);
	w->outcome = report->outcome;
	w->cause = report->cause;
	w->us = report->us;
	w->days = report->days;
	(void)snprintf(w->text, sizeof(w->text), "%s", report->text);
	keep_stages(w, report);
	w->held.outcome = report->outcome;
	w->held.cause = report->cause;
	w->held.ended_ms = MAX(now, w->held.started_ms);
	metric_add(M_WATCH_PROBES, 1);
	metric_add(M_WATCH_FAILURES, report->outcome == WATCH_FAILED);
	if (report->outcome == WATCH_FAILED && uplink_is_wanted(sv->uplink)) {
		w->is_held = true;
		uplink_test(sv->uplink);
		return;
	}
	take_own(w);
}

/* --- when ------------------------------------------------------------------------------ */

void
schedule_due(struct watched *w)
{
	struct server *sv = w->sv;

	if (w->probe != NULL || w->is_held || sv->is_stopping || !w->is_here)
		return;
	if (sv->n_probes >= SERVER_PROBES_MAX) {
		loop_timer_set(w->due, BUSY_MS + server_random(BUSY_MS));
		return;
	}
	w->held = (struct watch_result){ .started_ms = server_now_ms() };
	w->probe = probe_start(sv, &w->check, NULL, on_report, w);
}

void
schedule_arm(struct watched *w)
{
	const struct watch_state *s = &watched_state(w)->state;
	uint64_t due = watch_state_due_ms(s, 0), now = server_now_ms();
	uint32_t jitter = 0;

	if (w->probe != NULL || w->is_held || w->sv->is_stopping || !w->is_here)
		return;
	if (due > now && !watch_state_is_suspected(s) && w->at_wall_ms != 0)
		jitter = server_random(s->config.interval_ms / JITTER_PARTS);
	loop_timer_set(w->due, (due > now ? due - now : 0) + jitter);
}

static void
open_history(struct watched *w)
{
	if (history_open(w->sv->dir, w->key, &w->history) < 0)
		return;
	log_event(
	    EV_WATCH_HISTORY, LC("check", w->key), LC("state", "kept again"));
	w->spent_ms = MAX(w->spent_ms, server_now_ms());
}

/* Time passed: silence becomes unknown, and history is settled. */
static void
pass_time(struct server *sv, uint64_t now, bool is_spending)
{
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];
		struct watch_events events = { 0 };

		if (watch_state_wake_ms(&watched_state(w)->state) <= now) {
			watch_set_tick(&sv->set, w->index, now, &events);
			take_events(w, &events);
		}
		if (!is_spending)
			continue;
		schedule_spend(
		    w, watch_state_settled_ms(&watched_state(w)->state, now));
		/* A fault maps its neighbours, too: it adds up. */
		if (w->history != NULL)
			history_relax(w->history);
		if (w->history == NULL && sv->dir != NULL &&
		    now / HISTORY_MS != sv->ticked_ms / HISTORY_MS)
			open_history(w);
	}
}

void
schedule_tick(struct server *sv)
{
	uint64_t now = server_now_ms();
	bool is_spending = now / SPEND_MS != sv->ticked_ms / SPEND_MS;

	/* After a sleep what was under way counts for nothing; the states
	 * find out by the time that passed. */
	if (now - sv->ticked_ms > SLEPT_MS)
		for (size_t i = 0; i < sv->n_watched; i++)
			schedule_arm(sv->watched[i]);
	if (sv->agent == NULL && now - sv->ticked_ms > SERVER_ABSENCE_MS)
		alert_absence(sv, server_wall_ms(sv, sv->ticked_ms),
		    server_wall_ms(sv, now), "the watcher did not run");
	pass_time(sv, now, is_spending);
	sv->ticked_ms = now;
}
