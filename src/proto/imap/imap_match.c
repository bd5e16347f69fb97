/* SPDX-License-Identifier: ISC */
/*
 * imap_match.c - LIST wildcards. See imap_match.h.
 *
 * The pattern is run as a nondeterministic automaton: state i means "the
 * first i bytes of the pattern have been used up". All states that are
 * possible after a byte of the name are kept in one bit set, so nothing is
 * ever tried twice.
 */
#include "proto/imap/imap_match.h"

#include "proto/imap/imap_utf7.h"

#define WORD_BITS 64
#define WORDS     (IMAP_MAX_PATTERN_BYTES / WORD_BITS + 1)

struct states {
	uint64_t w[WORDS];
};

static bool
is_wildcard(char c)
{
	return c == '*' || c == '%';
}

/* Enter state i, and those behind wildcards that match nothing. */
static void
enter(struct states *s, struct str pattern, size_t i)
{
	s->w[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
	while (i < pattern.n && is_wildcard(pattern.p[i])) {
		i++;
		s->w[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
	}
}

static bool
is_accepting(const struct states *s, struct str pattern)
{
	return s->w[pattern.n / WORD_BITS] >> pattern.n % WORD_BITS & 1;
}

static bool
is_dead(const struct states *s, struct str pattern)
{
	for (size_t i = 0; i <= pattern.n / WORD_BITS; i++) {
		if (s->w[i])
			return false;
	}
	return true;
}

static void
advance(struct states *s, struct str pattern, char c, bool fold)
{
	size_t words = pattern.n / WORD_BITS + 1;
	struct states next;

	memset(next.w, 0, words * sizeof(next.w[0]));
	for (size_t w = 0; w < words; w++) {
		for (uint64_t left = s->w[w]; left; left &= left - 1) {
			size_t i =
			    w * WORD_BITS + (size_t)__builtin_ctzll(left);
			char p = i < pattern.n ? pattern.p[i] : '\0';

			if (i == pattern.n)
				continue;
			if (p == '*' || (p == '%' && c != IMAP_SEPARATOR))
				enter(&next, pattern, i);
			else if (!is_wildcard(p) &&
				 (p == c || (fold && ascii_upper(p) == c)))
				enter(&next, pattern, i + 1);
		}
	}
	memcpy(s->w, next.w, words * sizeof(next.w[0]));
}

/* Bytes at the start of name that are INBOX, whose case does not matter. */
static size_t
inbox_bytes(struct str name)
{
	struct str first;

	str_split(name, IMAP_SEPARATOR, &first);
	return str_eq(first, STR("INBOX")) ? first.n : 0;
}

enum imap_match
imap_match(struct str pattern, struct str name)
{
	size_t fold = inbox_bytes(name);
	struct states s = { 0 };

	if (pattern.n > IMAP_MAX_PATTERN_BYTES)
		return IMAP_MATCH_NO;
	enter(&s, pattern, 0);
	for (size_t i = 0; i < name.n; i++) {
		advance(&s, pattern, name.p[i], i < fold);
		if (is_dead(&s, pattern))
			return IMAP_MATCH_NO;
	}
	if (is_accepting(&s, pattern))
		return IMAP_MATCH_YES;
	advance(&s, pattern, IMAP_SEPARATOR, false);
	return is_dead(&s, pattern) ? IMAP_MATCH_NO : IMAP_MATCH_BELOW;
}

bool
imap_match_parent(struct str pattern, struct str name, struct str *ret)
{
	size_t fold = inbox_bytes(name);
	struct states s = { 0 };
	bool found = false;

	if (pattern.n > IMAP_MAX_PATTERN_BYTES)
		return false;
	enter(&s, pattern, 0);
	for (size_t i = 0; i < name.n && !is_dead(&s, pattern); i++) {
		if (i && name.p[i] == IMAP_SEPARATOR &&
		    is_accepting(&s, pattern)) {
			*ret = str_first(name, i);
			found = true;
		}
		advance(&s, pattern, name.p[i], i < fold);
	}
	return found;
}

/* Append part, with runs of wildcards made one: "*" is the stronger. */
static size_t
put_collapsed(char *to, size_t n, struct str part)
{
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];

		if (n && is_wildcard(c) && is_wildcard(to[n - 1])) {
			if (c == '*')
				to[n - 1] = '*';
			continue;
		}
		to[n++] = c;
	}
	return n;
}

bool
imap_pattern_make(
    struct arena *a, struct str reference, struct str pattern, struct str *ret)
{
	char *p;
	size_t n;

	if (pattern.n && pattern.p[0] == IMAP_SEPARATOR)
		reference = STR_NONE;
	if (reference.n > IMAP_MAX_PATTERN_BYTES ||
	    pattern.n > IMAP_MAX_PATTERN_BYTES - reference.n)
		return false;
	p = arena_alloc(a, reference.n + pattern.n + 1);
	if (!p)
		return false;
	n = put_collapsed(p, 0, reference);
	n = put_collapsed(p, n, pattern);
	*ret = str_make(p, n);
	return true;
}
