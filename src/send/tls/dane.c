/* SPDX-License-Identifier: ISC */
/*
 * dane.c - look up TLSA records. See dane.h.
 *
 *   no CNAME    addresses secure    -> TLSA of the host
 *   CNAME       all of it secure    -> TLSA of its end, else of the host
 *               some of it insecure -> CNAME of the host secure? TLSA of the
 *                                      host; else DANE does not apply
 *
 * A name server that breaks on TLSA questions stands mostly behind a zone
 * without signatures; that is why nobody asks there (section 2.2.2).
 */
#include "send/tls/dane.h"

#include "proto/tlsa/tlsa.h"

#define WHY_MAX 300

struct dane {
	struct resolver *resolver;
	struct tls_context *tls;
	struct resolver_query *query; /* under way */
	dane_fn fn;
	void *arg;
	uint16_t port;
	char host[DNS_NAME_MAX + 1];
	char other[DNS_NAME_MAX + 1]; /* to be asked first; "": none */
	const char *base;             /* that is being asked */
	struct str records[TLSA_RECORDS_MAX];
	struct buf bytes; /* of the records */
	char why[WHY_MAX];
	struct dane_result result;
};

const char *
dane_state_str(enum dane_state s)
{
	static const char *const words[] = {
		[DANE_ABSENT] = "absent",
		[DANE_UNUSABLE] = "unusable",
		[DANE_USABLE] = "usable",
		[DANE_FAILED] = "failed",
	};

	return words[s];
}

static struct str
without_dot(const char *name)
{
	struct str s = str_c(name);

	return s.n > 0 && s.p[s.n - 1] == '.' ? str_first(s, s.n - 1) : s;
}

static bool
is_alias(const struct dane_query *q)
{
	return q->canonical != NULL &&
	       !str_eq_case(without_dot(q->canonical), without_dot(q->host));
}

bool
dane_applies(const struct dane_query *q)
{
	return q->is_secure || is_alias(q);
}

static void
finish(struct dane *d, enum dane_state state)
{
	d->result.state = state;
	d->result.base = d->base;
	d->result.why = d->why;
	d->fn(d->arg);
}

static void
fail(struct dane *d, const char *what, const struct dns_answer *a)
{
	snprintf(d->why, sizeof(d->why),
	    "the %s records of %s could not be looked up: %s", what, d->base,
	    a->why);
	finish(d, DANE_FAILED);
}

/* Copy what was found; too many, and no record counts. */
static bool
copy_records(struct dane *d, const struct dns_answer *a)
{
	size_t at = 0;

	d->bytes = BUF_INIT(TLSA_RECORDS_MAX * TLSA_RECORD_MAX);
	if (a->n > TLSA_RECORDS_MAX)
		return false;
	for (size_t i = 0; i < a->n; i++)
		buf_put_str(&d->bytes, a->data[i]);
	if (d->bytes.failed)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		d->records[i] = str_sub(buf_str(&d->bytes), at, a->data[i].n);
		at += a->data[i].n;
	}
	return true;
}

static void
take_records(struct dane *d, const struct dns_answer *a)
{
	if (copy_records(d, a))
		d->result.n = tls_usable_tlsa(d->tls, d->records, a->n);
	d->result.records = d->records;
	finish(d, d->result.n > 0 ? DANE_USABLE : DANE_UNUSABLE);
}

static void ask(struct dane *d, const char *base);

static void
on_tlsa(void *arg, const struct dns_answer *a)
{
	struct dane *d = arg;

	d->query = NULL;
	switch (a->status) {
	case DNS_FOUND:
		if (a->is_secure) {
			take_records(d, a);
			return;
		}
		break;
	case DNS_NO_NAME:
	case DNS_NO_DATA:
		break;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		fail(d, "TLSA", a);
		return;
	}
	/* The end of all CNAMEs has none: the name in the MX record may. */
	if (d->base == d->other)
		ask(d, d->host);
	else
		finish(d, DANE_ABSENT);
}

static void
ask(struct dane *d, const char *base)
{
	char name[DNS_NAME_MAX + 32];

	d->base = base;
	snprintf(name, sizeof(name), "_%u._tcp.%s", d->port, base);
	d->query = resolver_ask(d->resolver, name, DNS_TLSA, on_tlsa, d);
}

static void
on_cname(void *arg, const struct dns_answer *a)
{
	struct dane *d = arg;

	d->query = NULL;
	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		fail(d, "CNAME", a);
	else if (a->status == DNS_FOUND && a->is_secure)
		ask(d, d->host);
	else
		finish(d, DANE_ABSENT);
}

struct dane *
dane_new(const struct dane_query *q, dane_fn fn, void *arg)
{
	struct dane *d = X_NEW(struct dane);

	ASSERT(dane_applies(q));
	d->resolver = q->resolver;
	d->tls = q->tls;
	d->port = q->port;
	d->fn = fn;
	d->arg = arg;
	snprintf(d->host, sizeof(d->host), "%s", q->host);
	d->base = d->host;
	if (is_alias(q) && q->is_secure) {
		snprintf(d->other, sizeof(d->other), "%.*s",
		    STR_ARG(without_dot(q->canonical)));
		ask(d, d->other);
	} else if (q->is_secure) {
		ask(d, d->host);
	} else {
		d->query =
		    resolver_ask(d->resolver, d->host, DNS_CNAME, on_cname, d);
	}
	return d;
}

const struct dane_result *
dane_result(const struct dane *d)
{
	return &d->result;
}

struct dane *
dane_free(struct dane *d)
{
	if (d == NULL)
		return NULL;
	if (d->query != NULL)
		resolver_cancel(d->query);
	buf_done(&d->bytes);
	free(d);
	return NULL;
}
