/* SPDX-License-Identifier: ISC */
/* reach_origin.c - questions and answers about origins. See reach_origin.h. */
#include "proto/reach/reach_origin.h"

#define FIELDS_MAX 8

bool
reach_origin_question(
    struct buf *b, const struct reach_net *n, const char *zone)
{
	static const char hex[] = "0123456789abcdef";

	if (n->kind == REACH_NET_V4) {
		buf_printf(b, "0.0.%u.%u.origin.%s", n->value & 255,
		    n->value >> 8 & 255, zone);
		return true;
	}
	if (n->kind != REACH_NET_V6)
		return false;
	for (unsigned i = 0; i < 24; i++)
		buf_put_c(b, "0.");
	for (unsigned i = 0; i < 8; i++) {
		buf_put_char(b, hex[n->value >> 4 * i & 15]);
		buf_put_char(b, '.');
	}
	buf_printf(b, "origin6.%s", zone);
	return true;
}

bool
reach_origin_answer(struct str text, uint32_t *ret_as)
{
	struct str field, number;

	(void)str_split(text, '|', &field);
	(void)str_split(str_trim(field), ' ', &number);
	return str_to_u32(number, UINT32_MAX, ret_as) && *ret_as != 0;
}

void
reach_as_question(struct buf *b, uint32_t as, const char *zone)
{
	buf_printf(b, "AS%u.%s", as, zone);
}

/* Bytes of the UTF-8 character at the start of s; 0: there is none. */
static size_t
utf8_length(struct str s)
{
	unsigned char c = s.n > 0 ? (unsigned char)s.p[0] : 0;
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (s.n < n || (c >= 0x80 && c < 0xc2) || c > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	/* Long forms, surrogates, beyond the last; controls of C1. */
	if ((c == 0xe0 && (unsigned char)s.p[1] < 0xa0) ||
	    (c == 0xed && (unsigned char)s.p[1] >= 0xa0) ||
	    (c == 0xf0 && (unsigned char)s.p[1] < 0x90) ||
	    (c == 0xf4 && (unsigned char)s.p[1] >= 0x90) ||
	    (c == 0xc2 && (unsigned char)s.p[1] < 0xa0))
		return 0;
	return n;
}

void
reach_as_name(struct str name, char ret[REACH_AS_NAME_MAX + 1])
{
	size_t n = 0;

	for (name = str_trim(name); name.n > 0;) {
		size_t len = utf8_length(name);
		bool is_odd =
		    len == 0 ||
		    (len == 1 && (name.p[0] < ' ' || name.p[0] == 0x7f));

		len = MAX(len, (size_t)1);
		if (n + (is_odd ? 1 : len) > REACH_AS_NAME_MAX)
			break;
		if (is_odd)
			ret[n++] = '?';
		else
			memcpy(ret + n, name.p, len);
		n += is_odd ? 0 : len;
		name = str_from(name, len);
	}
	ret[n] = '\0';
}

bool
reach_as_answer(struct str text, char ret[REACH_AS_NAME_MAX + 1])
{
	struct str field = STR_NONE, rest = text;
	unsigned fields = 0;

	for (; rest.p != NULL && fields < FIELDS_MAX; fields++)
		rest = str_split(rest, '|', &field);
	if (fields < 5 || str_trim(field).n == 0)
		return false;
	reach_as_name(field, ret);
	return true;
}
