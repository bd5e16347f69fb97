/* SPDX-License-Identifier: ISC */
/*
 * reach_told_rows.c - signals as operators hear of them: the list, with what was
 * decided of each, and with what strangers are told.
 */
#include "watch/reach/reach_on.h"

#define REPLY_MAX KIB(800)

/* The same in English, for the operator to see. */
static void
put_public(struct reach *r, const struct reach_on *o, struct buf *to)
{
	static const char *const words[REACH_KINDS] = {
		[REACH_QUIET] = "Fewer connections than usual",
		[REACH_STUCK] = "Connections do not get to TLS",
		[REACH_ALERTS] = "More devices than usual refuse our TLS",
		[REACH_SIGN_IN] = "Signing in fails more often than usual",
		[REACH_TLS_FAILS] = "TLS fails more often than usual",
		[REACH_CUT_OFF] = "Connections break off more often than usual",
		[REACH_FEW] = "Fewer customers than usual get to their mail",
		[REACH_REFUSED] = "Mail is refused, waits or takes another way",
		[REACH_SLOW] = "Mail to others takes longer than usual",
		[REACH_REFUSALS] = "More mail than usual is refused",
		[REACH_BACKLOG] = "Mail to others waits",
	};
	struct str provider = reach_on_provider(r, o);

	if (!reach_on_may_tell(r, o))
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
		    reach_on_is_of_network(o) ? " from one network" : "",
		    service_name((enum service)o->series->profile.key.service));
}

static void
fill_network(
    struct reach *r, const struct reach_on *o, struct msg_reach_signal *row)
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
put_refused_text(const struct reach_on *o, const struct msg_reach_signal *row,
    struct buf *to)
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
fill_refused(struct reach *r, const struct reach_on *o, struct buf *reply,
    struct msg_reach_signal *row)
{
	const struct breaker_row *b = o->breaker;

	row->net_kind = REACH_NET_OTHERS;
	row->service = REACH_ROW_SERVICES;
	row->subject = reach_on_provider(r, o);
	if (row->subject.n == 0)
		row->subject = b->scope;
	row->messages = b->messages;
	row->accounts = b->n_accounts;
	row->link = b->link;
	buf_printf(reply, "%u %.*s", b->code, STR_ARG(b->reply));
	row->reply = buf_str(reply);
}

static void
fill_sent(struct reach *r, const struct reach_on *o, struct buf *reply,
    struct msg_reach_signal *row)
{
	const struct reach_finding *f = &o->sent->signal->last;

	row->net_kind = REACH_NET_OTHERS;
	row->service = REACH_ROW_SERVICES;
	row->subject = reach_on_provider(r, o);
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
put_signal(void *arg, struct reach *r, const struct reach_on *o)
{
	struct buf text = BUF_INIT(KIB(2)), told = BUF_INIT(KIB(1));
	struct buf reply = BUF_INIT(KIB(2)), *items = arg;
	struct msg_reach_signal row = { .kind = (uint8_t)o->kind,
		.since = o->since,
		.id = o->id,
		.state = (uint8_t)o->decision,
		.is_many = reach_on_is_many(r, o) };
	char p[24] = "";

	if (o->series != NULL) {
		fill_network(r, o, &row);
		snprintf(
		    p, sizeof(p), "%.1e", o->series->signals[o->kind].last.p);
		reach_series_text(r, o->series, o->kind, &text);
	} else if (o->sent != NULL) {
		snprintf(p, sizeof(p), "%.1e", o->sent->signal->last.p);
		fill_sent(r, o, &reply, &row);
		sent_put_text(o->sent, reach_on_provider(r, o), &text);
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
	reach_on_each(r, put_signal, to);
}

bool
reach_told_request(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX);

	reach_told_rows(r, &items);
	reach_answer_items(p, m, &items);
	return true;
}
