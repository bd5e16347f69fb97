/* SPDX-License-Identifier: ISC */
/*
 * usage.c - the counts of an account, and what is too much. See usage.h.
 */
#include "store/limit/usage.h"

#define DAY_S      86400U
#define DAYS_COUNT 255U

uint32_t
usage_day_of(uint64_t seconds)
{
	return (uint32_t)MIN(seconds / DAY_S, UINT32_MAX);
}

void
usage_set_day(struct usage *u, uint32_t day)
{
	uint32_t by;

	if (day <= u->day)
		return;
	by = u->day ? MIN(day - u->day, USAGE_DAYS) : USAGE_DAYS;
	memmove(u->past + by, u->past, (USAGE_DAYS - by) * sizeof(u->past[0]));
	memset(u->past, 0, by * sizeof(u->past[0]));
	if (u->day && day - u->day <= USAGE_DAYS)
		u->past[day - u->day - 1] = u->today;
	u->day = day;
	u->messages = u->recipients = 0;
	u->today = u->forgiven = (struct usage_day){ 0, 0 };
}

struct usage_day
usage_largest(const struct usage *u)
{
	struct usage_day d = { 0, 0 };

	for (size_t i = 0; i < USAGE_DAYS; i++) {
		d.counted = MAX(d.counted, u->past[i].counted);
		d.first = MAX(d.first, u->past[i].first);
	}
	return d;
}

static uint32_t
sum(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static bool
is_over(uint32_t n, uint64_t limit, uint32_t *ret_found, uint32_t *ret_limit)
{
	if (limit == 0 || n <= limit)
		return false;
	*ret_found = n;
	*ret_limit = (uint32_t)limit;
	return true;
}

enum usage_why
usage_judge(const struct usage *u, const struct usage_limits *l,
    const struct usage_day *message, uint32_t *ret_found, uint32_t *ret_limit)
{
	uint32_t counted =
	    sum(u->today.counted - u->forgiven.counted, message->counted);
	uint32_t first =
	    sum(u->today.first - u->forgiven.first, message->first);
	struct usage_day largest = usage_largest(u);
	uint64_t floor = l->surge_floor;

	if (is_over(first, l->first, ret_found, ret_limit))
		return USAGE_FIRST_TIME;
	if (is_over(counted, l->recipients, ret_found, ret_limit))
		return USAGE_RECIPIENTS;
	if (floor == 0 || u->first_day == 0 ||
	    u->day - u->first_day < USAGE_LEARN_DAYS)
		return USAGE_WITHIN;
	if (is_over(first, MAX(floor, (uint64_t)USAGE_SURGE * largest.first),
		ret_found, ret_limit))
		return USAGE_SURGE_FIRST;
	if (is_over(counted,
		USAGE_SURGE * MAX(floor, (uint64_t)largest.counted), ret_found,
		ret_limit))
		return USAGE_SURGE_RECIPIENTS;
	return USAGE_WITHIN;
}

void
usage_add(struct usage *u, uint32_t recipients, const struct usage_day *message)
{
	if (u->first_day == 0)
		u->first_day = u->day;
	u->messages = sum(u->messages, 1);
	u->recipients = sum(u->recipients, recipients);
	u->today.counted = sum(u->today.counted, message->counted);
	u->today.first = sum(u->today.first, message->first);
}

void
usage_release(struct usage *u)
{
	u->forgiven = u->today;
	u->state = USAGE_OPEN;
	u->why = USAGE_WITHIN;
	u->found = u->limit = 0;
	u->since = 0;
}

void
usage_disown(struct usage *u)
{
	uint32_t since = u->since ? usage_day_of(u->since) : u->day;

	u->messages = u->recipients = 0;
	u->today = u->forgiven = (struct usage_day){ 0, 0 };
	for (uint32_t i = 0; i < USAGE_DAYS && u->day - i - 1 >= since; i++)
		u->past[i] = u->today;
}

bool
usage_is_idle(const struct usage *u)
{
	struct usage_day largest = usage_largest(u);

	return u->state == USAGE_OPEN && u->known == 0 && u->recipients == 0 &&
	       u->max_recipients == 0 && u->max_first == 0 &&
	       largest.counted == 0 && largest.first == 0;
}

bool
usage_count(const struct usage_known *k, uint32_t day, struct usage_day *to,
    struct usage_known *ret)
{
	bool is_later = !k || k->day < day;

	if (!k || !is_later || k->days < USAGE_REGULAR_DAYS)
		to->counted++;
	if (!k)
		to->first++;
	if (!is_later)
		return false;
	ret->day = day;
	ret->days = k ? MIN(k->days + 1, DAYS_COUNT) : 1;
	return true;
}

/* --- words ----------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
} reasons[] = {
	[USAGE_WITHIN] = { "", "within limits" },
	[USAGE_RECIPIENTS] = { "recipients", "recipients today" },
	[USAGE_FIRST_TIME] = { "first-time", "first-time recipients today" },
	[USAGE_SURGE_FIRST] = { "surge-first-time",
	    "sudden change, first-time recipients today" },
	[USAGE_SURGE_RECIPIENTS] = { "surge-recipients",
	    "sudden change, recipients today" },
	[USAGE_ALREADY] = { "held", "the account is held" },
};

const char *
usage_why_name(enum usage_why why)
{
	return reasons[why].name;
}

void
usage_text(struct buf *b, enum usage_why why, uint64_t found, uint64_t limit)
{
	buf_put_c(b, reasons[why].text);
	if (limit)
		buf_printf(b, ": %llu, limit %llu", (unsigned long long)found,
		    (unsigned long long)limit);
}

/* --- records ---------------------------------------------------------------------- */

static void
put_day(struct buf *b, const struct usage_day *d)
{
	wire_put_varint(b, d->counted);
	wire_put_varint(b, d->first);
}

static void
get_day(struct wire *w, struct usage_day *d)
{
	d->counted = wire_get_v32(w);
	d->first = wire_get_v32(w);
}

void
usage_encode(struct buf *b, const struct usage *u)
{
	uint32_t n = USAGE_DAYS;

	while (n && u->past[n - 1].counted == 0 && u->past[n - 1].first == 0)
		n--;
	wire_put_u8(b, USAGE_RECORD_VERSION);
	wire_put_varint(b, u->day);
	wire_put_varint(b, u->first_day);
	wire_put_varint(b, u->messages);
	wire_put_varint(b, u->recipients);
	put_day(b, &u->today);
	put_day(b, &u->forgiven);
	wire_put_u8(b, (uint8_t)u->state);
	wire_put_u8(b, (uint8_t)u->why);
	wire_put_varint(b, u->since);
	wire_put_varint(b, u->found);
	wire_put_varint(b, u->limit);
	wire_put_varint(b, u->told_day);
	wire_put_varint(b, u->known);
	wire_put_varint(b, u->max_recipients);
	wire_put_varint(b, u->max_first);
	wire_put_varint(b, n);
	for (uint32_t i = 0; i < n; i++)
		put_day(b, &u->past[i]);
}

bool
usage_decode(struct str val, struct usage *ret)
{
	struct wire w = wire_read_version(val, USAGE_RECORD_VERSION);
	struct usage u = { 0 };
	uint8_t state, why;
	uint32_t n;

	u.day = wire_get_v32(&w);
	u.first_day = wire_get_v32(&w);
	u.messages = wire_get_v32(&w);
	u.recipients = wire_get_v32(&w);
	get_day(&w, &u.today);
	get_day(&w, &u.forgiven);
	state = wire_get_u8(&w);
	why = wire_get_u8(&w);
	u.since = wire_get_varint(&w);
	u.found = wire_get_v32(&w);
	u.limit = wire_get_v32(&w);
	u.told_day = wire_get_v32(&w);
	u.known = wire_get_v32(&w);
	u.max_recipients = wire_get_varint(&w);
	u.max_first = wire_get_varint(&w);
	n = wire_get_v32(&w);
	for (uint32_t i = 0; i < MIN(n, USAGE_DAYS); i++)
		get_day(&w, &u.past[i]);
	if (!wire_is_complete(&w) || n > USAGE_DAYS || state > USAGE_BLOCKED ||
	    why > USAGE_ALREADY || u.forgiven.counted > u.today.counted ||
	    u.forgiven.first > u.today.first || u.first_day > u.day)
		return false;
	u.state = (enum usage_state)state;
	u.why = (enum usage_why)why;
	*ret = u;
	return true;
}

void
usage_known_encode(struct buf *b, const struct usage_known *k)
{
	wire_put_u8(b, USAGE_RECORD_VERSION);
	wire_put_varint(b, k->day);
	wire_put_u8(b, (uint8_t)k->days);
}

bool
usage_known_decode(struct str val, struct usage_known *ret)
{
	struct wire w = wire_read_version(val, USAGE_RECORD_VERSION);
	struct usage_known k = { 0 };

	k.day = wire_get_v32(&w);
	k.days = wire_get_u8(&w);
	if (!wire_is_complete(&w) || k.days == 0)
		return false;
	*ret = k;
	return true;
}

void
usage_limits_encode(struct buf *b, const struct usage_limits *l)
{
	wire_put_u8(b, USAGE_RECORD_VERSION);
	wire_put_varint(b, l->recipients);
	wire_put_varint(b, l->first);
}

bool
usage_limits_decode(struct str val, struct usage_limits *ret)
{
	struct wire w = wire_read_version(val, USAGE_RECORD_VERSION);
	struct usage_limits l = { 0 };

	l.recipients = wire_get_varint(&w);
	l.first = wire_get_varint(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = l;
	return true;
}
