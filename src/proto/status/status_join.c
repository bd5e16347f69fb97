/* SPDX-License-Identifier: ISC */
/* status_join.c - see status_join.h. */
#include "proto/status/status_join.h"

#define DAY_MS UINT64_C(86400000)

bool
status_joins_take(struct status_joins *j, uint64_t now_ms)
{
	uint64_t spent_ms =
	    MAX(j->spent_ms, now_ms) + DAY_MS / STATUS_JOINS_A_DAY;

	if (spent_ms > now_ms + DAY_MS)
		return false;
	j->spent_ms = spent_ms;
	return true;
}
