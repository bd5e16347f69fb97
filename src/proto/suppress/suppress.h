/* SPDX-License-Identifier: ISC */
/*
 * suppress.h - recipients who are not there: what is remembered of refusals,
 * and when an address is not tried any more.
 *
 *              refused again, enough              time is over
 *   (nothing) --> COUNTING --------> SUPPRESSED --------------> PROBED
 *      ^              |                  ^                        |  |
 *      +-- delivered -+------------------|------------------------+  |
 *                                        +---- refused once more ----+
 *
 * "Enough" is: so many messages, of which the first and the last are so long
 * apart. A suppressed address is tried again after a while, by the next mail to
 * it (PROBED is SUPPRESSED whose time is over); each time that fails, the while
 * doubles. What the operator suppresses (MANUAL) stays until he says.
 *
 * The rows are those of the ledger's table SUPPRESS; the key is the address
 * in lower case.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/wire.h"

#define SUPPRESS_KEY_MAX    160 /* longer addresses are never suppressed */
#define SUPPRESS_REPLY_MAX  200
#define SUPPRESS_LEVEL_MAX  4             /* doublings: 30 days to 480 */
#define SUPPRESS_REMEMBER_S (90 * 86400U) /* behind the last refusal */

enum suppress_state {
	SUPPRESS_COUNTING,
	SUPPRESS_ON,
	SUPPRESS_MANUAL,
};

struct suppress_row {
	enum suppress_state state;
	uint32_t messages;    /* refused, in a row */
	uint64_t first, last; /* refusal; seconds */
	uint64_t since;       /* suppressed; 0: not yet */
	uint64_t until;       /* then it is probed; 0: never */
	uint32_t level;       /* how often the while has doubled */
	uint64_t message;     /* hash of the last one's trace */
	struct str reply;     /* the last one; or the operator's note */
};

struct suppress_rule {
	uint32_t messages; /* 0: nothing is suppressed by itself */
	uint64_t apart_s;  /* between the first and the last one */
	uint64_t while_s;
};

/* The key of an address; false: it has none. */
bool suppress_key(struct str address, struct buf *to) WARN_UNUSED;

/* Is mail to it failed at once? */
bool suppress_is_on(const struct suppress_row *r, uint64_t now);
/*
 * The address was refused for good, as one that does not exist; message is a
 * hash of the message's trace. was NULL: nothing is known. False: nothing
 * changes (the same message again, or the operator's own). ret's reply is to
 * be set.
 */
bool suppress_refused(const struct suppress_rule *rule,
    const struct suppress_row *was, uint64_t now, uint64_t message,
    struct suppress_row *ret);
/* When the row ends; 0: never. */
uint64_t suppress_row_until(const struct suppress_row *r);

void suppress_encode(const struct suppress_row *r, struct buf *to);
bool suppress_decode(struct str value, struct suppress_row *ret) WARN_UNUSED;
