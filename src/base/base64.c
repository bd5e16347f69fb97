/* SPDX-License-Identifier: ISC */
/*
 * base64.c - strict base64. See base64.h.
 */
#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
encode_group(char *to, const unsigned char *from, size_t n)
{
	uint32_t v = (uint32_t)from[0] << 16;

	if (n > 1)
		v |= (uint32_t)from[1] << 8;
	if (n > 2)
		v |= from[2];
	to[0] = alphabet[v >> 18];
	to[1] = alphabet[v >> 12 & 63];
	to[2] = n > 1 ? alphabet[v >> 6 & 63] : '=';
	to[3] = n > 2 ? alphabet[v & 63] : '=';
}

void
base64_encode(struct buf *to, struct str in)
{
	const unsigned char *from = (const unsigned char *)in.p;
	char *p;

	/* The encoded length of anything longer overflows. */
	if (in.n > SIZE_MAX / 4 * 3 - 3) {
		to->failed = true;
		return;
	}
	p = buf_reserve(to, base64_encoded_len(in.n));
	if (!p)
		return;
	for (size_t i = 0; i < in.n; i += 3, p += 4)
		encode_group(p, from + i, MIN(in.n - i, (size_t)3));
	to->n += base64_encoded_len(in.n);
}

/* 0 to 63, or 64 for what is not in the alphabet. */
static uint32_t
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	if (c == '+')
		return 62;
	return c == '/' ? 63 : 64;
}

/* Decode four digits into three bytes of *ret; false when one is no digit. */
static bool
decode_group(const char *from, uint32_t *ret)
{
	uint32_t a = digit(from[0]), b = digit(from[1]);
	uint32_t c = digit(from[2]), d = digit(from[3]);

	if ((a | b | c | d) & 64)
		return false;
	*ret = a << 18 | b << 12 | c << 6 | d;
	return true;
}

static void
put_group(char *to, uint32_t v, size_t n)
{
	to[0] = (char)(v >> 16 & 0xFF);
	if (n > 1)
		to[1] = (char)(v >> 8 & 0xFF);
	if (n > 2)
		to[2] = (char)(v & 0xFF);
}

/* The last group of in, padding replaced by zero digits. */
static bool
decode_last(struct str in, size_t pad, uint32_t *ret)
{
	char last[4];

	memcpy(last, in.p + in.n - 4, 4);
	for (size_t i = 4 - pad; i < 4; i++)
		last[i] = 'A';
	if (!decode_group(last, ret))
		return false;
	/* Bits that stand for no byte must be zero (RFC 4648 section 3.5). */
	return pad == 0 || (*ret & (pad == 1 ? 0xFF : 0xFFFF)) == 0;
}

bool
base64_decode(struct buf *to, struct str in)
{
	size_t pad = 0, done = 0;
	uint32_t v;
	char *p;

	if (in.n == 0)
		return !to->failed;
	if (in.n % 4 != 0)
		return false;
	if (in.p[in.n - 1] == '=')
		pad = in.p[in.n - 2] == '=' ? 2 : 1;
	p = buf_reserve(to, in.n / 4 * 3 - pad);
	if (!p)
		return false;
	for (size_t i = 0; i < in.n - 4; i += 4, done += 3) {
		if (!decode_group(in.p + i, &v))
			return false;
		put_group(p + done, v, 3);
	}
	if (!decode_last(in, pad, &v))
		return false;
	put_group(p + done, v, 3 - pad);
	to->n += done + 3 - pad;
	return true;
}

void
base64url_encode(struct buf *to, struct str in)
{
	size_t from = to->n;

	base64_encode(to, in);
	if (to->failed)
		return;
	for (size_t i = from; i < to->n; i++)
		if (to->p[i] == '+')
			to->p[i] = '-';
		else if (to->p[i] == '/')
			to->p[i] = '_';
	while (to->n > from && to->p[to->n - 1] == '=')
		to->n--;
}

bool
base64url_decode(struct buf *to, struct str in)
{
	struct buf plain = BUF_INIT(in.n + 4);
	bool ok = true;

	for (size_t i = 0; i < in.n && ok; i++) {
		char c = in.p[i];

		ok = c != '+' && c != '/' && c != '=';
		buf_put_char(&plain, (char)(c == '-'   ? '+'
					    : c == '_' ? '/'
						       : c));
	}
	while (plain.n % 4 != 0)
		buf_put_char(&plain, '=');
	ok = ok && base64_decode(to, buf_str(&plain));
	buf_done_secret(&plain);
	return ok;
}

enum sasl_line
sasl_line_decode(struct str line, bool is_initial, struct buf *to)
{
	if (is_initial && str_eq(line, STR("=")))
		return SASL_LINE_OK;
	if (is_initial && line.n == 0)
		return SASL_LINE_BAD;
	if (!is_initial && str_eq(line, STR("*")))
		return SASL_LINE_CANCEL;
	return base64_decode(to, line) ? SASL_LINE_OK : SASL_LINE_BAD;
}
