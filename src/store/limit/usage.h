/* SPDX-License-Identifier: ISC */
/*
 * usage.h - how much an account sends to other servers, day by day, and when
 * that is too much, or not like it.
 *
 * Whoever steals a password writes to many people whom the account never
 * wrote to before, and far more than its owner ever did. So three things are
 * compared, in days of UTC, with d the counts of today and this message:
 *
 *   recipients   d.counted > limit
 *   first-time   d.first > limit
 *   surge        d.first   > max(floor,     4 * the largest day's first)
 *             or d.counted > max(4 * floor, 4 * the largest day's counted)
 *
 * where the largest day is one of the USAGE_DAYS before today. Surges are
 * looked for when the account sends since USAGE_LEARN_DAYS or longer: on the
 * first days everybody is new to it, and the limits must do. The first
 * message of a day to a recipient that was written to on USAGE_REGULAR_DAYS
 * days or more before is not counted: so lists that an account always writes
 * to do not come near a limit, of whatever size they are.
 *
 * Pure: time is an argument.
 */
#pragma once

#include "base/wire.h"

#define USAGE_DAYS         28
#define USAGE_LEARN_DAYS   14
#define USAGE_REGULAR_DAYS 3
#define USAGE_SURGE        4

#define USAGE_RECORD_VERSION 1

enum usage_state {
	USAGE_OPEN,
	USAGE_HELD,    /* what it sends waits for the operator */
	USAGE_BLOCKED, /* it sends nothing */
};

/* Numbers are kept on disk and sent in messages. */
enum usage_why {
	USAGE_WITHIN,
	USAGE_RECIPIENTS,
	USAGE_FIRST_TIME,
	USAGE_SURGE_FIRST,
	USAGE_SURGE_RECIPIENTS,
	USAGE_ALREADY, /* the account is held since before */
};

/* Of one day. */
struct usage_day {
	uint32_t counted; /* recipients, but for those of every day */
	uint32_t first;   /* of these the first time */
};

struct usage {
	uint32_t day;       /* today, in days since 1970 */
	uint32_t first_day; /* when it sent for the first time; 0: never */
	uint32_t messages, recipients; /* today, all of them */
	struct usage_day today;
	/* What an operator has released today: it is not judged again. */
	struct usage_day forgiven;
	struct usage_day past[USAGE_DAYS]; /* [0]: yesterday */
	enum usage_state state;
	enum usage_why why;    /* it is held */
	uint64_t since;        /* when it was held or blocked */
	uint32_t found, limit; /* the number, and what it was compared with */
	uint32_t told_day;     /* the operator had mail about it */
	uint32_t known;        /* recipients that are remembered */
	/* Its own limits of a day; 0: those of its domain. */
	uint64_t max_recipients, max_first;
};

/* What counts for an account. 0: no limit, no look-out for surges. */
struct usage_limits {
	uint64_t recipients, first, surge_floor;
};

/* A recipient that is remembered. */
struct usage_known {
	uint32_t day;  /* the last one on which it was written to */
	uint32_t days; /* how many these were, not more than 255 */
};

uint32_t usage_day_of(uint64_t seconds);
/* It is day now: the days before move back. A clock that goes back changes
 * nothing. */
void usage_set_day(struct usage *u, uint32_t day);
/* The largest counts of the days before today. */
struct usage_day usage_largest(const struct usage *u);
/*
 * May a message with so many recipients go out? u is of today, and the message
 * is not in it. When not: *ret_found is the number that is too large, and
 * *ret_limit what it was compared with.
 */
enum usage_why usage_judge(const struct usage *u, const struct usage_limits *l,
    const struct usage_day *message, uint32_t *ret_found, uint32_t *ret_limit);
/* A message went into the queue. */
void usage_add(
    struct usage *u, uint32_t recipients, const struct usage_day *message);
/* The operator says that all of it is right: what came today is not judged
 * again. */
void usage_release(struct usage *u);
/* What came today, and on the days since it was held, was not its owner's: it
 * does not say what is usual. */
void usage_disown(struct usage *u);
/* Nothing in it is of any use any more. */
bool usage_is_idle(const struct usage *u);

/* What a message to this recipient adds to the day (k NULL: it is not known),
 * and what is remembered then; false: what is remembered stays as it was. */
bool usage_count(const struct usage_known *k, uint32_t day,
    struct usage_day *to, struct usage_known *ret);

/* "first-time recipients today: 501, limit 500" */
void usage_text(
    struct buf *b, enum usage_why why, uint64_t found, uint64_t limit);
const char *usage_why_name(enum usage_why why);

/* Records on disk, each with its version; false: it is damaged. */
void usage_encode(struct buf *b, const struct usage *u);
bool usage_decode(struct str val, struct usage *ret) WARN_UNUSED;
void usage_known_encode(struct buf *b, const struct usage_known *k);
bool usage_known_decode(struct str val, struct usage_known *ret) WARN_UNUSED;
void usage_limits_encode(struct buf *b, const struct usage_limits *l);
bool usage_limits_decode(struct str val, struct usage_limits *ret) WARN_UNUSED;
