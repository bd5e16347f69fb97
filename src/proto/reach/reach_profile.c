/* SPDX-License-Identifier: ISC */
/* reach_profile.c - learning what is usual. See reach_profile.h. */
#include "proto/reach/reach_profile_internal.h"

#define PHI_SHARE     50  /* hours that phi remembers, about */
#define PHI_JUMP      100 /* one hour cannot say more */
#define FAILING_HOURS 24  /* that it remembers, about */
#define CELLS         12  /* in an hour */
#define PARTS         4.0 /* of an organisation */
#define PARTS_MAX     255
#define CUT_SHARE_MIN 0.02
#define CUT_SESSIONS  20  /* the mean of all hours weighs as much */
#define CUT_HOURS     100 /* that it remembers, about */

void
reach_profile_init(struct reach_profile *p, const struct reach_key *key)
{
	*p = (struct reach_profile){
		.key = *key,
		.phi = PHI_FIRST,
		.phi_accounts = PHI_FIRST,
		.phi_cut = PHI_FIRST,
	};
	for (size_t i = 0; i < REACH_HOURS; i++)
		p->hours[i].tls_failing = p->hours[i].cut = REACH_SHARE_UNKNOWN;
}

/* 1 January 1970 was a Thursday: hour 72 of a week that begins on Monday. */
unsigned
reach_hour_of_week(uint64_t hour)
{
	return (unsigned)((hour + 72) % REACH_HOURS);
}

static double
phi_of(uint32_t parts)
{
	return MIN(MAX(parts / ONE, 1.0), (double)REACH_PHI_MAX);
}

double
reach_profile_phi(const struct reach_profile *p)
{
	return phi_of(p->phi);
}

double
reach_profile_phi_accounts(const struct reach_profile *p)
{
	return phi_of(p->phi_accounts);
}

double
reach_profile_phi_cut(const struct reach_profile *p)
{
	return phi_of(p->phi_cut);
}

/* --- what is usual -------------------------------------------------------------- */

bool
reach_profile_usual(
    const struct reach_profile *p, uint64_t hour, double ret[REACH_MEANS])
{
	const struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];

	if (h->weeks < REACH_WEEKS_MIN)
		return false;
	for (size_t m = 0; m < REACH_MEANS; m++)
		ret[m] = h->mean[m] / ONE;
	return true;
}

double
reach_profile_weight(const struct reach_profile *p)
{
	double sum = 0;

	for (size_t i = 0; i < REACH_HOURS; i++)
		sum += p->hours[i].mean[REACH_MEAN_ATTEMPTS] / ONE;
	return sum;
}

/* --- learning -------------------------------------------------------------------- */

static void
learn_phi(uint32_t *to, double seen, double usual, double variance)
{
	double off = seen - usual, phi = *to / ONE, one;

	if (usual < 1)
		return;
	one = MIN(off * off / variance, (double)PHI_JUMP);
	phi += (one - phi) / PHI_SHARE;
	*to = (uint32_t)(MIN(MAX(phi, 1.0), (double)REACH_PHI_MAX) * ONE);
}

static void
learn_poisson(uint32_t *to, double mean, double usual)
{
	learn_phi(to, mean * CELLS, usual * CELLS, usual * CELLS);
}

static uint32_t
blend(uint32_t old, double fresh, double share)
{
	double v = old + (fresh * ONE - old) * share;

	return v < 0 ? 0 : v > MEAN_MAX ? MEAN_MAX : (uint32_t)(v + 0.5);
}

void
reach_profile_learn(struct reach_profile *p, uint64_t hour,
    const double mean[REACH_MEANS], bool is_odd)
{
	struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];
	double share = 1.0 / (MIN(h->weeks, REACH_WEEKS - 1U) + 1);
	double usual[REACH_MEANS];

	if (hour <= p->hour && p->hour != 0)
		return;
	if (!is_odd && reach_profile_usual(p, hour, usual)) {
		learn_poisson(&p->phi, mean[REACH_MEAN_ATTEMPTS],
		    usual[REACH_MEAN_ATTEMPTS]);
		learn_poisson(&p->phi_accounts, mean[REACH_MEAN_ACCOUNTS],
		    usual[REACH_MEAN_ACCOUNTS]);
	}
	if (is_odd)
		share /= 4;
	for (size_t m = 0; m < REACH_MEANS; m++)
		h->mean[m] = blend(h->mean[m], mean[m], share);
	if (h->weeks < WEEKS_MAX)
		h->weeks++;
	p->hour = hour;
}

/* Rounded down: what is promised to people stands on it. */
static uint32_t
blend_parts(uint32_t old, double fresh, double share)
{
	double v = old + (fresh * PARTS - old) * share;

	return v > PARTS_MAX ? PARTS_MAX : v < 0 ? 0 : (uint32_t)v;
}

void
reach_profile_learn_hour(struct reach_profile *p, uint64_t hour, double tried,
    double failed, double organisations, bool is_odd)
{
	struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];
	double share = 1.0 / MAX(MIN(h->weeks, (uint32_t)REACH_WEEKS), 1U);
	double one =
	    tried > 0 ? MIN(failed / tried, 1.0) * (REACH_SHARE_ONE - 1) : 0;

	if (is_odd)
		share /= 4;
	h->organisations = blend_parts(h->organisations, organisations, share);
	if (h->tls_failing == REACH_SHARE_UNKNOWN && !is_odd)
		h->tls_failing = (uint32_t)one;
	else if (h->tls_failing != REACH_SHARE_UNKNOWN && tried > 0)
		h->tls_failing =
		    (uint32_t)(h->tls_failing + (one - h->tls_failing) * share);
}

double
reach_profile_tls_failing(const struct reach_profile *p, uint64_t hour)
{
	const struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];

	return h->tls_failing == REACH_SHARE_UNKNOWN
	           ? -1
	           : (double)h->tls_failing / REACH_SHARE_ONE;
}

double
reach_profile_organisations(const struct reach_profile *p, uint64_t hour)
{
	return p->hours[reach_hour_of_week(hour)].organisations / PARTS;
}

void
reach_profile_learn_failing(
    struct reach_profile *p, double known, double failed, bool is_odd)
{
	double share = reach_profile_failing(p);

	if (known < 1 || is_odd)
		return;
	share += (MIN(failed, known) / known - share) / FAILING_HOURS;
	p->failing = (uint32_t)(share * FAILING_ONE + 0.5);
}

double
reach_profile_failing(const struct reach_profile *p)
{
	return MIN(p->failing / FAILING_ONE, 1.0);
}

/* Hours with few sessions say little: they count as much as there are of them. */
void
reach_profile_learn_cut(struct reach_profile *p, uint64_t hour, double sessions,
    double cut, bool is_odd)
{
	struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];
	double share = 1.0 / MAX(MIN(h->weeks, (uint32_t)REACH_WEEKS), 1U);
	double all = p->cut / FAILING_ONE, weight, one;

	if (sessions < 1)
		return;
	cut = MIN(cut, sessions);
	one = MIN(MAX((double)h->cut / REACH_SHARE_ONE, CUT_SHARE_MIN),
	    1 - CUT_SHARE_MIN);
	if (!is_odd && reach_profile_cut(p, hour) >= 0)
		learn_phi(&p->phi_cut, cut, sessions * one,
		    sessions * one * (1 - one));
	weight = MIN(sessions / CUT_SESSIONS, 1.0) / CUT_HOURS;
	if (is_odd) {
		share /= 4;
		weight /= 4;
	}
	p->cut =
	    (uint32_t)((all + (cut / sessions - all) * weight) * FAILING_ONE +
		       0.5);
	one = (cut + all * CUT_SESSIONS) / (sessions + CUT_SESSIONS) *
	      (REACH_SHARE_ONE - 1);
	if (h->cut == REACH_SHARE_UNKNOWN)
		h->cut = (uint32_t)one;
	else
		h->cut = (uint32_t)(h->cut + (one - h->cut) * share);
}

double
reach_profile_cut(const struct reach_profile *p, uint64_t hour)
{
	const struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];

	if (h->cut == REACH_SHARE_UNKNOWN || h->weeks < REACH_WEEKS_MIN)
		return -1;
	return MAX((double)h->cut / REACH_SHARE_ONE, p->cut / FAILING_ONE);
}

void
reach_profile_learn_clients(
    struct reach_profile *p, double clients, bool is_odd)
{
	double was = p->clients / ONE;

	if (clients <= 0 || is_odd)
		return;
	clients = MIN(clients, (double)CLIENTS_MAX);
	if (p->clients > 0)
		clients = was + (clients - was) / FAILING_HOURS;
	p->clients = MAX((uint32_t)(clients * ONE + 0.5), 1U);
}

double
reach_profile_clients(const struct reach_profile *p)
{
	return p->clients / ONE;
}
