/* SPDX-License-Identifier: ISC */
/*
 * tls_probe.c - look up what mail for a domain meets. See tls_probe.h.
 *
 * One question after the other: the command line has the time.
 */
#include "cli/tls_probe.h"

#include "conf/conf_resolver.h"
#include "proto/mtasts/mtasts.h"
#include "send/dns/txt.h"

struct prober {
	const struct conf *c;
	struct loop *loop;
	struct resolver *resolver;
	struct tls_context *tls;
	struct tls_probe *probe;
	/* the last answer */
	enum dns_status status;
	bool is_secure;
	uint64_t found;
	char canonical[DNS_NAME_MAX + 2];
	char why[250];
	struct mx_record mx[MX_RECORDS_MAX];
};

static void
ask(struct prober *p, const char *name, enum dns_type type, resolver_fn fn)
{
	resolver_ask(p->resolver, name, type, fn, p);
	loop_run(p->loop);
}

static void
take(struct prober *p, const struct dns_answer *a)
{
	p->status = a->status;
	p->is_secure = a->is_secure;
	p->found = a->n;
	p->canonical[0] = '\0';
	if (a->n > 0 && a->is_alias)
		snprintf(p->canonical, sizeof(p->canonical), "%s", a->name);
	snprintf(p->why, sizeof(p->why), "%s", a->why ? a->why : "");
}

static void
on_any(void *arg, const struct dns_answer *a)
{
	struct prober *p = arg;

	take(p, a);
	loop_stop(p->loop);
}

/* --- the policy's record --------------------------------------------------------- */

static void
on_txt(void *arg, const struct dns_answer *a)
{
	struct prober *p = arg;
	struct txt_set set;
	struct str id;

	txt_set_init(&set, a);
	if (mtasts_find_record(set.v, set.n, &id) == MTASTS_FOUND)
		snprintf(p->probe->sts_id, sizeof(p->probe->sts_id), "%.*s",
		    STR_ARG(id));
	txt_set_done(&set);
	loop_stop(p->loop);
}

/* --- hosts ------------------------------------------------------------------------- */

static void
on_dane(void *arg)
{
	struct prober *p = arg;

	loop_stop(p->loop);
}

static void
probe_tlsa(struct prober *p, struct tls_probe_host *h, const char *canonical)
{
	const struct dane_query q = {
		.resolver = p->resolver,
		.tls = p->tls,
		.host = h->name,
		.port = (uint16_t)p->c->send_port,
		.is_secure = h->is_secure,
		.canonical = canonical[0] != '\0' ? canonical : NULL,
	};
	const struct dane_result *r;
	struct dane *d;

	if (!p->probe->is_secure || !dane_applies(&q))
		return;
	d = dane_new(&q, on_dane, p);
	loop_run(p->loop);
	r = dane_result(d);
	h->dane = r->state;
	h->n_tlsa = r->n;
	snprintf(h->why, sizeof(h->why), "%s", r->why);
	dane_free(d);
}

static void
probe_host(struct prober *p, struct tls_probe_host *h)
{
	static const enum dns_type types[] = { DNS_AAAA, DNS_A };
	char canonical[DNS_NAME_MAX + 2] = "";
	bool has_insecure = false;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		ask(p, h->name, types[i], on_any);
		h->has_address |= p->found > 0;
		has_insecure |= p->found > 0 && !p->is_secure;
		if (p->canonical[0] != '\0')
			memcpy(canonical, p->canonical, sizeof(canonical));
		if (p->found == 0 && p->why[0] != '\0')
			snprintf(h->why, sizeof(h->why), "%s", p->why);
	}
	h->is_secure = h->has_address && !has_insecure;
	if (h->has_address) {
		h->why[0] = '\0';
		probe_tlsa(p, h, canonical);
	}
}

static void
on_mx(void *arg, const struct dns_answer *a)
{
	struct prober *p = arg;
	uint64_t n = 0;

	take(p, a);
	for (size_t i = 0; i < a->n && n < MX_RECORDS_MAX; i++)
		if (dns_read_mx(
			a->data[i], &p->mx[n].preference, p->mx[n].host))
			n++;
	p->found = n;
	loop_stop(p->loop);
}

static void
probe_hosts(struct prober *p, const char *domain)
{
	struct tls_probe *probe = p->probe;
	struct mx_list list;

	ask(p, domain, DNS_MX, on_mx);
	probe->is_secure = p->is_secure;
	if (p->status == DNS_NO_NAME || p->status == DNS_TEMPFAIL ||
	    p->status == DNS_BOGUS) {
		probe->is_temporary = p->status != DNS_NO_NAME;
		snprintf(probe->trouble, sizeof(probe->trouble),
		    "the MX records of %s: %s", domain,
		    p->status == DNS_NO_NAME ? "there is no such domain"
					     : p->why);
		return;
	}
	if (mx_order(p->mx, (size_t)p->found, str_c(domain), STR(""), 1,
		&list) != MX_OK) {
		snprintf(probe->trouble, sizeof(probe->trouble),
		    "%s accepts no mail (null MX)", domain);
		return;
	}
	for (; probe->n < list.n; probe->n++) {
		struct tls_probe_host *h = &probe->hosts[probe->n];

		snprintf(h->name, sizeof(h->name), "%s", list.hosts[probe->n]);
		h->preference = list.preferences[probe->n];
		probe_host(p, h);
	}
}

bool
tls_probe(const struct conf *c, const char *domain, struct tls_probe *ret,
    char **ret_error)
{
	struct prober p = { .c = c, .loop = loop_new(), .probe = ret };
	char name[DNS_NAME_MAX + 32];
	bool ok;

	*ret = (struct tls_probe){ 0 };
	ok = conf_resolver_new(
		 c, p.loop, &p.resolver, &ret->validates, ret_error) == 0;
	if (ok) {
		p.tls = tls_client_context_new("");
		probe_hosts(&p, domain);
		snprintf(name, sizeof(name), "_mta-sts.%s", domain);
		ask(&p, name, DNS_TXT, on_txt);
		tls_context_unref(p.tls);
		resolver_free(p.resolver);
	}
	loop_free(p.loop);
	return ok;
}
