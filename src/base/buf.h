/* SPDX-License-Identifier: ISC */
/*
 * buf.h - owned, growable bytes with a maximum that is fixed at init.
 *
 * The failed flag is sticky: once something did not fit, every later put
 * does nothing, so that formatting code needs one check at the end.
 */
#pragma once

#include "base/str.h"

struct buf {
	char *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* never grows past this */
	bool failed;
};

/* Nothing is allocated before the first put. */
#define BUF_INIT(max_) ((struct buf){ .max = (max_) })

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* frees the bytes; b can be used again */
/* Like buf_done, but the bytes are overwritten first. */
void buf_done_secret(struct buf *b);
/* Empty it and clear failed; keeps at most keep bytes allocated. */
void buf_reset(struct buf *b, size_t keep);

/* Room for n more bytes at b->p + b->n, or NULL (and failed is set). */
char *buf_reserve(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_put_c(struct buf *b, const char *s);
void buf_put_char(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Drop the first n bytes; the rest moves down. */
void buf_drop(struct buf *b, size_t n);
/* NUL-terminates (the NUL is not counted) and lends the C string. */
const char *buf_c(struct buf *b);

static inline struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}
