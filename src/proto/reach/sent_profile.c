/* SPDX-License-Identifier: ISC */
/* sent_profile.c - what is usual of mail to a receiver. See sent_profile.h. */
#include "proto/reach/sent_profile.h"

#include "base/hash.h"

#define FORM        1
#define CHECKSUM_AT 12
#define HOURS_AT    64
#define ONE         256 /* a step */
#define ODD_WEIGHT  4   /* an odd hour weighs one part in so many */
#define SLOWLY      0.01
#define SHARE       65536.0

_Static_assert(
    HOURS_AT + REACH_HOURS * (1 + SENT_STAGES * 4) <= SENT_PROFILE_BYTES,
    "a page holds a week");

void
sent_profile_init(struct sent_profile *p, struct str name)
{
	*p = (struct sent_profile){ 0 };
	ASSERT(name.n <= SENT_NAME_MAX);
	if (name.n > 0)
		memcpy(p->name, name.p, name.n);
}

/* --- learning ------------------------------------------------------------------- */

/* A new value is at a step; what was learned so far moves towards it. */
static uint16_t
move(uint16_t old, uint64_t ms, double weight)
{
	double now = sent_step_of(ms) * (double)ONE;

	if (old == 0)
		weight = 1;
	return (uint16_t)(old + (now - old) * weight + 0.5);
}

static void
learn_times(struct sent_hour *h, const struct sent_cell *c, bool is_odd)
{
	double weight = 1.0 / MIN(h->weeks + 1, REACH_WEEKS);

	/* The first week has to be believed. */
	if (is_odd && h->weeks > 0)
		weight /= ODD_WEIGHT;
	for (size_t s = 0; s < SENT_STAGES; s++) {
		const struct sent_hist *t = &c->stages[s];

		if (sent_hist_total(t) == 0)
			continue;
		h->p50[s] = move(h->p50[s], sent_hist_ms(t, 500), weight);
		h->p95[s] = move(h->p95[s], sent_hist_ms(t, 950), weight);
	}
	h->weeks = (uint8_t)MIN(h->weeks + 1, UINT8_MAX);
}

void
sent_profile_learn(struct sent_profile *p, uint64_t hour,
    const struct sent_cell *c, bool is_odd)
{
	uint64_t done = sent_hist_total(&c->stages[SENT_WHOLE]);
	double tried = (double)done + c->refused, weight;

	if (hour <= p->hour)
		return;
	p->hour = hour;
	if (done >= SENT_LEARN_MIN)
		learn_times(&p->hours[reach_hour_of_week(hour)], c, is_odd);
	if (tried < 1)
		return;
	weight = MIN(SLOWLY * tried / SENT_LEARN_MIN, SLOWLY * 5);
	if (is_odd)
		weight /= ODD_WEIGHT;
	p->refusing =
	    (uint32_t)(p->refusing +
		       (c->refused / tried * SHARE - p->refusing) * weight +
		       0.5);
}

/* Between where two steps end. */
static uint64_t
ms_of(uint16_t at)
{
	unsigned step = at / ONE;
	uint64_t from, to;

	if (step >= SENT_STEPS - 1)
		return sent_step_end(SENT_STEPS - 1);
	from = sent_step_end(step);
	to = sent_step_end(step + 1);
	return from + (to - from) * (at % ONE) / ONE;
}

bool
sent_profile_usual(const struct sent_profile *p, uint64_t hour,
    enum sent_stage stage, struct sent_usual *ret)
{
	const struct sent_hour *h = &p->hours[reach_hour_of_week(hour)];

	if (h->weeks < REACH_WEEKS_MIN)
		return false;
	*ret =
	    (struct sent_usual){ ms_of(h->p50[stage]), ms_of(h->p95[stage]) };
	return true;
}

double
sent_profile_refusing(const struct sent_profile *p)
{
	return p->refusing / SHARE;
}

/* --- on disk ---------------------------------------------------------------------- */

static uint64_t
checksum_of(const uint8_t *page)
{
	return hash64_around(page, SENT_PROFILE_BYTES, CHECKSUM_AT);
}

void
sent_profile_encode(const struct sent_profile *p, uint8_t *page)
{
	size_t n = strlen(p->name);
	uint8_t *to = page + HOURS_AT;

	memset(page, 0, SENT_PROFILE_BYTES);
	page[0] = 'm';
	page[1] = 'u';
	page[2] = FORM;
	page[3] = (uint8_t)n;
	le_put(page + 4, p->hour, 8);
	le_put(page + CHECKSUM_AT + 8, p->refusing, 4);
	memcpy(page + CHECKSUM_AT + 12, p->name, n);
	for (size_t h = 0; h < REACH_HOURS; h++) {
		*to++ = p->hours[h].weeks;
		for (size_t s = 0; s < SENT_STAGES; s++) {
			to = le_put(to, p->hours[h].p50[s], 2);
			to = le_put(to, p->hours[h].p95[s], 2);
		}
	}
	le_put(page + CHECKSUM_AT, checksum_of(page), 8);
}

bool
sent_profile_decode(const uint8_t *page, struct sent_profile *ret)
{
	struct wire w = wire_read(str_make(page, SENT_PROFILE_BYTES));
	struct sent_profile p = { 0 };
	bool is_ours = wire_get_u8(&w) == 'm' && wire_get_u8(&w) == 'u' &&
	               wire_get_u8(&w) == FORM;
	unsigned n = wire_get_u8(&w);
	struct str name;

	p.hour = wire_get_u64(&w);
	if (!is_ours || n > SENT_NAME_MAX ||
	    wire_get_u64(&w) != checksum_of(page))
		return false;
	p.refusing = wire_get_u32(&w);
	name = wire_get_bytes(&w, SENT_NAME_MAX);
	memcpy(p.name, name.p, n);
	(void)wire_get_bytes(&w, HOURS_AT - (CHECKSUM_AT + 12 + SENT_NAME_MAX));
	for (size_t h = 0; h < REACH_HOURS; h++) {
		p.hours[h].weeks = wire_get_u8(&w);
		for (size_t s = 0; s < SENT_STAGES; s++) {
			p.hours[h].p50[s] = wire_get_u16(&w);
			p.hours[h].p95[s] = wire_get_u16(&w);
		}
	}
	*ret = p;
	return true;
}
