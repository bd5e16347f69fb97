/* SPDX-License-Identifier: ISC */
/*
 * results.c - what was found out, as a field of the header (RFC 8601), as a
 * line of the log, and as a row of the report to the author's domain.
 */
#include "filter/check_internal.h"
#include "filter/rows.h"

#include "base/log.h"
#include "proto/authres/authres.h"

/* --- the field --------------------------------------------------------------------- */

static void
put_spf(const struct check *c, unsigned identity, struct authres_writer *w)
{
	const struct spf_verdict *v;

	if (c->spf[identity] == NULL)
		return;
	v = spf_verdict(c->spf[identity]);
	authres_write_result(w, "spf", spf_result_str(v->result),
	    v->result == SPF_NONE ? NULL : v->problem);
	authres_write_prop(w, "smtp",
	    identity == CHECK_HELO ? "helo" : "mailfrom",
	    check_spf_domain(c, identity));
}

static void
put_signature(const struct dkim_result *r, struct authres_writer *w)
{
	authres_write_result(
	    w, "dkim", dkim_verdict_str(r->verdict), r->reason);
	if (r->is_testing)
		authres_write_comment(w, STR("the domain is testing"));
	authres_write_prop(w, "header", "d", r->domain);
	authres_write_prop(w, "header", "s", r->selector);
	authres_write_prop(w, "header", "a", r->algorithm);
	authres_write_prop(w, "header", "b", r->b_first);
}

static void
put_dkim(const struct check *c, struct authres_writer *w)
{
	size_t n = dkim_verifier_count(c->dkim);
	size_t left_out = dkim_verifier_ignored(c->dkim);
	char text[64];

	if (n == 0)
		authres_write_result(w, "dkim", "none", NULL);
	for (size_t i = 0; i < n; i++) {
		if (w->to->n > CHECK_HEADERS_MAX - KIB(3))
			left_out++;
		else
			put_signature(dkim_verifier_result(c->dkim, i), w);
	}
	if (left_out == 0)
		return;
	snprintf(text, sizeof(text), "and %zu more signatures", left_out);
	authres_write_comment(w, str_c(text));
}

/* RFC 8617 section 10.1. */
static void
put_arc(const struct check *c, struct authres_writer *w)
{
	size_t n = arc_verifier_hops(c->arc);
	struct buf text = BUF_INIT(KIB(1));

	authres_write_result(
	    w, "arc", arc_cv_str(c->arc_result.cv), c->arc_result.reason);
	if (n > 0) {
		buf_printf(&text, "i=%zu %.*s", n,
		    STR_ARG(arc_verifier_hop(c->arc, n - 1).domain));
		authres_write_comment(w, buf_str(&text));
	}
	if (c->arc_result.cv != ARC_NONE)
		authres_write_prop(w, "smtp", "remote-ip", str_c(c->client_ip));
	buf_done(&text);
}

static void
put_iprev(const struct check *c, struct authres_writer *w)
{
	if (!c->has_client)
		return;
	authres_write_result(
	    w, "iprev", iprev_result_str(c->iprev.result), NULL);
	if (c->iprev.result == IPREV_PASS)
		authres_write_comment(w, str_c(c->iprev.names[c->iprev.at]));
	authres_write_prop(w, "policy", "iprev", str_c(c->client_ip));
}

static const char *
author_problem(const struct check *c)
{
	if (c->has_too_many_authors)
		return "too many domains in From";
	if (c->author == NULL)
		return "no domain in From";
	return c->author->verdict.result == DMARC_PERMERROR
	           ? "the policy cannot be understood"
	           : NULL;
}

static void
put_dmarc(const struct check *c, struct authres_writer *w)
{
	const struct author *a = c->author;
	const char *problem = author_problem(c);
	struct buf comment = BUF_INIT(KIB(1));
	CLEANUP(freep) char *why = NULL;

	if (a == NULL) {
		authres_write_result(w, "dmarc", "permerror", problem);
		return;
	}
	if (problem == NULL && a->comment.n > 0)
		problem = why = str_dup(buf_str(&a->comment));
	authres_write_result(
	    w, "dmarc", dmarc_result_str(a->verdict.result), problem);
	dmarc_put_comment(&a->verdict, &comment);
	if (comment.n > 0)
		authres_write_comment(w, buf_str(&comment));
	authres_write_prop(w, "header", "from", str_c(a->domain));
	buf_done(&comment);
}

void
check_put_results(const struct check *c, struct buf *to)
{
	struct authres_writer w;

	authres_write_start(
	    &w, "Authentication-Results", str_c(c->sv->conf->hostname), to);
	put_dmarc(c, &w);
	put_spf(c, CHECK_MAIL_FROM, &w);
	put_spf(c, CHECK_HELO, &w);
	put_arc(c, &w);
	put_iprev(c, &w);
	put_dkim(c, &w);
	authres_write_finish(&w);
}

/* --- the log ------------------------------------------------------------------------- */

static const char *
spf_str(const struct check *c, unsigned identity)
{
	return c->spf[identity] == NULL
	           ? "-"
	           : spf_result_str(spf_verdict(c->spf[identity])->result);
}

/* The verdicts on the signatures: "pass:example.org fail:example.net". */
static void
list_signatures(const struct check *c, struct buf *to)
{
	for (size_t i = 0; i < dkim_verifier_count(c->dkim); i++) {
		const struct dkim_result *r = dkim_verifier_result(c->dkim, i);

		buf_printf(to, "%s%s:%.*s", i > 0 ? " " : "",
		    dkim_verdict_str(r->verdict), STR_ARG(r->domain));
	}
	if (to->n == 0)
		buf_put_c(to, "none");
}

static const char *
action_str(const struct check_result *r)
{
	switch (r->verdict) {
	case ANALYSE_REJECT:
	case ANALYSE_NO_REPORT:
		return "reject";
	case ANALYSE_LATER:
		return "later";
	case ANALYSE_ACCEPT:
		break;
	}
	return r->is_junk ? "junk" : "accept";
}

void
check_log(const struct check *c, const struct check_result *r)
{
	const struct author *a = c->author;
	struct buf dkim = BUF_INIT(KIB(4));
	struct buf why = BUF_INIT(KIB(2));

	list_signatures(c, &dkim);
	buf_put_str(&why, r->reply);
	if (r->reply.n == 0 && a != NULL)
		buf_put_str(&why, buf_str(&a->comment));
	log_event(r->verdict == ANALYSE_REJECT  ? EV_FILTER_REJECT
		  : r->verdict == ANALYSE_LATER ? EV_FILTER_LATER
						: EV_FILTER_SENDER,
	    LC("id", c->trace), LC("ip", c->client_ip),
	    LC("from", c->mail_from), LC("author", a ? a->domain : ""),
	    LC("action", action_str(r)),
	    LC("dmarc", a ? dmarc_result_str(a->verdict.result) : "permerror"),
	    LC("policy", a ? dmarc_policy_str(a->verdict.policy) : "none"),
	    LC("spf", spf_str(c, CHECK_MAIL_FROM)),
	    LC("helo", spf_str(c, CHECK_HELO)), LS("dkim", buf_str(&dkim)),
	    LC("arc", arc_cv_str(c->arc_result.cv)),
	    LC("iprev", iprev_result_str(c->iprev.result)),
	    LS("reason", buf_str(&why)));
	buf_done(&dkim);
	buf_done(&why);
}

/* --- the report --------------------------------------------------------------------- */

static enum dmarc_spf_result
report_spf(enum spf_result r)
{
	static const enum dmarc_spf_result of[] = {
		[SPF_NONE] = DMARC_SPF_NONE,
		[SPF_NEUTRAL] = DMARC_SPF_NEUTRAL,
		[SPF_PASS] = DMARC_SPF_PASS,
		[SPF_FAIL] = DMARC_SPF_FAIL,
		[SPF_SOFTFAIL] = DMARC_SPF_SOFTFAIL,
		[SPF_TEMPERROR] = DMARC_SPF_TEMPERROR,
		[SPF_PERMERROR] = DMARC_SPF_PERMERROR,
	};

	return of[r];
}

static enum dmarc_dkim_result
report_dkim(enum dkim_verdict v)
{
	static const enum dmarc_dkim_result of[] = {
		[DKIM_PASS] = DMARC_DKIM_PASS,
		[DKIM_FAIL] = DMARC_DKIM_FAIL,
		[DKIM_POLICY] = DMARC_DKIM_POLICY,
		[DKIM_NEUTRAL] = DMARC_DKIM_NEUTRAL,
		[DKIM_TEMPERROR] = DMARC_DKIM_TEMPERROR,
		[DKIM_PERMERROR] = DMARC_DKIM_PERMERROR,
	};

	return of[v];
}

/* Lists of a row, in memory of the caller. */
struct lists {
	struct dmarc_report_reason reasons[8];
	struct dmarc_report_dkim dkim[DKIM_VERIFY_MAX];
	struct dmarc_report_spf spf;
};

static void
list_reasons(
    const struct author *a, struct lists *l, struct dmarc_report_row *row)
{
	struct dmarc_report_reason **end = &row->reasons;
	size_t n = 0;

	for (unsigned t = 0; t <= DMARC_REASON_LOCAL_POLICY; t++) {
		if (!(a->overrides & 1U << t))
			continue;
		l->reasons[n].type = (enum dmarc_reason)t;
		if (t != DMARC_REASON_SAMPLED_OUT)
			l->reasons[n].comment = buf_str(&a->comment);
		*end = &l->reasons[n];
		end = &l->reasons[n++].next;
	}
}

static void
list_results(
    const struct check *c, struct lists *l, struct dmarc_report_row *row)
{
	unsigned i = c->spf[CHECK_MAIL_FROM] ? CHECK_MAIL_FROM : CHECK_HELO;
	struct dmarc_report_dkim **end = &row->dkim;

	for (size_t k = 0; k < dkim_verifier_count(c->dkim); k++) {
		const struct dkim_result *r = dkim_verifier_result(c->dkim, k);

		/* One that could not be read has none to report about. */
		if (r->domain.n == 0)
			continue;
		l->dkim[k].domain = r->domain;
		l->dkim[k].selector = r->selector;
		l->dkim[k].result = report_dkim(r->verdict);
		*end = &l->dkim[k];
		end = &l->dkim[k].next;
	}
	if (c->spf[i] == NULL)
		return;
	l->spf.domain = check_spf_domain(c, i);
	l->spf.scope = i == CHECK_HELO ? DMARC_SCOPE_HELO : DMARC_SCOPE_MFROM;
	l->spf.result = report_spf(spf_verdict(c->spf[i])->result);
	row->spf = &l->spf;
}

/* What was really done, in the words of a policy. */
static enum dmarc_policy
disposition(const struct check_result *r)
{
	if (r->verdict == ANALYSE_REJECT)
		return DMARC_POLICY_REJECT;
	return r->is_junk ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
}

void
check_count(const struct check *c, const struct check_result *r)
{
	const struct author *a = c->author;
	const struct dmarc_record *record;
	struct dmarc_published published;
	struct dmarc_report_row row = { 0 };
	struct lists lists = { 0 };

	if (a == NULL || !c->sv->conf->report_dmarc ||
	    a->discovery.found != DMARC_FOUND_RECORD ||
	    a->discovery.record.rua.n == 0 || r->verdict == ANALYSE_LATER)
		return;
	record = &a->discovery.record;
	published = (struct dmarc_published){
		.domain = a->discovery.at,
		.adkim = record->dkim,
		.aspf = record->spf,
		.p = record->policy,
		.sp = record->subdomain_policy,
		.percent = record->percent,
		.failure = record->failure,
	};
	row.source_ip = str_c(c->client_ip);
	row.disposition = disposition(r);
	row.is_dkim_pass = a->verdict.is_dkim_aligned;
	row.is_spf_pass = a->verdict.is_spf_aligned;
	row.header_from = str_c(a->domain);
	if (c->spf[CHECK_MAIL_FROM] != NULL)
		row.envelope_from = check_spf_domain(c, CHECK_MAIL_FROM);
	list_reasons(a, &lists, &row);
	list_results(c, &lists, &row);
	rows_add(c->sv->rows, &published, &row);
}
