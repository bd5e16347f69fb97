/* SPDX-License-Identifier: ISC */
/*
 * LINK: watch
 *
 * The input as results, waits, ticks and blindness of three vantage points.
 * Properties: no event reaches behind what was said to be settled, times do
 * not go back, each change begins where the last one ended, nothing is down
 * without enough failures in a row, the next probe is ahead (or due, when others
 * asked for it while this one ran), the reason is one line.
 */
#include "proto/watch/watch_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct watch_state s;
	uint64_t now_ms, settled_ms, since_ms;
	enum watch_status status;
	/* In a row, counted here; three weigh until two answers came. */
	unsigned failures[3], answers[3];
};

static void
check_events(struct world *w, const struct watch_events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		const struct watch_event *e = &events->v[i];

		ASSERT(e->since_ms <= e->at_ms && e->at_ms <= w->now_ms);
		ASSERT(memchr(e->reason, 0, sizeof(e->reason)) != NULL);
		ASSERT(strchr(e->reason, '\n') == NULL && e->reason[0] != 0);
		ASSERT(e->from == w->status);
		if (e->kind != WATCH_CHANGED)
			continue;
		ASSERT(e->to != e->from && e->since_ms >= w->since_ms);
		ASSERT(e->since_ms >= w->settled_ms);
		w->status = e->to;
		w->since_ms = e->since_ms;
		if (e->to == WATCH_DOWN)
			ASSERT((w->failures[0] >= 3) + (w->failures[1] >= 3) +
				   (w->failures[2] >= 3) >=
			       2 - (w->s.n_vantages == 1));
	}
}

static void
take_result(struct world *w, uint8_t op, uint64_t took)
{
	size_t i = op % w->s.n_vantages;
	struct watch_result r = { .outcome = (op >> 2) % 4,
		.cause = (op >> 4) % WATCH_CAUSES,
		.started_ms = w->now_ms,
		.ended_ms = w->now_ms + took };
	struct watch_events events;
	bool is_taken;

	w->now_ms += took;
	if (r.outcome == WATCH_FAILED) {
		w->failures[i]++;
		w->answers[i] = 0;
	} else if (r.outcome != WATCH_INCONCLUSIVE &&
		   (w->failures[i] < 3 || ++w->answers[i] >= 2)) {
		w->failures[i] = 0;
	}
	is_taken = watch_state_result(&w->s, i, &r, &events);
	check_events(w, &events);
	ASSERT(is_taken);
	ASSERT(watch_state_due_ms(&w->s, i) > w->now_ms ||
	       (watch_state_due_ms(&w->s, i) == w->now_ms &&
		   w->s.vantages[i].asked_ms >= r.started_ms));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t networks[] = { 0, 1, 1 };
	struct watch_config c = watch_config_default();
	struct world w = { .now_ms = 1000000, .status = WATCH_UNKNOWN };
	struct watch_events events;

	if (size < 1)
		return 0;
	watch_state_init(&w.s, &c, networks, data[0] % 2 ? 3 : 1, w.now_ms);
	for (size_t i = 1; i + 1 < size; i += 2) {
		uint64_t settled;

		w.now_ms += data[i + 1] * 250u;
		if (data[i] < 0xc0)
			take_result(&w, data[i], data[i + 1] * 32u);
		else if (data[i] < 0xf0)
			watch_state_tick(&w.s, w.now_ms, &events);
		else
			watch_state_blind(
			    &w.s, data[i] % w.s.n_vantages, w.now_ms, &events);
		if (data[i] >= 0xc0)
			check_events(&w, &events);
		ASSERT(w.s.status == w.status);
		settled = watch_state_settled_ms(&w.s, w.now_ms);
		ASSERT(settled <= w.now_ms);
		w.settled_ms = MAX(w.settled_ms, settled);
		(void)watch_state_wake_ms(&w.s);
	}
	return 0;
}
