/* SPDX-License-Identifier: ISC */
/*
 * dkim_bodies.c - hash a body in every way that its signatures want.
 */
#include "proto/dkim/dkim_bodies.h"

struct hasher {
	struct dkim_body_want want;
	struct crypt_digest *digest;
	struct crypt_sum sum;
};

/* Canonical bytes come in words; digests are faster with more at once. */
#define PENDING_MAX 4096

/* One canonical form of the body, and how long it has become. */
struct form {
	struct dkim_bodies *all;
	enum dkim_canon canon;
	bool is_wanted;
	uint64_t length; /* what is pending not counted */
	struct dkim_body body;
	size_t pending_n;
	char pending[PENDING_MAX];
};

struct dkim_bodies {
	struct hasher v[DKIM_BODIES_MAX];
	unsigned n;
	struct form forms[2]; /* by enum dkim_canon */
};

/* Give bytes to every hash that wants this form, up to its length. */
static void
hash_form(struct form *f, struct str bytes)
{
	for (unsigned i = 0; i < f->all->n; i++) {
		struct hasher *h = &f->all->v[i];
		struct str part = bytes;

		if (h->want.canon != f->canon)
			continue;
		if (h->want.has_length) {
			if (f->length >= h->want.length)
				continue;
			part.n = (size_t)MIN(
			    (uint64_t)part.n, h->want.length - f->length);
		}
		crypt_digest_put(h->digest, part);
	}
	f->length += bytes.n;
}

static void
flush_form(struct form *f)
{
	hash_form(f, str_make(f->pending, f->pending_n));
	f->pending_n = 0;
}

static void
put_form(void *arg, struct str bytes)
{
	struct form *f = arg;

	if (bytes.n > PENDING_MAX - f->pending_n)
		flush_form(f);
	if (bytes.n > PENDING_MAX) {
		hash_form(f, bytes);
		return;
	}
	memcpy(f->pending + f->pending_n, bytes.p, bytes.n);
	f->pending_n += bytes.n;
}

struct dkim_bodies *
dkim_bodies_new(void)
{
	struct dkim_bodies *b = X_NEW(struct dkim_bodies);

	for (unsigned i = 0; i < ARRAY_LEN(b->forms); i++) {
		struct form *f = &b->forms[i];
		struct dkim_sink to = { put_form, f };

		f->all = b;
		f->canon = i == DKIM_SIMPLE ? DKIM_SIMPLE : DKIM_RELAXED;
		dkim_body_init(&f->body, f->canon, &to);
	}
	return b;
}

struct dkim_bodies *
dkim_bodies_free(struct dkim_bodies *b)
{
	if (!b)
		return NULL;
	for (unsigned i = 0; i < b->n; i++)
		crypt_digest_free(b->v[i].digest);
	free(b);
	return NULL;
}

static bool
is_same(const struct dkim_body_want *a, const struct dkim_body_want *b)
{
	return a->canon == b->canon && a->hash == b->hash &&
	       a->has_length == b->has_length &&
	       (!a->has_length || a->length == b->length);
}

unsigned
dkim_bodies_add(struct dkim_bodies *b, const struct dkim_body_want *want)
{
	for (unsigned i = 0; i < b->n; i++)
		if (is_same(&b->v[i].want, want))
			return i;
	ASSERT(b->n < DKIM_BODIES_MAX);
	b->v[b->n].want = *want;
	b->v[b->n].digest = crypt_digest_new(want->hash);
	b->forms[want->canon].is_wanted = true;
	return b->n++;
}

void
dkim_bodies_feed(struct dkim_bodies *b, struct str part)
{
	for (unsigned i = 0; i < ARRAY_LEN(b->forms); i++)
		if (b->forms[i].is_wanted)
			dkim_body_feed(&b->forms[i].body, part);
}

void
dkim_bodies_finish(struct dkim_bodies *b)
{
	for (unsigned i = 0; i < ARRAY_LEN(b->forms); i++)
		if (b->forms[i].is_wanted) {
			dkim_body_finish(&b->forms[i].body);
			flush_form(&b->forms[i]);
		}
	for (unsigned i = 0; i < b->n; i++)
		crypt_digest_finish(b->v[i].digest, &b->v[i].sum);
}

const struct crypt_sum *
dkim_bodies_sum(const struct dkim_bodies *b, unsigned which)
{
	ASSERT(which < b->n);
	return &b->v[which].sum;
}

uint64_t
dkim_bodies_length(const struct dkim_bodies *b, unsigned which)
{
	ASSERT(which < b->n);
	return b->forms[b->v[which].want.canon].length;
}
