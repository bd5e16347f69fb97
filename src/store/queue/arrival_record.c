/* SPDX-License-Identifier: ISC */
/*
 * arrival_record.c - see arrival_record.h.
 */
#include "store/queue/arrival_record.h"

/* --- keys ------------------------------------------------------------------- */

struct queue_key
akey_from(uint64_t message)
{
	return qkey_id('I', message);
}

struct queue_key
akey_part(uint64_t message, uint32_t part)
{
	struct queue_key k = akey_from(message);

	be32_put(k.b + k.n, part);
	k.n += 4;
	return k;
}

struct queue_key
akey_lookup(struct str text, uint64_t message)
{
	struct queue_key k = qkey_lookup(text, message);

	k.b[0] = 'J';
	return k;
}

struct queue_key
akey_lookup_of(uint8_t flags, struct str text, uint64_t message)
{
	return flags & ARRIVAL_IS_ALL ? akey_lookup(text, message)
	                              : qkey_lookup(text, message);
}

bool
akey_read_part(struct str key, uint64_t *ret_message, uint32_t *ret_part)
{
	if (key.n != 13 || key.p[0] != 'I')
		return false;
	*ret_message = be64_get(key.p + 1);
	*ret_part = be32_get(key.p + 9);
	return true;
}

bool
akey_read_lookup(struct str key, uint64_t *ret_hash, uint64_t *ret_message)
{
	if (key.n != 17 || key.p[0] != 'J')
		return false;
	*ret_hash = be64_get(key.p + 1);
	*ret_message = be64_get(key.p + 9);
	return true;
}

/* --- records ---------------------------------------------------------------- */

void
arrival_copy_put(struct buf *b, const struct arrival_copy *c)
{
	wire_put_vstr(b, c->address);
	wire_put_vstr(b, c->login);
	wire_put_u8(b, c->flags);
}

bool
arrival_copy_read(struct wire *w, struct arrival_copy *ret)
{
	struct arrival_copy c;

	if (w->in.n == 0)
		return false;
	c.address = wire_get_vstr(w);
	c.login = wire_get_vstr(w);
	c.flags = wire_get_u8(w);
	if (w->failed)
		return false;
	*ret = c;
	return true;
}

/* Every copy can be read. */
static bool
are_copies(struct str copies, uint32_t max)
{
	struct wire w = wire_read(copies);
	struct arrival_copy c;
	uint32_t n = 0;

	while (arrival_copy_read(&w, &c))
		n++;
	return wire_is_complete(&w) && n <= max;
}

void
arrival_record_encode(struct buf *b, const struct arrival_record *r)
{
	wire_put_u8(b, ARRIVAL_VERSION);
	wire_put_u8(b, r->flags);
	wire_put_vstr(b, r->trace);
	wire_put_vstr(b, r->mail_from);
	wire_put_vstr(b, r->login);
	wire_put_varint(b, r->size);
	wire_put_varint(b, r->arrival_ms);
	wire_put_varint(b, r->n_copies);
	wire_put_vstr(b, r->service);
	wire_put_vstr(b, r->client);
	wire_put_vstr(b, r->ip);
	wire_put_vstr(b, r->tls);
	wire_put_vstr(b, r->results);
	wire_put_vstr(b, r->copies);
}

bool
arrival_record_decode(struct str val, struct arrival_record *ret)
{
	struct wire w = wire_read_version(val, ARRIVAL_VERSION);
	struct arrival_record r = { .flags = wire_get_u8(&w) };

	r.trace = wire_get_vstr(&w);
	r.mail_from = wire_get_vstr(&w);
	r.login = wire_get_vstr(&w);
	r.size = wire_get_varint(&w);
	r.arrival_ms = wire_get_varint(&w);
	r.n_copies = wire_get_v32(&w);
	r.service = wire_get_vstr(&w);
	r.client = wire_get_vstr(&w);
	r.ip = wire_get_vstr(&w);
	r.tls = wire_get_vstr(&w);
	r.results = wire_get_vstr(&w);
	r.copies = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || !are_copies(r.copies, r.n_copies))
		return false;
	*ret = r;
	return true;
}

void
arrival_part_encode(struct buf *b, struct str copies)
{
	wire_put_u8(b, ARRIVAL_VERSION);
	wire_put_vstr(b, copies);
}

bool
arrival_part_decode(struct str val, struct str *ret_copies)
{
	struct wire w = wire_read_version(val, ARRIVAL_VERSION);
	struct str copies = wire_get_vstr(&w);

	if (!wire_is_complete(&w) || !are_copies(copies, ARRIVAL_COPIES_MAX))
		return false;
	*ret_copies = copies;
	return true;
}
