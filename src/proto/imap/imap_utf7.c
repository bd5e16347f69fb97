/* SPDX-License-Identifier: ISC */
/*
 * imap_utf7.c - modified UTF-7 and the rules for mailbox names.
 *
 * The base64 here has "," for "/" and no padding (RFC 3501 5.1.3), and what
 * it holds is UTF-16, so no library codec fits.
 */
#include "proto/imap/imap_utf7.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int
base64_value(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static bool
is_direct(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void
put_utf8(struct buf *out, uint32_t c)
{
	char u[4];
	size_t n = 0;

	if (c < 0x80) {
		u[n++] = (char)c;
	} else if (c < 0x800) {
		u[n++] = (char)(0xc0 | c >> 6);
		u[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		u[n++] = (char)(0xe0 | c >> 12);
		u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		u[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		u[n++] = (char)(0xf0 | c >> 18);
		u[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		u[n++] = (char)(0x80 | (c & 0x3f));
	}
	buf_put(out, u, n);
}

/* One UTF-16 unit. *high is the first half of a pair that waits, or 0. */
static bool
decode_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool is_high = unit >= 0xd800 && unit <= 0xdbff;
	bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

	if (*high) {
		if (!is_low)
			return false;
		put_utf8(
		    out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	/* Whatever can stand for itself must not be encoded. */
	if (is_low || is_direct(unit))
		return false;
	if (is_high)
		*high = unit;
	else
		put_utf8(out, unit);
	return true;
}

/* The inside of "&...-", not empty. */
static bool
decode_run(struct buf *out, struct str run)
{
	uint32_t acc = 0, high = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < run.n; i++) {
		int v = base64_value(run.p[i]);

		if (v < 0)
			return false;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 16)
			continue;
		bits -= 16;
		if (!decode_unit(out, acc >> bits & 0xffff, &high))
			return false;
		acc &= (1U << bits) - 1;
	}
	/* What is left is padding: less than one digit, and zero. */
	return bits < 6 && acc == 0 && !high;
}

static bool
decode(struct buf *out, struct str in)
{
	bool after_run = false;

	while (in.n) {
		struct str run, rest;

		if (in.p[0] != '&') {
			if (!is_direct((unsigned char)in.p[0]))
				return false;
			buf_put_char(out, in.p[0]);
			in = str_from(in, 1);
			after_run = false;
			continue;
		}
		rest = str_split(str_from(in, 1), '-', &run);
		if (1 + run.n == in.n)
			return false; /* no "-" */
		/* Two runs that follow each other could have been one. */
		if (run.n && (after_run || !decode_run(out, run)))
			return false;
		if (run.n == 0)
			buf_put_char(out, '&');
		after_run = run.n > 0;
		in = rest;
	}
	return !out->failed;
}

bool
imap_utf7_decode(struct buf *out, struct str in)
{
	size_t before = out->n;

	if (decode(out, in))
		return true;
	out->n = before;
	return false;
}

/* Base64 in progress; is_open: "&" has been written. */
struct run {
	struct buf *out;
	bool is_open;
	uint32_t acc;
	unsigned bits;
};

static void
run_add(struct run *r, uint32_t unit)
{
	if (!r->is_open)
		buf_put_char(r->out, '&');
	r->is_open = true;
	r->acc = r->acc << 16 | unit;
	r->bits += 16;
	while (r->bits >= 6) {
		r->bits -= 6;
		buf_put_char(r->out, alphabet[r->acc >> r->bits & 0x3f]);
	}
	r->acc &= (1U << r->bits) - 1;
}

static void
run_close(struct run *r)
{
	if (!r->is_open)
		return;
	if (r->bits)
		buf_put_char(r->out, alphabet[r->acc << (6 - r->bits) & 0x3f]);
	buf_put_char(r->out, '-');
	r->is_open = false;
	r->acc = 0;
	r->bits = 0;
}

/* The next character of well-formed UTF-8; *in moves behind it. */
static uint32_t
next_char(struct str *in)
{
	unsigned char c = (unsigned char)in->p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t v = n == 1 ? c : c & (0x7fU >> n);

	for (size_t i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)in->p[i] & 0x3fU);
	*in = str_from(*in, n);
	return v;
}

bool
imap_utf7_encode(struct buf *out, struct str in)
{
	struct run r = { .out = out };

	if (!str_is_utf8(in))
		return false;
	while (in.n) {
		uint32_t c = next_char(&in);

		if (is_direct(c)) {
			run_close(&r);
			buf_put_char(out, (char)c);
			if (c == '&')
				buf_put_char(out, '-');
		} else if (c < 0x10000) {
			run_add(&r, c);
		} else {
			run_add(&r, 0xd800 + ((c - 0x10000) >> 10));
			run_add(&r, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
	}
	run_close(&r);
	return !out->failed;
}

static enum imap_name
check_component(struct str part)
{
	if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
		return IMAP_NAME_BAD_PATH;
	if (part.n > IMAP_MAX_COMPONENT_BYTES)
		return IMAP_NAME_TOO_LONG;
	return IMAP_NAME_OK;
}

/* C0 and C1 controls, DEL, and the line ends U+2028 and U+2029 (RFC 5198). */
static bool
is_bad_char(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	       c == 0x2029 || c == '%' || c == '*';
}

static bool
has_bad_char(struct str name)
{
	if (!str_is_utf8(name))
		return true;
	while (name.n) {
		if (is_bad_char(next_char(&name)))
			return true;
	}
	return false;
}

enum imap_name
imap_name_check(struct str name)
{
	size_t levels = 1;

	if (name.n == 0)
		return IMAP_NAME_EMPTY;
	if (name.n > IMAP_MAX_MAILBOX_BYTES)
		return IMAP_NAME_TOO_LONG;
	if (has_bad_char(name))
		return IMAP_NAME_BAD_CHAR;

	for (;;) {
		struct str part;
		struct str rest = str_split(name, IMAP_SEPARATOR, &part);
		enum imap_name result = check_component(part);

		if (result != IMAP_NAME_OK)
			return result;
		if (part.n == name.n)
			return IMAP_NAME_OK;
		if (++levels > IMAP_MAX_MAILBOX_LEVELS)
			return IMAP_NAME_TOO_LONG;
		name = rest;
	}
}

const char *
imap_name_error(enum imap_name result)
{
	switch (result) {
	case IMAP_NAME_OK:
		return "Mailbox name is fine";
	case IMAP_NAME_EMPTY:
		return "Mailbox name is empty";
	case IMAP_NAME_TOO_LONG:
		return "Mailbox name is too long or too deep";
	case IMAP_NAME_BAD_CHAR:
		return "Mailbox name has a character that is not allowed";
	case IMAP_NAME_BAD_PATH:
		return "Mailbox name has an empty or reserved part";
	}
	return "Mailbox name is wrong";
}

bool
imap_name_is_inbox(struct str name)
{
	return str_eq_case(name, STR("INBOX"));
}

bool
imap_name_canonical(struct arena *a, struct str name, struct str *ret)
{
	struct str first, copy;
	char *p;

	str_split(name, IMAP_SEPARATOR, &first);
	if (!imap_name_is_inbox(first))
		return arena_str(a, name, ret);
	p = arena_alloc(a, name.n + 1);
	if (!p)
		return false;
	memcpy(p, name.p, name.n);
	memcpy(p, "INBOX", 5);
	copy = str_make(p, name.n);
	*ret = copy;
	return true;
}
