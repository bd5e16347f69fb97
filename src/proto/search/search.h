/* SPDX-License-Identifier: ISC */
/*
 * search.h - find texts by their words: an index in memory of documents, each
 * with a title, tags and a body.
 *
 * A query is words; a document is found when each of them begins one of its own
 * words, folded (base/fold.h). Order: those with all words in their title, whole
 * ones first; those with some in title or tags; the rest; each the newest first.
 *
 * Limits: a query is SEARCH_QUERY_MAX bytes and SEARCH_TERMS words; the index
 * holds SEARCH_BYTES of words, of the newest documents that were put (older
 * ones with their title and tags alone); one search looks at SEARCH_STEPS words, the newest
 * documents first, and says when that was not enough.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

#define SEARCH_QUERY_MAX 200
#define SEARCH_TERMS     8
#define SEARCH_WORD_MAX  40 /* bytes; what is longer is cut, everywhere */
#define SEARCH_BYTES     MIB(32)
#define SEARCH_STEPS     2000000

/* --- queries ---------------------------------------------------------------------- */

struct search_query {
	size_t n; /* 0: no word in it */
	struct {
		char p[SEARCH_WORD_MAX];
		size_t n;
	} terms[SEARCH_TERMS];
};

/* What is beyond the limits is left out; it is never an error. */
void search_query_parse(struct str text, struct search_query *ret);

/*
 * Cut text for showing: *ret_between is what stands before its first word that
 * the query looks for, *ret_word that word, the answer what follows. Without
 * such a word, *ret_between is all of it, and *ret_word is empty.
 */
struct str search_cut(const struct search_query *q, struct str text,
    struct str *ret_between, struct str *ret_word);

/* --- the index -------------------------------------------------------------------- */

struct search;
struct search *search_new(void);
/* NULL is fine. */
void search_free(struct search *x);

struct search_text {
	struct str title, tags, body;
};
/* Documents come the newest first; id is the caller's own. */
void search_add(struct search *x, uint32_t id, const struct search_text *t);
size_t search_bytes(const struct search *x);

struct search_hits {
	uint32_t *ids; /* the best first; the caller's array of max */
	size_t max, n;
	size_t total;    /* that were found */
	bool is_partial; /* older ones were not looked at */
};
void search_find(const struct search *x, const struct search_query *q,
    struct search_hits *ret);
