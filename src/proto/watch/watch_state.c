/* SPDX-License-Identifier: ISC */
/*
 * watch_state.c - votes of vantage points, changes, flapping, reasons.
 */
#include "proto/watch/watch_state.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

struct vote {
	unsigned known, up, slow, down;
	unsigned down_networks;
	enum watch_cause cause;
};

const char *
watch_status_name(enum watch_status status)
{
	static const char *const names[] = { [WATCH_UNKNOWN] = "unknown",
		[WATCH_UP] = "up",
		[WATCH_DEGRADED] = "degraded",
		[WATCH_DOWN] = "down" };

	ASSERT((unsigned)status < ARRAY_LEN(names));
	return names[status];
}

const char *
watch_outcome_name(enum watch_outcome outcome)
{
	static const char *const names[] = { [WATCH_OK] = "ok",
		[WATCH_SLOW] = "slow",
		[WATCH_FAILED] = "failed",
		[WATCH_INCONCLUSIVE] = "unclear" };

	return (unsigned)outcome < ARRAY_LEN(names) ? names[outcome]
	                                            : "unknown";
}

const char *
watch_cause_text(enum watch_cause cause)
{
	static const char *const texts[WATCH_CAUSES] = {
		[WATCH_CAUSE_NONE] = "no cause known",
		[WATCH_TIMEOUT] = "no answer in time",
		[WATCH_REFUSED] = "connection refused",
		[WATCH_UNREACHABLE] = "no way there",
		[WATCH_NAME] = "name does not resolve",
		[WATCH_TLS] = "no TLS session",
		[WATCH_CERTIFICATE] = "certificate not accepted",
		[WATCH_PROTOCOL] = "not an answer of its protocol",
		[WATCH_LOGIN] = "login failed",
		[WATCH_CONTENT] = "wrong contents",
		[WATCH_DISAGREES] = "servers disagree",
		[WATCH_LISTED] = "on a block list",
		[WATCH_UNSIGNED] = "not signed (DNSSEC)",
		[WATCH_BOGUS] = "signatures do not hold (DNSSEC)",
		[WATCH_LATE] = "answers too late",
	};

	return (unsigned)cause < WATCH_CAUSES ? texts[cause] : texts[0];
}

const char *
watch_cause_name(enum watch_cause cause)
{
	static const char *const names[WATCH_CAUSES] = {
		[WATCH_CAUSE_NONE] = "none",
		[WATCH_TIMEOUT] = "timeout",
		[WATCH_REFUSED] = "refused",
		[WATCH_UNREACHABLE] = "unreachable",
		[WATCH_NAME] = "name",
		[WATCH_TLS] = "tls",
		[WATCH_CERTIFICATE] = "certificate",
		[WATCH_PROTOCOL] = "protocol",
		[WATCH_LOGIN] = "login",
		[WATCH_CONTENT] = "content",
		[WATCH_DISAGREES] = "disagrees",
		[WATCH_LISTED] = "listed",
		[WATCH_UNSIGNED] = "unsigned",
		[WATCH_BOGUS] = "bogus",
		[WATCH_LATE] = "late",
	};

	return (unsigned)cause < WATCH_CAUSES ? names[cause] : names[0];
}

static unsigned
count_networks(const struct watch_state *s, bool down_only)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_vantages; i++) {
		const struct watch_vantage *v = &s->vantages[i];
		bool is_new = !down_only || v->verdict == WATCH_DOWN;

		for (size_t k = 0; k < i && is_new; k++)
			is_new =
			    s->vantages[k].network != v->network ||
			    (down_only && s->vantages[k].verdict != WATCH_DOWN);
		n += is_new;
	}
	return n;
}

void
watch_state_init(struct watch_state *s, const struct watch_config *c,
    const uint8_t *networks, size_t n, uint64_t due_ms)
{
	ASSERT(watch_config_is_sane(c) && n > 0 && n <= WATCH_VANTAGES_MAX);
	*s = (struct watch_state){ .config = *c, .n_vantages = n };
	s->config.flap_high = MIN(c->flap_high, WATCH_CHANGES_MAX);
	s->config.flap_low =
	    MIN(c->flap_low, (uint8_t)(s->config.flap_high - 1));
	for (size_t i = 0; i < n; i++)
		watch_vantage_init(&s->vantages[i], networks[i], due_ms);
	s->networks = (uint8_t)count_networks(s, false);
}

static struct vote
count_votes(const struct watch_state *s)
{
	struct vote n = { 0 };

	for (size_t i = 0; i < s->n_vantages; i++) {
		const struct watch_vantage *v = &s->vantages[i];

		n.known += v->verdict != WATCH_UNKNOWN;
		n.up += v->verdict == WATCH_UP;
		n.slow += v->verdict == WATCH_DEGRADED;
		if (v->verdict != WATCH_DOWN)
			continue;
		n.down++;
		n.cause = v->cause;
	}
	n.down_networks = count_networks(s, true);
	return n;
}

static enum watch_status
judge(const struct watch_state *s, const struct vote *n)
{
	unsigned need =
	    s->config.quorum > 0 ? s->config.quorum : n->known / 2 + 1;

	if (n->known == 0)
		return WATCH_UNKNOWN;
	if (n->down >= MIN(need, s->n_vantages) &&
	    n->down_networks >= MIN(s->networks, 2u))
		return WATCH_DOWN;
	if (n->down == n->known)
		return WATCH_UNKNOWN;
	if (n->down > 0 || n->slow > n->known / 2)
		return WATCH_DEGRADED;
	return WATCH_UP;
}

/* --- events --------------------------------------------------------------- */

static struct watch_event *
add_event(struct watch_state *s, struct watch_events *to,
    enum watch_event_kind kind, uint64_t at_ms)
{
	struct watch_event *e = &to->v[to->n];

	ASSERT(to->n < WATCH_EVENTS_MAX);
	to->n++;
	*e = (struct watch_event){ .kind = kind,
		.from = s->status,
		.to = s->status,
		.since_ms = at_ms,
		.at_ms = at_ms };
	return e;
}

static void
explain_down(
    const struct watch_state *s, const struct vote *n, struct watch_event *e)
{
	if (s->n_vantages == 1 && s->vantages[0].bad_run == 1)
		snprintf(e->reason, sizeof(e->reason), "1 failure: %s",
		    watch_cause_text(n->cause));
	else if (s->n_vantages == 1)
		snprintf(e->reason, sizeof(e->reason),
		    "%u failure%s in a row in %" PRIu64 " s: %s",
		    s->vantages[0].bad_run, str_s(s->vantages[0].bad_run),
		    (e->at_ms - e->since_ms) / 1000,
		    watch_cause_text(n->cause));
	else
		snprintf(e->reason, sizeof(e->reason),
		    "fails from %u of %u place%s: %s", n->down, n->known,
		    str_s(n->known), watch_cause_text(n->cause));
}

static void
explain(
    const struct watch_state *s, const struct vote *n, struct watch_event *e)
{
	char *to = e->reason;
	size_t max = sizeof(e->reason);
	const struct watch_vantage *v = &s->vantages[0];

	for (size_t i = 0; i < s->n_vantages && v->verdict != e->to; i++)
		v = &s->vantages[i];
	if (e->to == WATCH_DOWN || (e->to == WATCH_DEGRADED && n->down > 0))
		explain_down(s, n, e);
	else if (e->to == WATCH_UNKNOWN && n->known > 0)
		snprintf(to, max, "only %u of %zu places %s heard: %s",
		    n->known, s->n_vantages, n->known == 1 ? "is" : "are",
		    watch_cause_text(n->cause));
	else if (e->to == WATCH_UNKNOWN)
		snprintf(to, max, "not checked for %" PRIu64 " s",
		    (e->at_ms - e->since_ms) / 1000);
	else if (e->to == WATCH_DEGRADED && n->slow > 1)
		snprintf(to, max, "slow or lossy from %u of %u place%s",
		    n->slow, n->known, str_s(n->known));
	else if (e->to == WATCH_DEGRADED && v->is_lossy)
		snprintf(to, max, "%d of the last %u probes failed",
		    __builtin_popcount(v->losses), v->samples);
	else if (e->to == WATCH_DEGRADED)
		snprintf(to, max, "answers, but too slowly");
	else if (e->from == WATCH_DOWN)
		snprintf(to, max, "answers again, after %" PRIu64 " s",
		    (e->since_ms - s->since_ms) / 1000);
	else
		snprintf(to, max, "answers as it should");
}

/* Changes that lie within flap_ms before now. */
static unsigned
recent_changes(const struct watch_state *s, uint64_t now_ms)
{
	unsigned n = 0;

	for (size_t i = 0; i < MIN(s->n_changes, WATCH_CHANGES_MAX); i++)
		n += s->changes[i] + s->config.flap_ms > now_ms;
	return n;
}

static void
judge_flapping(struct watch_state *s, uint64_t now_ms, struct watch_events *to)
{
	unsigned n = recent_changes(s, now_ms);
	struct watch_event *e;

	if (s->is_unstable ? n > s->config.flap_low : n < s->config.flap_high)
		return;
	s->is_unstable = !s->is_unstable;
	e = add_event(
	    s, to, s->is_unstable ? WATCH_UNSTABLE : WATCH_STEADY, now_ms);
	snprintf(e->reason, sizeof(e->reason), "%u change%s in %u min", n,
	    str_s(n), s->config.flap_ms / 60000);
}

/* Compare with what the vantage points say now. */
static void
settle(struct watch_state *s, uint64_t since_ms, uint64_t now_ms,
    struct watch_events *to)
{
	struct vote n = count_votes(s);
	enum watch_status status = judge(s, &n);
	struct watch_event *e;

	if (status != s->status) {
		e = add_event(s, to, WATCH_CHANGED, now_ms);
		e->to = status;
		e->cause = n.cause;
		/* What was told already stays true. */
		e->since_ms = MAX(MIN(since_ms, now_ms), s->since_ms);
		explain(s, &n, e);
		if (s->known == WATCH_DOWN && status > WATCH_UNKNOWN)
			s->recovered_ms = e->since_ms;
		if (status != WATCH_UNKNOWN && s->known != WATCH_UNKNOWN &&
		    status != s->known)
			s->changes[s->n_changes++ % WATCH_CHANGES_MAX] = now_ms;
		if (status != WATCH_UNKNOWN)
			s->known = status;
		s->status = status;
		s->since_ms = e->since_ms;
		s->decided_ms = now_ms;
	}
	judge_flapping(s, now_ms, to);
}

/* --- what comes in -------------------------------------------------------- */

void
watch_state_tick(
    struct watch_state *s, uint64_t now_ms, struct watch_events *ret)
{
	uint64_t seen_ms = 0;
	bool is_changed = false;

	*ret = (struct watch_events){ 0 };
	s->clock_ms = MAX(s->clock_ms, now_ms);
	for (size_t i = 0; i < s->n_vantages; i++) {
		if (watch_vantage_expire(&s->vantages[i], &s->config, now_ms))
			is_changed = true;
		seen_ms = MAX(seen_ms, s->vantages[i].seen_ms);
	}
	if (is_changed)
		settle(s, seen_ms, now_ms, ret);
	else
		judge_flapping(s, now_ms, ret);
}

/* Others look at once when one sees a first failure. */
static void
ask_others(struct watch_state *s, size_t vantage, uint64_t now_ms)
{
	for (size_t i = 0; i < s->n_vantages; i++) {
		struct watch_vantage *v = &s->vantages[i];

		if (i == vantage || watch_vantage_is_suspected(v))
			continue;
		v->due_ms = MIN(v->due_ms, now_ms);
		v->asked_ms = now_ms;
	}
}

bool
watch_state_result(struct watch_state *s, size_t vantage,
    const struct watch_result *r, struct watch_events *ret)
{
	struct watch_vantage *v = &s->vantages[vantage];
	unsigned bad_run = v->bad_run;
	uint64_t now_ms = MAX(r->ended_ms, s->clock_ms);
	enum watch_status verdict;

	ASSERT(vantage < s->n_vantages);
	watch_state_tick(s, now_ms, ret);
	verdict = v->verdict;
	if (!watch_vantage_result(v, &s->config, r))
		return false;
	if (!watch_vantage_is_suspected(v) && v->asked_ms > 0 &&
	    v->asked_ms >= r->started_ms)
		v->due_ms = MIN(v->due_ms, now_ms);
	if (bad_run == 0 && v->bad_run == 1)
		ask_others(s, vantage, now_ms);
	if (v->verdict != verdict)
		settle(s, v->since_ms, now_ms, ret);
	return true;
}

void
watch_state_arrange(struct watch_state *s, const uint8_t *networks,
    const uint8_t *from, size_t n, uint64_t now_ms, struct watch_events *ret)
{
	struct watch_vantage old[WATCH_VANTAGES_MAX];

	ASSERT(n > 0 && n <= WATCH_VANTAGES_MAX);
	memcpy(old, s->vantages, sizeof(old));
	for (size_t i = 0; i < n; i++) {
		struct watch_vantage *v = &s->vantages[i];

		ASSERT(from[i] == WATCH_VANTAGE_NEW || from[i] < s->n_vantages);
		if (from[i] == WATCH_VANTAGE_NEW) {
			watch_vantage_init(v, networks[i], now_ms);
			continue;
		}
		*v = old[from[i]];
		v->network = networks[i];
	}
	s->n_vantages = n;
	s->networks = (uint8_t)count_networks(s, false);
	watch_state_tick(s, now_ms, ret);
	settle(s, now_ms, now_ms, ret);
}

void
watch_state_blind(struct watch_state *s, size_t vantage, uint64_t now_ms,
    struct watch_events *ret)
{
	ASSERT(vantage < s->n_vantages);
	watch_state_tick(s, now_ms, ret);
	watch_vantage_forget(&s->vantages[vantage]);
	settle(s, s->vantages[vantage].seen_ms, now_ms, ret);
}

void
watch_state_poke(struct watch_state *s, uint64_t now_ms)
{
	ask_others(s, s->n_vantages, now_ms);
}

void
watch_state_doubt(struct watch_state *s, uint64_t now_ms)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		watch_vantage_doubt(&s->vantages[i], now_ms);
}

/* --- questions ------------------------------------------------------------ */

enum watch_cause
watch_state_cause(const struct watch_state *s)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict == WATCH_DOWN)
			return s->vantages[i].cause;
	return s->vantages[0].cause;
}

uint64_t
watch_state_due_ms(const struct watch_state *s, size_t vantage)
{
	ASSERT(vantage < s->n_vantages);
	return s->vantages[vantage].due_ms;
}

uint64_t
watch_state_wake_ms(const struct watch_state *s)
{
	uint64_t wake = UINT64_MAX;

	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict != WATCH_UNKNOWN)
			wake = MIN(wake,
			    s->vantages[i].seen_ms + s->config.stale_ms + 1);
	if (!s->is_unstable)
		return wake;
	for (size_t i = 0; i < MIN(s->n_changes, WATCH_CHANGES_MAX); i++) {
		uint64_t end = s->changes[i] + s->config.flap_ms;

		/* Those that are over have been counted out. */
		if (recent_changes(s, end) <= s->config.flap_low)
			wake = MIN(wake, end);
	}
	return wake;
}

bool
watch_state_is_suspected(const struct watch_state *s)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (watch_vantage_is_suspected(&s->vantages[i]))
			return true;
	return false;
}

bool
watch_state_is_proven(const struct watch_state *s)
{
	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict == WATCH_DOWN &&
		    s->vantages[i].bad_run < s->config.down_after)
			return false;
	return s->status == WATCH_DOWN;
}

uint64_t
watch_state_settled_ms(const struct watch_state *s, uint64_t now_ms)
{
	uint64_t t = now_ms;

	for (size_t i = 0; i < s->n_vantages; i++)
		if (s->vantages[i].verdict != WATCH_UNKNOWN ||
		    s->vantages[i].bad_run + s->vantages[i].good_run > 0)
			t = MIN(t, watch_vantage_settled_ms(&s->vantages[i]));
	return MAX(t, MIN(s->since_ms, now_ms));
}
