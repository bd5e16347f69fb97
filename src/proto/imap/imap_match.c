/* SPDX-License-Identifier: ISC */
/*
 * imap_match.c - LIST wildcards. See imap_match.h.
 *
 * The pattern is run as a nondeterministic automaton: state i means "the
 * first i bytes of the pattern have been used up". All states that are
 * possible after a byte of the name are kept in one bit set, and a byte moves
 * 64 of them at once: for each byte of the alphabet one more bit set says
 * which states have it next.
 */
#include "proto/imap/imap_match.h"

#include "proto/imap/imap_utf7.h"

#define WORD_BITS 64
#define WORDS     (IMAP_MAX_PATTERN_BYTES / WORD_BITS + 1)

struct states {
	uint64_t w[WORDS];
};

struct automaton {
	size_t words; /* in use */
	size_t end;   /* the accepting state */
	struct states now;
	struct states any, star; /* a wildcard is next; "*" is next */
	/* literal[words * c ...]: the byte c is next. */
	uint64_t literal[256 * WORDS];
};

static bool
is_wildcard(char c)
{
	return c == '*' || c == '%';
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

/* From each state in front of a wildcard also to the one behind it: it may
 * match nothing. No two wildcards stand side by side. */
static void
enter(struct automaton *a)
{
	uint64_t carry = 0;

	for (size_t w = 0; w < a->words; w++) {
		uint64_t wild = a->now.w[w] & a->any.w[w];

		a->now.w[w] |= wild << 1 | carry;
		carry = wild >> (WORD_BITS - 1);
	}
}

static void
begin(struct automaton *a, struct str raw)
{
	char pattern[IMAP_MAX_PATTERN_BYTES];
	size_t n = put_collapsed(pattern, 0, raw);

	a->words = n / WORD_BITS + 1;
	a->end = n;
	a->now = a->any = a->star = (struct states){ 0 };
	memset(a->literal, 0, 256 * a->words * sizeof(a->literal[0]));
	for (size_t i = 0; i < n; i++) {
		size_t w = i / WORD_BITS, c = (unsigned char)pattern[i];
		uint64_t bit = UINT64_C(1) << i % WORD_BITS;

		if (!is_wildcard(pattern[i]))
			a->literal[a->words * c + w] |= bit;
		else
			a->any.w[w] |= bit;
		if (pattern[i] == '*')
			a->star.w[w] |= bit;
	}
	a->now.w[0] = 1;
	enter(a);
}

static bool
is_accepting(const struct automaton *a)
{
	return a->now.w[a->end / WORD_BITS] >> a->end % WORD_BITS & 1;
}

static bool
is_dead(const struct automaton *a)
{
	uint64_t all = 0;

	for (size_t w = 0; w < a->words; w++)
		all |= a->now.w[w];
	return !all;
}

static void
advance(struct automaton *a, char c, bool fold)
{
	const uint64_t *literal =
	    &a->literal[a->words * (size_t)(unsigned char)c];
	const uint64_t *folded =
	    &a->literal[a->words * (size_t)(unsigned char)ascii_lower(c)];
	const struct states *stay = c == IMAP_SEPARATOR ? &a->star : &a->any;
	uint64_t carry = 0;

	if (!fold)
		folded = literal;
	for (size_t w = 0; w < a->words; w++) {
		uint64_t was = a->now.w[w];
		uint64_t step = was & (literal[w] | folded[w]);

		a->now.w[w] = step << 1 | carry | (was & stay->w[w]);
		carry = step >> (WORD_BITS - 1);
	}
	enter(a);
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
	struct automaton a;

	if (pattern.n > IMAP_MAX_PATTERN_BYTES)
		return IMAP_MATCH_NO;
	begin(&a, pattern);
	for (size_t i = 0; i < name.n; i++) {
		advance(&a, name.p[i], i < fold);
		if (is_dead(&a))
			return IMAP_MATCH_NO;
	}
	if (is_accepting(&a))
		return IMAP_MATCH_YES;
	advance(&a, IMAP_SEPARATOR, false);
	return is_dead(&a) ? IMAP_MATCH_NO : IMAP_MATCH_BELOW;
}

bool
imap_match_parent(struct str pattern, struct str name, struct str *ret)
{
	size_t fold = inbox_bytes(name);
	struct automaton a;
	bool found = false;

	if (pattern.n > IMAP_MAX_PATTERN_BYTES)
		return false;
	begin(&a, pattern);
	for (size_t i = 0; i < name.n && !is_dead(&a); i++) {
		if (i && name.p[i] == IMAP_SEPARATOR && is_accepting(&a)) {
			*ret = str_first(name, i);
			found = true;
		}
		advance(&a, name.p[i], i < fold);
	}
	return found;
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
