/* SPDX-License-Identifier: ISC */
/* reach_letter.c - gather what the letter says. See reach_letter.h. */
#include "cli/reach_letter.h"

#include "cli/cli.h"
#include "cli/output/output.h"
#include "conf/conf.h"

#define TEXT_MAX KIB(64)

struct gather {
	struct reach_letter *l;
	struct reach_net net;
};

/* --- ports ---------------------------------------------------------------------------- */

/* The place of a port of a service; NULL: there are too many. */
static size_t
port_place(struct reach_letter *l, enum service service, uint16_t port)
{
	size_t i = 0;

	while (i < l->n_ports &&
	       (l->ports[i].service != service || l->ports[i].port != port))
		i++;
	if (i == l->n_ports && i < REACH_LETTER_PORTS) {
		l->ports[i].service = service;
		l->ports[i].port = port;
		l->n_ports++;
	}
	return i;
}

static void
offer_ports(struct reach_letter *l, const struct conf *c)
{
	for (uint32_t i = 0; i < c->listener_count; i++) {
		const struct conf_listener *at = &c->listeners[i];
		size_t place;

		if (at->port == 0 || at->service == SERVICE_LMTP)
			continue;
		place = port_place(l, at->service, at->port);
		if (place < l->n_ports)
			l->ports[place].is_offered = true;
	}
}

static void
take_row(void *arg, const struct msg_reach_row *row)
{
	struct gather *g = arg;
	struct reach_letter *l = g->l;
	struct reach_net net = { row->net_kind, row->net_value };
	size_t i = l->n_ports;

	if (row->service < SERVICE_COUNT)
		i = port_place(l, (enum service)row->service, row->port);
	if (i >= l->n_ports || net.kind == REACH_NET_LOCAL)
		return;
	if (!reach_net_eq(&net, &g->net)) {
		reach_letter_add(&l->ports[i].elsewhere, row);
		return;
	}
	snprintf(l->name, sizeof(l->name), "%.*s", STR_ARG(row->name));
	reach_letter_add(&l->ports[i].seen, row);
}

static void
take_hour(void *arg, const struct msg_reach_row *row)
{
	struct reach_letter *l = ((struct gather *)arg)->l;
	struct reach_letter_counts *last = &l->hours[MAX(l->n_hours, 1U) - 1];

	if (l->n_hours == 0 || last->at != row->at) {
		if (l->n_hours == REACH_LETTER_HOURS)
			return;
		last = &l->hours[l->n_hours++];
		last->at = row->at;
	}
	reach_letter_add(last, row);
}

/* What a provider can do something about. */
static bool
is_told(uint8_t kind)
{
	return kind == REACH_QUIET || kind == REACH_STUCK ||
	       kind == REACH_CUT_OFF || kind == REACH_FEW;
}

static void
take_signal(void *arg, const struct msg_reach_signal *s)
{
	struct gather *g = arg;
	struct reach_letter *l = g->l;
	struct reach_net net = { s->net_kind, s->net_value };
	size_t i = l->n_signals;

	if (!reach_net_eq(&net, &g->net) || i == REACH_LETTER_SIGNS ||
	    !is_told(s->kind) || s->service >= SERVICE_COUNT)
		return;
	l->signals[i].kind = s->kind;
	l->signals[i].service = (enum service)s->service;
	l->signals[i].port = s->port;
	l->signals[i].family = s->family;
	l->signals[i].since = s->since;
	l->signals[i].usual = s->usual;
	l->signals[i].seen = s->seen;
	l->signals[i].of = s->of;
	l->signals[i].minutes = s->minutes;
	l->n_signals++;
}

/* --- the command ------------------------------------------------------------------------- */

static int
gather(struct admin *a, struct gather *g, struct reach_query *q)
{
	int r = reach_rows_each(a, q, take_row, g);

	if (r == ADMIN_OK) {
		/* Whole hours. */
		q->network = str_c(g->l->network);
		q->from = q->from / 3600 * 3600;
		q->step_s = 3600;
		r = reach_rows_each(a, q, take_hour, g);
	}
	if (r == ADMIN_OK)
		r = reach_signals_each(a, take_signal, g);
	return r;
}

static bool
has_any(const struct reach_letter *l)
{
	for (size_t i = 0; i < l->n_ports; i++)
		if (l->ports[i].seen.attempts > 0 || l->ports[i].seen.has_usual)
			return true;
	return l->n_signals > 0;
}

static void
print(struct admin *a, const struct reach_letter *l)
{
	static const struct output_field fields[] = {
		{ "network", "network", OUTPUT_TEXT },
		{ "subject", "subject", OUTPUT_TEXT },
		{ "text", "text", OUTPUT_TEXT },
	};
	struct buf subject = BUF_INIT(KIB(2)), text = BUF_INIT(TEXT_MAX);
	struct output *o;

	reach_letter_put_subject(&subject, l);
	reach_letter_put(&text, l);
	if (a->is_json) {
		o = output_new("letter", fields, ARRAY_LEN(fields));
		output_put_text(o, str_c(l->network));
		output_put_text(o, buf_str(&subject));
		output_put_text(o, buf_str(&text));
		output_print_one(o, true);
		output_free(o);
	} else {
		output_tame(subject.p, subject.n);
		output_tame_lines(text.p, text.n);
		printf("Subject: %s\n\n%s", buf_c(&subject), buf_c(&text));
	}
	buf_done(&subject);
	buf_done(&text);
}

/* Who has a provider that could be written to. */
static bool
is_somebody(struct admin *a, const struct reach_net *net, const char *name)
{
	if (net->kind == REACH_NET_LOCAL)
		admin_error(a, ADMIN_USAGE,
		    "local is this machine itself: there is no provider to "
		    "write to");
	else if (net->kind == REACH_NET_ALL || net->kind == REACH_NET_OTHERS)
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no network of one provider; 'mailstead reach' "
		    "lists the networks, such as AS36962",
		    name);
	else
		return true;
	return false;
}

static int
write_letter(
    struct admin *a, const struct reach_letter_args *args, const struct conf *c)
{
	CLEANUP(freep) struct reach_letter *l = X_NEW(struct reach_letter);
	CLEANUP(freep) char *contact = NULL;
	struct buf names = BUF_INIT(KIB(4));
	struct reach_query q = { .service = UINT8_MAX };
	struct gather g = { .l = l };
	int r;

	if (!reach_network_arg(a, args->network, l->network) ||
	    !reach_net_parse(str_c(l->network), &g.net) ||
	    !is_somebody(a, &g.net, l->network) ||
	    !reach_range_arg(a, args->since, &q))
		return ADMIN_USAGE;
	l->from = q.from;
	l->to = q.to;
	l->hostname = str_c(c->hostname);
	offer_ports(l, c);
	contact = c->report_from[0] ? x_strdup(c->report_from)
	                            : x_asprintf("postmaster@%s", c->hostname);
	l->contact = str_c(contact);
	r = gather(a, &g, &q);
	if (r == ADMIN_OK && !has_any(l))
		return admin_error(a, ADMIN_REFUSED,
		    "%s: no connection came from this network in that time, so "
		    "there is nothing to show its provider; 'mailstead reach "
		    "--since 8d' lists those that did come, and --since goes "
		    "back as far here",
		    l->network);
	if (r == ADMIN_OK) {
		reach_letter_find_hosts(l, c, args->hosts, &names);
		print(a, l);
	}
	buf_done(&names);
	return r;
}

int
reach_letter(struct admin *a, const struct reach_letter_args *args)
{
	struct conf *c;
	char *error;
	int r;

	if (conf_load(cli_config_path(), &c, &error) < 0) {
		r = admin_error(a, ADMIN_REFUSED,
		    "%s\nThe letter says which ports there are; give the "
		    "configuration with -c",
		    error);
		free(error);
		return r;
	}
	r = write_letter(a, args, c);
	conf_free(c);
	return r;
}
