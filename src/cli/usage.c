/* SPDX-License-Identifier: ISC */
/* usage.c - which usage lines a command line means. See usage.h. */
#include "cli/usage.h"

#define LINES_MAX 64

bool
usage_has_word(const char *line, size_t at, const char *word)
{
	struct str words, rest = str_c(line), one;

	do {
		rest = str_split(rest, ' ', &words);
	} while (at-- > 0 && rest.n > 0);
	if (at != SIZE_MAX)
		return false;
	while (words.n > 0) {
		words = str_split(words, '|', &one);
		if (str_eq(one, str_c(word)))
			return true;
	}
	return false;
}

/* Has it options where others have their sub-command? */
static bool
has_no_verb(const char *line)
{
	struct str command, rest = str_split(str_c(line), ' ', &command);

	return rest.n == 0 || rest.p[0] == '[' || rest.p[0] == '-';
}

/* Does the line fit at this place; words beyond the last are NULL. */
static bool
fits(const char *line, size_t at, const char *word)
{
	if (word == NULL || word[0] == '-')
		return at == 1 && has_no_verb(line);
	return usage_has_word(line, at, word);
}

/* Leave the lines that fit, unless that is none: how many. */
static size_t
narrow(const char **lines, size_t n, size_t at, const char *word)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (fits(lines[i], at, word))
			lines[kept++] = lines[i];
	return kept > 0 ? kept : n;
}

void
usage_put(const char *const *lines, char *const *words, size_t n_words,
    struct buf *to)
{
	const char *left[LINES_MAX];
	size_t n = 0;

	for (; lines[n] != NULL; n++) {
		ASSERT(n < LINES_MAX);
		left[n] = lines[n];
	}
	/* "watch agent add" is the deepest. */
	for (size_t at = 1; at <= 2; at++) {
		const char *word = at < n_words ? words[at] : NULL;

		n = narrow(left, n, at, word);
		if (word == NULL || word[0] == '-')
			break;
	}
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s%s", i ? "\n       mailstead " : "", left[i]);
}
