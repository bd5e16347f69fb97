/* SPDX-License-Identifier: ISC */
/*
 * status_join.h - how many may ask for news by the form, all together.
 *
 * Each who asks is a row until it is confirmed or two days are over, and no more
 * than 2000 confirmations go out in a day (outbox_limit.c). So who has a
 * network of addresses fills no table of the ledger with rows that never have a mail:
 * a day's worth at once, and then no more than comes back with the time.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/base.h"

#define STATUS_JOINS_A_DAY 3000

struct status_joins {
	uint64_t spent_ms; /* all time up to there is paid for */
};

/* One more, at now_ms of a clock that does not go back. False: another day. */
bool status_joins_take(struct status_joins *j, uint64_t now_ms);
