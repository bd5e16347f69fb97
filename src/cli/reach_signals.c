/* SPDX-License-Identifier: ISC */
/* reach_signals.c - signals, and decisions about them. See reach_signals.h. */
#include "cli/reach_signals.h"

#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "cli/reach_rows.h"
#include "proto/reach/reach_public.h"
#include "proto/status/status_signal.h"

#include <time.h>

/* --- what is suspected ------------------------------------------------------------- */

static const struct output_field all_fields[] = {
	{ "id", "ID", OUTPUT_TEXT },
	{ "signal", "SIGNAL", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "network", "NETWORK", OUTPUT_WORD },
	{ "service", "SERVICE", OUTPUT_WORD },
	{ "port", "PORT", OUTPUT_COUNT },
	{ "family", "FAMILY", OUTPUT_COUNT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "seen", "SEEN", OUTPUT_COUNT },
	{ "of", "OF", OUTPUT_LIMIT_COUNT },
	{ "minutes", "MINUTES", OUTPUT_COUNT },
	{ "p", "P", OUTPUT_WORD },
	{ "public", "PUBLIC", OUTPUT_WORD },
	{ "provider", "PROVIDER", OUTPUT_WORD },
	{ "messages", "MESSAGES", OUTPUT_COUNT },
	{ "accounts", "ACCOUNTS", OUTPUT_COUNT },
	{ "reply", "REPLY", OUTPUT_WORD },
	{ "link", "REMOVAL", OUTPUT_WORD },
	{ "text", "WHAT", OUTPUT_TEXT },
};

/* What people read of it. */
static const struct output_field few_fields[] = {
	{ "id", "SIGNAL", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "text", "WHAT", OUTPUT_TEXT },
	{ "public", "PUBLIC", OUTPUT_WORD },
};

static const char *
state_text(uint8_t state)
{
	static const char *const names[] = {
		[REACH_UNDECIDED] = "suspected",
		[REACH_APPROVED] = "approved",
		[REACH_DISMISSED] = "dismissed",
	};

	return state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static void
put_all(struct output *o, const struct msg_reach_signal *s)
{
	bool is_network = s->kind < REACH_SIGNALS;
	struct reach_net net = { s->net_kind, s->net_value };
	char text[REACH_NET_TEXT];

	reach_net_format(&net, text);
	output_put_text(o, s->id);
	output_put_text(
	    o, str_c(reach_signal_name((enum reach_signal_kind)s->kind)));
	output_put_text(o, str_c(state_text(s->state)));
	output_put_text(o, is_network ? str_c(text) : STR_NONE);
	output_put_text(
	    o, is_network ? str_c(reach_service_text(s->service)) : STR_NONE);
	output_put_number(o, s->port);
	output_put_number(o, s->family);
	output_put_number(o, s->since);
	output_put_number(o, s->seen);
	output_put_number(o, s->of);
	output_put_number(o, s->minutes);
	output_put_text(o, s->p);
	output_put_text(o, s->public_text);
	output_put_text(o, s->subject);
	output_put_number(o, s->messages);
	output_put_number(o, s->accounts);
	output_put_text(o, s->reply);
	output_put_text(o, s->link);
	output_put_text(o, s->text);
}

static void
put_few(struct output *o, const struct msg_reach_signal *s)
{
	struct buf what = BUF_INIT(KIB(4));

	buf_put_str(&what, s->text);
	if (s->reply.n > 0)
		buf_printf(&what, ": %.*s", STR_ARG(s->reply));
	if (s->link.n > 0)
		buf_printf(&what, "; removal: %.*s", STR_ARG(s->link));
	output_put_text(o, s->id);
	output_put_text(o, str_c(state_text(s->state)));
	output_put_number(o, s->since);
	output_put_text(o, buf_str(&what));
	output_put_text(o, s->public_text);
	buf_done(&what);
}

struct listing {
	struct admin *a;
	struct output *o;
};

static void
on_signal(void *arg, const struct msg_reach_signal *s)
{
	struct listing *l = arg;

	(l->a->is_json ? put_all : put_few)(l->o, s);
}

int
reach_signals(struct admin *a)
{
	struct listing l = { a, NULL };
	int r;

	l.o = a->is_json
	          ? output_new("signals", all_fields, ARRAY_LEN(all_fields))
	          : output_new("signals", few_fields, ARRAY_LEN(few_fields));
	r = reach_signals_each(a, on_signal, &l);
	if (r == ADMIN_OK && !a->is_json && output_is_empty(l.o))
		puts("Nothing is suspected now.");
	else if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	output_free(l.o);
	return r;
}

/* --- decisions ------------------------------------------------------------------------- */

struct search {
	struct str id;
	bool is_found, is_many;
};

static void
look(void *arg, const struct msg_reach_signal *s)
{
	struct search *f = arg;

	if (!str_eq(s->id, f->id))
		return;
	f->is_found = true;
	f->is_many = s->is_many;
}

static int
check(
    struct admin *a, const struct search *f, bool is_approved, const char *text)
{
	if (!f->is_found)
		return admin_error(a, ADMIN_REFUSED,
		    "there is no signal %.*s now; see 'mailstead reach "
		    "signals'",
		    STR_ARG(f->id));
	if (text != NULL && !status_is_text(str_c(text)))
		return admin_error(a, ADMIN_USAGE,
		    "--text is one line of at most %d bytes", STATUS_TEXT_MAX);
	if (is_approved && text == NULL && !f->is_many)
		return admin_error(a, ADMIN_REFUSED,
		    "too few people are behind %.*s to tell of it (%d accounts "
		    "of %d organisations at this hour): say it in your own "
		    "words, with --text, or in a post ('mailstead post new')",
		    STR_ARG(f->id), REACH_GATE, REACH_GATE_ORGANISATIONS);
	return ADMIN_OK;
}

static int
put(struct admin *a, struct str id, const struct status_signal *s)
{
	struct buf value = BUF_INIT(STATUS_SIGNAL_ROW_MAX);
	struct msg_ledger_row row = { .key = id };
	struct ledger_change change = { .table = LEDGER_SIGNAL,
		.rows = &row,
		.n = 1,
		.what = s->is_approved ? "signal.approve" : "signal.dismiss",
		.detail = s->text };
	int r;

	status_signal_encode(s, &value);
	row.value = buf_str(&value);
	r = ledger_rows_change(a, &change, "signal", NULL);
	buf_done(&value);
	return r;
}

int
reach_decide(
    struct admin *a, const char *id, bool is_approved, const char *text)
{
	struct search f = { .id = str_c(id) };
	struct status_signal s = { .is_approved = is_approved,
		.at_s = (uint64_t)time(NULL),
		.text = text != NULL ? str_c(text) : STR("") };
	int r = reach_signals_each(a, look, &f);

	if (r == ADMIN_OK)
		r = check(a, &f, is_approved, text);
	if (r == ADMIN_OK)
		r = put(a, f.id, &s);
	return r;
}
