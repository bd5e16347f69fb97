/* SPDX-License-Identifier: ISC */
/*
 * policy.c - what becomes of a message that fails DMARC: what its author's
 * domain asks for, unless something here speaks against it (RFC 7489 section
 * 6.7).
 *
 * SPF alone never refuses a message: forwarding breaks it every day. What the
 * DNS could not tell is no reason to lose mail, but neither may it be a way
 * past the policy reject: such a message is to come again later.
 */
#include "filter/check_internal.h"

#include "proto/authres/authres.h"

/* One of a list of the configuration. */
static bool
is_listed(const char *list, struct str name)
{
	struct str rest = str_c(list), line;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		if (str_eq_case(line, name))
			return true;
	}
	return false;
}

/* --- ARC --------------------------------------------------------------------------- */

/* Do these results say that DMARC passed for the author? */
static bool
says_pass(struct str payload, struct str author)
{
	struct authres results;
	struct arena a;
	bool is_pass = false;

	arena_init(&a, AUTHRES_ARENA_MAX);
	if (authres_parse(payload, &a, &results))
		for (size_t i = 0; i < results.results_n; i++) {
			const struct authres_result *r = &results.results[i];

			is_pass |=
			    str_eq_case(r->method, STR("dmarc")) &&
			    str_eq_case(r->result, STR("pass")) &&
			    str_eq_case(
				authres_prop(r, "header", "from"), author);
		}
	arena_done(&a);
	return is_pass;
}

/*
 * From the newest seal back, as long as the sealers are trusted: whoever is
 * not could have changed the message, and what older seals say of it.
 */
static bool
is_sealed(const struct check *c, struct author *a)
{
	size_t n = arc_verifier_hops(c->arc);

	if (c->arc_result.cv != ARC_PASS)
		return false;
	while (n-- > 0) {
		struct arc_hop hop = arc_verifier_hop(c->arc, n);

		if (!is_listed(c->sv->conf->incoming_sealers, hop.domain))
			return false;
		if (!says_pass(hop.results, str_c(a->domain)))
			continue;
		/* RFC 8617 section 7.2.2. */
		buf_printf(&a->comment,
		    "arc=pass as[%zu].d=%.*s as[%zu].s=%.*s", n + 1,
		    STR_ARG(hop.domain), n + 1, STR_ARG(hop.selector));
		return true;
	}
	return false;
}

/* --- lists and forwarders ----------------------------------------------------------- */

/* The listed domain that SPF or a signature passes for, or STR_NONE. */
static struct str
listed_domain(const struct check *c)
{
	const char *list = c->sv->conf->incoming_lists;
	const struct spf_check *spf = c->spf[CHECK_MAIL_FROM];

	if (spf != NULL && spf_verdict(spf)->result == SPF_PASS &&
	    is_listed(list, check_spf_domain(c, CHECK_MAIL_FROM)))
		return check_spf_domain(c, CHECK_MAIL_FROM);
	for (size_t i = 0; i < dkim_verifier_count(c->dkim); i++) {
		const struct dkim_result *r = dkim_verifier_result(c->dkim, i);

		if (r->verdict == DKIM_PASS && is_listed(list, r->domain))
			return r->domain;
	}
	return STR_NONE;
}

static bool
is_from_list(const struct check *c, struct author *a)
{
	struct str domain = listed_domain(c);

	if (domain.n > 0)
		buf_printf(&a->comment, "passed on by %.*s", STR_ARG(domain));
	return domain.n > 0;
}

void
check_override(struct check *c, struct author *a)
{
	struct dmarc_verdict *v = &a->verdict;
	bool is_open =
	    v->result == DMARC_TEMPERROR && v->policy == DMARC_POLICY_REJECT;

	if (v->is_sampled_out)
		a->overrides |= 1U << DMARC_REASON_SAMPLED_OUT;
	if (v->disposition == DMARC_POLICY_NONE && !is_open)
		return;
	if (is_sealed(c, a)) {
		a->overrides = 1U << DMARC_REASON_LOCAL_POLICY;
		if (c->has_list_id)
			a->overrides |= 1U << DMARC_REASON_MAILING_LIST;
	} else if (is_from_list(c, a)) {
		a->overrides = c->has_list_id
		                   ? 1U << DMARC_REASON_MAILING_LIST
		                   : 1U << DMARC_REASON_TRUSTED_FORWARDER;
	} else if (v->disposition == DMARC_POLICY_REJECT &&
		   !c->sv->conf->incoming_reject) {
		a->overrides |= 1U << DMARC_REASON_LOCAL_POLICY;
		v->disposition = DMARC_POLICY_QUARANTINE;
		buf_put_c(&a->comment, "nothing is rejected here");
		return;
	} else {
		return;
	}
	v->disposition = DMARC_POLICY_NONE;
}

/* --- the end -------------------------------------------------------------------------- */

static void
decide_by_author(
    const struct author *a, struct check_result *ret, struct buf *text)
{
	const struct dmarc_verdict *v = &a->verdict;

	ret->is_junk = v->disposition == DMARC_POLICY_QUARANTINE;
	if (v->disposition == DMARC_POLICY_REJECT) {
		ret->verdict = ANALYSE_REJECT;
		buf_printf(text,
		    "The DMARC policy (%s=reject) of %s refuses this message: "
		    "neither SPF nor DKIM passes for that domain",
		    v->is_subdomain ? "sp" : "p", a->domain);
	} else if (v->result == DMARC_TEMPERROR &&
		   v->policy == DMARC_POLICY_REJECT && a->overrides == 0) {
		ret->verdict = ANALYSE_LATER;
		buf_printf(text,
		    "The DNS does not tell now whether this message is from "
		    "%s, whose DMARC policy is reject: try later",
		    a->domain);
	}
}

void
check_decide(const struct check *c, struct check_result *ret, struct buf *text)
{
	bool rejects = c->sv->conf->incoming_reject;

	if (c->author != NULL)
		decide_by_author(c->author, ret, text);
	/* RFC 7489 section 6.6.1: this is no mail, but a way to hide. */
	if (c->has_too_many_authors && ret->verdict == ANALYSE_ACCEPT) {
		ret->verdict = rejects ? ANALYSE_REJECT : ANALYSE_ACCEPT;
		ret->is_junk = true;
		buf_put_c(text, "From names more domains than can be checked");
	}
	/* Else whoever keeps the checks busy would lead forgers past them. */
	if (c->is_unasked && ret->verdict == ANALYSE_ACCEPT) {
		ret->verdict = ANALYSE_LATER;
		buf_put_c(text, "Too many messages are being checked, try "
				"later");
	}
	if (ret->verdict == ANALYSE_LATER && !rejects)
		ret->verdict = ANALYSE_ACCEPT;
	if (ret->verdict != ANALYSE_ACCEPT)
		ret->reply = buf_str(text);
}
