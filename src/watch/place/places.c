/* SPDX-License-Identifier: ISC */
/* places.c - the agents that are known, and who of them is silent. See places.h. */
#include "watch/place/places.h"

#include "base/log.h"
#include "watch/alert/alert.h"

#define SAVE_MS (10u * 60 * 1000)
/* A clock that is more wrong than that is told of. */
#define SKEW_MS 30000

struct places {
	struct place **v; /* in the order of their ids */
	size_t n;
};

struct places *
places_new(UNUSED struct server *sv)
{
	return X_NEW(struct places);
}

size_t
place_count(const struct server *sv)
{
	return sv->places->n;
}

struct place *
place_at(const struct server *sv, size_t i)
{
	return sv->places->v[i];
}

struct place *
place_find(struct server *sv, struct str id)
{
	for (size_t i = 0; i < sv->places->n; i++)
		if (str_eq_case(str_c(sv->places->v[i]->id), id))
			return sv->places->v[i];
	return NULL;
}

/* --- rows ---------------------------------------------------------------------- */

static void
free_place(struct place *p)
{
	calls_drop(p);
	crypt_key_free(p->key);
	str_free(&p->row);
	free(p->id);
	free(p);
}

/* False: it is no row. What the process knows of the agent stays, as long as its
 * key is the same one. */
static bool
take_row(struct place *p, struct str value)
{
	struct str row = str_copy(value);
	struct status_agent a;
	bool is_same;

	if (!status_agent_decode(row, &a)) {
		str_free(&row);
		return false;
	}
	is_same = p->key != NULL && str_eq(p->agent.key, a.key);
	str_free(&p->row);
	p->row = row;
	p->agent = a;
	if (is_same)
		return true;
	calls_drop(p);
	p->key = crypt_key_free(p->key);
	if (a.key.n > 0)
		p->key = crypt_key_from_public(CRYPT_ED25519, a.key);
	p->heard_ms = server_now_ms();
	p->was_heard = p->is_silent = false;
	p->seq = p->budget_ms = p->saved_ms = 0;
	return true;
}

static struct place *
new_place(struct server *sv, struct ledger_mirror_row row)
{
	struct place *p = X_NEW(struct place);

	p->sv = sv;
	p->id = str_dup(row.key);
	if (take_row(p, row.value))
		return p;
	log_event(EV_WATCH_BAD_ROW, LS("agent", row.key));
	free_place(p);
	return NULL;
}

/* Labels to numbers, 0 being this server's own network. */
static void
number_networks(struct places *ps)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct place *p = ps->v[i];
		struct str label = p->agent.network;
		size_t k = 0;

		while (!str_eq_case(ps->v[k]->agent.network, label))
			k++;
		p->network = str_eq_case(label, STR(STATUS_NETWORK_HERE))
		                 ? 0
		                 : (uint8_t)(MIN(k, UINT8_MAX - 1) + 1);
	}
}

/* True: it is another choice. */
static bool
choose_active(struct places *ps)
{
	bool is_changed = false;
	size_t n = 0;

	for (size_t i = 0; i < ps->n; i++) {
		struct place *p = ps->v[i];
		bool is_active = !p->is_gone && p->key != NULL &&
		                 status_agent_is_active(&p->agent);

		is_active = is_active && n < STATUS_AGENTS_MAX;
		is_changed |= p->is_active != is_active;
		p->is_active = is_active;
		n += is_active;
	}
	return is_changed;
}

bool
places_update(struct server *sv)
{
	size_t rows = ledger_mirror_count(sv->mirror, LEDGER_AGENT), n = 0,
	       at = 0;
	struct places *ps = sv->places;
	struct place **fresh = x_calloc(rows + ps->n + 1, sizeof(*fresh));

	/* Both are in order; those that are gone stay at their place. */
	for (size_t i = 0; i < rows || at < ps->n;) {
		struct place *old = at < ps->n ? ps->v[at] : NULL;
		struct ledger_mirror_row row = { 0 };
		int order = 1;

		if (i < rows)
			row = ledger_mirror_row(sv->mirror, LEDGER_AGENT, i);
		if (old != NULL)
			order =
			    i < rows ? str_cmp(str_c(old->id), row.key) : -1;
		if (order > 0) {
			old = new_place(sv, row);
		} else {
			old->is_gone = order < 0 || !take_row(old, row.value);
			at++;
		}
		i += order >= 0;
		if (old != NULL)
			fresh[n++] = old;
	}
	free(ps->v);
	ps->v = fresh;
	ps->n = n;
	number_networks(ps);
	return choose_active(ps);
}

void
places_sweep(struct server *sv)
{
	struct places *ps = sv->places;
	size_t n = 0;

	for (size_t i = 0; i < ps->n; i++) {
		if (ps->v[i]->is_gone)
			free_place(ps->v[i]);
		else
			ps->v[n++] = ps->v[i];
	}
	ps->n = n;
}

void
places_of(
    struct server *sv, const struct status_check *c, struct place_list *ret)
{
	*ret = (struct place_list){ 0 };
	/* An agent's own checks are all from where it is. */
	if (sv->agent != NULL || status_check_is_here(c))
		ret->n = 1;
	for (size_t i = 0; sv->places != NULL && i < sv->places->n; i++) {
		struct place *p = sv->places->v[i];

		if (!p->is_active || ret->n == WATCH_VANTAGES_MAX ||
		    !status_check_is_at(c, p->agent.id))
			continue;
		ret->v[ret->n] = p;
		ret->networks[ret->n++] = p->network;
	}
	ret->is_nobody = ret->n == 0;
	ret->n = MAX(ret->n, (size_t)1);
}

/* People, of what they cannot see from the states of checks. */
static void
tell(const struct place *p, bool is_silent)
{
	alert_agent(p->sv, &(struct alert_place){ .id = p->agent.id,
			       .network = p->agent.network,
			       .since_ms = p->silent_ms,
			       .mark_s = p->agent.seen_s,
			       .is_silent = is_silent });
}

/* --- who is heard ------------------------------------------------------------------ */

static void
save_seen(struct place *p, uint64_t now_ms)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(4)),
		   rows = BUF_INIT(KIB(8));
	struct status_agent a = p->agent;

	if (p->saved_ms != 0 && now_ms < p->saved_ms + SAVE_MS)
		return;
	p->saved_ms = now_ms;
	a.seen_s = loop_time(p->sv->loop);
	status_agent_encode(&a, &value);
	msg_ledger_row_put(&rows, &(struct msg_ledger_row){ .key = str_c(p->id),
				      .value = buf_str(&value) });
	/* Only while it is as we know it: it may have been revoked meanwhile. */
	ledger_put_if(p->sv->rt,
	    &(struct msg_ledger_put){ .table = LEDGER_AGENT,
		.rows = buf_str(&rows),
		.only_if = LEDGER_IF_SAME,
		.was = p->row },
	    NULL, NULL);
	buf_done(&key);
	buf_done(&value);
	buf_done(&rows);
}

static void
judge_clock(struct place *p, uint64_t time_ms)
{
	uint64_t now = loop_time_ms(p->sv->loop);
	bool is_wrong;

	p->skew_ms = (int64_t)(time_ms - now);
	is_wrong = p->skew_ms > SKEW_MS || p->skew_ms < -SKEW_MS;
	if (is_wrong && !p->is_skew_told)
		log_event(EV_WATCH_AGENT_CLOCK, LC("agent", p->id),
		    LI("ahead_ms", p->skew_ms));
	p->is_skew_told = is_wrong;
}

void
place_heard(struct place *p, uint64_t time_ms)
{
	uint64_t now = server_now_ms();

	if (!p->was_heard || p->is_silent)
		log_event(EV_WATCH_AGENT, LC("agent", p->id),
		    LS("network", p->agent.network),
		    LC("state", p->was_heard ? "heard again" : "heard"));
	if (p->is_silent)
		tell(p, false);
	p->was_heard = true;
	p->is_silent = false;
	p->heard_ms = now;
	judge_clock(p, time_ms);
	save_seen(p, now);
}

/* Not only when it is too old: people are told so now. */
static void
forget_seen(const struct place *p)
{
	for (size_t i = 0; i < p->sv->n_watched; i++) {
		struct watched *w = p->sv->watched[i];

		for (size_t k = 0; k < w->n_seen; k++)
			if (w->seen[k].place == p)
				schedule_blind(w, k);
	}
}

void
places_tick(struct server *sv, uint64_t now_ms)
{
	for (size_t i = 0; i < sv->places->n; i++) {
		struct place *p = sv->places->v[i];

		if (!p->is_active || p->is_silent ||
		    now_ms < p->heard_ms + PLACE_SILENT_MS)
			continue;
		p->is_silent = true;
		/* Of a process before this one, its row knows. */
		p->silent_ms = p->was_heard ? server_wall_ms(sv, p->heard_ms)
		                            : p->agent.seen_s * 1000;
		forget_seen(p);
		tell(p, true);
		log_event(EV_WATCH_AGENT_SILENT, LC("agent", p->id),
		    LU("seconds", (now_ms - p->heard_ms) / 1000));
	}
}
