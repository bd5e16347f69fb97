/* SPDX-License-Identifier: ISC */
/* feedback_dmarc.c - rows of an aggregate report (RFC 7489 section 7.2). */
#include "filter/feedback_internal.h"

#include "proto/dmarc/dmarc_report.h"

/* Texts are copied out of the XML, with lists of some dozen bytes a row. */
#define ARENA_MAX MIB(64)

static const char *
policy_name(enum dmarc_policy p)
{
	switch (p) {
	case DMARC_POLICY_NONE:
		return "none";
	case DMARC_POLICY_QUARANTINE:
		return "quarantine";
	case DMARC_POLICY_REJECT:
		return "reject";
	}
	return "";
}

static void
fill(const struct dmarc_report_row *row, struct feedback_dmarc *d)
{
	*d = (struct feedback_dmarc){
		.source = row->source_ip,
		.count = row->count,
		.disposition = str_c(policy_name(row->disposition)),
		.is_dkim_aligned = row->is_dkim_pass,
		.is_spf_aligned = row->is_spf_pass,
		.header_from = row->header_from,
		.envelope_from = row->envelope_from,
	};
	if (row->dkim) {
		d->dkim_domain = row->dkim->domain;
		d->dkim_selector = row->dkim->selector;
		d->dkim_result =
		    str_c(dmarc_dkim_result_str(row->dkim->result));
	}
	if (row->spf) {
		d->spf_domain = row->spf->domain;
		d->spf_result = str_c(dmarc_spf_result_str(row->spf->result));
	}
}

static void
put_rows(
    const struct dmarc_report *report, struct feedback_rows *r, struct buf *out)
{
	struct feedback_item item, rest = { .u.dmarc.count = 0 };
	bool has_rest = false;

	for (const struct dmarc_report_row *row = report->rows; row;
	     row = row->next) {
		fill(row, &item.u.dmarc);
		if (feedback_rows_put(r, &item, out))
			continue;
		has_rest = true;
		rest.u.dmarc.count += row->count;
	}
	feedback_rows_end(r, has_rest ? &rest : NULL, out);
}

enum feedback_found
feedback_read_dmarc(
    struct str xml, const struct feedback_context *c, struct feedback *f)
{
	struct buf domain = BUF_INIT(256);
	struct dmarc_report *report;
	struct feedback_rows rows;
	struct feedback_head head;
	enum feedback_found found = FEEDBACK_NOTHING;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	f->fault = dmarc_report_read(xml, &a, &report);
	if (!f->fault && !feedback_is_about(report->domain, c))
		f->fault = "it is about another domain";
	if (!f->fault) {
		head = (struct feedback_head){
			.kind = FEEDBACK_DMARC,
			.domain = feedback_lower(&domain, report->domain),
			.reporter = report->org_name,
			.contact = report->email,
			.report_id = report->report_id,
			.begin = report->begin,
			.end = report->end,
			.received = c->now,
			.policy = str_c(policy_name(report->p)),
		};
		feedback_rows_begin(&rows, &head, head.domain, c->now);
		put_rows(report, &rows, &f->rows);
		f->kind = FEEDBACK_DMARC;
		f->reporter = str_copy(head.reporter);
		f->about = str_copy(head.domain);
		found = FEEDBACK_ROWS;
	}
	arena_done(&a);
	buf_done(&domain);
	return found;
}
