/* SPDX-License-Identifier: ISC */
/*
 * spf_address.h - addresses of clients and networks, as SPF compares them.
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "base/buf.h"

struct spf_address {
	bool is_v6;
	uint8_t bytes[16]; /* network order; 4 of them for IPv4, the rest 0 */
};

/*
 * From the text form: four decimal numbers without leading zeros, or any
 * form of RFC 4291 section 2.2. On failure *ret is untouched.
 */
bool spf_address_parse_v4(struct str in, struct spf_address *ret) WARN_UNUSED;
bool spf_address_parse_v6(struct str in, struct spf_address *ret) WARN_UNUSED;
/* Either of them. */
bool spf_address_parse(struct str in, struct spf_address *ret) WARN_UNUSED;

/*
 * A client that speaks IPv4 through an IPv6 socket is an IPv4 client: turns
 * ::ffff:a.b.c.d into a.b.c.d (RFC 7208 section 5).
 */
struct spf_address spf_address_unmap(struct spf_address a);

/*
 * Do both agree in their first prefix bits (at most 32 or 128)? Addresses of
 * different families never do, not even with a prefix of 0.
 */
bool spf_address_is_in(const struct spf_address *a,
    const struct spf_address *network, unsigned prefix);

/* The usual text form: %{c} of RFC 7208 section 7.3. */
void spf_address_put(const struct spf_address *a, struct buf *out);
/*
 * Dots between four numbers, or between 32 hexadecimal digits: %{i}. The
 * digits are upper case, which no name server minds.
 */
void spf_address_put_dotted(const struct spf_address *a, struct buf *out);
