/* SPDX-License-Identifier: ISC */
/* dnsupdate_tsig.c - sign messages, check replies. See dnsupdate_tsig.h. */
#include "proto/dnsupdate/dnsupdate_tsig.h"

#include "base/wire.h"

#define COUNT_AT 10 /* of additional records, in the header */

static void
put_u48(struct buf *to, uint64_t v)
{
	dnsupdate_put_u16(to, (unsigned)(v >> 32 & 0xffff));
	dnsupdate_put_u32(to, (uint32_t)v);
}

/* A name that is known to be one. */
static void
put_name(struct buf *to, struct str text)
{
	if (!dnsupdate_name_put(text, to))
		to->failed = true;
}

/* RFC 8945 section 4.3.3. */
static void
put_variables(struct buf *to, const struct dnsupdate_tsig *t)
{
	put_name(to, t->key);
	dnsupdate_put_u16(to, DNSUPDATE_CLASS_ANY);
	dnsupdate_put_u32(to, 0);
	put_name(to, t->algorithm);
	put_u48(to, t->time);
	dnsupdate_put_u16(to, t->fudge);
	dnsupdate_put_u16(to, t->error);
	dnsupdate_put_u16(to, (unsigned)t->other.n);
	buf_put_str(to, t->other);
}

static void
put_record(struct buf *to, const struct dnsupdate_tsig *t)
{
	struct buf data = BUF_INIT(KIB(4));

	put_name(&data, t->algorithm);
	put_u48(&data, t->time);
	dnsupdate_put_u16(&data, t->fudge);
	dnsupdate_put_u16(&data, (unsigned)t->mac.n);
	buf_put_str(&data, t->mac);
	dnsupdate_put_u16(&data, t->original_id);
	dnsupdate_put_u16(&data, t->error);
	dnsupdate_put_u16(&data, (unsigned)t->other.n);
	buf_put_str(&data, t->other);
	put_name(to, t->key);
	dnsupdate_put_u16(to, DNSUPDATE_TYPE_TSIG);
	dnsupdate_put_u16(to, DNSUPDATE_CLASS_ANY);
	dnsupdate_put_u32(to, 0);
	dnsupdate_put_u16(to, (unsigned)data.n);
	buf_put_str(to, buf_str(&data));
	to->failed = to->failed || data.failed;
	buf_done(&data);
}

static unsigned
u16_at(struct str s, size_t at)
{
	return (unsigned)(unsigned char)s.p[at] << 8 |
	       (unsigned char)s.p[at + 1];
}

static void
set_u16(struct buf *b, size_t at, unsigned v)
{
	b->p[at] = (char)(v >> 8);
	b->p[at + 1] = (char)v;
}

bool
dnsupdate_sign(const struct dnsupdate_key *k, uint64_t now, struct buf *message,
    struct crypt_sum *ret_mac)
{
	struct buf signed_part = BUF_INIT(KIB(128));
	struct crypt_sum mac;
	struct dnsupdate_tsig t = { .key = str_c(k->name),
		.algorithm = str_c(dnsupdate_algorithm_name(k->mac)),
		.time = now,
		.fudge = DNSUPDATE_FUDGE,
		.original_id = u16_at(buf_str(message), 0) };

	buf_put_str(&signed_part, buf_str(message));
	put_variables(&signed_part, &t);
	crypt_hmac_with(
	    k->mac, secret_str(&k->secret), buf_str(&signed_part), &mac);
	t.mac = crypt_sum_str(&mac);
	put_record(message, &t);
	set_u16(message, COUNT_AT, u16_at(buf_str(message), COUNT_AT) + 1);
	message->failed = message->failed || signed_part.failed;
	buf_done(&signed_part);
	*ret_mac = mac;
	return !message->failed;
}

/* The MAC that a reply ought to have (RFC 8945 section 5.3). */
static void
expected_mac(const struct dnsupdate_key *k, struct str message,
    const struct dnsupdate_reply *r, const struct crypt_sum *request_mac,
    struct crypt_sum *ret)
{
	struct buf b = BUF_INIT(KIB(256));
	size_t start;

	dnsupdate_put_u16(&b, (unsigned)request_mac->n);
	buf_put_str(&b, crypt_sum_str(request_mac));
	start = b.n;
	buf_put_str(&b, str_first(message, r->tsig_at));
	set_u16(&b, start, r->tsig.original_id);
	set_u16(&b, start + COUNT_AT, u16_at(message, COUNT_AT) - 1);
	put_variables(&b, &r->tsig);
	crypt_hmac_with(k->mac, secret_str(&k->secret), buf_str(&b), ret);
	buf_done(&b);
}

enum dnsupdate_verdict
dnsupdate_verify(const struct dnsupdate_key *k, uint64_t now,
    struct str message, const struct dnsupdate_reply *r,
    const struct crypt_sum *request_mac)
{
	const struct dnsupdate_tsig *t = &r->tsig;
	struct crypt_sum mac;
	uint64_t apart;

	if (!r->has_tsig || t->mac.n == 0)
		return DNSUPDATE_NOT_SIGNED;
	if (!str_eq(t->key, str_c(k->name)) ||
	    !str_eq(t->algorithm, str_c(dnsupdate_algorithm_name(k->mac))))
		return DNSUPDATE_OTHER_KEY;
	expected_mac(k, message, r, request_mac, &mac);
	if (!str_eq_constant_time(t->mac, crypt_sum_str(&mac)))
		return DNSUPDATE_BAD_SIGNATURE;
	/* The time of a BADTIME reply is that of the request. */
	apart = t->time > now ? t->time - now : now - t->time;
	return apart > t->fudge ? DNSUPDATE_OTHER_TIME : DNSUPDATE_SIGNED;
}

bool
dnsupdate_server_time(const struct dnsupdate_tsig *t, uint64_t *ret)
{
	if (t->error != DNSUPDATE_BADTIME || t->other.n != 6)
		return false;
	*ret = (uint64_t)u16_at(t->other, 0) << 32 | be32_get(t->other.p + 2);
	return true;
}
