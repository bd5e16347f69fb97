/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * Pattern, NUL, name. Property: the same answers as a plain table of "can
 * the first i bytes of the pattern match the first j bytes of the name".
 */
#include "proto/imap/imap_match.h"
#include "proto/imap/imap_utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BYTES 128

static bool table[MAX_BYTES + 1][MAX_BYTES + 2];

static bool
is_same(char p, char c, bool fold)
{
	return p == c || (fold && ascii_upper(p) == c);
}

/* j counts bytes of the name; column name.n + 1 is behind one more "/". */
static void
fill_table(struct str pattern, struct str name)
{
	bool is_inbox = str_starts(name, STR("INBOX")) &&
	                (name.n == 5 || name.p[5] == IMAP_SEPARATOR);

	for (size_t i = 0; i <= pattern.n; i++) {
		for (size_t j = 0; j <= name.n + 1; j++) {
			char p = i ? pattern.p[i - 1] : '\0';
			char c =
			    j && j <= name.n ? name.p[j - 1] : IMAP_SEPARATOR;
			bool ok = i == 0 && j == 0;

			if (i && (p == '*' || p == '%'))
				ok = table[i - 1][j] ||
				     (j && table[i][j - 1] &&
					 (p == '*' || c != IMAP_SEPARATOR));
			else if (i && j)
				ok = table[i - 1][j - 1] &&
				     is_same(p, c, is_inbox && j <= 5);
			table[i][j] = ok;
		}
	}
}

static enum imap_match
expect(struct str pattern, struct str name)
{
	if (table[pattern.n][name.n])
		return IMAP_MATCH_YES;
	for (size_t i = 0; i <= pattern.n; i++) {
		if (table[i][name.n + 1])
			return IMAP_MATCH_BELOW;
	}
	return IMAP_MATCH_NO;
}

static void
check_parent(struct str pattern, struct str name)
{
	struct str parent = STR_NONE;
	size_t want = 0;

	for (size_t j = 1; j < name.n; j++) {
		if (name.p[j] == IMAP_SEPARATOR && table[pattern.n][j])
			want = j;
	}
	ASSERT(imap_match_parent(pattern, name, &parent) == (want > 0));
	ASSERT(parent.n == want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str pattern, name, joined;
	struct arena a;

	name = str_split(str_make(data, size), '\0', &pattern);
	if (pattern.n > MAX_BYTES || name.n > MAX_BYTES)
		return 0;
	fill_table(pattern, name);
	ASSERT(imap_match(pattern, name) == expect(pattern, name));
	check_parent(pattern, name);

	/* Fewer wildcards, the same meaning. */
	arena_init(&a, KIB(4));
	ASSERT(imap_pattern_make(&a, STR_NONE, pattern, &joined));
	ASSERT(imap_match(joined, name) == imap_match(pattern, name));
	arena_done(&a);
	return 0;
}
