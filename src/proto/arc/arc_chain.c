/* SPDX-License-Identifier: ISC */
/*
 * arc_chain.c - find the ARC sets of a header and put them in order.
 */
#include "proto/arc/arc_chain.h"

#include "proto/dkim/dkim_tag.h"

const char *
arc_cv_str(enum arc_cv cv)
{
	switch (cv) {
	case ARC_NONE:
		return "none";
	case ARC_PASS:
		return "pass";
	case ARC_FAIL:
		return "fail";
	}
	return "fail";
}

/* The first fault is the one that is told. */
static void
fault(struct arc_chain *c, const char *text)
{
	if (!c->fault)
		c->fault = text;
}

static struct arc_set *
set_of(struct arc_chain *c, unsigned instance)
{
	ASSERT(instance >= 1 && instance <= ARC_SETS_MAX);
	if (!c->sets)
		c->sets = x_calloc(ARC_SETS_MAX, sizeof(*c->sets));
	c->n = MAX(c->n, (size_t)instance);
	return &c->sets[instance - 1];
}

/* "i=1;" begins it; what follows is an Authentication-Results payload. */
static bool
parse_results(struct str value, unsigned *ret_instance, struct str *ret_rest)
{
	struct str head, name, rest;
	uint32_t i;

	if (str_find(value, ';') < 0)
		return false;
	rest = str_split(value, ';', &head);
	if (str_find(head, '=') < 0)
		return false;
	head = str_split(head, '=', &name);
	if (!str_eq(dkim_trim(name), STR("i")) ||
	    !str_to_u32(dkim_trim(head), ARC_SETS_MAX, &i) || i == 0)
		return false;
	*ret_instance = i;
	*ret_rest = rest;
	return true;
}

static void
add_results(struct arc_chain *c, const struct dkim_field *f)
{
	struct arc_set *set;
	struct str rest;
	unsigned i;

	if (!parse_results(f->value, &i, &rest)) {
		fault(c, "a malformed ARC-Authentication-Results");
		return;
	}
	set = set_of(c, i);
	if (set->results)
		fault(c, "two ARC-Authentication-Results of one instance");
	set->results = f;
	set->results_value = rest;
}

/* A signature that cannot be used still tells how long the chain is. */
static struct arc_set *
set_of_broken(struct arc_chain *c, const struct dkim_signature *sig)
{
	return sig->instance ? set_of(c, sig->instance) : NULL;
}

static void
add_message(struct arc_chain *c, size_t index)
{
	const struct dkim_field *f = &c->header.v[index];
	struct dkim_signature sig;
	struct dkim_finding why;
	struct arc_set *set;

	if (!dkim_signature_parse(DKIM_ARC_MESSAGE, f->value, &sig, &why)) {
		fault(c, "a malformed ARC-Message-Signature");
		(void)set_of_broken(c, &sig);
		return;
	}
	set = set_of(c, sig.instance);
	if (set->message)
		fault(c, "two ARC-Message-Signatures of one instance");
	set->message = f;
	set->message_index = index;
	set->message_sig = sig;
}

static void
add_seal(struct arc_chain *c, const struct dkim_field *f)
{
	struct dkim_signature sig;
	struct dkim_finding why;
	struct arc_set *set;

	if (!dkim_signature_parse(DKIM_ARC_SEAL, f->value, &sig, &why)) {
		fault(c, "a malformed ARC-Seal");
		set = set_of_broken(c, &sig);
		/* That a chain has failed is believed even so. */
		if (set)
			set->seal_sig.cv = sig.cv;
		return;
	}
	set = set_of(c, sig.instance);
	if (set->seal)
		fault(c, "two ARC-Seals of one instance");
	set->seal = f;
	set->seal_sig = sig;
}

/* RFC 8617 section 5.2, steps 2 and 3. */
static void
check_sets(struct arc_chain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct arc_set *s = &c->sets[i];

		if (!s->results || !s->message || !s->seal)
			fault(c, "an instance is not complete");
		else if (!str_eq_case(s->seal_sig.cv,
			     i == 0 ? STR("none") : STR("pass")))
			fault(c, "a seal says that the chain had failed (cv=)");
	}
}

void
arc_chain_parse(struct str header, struct arc_chain *ret)
{
	*ret = (struct arc_chain){ 0 };
	if (!dkim_header_parse(header, &ret->header)) {
		ret->is_too_large = true;
		ret->has_fields = true; /* for all that we know */
		fault(ret, "the header is too large");
		return;
	}
	for (size_t i = 0; i < ret->header.n; i++) {
		const struct dkim_field *f = &ret->header.v[i];

		if (str_eq_case(f->name, STR("ARC-Authentication-Results")))
			add_results(ret, f);
		else if (str_eq_case(f->name, STR("ARC-Message-Signature")))
			add_message(ret, i);
		else if (str_eq_case(f->name, STR("ARC-Seal")))
			add_seal(ret, f);
		else
			continue;
		ret->has_fields = true;
	}
	check_sets(ret);
}

void
arc_chain_done(struct arc_chain *c)
{
	dkim_header_done(&c->header);
	free(c->sets);
	*c = (struct arc_chain){ 0 };
}

bool
arc_chain_has_ended(const struct arc_chain *c)
{
	return c->n > 0 &&
	       str_eq_case(c->sets[c->n - 1].seal_sig.cv, STR("fail"));
}

void
arc_put_set(const struct arc_set *set, const struct dkim_sink *to)
{
	dkim_canon_field(DKIM_RELAXED, set->results->whole, true, to);
	dkim_canon_field(DKIM_RELAXED, set->message->whole, true, to);
	dkim_canon_field(DKIM_RELAXED, set->seal->whole, true, to);
}
