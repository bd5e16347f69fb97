/* SPDX-License-Identifier: ISC */
/*
 * reach_cell.h - what is counted of one network on one port in five minutes.
 *
 * Counts, a histogram of round trips in half octaves, how TLS failed (by alert,
 * version and side), and a sketch of how many accounts signed in. Cells add up.
 * The sketch is HyperLogLog (Flajolet and others, 2007) with 128 registers over hashes
 * whose key is made by the process that counts and is never written: what is
 * on disk tells nobody whose accounts they were, and sketches of two keys
 * (epochs) are not merged: then the larger one counts, which is never too many.
 * The same for organisations (domains of accounts), in 64 bits: so many at least.
 *
 * Who it was that came, got in or was broken off is counted by lots: an account (or,
 * of who did not sign in, a client's address) falls into one of 16, by the same
 * hash. So it can be told whether many do something, or one does it often
 * (reach_lots_capped()), and not who.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/reach/reach_event.h"
#include "proto/reach/reach_net.h"

enum reach_count {
	REACH_ATTEMPTS, /* connections accepted, those refused by limits too */
	REACH_N_GREETED,
	REACH_N_TLS,
	REACH_N_SIGNED_IN,
	REACH_N_WELL, /* from here on in the order of enum reach_end */
	REACH_N_LEFT,
	REACH_N_RESET,
	REACH_N_TIMEOUT,
	REACH_N_TLS_FAILED,
	REACH_N_AUTH_FAILED,
	REACH_N_BANNED,
	REACH_N_LIMITED,
	REACH_N_SERVER,
	REACH_N_STALLED,      /* something had to be sent again */
	REACH_N_KNOWN,        /* devices that signed in before */
	REACH_N_KNOWN_FAILED, /* of these, those that did not */
	REACH_N_TLS_13,       /* handshakes that were done, of REACH_N_TLS */
	REACH_N_SESSIONS,     /* got as far as they are of use */
	REACH_N_CUT,          /* of these, those that were broken off */
	REACH_COUNTS
};

#define REACH_RTT_STEPS    30 /* from 0.25 ms on, two an octave: to 8 s */
#define REACH_ALERT_KINDS  6
#define REACH_ALERT_OTHER  255 /* what there was no room for */
#define REACH_SKETCH_BYTES 128

struct reach_accounts {
	uint64_t epoch; /* of the key; 0: nobody was counted */
	uint8_t registers[REACH_SKETCH_BYTES];
	uint64_t organisations; /* a bit for each, of its hash */
	/* Of other epochs: the largest. */
	uint32_t other_least, other_guess;
	uint8_t other_organisations;
};

/* Lots of what. */
enum reach_lots {
	REACH_LOTS_IN,  /* those who signed in, by account */
	REACH_LOTS_OUT, /* those who did not and did not guess, by client */
	REACH_LOTS_CUT, /* of REACH_N_CUT, by account or client */
	REACH_LOTS_KINDS
};
#define REACH_LOTS     16
#define REACH_LOT_RANK 3 /* so many do it, rather than one often */
/* All together, none with more than the rank-th most has (1: as they are; at most
 * REACH_LOT_RANK). */
uint32_t reach_lots_capped(const uint32_t lots[REACH_LOTS], unsigned rank);
/* More of a lot; saturated. */
void reach_lot_add(uint16_t *lot, uint32_t n);

/* One way in which TLS failed, or was refused after it was done. */
struct reach_alert {
	uint8_t alert; /* 0: it broke off without one */
	uint8_t tls;   /* enum reach_tls */
	bool is_ours;  /* we sent it */
	uint32_t n;    /* 0: this place is free */
};

struct reach_cell {
	struct reach_key key;
	uint32_t counts[REACH_COUNTS];
	uint32_t rtt[REACH_RTT_STEPS];
	struct reach_alert alerts[REACH_ALERT_KINDS];
	struct reach_accounts accounts;
	uint16_t lots[REACH_LOTS_KINDS][REACH_LOTS];
	uint16_t clients; /* a bit for each lot of addresses that got in */
};

/* Keyed hashes of an event's account, organisation and address, of epoch. */
struct reach_who {
	uint64_t account, organisation, client, epoch;
	bool may_sign_in; /* people have accounts there */
	bool is_session;  /* it got as far as it is of use */
};
/* Count one event. */
void reach_cell_add(struct reach_cell *c, const struct reach_event *e,
    const struct reach_who *who);
/* Counts add up, saturated. The keys need not be the same. */
void reach_cell_merge(struct reach_cell *to, const struct reach_cell *c);

/* About how many accounts: 9 % off (standard error); 0: none. */
uint32_t reach_accounts_guess(const struct reach_accounts *a);
/* So many at least, for sure: what a promise to people has to stand on. Never
 * more than REACH_SKETCH_BYTES. */
uint32_t reach_accounts_least(const struct reach_accounts *a);
/* So many organisations at least, for sure; at most 64. */
uint32_t reach_accounts_organisations(const struct reach_accounts *a);
void reach_accounts_merge(
    struct reach_accounts *to, const struct reach_accounts *a);

/* A round trip that permille of the connections did not exceed, in us; 0:
 * there is none. At most 19 % off. */
uint32_t reach_cell_rtt_us(const struct reach_cell *c, unsigned permille);
/* What clients sent, all together. */
uint32_t reach_cell_alerts(const struct reach_cell *c);
/* The one of those that came most often, of all versions; n 0: none. */
struct reach_alert reach_cell_alert(const struct reach_cell *c);
/* The commonest of all, theirs and ours; n 0: none. */
struct reach_alert reach_cell_failure(const struct reach_cell *c);
/* n more of a kind; what finds no room is added to REACH_ALERT_OTHER. */
void reach_cell_add_alert(struct reach_cell *c, const struct reach_alert *a);

/* Longest encoding: 9 for the key, 115 counts, 181 round trips, 43 alerts, 156
 * accounts, 152 lots. */
#define REACH_CELL_BYTES_MAX 656
/* Form 1 had alerts of clients only, without versions, and no organisations; form
 * 2 no lots, and a sketch that took two bytes for each register in use. */
#define REACH_CELL_FORM 3
void reach_cell_put(struct buf *b, const struct reach_cell *c);
/* Not a cell of that form (1 to 3): w->failed. */
void reach_cell_get(struct wire *w, unsigned form, struct reach_cell *ret);
