/* SPDX-License-Identifier: ISC */
/*
 * reach_told.c - signals as strangers hear of them (proto/reach/reach_public.h), and
 * the rows behind it. For operators: reach_told_rows.c.
 *
 * To the signals of networks come the providers that refuse our addresses: rows
 * that role send keeps (conf/breaker_row.h). Of these strangers hear nothing
 * unless an operator approves: that mail goes out late is said by a person.
 */
#include "watch/reach/reach_on.h"

#include "base/hash.h"
#include "proto/status/status_signal.h"

#define PUBLIC_MAX 8   /* that strangers are told at a time */
#define FORGET_S   900 /* after a decision, when its signal is not on */

/* --- for strangers -------------------------------------------------------------------- */

struct suspected {
	struct buf *to;
	size_t n;
};

static void
put_suspected(void *arg, struct reach *r, const struct reach_on *o)
{
	struct suspected *s = arg;

	if (s->n == PUBLIC_MAX || !reach_on_may_tell(r, o))
		return;
	s->n++;
	msg_watch_suspected_put(
	    s->to, &(struct msg_watch_suspected){ .kind = (uint8_t)o->kind,
		       .service = o->series ? o->series->profile.key.service
	                                    : REACH_ROW_SERVICES,
		       .is_network = reach_on_is_of_network(o),
		       .since_s = o->since,
		       .name = reach_on_provider(r, o),
		       .text = o->own_text });
}

void
reach_told_put(struct reach *r, struct buf *to)
{
	struct suspected s = { .to = to };

	reach_on_each(r, put_suspected, &s);
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
look(void *arg, UNUSED struct reach *r, const struct reach_on *o)
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

		reach_on_each(r, look, &s);
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
