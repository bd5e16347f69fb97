/* SPDX-License-Identifier: ISC */
/*
 * reach_told.c - signals as people hear of them: the list for operators, what they
 * decided, and what strangers may be told (proto/reach/reach_public.h).
 *
 * To the signals of networks come the providers that refuse our addresses: rows
 * that role send keeps (conf/breaker_row.h). Of these strangers hear nothing
 * unless an operator approves: that mail goes out late is said by a person.
 */
#include "watch/reach/reach_internal.h"

#include "base/hash.h"
#include "conf/breaker_row.h"
#include "proto/provider/provider.h"
#include "proto/status/status_signal.h"

#define REPLY_MAX    KIB(800)
#define ROWS_MAX     1500
#define PUBLIC_MAX   8   /* that strangers are told at a time */
#define FORGET_S     900 /* after a decision, when its signal is not on */
#define ROW_SERVICES 255

struct reach_told {
	struct reach *r;
	struct ledger_mirror *mirror;
	struct provider_table *providers; /* NULL: the operator has his own */
	uint64_t hash;                    /* of what strangers are told */
};

/* --- one signal -------------------------------------------------------------------- */

/* A signal that is on. */
struct on {
	enum reach_signal_kind kind;
	/* One of them: of a network, of a receiver, of who refuses our address. */
	const struct series *series;
	const struct sent_on *sent;
	const struct breaker_row *breaker;
	struct str id;
	uint64_t since, raised;
	enum reach_decision decision;
	struct str own_text; /* of who approved it */
};
typedef void (*on_fn)(void *arg, struct reach *r, const struct on *o);

static void
decide(const struct reach *r, struct on *o)
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
each_of_networks(struct reach *r, on_fn fn, void *arg)
{
	struct buf id = BUF_INIT(REACH_ID_MAX);

	for (size_t i = 0; i < r->n_series; i++)
		for (unsigned k = 0; k < REACH_SIGNALS; k++) {
			const struct series *s = r->series[i];
			struct on o = { .kind = (enum reach_signal_kind)k,
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
each_refused(struct reach *r, on_fn fn, void *arg)
{
	const struct ledger_mirror *m = r->told ? r->told->mirror : NULL;
	struct buf id = BUF_INIT(REACH_ID_MAX);
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct breaker_row row;

	for (size_t i = 0; m && i < ledger_mirror_count(m, LEDGER_BREAKER);
	     i++) {
		struct ledger_mirror_row kept =
		    ledger_mirror_row(m, LEDGER_BREAKER, i);
		struct on o = { .kind = REACH_REFUSED, .breaker = &row };

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
	on_fn fn;
	void *arg;
};

/* "slow/microsoft", "slow/all", "refusals/others" */
static void
on_sent(void *arg, const struct sent_on *sent)
{
	struct of_sent *to = arg;
	struct buf id = BUF_INIT(REACH_ID_MAX);
	struct on o = { .kind = sent->kind,
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

static void
each(struct reach *r, on_fn fn, void *arg)
{
	struct of_sent sent = { r, fn, arg };

	each_of_networks(r, fn, arg);
	sent_each_signal(r->sent, on_sent, &sent);
	each_refused(r, fn, arg);
}

/* --- who may hear of it -------------------------------------------------------------- */

static struct reach_public
public_of(const struct reach *r, const struct on *o)
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
	struct on o = { .kind = kind,
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
static bool
is_many(const struct reach *r, const struct on *o)
{
	struct reach_public p = public_of(r, o);

	return o->series == NULL || reach_public_is_many(&p);
}

static bool
may_tell(const struct reach *r, const struct on *o)
{
	struct reach_public p = public_of(r, o);

	if (o->decision == REACH_APPROVED)
		return o->own_text.n > 0 || is_many(r, o);
	/* Who cannot sign in may be under attack; that is for operators. */
	return o->series != NULL && o->kind != REACH_SIGN_IN &&
	       reach_public_may_tell(&p);
}

/* --- for strangers -------------------------------------------------------------------- */

struct suspected {
	struct buf *to;
	size_t n;
};

static bool
is_of_network(const struct on *o)
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
static struct str
provider_of_row(const struct reach *r, const struct on *o)
{
	if (o->sent != NULL)
		return reach_told_title(r, str_c(o->sent->name));
	return o->breaker != NULL ? reach_told_title(r, o->breaker->scope)
	                          : STR_NONE;
}

static void
put_suspected(void *arg, struct reach *r, const struct on *o)
{
	struct suspected *s = arg;

	if (s->n == PUBLIC_MAX || !may_tell(r, o))
		return;
	s->n++;
	msg_watch_suspected_put(
	    s->to, &(struct msg_watch_suspected){ .kind = (uint8_t)o->kind,
		       .service = o->series ? o->series->profile.key.service
	                                    : ROW_SERVICES,
		       .is_network = is_of_network(o),
		       .since_s = o->since,
		       .name = provider_of_row(r, o),
		       .text = o->own_text });
}

void
reach_told_put(struct reach *r, struct buf *to)
{
	struct suspected s = { .to = to };

	each(r, put_suspected, &s);
}

/* The same in English, for the operator to see. */
static void
put_public(struct reach *r, const struct on *o, struct buf *to)
{
	static const char *const words[REACH_KINDS] = {
		[REACH_QUIET] = "Fewer connections than usual",
		[REACH_STUCK] = "Connections do not get to TLS",
		[REACH_ALERTS] = "More devices than usual refuse our TLS",
		[REACH_SIGN_IN] = "Signing in fails more often than usual",
		[REACH_TLS_FAILS] = "TLS fails more often than usual",
		[REACH_REFUSED] = "Mail is refused, waits or takes another way",
		[REACH_SLOW] = "Mail to others takes longer than usual",
		[REACH_REFUSALS] = "More mail than usual is refused",
		[REACH_BACKLOG] = "Mail to others waits",
	};
	struct str provider = provider_of_row(r, o);

	if (!may_tell(r, o))
		return;
	if (o->own_text.n > 0)
		buf_put_str(to, o->own_text);
	else if (provider.n > 0)
		buf_printf(
		    to, "%s (to %.*s)", words[o->kind], STR_ARG(provider));
	else if (o->series == NULL)
		buf_put_c(to, words[o->kind]);
	else
		buf_printf(to, "%s%s (%s)", words[o->kind],
		    is_of_network(o) ? " from one network" : "",
		    service_name((enum service)o->series->profile.key.service));
}

/* --- for operators --------------------------------------------------------------------- */

static void
fill_network(struct reach *r, const struct on *o, struct msg_reach_signal *row)
{
	const struct reach_signal *sig = &o->series->signals[o->kind];
	const struct reach_key *k = &o->series->profile.key;

	row->net_kind = k->net.kind;
	row->net_value = k->net.value;
	row->name = str_c(reach_nets_name(r->nets, &k->net));
	row->port = k->port;
	row->service = k->service;
	row->family = k->family;
	row->seen = sig->last.seen;
	row->of = sig->last.of;
	row->usual = (uint64_t)(sig->last.usual * 256);
	row->minutes = sig->last.minutes;
	row->alert = sig->last.alert;
}

/* Microsoft 365 refuses mail from 192.0.2.1 (5 messages ...). */
static void
put_refused_text(
    const struct on *o, const struct msg_reach_signal *row, struct buf *to)
{
	const struct breaker_row *b = o->breaker;

	buf_printf(to, "%.*s refuses mail from %.*s; ", STR_ARG(row->subject),
	    STR_ARG(b->own_ip.n > 0 ? b->own_ip : b->source));
	buf_printf(to, "%llu message%s of %u%s account%s ",
	    (unsigned long long)b->messages, str_s(b->messages), b->n_accounts,
	    b->has_more_accounts ? " or more" : "", str_s(b->n_accounts));
	if (b->instead.n > 0)
		buf_printf(to, "went by %.*s", STR_ARG(b->instead));
	else
		buf_put_c(to, "wait");
}

static void
fill_refused(struct reach *r, const struct on *o, struct buf *reply,
    struct msg_reach_signal *row)
{
	const struct breaker_row *b = o->breaker;

	row->net_kind = REACH_NET_OTHERS;
	row->service = ROW_SERVICES;
	row->subject = provider_of_row(r, o);
	if (row->subject.n == 0)
		row->subject = b->scope;
	row->messages = b->messages;
	row->accounts = b->n_accounts;
	row->link = b->link;
	buf_printf(reply, "%u %.*s", b->code, STR_ARG(b->reply));
	row->reply = buf_str(reply);
}

static void
fill_sent(struct reach *r, const struct on *o, struct buf *reply,
    struct msg_reach_signal *row)
{
	const struct reach_finding *f = &o->sent->signal->last;

	row->net_kind = REACH_NET_OTHERS;
	row->service = ROW_SERVICES;
	row->subject = provider_of_row(r, o);
	if (row->subject.n == 0)
		row->subject = str_c(o->sent->name);
	row->seen = f->seen;
	row->of = f->of;
	row->usual = (uint64_t)(f->usual * 256);
	row->minutes = f->minutes;
	row->messages = o->sent->waiting;
	if (o->kind != REACH_SLOW)
		buf_put_c(reply, o->sent->reply);
	row->reply = buf_str(reply);
}

static void
put_signal(void *arg, struct reach *r, const struct on *o)
{
	struct buf text = BUF_INIT(KIB(2)), told = BUF_INIT(KIB(1));
	struct buf reply = BUF_INIT(KIB(2)), *items = arg;
	struct msg_reach_signal row = { .kind = (uint8_t)o->kind,
		.since = o->since,
		.id = o->id,
		.state = (uint8_t)o->decision,
		.is_many = is_many(r, o) };
	char p[24] = "";

	if (o->series != NULL) {
		fill_network(r, o, &row);
		snprintf(
		    p, sizeof(p), "%.1e", o->series->signals[o->kind].last.p);
		reach_series_text(r, o->series, o->kind, &text);
	} else if (o->sent != NULL) {
		snprintf(p, sizeof(p), "%.1e", o->sent->signal->last.p);
		fill_sent(r, o, &reply, &row);
		sent_put_text(o->sent, provider_of_row(r, o), &text);
		reach_listed_put(r->sv, STR_NONE, row.reply, &text);
	} else {
		fill_refused(r, o, &reply, &row);
		put_refused_text(o, &row, &text);
		reach_listed_put(r->sv, o->breaker->own_ip, row.reply, &text);
	}
	put_public(r, o, &told);
	row.p = str_c(p);
	row.text = buf_str(&text);
	row.public_text = buf_str(&told);
	if (items->n + text.n + told.n + reply.n + KIB(2) < REPLY_MAX)
		msg_reach_signal_put(items, &row);
	buf_done(&text);
	buf_done(&told);
	buf_done(&reply);
}

void
reach_told_rows(struct reach *r, struct buf *to)
{
	each(r, put_signal, to);
}

bool
reach_told_request(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX);

	reach_told_rows(r, &items);
	reach_answer_items(p, m, &items);
	return true;
}

bool
reach_told_is_refused(void *arg, struct str name)
{
	const struct reach *r = arg;
	const struct ledger_mirror *m = r->told ? r->told->mirror : NULL;
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct breaker_row row;

	for (size_t i = 0; m && i < ledger_mirror_count(m, LEDGER_BREAKER); i++)
		if (breaker_row_get(
			ledger_mirror_row(m, LEDGER_BREAKER, i).value, accounts,
			&row) &&
		    row.code != 0 && str_eq(row.scope, name))
			return true;
	return false;
}

/* --- what changes ------------------------------------------------------------------------ */

struct search {
	struct str id;
	bool is_found;
};

static void
look(void *arg, UNUSED struct reach *r, const struct on *o)
{
	struct search *s = arg;

	s->is_found |= str_eq(s->id, o->id);
}

static void
forget(struct reach *r, struct str key)
{
	struct buf rows = BUF_INIT(KIB(1));

	if (r->sv->rt == NULL)
		return; /* alone */
	msg_ledger_row_put(
	    &rows, &(struct msg_ledger_row){ .key = key, .is_gone = 1 });
	ledger_put(r->sv->rt, LEDGER_SIGNAL, buf_str(&rows), NULL, NULL);
	buf_done(&rows);
}

/* A decision is about what is on; what comes again is decided again. */
static void
forget_what_is_over(struct reach *r)
{
	const struct ledger_mirror *m = r->told->mirror;

	for (size_t i = 0; i < ledger_mirror_count(m, LEDGER_SIGNAL); i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(m, LEDGER_SIGNAL, i);
		struct search s = { .id = row.key };
		struct status_signal decided;

		each(r, look, &s);
		if (!s.is_found &&
		    (!status_signal_decode(row.value, &decided) ||
			decided.at_s + FORGET_S < r->now))
			forget(r, row.key);
	}
}

void
reach_told_look(struct reach *r)
{
	struct buf now = BUF_INIT(KIB(16));
	uint64_t hash;

	if (r->told == NULL || !ledger_mirror_is_ready(r->told->mirror))
		return;
	reach_told_put(r, &now);
	hash = now.n > 0 ? hash64(now.p, now.n) : 0;
	buf_done(&now);
	if (hash != r->told->hash && r->sv->site != NULL)
		site_changed(r->sv->site);
	r->told->hash = hash;
}

void
reach_told_over(struct reach *r)
{
	if (r->told != NULL && ledger_mirror_is_ready(r->told->mirror))
		forget_what_is_over(r);
}

static void
on_changed(void *arg)
{
	struct reach_told *t = arg;

	reach_told_look(t->r);
}

bool
reach_changed(struct reach *r, struct str body)
{
	return ledger_mirror_changed(r->told->mirror, body);
}

void
reach_load(struct reach *r)
{
	ledger_mirror_load(r->told->mirror);
}

/* --- life ---------------------------------------------------------------------------------- */

static const enum ledger_table tables[] = { LEDGER_SIGNAL, LEDGER_BREAKER };

static struct reach_told *
told_new(struct reach *r)
{
	const char *own = r->sv->conf->send_providers;

	r->told = X_NEW(struct reach_told);
	r->told->r = r;
	if (own == NULL || own[0] == '\0')
		r->told->providers = provider_table_new();
	return r->told;
}

void
reach_told_start(struct reach *r)
{
	struct reach_told *t = told_new(r);

	t->mirror = ledger_mirror_new(
	    r->sv->rt, tables, ARRAY_LEN(tables), on_changed, t);
}

void
reach_told_start_alone(struct reach *r, struct ledger_mirror **ret)
{
	struct reach_told *t = told_new(r);

	t->mirror = ledger_mirror_new_alone(
	    r->sv->loop, tables, ARRAY_LEN(tables), on_changed, t);
	*ret = t->mirror;
}

void
reach_told_stop(struct reach *r)
{
	if (r->told != NULL)
		ledger_mirror_stop(r->told->mirror);
}

void
reach_told_free(struct reach *r)
{
	if (r->told == NULL)
		return;
	provider_table_free(r->told->providers);
	free(r->told);
	r->told = NULL;
}
