/* SPDX-License-Identifier: ISC */
/*
 * throttle.h - slow down guessing, then stop it.
 *
 * Failures are counted in a window of time for each client address (an IPv6
 * client by its /64, RFC 6177) and for each login. Every failure is answered
 * later than the one before; too many, and the address must wait. A login has
 * a higher limit, and a client address from which that login once signed in
 * is never shut out by it: else anybody could lock anybody out. The same
 * wrong password again (a device with an old one) counts only once.
 *
 * Memory is fixed. When a table is full, the entries with the least to say
 * make room; bans stay as long as possible. No clock: the caller brings it.
 */
#pragma once

#include "base/str.h"

#define THROTTLE_ENTRIES      16384
#define THROTTLE_LOGIN_FACTOR 5 /* a login's limit, in those of an address */
#define THROTTLE_DELAY_MIN_MS 200
#define THROTTLE_DELAY_MAX_MS 5000
#define THROTTLE_TRUST_MS     (7 * UINT64_C(86400000))

struct throttle_limits {
	uint32_t failures_max; /* of one address; 0: no limit, no delay */
	uint32_t window_s, ban_s;
};

struct throttle;

struct throttle *throttle_new(const struct throttle_limits *limits);
void throttle_free(struct throttle *t);
void throttle_set_limits(
    struct throttle *t, const struct throttle_limits *limits);

struct throttle_who {
	struct str ip;       /* as text; anything that is no address is one */
	struct str login;    /* may be empty: not known yet */
	struct str password; /* may be empty: not known (SCRAM) */
};

/* Must this one wait, whatever the password is? */
bool throttle_is_banned(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms);

/*
 * What an address itself has to bear, whoever signs in from it: for the eyes of
 * who has that address. It counts for nothing, and makes no entry.
 */
enum throttle_client {
	THROTTLE_FREE,
	THROTTLE_SLOWED, /* failures lately: answers come later */
	THROTTLE_BANNED,
};
/* *ret_until_ms: when it is over; 0 with THROTTLE_FREE. */
enum throttle_client throttle_client(
    struct throttle *t, struct str ip, uint64_t now_ms, uint64_t *ret_until_ms);

struct throttle_verdict {
	uint64_t delay_ms; /* answer this much later */
	bool is_new_ban;   /* this failure was one too many */
};
struct throttle_verdict throttle_fail(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms);
/* Did that login sign in from that address lately? */
bool throttle_is_known(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms);
/* A sign-in that was right: remembers that the two belong together. Does not
 * forgive failures: an attacker may have an account too. */
void throttle_succeed(
    struct throttle *t, const struct throttle_who *who, uint64_t now_ms);
