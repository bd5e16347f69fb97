/* SPDX-License-Identifier: ISC */
/*
 * schedule.h - when an undelivered message is tried again, when its sender is
 * told that it is late, and when it is given up.
 *
 * Pure: the caller says what time it is, so that a test runs five days in
 * milliseconds. All times are milliseconds since 1970.
 */
#pragma once

#include "conf/retry_rule.h"

struct schedule {
	uint64_t first_ms;  /* from the first attempt to the second */
	uint64_t max_ms;    /* the longest pause */
	uint64_t expire_ms; /* from the arrival on; RFC 5321 4.5.4.1 */
	uint64_t delay_ms;  /* a notice after so long; 0: none */
};

/* What the schedule needs to know of an entry of the queue. */
struct schedule_entry {
	uint64_t arrival_ms;
	uint32_t attempts;   /* that failed, the present one counted */
	uint64_t deliver_by; /* seconds since 1970 (RFC 2852); 0: none */
	bool is_returned;    /* at deliver_by it goes back */
	bool is_delay_told;
};

/* The times with what a rule sets. */
struct schedule schedule_with(const struct schedule *s, struct retry_rule rule);
/*
 * When to try again after an attempt that failed just now. Pauses grow by
 * half each time, up to max_ms, and vary by an eighth to both sides, so that
 * what failed together does not come back together; random is any number. The
 * last attempt is made when the message expires.
 */
uint64_t schedule_next(const struct schedule *s, const struct schedule_entry *e,
    uint64_t now_ms, uint32_t random);
/* When it is given up after a temporary failure. */
uint64_t schedule_end(const struct schedule *s, const struct schedule_entry *e);
bool schedule_is_over(
    const struct schedule *s, const struct schedule_entry *e, uint64_t now_ms);
/* Is its sender to be told now that it is late? Whether it wants to hear that
 * is not asked here. */
bool schedule_is_late(
    const struct schedule *s, const struct schedule_entry *e, uint64_t now_ms);
