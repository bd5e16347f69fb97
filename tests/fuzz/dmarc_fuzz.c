/* SPDX-License-Identifier: ISC */
/*
 * LINK: dmarc
 *
 * An author's domain and up to three records, separated by line feeds.
 * Properties: discovery asks at most twice, for names of the DNS; a record
 * that was read is read the same when it is written plainly; more alignment
 * never makes a verdict worse; mailboxes have no controls in them.
 */
#include "proto/dmarc/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct suffixes *suffixes;

static void
check_uris(struct str list)
{
	struct str rest = list, domain;
	struct buf b = BUF_INIT(DMARC_RECORD_MAX);
	struct dmarc_uri u;

	while (dmarc_next_uri(&rest, &u)) {
		ASSERT(u.uri.p >= list.p);
		ASSERT(u.uri.p + u.uri.n <= list.p + list.n);
		ASSERT(str_find(u.uri, '!') < 0 && str_find(u.uri, ',') < 0);
		buf_reset(&b, KIB(4));
		if (!dmarc_uri_mailbox(u.uri, &b, &domain))
			continue;
		ASSERT(hostname_is_valid(domain));
		ASSERT(b.p[b.n - domain.n - 1] == '@');
		for (size_t i = 0; i < b.n; i++)
			ASSERT(b.p[i] > ' ' && b.p[i] <= '~');
	}
	buf_done(&b);
}

static void
check_record(const struct dmarc_record *r)
{
	struct buf b = BUF_INIT(2 * DMARC_RECORD_MAX);
	struct dmarc_record again;

	ASSERT(r->percent <= 100 && r->failure && r->failure < 16);
	ASSERT(r->has_subdomain_policy || r->policy == r->subdomain_policy);
	check_uris(r->rua);
	check_uris(r->ruf);
	buf_printf(&b, "v=DMARC1;p=%s;sp=%s;adkim=%c;aspf=%c;pct=%u;ri=%u",
	    dmarc_policy_str(r->policy), dmarc_policy_str(r->subdomain_policy),
	    r->dkim == DMARC_STRICT ? 's' : 'r',
	    r->spf == DMARC_STRICT ? 's' : 'r', r->percent, r->interval_s);
	ASSERT(dmarc_record_parse(buf_str(&b), &again));
	ASSERT(again.policy == r->policy);
	ASSERT(again.subdomain_policy == r->subdomain_policy);
	ASSERT(again.dkim == r->dkim && again.spf == r->spf);
	ASSERT(again.percent == r->percent);
	ASSERT(again.interval_s == r->interval_s);
	buf_done(&b);
}

static void
check_verdicts(const struct dmarc_discovery *d, unsigned chance)
{
	struct dmarc_identifier own = { d->domain, DMARC_AUTH_PASS };
	struct dmarc_message none = { .chance = chance };
	struct dmarc_message pass = { own, &own, 1, chance };
	struct buf b = BUF_INIT(KIB(1));
	struct dmarc_verdict v, w;

	dmarc_evaluate(d, &none, &v);
	dmarc_evaluate(d, &pass, &w);
	ASSERT(w.disposition == DMARC_POLICY_NONE);
	ASSERT(v.disposition <= v.policy);
	ASSERT(v.is_sampled_out == (v.disposition < v.policy));
	if (d->found == DMARC_FOUND_RECORD)
		ASSERT(v.result == DMARC_FAIL && w.result == DMARC_PASS);
	else
		ASSERT(v.result == w.result && v.result != DMARC_FAIL);
	dmarc_put_auth_result(&v, d->domain, &b);
	ASSERT(!b.failed && str_starts(buf_str(&b), STR("dmarc=")));
	for (size_t i = 0; i < b.n; i++)
		ASSERT(b.p[i] >= ' ' && b.p[i] <= '~');
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_make(data, size), domain, records[3], name;
	static struct dmarc_discovery d;
	size_t n = 0, asked = 0;

	if (!suffixes)
		suffixes = suffixes_parse(
		    STR("// ===BEGIN ICANN DOMAINS===\ncom\nuk\nco.uk\n"));
	rest = str_split(rest, '\n', &domain);
	while (rest.p && n < ARRAY_LEN(records))
		rest = str_split(rest, '\n', &records[n++]);
	dmarc_discovery_start(&d, domain, suffixes);
	while (dmarc_discovery_question(&d, &name)) {
		ASSERT(++asked <= 2);
		ASSERT(hostname_is_valid(name));
		ASSERT(hostname_is_under(domain, str_from(name, 7)));
		/* Nothing at the first place in one of two inputs. */
		dmarc_discovery_answer(&d, DMARC_ANSWER_RECORDS, records,
		    size % 2 && asked == 1 ? 0 : n);
	}
	if (d.found == DMARC_FOUND_RECORD)
		check_record(&d.record);
	check_verdicts(&d, (unsigned)(size % 100));
	return 0;
}
