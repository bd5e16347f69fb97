/* SPDX-License-Identifier: ISC */
/* reach_profile.c - learning what is usual. See reach_profile.h. */
#include "proto/reach/reach_profile.h"

#include "base/hash.h"

#define ONE           256.0
#define PHI_FIRST     (8 * 256) /* caution, until it is known */
#define PHI_SHARE     50        /* hours that phi remembers, about */
#define PHI_JUMP      100       /* one hour cannot say more */
#define FAILING_ONE   65536.0
#define FAILING_HOURS 24 /* that it remembers, about */
#define CELLS         12 /* in an hour */
#define MEAN_MAX      (1U << 30)
#define FORM          2
#define FORM_OLDEST   1
#define WEEKS_MAX     255
#define PARTS         4.0 /* of an organisation */
#define PARTS_MAX     255
#define HEADER        64
#define CHECKSUM_AT   25
#define HOUR_BYTES    (4 + 4 * REACH_MEANS)

_Static_assert(
    HEADER + REACH_HOURS * HOUR_BYTES == REACH_PROFILE_BYTES, "a page is full");

void
reach_profile_init(struct reach_profile *p, const struct reach_key *key)
{
	*p = (struct reach_profile){ .key = *key, .phi = PHI_FIRST };
	for (size_t i = 0; i < REACH_HOURS; i++)
		p->hours[i].tls_failing = REACH_SHARE_UNKNOWN;
}

/* 1 January 1970 was a Thursday: hour 72 of a week that begins on Monday. */
unsigned
reach_hour_of_week(uint64_t hour)
{
	return (unsigned)((hour + 72) % REACH_HOURS);
}

double
reach_profile_phi(const struct reach_profile *p)
{
	double phi = p->phi / ONE;

	return phi < 1 ? 1 : phi > REACH_PHI_MAX ? REACH_PHI_MAX : phi;
}

/* --- what is usual -------------------------------------------------------------- */

bool
reach_profile_usual(
    const struct reach_profile *p, uint64_t hour, double ret[REACH_MEANS])
{
	const struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];

	if (h->weeks < REACH_WEEKS_MIN)
		return false;
	for (size_t m = 0; m < REACH_MEANS; m++)
		ret[m] = h->mean[m] / ONE;
	return true;
}

double
reach_profile_weight(const struct reach_profile *p)
{
	double sum = 0;

	for (size_t i = 0; i < REACH_HOURS; i++)
		sum += p->hours[i].mean[REACH_MEAN_ATTEMPTS] / ONE;
	return sum;
}

/* --- learning -------------------------------------------------------------------- */

static void
learn_phi(struct reach_profile *p, double seen, double usual, bool is_odd)
{
	double off = seen - usual, phi = p->phi / ONE, one;

	if (usual < 1 || is_odd)
		return;
	one = MIN(off * off / usual, (double)PHI_JUMP);
	phi += (one - phi) / PHI_SHARE;
	p->phi = (uint32_t)(MIN(MAX(phi, 1.0), (double)REACH_PHI_MAX) * ONE);
}

static uint32_t
blend(uint32_t old, double fresh, double share)
{
	double v = old + (fresh * ONE - old) * share;

	return v < 0 ? 0 : v > MEAN_MAX ? MEAN_MAX : (uint32_t)(v + 0.5);
}

void
reach_profile_learn(struct reach_profile *p, uint64_t hour,
    const double mean[REACH_MEANS], bool is_odd)
{
	struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];
	double share = 1.0 / (MIN(h->weeks, REACH_WEEKS - 1U) + 1);
	double usual[REACH_MEANS];

	if (hour <= p->hour && p->hour != 0)
		return;
	if (reach_profile_usual(p, hour, usual))
		learn_phi(p, mean[REACH_MEAN_ATTEMPTS] * CELLS,
		    usual[REACH_MEAN_ATTEMPTS] * CELLS, is_odd);
	if (is_odd)
		share /= 4;
	for (size_t m = 0; m < REACH_MEANS; m++)
		h->mean[m] = blend(h->mean[m], mean[m], share);
	if (h->weeks < WEEKS_MAX)
		h->weeks++;
	p->hour = hour;
}

/* Rounded down: what is promised to people stands on it. */
static uint32_t
blend_parts(uint32_t old, double fresh, double share)
{
	double v = old + (fresh * PARTS - old) * share;

	return v > PARTS_MAX ? PARTS_MAX : v < 0 ? 0 : (uint32_t)v;
}

void
reach_profile_learn_hour(struct reach_profile *p, uint64_t hour, double tried,
    double failed, double organisations, bool is_odd)
{
	struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];
	double share = 1.0 / MAX(MIN(h->weeks, (uint32_t)REACH_WEEKS), 1U);
	double one =
	    tried > 0 ? MIN(failed / tried, 1.0) * (REACH_SHARE_ONE - 1) : 0;

	if (is_odd)
		share /= 4;
	h->organisations = blend_parts(h->organisations, organisations, share);
	if (h->tls_failing == REACH_SHARE_UNKNOWN && !is_odd)
		h->tls_failing = (uint32_t)one;
	else if (h->tls_failing != REACH_SHARE_UNKNOWN && tried > 0)
		h->tls_failing =
		    (uint32_t)(h->tls_failing + (one - h->tls_failing) * share);
}

double
reach_profile_tls_failing(const struct reach_profile *p, uint64_t hour)
{
	const struct reach_hour *h = &p->hours[reach_hour_of_week(hour)];

	return h->tls_failing == REACH_SHARE_UNKNOWN
	           ? -1
	           : (double)h->tls_failing / REACH_SHARE_ONE;
}

double
reach_profile_organisations(const struct reach_profile *p, uint64_t hour)
{
	return p->hours[reach_hour_of_week(hour)].organisations / PARTS;
}

void
reach_profile_learn_failing(
    struct reach_profile *p, double known, double failed, bool is_odd)
{
	double share = reach_profile_failing(p);

	if (known < 1 || is_odd)
		return;
	share += (MIN(failed, known) / known - share) / FAILING_HOURS;
	p->failing = (uint32_t)(share * FAILING_ONE + 0.5);
}

double
reach_profile_failing(const struct reach_profile *p)
{
	return MIN(p->failing / FAILING_ONE, 1.0);
}

/* --- bytes ------------------------------------------------------------------------- */

static uint64_t
checksum_of(const uint8_t *page)
{
	uint64_t sum = hash64(page, CHECKSUM_AT);

	return hash64_seed(
	    page + CHECKSUM_AT + 8, REACH_PROFILE_BYTES - CHECKSUM_AT - 8, sum);
}

void
reach_profile_encode(const struct reach_profile *p, uint8_t *page)
{
	struct buf b = BUF_INIT(REACH_PROFILE_BYTES);
	uint64_t sum;

	wire_put_u8(&b, 'm');
	wire_put_u8(&b, 'p');
	wire_put_u8(&b, FORM);
	wire_put_u8(&b, 0);
	reach_key_put(&b, &p->key);
	wire_put_u32(&b, p->phi);
	wire_put_u64(&b, p->hour);
	ASSERT(b.n == CHECKSUM_AT);
	wire_put_u64(&b, 0); /* the checksum's place */
	wire_put_u32(&b, p->failing);
	while (b.n < HEADER)
		buf_put_char(&b, '\0');
	for (size_t i = 0; i < REACH_HOURS; i++) {
		const struct reach_hour *h = &p->hours[i];

		wire_put_u8(&b, (uint8_t)h->weeks);
		wire_put_u8(&b, (uint8_t)h->organisations);
		/* The largest share stands for "not known". */
		wire_put_u16(
		    &b, (uint16_t)MIN(h->tls_failing, REACH_SHARE_ONE));
		for (size_t m = 0; m < REACH_MEANS; m++)
			wire_put_u32(&b, p->hours[i].mean[m]);
	}
	ASSERT(!b.failed && b.n == REACH_PROFILE_BYTES);
	memcpy(page, b.p, REACH_PROFILE_BYTES);
	buf_done(&b);
	sum = checksum_of(page);
	for (unsigned i = 0; i < 8; i++)
		page[CHECKSUM_AT + i] = (uint8_t)(sum >> 8 * i);
}

static void
get_head(struct wire *w, unsigned form, struct reach_hour *h)
{
	h->tls_failing = REACH_SHARE_UNKNOWN;
	if (form == 1) {
		h->weeks = MIN(wire_get_u32(w), (uint32_t)WEEKS_MAX);
		return;
	}
	h->weeks = wire_get_u8(w);
	h->organisations = wire_get_u8(w);
	h->tls_failing = wire_get_u16(w);
	if (h->tls_failing == REACH_SHARE_ONE)
		h->tls_failing = REACH_SHARE_UNKNOWN;
}

static bool
get_hours(struct wire *w, unsigned form, struct reach_profile *p)
{
	for (size_t i = 0; i < REACH_HOURS; i++) {
		get_head(w, form, &p->hours[i]);
		for (size_t m = 0; m < REACH_MEANS; m++) {
			p->hours[i].mean[m] = wire_get_u32(w);
			if (p->hours[i].mean[m] > MEAN_MAX)
				return false;
		}
	}
	return true;
}

bool
reach_profile_decode(const uint8_t *page, struct reach_profile *ret)
{
	struct wire w = wire_read(str_make(page, REACH_PROFILE_BYTES));
	struct reach_profile p = { 0 };
	unsigned form;

	if (wire_get_u8(&w) != 'm' || wire_get_u8(&w) != 'p')
		return false;
	form = wire_get_u8(&w);
	if (form < FORM_OLDEST || form > FORM || wire_get_u8(&w) != 0)
		return false;
	reach_key_get(&w, &p.key);
	p.phi = wire_get_u32(&w);
	p.hour = wire_get_u64(&w);
	if (w.failed || wire_get_u64(&w) != checksum_of(page) ||
	    p.phi > REACH_PHI_MAX * 256 || p.hour >= UINT64_C(1) << 40)
		return false;
	p.failing = wire_get_u32(&w);
	if (p.failing > FAILING_ONE)
		return false;
	(void)wire_get_bytes(&w, HEADER - CHECKSUM_AT - 12);
	if (!get_hours(&w, form, &p) || !wire_is_complete(&w))
		return false;
	*ret = p;
	return true;
}
