/* SPDX-License-Identifier: ISC */
/*
 * dkim_verify.c - judge the DKIM signatures of one message.
 *
 * Each signature goes through the same steps, the cheap ones first; the
 * first that finds something decides.
 */
#include "proto/dkim/dkim_verify.h"

#include "proto/dkim/dkim_bodies.h"

struct slot {
	struct dkim_signature sig;
	struct dkim_result result;
	struct dkim_finding finding;
	bool is_decided; /* finding is final, no key is needed */
	size_t own;      /* number of its field in the header */
	unsigned body;   /* its hash in bodies */
	struct dkim_lookup lookup;
};

struct dkim_verifier {
	struct dkim_policy policy;
	struct dkim_header header;
	struct dkim_bodies *bodies;
	struct slot v[DKIM_VERIFY_MAX];
	size_t n;
	size_t ignored;
	bool is_finished;
};

static void
decide(struct slot *s, enum dkim_verdict verdict, const char *reason)
{
	s->is_decided = true;
	s->finding = (struct dkim_finding){ verdict, reason };
}

static void
want_body(struct dkim_verifier *v, struct slot *s)
{
	struct dkim_body_want want = {
		.canon = s->sig.body_canon,
		.hash = dkim_algorithm_hash(s->sig.algorithm),
		.has_length = s->sig.has_length,
		.length = s->sig.length,
	};

	s->body = dkim_bodies_add(v->bodies, &want);
}

static void
add_signature(struct dkim_verifier *v, size_t own)
{
	struct slot *s = &v->v[v->n++];

	s->own = own;
	dkim_lookup_init(&s->lookup);
	if (!dkim_signature_parse(
		DKIM_SIGNATURE, v->header.v[own].value, &s->sig, &s->finding)) {
		s->is_decided = true;
		return;
	}
	/* RFC 8301 section 3.1. */
	if (s->sig.algorithm == DKIM_RSA_SHA1 && !v->policy.allows_sha1)
		decide(s, DKIM_POLICY, "SHA-1 is not accepted any more");
	else
		want_body(v, s);
}

/*
 * A header that is too large to be read has no fields: what it says about
 * signatures is unknown, so there are none, and the message is as unsigned.
 */
struct dkim_verifier *
dkim_verifier_new(struct str header, const struct dkim_policy *policy)
{
	struct dkim_verifier *v = X_NEW(struct dkim_verifier);

	v->policy = policy ? *policy : dkim_policy_default;
	v->bodies = dkim_bodies_new();
	if (!dkim_header_parse(header, &v->header))
		return v;
	for (size_t i = 0; i < v->header.n; i++) {
		if (!str_eq_case(v->header.v[i].name, STR("DKIM-Signature")))
			continue;
		if (v->n == DKIM_VERIFY_MAX)
			v->ignored++;
		else
			add_signature(v, i);
	}
	return v;
}

struct dkim_verifier *
dkim_verifier_free(struct dkim_verifier *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		dkim_lookup_done(&v->v[i].lookup);
	dkim_bodies_free(v->bodies);
	dkim_header_done(&v->header);
	free(v);
	return NULL;
}

size_t
dkim_verifier_count(const struct dkim_verifier *v)
{
	return v->n;
}

size_t
dkim_verifier_ignored(const struct dkim_verifier *v)
{
	return v->ignored;
}

bool
dkim_verifier_query(const struct dkim_verifier *v, size_t i, struct buf *to)
{
	ASSERT(i < v->n);
	if (v->v[i].is_decided)
		return false;
	dkim_key_name(v->v[i].sig.selector, v->v[i].sig.domain, to);
	return true;
}

void
dkim_verifier_key(struct dkim_verifier *v, size_t i, enum dkim_answer answer,
    struct str record)
{
	ASSERT(i < v->n && !v->is_finished);
	if (!v->v[i].is_decided)
		dkim_lookup_take(&v->v[i].lookup, answer, record);
}

void
dkim_verifier_body(struct dkim_verifier *v, struct str part)
{
	ASSERT(!v->is_finished);
	dkim_bodies_feed(v->bodies, part);
}

/* --- the steps ----------------------------------------------------------- */

static bool
step_time(const struct dkim_verifier *v, struct slot *s, uint64_t now)
{
	if (s->sig.has_expiry && now > s->sig.expiry)
		decide(s, DKIM_FAIL, "the signature has expired");
	else if (s->sig.has_time && s->sig.time > now &&
		 s->sig.time - now > v->policy.clock_skew_seconds)
		decide(s, DKIM_POLICY, "the signature is from the future");
	return !s->is_decided;
}

static bool
step_body(const struct dkim_verifier *v, struct slot *s)
{
	uint64_t length = dkim_bodies_length(v->bodies, s->body);

	if (s->sig.has_length && s->sig.length > length) {
		decide(s, DKIM_FAIL, "the body is shorter than signed (l=)");
		return false;
	}
	if (!str_eq(crypt_sum_str(dkim_bodies_sum(v->bodies, s->body)),
		crypt_sum_str(&s->sig.body_sum))) {
		decide(s, DKIM_FAIL, "the body was changed");
		return false;
	}
	if (s->sig.has_length)
		s->result.unsigned_bytes = length - s->sig.length;
	return true;
}

static bool
step_signature(const struct dkim_verifier *v, struct slot *s)
{
	enum crypt_hash hash = dkim_algorithm_hash(s->sig.algorithm);
	struct dkim_finding why;
	const struct crypt_key *key =
	    dkim_lookup_key(&s->lookup, &s->sig, &v->policy, &why);
	struct crypt_sum sum;

	if (!key) {
		decide(s, why.verdict, why.reason);
		return false;
	}
	dkim_hash_header(
	    &s->sig, &v->header, s->own, &v->header.v[s->own], &sum);
	if (!crypt_verify(
		key, hash, &sum, str_make(s->sig.bytes, s->sig.bytes_n))) {
		decide(s, DKIM_FAIL, "the signature does not match");
		return false;
	}
	return true;
}

static void
judge(const struct dkim_verifier *v, struct slot *s, uint64_t now)
{
	if (s->is_decided || !step_time(v, s, now) || !step_body(v, s) ||
	    !step_signature(v, s))
		return;
	/* What anybody could have added behind l= is not the signer's. */
	if (s->result.unsigned_bytes > 0 && !v->policy.allows_unsigned_body)
		decide(s, DKIM_POLICY, "a part of the body is not signed (l=)");
	else
		decide(s, DKIM_PASS, NULL);
}

static void
report(struct slot *s)
{
	struct dkim_result *r = &s->result;

	r->verdict = s->finding.verdict;
	r->reason = s->finding.reason;
	r->domain = s->sig.domain;
	r->selector = s->sig.selector;
	r->identity = s->sig.identity;
	r->algorithm = s->sig.algorithm_name;
	r->b_first = s->sig.b_first;
	r->key_bits = s->lookup.key.key ? crypt_key_bits(s->lookup.key.key) : 0;
	r->is_testing = s->lookup.key.is_testing;
	/*
	 * A domain that only tries must not be worse off than one that does
	 * not sign (RFC 6376 section 3.6.1, t=y).
	 */
	if (r->is_testing && r->verdict == DKIM_FAIL)
		r->verdict = DKIM_NEUTRAL;
}

void
dkim_verifier_finish(struct dkim_verifier *v, uint64_t now)
{
	ASSERT(!v->is_finished);
	v->is_finished = true;
	dkim_bodies_finish(v->bodies);
	for (size_t i = 0; i < v->n; i++) {
		judge(v, &v->v[i], now);
		report(&v->v[i]);
	}
}

const struct dkim_result *
dkim_verifier_result(const struct dkim_verifier *v, size_t i)
{
	ASSERT(i < v->n && v->is_finished);
	return &v->v[i].result;
}
