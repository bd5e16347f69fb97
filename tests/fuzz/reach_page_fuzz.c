/* SPDX-License-Identifier: ISC */
/*
 * LINK: reach
 *
 * Pages that lie (their checksums are made right, for an attacker could):
 * tables stay bounded, and what was read, written and read again is the same.
 * Also pages of profiles: what is one comes back, and says nothing below zero.
 */
#include "base/hash.h"
#include "proto/reach/reach_profile.h"
#include "proto/reach/reach_table.h"

#include <stdlib.h>

#define PAGES    3
#define INTERVAL 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The header that a page of ours has, over whatever is in it. */
static void
make_right(uint8_t *page, unsigned number)
{
	static const uint8_t zeros[8];
	uint64_t sum;

	page[0] = 'm';
	page[1] = 'r';
	page[2] = 1 + page[2] % REACH_CELL_FORM;
	page[3] = (uint8_t)number;
	memset(page + 8, 0, 8);
	page[8] = INTERVAL;
	sum = hash64_seed(zeros, sizeof(zeros), hash64(page, 16));
	sum = hash64_seed(page + 24, REACH_PAGE_BYTES - 24, sum);
	for (unsigned i = 0; i < 8; i++)
		page[16 + i] = (uint8_t)(sum >> 8 * i);
}

static void
check_table(const uint8_t *slot)
{
	static uint8_t out[REACH_SLOT_BYTES];
	struct reach_table t, again;
	size_t pages;

	reach_table_init(&t, INTERVAL, 1);
	if (reach_table_decode(&t, slot, PAGES) != PAGES)
		abort();
	if (t.n > REACH_CELLS_MAX + REACH_OTHERS_MAX ||
	    t.n_others > REACH_OTHERS_MAX)
		abort();
	pages = reach_table_encode(&t, 9, out);
	reach_table_init(&again, INTERVAL, 2);
	if (reach_table_decode(&again, out, pages) != pages || again.n != t.n)
		abort();
	reach_table_done(&t);
	reach_table_done(&again);
}

static void
check_profile(uint8_t *page)
{
	uint8_t out[REACH_PROFILE_BYTES];
	double usual[REACH_MEANS] = { 0 };
	struct reach_profile p;
	uint64_t sum;

	page[0] = 'm';
	page[1] = 'p';
	page[2] = 1 + page[2] % 3; /* the form */
	page[3] = 0;
	sum =
	    hash64_seed(page + 33, REACH_PROFILE_BYTES - 33, hash64(page, 25));
	for (unsigned i = 0; i < 8; i++)
		page[25 + i] = (uint8_t)(sum >> 8 * i);
	if (!reach_profile_decode(page, &p))
		return;
	reach_profile_encode(&p, out);
	if (!reach_profile_decode(out, &p))
		abort();
	for (uint64_t h = 0; h < REACH_HOURS; h++)
		if (reach_profile_usual(&p, h, usual) &&
		    (usual[0] < 0 || usual[0] > 1e9))
			abort();
	reach_profile_learn(&p, p.hour + 1, usual, true);
	reach_profile_learn_cut(&p, p.hour, 100, 40, false);
	if (reach_profile_phi(&p) < 1 || reach_profile_phi_cut(&p) < 1 ||
	    reach_profile_phi_accounts(&p) < 1 ||
	    reach_profile_cut(&p, p.hour) > 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t slot[PAGES * REACH_PAGE_BYTES];

	memset(slot, 0, sizeof(slot));
	if (size > 0)
		memcpy(slot, data, MIN(size, sizeof(slot)));
	for (unsigned i = 0; i < PAGES; i++)
		make_right(slot + i * REACH_PAGE_BYTES, i);
	check_table(slot);
	memset(slot, 0, sizeof(slot));
	if (size > 0)
		memcpy(slot, data, MIN(size, sizeof(slot)));
	check_profile(slot);
	return 0;
}
