/* SPDX-License-Identifier: ISC */
/* dnsmsg.c - DNS messages. See dnsmsg.h. */
#include "proto/dnsmsg/dnsmsg.h"

#include <arpa/inet.h>

#define HEAD      12
#define CLASS_IN  1
#define TYPE_OPT  41
#define JUMPS_MAX 32

static unsigned
get16(struct str msg, size_t at)
{
	return (unsigned)((uint8_t)msg.p[at] << 8 | (uint8_t)msg.p[at + 1]);
}

static uint32_t
get32(struct str msg, size_t at)
{
	return (uint32_t)get16(msg, at) << 16 | get16(msg, at + 2);
}

static void
put16(struct buf *to, unsigned v)
{
	buf_put_char(to, (char)(v >> 8));
	buf_put_char(to, (char)v);
}

/* --- asking ------------------------------------------------------------------ */

static bool
put_name(struct buf *to, struct str name)
{
	size_t began = to->n;
	struct str label;

	if (str_ends(name, STR(".")))
		name.n--;
	while (name.n > 0) {
		name = str_split(name, '.', &label);
		if (label.n == 0 || label.n > 63)
			return false;
		buf_put_char(to, (char)label.n);
		for (size_t i = 0; i < label.n; i++)
			buf_put_char(to, ascii_lower(label.p[i]));
	}
	buf_put_char(to, '\0');
	return to->n - began <= DNSMSG_NAME_MAX;
}

bool
dnsmsg_ask(struct buf *to, uint16_t id, struct str name, enum dnsmsg_type type,
    unsigned flags)
{
	put16(to, id);
	put16(to, flags & DNSMSG_RECURSE ? 0x0100 : 0);
	put16(to, 1);
	put16(to, 0);
	put16(to, 0);
	put16(to, 1);
	if (!put_name(to, name))
		return false;
	put16(to, (unsigned)type);
	put16(to, CLASS_IN);
	/* RFC 6891 section 6.1.2 */
	buf_put_char(to, '\0');
	put16(to, TYPE_OPT);
	put16(to, DNSMSG_MAX);
	put16(to, 0);
	put16(to, flags & DNSMSG_SIGNED ? 0x8000 : 0);
	put16(to, 0);
	return !to->failed;
}

/* --- names --------------------------------------------------------------------- */

/* Read a name at *at, which goes behind it. to: NULL, or its text. Pointers
 * lead backwards only, so there is no ring. */
static bool
read_name(struct str msg, size_t *at, struct buf *to)
{
	size_t i = *at, limit = *at, bytes = 0;
	bool has_jumped = false;

	for (unsigned jumps = 0; jumps < JUMPS_MAX;) {
		unsigned n;

		if (i >= msg.n)
			return false;
		n = (uint8_t)msg.p[i];
		if (n >= 0xC0) {
			if (i + 1 >= msg.n)
				return false;
			if (!has_jumped)
				*at = i + 2;
			has_jumped = true;
			i = get16(msg, i) & 0x3FFF;
			if (i >= limit)
				return false;
			limit = i;
			jumps++;
			continue;
		}
		bytes += n + 1;
		if (n > 63 || i + 1 + n > msg.n || bytes > DNSMSG_NAME_MAX)
			return false;
		if (n == 0) {
			if (!has_jumped)
				*at = i + 1;
			return true;
		}
		if (to != NULL && bytes > n + 1)
			buf_put_char(to, '.');
		for (size_t k = 1; to != NULL && k <= n; k++)
			buf_put_char(to, ascii_lower(msg.p[i + k]));
		i += n + 1;
	}
	return false;
}

/* --- answers ---------------------------------------------------------------------- */

static bool
read_records(struct str msg, size_t at, unsigned count, struct dnsmsg *m)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned type, n;

		if (!read_name(msg, &at, NULL) || at + 10 > msg.n)
			return false;
		type = get16(msg, at);
		n = get16(msg, at + 8);
		at += 10;
		if (at + n > msg.n)
			return false;
		if (m->n < DNSMSG_RECORDS_MAX)
			m->records[m->n++] =
			    (struct dnsmsg_record){ type, at, n };
		at += n;
	}
	return true;
}

enum dnsmsg_verdict
dnsmsg_read(struct str msg, struct str asked, struct dnsmsg *ret)
{
	struct dnsmsg m = { 0 };
	/* The question ends before the OPT record of 11 bytes. */
	size_t n = asked.n - HEAD - 11;
	unsigned flags;

	if (msg.n < 2 || get16(msg, 0) != get16(asked, 0))
		return DNSMSG_FOREIGN;
	if (msg.n < HEAD)
		return DNSMSG_BAD;
	flags = get16(msg, 2);
	if (!(flags & 0x8000))
		return DNSMSG_FOREIGN;
	m.rcode = flags & 15;
	m.is_authoritative = (flags & 0x0400) != 0;
	m.is_truncated = (flags & 0x0200) != 0;
	if (get16(msg, 4) == 0 && m.rcode != 0) {
		*ret = m;
		return DNSMSG_OK;
	}
	if (get16(msg, 4) != 1 || msg.n < HEAD + n)
		return DNSMSG_BAD;
	/* Servers repeat the case that was asked, or do not. */
	if (!str_eq_case(str_sub(msg, HEAD, n), str_sub(asked, HEAD, n)))
		return DNSMSG_FOREIGN;
	if (!read_records(msg, HEAD + n, get16(msg, 6), &m) && !m.is_truncated)
		return DNSMSG_BAD;
	*ret = m;
	return DNSMSG_OK;
}

const char *
dnsmsg_rcode(uint8_t rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL",
		"NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
		"NXRRSET", "NOTAUTH", "NOTZONE" };

	return rcode < ARRAY_LEN(names) ? names[rcode] : "an unknown code";
}

/* --- data ---------------------------------------------------------------------------- */

static bool
put_address(struct buf *to, struct str data, int family, size_t n)
{
	char text[INET6_ADDRSTRLEN];

	if (data.n != n ||
	    inet_ntop(family, data.p, text, sizeof(text)) == NULL)
		return false;
	buf_put_c(to, text);
	return true;
}

static bool
put_texts(struct buf *to, struct str data)
{
	while (data.n > 0) {
		size_t n = (uint8_t)data.p[0];

		if (n + 1 > data.n)
			return false;
		buf_put_str(to, str_sub(data, 1, n));
		data = str_from(data, n + 1);
	}
	return true;
}

bool
dnsmsg_put_text(
    struct buf *to, struct str msg, size_t at, size_t n, unsigned type)
{
	struct str data = str_sub(msg, at, n), upto = str_first(msg, at + n);
	size_t numbers = type == DNSMSG_MX ? 1 : type == DNSMSG_SRV ? 3 : 0;
	size_t began = at, end;

	switch (type) {
	case DNSMSG_A:
		return put_address(to, data, AF_INET, 4);
	case DNSMSG_AAAA:
		return put_address(to, data, AF_INET6, 16);
	case DNSMSG_TXT:
		return put_texts(to, data);
	case DNSMSG_CNAME:
	case DNSMSG_NS:
	case DNSMSG_PTR:
	case DNSMSG_MX:
	case DNSMSG_SRV:
		break;
	default:
		return false;
	}
	if (data.n < 2 * numbers)
		return false;
	for (size_t i = 0; i < numbers; i++, at += 2)
		buf_printf(to, "%u ", get16(msg, at));
	end = at;
	return read_name(upto, &end, to) && end == began + n;
}

bool
dnsmsg_soa_serial(struct str msg, const struct dnsmsg_record *r, uint32_t *ret)
{
	struct str upto = str_first(msg, r->at + r->n);
	size_t at = r->at;

	if (r->type != DNSMSG_SOA || !read_name(upto, &at, NULL) ||
	    !read_name(upto, &at, NULL) || at + 20 != upto.n)
		return false;
	*ret = get32(msg, at);
	return true;
}

/* Behind the times a tag, the signer's name, and the signature. */
static bool
read_signature(struct str msg, const struct dnsmsg_record *r, unsigned type,
    struct dnsmsg_span *ret)
{
	struct str upto = str_first(msg, r->at + r->n);
	size_t name = r->at + 18;

	if (r->type != DNSMSG_RRSIG || r->n < 18 || get16(msg, r->at) != type ||
	    !read_name(upto, &name, NULL) || name >= upto.n)
		return false;
	*ret = (struct dnsmsg_span){ .from = get32(msg, r->at + 12),
		.until = get32(msg, r->at + 8) };
	return true;
}

bool
dnsmsg_signature(struct str msg, const struct dnsmsg *m, unsigned type,
    struct dnsmsg_span *ret)
{
	struct dnsmsg_span one, best = { 0 };
	bool has = false;

	for (size_t i = 0; i < m->n; i++) {
		if (!read_signature(msg, &m->records[i], type, &one))
			continue;
		if (!has || dnsmsg_serial_is_behind(best.until, one.until))
			best = one;
		has = true;
	}
	if (has)
		*ret = best;
	return has;
}

uint32_t
dnsmsg_span_left(const struct dnsmsg_span *s, uint64_t now_s)
{
	uint32_t now = (uint32_t)now_s;

	return dnsmsg_serial_is_behind(now, s->from) ||
	               !dnsmsg_serial_is_behind(now, s->until)
	           ? 0
	           : s->until - now;
}

bool
dnsmsg_serial_is_behind(uint32_t a, uint32_t b)
{
	return a != b && b - a < 0x80000000U;
}
