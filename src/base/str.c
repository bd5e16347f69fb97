/* SPDX-License-Identifier: ISC */
/*
 * str.c - operations on borrowed bytes. See str.h.
 */
#include "base/str.h"

bool
str_eq_case(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int r = n ? memcmp(a.p, b.p, n) : 0;

	if (r)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
str_starts(struct str s, struct str prefix)
{
	return str_eq(str_first(s, prefix.n), prefix);
}

bool
str_starts_case(struct str s, struct str prefix)
{
	return str_eq_case(str_first(s, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool
str_ends_case(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       str_eq_case(str_from(s, s.n - suffix.n), suffix);
}

ptrdiff_t
str_find(struct str s, char c)
{
	const char *q = s.n ? memchr(s.p, c, s.n) : NULL;

	return q ? q - s.p : -1;
}

ptrdiff_t
str_rfind(struct str s, char c)
{
	const char *q = s.n ? memrchr(s.p, c, s.n) : NULL;

	return q ? q - s.p : -1;
}

ptrdiff_t
str_search(struct str s, struct str needle)
{
	const char *q;

	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return -1;
	q = memmem(s.p, s.n, needle.p, needle.n);
	return q ? q - s.p : -1;
}

ptrdiff_t
str_search_case(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (ascii_lower(s.p[i]) == ascii_lower(needle.p[0]) &&
		    str_eq_case(str_sub(s, i, needle.n), needle))
			return (ptrdiff_t)i;
	return -1;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str
str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_split(struct str s, char c, struct str *ret_head)
{
	ptrdiff_t at = str_find(s, c);

	if (at < 0) {
		*ret_head = s;
		return STR_NONE;
	}
	*ret_head = str_first(s, (size_t)at);
	return str_from(s, (size_t)at + 1);
}

bool
str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t d = (uint64_t)(s.p[i] - '0');

		if (!ascii_is_digit(s.p[i]) || d > max || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

bool
str_to_u32(struct str s, uint32_t max, uint32_t *ret)
{
	uint64_t v;

	if (!str_to_u64(s, max, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

char *
str_dup(struct str s)
{
	char *p = x_malloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str
str_copy(struct str s)
{
	return str_make(str_dup(s), s.n);
}

void
str_free(struct str *s)
{
	free((void *)(uintptr_t)s->p);
	*s = STR_NONE;
}

/* Length of the well-formed sequence at p, of at most n bytes; 0 if none. */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char lo = 0x80, hi = 0xBF;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		len = 2;
	else if (p[0] >= 0xE0 && p[0] <= 0xEF)
		len = 3;
	else if (p[0] >= 0xF0 && p[0] <= 0xF4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	if (p[0] == 0xE0)
		lo = 0xA0;
	else if (p[0] == 0xED)
		hi = 0x9F;
	else if (p[0] == 0xF0)
		lo = 0x90;
	else if (p[0] == 0xF4)
		hi = 0x8F;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	return len;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.n) {
		size_t len = utf8_sequence(p + i, s.n - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

bool
str_has_control(struct str s, const char *allowed)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F) &&
		    !memchr(allowed, s.p[i], strlen(allowed)))
			return true;
	return false;
}

bool
str_turns_around(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return s.n >= 3 && p[0] == 0xE2 &&
	       ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
		   (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9));
}

bool
str_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

bool
str_eq_constant_time(struct str a, struct str b)
{
	unsigned char diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i]);
	return diff == 0;
}
