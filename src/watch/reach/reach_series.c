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
#define OTHERS_MIN    50 /* connections from others, to compare with */

struct series *
reach_series_find(struct reach *r, const struct reach_key *key)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (reach_key_eq(&r->series[i]->profile.key, key))
			return r->series[i];
	return NULL;
}

void
reach_series_put_profile(struct reach *r, size_t i)
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
	reach_series_put_profile(r, i);
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
	step.usual_cut =
	    reach_profile_cut(&s->profile, t->interval / CELLS_AN_HOUR);
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
cut_of(const struct series *s)
{
	return reach_judge_cut(&s->recent, reach_profile_phi_cut(&s->profile));
}

/* Accounts of the last half hour that are missing there. */
static double
missing(const struct series *s)
{
	double n = 0;

	for (size_t i = REACH_RECENT / 2; i < REACH_RECENT; i++) {
		const struct reach_step *step = &s->recent.steps[i];

		if (step->has_usual)
			n += step->usual[REACH_MEAN_ACCOUNTS] - step->accounts;
	}
	return n;
}

/* The network of this port of which most are missing. */
static const struct series *
worst_of(const struct reach *r, const struct series *all)
{
	const struct series *worst = NULL;
	struct reach_key key = all->profile.key;

	for (size_t i = 0; i < r->n_series; i++) {
		const struct series *s = r->series[i];

		key.net = s->profile.key.net;
		if (s != all && reach_key_eq(&s->profile.key, &key) &&
		    (worst == NULL || missing(s) > missing(worst)))
			worst = s;
	}
	return worst;
}

/* Of all networks together but the one that misses most: what one misses is not
 * about the port. */
static struct reach_finding
few_of_all(const struct reach *r, const struct series *all)
{
	const struct series *worst = worst_of(r, all);
	struct reach_recent recent = all->recent;

	if (worst != NULL)
		reach_recent_less(&recent, &worst->recent);
	return reach_judge_few(
	    &recent, reach_profile_phi_accounts(&all->profile), REACH_LOT_RANK);
}

static struct reach_finding
few_of(const struct reach *r, const struct series *s)
{
	const struct reach_profile *p = &s->profile;

	if (p->key.net.kind == REACH_NET_ALL)
		return few_of_all(r, s);
	return reach_judge_few(&s->recent, reach_profile_phi_accounts(p),
	    reach_few_rank(reach_profile_clients(p)));
}

/* The same is found of everybody: it is not about this network. */
static struct reach_finding
unless_all(struct reach_finding f, struct reach_finding all)
{
	if (f.verdict == REACH_ODD && all.verdict == REACH_ODD)
		f.verdict = REACH_BETWEEN;
	return f;
}

static struct reach_finding
judge(const struct reach *r, struct series *s, struct series *all,
    enum reach_signal_kind kind)
{
	struct reach_finding none = { .verdict = REACH_NOTHING }, f;
	const struct reach_key *key = &s->profile.key;
	bool is_all = key->net.kind == REACH_NET_ALL;

	switch (kind) {
	case REACH_QUIET:
		f = reach_judge_quiet(
		    &s->recent, reach_profile_phi(&s->profile));
		if (f.verdict != REACH_ODD || is_all || all == NULL)
			return f;
		return unless_all(f, reach_judge_quiet(&all->recent,
					 reach_profile_phi(&all->profile)));
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
	case REACH_CUT_OFF:
		f = cut_of(s);
		return f.verdict != REACH_ODD || is_all || all == NULL
		           ? f
		           : unless_all(f, cut_of(all));
	case REACH_FEW:
		if (!reach_has_accounts(key->service))
			return none;
		f = few_of(r, s);
		return f.verdict != REACH_ODD || is_all || all == NULL
		           ? f
		           : unless_all(f, few_of_all(r, all));
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
	case REACH_CUT_OFF:
		buf_put_c(to,
		    key->service == SERVICE_MX
			? "connections with TLS break off more often than usual"
			: "sessions break off behind sign-in more often "
			  "than usual");
		break;
	case REACH_FEW:
		buf_put_c(to, "connections come as usual, and far fewer "
			      "accounts than usual get in");
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
			    judge(r, s, all, (enum reach_signal_kind)k);
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
