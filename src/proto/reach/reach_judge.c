/* SPDX-License-Identifier: ISC */
/* reach_judge.c - tests and hysteresis. See reach_judge.h. */
#include "proto/reach/reach_judge_internal.h"

#include "proto/reach/reach_stat.h"

#define QUIET_EFFECT 0.6 /* of the usual number: more is no outage */
#define STUCK_EFFECT 0.5 /* of the connections */
#define ALERT_MIN    0.01
#define TLS_EFFECT   2.0 /* times the usual share */

const unsigned reach_lengths[REACH_LENGTHS] = { 3, 6, 12 };

const char *
reach_signal_name(enum reach_signal_kind k)
{
	static const char *const names[REACH_KINDS] = {
		[REACH_QUIET] = "quiet",
		[REACH_STUCK] = "stuck",
		[REACH_ALERTS] = "alerts",
		[REACH_SIGN_IN] = "sign-in",
		[REACH_TLS_FAILS] = "tls",
		[REACH_CUT_OFF] = "cut",
		[REACH_FEW] = "few",
		[REACH_REFUSED] = "refused",
		[REACH_SLOW] = "slow",
		[REACH_REFUSALS] = "refusals",
		[REACH_BACKLOG] = "backlog",
	};

	return (unsigned)k < REACH_KINDS ? names[k] : "unknown";
}

void
reach_signal_put_id(struct buf *to, enum reach_signal_kind k,
    const char *service, const struct reach_key *key)
{
	char net[REACH_NET_TEXT];

	reach_net_format(&key->net, net);
	buf_printf(to, "%s/%s-%u-v%u/%s", reach_signal_name(k), service,
	    key->port, key->family, net);
}

void
reach_recent_push(struct reach_recent *r, const struct reach_step *s)
{
	memmove(&r->steps[0], &r->steps[1],
	    (REACH_RECENT - 1) * sizeof(r->steps[0]));
	r->steps[REACH_RECENT - 1] = *s;
}

/* The sum of the last n steps. False: one of them is not known. */
static bool
sum_up(const struct reach_recent *r, unsigned n, struct reach_step *ret)
{
	struct reach_step sum = { .is_known = true, .has_usual = true };

	for (unsigned i = REACH_RECENT - n; i < REACH_RECENT; i++) {
		const struct reach_step *s = &r->steps[i];

		if (!s->is_known)
			return false;
		sum.attempts += s->attempts;
		sum.could_tls += s->could_tls;
		sum.tls += s->tls;
		sum.limited += s->limited;
		sum.has_usual &= s->has_usual;
		for (size_t m = 0; m < REACH_MEANS; m++)
			sum.usual[m] += s->usual[m];
		if (s->alerts >= sum.alerts)
			sum.alert = s->alert;
		sum.alerts += s->alerts;
		sum.alert_nets = MAX(sum.alert_nets, s->alert_nets);
		sum.known += s->known;
		sum.known_failed += s->known_failed;
		sum.failed_nets = MAX(sum.failed_nets, s->failed_nets);
		sum.tls_tried += s->tls_tried;
		sum.tls_failed += s->tls_failed;
		if (s->failure.n > sum.failure.n)
			sum.failure = s->failure;
		/* The worst of its hours, and all of them have to be known. */
		if (sum.tls_failing >= 0)
			sum.tls_failing =
			    s->tls_failing < 0
				? -1
				: MAX(sum.tls_failing, s->tls_failing);
	}
	*ret = sum;
	return true;
}

enum reach_verdict
reach_verdict_of(double p, bool is_large)
{
	if (p < REACH_P_ODD && is_large)
		return REACH_ODD;
	return p > REACH_P_FINE || !is_large ? REACH_FINE : REACH_BETWEEN;
}

/* The shortest stretch that finds it; else what the longest with enough in it
 * says, for that is the least tolerant one. */
bool
reach_is_better(const struct reach_finding *f, const struct reach_finding *best)
{
	return best->verdict == REACH_NOTHING ||
	       (f->verdict == REACH_ODD && best->verdict != REACH_ODD);
}

struct reach_finding
reach_judge_quiet(const struct reach_recent *r, double phi)
{
	struct reach_finding best = { 0 };
	struct reach_step s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		struct reach_finding f = { .minutes = reach_lengths[i] *
			                              REACH_STEP_MINUTES };

		if (!sum_up(r, reach_lengths[i], &s) || !s.has_usual)
			break;
		f.seen = s.attempts;
		f.usual = s.usual[REACH_MEAN_ATTEMPTS];
		if (f.usual < REACH_USUAL_MIN * phi)
			continue;
		f.p = reach_poisson_lower(f.seen / phi, f.usual / phi);
		f.verdict =
		    reach_verdict_of(f.p, f.seen <= f.usual * QUIET_EFFECT);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

struct reach_finding
reach_judge_stuck(const struct reach_recent *r, double share)
{
	struct reach_finding best = { 0 };
	struct reach_step s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		struct reach_finding f = { .minutes = reach_lengths[i] *
			                              REACH_STEP_MINUTES,
			.usual = MAX(share, REACH_SHARE_MIN) };

		if (!sum_up(r, reach_lengths[i], &s))
			break;
		f.of = s.could_tls;
		f.seen = f.of - MIN(s.tls, f.of);
		if (f.of < REACH_STUCK_MIN)
			continue;
		f.p = reach_binomial_upper(f.seen, f.of, f.usual);
		f.verdict =
		    reach_verdict_of(f.p, f.seen >= f.of * STUCK_EFFECT);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

struct reach_finding
reach_judge_alerts(const struct reach_recent *r)
{
	struct reach_finding best = { 0 };
	struct reach_step s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		struct reach_finding f = { .minutes = reach_lengths[i] *
			                              REACH_STEP_MINUTES };
		double usual = 0;

		if (!sum_up(r, reach_lengths[i], &s))
			break;
		f.of = s.could_tls;
		f.seen = MIN(s.alerts, f.of);
		f.alert = s.alert;
		if (f.of < REACH_STUCK_MIN)
			continue;
		if (s.has_usual && s.usual[REACH_MEAN_ATTEMPTS] > 0)
			usual = s.usual[REACH_MEAN_ALERTS] /
			        s.usual[REACH_MEAN_ATTEMPTS];
		f.usual = MAX(usual, ALERT_MIN);
		f.p = reach_binomial_upper(f.seen, f.of, f.usual);
		f.verdict =
		    reach_verdict_of(f.p, f.seen >= REACH_ALERTS_MIN &&
					      s.alert_nets >= REACH_ALERT_NETS);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

struct reach_finding
reach_judge_sign_in(const struct reach_recent *r, double failing)
{
	struct reach_finding best = { 0 };
	struct reach_step s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		struct reach_finding f = { .minutes = reach_lengths[i] *
			                              REACH_STEP_MINUTES,
			.usual = MAX(failing, REACH_SHARE_MIN) };

		if (!sum_up(r, reach_lengths[i], &s))
			break;
		f.of = s.known;
		f.seen = MIN(s.known_failed, f.of);
		if (f.of < REACH_STUCK_MIN)
			continue;
		f.p = reach_binomial_upper(f.seen, f.of, f.usual);
		f.verdict = reach_verdict_of(
		    f.p, f.seen >= REACH_ALERTS_MIN &&
			     s.failed_nets >= REACH_ALERT_NETS);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

/* --- handshakes that fail ------------------------------------------------------ */

void
reach_tls_cap_see(struct reach_tls_cap *c, uint32_t failed)
{
	for (size_t i = 0; i < REACH_ALERT_NETS; i++) {
		uint32_t less = MIN(c->most[i], failed);

		c->most[i] = MAX(c->most[i], failed);
		failed = less;
	}
}

uint32_t
reach_tls_cap(const struct reach_tls_cap *c, uint32_t failed)
{
	return MIN(failed, c->most[REACH_ALERT_NETS - 1]);
}

struct reach_finding
reach_judge_tls(const struct reach_recent *r)
{
	static const unsigned steps[] = { 1, 3, 6, 12 };
	struct reach_finding best = { 0 };
	struct reach_step s;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct reach_finding f = { .minutes =
					       steps[i] * REACH_STEP_MINUTES };

		if (!sum_up(r, steps[i], &s) || s.tls_failing < 0)
			break;
		f.of = s.tls_tried;
		f.seen = MIN(s.tls_failed, f.of);
		f.failure = s.failure;
		f.alert = s.failure.alert;
		if (f.of < REACH_STUCK_MIN)
			continue;
		f.usual = MAX(s.tls_failing, REACH_SHARE_MIN);
		f.p = reach_binomial_upper(f.seen, f.of, f.usual);
		f.verdict = reach_verdict_of(
		    f.p, f.seen >= REACH_ALERTS_MIN &&
			     f.seen >= f.of * f.usual * TLS_EFFECT);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

/* --- beginning and end ------------------------------------------------------------ */

static void
find_it(struct reach_signal *s, const struct reach_finding *f, uint64_t now)
{
	if (s->hits == 0 && !s->is_raised)
		s->since = now - MIN(now, f->minutes * UINT64_C(60));
	s->hits = (uint8_t)MIN(s->hits + 1, REACH_RAISE);
	s->misses = 0;
	s->last = *f;
	if (!s->is_raised && s->hits >= REACH_RAISE)
		s->raised = now;
	s->is_raised |= s->hits >= REACH_RAISE;
}

bool
reach_signal_step(
    struct reach_signal *s, const struct reach_finding *f, uint64_t now)
{
	bool was_raised = s->is_raised;
	uint8_t silent = f->verdict == REACH_NOTHING
	                     ? (uint8_t)MIN(s->silent + 1, REACH_FADE)
	                     : 0;

	s->silent = silent;
	switch (f->verdict) {
	case REACH_ODD:
		find_it(s, f, now);
		break;
	case REACH_FINE:
		s->misses = (uint8_t)MIN(s->misses + 1, REACH_END);
		if (!s->is_raised || s->misses >= REACH_END)
			*s = (struct reach_signal){ 0 };
		break;
	case REACH_NOTHING:
	case REACH_BETWEEN:
		if (!s->is_raised || silent >= REACH_FADE)
			*s = (struct reach_signal){ .silent = silent };
		break;
	}
	return s->is_raised != was_raised;
}
