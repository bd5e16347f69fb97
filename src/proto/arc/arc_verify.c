/* SPDX-License-Identifier: ISC */
/*
 * arc_verify.c - validate the ARC chain of one message.
 */
#include "proto/arc/arc_verify.h"

#include "proto/dkim/dkim_bodies.h"

/* One key of the newest message signature, and one of each seal. */
#define KEYS_MAX (ARC_SETS_MAX + 1)

struct key {
	struct str domain;
	struct str selector;
	struct dkim_lookup lookup;
};

struct arc_verifier {
	struct dkim_policy policy;
	struct arc_chain chain;
	struct dkim_bodies *bodies;
	unsigned body;
	struct key keys[KEYS_MAX];
	size_t keys_n;
	bool is_finished;
};

static struct key *
key_of(struct arc_verifier *v, const struct dkim_signature *s)
{
	for (size_t i = 0; i < v->keys_n; i++)
		if (str_eq_case(v->keys[i].domain, s->domain) &&
		    str_eq_case(v->keys[i].selector, s->selector))
			return &v->keys[i];
	return NULL;
}

static void
want_key(struct arc_verifier *v, const struct dkim_signature *s)
{
	struct key *k;

	if (key_of(v, s))
		return;
	ASSERT(v->keys_n < KEYS_MAX);
	k = &v->keys[v->keys_n++];
	k->domain = s->domain;
	k->selector = s->selector;
	dkim_lookup_init(&k->lookup);
}

static const struct arc_set *
newest(const struct arc_verifier *v)
{
	return &v->chain.sets[v->chain.n - 1];
}

static bool
is_to_be_verified(const struct arc_verifier *v)
{
	return v->chain.n > 0 && !v->chain.fault;
}

struct arc_verifier *
arc_verifier_new(struct str header, const struct dkim_policy *policy)
{
	struct arc_verifier *v = X_NEW(struct arc_verifier);
	const struct dkim_signature *message;

	v->policy = policy ? *policy : dkim_policy_default;
	v->bodies = dkim_bodies_new();
	arc_chain_parse(header, &v->chain);
	if (!is_to_be_verified(v))
		return v;
	message = &newest(v)->message_sig;
	v->body = dkim_bodies_add(
	    v->bodies, &(struct dkim_body_want){
			   .canon = message->body_canon,
			   .hash = dkim_algorithm_hash(message->algorithm),
		       });
	want_key(v, message);
	for (size_t i = v->chain.n; i-- > 0;)
		want_key(v, &v->chain.sets[i].seal_sig);
	return v;
}

struct arc_verifier *
arc_verifier_free(struct arc_verifier *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->keys_n; i++)
		dkim_lookup_done(&v->keys[i].lookup);
	dkim_bodies_free(v->bodies);
	arc_chain_done(&v->chain);
	free(v);
	return NULL;
}

size_t
arc_verifier_keys(const struct arc_verifier *v)
{
	return v->keys_n;
}

void
arc_verifier_query(const struct arc_verifier *v, size_t i, struct buf *to)
{
	ASSERT(i < v->keys_n);
	dkim_key_name(v->keys[i].selector, v->keys[i].domain, to);
}

void
arc_verifier_key(struct arc_verifier *v, size_t i, enum dkim_answer answer,
    struct str record)
{
	ASSERT(i < v->keys_n && !v->is_finished);
	dkim_lookup_take(&v->keys[i].lookup, answer, record);
}

void
arc_verifier_body(struct arc_verifier *v, struct str part)
{
	ASSERT(!v->is_finished);
	dkim_bodies_feed(v->bodies, part);
}

/* Is b= of s true of this hash? Says why not in *ret. */
static bool
check_signature(struct arc_verifier *v, const struct dkim_signature *s,
    const struct crypt_sum *sum, struct arc_result *ret)
{
	struct dkim_finding why = { DKIM_FAIL, "a signature does not match" };
	const struct crypt_key *key =
	    dkim_lookup_key(&key_of(v, s)->lookup, s, &v->policy, &why);

	if (key && crypt_verify(key, dkim_algorithm_hash(s->algorithm), sum,
		       str_make(s->bytes, s->bytes_n)))
		return true;
	ret->reason = why.reason;
	ret->is_temporary = why.verdict == DKIM_TEMPERROR;
	return false;
}

static bool
check_message(struct arc_verifier *v, struct arc_result *ret)
{
	const struct arc_set *set = newest(v);
	const struct dkim_signature *s = &set->message_sig;
	struct crypt_sum sum;

	if (!str_eq(crypt_sum_str(dkim_bodies_sum(v->bodies, v->body)),
		crypt_sum_str(&s->body_sum))) {
		ret->reason = "the body was changed";
		return false;
	}
	dkim_hash_header(
	    s, &v->chain.header, set->message_index, set->message, &sum);
	return check_signature(v, s, &sum, ret);
}

/*
 * Each seal signs all sets before it and its own (RFC 8617 section 5.1.1):
 * one digest runs through them, and is copied where a seal ends it.
 */
static bool
check_seals(struct arc_verifier *v, struct arc_result *ret)
{
	struct crypt_digest *all = crypt_digest_new(CRYPT_SHA256);
	struct dkim_sink to = dkim_digest_sink(all);
	bool ok = true;

	for (size_t i = 0; ok && i < v->chain.n; i++) {
		const struct arc_set *s = &v->chain.sets[i];
		struct crypt_digest *own;
		struct dkim_sink to_own;
		struct crypt_sum sum;

		dkim_canon_field(DKIM_RELAXED, s->results->whole, true, &to);
		dkim_canon_field(DKIM_RELAXED, s->message->whole, true, &to);
		own = crypt_digest_copy(all);
		to_own = dkim_digest_sink(own);
		dkim_put_own_field(DKIM_RELAXED, s->seal, &to_own);
		crypt_digest_finish(own, &sum);
		crypt_digest_free(own);
		ok = check_signature(v, &s->seal_sig, &sum, ret);
		dkim_canon_field(DKIM_RELAXED, s->seal->whole, true, &to);
	}
	crypt_digest_free(all);
	return ok;
}

/* RFC 8617 section 4.1.3 and 4.1.2: there is no SHA-1 in ARC. */
static bool
has_old_hash(const struct arc_verifier *v)
{
	if (newest(v)->message_sig.algorithm == DKIM_RSA_SHA1)
		return true;
	for (size_t i = 0; i < v->chain.n; i++)
		if (v->chain.sets[i].seal_sig.algorithm == DKIM_RSA_SHA1)
			return true;
	return false;
}

struct arc_result
arc_verifier_finish(struct arc_verifier *v)
{
	struct arc_result r = { .cv = ARC_FAIL };

	ASSERT(!v->is_finished);
	v->is_finished = true;
	dkim_bodies_finish(v->bodies);
	if (!v->chain.has_fields)
		return (struct arc_result){ .cv = ARC_NONE };
	if (v->chain.fault)
		r.reason = v->chain.fault;
	else if (has_old_hash(v))
		r.reason = "SHA-1 is not part of ARC";
	else if (check_message(v, &r) && check_seals(v, &r))
		r = (struct arc_result){ .cv = ARC_PASS };
	return r;
}

size_t
arc_verifier_hops(const struct arc_verifier *v)
{
	return is_to_be_verified(v) ? v->chain.n : 0;
}

struct arc_hop
arc_verifier_hop(const struct arc_verifier *v, size_t i)
{
	const struct arc_set *s = &v->chain.sets[i];

	ASSERT(i < arc_verifier_hops(v));
	return (struct arc_hop){
		.domain = s->seal_sig.domain,
		.selector = s->seal_sig.selector,
		.results = s->results_value,
	};
}
