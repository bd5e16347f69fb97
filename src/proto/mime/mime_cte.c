/* SPDX-License-Identifier: ISC */
/*
 * mime_cte.c - transfer encodings, streaming. See mime_cte.h.
 *
 * Both decoders have a fast way for what well-formed mail consists of (four
 * base64 characters in a row; a line without "=") and a slow one that takes
 * anything a byte at a time.
 */
#include "proto/mime/mime_cte.h"

#include "proto/mime/mime_token_internal.h"

#define B64_SKIP 64 /* not in the alphabet */
#define B64_PAD  65

/* clang-format off */
static const unsigned char b64[256] = {
#define X B64_SKIP
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, B64_PAD, X, X,
	X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,
	X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
#undef X
};
/* clang-format on */

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str
mime_cte_name(struct str value)
{
	value = token_skip_cfws(value);
	if (value.n && value.p[0] == '"')
		value = str_from(value, 1);
	return str_first(value, token_length(value));
}

enum mime_cte
mime_cte_of(struct str value)
{
	value = mime_cte_name(value);
	if (str_eq_case(value, STR("base64")))
		return MIME_CTE_BASE64;
	if (str_eq_case(value, STR("quoted-printable")))
		return MIME_CTE_QP;
	return MIME_CTE_IDENTITY;
}

void
mime_cte_init(struct mime_cte_decoder *d, enum mime_cte cte)
{
	d->cte = cte;
	d->bits = 0;
	d->n_bits = 0;
	d->n_held = 0;
}

/* --- base64 ------------------------------------------------------------- */

/* Six more bits; the bytes they complete go to to. Answers how many. */
static size_t
b64_add(struct mime_cte_decoder *d, uint32_t six, char *to)
{
	d->bits = (d->bits << 6 | six) & 0xFFFFFF;
	d->n_bits += 6;
	if (d->n_bits < 8)
		return 0;
	d->n_bits -= 8;
	*to = (char)(d->bits >> d->n_bits & 0xFF);
	return 1;
}

static void
b64_feed(struct mime_cte_decoder *d, struct str in, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)in.p;
	const unsigned char *end = p + in.n;
	char *to = buf_reserve(out, in.n), *at = to;

	if (!to)
		return;
	while (p < end) {
		while (d->n_bits == 0 && end - p >= 4) {
			uint32_t a = b64[p[0]], b = b64[p[1]], c = b64[p[2]],
				 e = b64[p[3]];
			uint32_t v = a << 18 | b << 12 | c << 6 | e;

			if ((a | b | c | e) & 0xC0)
				break;
			*at++ = (char)(v >> 16);
			*at++ = (char)(v >> 8);
			*at++ = (char)v;
			p += 4;
		}
		if (p == end)
			break;
		if (b64[*p] < B64_SKIP)
			at += b64_add(d, b64[*p], at);
		else if (b64[*p] == B64_PAD)
			d->n_bits = 0;
		p++;
	}
	out->n += (size_t)(at - to);
}

/* --- quoted-printable ----------------------------------------------------- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
qp_put_held(struct mime_cte_decoder *d, struct buf *out)
{
	buf_put(out, d->held, d->n_held);
	d->n_held = 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * What is held is "=" and the bytes behind it, undecided yet. Answers
 * whether c was used up; if not, nothing is held and c is to be looked at.
 */
static bool
qp_after_equals(struct mime_cte_decoder *d, char c, struct buf *out)
{
	char first = d->held[1];

	if (d->n_held == 1 && hex(c) >= 0) {
		d->held[d->n_held++] = c;
		return true;
	}
	if (d->n_held == 2 && hex(first) >= 0 && hex(c) >= 0) {
		buf_put_char(out, (char)(hex(first) << 4 | hex(c)));
		d->n_held = 0;
		return true;
	}
	/* A soft line break, with blanks some gateway added. */
	if (d->n_held == 1 || is_blank(first) || first == '\r') {
		if (c == '\n') {
			d->n_held = 0;
			return true;
		}
		if ((is_blank(c) || c == '\r') &&
		    d->held[d->n_held - 1] != '\r' &&
		    d->n_held < MIME_CTE_BLANKS_MAX) {
			d->held[d->n_held++] = c;
			return true;
		}
	}
	qp_put_held(d, out);
	return false;
}

/* What is held is blanks, perhaps with a CR, perhaps at the end of a line. */
static bool
qp_after_blank(struct mime_cte_decoder *d, char c, struct buf *out)
{
	bool has_cr = d->held[d->n_held - 1] == '\r';

	if (c == '\n') {
		d->n_held = 0;
		buf_put_c(out, has_cr ? "\r\n" : "\n");
		return true;
	}
	if (!has_cr && (is_blank(c) || c == '\r') &&
	    d->n_held < MIME_CTE_BLANKS_MAX) {
		d->held[d->n_held++] = c;
		return true;
	}
	qp_put_held(d, out);
	return false;
}

static void
qp_add(struct mime_cte_decoder *d, char c, struct buf *out)
{
	if (d->n_held && (d->held[0] == '=' ? qp_after_equals(d, c, out)
					    : qp_after_blank(d, c, out)))
		return;
	if (c == '=' || is_blank(c))
		d->held[d->n_held++] = c;
	else
		buf_put_char(out, c);
}

/*
 * The plain start of in, which can be passed as it is: up to the next "=" or
 * to the blanks before the end of its last line, whichever comes first.
 */
static size_t
qp_plain_length(struct str in)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;
	const char *equals = memchr(in.p, '=', n);

	if (equals)
		n = (size_t)(equals - in.p);
	while (n && (is_blank(in.p[n - 1]) || in.p[n - 1] == '\r'))
		n--;
	return n;
}

static void
qp_feed(struct mime_cte_decoder *d, struct str in, struct buf *out)
{
	/* One reserve for all: the output is never longer than this. */
	if (!buf_reserve(out, in.n + d->n_held))
		return;
	while (in.n) {
		size_t n = d->n_held ? 0 : qp_plain_length(in);

		buf_put(out, in.p, n);
		in = str_from(in, n);
		/* To the end of blanks or escape, then look for plain again. */
		while (in.n) {
			char c = in.p[0];

			qp_add(d, c, out);
			in = str_from(in, 1);
			if (!d->n_held)
				break;
		}
	}
}

/* --- both ---------------------------------------------------------------- */

void
mime_cte_feed(struct mime_cte_decoder *d, struct str in, struct buf *out)
{
	if (in.n == 0)
		return;
	switch (d->cte) {
	case MIME_CTE_IDENTITY:
		buf_put_str(out, in);
		break;
	case MIME_CTE_BASE64:
		b64_feed(d, in, out);
		break;
	case MIME_CTE_QP:
		qp_feed(d, in, out);
		break;
	}
}

void
mime_cte_finish(struct mime_cte_decoder *d, struct buf *out)
{
	bool is_soft = d->n_held && d->held[0] == '=';

	/* A "=" at the very end was a soft line break that lost its line. */
	for (unsigned i = 1; is_soft && i < d->n_held; i++)
		is_soft = is_blank(d->held[i]) || d->held[i] == '\r';
	if (d->cte == MIME_CTE_QP && !is_soft)
		qp_put_held(d, out);
	mime_cte_init(d, d->cte);
}

void
mime_cte_encode_base64(struct str in, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)(unsigned char)in.p[i] << 16;
		char quad[4];

		if (left > 1)
			v |= (uint32_t)(unsigned char)in.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)in.p[i + 2];
		for (size_t k = 0; k < 4; k++)
			quad[k] = alphabet[v >> (18 - 6 * k) & 63];
		if (left < 3)
			quad[3] = '=';
		if (left < 2)
			quad[2] = '=';
		buf_put(out, quad, 4);
		column += 4;
		if (column == 76 || left <= 3) {
			buf_put_c(out, "\r\n");
			column = 0;
		}
	}
}
