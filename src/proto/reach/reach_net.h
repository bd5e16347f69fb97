/* SPDX-License-Identifier: ISC */
/*
 * reach_net.h - the networks that clients are counted by.
 *
 * An autonomous system where it is known, else the /16 of an IPv4 address or
 * the /32 of an IPv6 address: what a provider usually is or is a part of, and
 * never one customer's. This machine itself (127.0.0.1, ::1) is a network of
 * its own, which is compared with nothing: its own probes come from there.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/wire.h"

enum reach_net_kind {
	REACH_NET_OTHERS, /* those that there was no room for */
	REACH_NET_ALL,    /* every network together; never this machine */
	REACH_NET_LOCAL,
	REACH_NET_AS, /* value: its number */
	REACH_NET_V4, /* value: the first 16 bits */
	REACH_NET_V6, /* value: the first 32 bits */
	REACH_NET_KINDS
};

struct reach_net {
	uint8_t kind;
	uint32_t value;
};

/* Longest text of a network. */
#define REACH_NET_TEXT 24

/* By prefix; LOCAL for this machine. family is 4 or 6. */
struct reach_net reach_net_of(unsigned family, const uint8_t address[16]);
bool reach_net_is_sane(const struct reach_net *n);
bool reach_net_eq(const struct reach_net *a, const struct reach_net *b);
/* "AS37146", "192.0.0.0/16", "2001:db8::/32", "others", "all", "local". */
void reach_net_format(const struct reach_net *n, char ret[REACH_NET_TEXT]);
/* What format writes; of an address its prefix's network; "as37146" too. */
bool reach_net_parse(struct str s, struct reach_net *ret) WARN_UNUSED;

/* What is counted together: a network on one port of one service. */
struct reach_key {
	struct reach_net net;
	uint16_t port;
	uint8_t service;
	uint8_t family; /* 4 or 6 */
};
bool reach_key_eq(const struct reach_key *a, const struct reach_key *b);
bool reach_key_is_sane(const struct reach_key *k);
#define REACH_KEY_BYTES 9
void reach_key_put(struct buf *b, const struct reach_key *k);
/* Not sane: w->failed. */
void reach_key_get(struct wire *w, struct reach_key *ret);
