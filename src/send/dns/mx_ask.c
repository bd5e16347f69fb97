/* SPDX-License-Identifier: ISC */
/* mx_ask.c - the mail servers of domains, for the operator's command. See mx_ask.h. */
#include "send/dns/mx_ask.h"

#include "base/secret.h"
#include "net/idn.h"
#include "proto/mx/mx.h"

struct asking;

struct question {
	struct asking *a;
	char *domain; /* as the queue has it */
	char ascii[MX_NAME_MAX + 1];
};

/* One request; it is freed with the last answer. */
struct asking {
	struct server *sv;
	struct ipc_return reply;
	struct buf items; /* mx_found */
	size_t n, open;
	bool is_any_direct;
	struct question questions[MX_ASK_MAX];
};

static void
finish(struct asking *a)
{
	struct buf body = BUF_INIT(MIB(1));

	msg_list_reply_put(
	    &body, &(struct msg_list_reply){ .items = buf_str(&a->items) });
	if (a->items.failed || body.failed)
		ipc_reply_error(&a->reply, TEMPFAIL, REASON_TOO_BIG, NULL);
	else
		ipc_reply(&a->reply, buf_str(&body), -1);
	buf_done(&body);
	buf_done(&a->items);
	for (size_t i = 0; i < a->n; i++)
		free(a->questions[i].domain);
	free(a);
}

static void
close_one(struct asking *a)
{
	if (--a->open == 0)
		finish(a);
}

static void
put_nowhere(struct question *q, bool is_known, const char *why)
{
	msg_mx_found_put(
	    &q->a->items, &(struct msg_mx_found){ .domain = str_c(q->domain),
			      .is_known = is_known,
			      .why = str_c(why) });
}

static void
put_hosts(struct question *q, const struct mx_list *mx)
{
	struct buf hosts = BUF_INIT(KIB(8));

	for (size_t i = 0; i < mx->n; i++)
		buf_printf(&hosts, "%s%s", i > 0 ? " " : "", mx->hosts[i]);
	msg_mx_found_put(
	    &q->a->items, &(struct msg_mx_found){ .domain = str_c(q->domain),
			      .is_known = true,
			      .hosts = buf_str(&hosts) });
	buf_done(&hosts);
}

static void
put_records(struct question *q, struct mx_record *records, size_t n)
{
	struct mx_list mx;
	uint64_t seed;

	secret_random(&seed, sizeof(seed));
	switch (mx_order(records, n, str_c(q->ascii),
	    str_c(q->a->sv->conf->hostname), seed, &mx)) {
	case MX_OK:
		put_hosts(q, &mx);
		break;
	case MX_NULL:
		put_nowhere(q, true, "the domain accepts no mail (null MX)");
		break;
	case MX_LOOP:
		put_nowhere(
		    q, true, "the best mail server of the domain is this one");
		break;
	}
}

static void
read_records(struct question *q, const struct dns_answer *dns)
{
	struct mx_record records[MX_RECORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < dns->n && n < MX_RECORDS_MAX; i++)
		if (dns_read_mx(
			dns->data[i], &records[n].preference, records[n].host))
			n++;
	if (n > 0)
		put_records(q, records, n);
	else
		put_nowhere(q, false, "its MX records are malformed");
}

static void
on_mx(void *arg, const struct dns_answer *dns)
{
	struct question *q = arg;

	switch (dns->status) {
	case DNS_FOUND:
		read_records(q, dns);
		break;
	case DNS_NO_DATA:
		put_records(q, NULL, 0);
		break;
	case DNS_NO_NAME:
		put_nowhere(q, true, "the domain does not exist");
		break;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		put_nowhere(q, false, dns->why);
		break;
	}
	close_one(q->a);
}

/* A way of this route leads to them, or its pattern asks for them. */
static bool
has_use(const struct route_item *item)
{
	struct route r = { 0 };
	bool is_direct = false;

	if (!route_text_parse(str_c(item->text), &r))
		return true;
	for (size_t i = 0; i < r.n_ways; i++)
		is_direct |= r.ways[i].kind == ROUTE_DIRECT;
	return is_direct || route_needs_mx(item);
}

/* Does any mail go to mail servers of domains? Else nobody is asked for them. */
static bool
is_any_direct(const struct routes *r)
{
	const struct route_item *item;

	if (r->is_direct)
		return true;
	for (size_t i = 0; (item = routes_at(r, i)) != NULL; i++)
		if (has_use(item))
			return true;
	return false;
}

static void
look_up(struct question *q)
{
	struct asking *a = q->a;

	if (!a->is_any_direct) {
		put_nowhere(q, true,
		    "send.direct is no, and no route leads to mail servers of "
		    "domains");
		close_one(a);
	} else if (!idn_to_ascii(
		       str_c(q->domain), q->ascii, sizeof(q->ascii))) {
		put_nowhere(q, true, "the domain is not a possible host name");
		close_one(a);
	} else if (resolver_is_silent(a->sv->resolver, MX_ASK_MS)) {
		/* So that a thousand domains do not take that long each. */
		put_nowhere(q, false, "no name server answers");
		close_one(a);
	} else {
		resolver_ask_within(
		    a->sv->resolver, q->ascii, DNS_MX, MX_ASK_MS, on_mx, q);
	}
}

/* False: there are too many, or they are malformed. */
static bool
take_domains(struct asking *a, struct str domains)
{
	struct wire w = wire_read(domains);
	struct msg_text m;

	while (w.in.n > 0) {
		if (a->n == MX_ASK_MAX || !msg_text_read(&w, &m))
			return false;
		a->questions[a->n++] =
		    (struct question){ .a = a, .domain = str_dup(m.text) };
	}
	return true;
}

bool
mx_ask(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct asking *a = X_NEW(struct asking);
	struct msg_mx_ask ask;
	bool is_ok =
	    msg_mx_ask_get(m->body, &ask) && take_domains(a, ask.domains);

	if (!is_ok) {
		for (size_t i = 0; i < a->n; i++)
			free(a->questions[i].domain);
		free(a);
		return false;
	}
	a->sv = sv;
	a->reply = ipc_return_new(p, m);
	a->items = BUF_INIT(MIB(1) - KIB(1));
	a->is_any_direct = is_any_direct(&sv->routes);
	/* One more, so that none of the answers at once is the last one. */
	a->open = a->n + 1;
	for (size_t i = 0; i < a->n; i++)
		look_up(&a->questions[i]);
	close_one(a);
	return true;
}
