/* SPDX-License-Identifier: ISC */
/*
 * buf.c - growable bytes. See buf.h.
 */
#include "base/buf.h"

#include <stdio.h>

#define BUF_FIRST_ALLOC 64

void
buf_init(struct buf *b, size_t max)
{
	*b = BUF_INIT(max);
}

void
buf_done(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->max);
}

void
buf_done_secret(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}

void
buf_reset(struct buf *b, size_t keep)
{
	if (b->cap > keep) {
		buf_done(b);
		return;
	}
	b->n = 0;
	b->failed = false;
}

static void
buf_grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_ALLOC;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	/* One byte above max leaves room for the NUL of buf_c(). */
	if (cap > b->max && b->max < SIZE_MAX)
		cap = b->max + 1;
	b->p = x_realloc(b->p, cap);
	b->cap = cap;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || b->n > b->max || n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	if (n > b->cap - b->n || !b->p)
		buf_grow(b, b->n + n);
	return b->p + b->n;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, p, n);
	b->n += n;
}

void
buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

void
buf_put_c(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_put_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	ASSERT(n >= 0);
	/* vsnprintf writes a NUL behind the n bytes: reserve it, drop it. */
	to = buf_reserve(b, (size_t)n);
	if (!to)
		return;
	if (b->cap - b->n < (size_t)n + 1)
		b->p = x_realloc(b->p, b->cap = b->n + (size_t)n + 1);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_drop(struct buf *b, size_t n)
{
	ASSERT(n <= b->n);
	if (n && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

const char *
buf_c(struct buf *b)
{
	if (b->cap < b->n + 1)
		b->p = x_realloc(b->p, b->cap = b->n + 1);
	b->p[b->n] = '\0';
	return b->p;
}
