/* SPDX-License-Identifier: ISC */
/* dnsupdate_reply.c - read replies. See dnsupdate_message.h. */
#include "proto/dnsupdate/dnsupdate_message.h"

#include "base/wire.h"

#define IS_REPLY         0x8000
#define IS_AUTHORITATIVE 0x0400
#define IS_CUT           0x0200

/* A cursor over a message; once failed, everything is zero. */
struct cursor {
	struct str message;
	size_t at;
	struct arena *arena;
	bool failed;
};

static struct str
get_bytes(struct cursor *c, size_t n)
{
	struct str bytes = str_sub(c->message, c->at, n);

	if (c->failed || bytes.n < n) {
		c->failed = true;
		return STR_NONE;
	}
	c->at += n;
	return bytes;
}

static uint64_t
get_number(struct cursor *c, size_t n)
{
	struct str bytes = get_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < bytes.n; i++)
		v = v << 8 | (unsigned char)bytes.p[i];
	return v;
}

static unsigned
get_u16(struct cursor *c)
{
	return (unsigned)get_number(c, 2);
}

static struct str
get_name(struct cursor *c)
{
	struct buf text = BUF_INIT(DNSUPDATE_TEXT_MAX);
	struct str name = STR_NONE;

	if (!c->failed)
		c->failed = !dnsupdate_name_read(c->message, &c->at, &text) ||
		            !arena_str(c->arena, buf_str(&text), &name);
	buf_done(&text);
	return name;
}

/* --- data with names in it ------------------------------------------------------- */

static void
copy_name(struct cursor *c, struct buf *to)
{
	struct str name = get_name(c);

	if (!c->failed)
		c->failed = !dnsupdate_name_put(name, to);
}

/* Names that may be compressed stand in data of these types: bytes in front
 * of them, how many there are, and bytes behind. */
static bool
shape_of(
    unsigned type, size_t *ret_before, size_t *ret_names, size_t *ret_behind)
{
	*ret_before = *ret_behind = 0;
	*ret_names = 1;
	switch (type) {
	case DNSUPDATE_TYPE_NS:
	case DNSUPDATE_TYPE_CNAME:
	case DNSUPDATE_TYPE_PTR:
		return true;
	case DNSUPDATE_TYPE_MX:
		*ret_before = 2;
		return true;
	case DNSUPDATE_TYPE_SRV:
		*ret_before = 6;
		return true;
	case DNSUPDATE_TYPE_SOA:
		*ret_names = 2;
		*ret_behind = 20;
		return true;
	default:
		return false;
	}
}

/* The data of n bytes at the cursor. */
static struct str
get_data(struct cursor *c, unsigned type, size_t n)
{
	struct buf plain = BUF_INIT(KIB(1));
	size_t before, names, behind, end = c->at + n;
	struct str data = STR_NONE;

	if (!shape_of(type, &before, &names, &behind) || n == 0)
		return get_bytes(c, n);
	buf_put_str(&plain, get_bytes(c, before));
	while (names--)
		copy_name(c, &plain);
	buf_put_str(&plain, get_bytes(c, behind));
	if (plain.failed || c->at != end ||
	    !arena_str(c->arena, buf_str(&plain), &data))
		c->failed = true;
	buf_done(&plain);
	return data;
}

bool
dnsupdate_read_soa(struct str data, struct buf *primary, uint32_t *ret_serial)
{
	struct buf mailbox = BUF_INIT(DNSUPDATE_TEXT_MAX);
	size_t at = 0;
	bool ok = dnsupdate_name_read(data, &at, primary) &&
	          dnsupdate_name_read(data, &at, &mailbox) && data.n - at == 20;

	if (ok)
		*ret_serial = be32_get(data.p + at);
	buf_done(&mailbox);
	return ok;
}

/* --- records ------------------------------------------------------------------- */

static void
get_record(struct cursor *c, struct dnsupdate_record *ret)
{
	size_t n;

	ret->name = get_name(c);
	ret->type = get_u16(c);
	ret->class = get_u16(c);
	ret->ttl = (uint32_t)get_number(c, 4);
	n = get_u16(c);
	ret->data = get_data(c, ret->type, n);
}

static struct dnsupdate_record *
get_section(struct cursor *c, size_t n)
{
	struct dnsupdate_record *v =
	    c->failed ? NULL : arena_calloc(c->arena, MAX(n, 1), sizeof(*v));

	c->failed = !v;
	for (size_t i = 0; i < n && !c->failed; i++) {
		get_record(c, &v[i]);
		/* A TSIG record is the last of the last section. */
		if (v[i].type == DNSUPDATE_TYPE_TSIG)
			c->failed = true;
	}
	return v;
}

static void
get_tsig(struct cursor *c, struct dnsupdate_tsig *ret)
{
	size_t end;

	ret->key = get_name(c);
	get_u16(c); /* the type, which was seen */
	if (get_u16(c) != DNSUPDATE_CLASS_ANY || get_number(c, 4) != 0)
		c->failed = true;
	end = get_u16(c);
	end += c->at;
	ret->algorithm = get_name(c);
	ret->time = get_number(c, 6);
	ret->fudge = get_u16(c);
	ret->mac = get_bytes(c, get_u16(c));
	ret->original_id = get_u16(c);
	ret->error = get_u16(c);
	ret->other = get_bytes(c, get_u16(c));
	if (c->at != end)
		c->failed = true;
}

/* What is there besides is of no use to us, but for the last. */
static void
get_additional(struct cursor *c, size_t n, struct dnsupdate_reply *ret)
{
	struct dnsupdate_record skipped;

	while (n-- && !c->failed) {
		struct cursor start = *c;

		get_record(c, &skipped);
		if (c->failed || skipped.type != DNSUPDATE_TYPE_TSIG)
			continue;
		ret->has_tsig = true;
		ret->tsig_at = start.at;
		*c = start;
		get_tsig(c, &ret->tsig);
		if (n > 0)
			c->failed = true;
	}
}

bool
dnsupdate_reply_parse(
    struct str message, struct arena *arena, struct dnsupdate_reply *ret)
{
	struct cursor c = { .message = message, .arena = arena };
	struct dnsupdate_reply r = { .id = get_u16(&c) };
	unsigned flags = get_u16(&c);
	size_t n_questions = get_u16(&c), n_additional;

	r.opcode = flags >> 11 & 15;
	r.rcode = flags & 15;
	r.is_authoritative = flags & IS_AUTHORITATIVE;
	r.is_cut = flags & IS_CUT;
	r.n_answer = get_u16(&c);
	r.n_authority = get_u16(&c);
	n_additional = get_u16(&c);
	if (!(flags & IS_REPLY) || n_questions > 1 ||
	    r.n_answer + r.n_authority + n_additional > DNSUPDATE_RECORDS_MAX)
		return false;
	if (n_questions) {
		get_name(&c);
		get_number(&c, 4);
	}
	r.answer = get_section(&c, r.n_answer);
	r.authority = get_section(&c, r.n_authority);
	get_additional(&c, n_additional, &r);
	if (c.failed || c.at != message.n)
		return false;
	*ret = r;
	return true;
}
