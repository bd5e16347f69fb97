/* SPDX-License-Identifier: ISC */
/* agent_page.c - pages of results. See agent_page.h. */
#include "proto/agent/agent_page.h"

#include "base/hash.h"

#define HEAD_BYTES  56
#define USED_AT     4
#define COUNT_AT    6
#define CHECKSUM_AT 48

static void
put16(uint8_t *to, uint16_t v)
{
	to[0] = (uint8_t)v;
	to[1] = (uint8_t)(v >> 8);
}

static void
put64(uint8_t *to, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t
checksum(const uint8_t *bytes)
{
	return hash64_seed(bytes + HEAD_BYTES, AGENT_PAGE_BYTES - HEAD_BYTES,
	    hash64(bytes, CHECKSUM_AT));
}

static void
seal(uint8_t *bytes)
{
	put64(bytes + CHECKSUM_AT, checksum(bytes));
}

void
agent_page_init(uint8_t *bytes, const struct agent_page *p)
{
	const uint64_t head[] = { p->number, p->first, p->boot, p->base_ms,
		p->wall_ms };

	memset(bytes, 0, AGENT_PAGE_BYTES);
	bytes[0] = 'm';
	bytes[1] = 'a';
	bytes[2] = AGENT_PAGE_VERSION;
	put16(bytes + USED_AT, HEAD_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		put64(bytes + 8 + 8 * i, head[i]);
	seal(bytes);
}

/* What stands in the head, looked at or not. */
static struct agent_page
head_of(const uint8_t *bytes)
{
	struct wire w =
	    wire_read(str_make(bytes + USED_AT, CHECKSUM_AT - USED_AT));
	struct agent_page p = { 0 };

	p.used = wire_get_u16(&w);
	p.n = wire_get_u16(&w);
	p.number = wire_get_u64(&w);
	p.first = wire_get_u64(&w);
	p.boot = wire_get_u64(&w);
	p.base_ms = wire_get_u64(&w);
	p.wall_ms = wire_get_u64(&w);
	return p;
}

bool
agent_page_add(uint8_t *bytes, const struct agent_kept *k)
{
	struct agent_page p = head_of(bytes);
	struct buf one = BUF_INIT(KIB(1));
	bool fits;

	ASSERT(k->ended_ms >= p.base_ms && k->key.n > 0 &&
	       k->key.n <= AGENT_KEPT_KEY_MAX);
	wire_put_vstr(&one, k->key);
	wire_put_varint(&one, k->ended_ms - p.base_ms);
	wire_put_varint(&one, k->took_ms);
	wire_put_u8(&one, k->outcome);
	wire_put_u8(&one, k->cause);
	wire_put_varint(&one, k->us);
	wire_put_u16(&one, k->days);
	wire_put_vstr(&one, str_first(k->text, AGENT_KEPT_TEXT_MAX));
	fits = one.n <= (size_t)(AGENT_PAGE_BYTES - p.used);
	if (fits) {
		memcpy(bytes + p.used, one.p, one.n);
		put16(bytes + USED_AT, (uint16_t)(p.used + one.n));
		put16(bytes + COUNT_AT, (uint16_t)(p.n + 1));
		seal(bytes);
	}
	buf_done(&one);
	return fits;
}

bool
agent_page_next(const uint8_t *bytes, const struct agent_page *p, size_t *at,
    struct agent_kept *ret)
{
	size_t from = MAX(*at, (size_t)HEAD_BYTES);
	struct agent_kept k = { 0 };
	struct wire w;
	uint64_t after;

	if (from >= p->used)
		return false;
	w = wire_read(str_make(bytes + from, p->used - from));
	k.key = wire_get_vstr(&w);
	after = wire_get_varint(&w);
	k.took_ms = wire_get_v32(&w);
	k.outcome = wire_get_u8(&w);
	k.cause = wire_get_u8(&w);
	k.us = wire_get_v32(&w);
	k.days = wire_get_u16(&w);
	k.text = wire_get_vstr(&w);
	if (w.failed || k.key.n == 0 || k.key.n > AGENT_KEPT_KEY_MAX ||
	    k.text.n > AGENT_KEPT_TEXT_MAX || after > UINT64_MAX - p->base_ms)
		return false;
	k.ended_ms = p->base_ms + after;
	*at = p->used - w.in.n;
	*ret = k;
	return true;
}

bool
agent_page_read(const uint8_t *bytes, struct agent_page *ret)
{
	struct wire w = wire_read(str_make(bytes + CHECKSUM_AT, 8));
	struct agent_page p = head_of(bytes);
	struct agent_kept k;
	size_t at = 0, n = 0;

	if (bytes[0] != 'm' || bytes[1] != 'a' ||
	    bytes[2] != AGENT_PAGE_VERSION || bytes[3] != 0 ||
	    p.used < HEAD_BYTES || p.used > AGENT_PAGE_BYTES || p.number == 0 ||
	    p.first == 0 || wire_get_u64(&w) != checksum(bytes))
		return false;
	while (agent_page_next(bytes, &p, &at, &k))
		n++;
	if (n != p.n || MAX(at, (size_t)HEAD_BYTES) != p.used)
		return false;
	*ret = p;
	return true;
}
