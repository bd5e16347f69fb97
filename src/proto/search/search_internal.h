/* SPDX-License-Identifier: ISC */
/* search_internal.h - words of a text, for the index and for queries. */
#pragma once

#include "base/fold.h"
#include "proto/search/search.h"

struct search_word {
	char p[SEARCH_WORD_MAX]; /* folded */
	size_t n;
	struct str as_is; /* where it stands in the text */
};

/* The next word of *rest, which moves behind it; false: there is none. */
bool search_word_next(struct str *rest, struct search_word *ret) WARN_UNUSED;

static inline bool
search_word_begins(struct str word, struct str with)
{
	return word.n >= with.n && memcmp(word.p, with.p, with.n) == 0;
}
