/* SPDX-License-Identifier: ISC */
/* letter.c - the bytes of one message as they go out. See letter.h. */
#include "send/message/letter.h"

#include <errno.h>
#include <unistd.h>

#define STEP KIB(64)

void
letter_done(struct letter *l)
{
	buf_done(&l->top);
	buf_done(&l->data);
	closep(&l->fd);
	if (l->counter != NULL)
		*l->counter -= l->counted;
	*l = LETTER_NONE;
}

void
letter_count(struct letter *l, uint64_t *counter)
{
	ASSERT(l->counter == NULL);
	l->counter = counter;
	l->counted = l->size;
	*counter += l->size;
}

struct letter
letter_take(struct letter *from)
{
	struct letter l = *from;

	*from = LETTER_NONE;
	return l;
}

struct str
letter_piece(const struct letter *l, uint64_t at, char *scratch, size_t n)
{
	ssize_t got;

	if (at < l->data.n)
		return str_sub(buf_str(&l->data), (size_t)at, n);
	if (l->fd < 0 || at >= l->size)
		return STR_NONE;
	n = (size_t)MIN(n, l->size - at);
	do
		got = pread(l->fd, scratch, n, (off_t)(at - l->data.n));
	while (got < 0 && errno == EINTR);
	return str_make(scratch, got > 0 ? (size_t)got : 0);
}

struct str
letter_piece_out(const struct letter *l, uint64_t at, char *scratch, size_t n)
{
	if (at < l->top.n)
		return str_sub(buf_str(&l->top), (size_t)at, n);
	return letter_piece(l, at - l->top.n, scratch, n);
}

/* Where the header ends; 0: not within s. A field may begin anew at from. */
static size_t
header_end(struct str s, size_t from)
{
	ptrdiff_t at;

	if (from == 0 && str_starts(s, STR("\r\n")))
		return 2;
	from -= MIN(from, 3);
	at = str_search(str_from(s, from), STR("\r\n\r\n"));
	return at < 0 ? 0 : from + (size_t)at + 4;
}

bool
letter_header(const struct letter *l, struct buf *to, struct str *ret)
{
	size_t end = header_end(buf_str(&l->data), 0), seen = 0;

	if (end > 0 || l->fd < 0) {
		*ret = str_first(buf_str(&l->data), end > 0 ? end : l->data.n);
		return ret->n <= LETTER_HEADER_MAX;
	}
	while (end == 0 && to->n < MIN(l->size, LETTER_HEADER_MAX)) {
		char scratch[STEP];
		struct str s = letter_piece(l, to->n, scratch, STEP);

		if (s.n == 0)
			return false;
		buf_put_str(to, s);
		if (to->failed)
			return false;
		end = header_end(buf_str(to), seen);
		seen = to->n;
	}
	if (end == 0 && to->n < l->size)
		return false;
	*ret = str_first(buf_str(to), end > 0 ? end : to->n);
	return ret->n <= LETTER_HEADER_MAX;
}

bool
letter_read(const struct letter *l, struct buf *to)
{
	uint64_t at = 0;

	while (at < l->size) {
		char scratch[STEP];
		struct str s = letter_piece(l, at, scratch, STEP);

		if (s.n == 0)
			return false;
		buf_put_str(to, s);
		at += s.n;
	}
	return !to->failed;
}
