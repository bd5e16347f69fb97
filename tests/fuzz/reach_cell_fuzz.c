/* SPDX-License-Identifier: ISC */
/*
 * LINK: reach
 *
 * The form, and two cells as bytes: what was read, written and read again is the same; their
 * sum has the larger counts, and promises no more accounts than both together.
 */
#include "proto/reach/reach_cell.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct reach_cell *c)
{
	struct buf b = BUF_INIT(REACH_CELL_BYTES_MAX), again = b;
	struct reach_cell got;
	struct wire w;

	reach_cell_put(&b, c);
	if (b.failed)
		abort();
	w = wire_read(buf_str(&b));
	reach_cell_get(&w, REACH_CELL_FORM, &got);
	if (!wire_is_complete(&w))
		abort();
	reach_cell_put(&again, &got);
	if (!str_eq(buf_str(&b), buf_str(&again)))
		abort();
	if (reach_accounts_least(&c->accounts) >
	    reach_accounts_guess(&c->accounts))
		abort();
	buf_done(&b);
	buf_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned form = size > 0 && (data[0] == 1 || data[0] == 2)
	                    ? data[0]
	                    : REACH_CELL_FORM;
	struct wire w = wire_read(str_from(str_make(data, size), 1));
	struct reach_cell a, b, sum;

	reach_cell_get(&w, form, &a);
	if (w.failed)
		return 0;
	check(&a);
	reach_cell_get(&w, form, &b);
	if (w.failed)
		return 0;
	sum = a;
	reach_cell_merge(&sum, &b);
	check(&sum);
	for (size_t i = 0; i < REACH_COUNTS; i++)
		if (sum.counts[i] < MAX(a.counts[i], b.counts[i]))
			abort();
	if (reach_accounts_least(&sum.accounts) >
	    reach_accounts_least(&a.accounts) +
		reach_accounts_least(&b.accounts))
		abort();
	if (reach_accounts_organisations(&sum.accounts) >
	    reach_accounts_organisations(&a.accounts) +
		reach_accounts_organisations(&b.accounts))
		abort();
	if (reach_cell_rtt_us(&sum, 500) > reach_cell_rtt_us(&sum, 950))
		abort();
	return 0;
}
