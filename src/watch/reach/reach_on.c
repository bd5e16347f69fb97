/* SPDX-License-Identifier: ISC */
/*
 * reach_on.c - the signals that are on, what operators decided of them, and
 * whether strangers may hear of one. See reach_on.h.
 */
#include "watch/reach/reach_on.h"

#include "proto/status/status_signal.h"

static void
decide(const struct reach *r, struct reach_on *o)
{
	struct status_signal s;
	struct str value;

	if (r->told == NULL ||
	    !ledger_mirror_find(
		r->told->mirror, LEDGER_SIGNAL, o->id, &value) ||
	    !status_signal_decode(value, &s))
		return;
	o->decision = s.is_approved ? REACH_APPROVED : REACH_DISMISSED;
	if (s.is_approved)
		o->own_text = s.text;
}

static void
put_id(const struct series *s, enum reach_signal_kind kind, struct buf *to)
{
	const struct reach_key *k = &s->profile.key;

	reach_signal_put_id(
	    to, kind, service_name((enum service)k->service), k);
}

static void
each_of_networks(struct reach *r, reach_on_fn fn, void *arg)
{
	struct buf id = BUF_INIT(REACH_ID_MAX);

	for (size_t i = 0; i < r->n_series; i++)
		for (unsigned k = 0; k < REACH_SIGNALS; k++) {
			const struct series *s = r->series[i];
			struct reach_on o = { .kind = (enum reach_signal_kind)k,
				.series = s,
				.since = s->signals[k].since,
				.raised = s->signals[k].raised };

			if (!s->signals[k].is_raised)
				continue;
			buf_reset(&id, REACH_ID_MAX);
			put_id(s, o.kind, &id);
			o.id = buf_str(&id);
			decide(r, &o);
			fn(arg, r, &o);
		}
	buf_done(&id);
}

/* "refused/microsoft/192.0.2.1": the key of the row, with our separator. */
static void
put_refused_id(struct str key, struct buf *to)
{
	buf_printf(to, "%s/", reach_signal_name(REACH_REFUSED));
	for (size_t i = 0; i < key.n && to->n < REACH_ID_MAX; i++)
		buf_put_char(to, key.p[i] == ' ' ? '/' : key.p[i]);
}

static void
each_refused(struct reach *r, reach_on_fn fn, void *arg)
{
	const struct ledger_mirror *m = r->told ? r->told->mirror : NULL;
	struct buf id = BUF_INIT(REACH_ID_MAX);
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct breaker_row row;

	for (size_t i = 0; m && i < ledger_mirror_count(m, LEDGER_BREAKER);
	     i++) {
		struct ledger_mirror_row kept =
		    ledger_mirror_row(m, LEDGER_BREAKER, i);
		struct reach_on o = { .kind = REACH_REFUSED, .breaker = &row };

		/* What the operator avoids is not refused. */
		if (!breaker_row_get(kept.value, accounts, &row) ||
		    row.code == 0)
			continue;
		buf_reset(&id, REACH_ID_MAX);
		put_refused_id(kept.key, &id);
		o.id = buf_str(&id);
		o.since = o.raised = row.since_ms / 1000;
		decide(r, &o);
		fn(arg, r, &o);
	}
	buf_done(&id);
}

struct of_sent {
	struct reach *r;
	reach_on_fn fn;
	void *arg;
};

/* "slow/microsoft", "slow/all", "refusals/others" */
static void
on_sent(void *arg, const struct sent_on *sent)
{
	struct of_sent *to = arg;
	struct buf id = BUF_INIT(REACH_ID_MAX);
	struct reach_on o = { .kind = sent->kind,
		.sent = sent,
		.since = sent->signal->since,
		.raised = sent->signal->raised };
	const char *name = sent->name;

	if (name[0] == '\0')
		name = "all";
	else if (strcmp(name, SENT_OTHERS) == 0)
		name = "others";
	buf_printf(&id, "%s/%s", reach_signal_name(o.kind), name);
	o.id = buf_str(&id);
	decide(to->r, &o);
	to->fn(to->arg, to->r, &o);
	buf_done(&id);
}

void
reach_on_each(struct reach *r, reach_on_fn fn, void *arg)
{
	struct of_sent sent = { r, fn, arg };

	each_of_networks(r, fn, arg);
	sent_each_signal(r->sent, on_sent, &sent);
	each_refused(r, fn, arg);
}

/* --- who may hear of it -------------------------------------------------------------- */

static struct reach_public
public_of(const struct reach *r, const struct reach_on *o)
{
	struct reach_public p = { .now = r->now,
		.since = o->since,
		.raised = o->raised,
		.decision = o->decision };
	double usual[REACH_MEANS];

	if (o->series != NULL &&
	    reach_profile_usual(&o->series->profile, p.now / 3600, usual)) {
		p.usual_accounts = usual[REACH_MEAN_ACCOUNTS];
		p.usual_organisations = reach_profile_organisations(
		    &o->series->profile, p.now / 3600);
	}
	return p;
}

struct reach_public
reach_told_of(
    struct reach *r, const struct series *s, enum reach_signal_kind kind)
{
	struct buf id = BUF_INIT(REACH_ID_MAX);
	struct reach_on o = { .kind = kind,
		.series = s,
		.since = s->signals[kind].since,
		.raised = s->signals[kind].raised };
	struct reach_public p;

	put_id(s, kind, &id);
	o.id = buf_str(&id);
	decide(r, &o);
	p = public_of(r, &o);
	buf_done(&id);
	return p;
}

/* That mail waits tells of a provider, not of its customers here. */
bool
reach_on_is_many(const struct reach *r, const struct reach_on *o)
{
	struct reach_public p = public_of(r, o);

	return o->series == NULL || reach_public_is_many(&p);
}

bool
reach_on_may_tell(const struct reach *r, const struct reach_on *o)
{
	struct reach_public p = public_of(r, o);

	if (o->decision == REACH_APPROVED)
		return o->own_text.n > 0 || reach_on_is_many(r, o);
	/* Who cannot sign in may be under attack; that is for operators. */
	return o->series != NULL && o->kind != REACH_SIGN_IN &&
	       reach_public_may_tell(&p);
}

/* --- whom it is about ---------------------------------------------------------------- */

bool
reach_on_is_of_network(const struct reach_on *o)
{
	return o->series != NULL &&
	       o->series->profile.key.net.kind != REACH_NET_ALL;
}

struct str
reach_told_title(const struct reach *r, struct str name)
{
	return r->told != NULL && r->told->providers != NULL
	           ? provider_title(r->told->providers, name)
	           : STR_NONE;
}

/* The provider, when there is one: not a host, nor a customer's domain. */
struct str
reach_on_provider(const struct reach *r, const struct reach_on *o)
{
	if (o->sent != NULL)
		return reach_told_title(r, str_c(o->sent->name));
	return o->breaker != NULL ? reach_told_title(r, o->breaker->scope)
	                          : STR_NONE;
}
