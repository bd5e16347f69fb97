/* SPDX-License-Identifier: ISC */
/*
 * feedback_sum.c - reports of others, added up. See feedback_sum.h.
 *
 * Each sum is found by a hash of what makes it one: a report may have
 * thousands of rows, and there may be one of each provider and day.
 */
#include "cli/feedback_sum.h"

#include "base/hash.h"

#define FIRST_SLOTS 256

struct table {
	uint64_t *hashes; /* 0: free; open addressing */
	size_t *at;       /* index into the list */
	size_t n, cap;
};

struct feedback_sum {
	struct table by_dmarc, by_tls;
	struct feedback_dmarc_sum *dmarc;
	size_t n_dmarc, cap_dmarc;
	struct feedback_tls_sum *tls;
	size_t n_tls, cap_tls;
	bool is_sorted;
};

struct feedback_sum *
feedback_sum_new(void)
{
	return X_NEW(struct feedback_sum);
}

static void
table_done(struct table *t)
{
	free(t->hashes);
	free(t->at);
}

void
feedback_sum_free(struct feedback_sum *s)
{
	for (size_t i = 0; i < s->n_dmarc; i++) {
		free(s->dmarc[i].domain);
		free(s->dmarc[i].source);
		free(s->dmarc[i].dkim_domain);
		free(s->dmarc[i].envelope_from);
	}
	for (size_t i = 0; i < s->n_tls; i++) {
		free(s->tls[i].domain);
		free(s->tls[i].policy);
		free(s->tls[i].result);
		free(s->tls[i].mx);
		free(s->tls[i].sending_ip);
		free(s->tls[i].reporter);
		free(s->tls[i].detail);
	}
	free(s->dmarc);
	free(s->tls);
	table_done(&s->by_dmarc);
	table_done(&s->by_tls);
	free(s);
}

static size_t
slot_of(const struct table *t, uint64_t hash)
{
	size_t i = hash & (t->cap - 1);

	while (t->hashes[i] && t->hashes[i] != hash)
		i = (i + 1) & (t->cap - 1);
	return i;
}

static void
grow(struct table *t)
{
	struct table old = *t;

	t->cap = old.cap ? old.cap * 2 : FIRST_SLOTS;
	t->hashes = x_calloc(t->cap, sizeof(*t->hashes));
	t->at = x_calloc(t->cap, sizeof(*t->at));
	for (size_t i = 0; i < old.cap; i++)
		if (old.hashes[i]) {
			size_t to = slot_of(t, old.hashes[i]);

			t->hashes[to] = old.hashes[i];
			t->at[to] = old.at[i];
		}
	table_done(&old);
}

/* Where the sum of these texts is; next: the place of a new one. */
static size_t
find(struct table *t, const struct str *texts, size_t n, size_t next)
{
	uint64_t hash = 1;
	size_t i;

	for (size_t k = 0; k < n; k++)
		hash = hash64_seed(texts[k].p, texts[k].n, hash + k);
	hash |= 1;
	if ((t->n + 1) * 2 > t->cap)
		grow(t);
	i = slot_of(t, hash);
	if (!t->hashes[i]) {
		t->hashes[i] = hash;
		t->at[i] = next;
		t->n++;
	}
	return t->at[i];
}

void
feedback_sum_dmarc(struct feedback_sum *s, const struct feedback_head *h,
    const struct feedback_dmarc *d)
{
	const struct str by[] = { h->domain, d->source, d->dkim_domain,
		d->envelope_from };
	size_t i = find(&s->by_dmarc, by, ARRAY_LEN(by), s->n_dmarc);
	struct feedback_dmarc_sum *sum;

	if (i == s->n_dmarc) {
		s->dmarc = x_grow(
		    s->dmarc, &s->cap_dmarc, ++s->n_dmarc, sizeof(*s->dmarc));
		s->dmarc[i] = (struct feedback_dmarc_sum){
			.domain = str_dup(h->domain),
			.source =
			    str_dup(d->source.n ? d->source : STR("(others)")),
			.dkim_domain = str_dup(d->dkim_domain),
			.envelope_from = str_dup(d->envelope_from),
		};
	}
	sum = &s->dmarc[i];
	sum->count += d->count;
	sum->dkim_aligned += d->is_dkim_aligned ? d->count : 0;
	sum->spf_aligned += d->is_spf_aligned ? d->count : 0;
	if (!d->is_dkim_aligned && !d->is_spf_aligned)
		sum->none_aligned += d->count;
	if (str_eq(d->disposition, STR("quarantine")))
		sum->quarantined += d->count;
	if (str_eq(d->disposition, STR("reject")))
		sum->rejected += d->count;
}

void
feedback_sum_tls(struct feedback_sum *s, const struct feedback_head *h,
    const struct feedback_tls *t)
{
	const struct str by[] = { h->domain, t->policy, t->result, t->mx,
		t->sending_ip, h->reporter, t->detail };
	size_t i = find(&s->by_tls, by, ARRAY_LEN(by), s->n_tls);

	if (i == s->n_tls) {
		s->tls =
		    x_grow(s->tls, &s->cap_tls, ++s->n_tls, sizeof(*s->tls));
		s->tls[i] = (struct feedback_tls_sum){
			.domain = str_dup(h->domain),
			.policy = str_dup(t->policy),
			.result =
			    str_dup(t->result.n ? t->result : STR("(all)")),
			.mx = str_dup(t->mx),
			.sending_ip = str_dup(t->sending_ip),
			.reporter = str_dup(h->reporter),
			.detail = str_dup(t->detail),
		};
	}
	s->tls[i].successful += t->successful;
	s->tls[i].failed += t->failed;
}

/* --- in order ---------------------------------------------------------------------- */

static int
more_first(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int
compare_dmarc(const void *a, const void *b)
{
	const struct feedback_dmarc_sum *x = a, *y = b;
	int c = strcmp(x->domain, y->domain);

	return c ? c : more_first(x->count, y->count);
}

static int
compare_tls(const void *a, const void *b)
{
	const struct feedback_tls_sum *x = a, *y = b;
	int c = strcmp(x->domain, y->domain);

	if (c == 0)
		c = more_first(x->failed, y->failed);
	return c ? c : more_first(x->successful, y->successful);
}

static void
sort(struct feedback_sum *s)
{
	if (s->is_sorted)
		return;
	s->is_sorted = true;
	if (s->n_dmarc)
		qsort(s->dmarc, s->n_dmarc, sizeof(*s->dmarc), compare_dmarc);
	if (s->n_tls)
		qsort(s->tls, s->n_tls, sizeof(*s->tls), compare_tls);
}

const struct feedback_dmarc_sum *
feedback_sum_dmarc_at(struct feedback_sum *s, size_t i)
{
	sort(s);
	return i < s->n_dmarc ? &s->dmarc[i] : NULL;
}

const struct feedback_tls_sum *
feedback_sum_tls_at(struct feedback_sum *s, size_t i)
{
	sort(s);
	return i < s->n_tls ? &s->tls[i] : NULL;
}
