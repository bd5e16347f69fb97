/* SPDX-License-Identifier: ISC */
/* reach_profile_page.c - a profile as a page, and back. See reach_profile.h. */
#include "base/hash.h"
#include "proto/reach/reach_profile_internal.h"

#define FORM          3
#define FORM_OLDEST   1
#define HEADER        64
#define CHECKSUM_AT   25
#define PEOPLE_END    (CHECKSUM_AT + 8 + 4 * 5) /* the rest is 0 */
#define U24_MAX       0xffffffU
#define ACCOUNT_PARTS 16U /* of 1/256, on disk */
#define HOUR_BYTES    (6 + 4 * 3 + 3 * 2)

_Static_assert(
    HEADER + REACH_HOURS * HOUR_BYTES == REACH_PROFILE_BYTES, "a page is full");

static uint64_t
checksum_of(const uint8_t *page)
{
	uint64_t sum = hash64(page, CHECKSUM_AT);

	return hash64_seed(
	    page + CHECKSUM_AT + 8, REACH_PROFILE_BYTES - CHECKSUM_AT - 8, sum);
}

static void
put_u24(struct buf *b, uint32_t v)
{
	v = MIN(v, U24_MAX);
	wire_put_u16(b, (uint16_t)v);
	wire_put_u8(b, (uint8_t)(v >> 16));
}

static void
put_hour(struct buf *b, const struct reach_hour *h)
{
	wire_put_u8(b, (uint8_t)h->weeks);
	wire_put_u8(b, (uint8_t)h->organisations);
	/* The largest share stands for "not known". */
	wire_put_u16(b, (uint16_t)MIN(h->tls_failing, REACH_SHARE_ONE));
	wire_put_u16(b, (uint16_t)MIN(h->cut, REACH_SHARE_ONE));
	wire_put_u32(b, h->mean[REACH_MEAN_ATTEMPTS]);
	wire_put_u32(b, h->mean[REACH_MEAN_TLS]);
	wire_put_u32(b, h->mean[REACH_MEAN_SIGNED_IN]);
	put_u24(b, h->mean[REACH_MEAN_ALERTS]);
	put_u24(b, h->mean[REACH_MEAN_ACCOUNTS] / ACCOUNT_PARTS);
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
	wire_put_u32(&b, p->phi_accounts);
	wire_put_u32(&b, p->cut);
	wire_put_u32(&b, p->clients);
	wire_put_u32(&b, p->phi_cut);
	while (b.n < HEADER)
		buf_put_char(&b, '\0');
	for (size_t i = 0; i < REACH_HOURS; i++)
		put_hour(&b, &p->hours[i]);
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
	h->tls_failing = h->cut = REACH_SHARE_UNKNOWN;
	if (form == 1) {
		h->weeks = MIN(wire_get_u32(w), (uint32_t)WEEKS_MAX);
		return;
	}
	h->weeks = wire_get_u8(w);
	h->organisations = wire_get_u8(w);
	h->tls_failing = wire_get_u16(w);
	if (h->tls_failing == REACH_SHARE_ONE)
		h->tls_failing = REACH_SHARE_UNKNOWN;
	if (form > 2)
		h->cut = wire_get_u16(w);
	if (h->cut == REACH_SHARE_ONE)
		h->cut = REACH_SHARE_UNKNOWN;
}

static uint32_t
get_u24(struct wire *w)
{
	uint32_t low = wire_get_u16(w);

	return low | (uint32_t)wire_get_u8(w) << 16;
}

static void
get_means(struct wire *w, unsigned form, uint32_t mean[REACH_MEANS])
{
	unsigned whole = form > 2 ? REACH_MEAN_ALERTS : REACH_MEANS;

	for (unsigned m = 0; m < whole; m++)
		mean[m] = wire_get_u32(w);
	if (form < 3)
		return;
	mean[REACH_MEAN_ALERTS] = get_u24(w);
	mean[REACH_MEAN_ACCOUNTS] = get_u24(w) * ACCOUNT_PARTS;
}

static bool
get_hours(struct wire *w, unsigned form, struct reach_profile *p)
{
	for (size_t i = 0; i < REACH_HOURS; i++) {
		get_head(w, form, &p->hours[i]);
		get_means(w, form, p->hours[i].mean);
		for (size_t m = 0; m < REACH_MEANS; m++)
			if (p->hours[i].mean[m] > MEAN_MAX)
				return false;
	}
	return true;
}

/* What came later. */
static bool
get_people(struct wire *w, unsigned form, struct reach_profile *p)
{
	uint32_t phi = wire_get_u32(w), cut = wire_get_u32(w);
	uint32_t clients = wire_get_u32(w), phi_cut = wire_get_u32(w);

	p->phi_accounts = form > 2 ? phi : PHI_FIRST;
	p->phi_cut = form > 2 ? phi_cut : PHI_FIRST;
	p->cut = form > 2 ? cut : 0;
	p->clients = form > 2 ? clients : 0;
	return p->phi_accounts <= REACH_PHI_MAX * 256 &&
	       p->phi_cut <= REACH_PHI_MAX * 256 && p->cut <= FAILING_ONE &&
	       p->clients <= CLIENTS_MAX * ONE;
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
	if (p.failing > FAILING_ONE || !get_people(&w, form, &p))
		return false;
	(void)wire_get_bytes(&w, HEADER - PEOPLE_END);
	if (!get_hours(&w, form, &p) || !wire_is_complete(&w))
		return false;
	*ret = p;
	return true;
}
