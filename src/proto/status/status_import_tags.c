/* SPDX-License-Identifier: ISC */
/*
 * status_import_tags.c - the tags of a page's cloud. See status_import.h.
 *
 * The line has words; a tag is one to TAG_WORDS of them. For each word and each
 * length of a tag that ends there, the most tags that the line can have up to
 * there, each above the one before it: a walk over a few numbers a word.
 */
#include "proto/status/status_import.h"

#define TAG_WORDS 4
#define WORDS_MAX 1000

struct cloud {
	size_t n;
	struct str words[WORDS_MAX];
	/* Of a tag of k + 1 words that ends behind word i: how many tags there
	 * are up to it, 0 for none, and how many words the one before it has. */
	uint16_t best[WORDS_MAX][TAG_WORDS];
	uint8_t before[WORDS_MAX][TAG_WORDS];
	/* Of as many tags, those are taken whose lengths differ least: the sum
	 * of their squares; and of those, the later ones are the longer. */
	uint32_t squares[WORDS_MAX][TAG_WORDS];
};

static struct str
cloud_line(struct str text)
{
	struct str line;

	while (text.n > 0) {
		text = str_split(text, '\n', &line);
		if (!str_eq_case(str_trim(line), STR("Tags:")))
			continue;
		do {
			text = str_split(text, '\n', &line);
			line = str_trim(line);
		} while (line.n == 0 && text.n > 0);
		return line;
	}
	return STR_NONE;
}

/* All words of a tag, from the first to the last. */
static struct str
tag_text(const struct cloud *c, size_t last, size_t words)
{
	struct str first = c->words[last + 1 - words];
	struct str end = c->words[last];

	return str_make(first.p, (size_t)(end.p + end.n - first.p));
}

/* As they are sorted: without spaces, whatever the case. */
static int
compare(struct str a, struct str b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && a.p[i] == ' ')
			i++;
		while (k < b.n && b.p[k] == ' ')
			k++;
		if (i == a.n || k == b.n)
			return (i < a.n) - (k < b.n);
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[k]))
			return (unsigned char)ascii_lower(a.p[i]) <
			               (unsigned char)ascii_lower(b.p[k])
			           ? -1
			           : 1;
		i++;
		k++;
	}
}

/* Is a tag of `words` words that ends behind word `last` better with a tag of
 * `before` words in front of it than what was found for it so far? */
static bool
is_better(const struct cloud *c, size_t last, size_t words, size_t before)
{
	size_t behind = last - words;
	uint16_t n = c->best[behind][before - 1];
	uint16_t have = c->best[last][words - 1];
	uint32_t squares =
	    c->squares[behind][before - 1] + (uint32_t)(words * words);

	if (n == 0 || n + 1 < have ||
	    (n + 1 == have && squares > c->squares[last][words - 1]))
		return false;
	return compare(tag_text(c, behind, before), tag_text(c, last, words)) <
	       0;
}

static void
extend(struct cloud *c, size_t last, size_t words)
{
	size_t start = last + 1 - words, k = words - 1;

	c->best[last][k] = start == 0;
	c->squares[last][k] = (uint32_t)(words * words);
	for (size_t w = 1; w <= TAG_WORDS && w <= start; w++) {
		if (!is_better(c, last, words, w))
			continue;
		c->best[last][k] = (uint16_t)(c->best[start - 1][w - 1] + 1);
		c->squares[last][k] =
		    c->squares[start - 1][w - 1] + (uint32_t)(words * words);
		c->before[last][k] = (uint8_t)w;
	}
}

static size_t
collect(const struct cloud *c, struct str *ret, size_t max)
{
	size_t last = c->n - 1, words = 0, n = 0;

	for (size_t w = 1; w <= TAG_WORDS; w++)
		if (c->best[last][w - 1] > n ||
		    (n > 0 && c->best[last][w - 1] == n &&
			c->squares[last][w - 1] <=
			    c->squares[last][words - 1])) {
			n = c->best[last][w - 1];
			words = w;
		}
	for (size_t i = n; i-- > 0;) {
		size_t w = words;

		if (i < max)
			ret[i] = tag_text(c, last, w);
		words = c->before[last][w - 1];
		last -= w;
	}
	return MIN(n, max);
}

size_t
status_import_tags(struct str text, struct str *ret, size_t max)
{
	struct str rest = cloud_line(str_first(text, STATUS_IMPORT_MAX));
	struct cloud *c = X_NEW(struct cloud);
	size_t n = 0;

	c->n = 0;
	while (rest.n > 0 && c->n < WORDS_MAX) {
		struct str word;

		rest = str_split(rest, ' ', &word);
		if (word.n > 0)
			c->words[c->n++] = word;
	}
	for (size_t i = 0; i < c->n; i++)
		for (size_t w = 1; w <= TAG_WORDS && w <= i + 1; w++)
			extend(c, i, w);
	if (c->n > 0)
		n = collect(c, ret, max);
	free(c);
	return n;
}

static bool
is_word_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (unsigned char)c >= 0x80;
}

bool
status_import_has_words(struct str text, struct str words)
{
	while (words.n > 0 && text.n >= words.n) {
		ptrdiff_t at = str_search_case(text, words);
		size_t end;

		if (at < 0)
			return false;
		end = (size_t)at + words.n;
		if ((at == 0 || !is_word_char(text.p[at - 1])) &&
		    (end == text.n || !is_word_char(text.p[end])))
			return true;
		text = str_from(text, (size_t)at + 1);
	}
	return false;
}
