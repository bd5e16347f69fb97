/* SPDX-License-Identifier: ISC */
/* dnsupdate_name.c - names as text and in messages. See dnsupdate_name.h. */
#include "proto/dnsupdate/dnsupdate_name.h"

#define POINTER 0xc0

void
dnsupdate_put_u16(struct buf *to, unsigned v)
{
	buf_put_char(to, (char)(v >> 8));
	buf_put_char(to, (char)v);
}

void
dnsupdate_put_u32(struct buf *to, uint32_t v)
{
	dnsupdate_put_u16(to, v >> 16);
	dnsupdate_put_u16(to, v & 0xffff);
}

static bool
is_plain(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* One byte of a label's text, or of its escape; *text goes on behind it. */
static bool
take_byte(struct str *text, char *ret)
{
	uint32_t byte;

	if (text->p[0] != '\\') {
		*ret = ascii_lower(text->p[0]);
		*text = str_from(*text, 1);
		return true;
	}
	if (text->n < 4 || !str_to_u32(str_sub(*text, 1, 3), 255, &byte))
		return false;
	*ret = ascii_lower((char)byte);
	*text = str_from(*text, 4);
	return true;
}

/* A label up to its dot; *text goes on behind that. */
static bool
put_label(struct str *text, struct buf *to)
{
	char label[DNSUPDATE_LABEL_MAX];
	size_t n = 0;

	while (text->n && text->p[0] != '.') {
		if (n == sizeof(label) || !take_byte(text, &label[n]))
			return false;
		n++;
	}
	*text = str_from(*text, 1);
	if (n == 0)
		return false;
	buf_put_char(to, (char)n);
	buf_put(to, label, n);
	return true;
}

bool
dnsupdate_name_put(struct str text, struct buf *to)
{
	struct buf name = BUF_INIT(DNSUPDATE_NAME_MAX);
	bool ok = true;

	if (str_eq(text, STR(".")))
		text = STR_NONE;
	while (ok && text.n)
		ok = put_label(&text, &name);
	buf_put_char(&name, '\0');
	ok = ok && !name.failed;
	if (ok)
		buf_put_str(to, buf_str(&name));
	buf_done(&name);
	return ok;
}

static void
put_text(struct str label, struct buf *text)
{
	for (size_t i = 0; i < label.n; i++) {
		char c = ascii_lower(label.p[i]);

		if (is_plain(c))
			buf_put_char(text, c);
		else
			buf_printf(text, "\\%03u", (unsigned char)c);
	}
}

static size_t
byte_at(struct str s, size_t at)
{
	return (unsigned char)s.p[at];
}

bool
dnsupdate_name_read(struct str message, size_t *at, struct buf *text)
{
	size_t p = *at, end = 0, limit = message.n, bytes = 1;

	for (;;) {
		size_t n;

		if (p >= limit)
			return false;
		n = byte_at(message, p);
		if (n == 0)
			break;
		if ((n & POINTER) == POINTER) {
			if (limit - p < 2)
				return false;
			end = end ? end : p + 2;
			n = (n & ~(size_t)POINTER) << 8 |
			    byte_at(message, p + 1);
			if (n >= p)
				return false;
			/* What it leads to ends before it: no circles. */
			limit = p;
			p = n;
			continue;
		}
		if (n > DNSUPDATE_LABEL_MAX || n >= limit - p)
			return false;
		bytes += n + 1;
		if (bytes > DNSUPDATE_NAME_MAX)
			return false;
		if (bytes > n + 2)
			buf_put_char(text, '.');
		put_text(str_sub(message, p + 1, n), text);
		p += n + 1;
	}
	*at = end ? end : p + 1;
	return !text->failed;
}

struct str
dnsupdate_name_parent(struct str text)
{
	struct str label;

	return str_split(text, '.', &label);
}
