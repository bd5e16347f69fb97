/* SPDX-License-Identifier: ISC */
/*
 * search.c - the index: for each document its words, sorted, each once. See
 * search.h.
 *
 * No list of documents for each word: a search goes through the documents, with
 * a binary search in each. That is some ten words looked at for a document and
 * a term, a millisecond for five thousand posts; and a document is added
 * without touching any other.
 */
#include "proto/search/search_internal.h"

/* Where a word stands: the highest counts. */
enum place { IN_BODY, IN_TAGS, IN_TITLE };

struct document {
	uint32_t id;
	uint32_t n;
	uint32_t *at; /* of its words in text, in their order */
	char *text;   /* each: its place, its length, its bytes */
};

struct search {
	struct document *docs; /* the newest first */
	size_t n, cap;
	size_t bytes;
};

struct search *
search_new(void)
{
	return X_NEW(struct search);
}

void
search_free(struct search *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++) {
		free(x->docs[i].at);
		free(x->docs[i].text);
	}
	free(x->docs);
	free(x);
}

size_t
search_bytes(const struct search *x)
{
	return x->bytes;
}

/* --- adding ------------------------------------------------------------------------ */

struct found {
	struct search_word w;
	enum place place;
};

struct words {
	struct found *v;
	size_t n, cap;
};

static struct str
bytes_of(const struct found *f)
{
	return str_make(f->w.p, f->w.n);
}

/* By their bytes; of equal ones the highest place first. */
static int
in_order(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;
	int c = str_cmp(bytes_of(a), bytes_of(b));

	return c != 0 ? c : (int)b->place - (int)a->place;
}

static void
take_words(struct words *ws, struct str text, enum place place)
{
	struct found f = { .place = place };

	while (search_word_next(&text, &f.w)) {
		if (f.w.n == 0)
			continue;
		ws->v = x_grow(ws->v, &ws->cap, ws->n + 1, sizeof(*ws->v));
		ws->v[ws->n++] = f;
	}
}

static void
keep_words(struct document *d, struct words *ws, size_t *bytes)
{
	struct buf text = BUF_INIT(SEARCH_BYTES);
	size_t n = 0;

	if (ws->n > 0)
		qsort(ws->v, ws->n, sizeof(*ws->v), in_order);
	d->at = x_calloc(ws->n + 1, sizeof(*d->at));
	for (size_t i = 0; i < ws->n; i++) {
		if (i > 0 &&
		    str_eq(bytes_of(&ws->v[i]), bytes_of(&ws->v[i - 1])))
			continue;
		d->at[n++] = (uint32_t)text.n;
		buf_put_char(&text, (char)ws->v[i].place);
		buf_put_char(&text, (char)ws->v[i].w.n);
		buf_put_str(&text, bytes_of(&ws->v[i]));
	}
	ASSERT(!text.failed);
	d->n = (uint32_t)n;
	d->text = text.p;
	*bytes += text.n + n * sizeof(*d->at);
}

void
search_add(struct search *x, uint32_t id, const struct search_text *t)
{
	struct document *d;
	struct words ws = { 0 };

	x->docs = x_grow(x->docs, &x->cap, x->n + 1, sizeof(*x->docs));
	d = &x->docs[x->n++];
	*d = (struct document){ .id = id };
	take_words(&ws, t->title, IN_TITLE);
	take_words(&ws, t->tags, IN_TAGS);
	if (x->bytes < SEARCH_BYTES)
		take_words(&ws, t->body, IN_BODY);
	keep_words(d, &ws, &x->bytes);
	free(ws.v);
}

/* --- finding ------------------------------------------------------------------------ */

/* How well a document fits: the order of the answer. */
enum fit { FIT_NOT, FIT_BODY, FIT_SOME, FIT_TITLE, FIT_WHOLE, FITS };

static struct str
word_at(const struct document *d, size_t i, enum place *ret_place)
{
	const char *p = d->text + d->at[i];

	*ret_place = (enum place)p[0];
	return str_make(p + 2, (unsigned char)p[1]);
}

/* The best that a term is in a document. */
static enum fit
fit_term(const struct document *d, struct str term, size_t *steps)
{
	size_t low = 0, high = d->n;
	enum fit best = FIT_NOT;
	enum place place;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(word_at(d, mid, &place), term) < 0)
			low = mid + 1;
		else
			high = mid;
		++*steps;
	}
	for (; low < d->n; low++) {
		struct str w = word_at(d, low, &place);
		enum fit f;

		++*steps;
		if (!search_word_begins(w, term))
			break;
		f = place == IN_BODY   ? FIT_BODY
		    : place == IN_TAGS ? FIT_SOME
		    : w.n == term.n    ? FIT_WHOLE
		                       : FIT_TITLE;
		best = MAX(best, f);
		if (best == FIT_WHOLE)
			break;
	}
	return best;
}

static enum fit
fit_document(
    const struct document *d, const struct search_query *q, size_t *steps)
{
	enum fit worst = FITS, best = FIT_NOT;

	for (size_t i = 0; i < q->n; i++) {
		struct str term = str_make(q->terms[i].p, q->terms[i].n);
		enum fit f = fit_term(d, term, steps);

		if (f == FIT_NOT)
			return FIT_NOT;
		worst = MIN(worst, f);
		best = MAX(best, f);
	}
	/* All in the title; some of them in title or tags; none. */
	if (worst >= FIT_TITLE)
		return worst;
	return best > FIT_BODY ? FIT_SOME : FIT_BODY;
}

void
search_find(const struct search *x, const struct search_query *q,
    struct search_hits *ret)
{
	size_t starts[FITS + 1] = { 0 }, steps = 0, looked = 0;
	uint8_t *fits = x_calloc(x->n + 1, 1);

	ret->n = ret->total = 0;
	for (; q->n > 0 && looked < x->n && steps < SEARCH_STEPS; looked++) {
		fits[looked] =
		    (uint8_t)fit_document(&x->docs[looked], q, &steps);
		if (fits[looked] != FIT_NOT)
			ret->total++;
	}
	ret->is_partial = q->n > 0 && looked < x->n;
	/* How many are better than each fit; documents are in order already. */
	for (size_t i = 0; i < looked; i++)
		for (unsigned f = FIT_NOT + 1; f < fits[i]; f++)
			starts[f]++;
	for (size_t i = 0; i < looked; i++) {
		size_t at;

		if (fits[i] == FIT_NOT)
			continue;
		at = starts[fits[i]]++;
		if (at < ret->max) {
			ret->ids[at] = x->docs[i].id;
			ret->n = MAX(ret->n, at + 1);
		}
	}
	free(fits);
}
