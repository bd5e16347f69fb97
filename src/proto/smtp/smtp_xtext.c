/* SPDX-License-Identifier: ISC */
/*
 * smtp_xtext.c - parameter values of SMTP. See smtp_xtext.h.
 */
#include "proto/smtp/smtp_xtext.h"

/* xchar: graphic ASCII but "+" and "=". */
static bool
is_xchar(char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void
smtp_xtext_encode(struct buf *to, struct str in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (is_xchar(in.p[i]))
			buf_put_char(to, in.p[i]);
		else
			buf_printf(to, "+%02X", (unsigned char)in.p[i]);
	}
}

static int
hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes written to p, which has room for in.n; -1 when in is not xtext. */
static ptrdiff_t
decode(char *p, struct str in)
{
	ptrdiff_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		int hi, lo;

		if (is_xchar(in.p[i])) {
			p[n++] = in.p[i];
			continue;
		}
		if (in.p[i] != '+' || in.n - i < 3)
			return -1;
		hi = hex_digit(in.p[++i]);
		lo = hex_digit(in.p[++i]);
		if (hi < 0 || lo < 0)
			return -1;
		p[n++] = (char)(hi * 16 + lo);
	}
	return n;
}

bool
smtp_xtext_decode(struct buf *to, struct str in)
{
	char *p = buf_reserve(to, in.n);
	ptrdiff_t n = p ? decode(p, in) : -1;

	if (n < 0)
		return false;
	to->n += (size_t)n;
	return true;
}
