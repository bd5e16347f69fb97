/* SPDX-License-Identifier: ISC */
/*
 * sent_profile.h - what is usual for mail to one receiver, and what is not.
 *
 * For each of the 168 hours of a week (UTC) the usual 50th and 95th percentile of
 * each stage, over the last weeks (as reach_profile.h): learned on a logarithmic
 * scale, from hours with SENT_LEARN_MIN deliveries or more. And the share of
 * transactions that are refused by policy, slowly, over all hours.
 *
 * Two signals are judged, with the tests and the hysteresis of reach_judge.h:
 *
 *   SLOW      of 15, 30 or 60 minutes: more than a tenth of the deliveries took
 *             longer than four times what 95 in 100 usually do, and than
 *             SENT_SLOW_MS. The test is binomial against the five in a hundred that are
 *             above the usual 95th percentile anyway.
 *   REFUSALS  policy refusals: at least 8, and twice the usual share, binomial
 *
 * Of both no sender counts for more than the third most of them (struct sent_senders).
 *
 * One page of 4 KiB on disk, which stands for itself: magic "mu", version u8, n u8
 * (bytes of the name), hour u64 (the last that was learned), checksum u64, refusing u32,
 * name in 32 bytes; and the hours: weeks u8, then for each stage two u16, in 1/256 of a step.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/reach/reach_judge.h"
#include "proto/reach/sent_cell.h"

#define SENT_LEARN_MIN     20
#define SENT_PROFILE_BYTES 4096
#define SENT_SLOW_TIMES    4
#define SENT_SLOW_MIN      20 /* deliveries, to say anything */
#define SENT_REFUSALS_MIN  12 /* transactions, to say anything */

struct sent_hour {
	uint8_t weeks;
	uint16_t p50[SENT_STAGES], p95[SENT_STAGES]; /* in 1/256 of a step */
};

struct sent_profile {
	char name[SENT_NAME_MAX + 1];
	uint32_t refusing; /* in 1/65536 */
	uint64_t hour;     /* the last that was learned, since 1970; 0: none */
	struct sent_hour hours[REACH_HOURS];
};

/* What is usual of a stage. */
struct sent_usual {
	uint64_t p50_ms, p95_ms;
};

void sent_profile_init(struct sent_profile *p, struct str name);
/* An hour (number since 1970) that is over, newer than the last one; what was counted
 * in it. is_odd: it was not a usual hour, and counts less. */
void sent_profile_learn(struct sent_profile *p, uint64_t hour,
    const struct sent_cell *c, bool is_odd);
/* False: too little is known of this hour. */
bool sent_profile_usual(const struct sent_profile *p, uint64_t hour,
    enum sent_stage stage, struct sent_usual *ret) WARN_UNUSED;
double sent_profile_refusing(const struct sent_profile *p);

/* page: SENT_PROFILE_BYTES. */
void sent_profile_encode(const struct sent_profile *p, uint8_t *page);
/* False: it is none; ret is untouched. */
bool sent_profile_decode(
    const uint8_t *page, struct sent_profile *ret) WARN_UNUSED;

/* Five minutes of one receiver; the last REACH_RECENT, newest last. */
struct sent_step {
	bool is_known; /* we were there */
	struct sent_hist whole;
	uint32_t refused;
	struct sent_senders refused_by, slow_by;
	uint64_t usual_p95_ms; /* of the whole; 0: not known */
};
struct sent_recent {
	struct sent_step steps[REACH_RECENT];
};
void sent_recent_push(struct sent_recent *r, const struct sent_step *s);

/* usual: the usual p95 in ms. now_ms: what 95 in 100 took now. */
struct reach_finding sent_judge_slow(
    const struct sent_recent *r, uint64_t *ret_now_ms);
/* refusing: sent_profile_refusing(). */
struct reach_finding sent_judge_refusals(
    const struct sent_recent *r, double refusing);
