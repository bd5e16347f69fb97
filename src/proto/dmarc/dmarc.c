/* SPDX-License-Identifier: ISC */
/*
 * dmarc.c - find the policy, compare domains, judge.
 */
#include "proto/dmarc/dmarc.h"

static const char *const results[] = {
	[DMARC_NONE] = "none",
	[DMARC_PASS] = "pass",
	[DMARC_FAIL] = "fail",
	[DMARC_TEMPERROR] = "temperror",
	[DMARC_PERMERROR] = "permerror",
};

const char *
dmarc_result_str(enum dmarc_result r)
{
	return results[r];
}

/* Put a name together in name; false when it gets too long. */
static bool
make_name(
    char name[HOSTNAME_MAX], const struct str *parts, size_t n, struct str *ret)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].n > HOSTNAME_MAX - length)
			return false;
		memcpy(name + length, parts[i].p, parts[i].n);
		length += parts[i].n;
	}
	*ret = str_make(name, length);
	return true;
}

void
dmarc_discovery_start(struct dmarc_discovery *d, struct str domain,
    const struct suffixes *suffixes)
{
	d->suffixes = suffixes;
	d->domain = domain;
	d->organisation = suffixes_organisation(suffixes, domain);
	d->at = domain;
	d->found = DMARC_FOUND_NONE;
	d->record = (struct dmarc_record){ 0 };
	d->is_done = !hostname_is_valid(domain);
}

/* Go on at the organisational domain, or be done. */
static void
next_place(struct dmarc_discovery *d)
{
	if (d->at.n == d->organisation.n)
		d->is_done = true;
	d->at = d->organisation;
}

bool
dmarc_discovery_question(struct dmarc_discovery *d, struct str *ret_name)
{
	while (!d->is_done) {
		struct str parts[] = { STR("_dmarc."), d->at };

		if (make_name(d->name, parts, ARRAY_LEN(parts), ret_name))
			return true;
		next_place(d);
	}
	return false;
}

static void
end(struct dmarc_discovery *d, enum dmarc_found found)
{
	d->found = found;
	d->is_done = true;
}

/* Section 6.6.3, steps 2 to 5. */
void
dmarc_discovery_answer(struct dmarc_discovery *d, enum dmarc_answer answer,
    const struct str *records, size_t n)
{
	const struct str *found = NULL;
	bool ok;

	ASSERT(!d->is_done);
	if (answer == DMARC_ANSWER_TEMPFAIL) {
		end(d, DMARC_FOUND_FAILED);
		return;
	}
	for (size_t i = 0; answer == DMARC_ANSWER_RECORDS && i < n; i++) {
		if (!dmarc_is_record(records[i]))
			continue;
		if (found) {
			end(d, DMARC_FOUND_BROKEN);
			return;
		}
		found = &records[i];
	}
	if (!found) {
		next_place(d);
		return;
	}
	memcpy(d->text, found->p, found->n);
	ok = dmarc_record_parse(str_make(d->text, found->n), &d->record);
	end(d, ok ? DMARC_FOUND_RECORD : DMARC_FOUND_BROKEN);
}

bool
dmarc_is_aligned(const struct suffixes *suffixes,
    enum dmarc_alignment alignment, struct str author, struct str other)
{
	other = hostname_trim(other);
	if (str_eq_case(author, other))
		return author.n > 0;
	return alignment == DMARC_RELAXED &&
	       str_eq_case(suffixes_organisation(suffixes, author),
		   suffixes_organisation(suffixes, other));
}

/* Section 6.6.4: a message that is not in the sample gets the next milder. */
static void
apply_policy(
    const struct dmarc_record *r, unsigned chance, struct dmarc_verdict *v)
{
	v->disposition = v->policy;
	if (v->policy == DMARC_POLICY_NONE || chance < r->percent)
		return;
	v->is_sampled_out = true;
	v->disposition = v->policy == DMARC_POLICY_REJECT
	                     ? DMARC_POLICY_QUARANTINE
	                     : DMARC_POLICY_NONE;
}

/* Note in *v what an identifier proves; true when that could not be told. */
static bool
is_open(const struct dmarc_discovery *d, enum dmarc_alignment alignment,
    const struct dmarc_identifier *id, bool *ret_aligned)
{
	if (id->result == DMARC_AUTH_FAIL ||
	    !dmarc_is_aligned(d->suffixes, alignment, d->domain, id->domain))
		return false;
	if (id->result == DMARC_AUTH_PASS)
		*ret_aligned = true;
	return id->result == DMARC_AUTH_TEMPERROR;
}

static enum dmarc_result
judge(const struct dmarc_discovery *d, const struct dmarc_message *m,
    struct dmarc_verdict *v)
{
	const struct dmarc_record *r = &d->record;
	bool has_open = is_open(d, r->spf, &m->spf, &v->is_spf_aligned);

	for (size_t i = 0; i < m->n_dkim; i++)
		has_open |=
		    is_open(d, r->dkim, &m->dkim[i], &v->is_dkim_aligned);
	if (v->is_spf_aligned || v->is_dkim_aligned)
		return DMARC_PASS;
	return has_open ? DMARC_TEMPERROR : DMARC_FAIL;
}

void
dmarc_evaluate(const struct dmarc_discovery *d, const struct dmarc_message *m,
    struct dmarc_verdict *ret)
{
	struct dmarc_verdict v = { .result = DMARC_NONE };

	ASSERT(d->is_done && m->chance < 100);
	switch (d->found) {
	case DMARC_FOUND_NONE:
		break;
	case DMARC_FOUND_BROKEN:
		v.result = DMARC_PERMERROR;
		break;
	case DMARC_FOUND_FAILED:
		v.result = DMARC_TEMPERROR;
		break;
	case DMARC_FOUND_RECORD:
		v.is_subdomain = d->at.n < d->domain.n;
		v.policy = v.is_subdomain ? d->record.subdomain_policy
		                          : d->record.policy;
		v.result = judge(d, m, &v);
		break;
	}
	if (v.result == DMARC_FAIL)
		apply_policy(&d->record, m->chance, &v);
	*ret = v;
}

/* What counts when dispositions are the same: bad news first. */
static unsigned
weight(const struct dmarc_verdict *v)
{
	static const unsigned of[] = {
		[DMARC_NONE] = 0,
		[DMARC_PASS] = 1,
		[DMARC_PERMERROR] = 2,
		[DMARC_TEMPERROR] = 3,
		[DMARC_FAIL] = 4,
	};

	return 8 * (unsigned)v->disposition + of[v->result];
}

size_t
dmarc_strictest(const struct dmarc_verdict *verdicts, size_t n)
{
	size_t best = 0;

	ASSERT(n > 0);
	for (size_t i = 1; i < n; i++)
		if (weight(&verdicts[i]) > weight(&verdicts[best]))
			best = i;
	return best;
}

void
dmarc_put_comment(const struct dmarc_verdict *v, struct buf *out)
{
	if (v->result == DMARC_PASS || v->result == DMARC_FAIL)
		buf_printf(out, "%s=%s dis=%s", v->is_subdomain ? "sp" : "p",
		    dmarc_policy_str(v->policy),
		    dmarc_policy_str(v->disposition));
}

void
dmarc_put_auth_result(
    const struct dmarc_verdict *v, struct str from, struct buf *out)
{
	struct buf comment = BUF_INIT(64);

	dmarc_put_comment(v, &comment);
	buf_printf(out, "dmarc=%s", dmarc_result_str(v->result));
	if (comment.n > 0)
		buf_printf(out, " (%s)", buf_c(&comment));
	/* A domain that is no host name is nobody's: it is left out. */
	if (hostname_is_valid(from))
		buf_printf(out, " header.from=%.*s", STR_ARG(from));
	buf_done(&comment);
}

enum dmarc_external
dmarc_external_question(const struct suffixes *suffixes,
    struct str policy_domain, struct str destination, char name[HOSTNAME_MAX],
    struct str *ret_name)
{
	struct str parts[] = { policy_domain, STR("._report._dmarc."),
		destination };

	if (!hostname_is_valid(policy_domain) ||
	    !hostname_is_valid(destination))
		return DMARC_EXTERNAL_REFUSED;
	if (dmarc_is_aligned(
		suffixes, DMARC_RELAXED, policy_domain, destination))
		return DMARC_EXTERNAL_OWN;
	return make_name(name, parts, ARRAY_LEN(parts), ret_name)
	           ? DMARC_EXTERNAL_ASK
	           : DMARC_EXTERNAL_REFUSED;
}
