/* SPDX-License-Identifier: ISC */
/*
 * arc_seal.c - add a set to the ARC chain of one message.
 */
#include "proto/arc/arc_seal.h"

#include "proto/authres/authres.h"
#include "proto/dkim/dkim_bodies.h"
#include "proto/dkim/dkim_write.h"

/* Besides what DKIM signs: the signatures that were on it. */
static const struct dkim_sign_name own_names[] = {
	{ "dkim-signature", false },
};

struct arc_sealer {
	struct arc_seal_options options;
	struct arc_chain chain;
	unsigned instance;
	struct buf names; /* h= */
	struct dkim_bodies *bodies;
	unsigned body;
};

static bool
list_names(struct arc_sealer *s)
{
	const struct dkim_header *h = &s->chain.header;
	size_t n;
	const struct dkim_sign_name *usual;

	if (s->options.names)
		return dkim_sign_list(
		    h, s->options.names, s->options.names_n, &s->names);
	usual = dkim_sign_usual(&n);
	return dkim_sign_list(h, usual, n, &s->names) &&
	       dkim_sign_list(h, own_names, ARRAY_LEN(own_names), &s->names);
}

struct arc_sealer *
arc_sealer_new(struct str header, const struct arc_seal_options *options)
{
	struct arc_sealer *s = X_NEW(struct arc_sealer);
	struct dkim_body_want want = { DKIM_RELAXED, CRYPT_SHA256, false, 0 };

	s->options = *options;
	s->names = BUF_INIT(DKIM_SIGNATURE_FIELD_MAX);
	s->bodies = dkim_bodies_new();
	s->body = dkim_bodies_add(s->bodies, &want);
	arc_chain_parse(header, &s->chain);
	s->instance = (unsigned)s->chain.n + 1;
	if (s->chain.is_too_large || s->instance > ARC_SETS_MAX ||
	    arc_chain_has_ended(&s->chain) || !list_names(s))
		return arc_sealer_free(s);
	/* A chain that is malformed has failed, whatever the caller believes;
	   and a first set has none before it, any other has. */
	if (s->chain.fault)
		s->options.cv = ARC_FAIL;
	else if (s->chain.n == 0)
		s->options.cv = ARC_NONE;
	else if (s->options.cv == ARC_NONE)
		s->options.cv = ARC_FAIL;
	return s;
}

struct arc_sealer *
arc_sealer_free(struct arc_sealer *s)
{
	if (!s)
		return NULL;
	arc_chain_done(&s->chain);
	dkim_bodies_free(s->bodies);
	buf_done(&s->names);
	free(s);
	return NULL;
}

void
arc_sealer_body(struct arc_sealer *s, struct str part)
{
	dkim_bodies_feed(s->bodies, part);
}

/* --- the three fields ---------------------------------------------------- */

static void
put_results(const struct arc_sealer *s, struct buf *to)
{
	struct str results = s->options.results;

	buf_printf(to, "ARC-Authentication-Results: i=%u; ", s->instance);
	buf_put_str(to, s->options.authserv_id);
	buf_put_c(to, "; ");
	buf_put_str(to, results.n ? results : STR("none"));
}

static void
draft_message(const struct arc_sealer *s, struct dkim_draft *d)
{
	const struct arc_seal_options *o = &s->options;

	dkim_draft_init(d, "ARC-Message-Signature");
	dkim_draft_tag(d, "a", str_c(dkim_key_algorithm(o->key)));
	dkim_draft_b(d, false);
	dkim_draft_base64(
	    d, "bh", crypt_sum_str(dkim_bodies_sum(s->bodies, s->body)));
	dkim_draft_tag(d, "c", STR("relaxed/relaxed"));
	dkim_draft_tag(d, "d", o->domain);
	dkim_draft_names(d, "h", buf_str(&s->names));
	dkim_draft_number(d, "i", s->instance);
	dkim_draft_tag(d, "s", o->selector);
	dkim_draft_number(d, "t", o->now);
}

static void
draft_seal(const struct arc_sealer *s, struct dkim_draft *d)
{
	const struct arc_seal_options *o = &s->options;

	dkim_draft_init(d, "ARC-Seal");
	dkim_draft_tag(d, "a", str_c(dkim_key_algorithm(o->key)));
	dkim_draft_b(d, false);
	dkim_draft_tag(d, "cv", str_c(arc_cv_str(o->cv)));
	dkim_draft_tag(d, "d", o->domain);
	dkim_draft_number(d, "i", s->instance);
	dkim_draft_tag(d, "s", o->selector);
	dkim_draft_number(d, "t", o->now);
}

/* The hash of the message signature, whose draft is own. */
static void
hash_message(const struct arc_sealer *s, const struct dkim_field *own,
    struct crypt_sum *ret)
{
	struct dkim_signature sig = {
		.dialect = DKIM_ARC_MESSAGE,
		.algorithm = DKIM_RSA_SHA256, /* or its equal */
		.header_canon = DKIM_RELAXED,
		.names = buf_str(&s->names),
	};

	dkim_hash_header(&sig, &s->chain.header, s->chain.header.n, own, ret);
}

/*
 * The hash of the seal: all sets, then this one; of a chain that has failed,
 * this one alone, because the others cannot be told apart (RFC 8617 section
 * 5.1.2).
 */
static void
hash_seal(const struct arc_sealer *s, struct str results, struct str message,
    const struct dkim_field *own, struct crypt_sum *ret)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct dkim_sink to = dkim_digest_sink(d);

	if (s->options.cv != ARC_FAIL)
		for (size_t i = 0; i < s->chain.n; i++)
			arc_put_set(&s->chain.sets[i], &to);
	dkim_canon_field(DKIM_RELAXED, results, true, &to);
	dkim_canon_field(DKIM_RELAXED, message, true, &to);
	dkim_put_own_field(DKIM_RELAXED, own, &to);
	crypt_digest_finish(d, ret);
	crypt_digest_free(d);
}

/* Append the message signature, without a CRLF. */
static bool
put_message(const struct arc_sealer *s, struct buf *to)
{
	struct buf text = BUF_INIT(2 * DKIM_SIGNATURE_FIELD_MAX);
	struct buf bytes = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct dkim_draft d;
	struct dkim_field own;
	struct crypt_sum sum;
	bool ok;

	draft_message(s, &d);
	ok = dkim_draft_field(&d, &text, &own);
	if (ok) {
		hash_message(s, &own, &sum);
		ok = crypt_sign(s->options.key, CRYPT_SHA256, &sum, &bytes);
	}
	if (ok) {
		dkim_draft_finish(&d, buf_str(&bytes), to);
		ok = !to->failed;
		to->n -= ok ? 2 : 0;
	}
	dkim_draft_done(&d);
	buf_done(&bytes);
	buf_done(&text);
	return ok;
}

static bool
put_seal(const struct arc_sealer *s, struct str results, struct str message,
    struct buf *to)
{
	struct buf text = BUF_INIT(2 * DKIM_SIGNATURE_FIELD_MAX);
	struct buf bytes = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct dkim_draft d;
	struct dkim_field own;
	struct crypt_sum sum;
	bool ok;

	draft_seal(s, &d);
	ok = dkim_draft_field(&d, &text, &own);
	if (ok) {
		hash_seal(s, results, message, &own, &sum);
		ok = crypt_sign(s->options.key, CRYPT_SHA256, &sum, &bytes);
	}
	if (ok)
		dkim_draft_finish(&d, buf_str(&bytes), to);
	dkim_draft_done(&d);
	buf_done(&bytes);
	buf_done(&text);
	return ok;
}

bool
arc_sealer_finish(struct arc_sealer *s, struct buf *to)
{
	struct buf results = BUF_INIT(AUTHRES_FIELD_MAX + 1024);
	struct buf message = BUF_INIT(2 * DKIM_SIGNATURE_FIELD_MAX);
	size_t before = to->n;
	bool ok;

	dkim_bodies_finish(s->bodies);
	put_results(s, &results);
	ok = !results.failed && put_message(s, &message) &&
	     put_seal(s, buf_str(&results), buf_str(&message), to);
	if (ok) {
		buf_put_str(to, buf_str(&message));
		buf_put_c(to, "\r\n");
		buf_put_str(to, buf_str(&results));
		buf_put_c(to, "\r\n");
		ok = !to->failed;
	}
	if (!ok)
		to->n = before;
	buf_done(&results);
	buf_done(&message);
	return ok;
}

/* --- collecting ---------------------------------------------------------- */

static void
collect(const struct dkim_field *f, struct str id, struct buf *to)
{
	struct arena arena;
	struct authres a;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	if (authres_parse(f->value, &arena, &a) && str_eq_case(a.id, id)) {
		for (size_t i = 0; i < a.results_n; i++) {
			if (to->n)
				buf_put_c(to, ";\r\n\t");
			buf_put_str(to, a.results[i].raw);
		}
	}
	arena_done(&arena);
}

bool
arc_collect_results(struct str header, struct str id, struct buf *to)
{
	struct dkim_header h;
	size_t before = to->n;

	if (dkim_header_parse(header, &h))
		for (size_t i = 0; i < h.n; i++)
			if (str_eq_case(
				h.v[i].name, STR("Authentication-Results")))
				collect(&h.v[i], id, to);
	dkim_header_done(&h);
	return to->n > before;
}
