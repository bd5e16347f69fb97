/* SPDX-License-Identifier: ISC */
/* dnsmsg_serve.c - questions of others, and answers. See dnsmsg_serve.h. */
#include "proto/dnsmsg/dnsmsg_serve.h"

#include <arpa/inet.h>

#define HEAD        12
#define TYPE_OPT    41
#define ADDED_MAX   8 /* records behind the question that are looked at */
#define FLAG_QR     0x8000U
#define FLAG_AA     0x0400U
#define FLAG_RD     0x0100U
#define FLAG_OPCODE 0x7800U

static unsigned
get16(struct str msg, size_t at)
{
	return (unsigned)((uint8_t)msg.p[at] << 8 | (uint8_t)msg.p[at + 1]);
}

static void
put16(struct buf *to, unsigned v)
{
	buf_put_char(to, (char)(v >> 8));
	buf_put_char(to, (char)v);
}

static void
put32(struct buf *to, uint32_t v)
{
	put16(to, v >> 16);
	put16(to, v & 0xFFFF);
}

/* --- the question -------------------------------------------------------------- */

/* A name without pointers, at *at, which goes behind it. */
static bool
take_name(struct str msg, size_t *at)
{
	size_t i = *at;

	while (i < msg.n && i - *at < DNSMSG_NAME_MAX) {
		unsigned n = (uint8_t)msg.p[i];

		if (n > 63)
			return false;
		i += n + 1;
		if (n == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* OPT stands at the root (RFC 6891 section 6.1.2); others are passed over. */
static bool
take_added(struct str msg, size_t at, unsigned n, struct dnsmsg_question *q,
    unsigned *ret_rcode)
{
	for (unsigned i = 0; i < n; i++) {
		size_t began = at, length;

		if (!take_name(msg, &at) || at + 10 > msg.n)
			return false;
		length = get16(msg, at + 8);
		if (at + 10 + length > msg.n)
			return false;
		if (get16(msg, at) == TYPE_OPT) {
			if (q->has_edns || at != began + 1)
				return false;
			q->has_edns = true;
			if (msg.p[at + 5] != 0)
				*ret_rcode = DNSMSG_BADVERS;
		}
		at += 10 + length;
	}
	return true;
}

static unsigned
read_rest(struct str msg, struct dnsmsg_question *q)
{
	unsigned rcode = DNSMSG_NOERROR, added = get16(msg, 10);
	size_t at = HEAD;

	if (get16(msg, 4) != 1 || get16(msg, 6) != 0 || get16(msg, 8) != 0 ||
	    added > ADDED_MAX || !take_name(msg, &at) || at + 4 > msg.n)
		return DNSMSG_FORMERR;
	q->name = str_sub(msg, HEAD, at - HEAD);
	q->raw = str_sub(msg, HEAD, at + 4 - HEAD);
	q->type = get16(msg, at);
	q->class = get16(msg, at + 2);
	return take_added(msg, at + 4, added, q, &rcode) ? rcode
	                                                 : DNSMSG_FORMERR;
}

bool
dnsmsg_question_read(
    struct str msg, struct dnsmsg_question *ret, unsigned *ret_rcode)
{
	struct dnsmsg_question q = { .head = str_first(msg, HEAD) };
	unsigned flags, rcode;

	if (msg.n < HEAD)
		return false;
	flags = get16(msg, 2);
	if (flags & FLAG_QR)
		return false;
	rcode = flags & FLAG_OPCODE ? DNSMSG_NOTIMP : read_rest(msg, &q);
	*ret = q;
	*ret_rcode = rcode;
	return true;
}

/* --- names --------------------------------------------------------------------- */

static void
put_name(struct buf *to, struct str text)
{
	struct str label;

	while (text.n > 0) {
		text = str_split(text, '.', &label);
		ASSERT(label.n > 0 && label.n <= 63);
		buf_put_char(to, (char)label.n);
		buf_put_str(to, label);
	}
	buf_put_char(to, '\0');
}

bool
dnsmsg_name_is(struct str name, const char *text)
{
	struct buf want = BUF_INIT(DNSMSG_NAME_MAX);
	bool is;

	put_name(&want, str_c(text));
	is = str_eq_case(name, buf_str(&want));
	buf_done(&want);
	return is;
}

bool
dnsmsg_name_is_below(struct str name, const char *zone)
{
	while (name.n > 0) {
		if (dnsmsg_name_is(name, zone))
			return true;
		name = str_from(name, (size_t)(uint8_t)name.p[0] + 1);
	}
	return false;
}

/* --- the answer ------------------------------------------------------------------ */

static struct str
next_word(struct str *rest)
{
	struct str word;

	*rest = str_split(*rest, ' ', &word);
	return word;
}

static uint32_t
next_number(struct str *rest)
{
	uint32_t n = 0;
	bool ok = str_to_u32(next_word(rest), UINT32_MAX, &n);

	ASSERT(ok);
	return n;
}

static void
put_soa(struct buf *to, struct str text)
{
	put_name(to, next_word(&text));
	put_name(to, next_word(&text));
	for (int i = 0; i < 5; i++)
		put32(to, next_number(&text));
}

static void
put_data(struct buf *to, const struct dnsmsg_given *r)
{
	struct str text = str_c(r->data);
	struct in_addr v4;

	switch (r->type) {
	case DNSMSG_A:
		ASSERT(inet_pton(AF_INET, r->data, &v4) == 1);
		buf_put(to, &v4, sizeof(v4));
		return;
	case DNSMSG_MX:
		put16(to, next_number(&text));
		put_name(to, text);
		return;
	case DNSMSG_SOA:
		put_soa(to, text);
		return;
	case DNSMSG_TXT:
		ASSERT(text.n <= 255);
		buf_put_char(to, (char)text.n);
		buf_put_str(to, text);
		return;
	case DNSMSG_NS:
	case DNSMSG_CNAME:
	case DNSMSG_PTR:
		put_name(to, text);
		return;
	case DNSMSG_AAAA:
	case DNSMSG_SRV:
	case DNSMSG_RRSIG:
		break;
	}
	die("a record of type %u cannot be given", (unsigned)r->type);
}

static void
put_record(struct buf *to, const struct dnsmsg_given *r)
{
	struct buf data = BUF_INIT(KIB(1));

	put_name(to, str_c(r->name));
	put16(to, (unsigned)r->type);
	put16(to, DNSMSG_CLASS_IN);
	put32(to, r->ttl);
	put_data(&data, r);
	put16(to, (unsigned)data.n);
	buf_put_str(to, buf_str(&data));
	buf_done(&data);
}

static void
put_edns(struct buf *to, unsigned rcode)
{
	buf_put_char(to, '\0');
	put16(to, TYPE_OPT);
	put16(to, DNSMSG_MAX);
	put16(to, (rcode >> 4) << 8);
	put16(to, 0);
	put16(to, 0);
}

void
dnsmsg_answer_put(struct buf *to, const struct dnsmsg_question *q,
    const struct dnsmsg_answer *a)
{
	unsigned flags = get16(q->head, 2) & (FLAG_OPCODE | FLAG_RD);

	buf_put_str(to, str_first(q->head, 2));
	put16(to, FLAG_QR | flags | (a->is_authoritative ? FLAG_AA : 0) |
		      (a->rcode & 15));
	put16(to, q->raw.n > 0);
	put16(to, (unsigned)a->n);
	put16(to, a->soa != NULL);
	put16(to, q->has_edns);
	buf_put_str(to, q->raw);
	for (size_t i = 0; i < a->n; i++)
		put_record(to, a->records[i]);
	if (a->soa != NULL)
		put_record(to, a->soa);
	if (q->has_edns)
		put_edns(to, a->rcode);
}
