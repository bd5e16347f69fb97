/* SPDX-License-Identifier: ISC */
/*
 * str.h - borrowed bytes: a pointer and a length, passed by value.
 *
 * Never NUL-terminated by assumption, never owned. A str lives as long as
 * what it points into. ASCII case folding only, never by locale.
 */
#pragma once

#include "base/base.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)MIN((s).n, (size_t)INT_MAX), (s).p ? (s).p : ""

/* The end of an English noun behind a count: nothing behind one. */
static inline const char *
str_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static inline struct str
str_make(const void *p, size_t n)
{
	return (struct str){ p, n };
}

/* From a C string; NULL gives the empty string. */
static inline struct str
str_c(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

/* The first n bytes, the bytes from offset n on, and a part; all clamp. */
static inline struct str
str_first(struct str s, size_t n)
{
	return (struct str){ s.p, MIN(n, s.n) };
}

static inline struct str
str_from(struct str s, size_t n)
{
	n = MIN(n, s.n);
	return (struct str){ s.p ? s.p + n : NULL, s.n - n };
}

static inline struct str
str_sub(struct str s, size_t off, size_t n)
{
	return str_first(str_from(s, off), n);
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char
ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static inline char
ascii_upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
}

/* Equal but for ASCII case. */
bool str_eq_case(struct str a, struct str b);
/* Byte order; a prefix sorts first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_case(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_ends_case(struct str s, struct str suffix);

/* Offset of the first or last c, or of needle; -1 when there is none. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_rfind(struct str s, char c);
ptrdiff_t str_search(struct str s, struct str needle);
ptrdiff_t str_search_case(struct str s, struct str needle);

/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/*
 * Cut s at the first c: *ret_head is what stands before it, the answer is
 * what follows. Without c, *ret_head is all of s and the rest is STR_NONE.
 */
struct str str_split(struct str s, char c, struct str *ret_head);

/*
 * Decimal digits only, the whole of s, at most max. On failure (empty, other
 * characters, too large) *ret is untouched.
 */
bool str_to_u32(struct str s, uint32_t max, uint32_t *ret) WARN_UNUSED;
bool str_to_u64(struct str s, uint64_t max, uint64_t *ret) WARN_UNUSED;

/* A NUL-terminated copy on the heap; the caller frees it. */
char *str_dup(struct str s);
/* A copy whose bytes are on the heap: free((void *)copy.p). */
struct str str_copy(struct str s);
void str_free(struct str *s);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* Does s hold a byte below 0x20, or DEL, that is none of allowed? */
bool str_has_control(struct str s, const char *allowed);
/*
 * Does s begin with a control of direction, of three bytes: U+202A to U+202E,
 * U+2066 to U+2069? An override turns the words behind it around.
 */
bool str_turns_around(struct str s);
bool str_is_ascii(struct str s);
/* Compare without leaking where they differ; unequal lengths are unequal. */
bool str_eq_constant_time(struct str a, struct str b);
