/* SPDX-License-Identifier: ISC */
/*
 * reach_profile.h - what is usual for a network on a port, by hour of week.
 *
 * For each of the 168 hours of a week (UTC) the mean counts of five minutes,
 * over the last weeks: a new week weighs one part in n at first, one in
 * REACH_WEEKS later. Traffic of people is not Poisson: a phone makes four
 * connections at once, and Mondays differ. How much more it varies is
 * measured (phi, the mean of (seen - usual)^2 / usual) and taken into account.
 *
 * One page of 4 KiB on disk, which stands for itself: magic "mp", version u8,
 * weeks u8 (0), key, then phi u32 (in 1/256), hour u64 (the last that was
 * learned), checksum u64, failing u32, phi of accounts u32 (in 1/256), sessions that
 * break off u32 (in 1/65536), clients u32 and phi of those sessions u32 (in 1/256), padding up to 64 bytes, and the
 * hours: weeks u8, organisations u8 (in 1/4), share of TLS that fails u16, of sessions
 * that break off u16 (both in 1/65535), three means u32 (in 1/256), then u24 those of
 * alerts (in 1/256) and of accounts (in 1/16). Version 2 had all five means u32, and
 * nothing of sessions, clients and phi of accounts; version 1 weeks u32 there.
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/reach/reach_net.h"

#define REACH_PROFILE_BYTES 4096
#define REACH_HOURS         168
#define REACH_WEEKS         5
/* So many weeks an hour has to be known: Saturdays are no Fridays. */
#define REACH_WEEKS_MIN 2
#define REACH_PHI_MAX   64

enum reach_mean {
	REACH_MEAN_ATTEMPTS,
	REACH_MEAN_TLS,
	REACH_MEAN_SIGNED_IN,
	REACH_MEAN_ALERTS,
	REACH_MEAN_ACCOUNTS, /* in five minutes */
	REACH_MEANS
};

#define REACH_SHARE_ONE     65535U
#define REACH_SHARE_UNKNOWN UINT32_MAX

struct reach_hour {
	uint32_t weeks;         /* at most 255; 0: nothing is known */
	uint32_t organisations; /* in five minutes; in 1/4, rounded down */
	/* Handshakes that fail, in 1/65535; or REACH_SHARE_UNKNOWN. */
	uint32_t tls_failing;
	/* Sessions that are broken off, likewise. */
	uint32_t cut;
	uint32_t mean[REACH_MEANS]; /* in 1/256 */
};

struct reach_profile {
	struct reach_key key;
	uint32_t phi;     /* in 1/256 */
	uint32_t failing; /* known devices that cannot sign in, in 1/65536 */
	uint32_t phi_accounts, phi_cut; /* in 1/256 */
	uint32_t cut; /* sessions that break off in all hours, in 1/65536 */
	/* Lots of addresses that get in in five minutes, in 1/256; 0: not known. */
	uint32_t clients;
	uint64_t hour; /* the last that was learned, since 1970; 0: none */
	struct reach_hour hours[REACH_HOURS];
};

void reach_profile_init(struct reach_profile *p, const struct reach_key *key);
/*
 * Learn the means of five minutes in an hour (number since 1970) that is over,
 * newer than the last one. is_odd: it was not a usual hour, and counts less.
 */
void reach_profile_learn(struct reach_profile *p, uint64_t hour,
    const double mean[REACH_MEANS], bool is_odd);
/*
 * Behind it, of the same hour: of so many handshakes so many failed, counted as
 * reach_judge_tls() does; and how many organisations signed in in five minutes.
 */
void reach_profile_learn_hour(struct reach_profile *p, uint64_t hour,
    double tried, double failed, double organisations, bool is_odd);
/* The share of handshakes that usually fail in this hour; below 0: not known. */
double reach_profile_tls_failing(const struct reach_profile *p, uint64_t hour);
/* At least so many organisations in five minutes of this hour. */
double reach_profile_organisations(
    const struct reach_profile *p, uint64_t hour);
/* What is usual in five minutes of this hour; false: too little is known. */
bool reach_profile_usual(const struct reach_profile *p, uint64_t hour,
    double ret[REACH_MEANS]) WARN_UNUSED;
double reach_profile_phi(const struct reach_profile *p);
/* The same of how many accounts come. */
double reach_profile_phi_accounts(const struct reach_profile *p);
/* The same of how many sessions break off, measured against the binomial: a telephone
 * breaks off four at a time, and there are better and worse hours. */
double reach_profile_phi_cut(const struct reach_profile *p);
/* In an hour so many devices that had signed in before tried to, and failed:
 * learned slowly, over all hours. */
void reach_profile_learn_failing(
    struct reach_profile *p, double known, double failed, bool is_odd);
double reach_profile_failing(const struct reach_profile *p);
/*
 * Behind reach_profile_learn(), of the same hour: of so many sessions so many were
 * broken off, counted as reach_judge_cut() does.
 */
void reach_profile_learn_cut(struct reach_profile *p, uint64_t hour,
    double sessions, double cut, bool is_odd);
/* The share that is usual in this hour, or in all, if that is more; below 0: not
 * known. */
double reach_profile_cut(const struct reach_profile *p, uint64_t hour);
/* From so many lots of addresses people got in, in five minutes of this hour. */
void reach_profile_learn_clients(
    struct reach_profile *p, double clients, bool is_odd);
/* 0: not known. */
double reach_profile_clients(const struct reach_profile *p);
/* How much is known and how much goes on: who has least makes room. */
double reach_profile_weight(const struct reach_profile *p);

unsigned reach_hour_of_week(uint64_t hour);

/* page: REACH_PROFILE_BYTES. */
void reach_profile_encode(const struct reach_profile *p, uint8_t *page);
/* False: it is none; ret is untouched. */
bool reach_profile_decode(
    const uint8_t *page, struct reach_profile *ret) WARN_UNUSED;
