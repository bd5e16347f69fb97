/* SPDX-License-Identifier: ISC */
/*
 * reach_series.c - each network and port over time: what is usual, and what is
 * not (proto/reach/reach_judge.h).
 *
 * A network on a port gets a place when somebody has signed in from there (a
 * mail server: when mail of it was taken). With every port goes one for all
 * networks together, which says what is the matter with the service rather
 * than with a network. When there are too many, the one with the least
 * traffic makes room.
 */
#include "watch/reach/reach_internal.h"

#include "base/log.h"
#include "base/metrics.h"

#define CELLS_AN_HOUR 12
#define CELLS_MIN     6  /* of an hour, to learn from it */
#define LEARN_HOURS   24 /* back, after a start */
#define OTHERS_MIN    50 /* connections from others, to compare with */

struct series *
reach_series_find(struct reach *r, const struct reach_key *key)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (reach_key_eq(&r->series[i]->profile.key, key))
			return r->series[i];
	return NULL;
}

static void
put_profile(struct reach *r, size_t i)
{
	int e = reach_file_put_profile(r->file, i, &r->series[i]->profile);

	if (e < 0)
		log_event(EV_REACH_FILE, LC("error", strerror(-e)));
}

/* The place of a new one; one that goes on all the same stays. */
static bool
find_place(struct reach *r, double weight, size_t *ret)
{
	size_t least = 0;
	double least_weight = weight;
	bool is_found = false;

	if (r->n_series < REACH_SERIES_MAX) {
		r->series[r->n_series] = X_NEW(struct series);
		*ret = r->n_series++;
		return true;
	}
	for (size_t i = 0; i < r->n_series; i++) {
		const struct reach_profile *p = &r->series[i]->profile;
		double w = reach_profile_weight(p);

		if (p->key.net.kind == REACH_NET_ALL || w >= least_weight)
			continue;
		least = i;
		least_weight = w;
		is_found = true;
	}
	*ret = least;
	return is_found;
}

static void
make(struct reach *r, const struct reach_key *key, uint64_t interval,
    double weight)
{
	size_t i;

	if (!find_place(r, weight, &i))
		return;
	*r->series[i] = (struct series){ 0 };
	reach_profile_init(&r->series[i]->profile, key);
	/* The present hour is not whole. */
	r->series[i]->profile.hour = interval / CELLS_AN_HOUR;
	put_profile(r, i);
	metric_set(M_REACH_SERIES, r->n_series);
}

/* --- one stretch --------------------------------------------------------------------- */

static void
push(struct reach *r, struct series *s, struct reach_table *t, bool is_known)
{
	const struct reach_key *key = &s->profile.key;
	struct reach_step step = { .is_known = is_known };

	step.has_usual = reach_profile_usual(
	    &s->profile, t->interval / CELLS_AN_HOUR, step.usual);
	step.tls_failing = step.has_usual
	                       ? reach_profile_tls_failing(
				     &s->profile, t->interval / CELLS_AN_HOUR)
	                       : -1;
	reach_step_count(r, t, key, &step);
	reach_recent_push(&s->recent, &step);
}

/* --- what is suspected ----------------------------------------------------------------- */

static struct series *
all_of(struct reach *r, const struct reach_key *key)
{
	struct reach_key all = *key;

	all.net = (struct reach_net){ REACH_NET_ALL, 0 };
	return reach_series_find(r, &all);
}

/* Of those who could, how many are without TLS: usually, and elsewhere now. */
static double
usual_stuck(const struct series *s, const struct series *all)
{
	const struct reach_step *last = &s->recent.steps[REACH_RECENT - 1];
	double usual = 0, here = 0;
	uint32_t could = 0, tls = 0;

	if (last->has_usual && last->usual[REACH_MEAN_ATTEMPTS] > 0)
		usual = 1 - MIN(last->usual[REACH_MEAN_TLS] /
				    last->usual[REACH_MEAN_ATTEMPTS],
				1.0);
	for (size_t i = REACH_RECENT - 3; all != NULL && i < REACH_RECENT;
	     i++) {
		const struct reach_step *a = &all->recent.steps[i];
		const struct reach_step *b = &s->recent.steps[i];

		could += a->could_tls - MIN(b->could_tls, a->could_tls);
		tls += a->tls - MIN(b->tls, a->tls);
	}
	if (could >= OTHERS_MIN && s != all)
		here = 1 - (double)MIN(tls, could) / could;
	return MAX(usual, here);
}

static struct reach_finding
judge(struct series *s, struct series *all, enum reach_signal_kind kind)
{
	struct reach_finding none = { .verdict = REACH_NOTHING }, f, g;
	const struct reach_key *key = &s->profile.key;
	bool is_all = key->net.kind == REACH_NET_ALL;

	switch (kind) {
	case REACH_QUIET:
		f = reach_judge_quiet(
		    &s->recent, reach_profile_phi(&s->profile));
		if (f.verdict != REACH_ODD || is_all || all == NULL)
			return f;
		/* Everybody is quiet: that is not about this network. */
		g = reach_judge_quiet(
		    &all->recent, reach_profile_phi(&all->profile));
		if (g.verdict == REACH_ODD)
			f.verdict = REACH_BETWEEN;
		return f;
	case REACH_STUCK:
		if (!reach_has_accounts(key->service) &&
		    key->service != SERVICE_HTTPS)
			return none;
		return reach_judge_stuck(&s->recent, usual_stuck(s, all));
	case REACH_ALERTS:
		return is_all ? reach_judge_alerts(&s->recent) : none;
	case REACH_SIGN_IN:
		return is_all ? reach_judge_sign_in(&s->recent,
				    reach_profile_failing(&s->profile))
		              : none;
	case REACH_TLS_FAILS:
		return is_all ? reach_judge_tls(&s->recent) : none;
	case REACH_REFUSED:
	case REACH_SLOW:
	case REACH_REFUSALS:
	case REACH_BACKLOG:
	case REACH_KINDS:
		break;
	}
	return none;
}

/* "mostly TLSv1.3, alert 48 (unknown_ca) sent by clients" */
static void
put_failure(const struct reach_alert *a, struct buf *to)
{
	const char *name = reach_alert_name(a->alert);

	buf_printf(to, "mostly %s, ", reach_tls_name((enum reach_tls)a->tls));
	if (a->alert == 0)
		buf_put_c(to, "broken off by clients");
	else
		buf_printf(to, "alert %u (%s) sent by %s", a->alert,
		    name != NULL ? name : "several",
		    a->is_ours ? "us" : "clients");
}

void
reach_series_text(struct reach *r, const struct series *s,
    enum reach_signal_kind kind, struct buf *to)
{
	const struct reach_key *key = &s->profile.key;
	const struct reach_finding *f = &s->signals[kind].last;
	const char *name = reach_nets_name(r->nets, &key->net);
	const char *alert = reach_alert_name(f->alert);
	char net[REACH_NET_TEXT];

	reach_net_format(&key->net, net);
	switch (kind) {
	case REACH_QUIET:
		buf_put_c(to, "fewer connections than usual");
		break;
	case REACH_STUCK:
		buf_put_c(to, "connections come in but do not get to TLS");
		break;
	case REACH_ALERTS:
		buf_printf(to, "TLS alerts rise: %u (%s)", f->alert,
		    alert != NULL ? alert : "several");
		break;
	case REACH_SIGN_IN:
		buf_put_c(to, "devices that signed in before cannot any more");
		break;
	case REACH_TLS_FAILS:
		buf_put_c(to, "TLS fails more often than usual, ");
		put_failure(&f->failure, to);
		break;
	case REACH_REFUSED:
	case REACH_SLOW:
	case REACH_REFUSALS:
	case REACH_BACKLOG:
	case REACH_KINDS:
		break;
	}
	if (key->net.kind != REACH_NET_ALL)
		buf_printf(to, " from %s%s%s%s", net, name[0] ? " (" : "", name,
		    name[0] ? ")" : "");
	buf_printf(to, " on %s (port %u), IPv%u",
	    service_name((enum service)key->service), key->port, key->family);
}

static void
tell(struct reach *r, const struct series *s, enum reach_signal_kind kind)
{
	const struct reach_signal *sig = &s->signals[kind];
	struct buf text = BUF_INIT(KIB(1));

	reach_series_text(r, s, kind, &text);
	if (sig->is_raised)
		log_event(EV_REACH_SUSPECTED,
		    LC("signal", reach_signal_name(kind)),
		    LC("what", buf_c(&text)), LU("seen", sig->last.seen),
		    LU("of", sig->last.of), LU("minutes", sig->last.minutes));
	else
		log_event(EV_REACH_OVER, LC("signal", reach_signal_name(kind)),
		    LC("what", buf_c(&text)));
	buf_done(&text);
}

static void
judge_all(struct reach *r, uint64_t now)
{
	unsigned raised = 0;

	for (size_t i = 0; i < r->n_series; i++) {
		struct series *s = r->series[i];
		struct series *all = all_of(r, &s->profile.key);

		for (unsigned k = 0; k < REACH_SIGNALS; k++) {
			struct reach_signal *sig = &s->signals[k];
			struct reach_signal before = *sig;
			struct reach_finding f =
			    judge(s, all, (enum reach_signal_kind)k);
			bool has_changed = reach_signal_step(sig, &f, now);

			if (has_changed && !sig->is_raised)
				sig->last = before.last;
			if (has_changed && !r->is_replaying)
				tell(r, s, (enum reach_signal_kind)k);
			raised += sig->is_raised;
		}
	}
	metric_set(M_REACH_SUSPECTED, raised);
}

/* --- new ones ---------------------------------------------------------------------------- */

static bool
deserves_one(const struct reach_cell *c)
{
	if (c->key.net.kind == REACH_NET_LOCAL ||
	    c->key.net.kind == REACH_NET_OTHERS ||
	    c->key.service >= SERVICE_COUNT)
		return false;
	return c->counts[REACH_N_SIGNED_IN] > 0 ||
	       (!reach_has_accounts(c->key.service) &&
		   c->counts[REACH_N_WELL] > 0);
}

static void
make_new(struct reach *r, struct reach_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct reach_cell *c = &t->entries[i].cell;
		struct reach_key all = c->key;

		all.net = (struct reach_net){ REACH_NET_ALL, 0 };
		if (c->key.net.kind != REACH_NET_LOCAL &&
		    c->key.service < SERVICE_COUNT &&
		    reach_series_find(r, &all) == NULL)
			make(r, &all, t->interval, 1e9);
		if (deserves_one(c) && reach_series_find(r, &c->key) == NULL)
			make(
			    r, &c->key, t->interval, c->counts[REACH_ATTEMPTS]);
	}
}

void
reach_series_close(struct reach *r, struct reach_table *t, bool is_known)
{
	make_new(r, t);
	for (size_t i = 0; i < r->n_series; i++)
		push(r, r->series[i], t, is_known);
	judge_all(r, (t->interval + 1) * REACH_INTERVAL_S);
}

/* --- learning ----------------------------------------------------------------------------- */

struct lesson {
	double sum[REACH_MEANS];
	double known, failed; /* of the hour */
	double tls_tried, tls_failed;
	double organisations; /* summed up, of five minutes each */
};

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
	if (key->net.kind == REACH_NET_ALL)
		reach_step_tls(r, t, key, &step);
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
		put_profile(r, k);
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
