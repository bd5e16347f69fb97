/* SPDX-License-Identifier: ISC */
/*
 * LINK: search
 *
 * Texts and queries: up to the first NUL the query, then the text. Properties:
 * cutting a text gives back all of its bytes; each word of a text finds it; a
 * query has no more words than it may, none of them empty.
 */
#include "proto/search/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
hits_of(const struct search *x, const struct search_query *q)
{
	uint32_t id;
	struct search_hits h = { .ids = &id, .max = 1 };

	search_find(x, q, &h);
	ASSERT(h.n <= 1 && h.total <= 1 && (h.n == 0 || id == 7));
	return h.n;
}

static void
fuzz_cut(const struct search_query *q, struct str text)
{
	const char *at = text.p;

	for (struct str rest = text; rest.n > 0;) {
		struct str between, word;

		rest = search_cut(q, rest, &between, &word);
		ASSERT(between.p == at);
		at += between.n;
		ASSERT(word.n == 0 || word.p == at);
		at += word.n;
		ASSERT(word.n > 0 || rest.n == 0);
	}
	ASSERT(at == text.p + text.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size), query;
	struct search *x = search_new();
	struct search_query q, own;

	text = str_split(text, '\0', &query);
	if (text.p == NULL)
		text = query;
	search_query_parse(query, &q);
	ASSERT(q.n <= SEARCH_TERMS);
	for (size_t i = 0; i < q.n; i++)
		ASSERT(q.terms[i].n > 0 && q.terms[i].n <= SEARCH_WORD_MAX);
	fuzz_cut(&q, text);
	search_add(x, 7,
	    &(struct search_text){
		.title = str_first(text, size / 3), .body = text });
	(void)hits_of(x, &q);
	search_query_parse(text, &own);
	/* The last one may be cut by the length of a query. */
	if (own.n > 1 && text.n > SEARCH_QUERY_MAX)
		own.n--;
	ASSERT(
	    own.n == 0 || text.n > SEARCH_QUERY_MAX || hits_of(x, &own) == 1);
	search_free(x);
	return 0;
}
