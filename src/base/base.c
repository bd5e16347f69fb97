/* SPDX-License-Identifier: ISC */
/*
 * base.c - assertions, allocation and cleanup helpers. See base.h.
 */
#include "base/base.h"

#include <stdio.h>
#include <unistd.h>

void
closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

void
freep(void *pp)
{
	void **p = pp;

	free(*p);
	*p = NULL;
}

void
assert_failed(const char *file, int line, const char *cond)
{
	fprintf(stderr, "mailstead: bug at %s:%d: %s\n", file, line, cond);
	abort();
}

void
die(const char *fmt, ...)
{
	va_list ap;

	fputs("mailstead: fatal: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void *
x_malloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		die("out of memory (%zu bytes)", n);
	return p;
}

void *
x_zalloc(size_t n)
{
	return x_calloc(1, n);
}

void *
x_calloc(size_t count, size_t n)
{
	void *p = calloc(count ? count : 1, n ? n : 1);

	if (!p)
		die("out of memory (%zu x %zu bytes)", count, n);
	return p;
}

void *
x_realloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		die("out of memory (%zu bytes)", n);
	return q;
}

void *
x_grow(void *p, size_t *cap, size_t need, size_t elem_size)
{
	size_t n = *cap ? *cap : 8;

	if (need <= *cap)
		return p;
	while (n < need) {
		ASSERT(n <= SIZE_MAX / 2);
		n *= 2;
	}
	ASSERT(n <= SIZE_MAX / elem_size);
	*cap = n;
	return x_realloc(p, n * elem_size);
}

char *
x_strdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		die("out of memory (string)");
	return p;
}

char *
x_asprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (r < 0)
		die("out of memory (formatted string)");
	return p;
}

const char *
outcome_str(enum outcome o)
{
	switch (o) {
	case DONE:
		return "done";
	case NOT_FOUND:
		return "not-found";
	case TEMPFAIL:
		return "tempfail";
	case PERMFAIL:
		return "permfail";
	}
	return "invalid";
}
