/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_write.c - TLS reports as JSON (RFC 8460 section 4.4).
 */
#include "proto/tlsrpt/tlsrpt_words.h"

#include "base/hostname.h"
#include "base/jsondoc.h"

static const char *const results[] = {
	[TLSRPT_OTHER] = "other",
	[TLSRPT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[TLSRPT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLSRPT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLSRPT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[TLSRPT_VALIDATION_FAILURE] = "validation-failure",
	[TLSRPT_TLSA_INVALID] = "tlsa-invalid",
	[TLSRPT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSRPT_DANE_REQUIRED] = "dane-required",
	[TLSRPT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[TLSRPT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[TLSRPT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

static const char *const types[] = {
	[TLSRPT_NO_POLICY] = "no-policy-found",
	[TLSRPT_TLSA] = "tlsa",
	[TLSRPT_STS] = "sts",
};

const struct tlsrpt_words tlsrpt_words_result = { results, ARRAY_LEN(results) };
const struct tlsrpt_words tlsrpt_words_type = { types, ARRAY_LEN(types) };

const char *
tlsrpt_result_str(enum tlsrpt_result r)
{
	return results[r];
}

const char *
tlsrpt_policy_type_str(enum tlsrpt_policy_type t)
{
	return types[t];
}

/* Names are constants; the first member of an object has no comma. */
static void
put_name(struct buf *to, const char *name)
{
	if (to->n > 0 && to->p[to->n - 1] != '{')
		buf_put_char(to, ',');
	buf_printf(to, "\"%s\":", name);
}

static void
put_text(struct buf *to, const char *name, struct str text)
{
	put_name(to, name);
	jsondoc_put_text(to, text);
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
	put_name(to, name);
	buf_put_u64(to, n);
}

static void
put_time(struct buf *to, const char *name, uint64_t t)
{
	put_name(to, name);
	buf_put_char(to, '"');
	tlsrpt_put_time(t, to);
	buf_put_char(to, '"');
}

static void
put_list(struct buf *to, const char *name, const struct tlsrpt_text *list)
{
	if (!list)
		return;
	put_name(to, name);
	buf_put_char(to, '[');
	for (const struct tlsrpt_text *t = list; t; t = t->next) {
		if (t != list)
			buf_put_char(to, ',');
		jsondoc_put_text(to, t->text);
	}
	buf_put_char(to, ']');
}

static void
put_failure(const struct tlsrpt_failure *f, struct buf *to)
{
	buf_put_char(to, '{');
	put_text(to, "result-type", str_c(tlsrpt_result_str(f->result)));
	put_optional(to, "sending-mta-ip", f->sending_mta_ip);
	put_optional(to, "receiving-mx-hostname", f->receiving_mx_hostname);
	put_optional(to, "receiving-mx-helo", f->receiving_mx_helo);
	put_optional(to, "receiving-ip", f->receiving_ip);
	put_number(to, "failed-session-count", f->sessions);
	put_optional(to, "additional-information", f->additional_information);
	put_optional(to, "failure-reason-code", f->reason_code);
	buf_put_char(to, '}');
}

static void
put_policy(const struct tlsrpt_policy *p, struct buf *to)
{
	buf_put_c(to, "{\"policy\":{");
	put_text(to, "policy-type", str_c(tlsrpt_policy_type_str(p->type)));
	put_list(to, "policy-string", p->strings);
	put_text(to, "policy-domain", p->domain);
	put_list(to, "mx-host", p->mx_hosts);
	buf_put_c(to, "},\"summary\":{");
	put_number(to, "total-successful-session-count", p->successful);
	put_number(to, "total-failure-session-count", p->failed);
	buf_put_char(to, '}');
	if (p->failures) {
		buf_put_c(to, ",\"failure-details\":[");
		for (const struct tlsrpt_failure *f = p->failures; f;
		     f = f->next) {
			if (f != p->failures)
				buf_put_char(to, ',');
			put_failure(f, to);
		}
		buf_put_char(to, ']');
	}
	buf_put_char(to, '}');
}

void
tlsrpt_put_report(const struct tlsrpt_report *r, struct buf *to)
{
	buf_put_char(to, '{');
	put_text(to, "organization-name", r->organisation);
	buf_put_c(to, ",\"date-range\":{");
	put_time(to, "start-datetime", r->begin);
	put_time(to, "end-datetime", r->end);
	buf_put_char(to, '}');
	put_text(to, "contact-info", r->contact);
	put_text(to, "report-id", r->report_id);
	buf_put_c(to, ",\"policies\":[");
	for (const struct tlsrpt_policy *p = r->policies; p; p = p->next) {
		if (p != r->policies)
			buf_put_char(to, ',');
		put_policy(p, to);
	}
	buf_put_c(to, "]}");
}

void
tlsrpt_put_name(const struct tlsrpt_report *r, struct str sender,
    struct str domain, struct buf *to)
{
	ASSERT(hostname_is_valid(sender) && hostname_is_valid(domain));
	buf_printf(to, "%.*s!%.*s!%llu!%llu", STR_ARG(sender), STR_ARG(domain),
	    (unsigned long long)r->begin, (unsigned long long)r->end);
}

void
tlsrpt_put_subject(const struct tlsrpt_report *r, struct str sender,
    struct str domain, struct buf *to)
{
	ASSERT(hostname_is_valid(sender) && hostname_is_valid(domain));
	buf_printf(to, "Report Domain: %.*s Submitter: %.*s Report-ID: <",
	    STR_ARG(domain), STR_ARG(sender));
	/* A header stays one line, whoever made the id. */
	for (size_t i = 0; i < r->report_id.n; i++) {
		char c = r->report_id.p[i];

		buf_put_char(
		    to, c > ' ' && c <= '~' && c != '<' && c != '>' ? c : '_');
	}
	buf_put_char(to, '>');
}
