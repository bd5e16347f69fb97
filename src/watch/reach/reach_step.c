/* SPDX-License-Identifier: ISC */
/*
 * reach_step.c - what is judged of five minutes, counted from their cells.
 */
#include "watch/reach/reach_internal.h"

/* Who could have gone on to TLS: greeted, or with TLS from the first byte. */
static uint32_t
could_tls(const struct reach_cell *c)
{
	const uint32_t *n = c->counts;

	if (service_is_implicit_tls((enum service)c->key.service))
		return n[REACH_ATTEMPTS] -
		       MIN(n[REACH_N_LIMITED], n[REACH_ATTEMPTS]);
	return n[REACH_N_GREETED];
}

static void
make_step(const struct reach_cell *c, struct reach_step *s)
{
	struct reach_alert alert = reach_cell_alert(c);

	s->attempts = c->counts[REACH_ATTEMPTS];
	s->limited = c->counts[REACH_N_LIMITED];
	s->could_tls = could_tls(c);
	s->tls = c->counts[REACH_N_TLS];
	s->signed_in = c->counts[REACH_N_SIGNED_IN];
	s->accounts = reach_accounts_guess(&c->accounts);
	s->known = c->counts[REACH_N_KNOWN];
	s->known_failed = c->counts[REACH_N_KNOWN_FAILED];
	s->alerts = alert.n;
	s->alert = alert.alert;
	s->sessions = c->counts[REACH_N_SESSIONS];
	memcpy(s->lots, c->lots, sizeof(s->lots));
}

static bool
is_on_port(const struct reach_key *k, const struct reach_key *port)
{
	return k->port == port->port && k->family == port->family &&
	       k->service == port->service && k->net.kind != REACH_NET_LOCAL;
}

static bool
is_usual_here(
    struct reach *r, const struct reach_cell *c, const struct reach_key *port)
{
	return is_on_port(&c->key, port) &&
	       reach_series_find(r, &c->key) != NULL;
}

/* Every network on this port. */
void
reach_step_sum(const struct reach_table *t, const struct reach_key *key,
    struct reach_cell *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->key = *key;
	for (size_t i = 0; i < t->n; i++)
		if (is_on_port(&t->entries[i].cell.key, key))
			reach_cell_merge(ret, &t->entries[i].cell);
}

/*
 * Of TLS only networks count that usually get in: whoever scans the port does not
 * come from there, and shall not be able to say that our TLS is broken.
 */
static void
count_usual(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step)
{
	struct reach_cell sum = { .key = *key };
	struct reach_step usual = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (is_usual_here(r, &t->entries[i].cell, key))
			reach_cell_merge(&sum, &t->entries[i].cell);
	make_step(&sum, &usual);
	step->could_tls = usual.could_tls;
	step->tls = usual.tls;
	step->alerts = usual.alerts;
	step->alert = usual.alert;
	memcpy(step->lots[REACH_LOTS_OUT], usual.lots[REACH_LOTS_OUT],
	    sizeof(step->lots[REACH_LOTS_OUT]));
}

/* Any spread of networks over lots (Fibonacci hashing). */
static unsigned
lot_of(const struct reach_net *net)
{
	return (net->value + net->kind) * UINT32_C(2654435769) >> 28;
}

void
reach_step_cut(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step)
{
	uint16_t *lots = step->lots[REACH_LOTS_CUT];

	step->sessions = 0;
	memset(lots, 0, sizeof(step->lots[REACH_LOTS_CUT]));
	for (size_t i = 0; i < t->n; i++) {
		const struct reach_cell *c = &t->entries[i].cell;

		if (!is_usual_here(r, c, key))
			continue;
		step->sessions += c->counts[REACH_N_SESSIONS];
		reach_lot_add(
		    &lots[lot_of(&c->key.net)], c->counts[REACH_N_CUT]);
	}
}

/* How many of these networks send that alert, or have known devices that cannot
 * sign in. */
static void
count_nets(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct reach_cell *c = &t->entries[i].cell;

		if (!is_usual_here(r, c, key))
			continue;
		step->alert_nets += step->alert != 0 &&
		                    reach_cell_alert(c).alert == step->alert;
		step->failed_nets += c->counts[REACH_N_KNOWN_FAILED] > 0;
	}
}

/*
 * Handshakes on this port of networks that usually get in: scanners come from
 * others, and fail all day.
 */
void
reach_step_tls(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step)
{
	struct reach_cell all = { 0 };
	struct reach_tls_cap cap = { { 0 } };

	for (size_t i = 0; i < t->n; i++) {
		const struct reach_cell *c = &t->entries[i].cell;

		if (is_usual_here(r, c, key))
			reach_tls_cap_see(&cap, c->counts[REACH_N_TLS_FAILED]);
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct reach_cell *c = &t->entries[i].cell;
		uint32_t n;

		if (!is_usual_here(r, c, key))
			continue;
		n = reach_tls_cap(&cap, c->counts[REACH_N_TLS_FAILED]);
		step->tls_failed += n;
		step->tls_tried += n + c->counts[REACH_N_TLS];
		for (size_t k = 0; k < REACH_ALERT_KINDS; k++)
			reach_cell_add_alert(&all, &c->alerts[k]);
	}
	step->failure = reach_cell_failure(&all);
}

void
reach_step_count(struct reach *r, struct reach_table *t,
    const struct reach_key *key, struct reach_step *step)
{
	const struct reach_cell *c;
	struct reach_cell sum;

	if (key->net.kind == REACH_NET_ALL) {
		reach_step_sum(t, key, &sum);
		make_step(&sum, step);
		count_usual(r, t, key, step);
		count_nets(r, t, key, step);
		reach_step_cut(r, t, key, step);
		reach_step_tls(r, t, key, step);
	} else if ((c = reach_table_find(t, key)) != NULL) {
		make_step(c, step);
	}
}
