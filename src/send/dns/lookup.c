/* SPDX-License-Identifier: ISC */
/*
 * lookup.c - from a domain to its MX hosts. See lookup.h.
 *
 * What is found is kept with the domain for as long as DNS allows. Mails that
 * come meanwhile wait here.
 */
#include "base/log.h"
#include "base/secret.h"
#include "net/idn.h"
#include "proto/mx/mx.h"
#include "proto/smtp/smtp_command.h"
#include "send/route/choose.h"
#include "send/local.h"
#include "send/dns/lookup.h"

/* Bytes of a policy that are kept with the domain. */
#define POLICY_MAX    KIB(2)
#define KNOWN_MIN_MS  10000U
#define KNOWN_MAX_MS  3600000U
#define KNOWN_FAIL_MS 30000U

/* Hosts, while the domain's MTA-STS policy is asked for. */
struct hosts {
	char domain[MX_NAME_MAX + 1]; /* ASCII */
	struct mx_list mx;
	bool is_secure;
	uint32_t ttl;
};

struct lookup {
	struct server *sv;
	struct domain *domain;
	struct resolver_query *query; /* under way */
	struct sts_query *sts;        /* likewise, behind it */
	struct hosts *hosts;
	struct buf policy; /* its text, for reports */
	struct mails waiting;
	uint64_t until_ms;        /* of what is known */
	uint32_t generation;      /* of the rules about TLS that are in it */
	struct dest *dest;        /* a reference; NULL: verdict says why */
	struct str mx_key;        /* of its hosts */
	struct judgement verdict; /* its text points into text */
	char text[300];
};

static struct lookup *
get_lookup(struct server *sv, struct domain *d)
{
	struct lookup **l = domain_lookup(d);

	if (*l == NULL) {
		*l = X_NEW(struct lookup);
		(*l)->sv = sv;
		(*l)->domain = d;
		TAILQ_INIT(&(*l)->waiting);
	}
	return *l;
}

void
lookup_free(struct server *sv, struct lookup *l)
{
	struct mail *m;

	if (l == NULL)
		return;
	if (l->query != NULL)
		resolver_cancel(l->query);
	if (l->sts != NULL)
		sts_cancel(l->sts);
	free(l->hosts);
	buf_done(&l->policy);
	while ((m = TAILQ_FIRST(&l->waiting)) != NULL) {
		TAILQ_REMOVE(&l->waiting, m, link);
		settle_release(sv, m);
	}
	if (l->dest != NULL)
		dest_unref(l->dest);
	str_free(&l->mx_key);
	free(l);
}

struct str
lookup_policy(const struct lookup *l)
{
	return l != NULL ? buf_str(&l->policy) : STR_NONE;
}

/* --- what is known ------------------------------------------------------------------- */

static void
know(struct lookup *l, uint64_t ms)
{
	l->until_ms = loop_now_ms(l->sv->loop) + ms;
	l->generation = tls_keeper_generation(l->sv->tls_rules);
}

static void
know_failure(struct lookup *l, enum outcome outcome, struct smtp_status status,
    const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
	l->verdict = (struct judgement){
		.outcome = outcome,
		.is_local = true,
		.status = status,
		.text = str_c(l->text),
	};
	log_event(EV_SEND_DNS, LS("domain", domain_name(l->domain)),
	    LC("outcome", outcome_str(outcome)), LS("reason", l->verdict.text));
	know(l, KNOWN_FAIL_MS);
}

static void
know_dest(
    struct lookup *l, const struct hosts *h, const struct sts_answer *policy)
{
	const struct mx_list *mx = &h->mx;
	struct dest_spec spec = { .n = mx->n, .is_secure = h->is_secure };
	struct buf key = BUF_INIT(KIB(8));
	uint64_t ms = h->ttl * 1000ULL;

	for (size_t i = 0; i < mx->n; i++)
		spec.hosts[i] = (struct dest_host){
			.name = mx->hosts[i],
			.port = (uint16_t)l->sv->conf->send_port,
			.rule = tls_keeper_find(l->sv->tls_rules,
			    str_c(h->domain), str_c(mx->hosts[i])),
			.sts = sts_fit_of(policy, str_c(mx->hosts[i])),
		};
	mx_key(mx, &key);
	spec.key = buf_str(&key);
	l->dest = dest_get(l->sv, &spec);
	str_free(&l->mx_key);
	l->mx_key = str_copy(spec.key);
	buf_done(&key);
	ms = MIN(MAX(ms, KNOWN_MIN_MS), KNOWN_MAX_MS);
	if (policy->has_policy) {
		uint64_t now = loop_time(l->sv->loop);

		ms = MIN(ms, (MAX(policy->until, now + 1) - now) * 1000);
	}
	know(l, ms);
}

static void dispatch_waiting(struct lookup *l);

static void
on_sts(void *arg, const struct sts_answer *a)
{
	struct lookup *l = arg;
	struct hosts *h = TAKE_PTR(l->hosts);

	l->sts = NULL;
	buf_done(&l->policy);
	l->policy = BUF_INIT(POLICY_MAX);
	if (a->has_policy)
		buf_put_str(&l->policy, str_first(a->policy.text, POLICY_MAX));
	if (a->is_unknown)
		know_failure(l, TEMPFAIL, (struct smtp_status){ 4, 3, 0 },
		    "the store could not tell the domain's MTA-STS policy");
	else
		know_dest(l, h, a);
	free(h);
	dispatch_waiting(l);
}

/* Hosts are known; what does the domain say about them? */
static void
ask_policy(struct lookup *l)
{
	enum tls_rule rule = tls_keeper_find(
	    l->sv->tls_rules, str_c(l->hosts->domain), STR_NONE);
	const struct sts_answer none = { 0 };

	if (rule == TLS_RULE_MAY || rule == TLS_RULE_NEVER) {
		know_dest(l, l->hosts, &none);
		free(TAKE_PTR(l->hosts));
		return;
	}
	l->sts = sts_ask(l->sv->sts, l->hosts->domain, on_sts, l);
}

static void
know_records(struct lookup *l, struct mx_record *records, size_t n,
    const struct dns_answer *a)
{
	struct hosts *h = X_NEW(struct hosts);
	uint64_t seed;

	free(l->hosts);
	l->hosts = h;
	h->is_secure = a->is_secure;
	h->ttl = a->ttl;
	secret_random(&seed, sizeof(seed));
	if (!idn_to_ascii(
		domain_name(l->domain), h->domain, sizeof(h->domain))) {
		know_failure(l, PERMFAIL, (struct smtp_status){ 5, 1, 2 },
		    "the domain is not a possible host name");
		return;
	}
	switch (mx_order(records, n, str_c(h->domain),
	    str_c(l->sv->conf->hostname), seed, &h->mx)) {
	case MX_OK:
		ask_policy(l);
		break;
	case MX_NULL:
		know_failure(l, PERMFAIL, (struct smtp_status){ 5, 1, 10 },
		    "the domain accepts no mail (null MX)");
		break;
	case MX_LOOP:
		know_failure(l, PERMFAIL, (struct smtp_status){ 5, 4, 6 },
		    "the best mail server of the domain is this one, which "
		    "does not serve the domain");
		break;
	}
}

static void
read_records(struct lookup *l, const struct dns_answer *a)
{
	struct mx_record records[MX_RECORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n && n < MX_RECORDS_MAX; i++)
		if (dns_read_mx(
			a->data[i], &records[n].preference, records[n].host))
			n++;
	if (n > 0)
		know_records(l, records, n, a);
	else
		know_failure(l, TEMPFAIL, (struct smtp_status){ 4, 4, 4 },
		    "the MX records of the domain are malformed");
}

static void
dispatch_waiting(struct lookup *l)
{
	struct mails mails = TAILQ_HEAD_INITIALIZER(mails);
	struct server *sv = l->sv;
	struct mail *m;

	/* With the last of them the domain may go, and we with it. */
	TAILQ_CONCAT(&mails, &l->waiting, link);
	while ((m = TAILQ_FIRST(&mails)) != NULL) {
		TAILQ_REMOVE(&mails, m, link);
		lookup_mail(sv, m);
	}
}

static void
on_mx(void *arg, const struct dns_answer *a)
{
	struct lookup *l = arg;
	char text[250];

	l->query = NULL;
	switch (a->status) {
	case DNS_FOUND:
		read_records(l, a);
		break;
	case DNS_NO_DATA:
		know_records(l, NULL, 0, a);
		break;
	case DNS_NO_NAME:
		know_failure(l, PERMFAIL, (struct smtp_status){ 5, 1, 2 },
		    "the domain does not exist");
		break;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		snprintf(text, sizeof(text), "MX look-up failed: %s", a->why);
		know_failure(
		    l, TEMPFAIL, (struct smtp_status){ 4, 4, 3 }, text);
		break;
	}
	if (l->sts == NULL)
		dispatch_waiting(l);
}

static void
begin(struct lookup *l)
{
	char name[MX_NAME_MAX + 1];

	if (l->dest != NULL)
		dest_unref(l->dest);
	l->dest = NULL;
	if (idn_to_ascii(domain_name(l->domain), name, sizeof(name))) {
		l->query =
		    resolver_ask(l->sv->resolver, name, DNS_MX, on_mx, l);
		return;
	}
	know_failure(l, PERMFAIL, (struct smtp_status){ 5, 1, 2 },
	    "the domain is not a possible host name");
	dispatch_waiting(l);
}

void
lookup_wait(struct lookup *l, struct mail *m)
{
	TAILQ_INSERT_TAIL(&l->waiting, m, link);
	if (l->query == NULL && l->sts == NULL)
		begin(l);
}

bool
lookup_is_known(const struct lookup *l)
{
	return l->query == NULL && l->sts == NULL &&
	       loop_now_ms(l->sv->loop) < l->until_ms &&
	       l->generation == tls_keeper_generation(l->sv->tls_rules);
}

struct dest *
lookup_dest(const struct lookup *l)
{
	return l->dest;
}

const struct judgement *
lookup_verdict(const struct lookup *l)
{
	return &l->verdict;
}

void
lookup_spec(const struct lookup *l, struct dest_spec *ret)
{
	if (l->dest == NULL)
		return;
	for (size_t i = 0; i < dest_hosts(l->dest); i++)
		ret->hosts[ret->n++] = *dest_host(l->dest, i);
	ret->key = l->mx_key;
	ret->is_secure = dest_is_secure(l->dest);
}

/* Something that ends the entries without any attempt. */
static bool
is_hopeless(
    struct server *sv, const struct msg_queue_item *item, struct judgement *ret)
{
	*ret = (struct judgement){ .outcome = PERMFAIL, .is_local = true };
	if (item->is_cancelled) {
		ret->status = (struct smtp_status){ 5, 3, 0 };
		ret->text = STR("returned by the administrator");
		return true;
	}
	if ((item->deliver_by_mode & SMTP_BY_MODE) == SMTP_BY_RETURN &&
	    item->deliver_by > 0 && item->deliver_by <= loop_time(sv->loop)) {
		ret->status = (struct smtp_status){ 5, 4, 7 };
		ret->text = STR("the time within which it should have been "
				"delivered has passed");
		return true;
	}
	return false;
}

void
lookup_mail(struct server *sv, struct mail *m)
{
	const struct trip none = { 0 };
	struct judgement j;

	if (sv->is_stopping)
		settle_release(sv, m);
	else if (is_hopeless(sv, mail_item(m), &j))
		settle_all(sv, m, &j, &none);
	else if (mail_item(m)->is_local)
		local_mail(sv->locals, m);
	else
		choose_way(sv, get_lookup(sv, m->domain), m);
}
