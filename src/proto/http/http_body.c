/* SPDX-License-Identifier: ISC */
/* http_body.c - bodies by length and in chunks. See http_body.h. */
#include "proto/http/http_body.h"

void
http_body_init(struct http_body *b, enum http_body_kind kind, uint64_t length,
    uint64_t max)
{
	*b = (struct http_body){ .kind = kind, .left = length, .max = max };
}

static enum http_body_state
take_data(
    struct http_body *b, struct str in, struct str *ret_data, size_t *ret_used)
{
	*ret_data = str_first(in, (size_t)MIN(b->left, (uint64_t)in.n));
	*ret_used = ret_data->n;
	b->left -= ret_data->n;
	b->total += ret_data->n;
	return HTTP_BODY_MORE;
}

/* A line of at most max bytes without its CRLF: 1; 0: it is not there yet;
 * -1: it is too long, or has a CR or LF of its own. */
static int
take_line(struct str in, size_t max, struct str *ret, size_t *ret_used)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' || i > max)
			return -1;
		if (in.p[i] != '\r')
			continue;
		if (i + 1 == in.n)
			return 0;
		if (in.p[i + 1] != '\n')
			return -1;
		*ret = str_first(in, i);
		*ret_used = i + 2;
		return 1;
	}
	return in.n > max ? -1 : 0;
}

static int
hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b", perhaps with ";extension" behind it. */
static bool
read_size(struct str line, uint64_t *ret)
{
	struct str digits;
	uint64_t size = 0;

	str_split(line, ';', &digits);
	digits = str_trim(digits);
	if (digits.n == 0 || digits.n > 15 || digits.p != line.p)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		int d = hex_digit(digits.p[i]);

		if (d < 0)
			return false;
		size = size << 4 | (uint64_t)d;
	}
	*ret = size;
	return true;
}

static enum http_body_state
take_head(struct http_body *b, struct str in, size_t *ret_used)
{
	struct str line;
	int r = take_line(in, HTTP_CHUNK_LINE_MAX, &line, ret_used);

	if (r <= 0)
		return r == 0 ? HTTP_BODY_MORE : HTTP_BODY_BAD;
	if (!read_size(line, &b->left))
		return HTTP_BODY_BAD;
	if (b->left > b->max - b->total)
		return HTTP_BODY_TOO_BIG;
	b->state = b->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	return HTTP_BODY_MORE;
}

static enum http_body_state
take_end(struct http_body *b, struct str in, size_t *ret_used)
{
	if (in.n < 2)
		return in.n == 0 || in.p[0] == '\r' ? HTTP_BODY_MORE
		                                    : HTTP_BODY_BAD;
	if (!str_starts(in, STR("\r\n")))
		return HTTP_BODY_BAD;
	*ret_used = 2;
	b->state = CHUNK_HEAD;
	return HTTP_BODY_MORE;
}

static enum http_body_state
take_trailer(struct http_body *b, struct str in, size_t *ret_used)
{
	struct str line;
	int r = take_line(in, HTTP_TRAILER_MAX - b->trailer, &line, ret_used);

	if (r <= 0)
		return r == 0 ? HTTP_BODY_MORE : HTTP_BODY_BAD;
	if (line.n == 0)
		return HTTP_BODY_DONE;
	b->trailer += MIN(*ret_used, HTTP_TRAILER_MAX - b->trailer);
	return HTTP_BODY_MORE;
}

static enum http_body_state
take_chunked(
    struct http_body *b, struct str in, struct str *ret_data, size_t *ret_used)
{
	enum http_body_state s;

	switch (b->state) {
	case CHUNK_HEAD:
		return take_head(b, in, ret_used);
	case CHUNK_DATA:
		s = take_data(b, in, ret_data, ret_used);
		if (b->left == 0)
			b->state = CHUNK_END;
		return s;
	case CHUNK_END:
		return take_end(b, in, ret_used);
	case CHUNK_TRAILER:
		return take_trailer(b, in, ret_used);
	}
	return HTTP_BODY_BAD;
}

enum http_body_state
http_body_next(
    struct http_body *b, struct str in, struct str *ret_data, size_t *ret_used)
{
	*ret_data = STR_NONE;
	*ret_used = 0;
	switch (b->kind) {
	case HTTP_BODY_NONE:
		return HTTP_BODY_DONE;
	case HTTP_BODY_LENGTH:
		if (b->left > b->max - b->total)
			return HTTP_BODY_TOO_BIG;
		take_data(b, in, ret_data, ret_used);
		return b->left == 0 ? HTTP_BODY_DONE : HTTP_BODY_MORE;
	case HTTP_BODY_CHUNKED:
		return take_chunked(b, in, ret_data, ret_used);
	}
	return HTTP_BODY_BAD;
}
