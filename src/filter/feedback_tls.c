/* SPDX-License-Identifier: ISC */
/* feedback_tls.c - rows of a TLS report (RFC 8460). */
#include "filter/feedback_internal.h"

#include "proto/tlsrpt/tlsrpt_report.h"

/* A tree of JSON in it is large: see tlsrpt_report.h. */
#define ARENA_MAX MIB(16)

/* False: there is no room for more. */
static bool
put_policy(
    const struct tlsrpt_policy *p, struct feedback_rows *r, struct buf *out)
{
	struct feedback_item item = { 0 };
	struct feedback_tls *t = &item.u.tls;

	t->policy = str_c(tlsrpt_policy_type_str(p->type));
	t->successful = p->successful;
	t->failed = p->failed;
	if (!feedback_rows_put(r, &item, out))
		return false;
	t->successful = 0;
	for (const struct tlsrpt_failure *e = p->failures; e; e = e->next) {
		t->result = str_c(tlsrpt_result_str(e->result));
		t->failed = e->sessions;
		t->sending_ip = e->sending_mta_ip;
		t->mx = e->receiving_mx_hostname;
		t->detail = e->reason_code.n ? e->reason_code
		                             : e->additional_information;
		if (!feedback_rows_put(r, &item, out))
			return false;
	}
	return true;
}

/* A report may be about several domains: the first one of ours names it. */
static struct str
find_domain(
    const struct tlsrpt_report *report, const struct feedback_context *c)
{
	for (const struct tlsrpt_policy *p = report->policies; p; p = p->next)
		if (feedback_is_about(p->domain, c))
			return p->domain;
	return STR_NONE;
}

enum feedback_found
feedback_read_tls(
    struct str json, const struct feedback_context *c, struct feedback *f)
{
	struct buf name = BUF_INIT(256);
	struct tlsrpt_report *report;
	struct feedback_rows rows;
	struct feedback_head head;
	enum feedback_found found = FEEDBACK_NOTHING;
	struct str domain = STR_NONE;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	f->fault = tlsrpt_read_report(json, &a, &report);
	if (!f->fault)
		domain = find_domain(report, c);
	if (!f->fault && !domain.n)
		f->fault = "it is about another domain";
	if (!f->fault) {
		head = (struct feedback_head){
			.kind = FEEDBACK_TLS,
			.domain = feedback_lower(&name, domain),
			.reporter = report->organisation,
			.contact = report->contact,
			.report_id = report->report_id,
			.begin = report->begin,
			.end = report->end,
			.received = c->now,
		};
		feedback_rows_begin(&rows, &head, head.domain, c->now);
		for (const struct tlsrpt_policy *p = report->policies; p;
		     p = p->next)
			if (feedback_is_about(p->domain, c) &&
			    !put_policy(p, &rows, &f->rows))
				break;
		feedback_rows_end(&rows, NULL, &f->rows);
		f->kind = FEEDBACK_TLS;
		f->reporter = str_copy(head.reporter);
		f->about = str_copy(head.domain);
		found = FEEDBACK_ROWS;
	}
	arena_done(&a);
	buf_done(&name);
	return found;
}
