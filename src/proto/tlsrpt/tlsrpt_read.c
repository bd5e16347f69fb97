/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_read.c - TLS reports that others have sent.
 */
#include "proto/tlsrpt/tlsrpt_words.h"

#include "base/jsondoc.h"

struct reader {
	struct arena *arena;
	const char *problem; /* the first that was met */
};

static void
fail(struct reader *r, const char *problem)
{
	if (!r->problem)
		r->problem = problem;
}

static const char too_large[] = "the report is too large";

static void *
new_member(struct reader *r, size_t size)
{
	void *p = r->problem ? NULL : arena_alloc(r->arena, size);

	if (!p)
		fail(r, too_large);
	return p;
}

static void
copy_text(struct reader *r, const struct jsonnode *value, struct str *ret)
{
	struct str s = jsonnode_text(value);

	if (s.n > 0 && !arena_str(r->arena, s, ret))
		fail(r, too_large);
}

static void
read_text(struct reader *r, const struct jsonnode *object, const char *name,
    struct str *ret)
{
	copy_text(r, jsonnode_get(object, name), ret);
}

/* An absent number is 0; one that is not whole, or below, is wrong. */
static void
read_count(struct reader *r, const struct jsonnode *object, const char *name,
    uint64_t *ret)
{
	const struct jsonnode *value = jsonnode_get(object, name);

	if (value && !jsonnode_u64(value, ret))
		fail(r, "a number in the report is none");
}

static unsigned
read_word(const struct jsonnode *object, const char *name,
    const struct tlsrpt_words *words)
{
	struct str text = jsonnode_text(jsonnode_get(object, name));

	for (unsigned i = 0; i < words->n; i++)
		if (str_eq_case(text, str_c(words->v[i])))
			return i;
	return 0;
}

/* A list of texts; one text alone is sent as well, and means the same. */
static void
read_list(struct reader *r, const struct jsonnode *object, const char *name,
    struct tlsrpt_text **ret)
{
	const struct jsonnode *list = jsonnode_get(object, name);
	bool is_one = jsonnode_text(list).n > 0;
	size_t n = is_one ? 1 : jsonnode_count(list);

	if (n > TLSRPT_LIST_MAX)
		fail(r, too_large);
	for (size_t i = 0; !r->problem && i < n; i++) {
		struct tlsrpt_text *t = new_member(r, sizeof(*t));

		if (!t)
			return;
		*ret = t;
		ret = &t->next;
		copy_text(r, is_one ? list : jsonnode_at(list, i), &t->text);
	}
}

static void
read_failure(
    struct reader *r, const struct jsonnode *from, struct tlsrpt_failure *f)
{
	f->result = (enum tlsrpt_result)read_word(
	    from, "result-type", &tlsrpt_words_result);
	read_text(r, from, "sending-mta-ip", &f->sending_mta_ip);
	read_text(r, from, "receiving-mx-hostname", &f->receiving_mx_hostname);
	read_text(r, from, "receiving-mx-helo", &f->receiving_mx_helo);
	read_text(r, from, "receiving-ip", &f->receiving_ip);
	read_count(r, from, "failed-session-count", &f->sessions);
	read_text(
	    r, from, "additional-information", &f->additional_information);
	/* Section 4.4 shows it under one name, and defines the other. */
	read_text(r, from, "failure-reason-code", &f->reason_code);
	if (f->reason_code.n == 0)
		read_text(r, from, "failure-error-code", &f->reason_code);
}

static void
read_failures(
    struct reader *r, const struct jsonnode *list, struct tlsrpt_failure **ret)
{
	size_t n = jsonnode_count(list);

	if (n > TLSRPT_LIST_MAX)
		fail(r, too_large);
	for (size_t i = 0; !r->problem && i < n; i++) {
		struct tlsrpt_failure *f = new_member(r, sizeof(*f));

		if (!f)
			return;
		*ret = f;
		ret = &f->next;
		read_failure(r, jsonnode_at(list, i), f);
	}
}

static void
read_policy(
    struct reader *r, const struct jsonnode *from, struct tlsrpt_policy *p)
{
	const struct jsonnode *policy = jsonnode_get(from, "policy");
	const struct jsonnode *summary = jsonnode_get(from, "summary");

	p->type = (enum tlsrpt_policy_type)read_word(
	    policy, "policy-type", &tlsrpt_words_type);
	read_text(r, policy, "policy-domain", &p->domain);
	read_list(r, policy, "policy-string", &p->strings);
	read_list(r, policy, "mx-host", &p->mx_hosts);
	read_count(
	    r, summary, "total-successful-session-count", &p->successful);
	read_count(r, summary, "total-failure-session-count", &p->failed);
	read_failures(r, jsonnode_get(from, "failure-details"), &p->failures);
	if (p->domain.n == 0)
		fail(r, "a policy in the report has no domain");
}

static void
read_policies(
    struct reader *r, const struct jsonnode *list, struct tlsrpt_policy **ret)
{
	size_t n = jsonnode_count(list);

	if (n == 0)
		fail(r, "the report has no policies");
	if (n > TLSRPT_POLICIES_MAX)
		fail(r, too_large);
	for (size_t i = 0; !r->problem && i < n; i++) {
		struct tlsrpt_policy *p = new_member(r, sizeof(*p));

		if (!p)
			return;
		*ret = p;
		ret = &p->next;
		read_policy(r, jsonnode_at(list, i), p);
	}
}

static void
read_time(struct reader *r, const struct jsonnode *range, const char *name,
    uint64_t *ret)
{
	if (!tlsrpt_parse_time(jsonnode_text(jsonnode_get(range, name)), ret))
		fail(r, "the report has no time, or a wrong one");
}

static void
read_report(
    struct reader *r, const struct jsonnode *from, struct tlsrpt_report *report)
{
	const struct jsonnode *range = jsonnode_get(from, "date-range");

	read_text(r, from, "organization-name", &report->organisation);
	read_text(r, from, "contact-info", &report->contact);
	read_text(r, from, "report-id", &report->report_id);
	if (report->report_id.n == 0)
		fail(r, "the report has no id");
	read_time(r, range, "start-datetime", &report->begin);
	read_time(r, range, "end-datetime", &report->end);
	read_policies(r, jsonnode_get(from, "policies"), &report->policies);
}

const char *
tlsrpt_read_report(
    struct str json, struct arena *arena, struct tlsrpt_report **ret)
{
	struct reader r = { .arena = arena };
	struct tlsrpt_report *report;
	struct jsondoc *doc;

	if (json.n > TLSRPT_REPORT_MAX)
		return too_large;
	doc = jsondoc_parse(json, TLSRPT_REPORT_MAX);
	if (!doc)
		return "the report is not right JSON";
	report = new_member(&r, sizeof(*report));
	if (report)
		read_report(&r, jsondoc_root(doc), report);
	jsondoc_free(doc);
	if (r.problem)
		return r.problem;
	*ret = report;
	return NULL;
}
