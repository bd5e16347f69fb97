/* SPDX-License-Identifier: ISC */
/*
 * sent_test.c - how mail to others goes: histograms and their pages, what is usual,
 * and weeks of deliveries in simulated time: what is suspected, and what is not.
 */
#include "../../test.h"
#include "proto/reach/sent_profile.h"

#include <stdlib.h>

#define WEEK_HOURS 168
#define CELLS_HOUR 12

/* --- histograms ------------------------------------------------------------------- */

TEST(percentiles_are_never_too_small_nor_half_too_large)
{
	for (uint64_t ms = 20; ms < UINT64_C(700000000); ms += ms / 3) {
		struct sent_hist h = { { 0 } };
		uint64_t got;

		sent_hist_add(&h, ms);
		got = sent_hist_ms(&h, 500);
		CHECK(got >= ms && got <= ms + ms / 2, "near it");
		CHECK(sent_hist_above(&h, ms) == 0, "not longer than itself");
		CHECK(sent_hist_above(&h, ms / 2) == 1, "than half of it");
	}
}

TEST(histograms_add_up_and_travel)
{
	struct sent_hist h = { { 0 } }, back = { { 0 } };
	struct buf b = BUF_INIT(KIB(1));

	for (unsigned i = 0; i < 100; i++)
		sent_hist_add(&h, i < 94 ? 30 : 3600000);
	sent_hist_put(&b, &h);
	CHECK(sent_hist_get(buf_str(&b), &back), "whole");
	CHECK(memcmp(&h, &back, sizeof(h)) == 0, "the same");
	CHECK(sent_hist_get(buf_str(&b), &back), "once more");
	CHECK(sent_hist_total(&back) == 200, "added");
	CHECK(sent_hist_ms(&back, 940) == 32, "94 in 100");
	CHECK(sent_hist_ms(&back, 950) >= 3600000, "95 in 100");
	CHECK(!sent_hist_get(str_first(buf_str(&b), b.n - 1), &back), "cut");
	b.p[0] = SENT_STEPS;
	CHECK(!sent_hist_get(buf_str(&b), &back), "no such step");
	buf_done(&b);
}

TEST(one_sender_counts_for_no_more_than_the_third)
{
	struct sent_senders s = { { 0 } }, back;
	struct buf b = BUF_INIT(64);

	CHECK(sent_senders_fair(&s) == 0, "nobody");
	s.n[3] = 500;
	s.n[4] = 400;
	CHECK(sent_senders_fair(&s) == 0, "two are too few");
	s.n[15] = 2;
	CHECK(sent_senders_fair(&s) == 6, "two of each");
	s.n[0] = 7;
	CHECK(sent_senders_fair(&s) == 7 + 7 + 7 + 2, "seven of each");
	sent_senders_put(&b, &s);
	CHECK(sent_senders_get(buf_str(&b), &back) &&
		  memcmp(&s, &back, sizeof(s)) == 0,
	    "travels");
	CHECK(!sent_senders_get(str_first(buf_str(&b), 31), &back), "cut");
	buf_done(&b);
}

/* --- pages -------------------------------------------------------------------------- */

static struct sent_table *
fill(unsigned n)
{
	struct sent_table *t = x_zalloc(sizeof(*t));

	t->interval = 5000000;
	for (unsigned i = 0; i < n; i++) {
		char name[24];
		struct sent_cell *c;

		snprintf(name, sizeof(name), "group-%u", i);
		c = sent_table_cell(t, str_c(name));
		c->refused += i;
		sent_senders_add(&c->refused_by, i);
		sent_senders_add(&c->slow_by, i + 1);
		sent_hist_add(&c->stages[i % SENT_STAGES], 100 * i);
	}
	return t;
}

TEST(what_has_no_room_is_counted_with_the_others)
{
	struct sent_table *t = fill(80);
	const struct sent_cell *c = sent_table_find(t, STR(SENT_OTHERS));

	CHECK(t->n == SENT_CELLS_MAX, "full");
	CHECK(c != NULL && c->refused == 64 + 65 + 66 + 67 + 68 + 69 + 70 + 71 +
					     72 + 73 + 74 + 75 + 76 + 77 + 78 +
					     79,
	    "the last sixteen");
	CHECK(sent_table_cell(t, STR("group-3"))->refused == 3, "the first");
	free(t);
}

TEST(tables_survive_the_disk_and_damage_costs_a_page)
{
	static const unsigned sizes[] = { 0, 1, 5, 6, 30, 80 };
	uint8_t *slot = x_zalloc(SENT_SLOT_BYTES);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct sent_table *t = fill(sizes[i]);
		struct sent_table *back = x_zalloc(sizeof(*back));
		size_t pages = sent_table_encode(t, slot);

		back->interval = t->interval;
		CHECK(sent_table_decode(back, slot, pages), "there");
		CHECK(back->n == t->n, "all");
		CHECK(memcmp(back->cells, t->cells,
			  t->n * sizeof(t->cells[0])) == 0,
		    "the same");
		*back = (struct sent_table){ .interval = t->interval + 1 };
		CHECK(!sent_table_decode(back, slot, pages), "of another time");
		*back = (struct sent_table){ .interval = t->interval };
		slot[100] ^= 1;
		CHECK(sent_table_decode(back, slot, pages) == (pages > 1),
		    "the other pages");
		CHECK(back->n == t->n - MIN(t->n, (size_t)SENT_PAGE_CELLS),
		    "without those of the first");
		free(back);
		free(t);
	}
	free(slot);
}

/* --- what is usual ------------------------------------------------------------------- */

static void
deliver(struct sent_cell *c, unsigned n, uint64_t ms)
{
	for (unsigned i = 0; i < n; i++) {
		sent_hist_add(&c->stages[SENT_WAIT], ms / 2);
		sent_hist_add(&c->stages[SENT_TALK], ms / 2);
		sent_hist_add(&c->stages[SENT_WHOLE], ms);
		if (ms > SENT_SLOW_MS)
			sent_senders_add(&c->slow_by, i);
	}
}

TEST(two_weeks_are_needed_and_the_median_week_counts)
{
	struct sent_profile p, back;
	struct sent_usual u;
	uint8_t *page = x_zalloc(SENT_PROFILE_BYTES);

	sent_profile_init(&p, STR("microsoft"));
	for (unsigned w = 1; w <= 6; w++) {
		struct sent_cell c = { .refused = 3 };

		deliver(&c, 95, 2000);
		deliver(&c, 5, 300000);
		CHECK(sent_profile_usual(&p, w * WEEK_HOURS, SENT_WHOLE, &u) ==
			  (w > 2),
		    "known");
		sent_profile_learn(&p, w * WEEK_HOURS, &c, false);
		/* Too few to learn from. */
		c = (struct sent_cell){ 0 };
		deliver(&c, SENT_LEARN_MIN - 1, 2000);
		sent_profile_learn(&p, w * WEEK_HOURS + 1, &c, false);
	}
	CHECK(sent_profile_usual(&p, 0, SENT_WHOLE, &u), "that hour");
	CHECK(u.p50_ms == 2048 && u.p95_ms == 2048, "95 in 100");
	CHECK(sent_profile_usual(&p, 0, SENT_TALK, &u) && u.p95_ms == 1024,
	    "a stage");
	CHECK(!sent_profile_usual(&p, 1, SENT_WHOLE, &u), "not the next one");
	CHECK(sent_profile_refusing(&p) > 0.003 &&
		  sent_profile_refusing(&p) < 0.03,
	    "slowly");
	sent_profile_encode(&p, page);
	CHECK(sent_profile_decode(page, &back), "read");
	CHECK(memcmp(&p, &back, sizeof(p)) == 0, "the same");
	page[2000] ^= 1;
	CHECK(!sent_profile_decode(page, &back), "damaged");
	free(page);
}

/* --- what is suspected ------------------------------------------------------------------ */

struct world {
	struct sent_profile profile;
	struct sent_recent recent;
	struct sent_cell hour;
	struct reach_signal slow, refusals;
	uint64_t interval, seed, now_ms;
	unsigned alarms, judged;
};

static double
any(struct world *w)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) +
	          UINT64_C(1442695040888963407);
	return (double)(w->seed >> 11) / 9007199254740992.0;
}

/* What five minutes have: means of how many, and shares. */
struct weather {
	double mean, late, refused;
	uint64_t late_ms;
	unsigned accounts;
};

static void
pass(struct world *w, const struct weather *m)
{
	uint64_t hour = w->interval / CELLS_HOUR;
	unsigned n = (unsigned)(m->mean * 2 * any(w) + 0.5);
	struct sent_cell c = { 0 };
	struct sent_step s = { .is_known = true };
	struct reach_finding f;
	struct sent_usual u;

	for (unsigned i = 0; i < n; i++) {
		uint64_t account = (uint64_t)(any(w) * m->accounts);
		uint64_t ms = (uint64_t)(300 + any(w) * 2000);

		if (any(w) < m->refused) {
			c.refused++;
			sent_senders_add(&c.refused_by, account);
			continue;
		}
		if (any(w) < m->late)
			ms = (uint64_t)((double)m->late_ms * (0.5 + any(w)));
		if (ms > SENT_SLOW_MS)
			sent_senders_add(&c.slow_by, account);
		sent_hist_add(&c.stages[SENT_WHOLE], ms);
	}
	s.whole = c.stages[SENT_WHOLE];
	s.refused = c.refused;
	s.refused_by = c.refused_by;
	s.slow_by = c.slow_by;
	if (sent_profile_usual(&w->profile, hour, SENT_WHOLE, &u))
		s.usual_p95_ms = u.p95_ms;
	sent_recent_push(&w->recent, &s);
	f = sent_judge_slow(&w->recent, &w->now_ms);
	if (reach_signal_step(&w->slow, &f, w->interval * 300))
		w->alarms += w->slow.is_raised;
	f = sent_judge_refusals(&w->recent, sent_profile_refusing(&w->profile));
	if (reach_signal_step(&w->refusals, &f, w->interval * 300))
		w->alarms += w->refusals.is_raised;
	w->judged += 2;
	sent_cell_merge(&w->hour, &c);
	if (++w->interval % CELLS_HOUR != 0)
		return;
	sent_profile_learn(&w->profile, hour, &w->hour,
	    w->slow.is_raised || w->refusals.is_raised);
	w->hour = (struct sent_cell){ 0 };
}

/* Ten in a hundred are greylisted; nights are quieter. */
static struct weather
usual_weather(const struct world *w, double mean)
{
	bool is_night = w->interval / CELLS_HOUR % 24 < 6;

	return (struct weather){ .mean = is_night ? mean / 5 : mean,
		.late = 0.02,
		.late_ms = 600000,
		.refused = 0.03,
		.accounts = 20 };
}

static void
weeks(struct world *w, unsigned n, double mean)
{
	for (unsigned i = 0; i < n * WEEK_HOURS * CELLS_HOUR; i++) {
		struct weather m = usual_weather(w, mean);

		pass(w, &m);
	}
}

TEST(usual_weeks_are_no_alarm)
{
	static const double means[] = { 2, 8, 40, 200 };
	unsigned alarms = 0, judged = 0;

	for (size_t i = 0; i < ARRAY_LEN(means); i++) {
		struct world w = { .seed = i + 1, .interval = 12 };

		weeks(&w, 6, means[i]);
		alarms += w.alarms;
		judged += w.judged;
	}
	CHECK(judged > 90000, "many judgements");
	CHECK(alarms == 0, "none of them false");
}

static void
noon(struct world *w, double mean)
{
	while (w->interval / CELLS_HOUR % 24 != 12) {
		struct weather m = usual_weather(w, mean);

		pass(w, &m);
	}
}

TEST(mail_that_takes_long_is_suspected_within_half_an_hour_and_ends_by_itself)
{
	struct world w = { .seed = 3, .interval = 12 };
	struct weather m;
	unsigned steps = 0;

	weeks(&w, 3, 40);
	noon(&w, 40);
	m = usual_weather(&w, 40);
	m.late = 0.4;
	while (!w.slow.is_raised && steps < 12) {
		pass(&w, &m);
		steps++;
	}
	CHECK(steps >= 2 && steps <= 6, "15 to 30 minutes");
	CHECK(w.now_ms >= 600000, "what it takes now");
	CHECK(w.slow.last.usual < 4000, "and usually");
	CHECK(!w.refusals.is_raised, "nothing is refused");
	for (steps = 0; w.slow.is_raised && steps < 24; steps++) {
		m = usual_weather(&w, 40);
		pass(&w, &m);
	}
	CHECK(!w.slow.is_raised && steps >= REACH_END, "over");
	CHECK(w.alarms == 1, "once");
}

TEST(one_sender_and_a_little_are_nothing)
{
	struct world w = { .seed = 5, .interval = 12 };
	struct weather m;

	weeks(&w, 3, 40);
	noon(&w, 40);
	m = usual_weather(&w, 40);
	m.late = 0.4;
	m.refused = 0.5;
	m.accounts = 2;
	for (unsigned i = 0; i < 12; i++)
		pass(&w, &m);
	CHECK(w.alarms == 0, "two accounts");
	/* Four times as long, but it is seconds. */
	m = usual_weather(&w, 40);
	m.late = 0.9;
	m.late_ms = 30000;
	for (unsigned i = 0; i < 12; i++)
		pass(&w, &m);
	CHECK(w.alarms == 0, "half a minute");
}

TEST(a_receiver_that_refuses_more_than_usual_is_suspected)
{
	struct world w = { .seed = 7, .interval = 12 };
	struct weather m;
	unsigned steps = 0;

	weeks(&w, 3, 8);
	noon(&w, 8);
	m = usual_weather(&w, 8);
	m.refused = 0.5;
	while (!w.refusals.is_raised && steps < 12) {
		pass(&w, &m);
		steps++;
	}
	CHECK(steps >= 2 && steps <= 6, "within half an hour");
	CHECK(!w.slow.is_raised, "and it is not slow");
	/* It is usual after a while. */
	CHECK(sent_profile_refusing(&w.profile) < 0.1, "learned slowly");
}

TEST(nothing_follows_from_a_time_when_we_were_away)
{
	struct world w = { .seed = 9, .interval = 12 };
	struct sent_step gap = { .is_known = false };
	struct weather m;
	uint64_t now = 0;

	weeks(&w, 3, 40);
	noon(&w, 40);
	m = usual_weather(&w, 40);
	m.refused = 0.9;
	pass(&w, &m);
	sent_recent_push(&w.recent, &gap);
	CHECK(sent_judge_slow(&w.recent, &now).verdict == REACH_NOTHING &&
		  sent_judge_refusals(&w.recent, 0).verdict == REACH_NOTHING,
	    "a gap");
}

TEST_MAIN(UNIT(percentiles_are_never_too_small_nor_half_too_large),
    UNIT(histograms_add_up_and_travel),
    UNIT(one_sender_counts_for_no_more_than_the_third),
    UNIT(what_has_no_room_is_counted_with_the_others),
    UNIT(tables_survive_the_disk_and_damage_costs_a_page),
    UNIT(two_weeks_are_needed_and_the_median_week_counts),
    UNIT(usual_weeks_are_no_alarm),
    UNIT(
	mail_that_takes_long_is_suspected_within_half_an_hour_and_ends_by_itself),
    UNIT(one_sender_and_a_little_are_nothing),
    UNIT(a_receiver_that_refuses_more_than_usual_is_suspected),
    UNIT(nothing_follows_from_a_time_when_we_were_away))
