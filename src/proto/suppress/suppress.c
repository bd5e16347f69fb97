/* SPDX-License-Identifier: ISC */
/* suppress.c - recipients who are not there. See suppress.h. */
#include "proto/suppress/suppress.h"

#define ROW_VERSION 1

bool
suppress_key(struct str address, struct buf *to)
{
	if (address.n == 0 || address.n > SUPPRESS_KEY_MAX)
		return false;
	for (size_t i = 0; i < address.n; i++)
		buf_put_char(to, ascii_lower(address.p[i]));
	return !to->failed;
}

bool
suppress_is_on(const struct suppress_row *r, uint64_t now)
{
	if (r->state == SUPPRESS_COUNTING)
		return false;
	return r->until == 0 || now < r->until;
}

bool
suppress_refused(const struct suppress_rule *rule,
    const struct suppress_row *was, uint64_t now, uint64_t message,
    struct suppress_row *ret)
{
	struct suppress_row r = { .first = now };
	bool was_on;

	if (rule->messages == 0)
		return false;
	if (was) {
		if (was->state == SUPPRESS_MANUAL || was->message == message)
			return false;
		r = *was;
	}
	was_on = r.state == SUPPRESS_ON;
	r.last = now;
	r.message = message;
	if (r.messages < UINT32_MAX)
		r.messages++;
	if (was_on)
		r.level = MIN(r.level + 1, SUPPRESS_LEVEL_MAX);
	if (was_on || (r.messages >= rule->messages &&
			  now - MIN(r.first, now) >= rule->apart_s)) {
		r.state = SUPPRESS_ON;
		if (r.since == 0)
			r.since = now;
		r.until = now + (rule->while_s << r.level);
	}
	*ret = r;
	return true;
}

uint64_t
suppress_row_until(const struct suppress_row *r)
{
	if (r->state == SUPPRESS_MANUAL)
		return r->until;
	return MAX(r->last, r->until) + SUPPRESS_REMEMBER_S;
}

void
suppress_encode(const struct suppress_row *r, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, (uint8_t)r->state);
	wire_put_varint(to, r->messages);
	wire_put_varint(to, r->first);
	wire_put_varint(to, r->last);
	wire_put_varint(to, r->since);
	wire_put_varint(to, r->until);
	wire_put_varint(to, r->level);
	wire_put_u64(to, r->message);
	wire_put_vstr(to, str_first(r->reply, SUPPRESS_REPLY_MAX));
}

bool
suppress_decode(struct str value, struct suppress_row *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	uint8_t state = wire_get_u8(&w);
	struct suppress_row r = { 0 };

	r.messages = wire_get_v32(&w);
	r.first = wire_get_varint(&w);
	r.last = wire_get_varint(&w);
	r.since = wire_get_varint(&w);
	r.until = wire_get_varint(&w);
	r.level = wire_get_v32(&w);
	r.message = wire_get_u64(&w);
	r.reply = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || state > SUPPRESS_MANUAL ||
	    r.level > SUPPRESS_LEVEL_MAX)
		return false;
	r.state = (enum suppress_state)state;
	*ret = r;
	return true;
}
