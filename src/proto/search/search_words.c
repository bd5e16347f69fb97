/* SPDX-License-Identifier: ISC */
/* search_words.c - words of texts and of queries. See search.h. */
#include "proto/search/search_internal.h"

/* What is too long is cut; a part of a character does not matter, as it is the
 * same part on both sides. */
static void
append(struct search_word *w, const char *p, size_t n)
{
	n = MIN(n, SEARCH_WORD_MAX - w->n);
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

bool
search_word_next(struct str *rest, struct search_word *ret)
{
	const char *start = NULL;

	ret->n = 0;
	while (rest->n > 0) {
		struct str before = *rest;
		char folded[FOLD_MAX];
		size_t n;
		enum fold f = fold_take(rest, folded, &n);

		if (f == FOLD_MARK)
			continue;
		if (start != NULL && f != FOLD_LETTER) {
			/* It ends here; this one begins the next. */
			*rest = before;
			break;
		}
		if (f == FOLD_OTHER)
			continue;
		if (start == NULL)
			start = before.p;
		append(ret, folded, n);
		if (f == FOLD_ALONE)
			break;
	}
	if (start == NULL)
		return false;
	ret->as_is = str_make(start, (size_t)(rest->p - start));
	return true;
}

static bool
has_term(const struct search_query *q, struct str word)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_eq(word, str_make(q->terms[i].p, q->terms[i].n)))
			return true;
	return false;
}

void
search_query_parse(struct str text, struct search_query *ret)
{
	struct search_word w;

	ret->n = 0;
	text = str_first(text, SEARCH_QUERY_MAX);
	while (ret->n < SEARCH_TERMS && search_word_next(&text, &w)) {
		if (w.n == 0 || has_term(ret, str_make(w.p, w.n)))
			continue;
		memcpy(ret->terms[ret->n].p, w.p, w.n);
		ret->terms[ret->n++].n = w.n;
	}
}

struct str
search_cut(const struct search_query *q, struct str text,
    struct str *ret_between, struct str *ret_word)
{
	struct str rest = text;
	struct search_word w;

	while (search_word_next(&rest, &w)) {
		for (size_t i = 0; i < q->n; i++) {
			struct str term =
			    str_make(q->terms[i].p, q->terms[i].n);

			if (!search_word_begins(str_make(w.p, w.n), term))
				continue;
			*ret_between =
			    str_first(text, (size_t)(w.as_is.p - text.p));
			*ret_word = w.as_is;
			return rest;
		}
	}
	*ret_between = text;
	*ret_word = STR("");
	return STR("");
}
