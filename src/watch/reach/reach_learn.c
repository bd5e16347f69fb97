/* SPDX-License-Identifier: ISC */
/*
 * reach_learn.c - what is usual of each network and port, from hours that are over
 * (proto/reach/reach_profile.h).
 */
#include "watch/reach/reach_internal.h"

#define CELLS_AN_HOUR 12
#define CELLS_MIN     6  /* of an hour, to learn from it */
#define LEARN_HOURS   24 /* back, after a start */

struct lesson {
	double sum[REACH_MEANS];
	double known, failed; /* of the hour */
	double tls_tried, tls_failed;
	double organisations;     /* summed up, of five minutes each */
	double sessions, clients; /* the latter summed up */
	unsigned peopled;         /* stretches in which anybody got in */
	uint32_t cut[REACH_LOTS]; /* as a step has them */
};

static void
add_people(struct lesson *l, const struct reach_step *step, uint16_t clients)
{
	l->sessions += step->sessions;
	for (size_t i = 0; i < REACH_LOTS; i++)
		l->cut[i] += step->lots[REACH_LOTS_CUT][i];
	l->clients += __builtin_popcount(clients);
	l->peopled += clients != 0;
}

static void
add_lesson(struct reach *r, struct lesson *l, const struct series *s,
    struct reach_table *t)
{
	struct reach_step step = { 0 };
	const struct reach_key *key = &s->profile.key;
	struct reach_cell sum;
	const struct reach_cell *c = &sum;

	if (key->net.kind == REACH_NET_ALL)
		reach_step_sum(t, key, &sum);
	else
		c = reach_table_find(t, key);
	if (c == NULL)
		return;
	if (key->net.kind == REACH_NET_ALL) {
		reach_step_tls(r, t, key, &step);
		reach_step_cut(r, t, key, &step);
	} else {
		step.sessions = c->counts[REACH_N_SESSIONS];
		memcpy(step.lots, c->lots, sizeof(step.lots));
	}
	add_people(l, &step, c->clients);
	l->tls_tried += step.tls_tried;
	l->tls_failed += step.tls_failed;
	l->organisations += reach_accounts_organisations(&c->accounts);
	l->known += c->counts[REACH_N_KNOWN];
	l->failed += c->counts[REACH_N_KNOWN_FAILED];
	l->sum[REACH_MEAN_ATTEMPTS] += c->counts[REACH_ATTEMPTS];
	l->sum[REACH_MEAN_TLS] += c->counts[REACH_N_TLS];
	l->sum[REACH_MEAN_SIGNED_IN] += c->counts[REACH_N_SIGNED_IN];
	l->sum[REACH_MEAN_ALERTS] += reach_cell_alert(c).n;
	l->sum[REACH_MEAN_ACCOUNTS] += reach_accounts_guess(&c->accounts);
}

static bool
is_odd(const struct series *s)
{
	for (size_t k = 0; k < REACH_SIGNALS; k++)
		if (s->signals[k].is_raised)
			return true;
	return false;
}

static void
learn_people(struct series *s, const struct lesson *l)
{
	uint32_t most = reach_lots_capped(l->cut, 1);
	uint32_t cut = reach_lots_capped(l->cut, REACH_LOT_RANK);

	/* What one account breaks off over and over is left out of both. */
	reach_profile_learn_cut(&s->profile, s->profile.hour,
	    l->sessions - (most - cut), cut, is_odd(s));
	reach_profile_learn_clients(&s->profile,
	    l->peopled > 0 ? l->clients / l->peopled : 0, is_odd(s));
}

static void
learn_hour(struct reach *r, uint64_t hour)
{
	struct lesson *lessons =
	    x_zalloc(MAX(r->n_series, (size_t)1) * sizeof(struct lesson));
	unsigned cells = 0;

	for (uint64_t i = hour * CELLS_AN_HOUR; i < (hour + 1) * CELLS_AN_HOUR;
	     i++) {
		struct reach_table room = { 0 }, *t;

		t = reach_interval(r, i, &room);
		if (t == NULL)
			continue;
		cells++;
		for (size_t k = 0; k < r->n_series; k++)
			add_lesson(r, &lessons[k], r->series[k], t);
		reach_table_done(&room);
	}
	for (size_t k = 0; k < r->n_series && cells >= CELLS_MIN; k++) {
		struct series *s = r->series[k];

		if (s->profile.hour >= hour)
			continue;
		for (size_t m = 0; m < REACH_MEANS; m++)
			lessons[k].sum[m] /= cells;
		reach_profile_learn(
		    &s->profile, hour, lessons[k].sum, is_odd(s));
		reach_profile_learn_hour(&s->profile, hour,
		    lessons[k].tls_tried, lessons[k].tls_failed,
		    lessons[k].organisations / cells, is_odd(s));
		reach_profile_learn_failing(&s->profile, lessons[k].known,
		    lessons[k].failed, is_odd(s));
		learn_people(s, &lessons[k]);
		reach_series_put_profile(r, k);
	}
	free(lessons);
}

void
reach_series_learn(struct reach *r, uint64_t now)
{
	uint64_t hour = now / 3600, first = hour;

	for (size_t i = 0; i < r->n_series; i++)
		first = MIN(first, r->series[i]->profile.hour + 1);
	first = MAX(first, hour - MIN(hour, (uint64_t)LEARN_HOURS));
	for (; first < hour; first++)
		learn_hour(r, first);
}
