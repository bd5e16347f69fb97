/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_search_fuzz.c - searching says what decoding everything and looking
 * through it says. The first line of the input is what is looked for; then
 * words of the text itself are.
 */
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_search.h"
#include "proto/mime/mime_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS_MAX 256

struct texts {
	struct buf v[TEXTS_MAX]; /* folded */
	size_t n;
	size_t max;
};

static bool
on_piece(void *ctx, struct str piece, bool starts)
{
	struct texts *t = ctx;

	ASSERT(str_is_utf8(piece));
	if (starts && t->n == TEXTS_MAX)
		return false;
	if (starts)
		buf_init(&t->v[t->n++], t->max);
	mime_charset_fold(piece, &t->v[t->n - 1]);
	ASSERT(!t->v[t->n - 1].failed);
	return true;
}

static bool
is_in(const struct texts *t, struct str needle)
{
	struct buf folded = BUF_INIT(8 * needle.n + 8);
	bool found = needle.n == 0;

	mime_charset_fold(needle, &folded);
	for (size_t i = 0; i < t->n && !found; i++)
		found = str_search(buf_str(&t->v[i]), buf_str(&folded)) >= 0;
	buf_done(&folded);
	return found;
}

static void
check(const struct texts *t, struct str message, struct str needle)
{
	struct mime_needle nd;

	if (!str_is_utf8(needle) || needle.n > 256 ||
	    str_find(needle, '\0') >= 0)
		return;
	mime_needle_init(&nd, needle);
	ASSERT(!nd.is_hopeless);
	ASSERT(
	    mime_search_message(&nd, message, MIME_TEXT_HEADER | MIME_TEXT_BODY,
		NULL) == is_in(t, needle));
	mime_needle_done(&nd);
}

/* A few characters from the middle of the last text. */
static struct str
some_word(const struct texts *t)
{
	struct str s = t->n ? buf_str(&t->v[t->n - 1]) : STR_NONE;

	s = str_from(s, s.n / 2);
	while (s.n && (s.p[0] & 0xC0) == 0x80)
		s = str_from(s, 1);
	s = str_first(s, 9);
	while (s.n && !str_is_utf8(s))
		s.n--;
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str needle, message;
	struct mime_tree tree;
	struct texts *t = X_NEW(struct texts);

	message = str_split(str_make(data, size), '\n', &needle);
	t->max = 32 * size + 64;
	mime_parse(&tree, message, NULL);
	if (mime_text_walk(&tree, message, MIME_TEXT_HEADER | MIME_TEXT_BODY,
		on_piece, t)) {
		check(t, message, needle);
		check(t, message, some_word(t));
	}
	mime_tree_done(&tree);
	for (size_t i = 0; i < t->n; i++)
		buf_done(&t->v[i]);
	free(t);
	return 0;
}
