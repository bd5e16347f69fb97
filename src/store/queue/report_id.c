/* SPDX-License-Identifier: ISC */
/* report_id.c - ids of reports to senders. See report_id.h. */
#include "store/queue/report_id.h"

static bool
is_hex(struct str s, uint64_t *ret)
{
	uint64_t n = 0;

	if (s.n == 0 || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		ptrdiff_t digit = str_find(STR("0123456789abcdef"), s.p[i]);

		if (digit < 0)
			return false;
		n = n << 4 | (uint64_t)digit;
	}
	*ret = n;
	return true;
}

bool
report_id_read(struct str id, uint64_t *ret_message)
{
	ptrdiff_t at = str_find(id, '.');
	uint64_t message, rest;
	struct str end;

	if (at < 0 || id.n < (size_t)at + 11)
		return false;
	end = str_from(id, id.n - 9);
	if (str_find(STR("fdr"), end.p[0]) < 0 ||
	    !is_hex(str_from(end, 1), &rest) ||
	    !is_hex(
		str_sub(id, (size_t)at + 1, id.n - 10 - (size_t)at), &rest) ||
	    !is_hex(str_first(id, (size_t)at), &message))
		return false;
	*ret_message = message;
	return true;
}
