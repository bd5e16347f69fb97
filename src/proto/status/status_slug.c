/* SPDX-License-Identifier: ISC */
/* status_slug.c - texts as parts of a URL. See status_put_slug(). */
#include "proto/status/status_post.h"

/* U+00C0 to U+017F without their accents. */
static const char latin[] =
    "aaaaaaaceeeeiiiidnooooo-ouuuuytsaaaaaaaceeeeiiiidnooooo-ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll"
    "nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

#define LATIN_FIRST 0xC0U
#define LATIN_LAST  0x17FU
_Static_assert(sizeof(latin) - 1 == LATIN_LAST - LATIN_FIRST + 1, "a letter");

/* One character off the front of s; U+FFFD for what is not UTF-8. */
static uint32_t
take(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	size_t n = c < 0x80   ? 1
	           : c < 0xC0 ? 0
	           : c < 0xE0 ? 2
	           : c < 0xF0 ? 3
	                      : 4;
	uint32_t v = c & (n == 1 ? 0x7FU : 0xFFU >> (n + 1));

	if (n == 0 || n > s->n || !str_is_utf8(str_first(*s, n))) {
		*s = str_from(*s, 1);
		return 0xFFFD;
	}
	for (size_t i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)s->p[i] & 0x3FU);
	*s = str_from(*s, n);
	return v;
}

/* What stands for it; '-': it ends a word; 0: it is left out. */
static char
letter(uint32_t c)
{
	if (c == '\'' || c == 0x2019)
		return 0;
	if (c < 0x80 && (ascii_is_alpha((char)c) || ascii_is_digit((char)c)))
		return ascii_lower((char)c);
	if (c >= LATIN_FIRST && c <= LATIN_LAST)
		return latin[c - LATIN_FIRST];
	return '-';
}

void
status_put_slug(struct buf *to, struct str text)
{
	size_t n = 0;
	bool is_word = false;

	while (text.n > 0 && n < STATUS_SLUG_MAX) {
		char c = letter(take(&text));

		if (c == '-')
			is_word = false;
		if (c == '-' || c == 0)
			continue;
		if (!is_word && n > 0) {
			/* A dash needs something behind it. */
			if (n + 2 > STATUS_SLUG_MAX)
				return;
			buf_put_char(to, '-');
			n++;
		}
		is_word = true;
		buf_put_char(to, c);
		n++;
	}
}
