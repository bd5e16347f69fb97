/* SPDX-License-Identifier: ISC */
/*
 * dmarc_report_write.c - aggregate reports as XML (RFC 7489 appendix C).
 */
#include "proto/dmarc/dmarc_words.h"
#include "proto/dmarc/dmarc_xml.h"

#define WORDS(...) \
	{ \
		(const char *const[]){ __VA_ARGS__ }, \
		    ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })) \
	}

const struct dmarc_words dmarc_words_policy =
    WORDS("none", "quarantine", "reject");
const struct dmarc_words dmarc_words_alignment = WORDS("r", "s");
const struct dmarc_words dmarc_words_pass = WORDS("fail", "pass");
const struct dmarc_words dmarc_words_reason = WORDS("other", "forwarded",
    "sampled_out", "trusted_forwarder", "mailing_list", "local_policy");
const struct dmarc_words dmarc_words_dkim = WORDS(
    "none", "pass", "fail", "policy", "neutral", "temperror", "permerror");
const struct dmarc_words dmarc_words_spf = WORDS(
    "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror");
const struct dmarc_words dmarc_words_scope = WORDS("mfrom", "helo");

const char *
dmarc_reason_str(enum dmarc_reason r)
{
	return dmarc_words_reason.v[r];
}

const char *
dmarc_dkim_result_str(enum dmarc_dkim_result r)
{
	return dmarc_words_dkim.v[r];
}

const char *
dmarc_spf_result_str(enum dmarc_spf_result r)
{
	return dmarc_words_spf.v[r];
}

static void
put_text(struct buf *to, const char *name, struct str text)
{
	buf_printf(to, "<%s>", name);
	dmarc_xml_put_text(to, text);
	buf_printf(to, "</%s>\n", name);
}

static void
put_optional(struct buf *to, const char *name, struct str text)
{
	if (text.n > 0)
		put_text(to, name, text);
}

static void
put_number(struct buf *to, const char *name, uint64_t n)
{
	buf_printf(to, "<%s>%llu</%s>\n", name, (unsigned long long)n, name);
}

static void
put_word(struct buf *to, const char *name, const struct dmarc_words *words,
    unsigned i)
{
	put_text(to, name, str_c(words->v[i]));
}

static void
put_policy(const struct dmarc_report *r, struct buf *to)
{
	buf_put_c(to, "<policy_published>\n");
	put_text(to, "domain", r->domain);
	put_word(to, "adkim", &dmarc_words_alignment, r->adkim);
	put_word(to, "aspf", &dmarc_words_alignment, r->aspf);
	put_word(to, "p", &dmarc_words_policy, r->p);
	put_word(to, "sp", &dmarc_words_policy, r->sp);
	put_number(to, "pct", r->pct);
	put_text(to, "fo", r->fo.n > 0 ? r->fo : STR("0"));
	buf_put_c(to, "</policy_published>\n");
}

void
dmarc_report_begin(const struct dmarc_report *r, struct buf *to)
{
	buf_put_c(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<feedback>\n<version>1.0</version>\n"
		      "<report_metadata>\n");
	put_text(to, "org_name", r->org_name);
	put_text(to, "email", r->email);
	put_optional(to, "extra_contact_info", r->extra_contact_info);
	put_text(to, "report_id", r->report_id);
	buf_put_c(to, "<date_range>\n");
	put_number(to, "begin", r->begin);
	put_number(to, "end", r->end);
	buf_put_c(to, "</date_range>\n");
	for (const struct dmarc_report_error *e = r->errors; e; e = e->next)
		put_text(to, "error", e->text);
	buf_put_c(to, "</report_metadata>\n");
	put_policy(r, to);
}

static void
put_evaluated(const struct dmarc_report_row *row, struct buf *to)
{
	buf_put_c(to, "<policy_evaluated>\n");
	put_word(to, "disposition", &dmarc_words_policy, row->disposition);
	put_word(to, "dkim", &dmarc_words_pass, row->is_dkim_pass);
	put_word(to, "spf", &dmarc_words_pass, row->is_spf_pass);
	for (const struct dmarc_report_reason *r = row->reasons; r;
	     r = r->next) {
		buf_put_c(to, "<reason>\n");
		put_word(to, "type", &dmarc_words_reason, r->type);
		put_optional(to, "comment", r->comment);
		buf_put_c(to, "</reason>\n");
	}
	buf_put_c(to, "</policy_evaluated>\n");
}

static void
put_results(const struct dmarc_report_row *row, struct buf *to)
{
	for (const struct dmarc_report_dkim *d = row->dkim; d; d = d->next) {
		buf_put_c(to, "<dkim>\n");
		put_text(to, "domain", d->domain);
		put_optional(to, "selector", d->selector);
		put_word(to, "result", &dmarc_words_dkim, d->result);
		put_optional(to, "human_result", d->human_result);
		buf_put_c(to, "</dkim>\n");
	}
	for (const struct dmarc_report_spf *s = row->spf; s; s = s->next) {
		buf_put_c(to, "<spf>\n");
		put_text(to, "domain", s->domain);
		put_word(to, "scope", &dmarc_words_scope, s->scope);
		put_word(to, "result", &dmarc_words_spf, s->result);
		buf_put_c(to, "</spf>\n");
	}
}

void
dmarc_report_put_row(const struct dmarc_report_row *row, struct buf *to)
{
	buf_put_c(to, "<record>\n<row>\n");
	put_text(to, "source_ip", row->source_ip);
	put_number(to, "count", row->count);
	put_evaluated(row, to);
	buf_put_c(to, "</row>\n<identifiers>\n");
	put_optional(to, "envelope_to", row->envelope_to);
	/* Not optional: it is empty for a bounce. */
	put_text(to, "envelope_from", row->envelope_from);
	put_text(to, "header_from", row->header_from);
	buf_put_c(to, "</identifiers>\n<auth_results>\n");
	put_results(row, to);
	buf_put_c(to, "</auth_results>\n</record>\n");
}

void
dmarc_report_end(struct buf *to)
{
	buf_put_c(to, "</feedback>\n");
}

void
dmarc_report_put_name(
    const struct dmarc_report *r, struct str receiver, struct buf *to)
{
	ASSERT(hostname_is_valid(receiver) && hostname_is_valid(r->domain));
	buf_printf(to, "%.*s!%.*s!%llu!%llu", STR_ARG(receiver),
	    STR_ARG(r->domain), (unsigned long long)r->begin,
	    (unsigned long long)r->end);
}

void
dmarc_report_put_subject(
    const struct dmarc_report *r, struct str submitter, struct buf *to)
{
	ASSERT(hostname_is_valid(submitter) && hostname_is_valid(r->domain));
	buf_printf(to, "Report Domain: %.*s Submitter: %.*s Report-ID: <",
	    STR_ARG(r->domain), STR_ARG(submitter));
	/* It may come from elsewhere one day: a header stays one line. */
	for (size_t i = 0; i < r->report_id.n; i++) {
		char c = r->report_id.p[i];

		buf_put_char(
		    to, c > ' ' && c <= '~' && c != '<' && c != '>' ? c : '_');
	}
	buf_put_char(to, '>');
}
