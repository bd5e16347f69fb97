/* SPDX-License-Identifier: ISC */
/* fold.c - characters by ICU. See fold.h. */
#include "base/fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#define UNITS_MAX 32 /* UTF-16, of one character */

/* One character off the front; -1: not UTF-8. */
static UChar32
take(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	size_t n = c < 0x80   ? 1
	           : c < 0xC0 ? 0
	           : c < 0xE0 ? 2
	           : c < 0xF0 ? 3
	                      : 4;
	UChar32 v = (UChar32)(c & (n == 1 ? 0x7FU : 0xFFU >> (n + 1)));

	if (n == 0 || n > s->n || !str_is_utf8(str_first(*s, n))) {
		*s = str_from(*s, 1);
		return -1;
	}
	for (size_t i = 1; i < n; i++)
		v = v << 6 | (UChar32)((unsigned char)s->p[i] & 0x3FU);
	*s = str_from(*s, n);
	return v;
}

static void
put(UChar32 c, char *to, size_t *n)
{
	char one[4];
	size_t len = 0;

	if (c < 0x80) {
		one[len++] = (char)c;
	} else if (c < 0x800) {
		one[len++] = (char)(0xC0 | c >> 6);
		one[len++] = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		one[len++] = (char)(0xE0 | c >> 12);
		one[len++] = (char)(0x80 | (c >> 6 & 0x3F));
		one[len++] = (char)(0x80 | (c & 0x3F));
	} else {
		one[len++] = (char)(0xF0 | c >> 18);
		one[len++] = (char)(0x80 | (c >> 12 & 0x3F));
		one[len++] = (char)(0x80 | (c >> 6 & 0x3F));
		one[len++] = (char)(0x80 | (c & 0x3F));
	}
	if (*n + len > FOLD_MAX)
		return;
	memcpy(to + *n, one, len);
	*n += len;
}

/* Letters that are one character in Unicode and two in people's minds. */
static bool
put_stroked(UChar32 c, char *to, size_t *n)
{
	static const struct {
		UChar32 c;
		const char *as;
	} letters[] = { { 0xE6, "ae" }, { 0xF0, "d" }, { 0xF8, "o" },
		{ 0xFE, "th" }, { 0x111, "d" }, { 0x127, "h" }, { 0x131, "i" },
		{ 0x142, "l" }, { 0x153, "oe" } };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (letters[i].c != c)
			continue;
		for (const char *p = letters[i].as; *p != '\0'; p++)
			put(*p, to, n);
		return true;
	}
	return false;
}

/* Code points of UTF-16, n units from *i on. */
static UChar32
next(const UChar *units, int n, int *i)
{
	UChar32 c = units[(*i)++];

	if ((c & 0xFC00) == 0xD800 && *i < n)
		c = 0x10000 + ((c & 0x3FF) << 10) + (units[(*i)++] & 0x3FF);
	return c;
}

static void
put_bare(const UNormalizer2 *apart, UChar32 c, char *to, size_t *n)
{
	UChar units[UNITS_MAX];
	UErrorCode e = U_ZERO_ERROR;
	int len = unorm2_getDecomposition(apart, c, units, UNITS_MAX, &e);

	if (put_stroked(c, to, n))
		return;
	if (len < 0 || U_FAILURE(e)) {
		if (unorm2_getCombiningClass(apart, c) == 0)
			put(c, to, n);
		return;
	}
	for (int i = 0; i < len;) {
		UChar32 part = next(units, len, &i);

		if (unorm2_getCombiningClass(apart, part) == 0)
			put(part, to, n);
	}
}

static bool
is_alone(UChar32 c)
{
	return (c >= 0x3040 && c <= 0x30FF) ||
	       u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC);
}

static enum fold
fold_wide(UChar32 c, char *ret, size_t *ret_n)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *folded = unorm2_getNFKCCasefoldInstance(&e);
	const UNormalizer2 *apart = unorm2_getNFDInstance(&e);
	UChar units[UNITS_MAX];
	int len;

	if (U_FAILURE(e))
		return FOLD_OTHER;
	if (unorm2_getCombiningClass(apart, c) != 0)
		return FOLD_MARK;
	if (!u_isalnum(c))
		return FOLD_OTHER;
	len = unorm2_getDecomposition(folded, c, units, UNITS_MAX, &e);
	if (len < 0 || U_FAILURE(e)) {
		put_bare(apart, c, ret, ret_n);
	} else {
		for (int i = 0; i < len;)
			put_bare(apart, next(units, len, &i), ret, ret_n);
	}
	return is_alone(c) ? FOLD_ALONE : FOLD_LETTER;
}

enum fold
fold_take(struct str *s, char ret[FOLD_MAX], size_t *ret_n)
{
	UChar32 c = take(s);

	*ret_n = 0;
	if (c < 0)
		return FOLD_OTHER;
	if (c >= 0x80)
		return fold_wide(c, ret, ret_n);
	if (!ascii_is_alpha((char)c) && !ascii_is_digit((char)c))
		return FOLD_OTHER;
	ret[(*ret_n)++] = ascii_lower((char)c);
	return FOLD_LETTER;
}
