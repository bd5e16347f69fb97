/* SPDX-License-Identifier: ISC */
/* flow_test.c - what waits for a destination: its pace, its end, and when it is stuck. */
#include "../test.h"
#include "send/queue/flow.h"

#define MINUTE UINT64_C(60000)
#define T0     (UINT64_C(5966666) * FLOW_STEP_MS) /* a step begins */

struct world {
	struct flow f;
	uint64_t now;
	unsigned changes;
};

/* So many come and go each minute. */
static void
pass(struct world *w, unsigned minutes, uint32_t began, uint32_t left)
{
	for (unsigned i = 0; i < minutes; i++) {
		w->f.waiting += began;
		left = (uint32_t)MIN(left, w->f.waiting);
		if (began + left > 0)
			flow_change(
			    &w->f, began, left, w->f.waiting - left, w->now);
		w->changes += flow_look(&w->f, w->now);
		w->now += MINUTE;
	}
}

TEST(it_says_when_it_will_be_empty)
{
	struct world w = { .now = T0 };
	struct flow_forecast p;

	CHECK(flow_forecast(&w.f, w.now).trend == FLOW_EMPTY, "nothing yet");
	flow_change(&w.f, 6000, 0, 6000, w.now);
	p = flow_forecast(&w.f, w.now + MINUTE);
	CHECK(p.trend == FLOW_GROWS && p.left == 0, "a mailing");
	w.now += 30 * MINUTE;
	pass(&w, 20, 0, 100);
	p = flow_forecast(&w.f, w.now);
	CHECK(p.trend == FLOW_SHRINKS && w.f.waiting == 4000, "it goes out");
	CHECK(p.empty_ms > w.now + 35 * MINUTE &&
		  p.empty_ms < w.now + 45 * MINUTE,
	    "4000 at 100 a minute");
	CHECK(p.left > 5000 && p.left < 6500 && p.began == 0, "in an hour");
	pass(&w, 20, 50, 50);
	CHECK(flow_forecast(&w.f, w.now).trend == FLOW_STEADY, "steady");
	pass(&w, 40, 0, 0);
	CHECK(flow_forecast(&w.f, w.now).trend == FLOW_STILL, "nothing moves");
	pass(&w, 1, 0, 4000);
	p = flow_forecast(&w.f, w.now);
	CHECK(p.trend == FLOW_EMPTY && p.empty_ms == 0, "empty");
	CHECK(!flow_is_idle(&w.f, w.now), "just now");
	CHECK(flow_is_idle(&w.f, w.now + 61 * MINUTE), "an hour ago");
}

TEST(a_destination_that_only_takes_in_is_stuck_after_half_an_hour)
{
	struct world w = { .now = T0 };
	uint64_t began;

	pass(&w, 60, 3, 3);
	began = w.now;
	while (w.f.stuck_ms == 0 && w.now < began + 120 * MINUTE)
		pass(&w, 1, 3, 0);
	CHECK(w.now >= began + 30 * MINUTE && w.now <= began + 40 * MINUTE,
	    "half an hour");
	CHECK(w.f.stuck_ms <= w.now - 29 * MINUTE, "since then");
	pass(&w, 60, 0, 0);
	CHECK(w.f.stuck_ms != 0, "as long as nothing goes");
	pass(&w, 20, 3, 2);
	CHECK(w.f.stuck_ms != 0, "or more comes than goes");
	pass(&w, 15, 3, 10);
	CHECK(w.f.stuck_ms == 0 && w.changes == 2, "it ends by itself");
	/* It is not on and off while the rest goes out. */
	pass(&w, 120, 3, 5);
	CHECK(w.changes == 2, "once");
}

TEST(what_is_not_stuck)
{
	struct world w = { .now = T0 };

	/* A mailing that a slow receiver takes. */
	flow_change(&w.f, 5000, 0, 5000, w.now);
	pass(&w, 29, 0, 0);
	pass(&w, 120, 1, 5);
	CHECK(w.changes == 0, "it goes out, slowly");
	/* Greylisted: late, and then all. */
	w = (struct world){ .now = T0 };
	for (unsigned i = 0; i < 20; i++) {
		pass(&w, 15, 2, 0);
		pass(&w, 1, 0, 30);
	}
	CHECK(w.changes == 0, "greylisting");
	/* A few that nobody takes, and one old one. */
	w = (struct world){ .now = T0 };
	pass(&w, 19, 1, 0);
	pass(&w, 600, 0, 0);
	CHECK(w.changes == 0, "too few");
	/* Many that nothing is added to: the signal is about what grows. */
	w = (struct world){ .now = T0 };
	flow_change(&w.f, 400, 0, 400, w.now);
	pass(&w, 25, 0, 0);
	CHECK(w.changes == 0, "not for half an hour");
}

TEST(a_clock_that_jumps_does_no_harm)
{
	struct world w = { .now = T0 };

	pass(&w, 30, 5, 5);
	w.now -= 600 * MINUTE;
	pass(&w, 5, 5, 5);
	CHECK(flow_forecast(&w.f, w.now).trend == FLOW_EMPTY, "back");
	w.now += 6000 * MINUTE;
	pass(&w, 5, 5, 5);
	CHECK(flow_sum(&w.f, FLOW_STEPS, w.now).began == 25, "forth");
}

TEST_MAIN(UNIT(it_says_when_it_will_be_empty),
    UNIT(a_destination_that_only_takes_in_is_stuck_after_half_an_hour),
    UNIT(what_is_not_stuck), UNIT(a_clock_that_jumps_does_no_harm))
