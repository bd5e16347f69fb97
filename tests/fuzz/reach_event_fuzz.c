/* SPDX-License-Identifier: ISC */
/*
 * LINK: reach
 *
 * Events of fronts: what was read, written and read again is the same; a cell
 * that counts them counts each once in its places, and its bytes come back.
 */
#include "proto/reach/reach_cell.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_cell(const struct reach_cell *c, uint32_t events)
{
	struct buf b = BUF_INIT(REACH_CELL_BYTES_MAX), again = b;
	uint32_t ends = 0;
	struct reach_cell got;
	struct wire w;

	for (size_t i = REACH_N_WELL; i <= REACH_N_SERVER; i++)
		ends += c->counts[i];
	if (c->counts[REACH_ATTEMPTS] != events || ends != events)
		abort();
	reach_cell_put(&b, c);
	w = wire_read(buf_str(&b));
	reach_cell_get(&w, REACH_CELL_FORM, &got);
	reach_cell_put(&again, &got);
	if (b.failed || !wire_is_complete(&w) ||
	    !str_eq(buf_str(&b), buf_str(&again)))
		abort();
	buf_done(&b);
	buf_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = wire_read(str_make(data, size));
	struct buf out = BUF_INIT(size + REACH_EVENT_BYTES);
	struct reach_cell c = { .key = { .family = 4 } };
	struct reach_who who = { .epoch = 1 };
	struct reach_event e;
	uint32_t events = 0;

	while (reach_event_read(&w, &e)) {
		struct reach_net net = reach_net_of(e.family, e.address);

		if (!reach_net_is_sane(&net))
			abort();
		reach_event_put(&out, &e);
		who.account = e.account * 0x9e3779b97f4a7c15;
		who.organisation = e.organisation;
		who.client = who.organisation * 0x9e3779b97f4a7c15;
		who.may_sign_in = true;
		who.is_session = e.stages & REACH_SIGNED_IN;
		reach_cell_add(&c, &e, &who);
		events++;
	}
	if (out.failed || out.n != events * (size_t)REACH_EVENT_BYTES ||
	    (out.n > 0 && memcmp(out.p, data, out.n) != 0))
		abort();
	check_cell(&c, events);
	buf_done(&out);
	return 0;
}
