/* SPDX-License-Identifier: ISC */
/*
 * network_text.h - networks as they stand in the configuration: an address, or
 * an address and the length of its prefix, such as 2001:db8::/32.
 *
 * Pure.
 */
#pragma once

#include "base/str.h"

struct network {
	uint8_t bytes[16]; /* IPv4 as the mapped IPv6 address */
	unsigned prefix;   /* of 128 */
};

/* Bits behind the prefix have to be zero: they are a slip. */
bool network_parse(struct str s, struct network *ret) WARN_UNUSED;

/*
 * Is the address in one of these networks? list has a line feed behind each;
 * IPv4 addresses may be in their mapped form. False for what is no address.
 */
bool network_list_holds(struct str list, struct str address);
/* ::1, 127.0.0.0/8 in either form. */
bool network_is_loopback(struct str address);
