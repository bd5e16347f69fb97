/* SPDX-License-Identifier: ISC */
/*
 * way.h - which ways a mail of ours tries, in which order, and when again.
 *
 * Pure: no I/O, no clock.
 */
#pragma once

#include "base/str.h"

#define WAY_RELAYS_MAX 8
#define WAYS_MAX       (WAY_RELAYS_MAX + 2)
/* Name servers that have said nothing for so long are not waited for. */
#define WAY_SILENT_MS 2500

enum way_kind {
	WAY_RELAY,
	WAY_DIRECT, /* the receiver's own servers */
	WAY_QUEUE,  /* our own queue: it may be what fails */
};

struct way {
	enum way_kind kind;
	struct str host; /* of a relay */
	uint16_t port;
	bool is_down; /* a relay that is watched, and down */
};

/*
 * Of n relays in the order of the configuration: those that are not known to be
 * down, the receiver's servers (when that is wished), those that are down. While no
 * name server answers, the receiver's servers come behind these. The
 * queue comes last, and not before the others have failed for some rounds: it
 * is round from 0 on. The number of ways in ret.
 */
#define WAY_QUEUE_ROUND 3
struct way_wish {
	const struct way *relays;
	size_t n;
	bool is_direct;
	bool is_blind; /* no name server answers */
	uint32_t round;
};
size_t way_order(const struct way_wish *wish, struct way ret[WAYS_MAX]);

/*
 * How long one way has for what cannot wait, and of that the look-up of names; in
 * each round twice as long as in the one before, up to what others have. So a way
 * that hangs holds up the next one for some seconds, and one that is slow and the
 * only one takes it in the end.
 */
struct way_limits {
	uint32_t whole_ms, lookup_ms;
};
struct way_limits way_limits(uint32_t round);
/* What the next of n hosts of one way has of the time that is left: half of it, and
 * the last all. At least 1. */
uint32_t way_share_ms(uint32_t left_ms, size_t n);

/*
 * The pause behind the given round of attempts (from 1 on): it doubles from base
 * up to 15 minutes, and random makes it up to a fifth shorter or longer.
 */
uint64_t way_pause_ms(uint32_t round, uint64_t base_ms, uint32_t random);
