/* SPDX-License-Identifier: ISC */
/* sent_judge.c - is mail to a receiver slow, or refused? See sent_profile.h. */
#include "proto/reach/reach_stat.h"
#include "proto/reach/sent_profile.h"

#define MINUTES     5
#define SLOW_SHARE  0.05 /* are above the 95th percentile anyway */
#define SLOW_EFFECT 0.1  /* of the deliveries */
#define SEEN_MIN    8
#define SHARE_MIN   0.05 /* that many are refused anyway */
#define EFFECT      2.0  /* times the usual share */

static const unsigned lengths[] = { 3, 6, 12 };

void
sent_recent_push(struct sent_recent *r, const struct sent_step *s)
{
	memmove(&r->steps[0], &r->steps[1],
	    (REACH_RECENT - 1) * sizeof(r->steps[0]));
	r->steps[REACH_RECENT - 1] = *s;
}

/* The sum of the last n steps. False: one of them is not known. */
static bool
sum_up(const struct sent_recent *r, unsigned n, struct sent_step *ret)
{
	struct sent_step sum = { .is_known = true };
	bool has_usual = true;

	for (unsigned i = REACH_RECENT - n; i < REACH_RECENT; i++) {
		const struct sent_step *s = &r->steps[i];

		if (!s->is_known)
			return false;
		sent_hist_merge(&sum.whole, &s->whole);
		sum.refused += s->refused;
		sent_senders_merge(&sum.refused_by, &s->refused_by);
		sent_senders_merge(&sum.slow_by, &s->slow_by);
		/* The slowest of its hours, and all have to be known. */
		has_usual &= s->usual_p95_ms > 0;
		sum.usual_p95_ms = MAX(sum.usual_p95_ms, s->usual_p95_ms);
	}
	if (!has_usual)
		sum.usual_p95_ms = 0;
	*ret = sum;
	return true;
}

/* As in reach_judge.c: the shortest stretch that finds it, else the longest. */
static bool
is_better(const struct reach_finding *f, const struct reach_finding *best)
{
	return best->verdict == REACH_NOTHING ||
	       (f->verdict == REACH_ODD && best->verdict != REACH_ODD);
}

struct reach_finding
sent_judge_slow(const struct sent_recent *r, uint64_t *ret_now_ms)
{
	struct reach_finding best = { 0 };
	struct sent_step s;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct reach_finding f = { .minutes = lengths[i] * MINUTES };
		uint64_t limit;

		if (!sum_up(r, lengths[i], &s) || s.usual_p95_ms == 0)
			break;
		limit = MAX(
		    s.usual_p95_ms * SENT_SLOW_TIMES, (uint64_t)SENT_SLOW_MS);
		f.of = (uint32_t)sent_hist_total(&s.whole);
		f.seen = (uint32_t)sent_hist_above(&s.whole, limit);
		f.seen = MIN(f.seen, sent_senders_fair(&s.slow_by));
		f.usual = (double)s.usual_p95_ms;
		if (f.of < SENT_SLOW_MIN)
			continue;
		f.p = reach_binomial_upper(f.seen, f.of, SLOW_SHARE);
		f.verdict = reach_verdict_of(
		    f.p, f.seen >= SEEN_MIN && f.seen >= f.of * SLOW_EFFECT);
		if (!is_better(&f, &best))
			continue;
		best = f;
		*ret_now_ms = sent_hist_ms(&s.whole, 950);
	}
	return best;
}

struct reach_finding
sent_judge_refusals(const struct sent_recent *r, double refusing)
{
	struct reach_finding best = { 0 };
	struct sent_step s;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct reach_finding f = { .minutes = lengths[i] * MINUTES,
			.usual = MAX(refusing, SHARE_MIN) };

		if (!sum_up(r, lengths[i], &s))
			break;
		f.of = (uint32_t)sent_hist_total(&s.whole) + s.refused;
		f.seen = MIN(s.refused, sent_senders_fair(&s.refused_by));
		if (f.of < SENT_REFUSALS_MIN)
			continue;
		f.p = reach_binomial_upper(f.seen, f.of, f.usual);
		f.verdict = reach_verdict_of(f.p,
		    f.seen >= SEEN_MIN && f.seen >= f.of * f.usual * EFFECT);
		if (is_better(&f, &best))
			best = f;
	}
	return best;
}
