/* SPDX-License-Identifier: ISC */
/*
 * reach_judge_people.c - of those who get in, or always did: are their sessions broken
 * off, and do fewer of them get in, though they try? See reach_judge.h.
 *
 * What one account or client does often is no fault of the network: no lot of them
 * counts for more than the one with the third most (reach_lots_capped()).
 */
#include "proto/reach/reach_judge_internal.h"

#include "proto/reach/reach_stat.h"

#define CUT_EFFECT 0.25 /* of the sessions, at least */
#define FEW_EFFECT 0.5  /* of the accounts that should be there */
#define CLIENTS_OF 2    /* so many of those who usually get in are enough */

static uint32_t
total(const uint32_t lots[REACH_LOTS])
{
	return reach_lots_capped(lots, 1);
}

static void
add_lots(uint32_t to[REACH_LOTS], const uint16_t lots[REACH_LOTS])
{
	for (size_t i = 0; i < REACH_LOTS; i++)
		to[i] += lots[i];
}

static const struct reach_step *
last_of(const struct reach_recent *r, unsigned n)
{
	return &r->steps[REACH_RECENT - n];
}

/* --- sessions that are broken off ---------------------------------------------- */

struct cut {
	uint32_t sessions, lots[REACH_LOTS];
	double usual; /* of the worst of its hours */
};

static uint32_t
cut_in(const struct reach_step *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < REACH_LOTS; i++)
		n += s->lots[REACH_LOTS_CUT][i];
	return n;
}

/*
 * Of the last n steps but the one in which most was broken off: an access network
 * that restarts breaks everything off once, and is well a minute later. False: of
 * one of them nothing is known.
 */
static bool
sum_up_cut(const struct reach_recent *r, unsigned n, struct cut *ret)
{
	const struct reach_step *steps = last_of(r, n);
	struct cut sum = { 0 };
	unsigned worst = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!steps[i].is_known || steps[i].usual_cut < 0)
			return false;
		if (cut_in(&steps[i]) > cut_in(&steps[worst]))
			worst = i;
	}
	for (unsigned i = 0; i < n; i++) {
		sum.usual = MAX(sum.usual, steps[i].usual_cut);
		if (i == worst)
			continue;
		sum.sessions += steps[i].sessions;
		add_lots(sum.lots, steps[i].lots[REACH_LOTS_CUT]);
	}
	*ret = sum;
	return true;
}

/* The share from which on it matters: twice what is usual, or half of what is
 * usually left over. */
static double
cut_effect(double usual)
{
	return MAX(CUT_EFFECT, MIN(2 * usual, (1 + usual) / 2));
}

struct reach_finding
reach_judge_cut(const struct reach_recent *r, double phi)
{
	struct reach_finding best = { 0 };
	struct cut s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		struct reach_finding f = { .minutes = reach_lengths[i] *
			                              REACH_STEP_MINUTES };

		if (!sum_up_cut(r, reach_lengths[i], &s))
			break;
		f.seen = reach_lots_capped(s.lots, REACH_LOT_RANK);
		f.of = s.sessions - MIN(total(s.lots) - f.seen, s.sessions);
		f.seen = MIN(f.seen, f.of);
		f.usual = MAX(s.usual, REACH_SHARE_MIN);
		if (f.of < REACH_STUCK_MIN * phi)
			continue;
		f.p = reach_binomial_upper((uint64_t)(f.seen / phi),
		    (uint64_t)(f.of / phi + 0.5), f.usual);
		f.verdict = reach_verdict_of(
		    f.p, f.seen >= REACH_ALERTS_MIN &&
			     f.seen >= f.of * cut_effect(f.usual));
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

/* --- who does not get in -------------------------------------------------------- */

struct few {
	uint32_t in[REACH_LOTS], out[REACH_LOTS];
	double accounts, usual_accounts, usual_in;
};

static bool
sum_up_few(const struct reach_recent *r, unsigned n, struct few *ret)
{
	const struct reach_step *steps = last_of(r, n);
	struct few sum = { 0 };

	for (unsigned i = 0; i < n; i++) {
		const struct reach_step *s = &steps[i];

		if (!s->is_known || !s->has_usual)
			return false;
		add_lots(sum.in, s->lots[REACH_LOTS_IN]);
		add_lots(sum.out, s->lots[REACH_LOTS_OUT]);
		sum.accounts += s->accounts;
		sum.usual_accounts += s->usual[REACH_MEAN_ACCOUNTS];
		sum.usual_in += s->usual[REACH_MEAN_SIGNED_IN];
	}
	*ret = sum;
	return sum.usual_in > 0;
}

/*
 * So many accounts should be there: as many as usual, if as many connections come as
 * usually get in; else in proportion. On a holiday fewer come, and nothing is odd.
 */
struct reach_finding
reach_judge_few(const struct reach_recent *r, double phi, unsigned rank)
{
	struct reach_finding best = { 0 };
	struct few s;

	for (size_t i = 0; i < REACH_LENGTHS; i++) {
		unsigned n = reach_lengths[i];
		struct reach_finding f = { .minutes = n * REACH_STEP_MINUTES };
		double expected;

		if (!sum_up_few(r, n, &s))
			break;
		f.of = reach_lots_capped(s.in, REACH_LOT_RANK) +
		       reach_lots_capped(s.out, rank);
		f.seen = (uint32_t)(s.accounts / n + 0.5);
		f.usual = s.usual_accounts / n;
		expected = s.usual_accounts * MIN(f.of / s.usual_in, 1.0);
		if (f.usual < REACH_FEW_USUAL ||
		    expected < REACH_USUAL_MIN * phi)
			continue;
		f.p = reach_poisson_lower(s.accounts / phi, expected / phi);
		f.verdict =
		    reach_verdict_of(f.p, s.accounts <= expected * FEW_EFFECT);
		if (reach_is_better(&f, &best))
			best = f;
	}
	return best;
}

unsigned
reach_few_rank(double clients)
{
	if (clients <= 0)
		return REACH_LOT_RANK;
	return (unsigned)MIN(
	    MAX(clients / CLIENTS_OF, 1.0), (double)REACH_LOT_RANK);
}

/* --- all but one ------------------------------------------------------------------ */

static void
take_lots(uint16_t from[REACH_LOTS], const uint16_t lots[REACH_LOTS])
{
	for (size_t i = 0; i < REACH_LOTS; i++)
		from[i] -= MIN(lots[i], from[i]);
}

void
reach_recent_less(struct reach_recent *all, const struct reach_recent *one)
{
	static const enum reach_mean means[] = { REACH_MEAN_ACCOUNTS,
		REACH_MEAN_SIGNED_IN };

	for (size_t i = 0; i < REACH_RECENT; i++) {
		struct reach_step *a = &all->steps[i];
		const struct reach_step *s = &one->steps[i];

		a->accounts -= MIN(s->accounts, a->accounts);
		take_lots(a->lots[REACH_LOTS_IN], s->lots[REACH_LOTS_IN]);
		take_lots(a->lots[REACH_LOTS_OUT], s->lots[REACH_LOTS_OUT]);
		for (size_t m = 0; s->has_usual && m < ARRAY_LEN(means); m++)
			a->usual[means[m]] -=
			    MIN(s->usual[means[m]], a->usual[means[m]]);
	}
}
