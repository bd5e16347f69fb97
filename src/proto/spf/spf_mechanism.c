/* SPDX-License-Identifier: ISC */
/*
 * spf_mechanism.c - what the mechanisms of RFC 7208 section 5 ask and match.
 *
 * A failed question ends the check with temperror, except where section 5.5
 * says that it does not match. No answer at all is no match, and is counted.
 */
#include "proto/spf/spf_internal.h"

enum spf_type
spf_address_type(const struct spf_check *c)
{
	return c->request.client.is_v6 ? SPF_TYPE_AAAA : SPF_TYPE_A;
}

bool
spf_answer_has_client(const struct spf_check *c, const struct spf_answer *a,
    unsigned prefix4, unsigned prefix6)
{
	const struct spf_address *client = &c->request.client;
	struct spf_address found = { .is_v6 = client->is_v6 };
	size_t n = found.is_v6 ? 16 : 4;

	if (a->status != SPF_DNS_FOUND)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->records[i].n != n)
			continue;
		memcpy(found.bytes, a->records[i].p, n);
		if (spf_address_is_in(
			client, &found, found.is_v6 ? prefix6 : prefix4))
			return true;
	}
	return false;
}

/*
 * The answer to a term's own question, before it is looked at. False: it
 * failed, or was one void answer too many, and the check is concluded.
 *
 * The limit is one of terms (section 4.6.4): addresses of mail exchangers
 * do not count, since hosts without IPv6 are no fault of anybody.
 */
static bool
accept(struct spf_check *c, const struct spf_answer *a)
{
	if (a->status == SPF_DNS_FAILED) {
		spf_conclude(c, SPF_TEMPERROR, "a DNS question failed");
		return false;
	}
	if (spf_answer_is_void(a) && ++c->verdict.voids > SPF_VOIDS_MAX) {
		spf_conclude(c, SPF_PERMERROR,
		    "too many terms whose DNS question has no answer");
		return false;
	}
	return true;
}

static void
match_if(struct spf_check *c, bool does_match)
{
	if (does_match)
		spf_match(c);
	else
		spf_next(c);
}

/* --- terms ------------------------------------------------------------- */

/* Sections 4.7 and 6.1: no mechanism of the record has matched. */
static void
end_record(struct spf_check *c)
{
	struct spf_frame *f = spf_top(c);

	if (f->record.redirect.n > 0) {
		f->term = (struct spf_term){
			.kind = SPF_TERM_REDIRECT,
			.spec = f->record.redirect,
			.text = f->record.redirect,
		};
		if (spf_count_lookup(c))
			c->state = SPF_STATE_TARGET;
	} else if (c->depth > 0) {
		c->depth--;
		spf_next(c);
	} else {
		c->verdict.mechanism = STR("default");
		spf_conclude(c, SPF_NEUTRAL, NULL);
	}
}

void
spf_term_run(struct spf_check *c)
{
	struct spf_frame *f = spf_top(c);
	struct spf_term *t = &f->term;

	if (!spf_record_next(&f->record.terms, t)) {
		end_record(c);
		return;
	}
	switch (t->kind) {
	case SPF_TERM_ALL:
		spf_match(c);
		break;
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		match_if(c, spf_address_is_in(&c->request.client, &t->network,
				t->network.is_v6 ? t->prefix6 : t->prefix4));
		break;
	case SPF_TERM_INCLUDE:
	case SPF_TERM_A:
	case SPF_TERM_MX:
	case SPF_TERM_PTR:
	case SPF_TERM_EXISTS:
		if (spf_count_lookup(c))
			c->state = SPF_STATE_TARGET;
		break;
	case SPF_TERM_REDIRECT:
	case SPF_TERM_EXP:
	case SPF_TERM_OTHER:
		break;
	}
}

/*
 * Which %{p} is best depends on the record's domain (section 7.3): itself,
 * else one below it, else any.
 */
static struct str
validated_name(const struct spf_check *c, struct str domain)
{
	struct str best = STR("unknown");
	int rank = 0;

	for (size_t i = 0; i < c->client.n; i++) {
		struct str name = spf_name_str(&c->client.names[i]);
		int r = 1;

		if (hostname_is_under(name, domain))
			r = name.n == domain.n ? 3 : 2;
		if (r > rank) {
			rank = r;
			best = name;
		}
	}
	return best;
}

bool
spf_env_is_ready(struct spf_check *c, struct str spec)
{
	c->env.domain = spf_name_str(&spf_top(c)->domain);
	if (spf_macro_has(spec, 'p') && !c->has_names) {
		c->after_names = c->state;
		c->state = SPF_STATE_NAMES;
		return false;
	}
	c->env.validated = validated_name(c, c->env.domain);
	return true;
}

/*
 * A name that cannot be asked for does not exist (section 4.8 leaves it
 * open): mechanisms do not match, but there has to be a record to go on in.
 */
static void
use_bad_target(struct spf_check *c, const struct spf_term *t)
{
	if (t->kind == SPF_TERM_REDIRECT ||
	    (t->kind == SPF_TERM_INCLUDE &&
		!spf_macro_is_international(&c->env, t->spec)))
		spf_conclude(c, SPF_PERMERROR,
		    "the name that this stands for is no domain name");
	else
		spf_next(c);
}

static void
use_target(struct spf_check *c, enum spf_term_kind kind)
{
	switch (kind) {
	case SPF_TERM_INCLUDE:
		spf_include(c);
		break;
	case SPF_TERM_REDIRECT:
		spf_redirect(c);
		break;
	case SPF_TERM_A:
		c->state = SPF_STATE_ADDRESS;
		break;
	case SPF_TERM_MX:
		c->state = SPF_STATE_MX;
		break;
	case SPF_TERM_EXISTS:
		c->state = SPF_STATE_EXISTS;
		break;
	case SPF_TERM_PTR:
		c->after_names = SPF_STATE_PTR_MATCH;
		c->state = c->has_names ? SPF_STATE_PTR_MATCH : SPF_STATE_NAMES;
		break;
	case SPF_TERM_ALL:
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
	case SPF_TERM_EXP:
	case SPF_TERM_OTHER:
		die("spf: a term without a target");
	}
}

void
spf_target_run(struct spf_check *c)
{
	struct spf_frame *f = spf_top(c);
	struct spf_term *t = &f->term;

	if (t->spec.n == 0) {
		c->target = f->domain;
		use_target(c, t->kind);
		return;
	}
	if (!spf_env_is_ready(c, t->spec))
		return;
	if (spf_macro_has(t->spec, 's') || spf_macro_has(t->spec, 'l'))
		c->verdict.used_local_part = true;
	if (spf_macro_name(&c->env, t->spec, &c->target))
		use_target(c, t->kind);
	else
		use_bad_target(c, t);
}

/* --- a, exists (5.3, 5.7) ---------------------------------------------- */

void
spf_address_run(struct spf_check *c)
{
	spf_ask(c, spf_address_type(c), &c->target);
}

void
spf_address_answered(struct spf_check *c, const struct spf_answer *a)
{
	const struct spf_term *t = &spf_top(c)->term;

	if (accept(c, a))
		match_if(
		    c, spf_answer_has_client(c, a, t->prefix4, t->prefix6));
}

/* Always A, for IPv6 clients too. */
void
spf_exists_run(struct spf_check *c)
{
	spf_ask(c, SPF_TYPE_A, &c->target);
}

void
spf_exists_answered(struct spf_check *c, const struct spf_answer *a)
{
	if (accept(c, a))
		match_if(c, !spf_answer_is_void(a));
}

/* --- mx (5.4) ---------------------------------------------------------- */

void
spf_mx_run(struct spf_check *c)
{
	spf_ask(c, SPF_TYPE_MX, &c->target);
}

/*
 * The limit is checked before any address is asked for, so that the result
 * does not depend on the order in which the DNS lists the records. "." (RFC
 * 7505) and other names that cannot be asked for are no hosts.
 */
void
spf_mx_answered(struct spf_check *c, const struct spf_answer *a)
{
	struct spf_name host;

	if (!accept(c, a))
		return;
	c->mx.n = c->mx.at = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (!spf_name_set(a->records[i], &host))
			continue;
		if (c->mx.n == SPF_MX_MAX) {
			spf_conclude(
			    c, SPF_PERMERROR, "too many mail exchangers");
			return;
		}
		c->mx.names[c->mx.n++] = host;
	}
	c->state = SPF_STATE_MX_HOST;
}

void
spf_mx_host_run(struct spf_check *c)
{
	if (c->mx.at == c->mx.n)
		spf_next(c);
	else
		spf_ask(c, spf_address_type(c), &c->mx.names[c->mx.at++]);
}

void
spf_mx_host_answered(struct spf_check *c, const struct spf_answer *a)
{
	const struct spf_term *t = &spf_top(c)->term;

	if (a->status == SPF_DNS_FAILED)
		spf_conclude(c, SPF_TEMPERROR, "a DNS question failed");
	else if (spf_answer_has_client(c, a, t->prefix4, t->prefix6))
		spf_match(c);
}
