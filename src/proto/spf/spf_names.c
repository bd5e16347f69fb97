/* SPDX-License-Identifier: ISC */
/*
 * spf_names.c - host names of the client, for "ptr" and %{p}, and what the
 * domain wants to say about a failure.
 *
 * The names are found once a check, whoever needs them first: the client's
 * owner decides what the reverse zone says, and must not make us ask more.
 */
#include "proto/spf/spf_internal.h"

/* --- validated names (5.5, 7.3) ---------------------------------------- */

/*
 * The term that needs the names has been counted if it is "ptr"; %{p} counts
 * by itself, except in explanations, which are outside of the limits.
 */
void
spf_names_run(struct spf_check *c)
{
	struct spf_name name;

	if (c->after_names == SPF_STATE_TARGET && !spf_count_lookup(c))
		return;
	ASSERT(spf_macro_name(&c->env, STR("%{ir}.%{v}.arpa"), &name));
	spf_ask(c, SPF_TYPE_PTR, &name);
}

void
spf_names_answered(struct spf_check *c, const struct spf_answer *a)
{
	size_t n = a->status == SPF_DNS_FOUND ? MIN(a->n, SPF_PTR_MAX) : 0;

	c->state = SPF_STATE_NAMES_HOST;
	if (c->after_names == SPF_STATE_PTR_MATCH && spf_answer_is_void(a) &&
	    ++c->verdict.voids > SPF_VOIDS_MAX) {
		spf_conclude(c, SPF_PERMERROR,
		    "too many terms whose DNS question has no answer");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (spf_name_set(a->records[i], &c->client.names[c->client.n]))
			c->client.n++;
}

void
spf_names_host_run(struct spf_check *c)
{
	if (c->client.at == c->client.n) {
		c->has_names = true;
		c->state = c->after_names;
		return;
	}
	spf_ask(c, spf_address_type(c), &c->client.names[c->client.at]);
}

/* A name whose addresses cannot be had is passed over (section 5.5). */
void
spf_names_host_answered(struct spf_check *c, const struct spf_answer *a)
{
	struct spf_hosts *h = &c->client;

	if (spf_answer_has_client(c, a, 32, 128)) {
		h->at++;
		return;
	}
	h->n--;
	memmove(&h->names[h->at], &h->names[h->at + 1],
	    (h->n - h->at) * sizeof(h->names[0]));
}

void
spf_ptr_match_run(struct spf_check *c)
{
	for (size_t i = 0; i < c->client.n; i++) {
		if (hostname_is_under(spf_name_str(&c->client.names[i]),
			spf_name_str(&c->target))) {
			spf_match(c);
			return;
		}
	}
	spf_next(c);
}

/* --- explanation (6.2) ------------------------------------------------- */

/* Whatever goes wrong with an explanation: there is none. */
void
spf_explain_run(struct spf_check *c)
{
	struct str spec = spf_top(c)->record.exp;

	if (!spf_env_is_ready(c, spec))
		return;
	if (spf_macro_name(&c->env, spec, &c->target))
		spf_ask(c, SPF_TYPE_TXT, &c->target);
	else
		c->state = SPF_STATE_DECIDED;
}

void
spf_explain_answered(struct spf_check *c, const struct spf_answer *a)
{
	c->state = SPF_STATE_DECIDED;
	if (a->status != SPF_DNS_FOUND || a->n != 1 ||
	    a->records[0].n > SPF_EXPLANATION_MAX ||
	    !spf_macro_is_explanation(a->records[0]))
		return;
	buf_put_str(&c->explanation, a->records[0]);
	c->state = SPF_STATE_EXPLAIN_TEXT;
}

void
spf_explain_text_run(struct spf_check *c)
{
	struct buf out = BUF_INIT(SPF_EXPLANATION_MAX);

	if (!spf_env_is_ready(c, buf_str(&c->explanation)))
		return;
	spf_macro_text(&c->env, buf_str(&c->explanation), &out);
	buf_done(&c->explanation);
	if (out.failed)
		buf_done(&out);
	c->explanation = out;
	c->verdict.explanation = buf_str(&c->explanation);
	c->state = SPF_STATE_DECIDED;
}
