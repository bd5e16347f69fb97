/* SPDX-License-Identifier: ISC */
/*
 * icmp.h - echo requests and replies (RFC 792, RFC 4443 section 4).
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/str.h"

#define ICMP_COOKIE_BYTES 8
#define ICMP_ECHO_BYTES   64 /* as the ping of old: 56 of data */

struct icmp_echo {
	bool is_v6;
	uint16_t id, seq;
	uint8_t cookie[ICMP_COOKIE_BYTES]; /* nobody else knows it */
};

/* Write ICMP_ECHO_BYTES. The checksum of ICMPv6 is the kernel's. */
void icmp_echo_put(uint8_t *to, const struct icmp_echo *e);
/*
 * Read an echo reply. has_ip: an IPv4 header is in front (raw sockets). False:
 * it is none of ours: another type, too short, a wrong checksum of ICMPv4.
 */
bool icmp_echo_get(struct str packet, bool is_v6, bool has_ip,
    struct icmp_echo *ret) WARN_UNUSED;
