/* SPDX-License-Identifier: ISC */
/*
 * mx.h - from a domain's MX records to the hosts that are tried, in order
 * (RFC 5321 section 5.1, RFC 7505).
 *
 * Pure: records go in, a list comes out.
 */
#pragma once

#include "base/buf.h"

#define MX_NAME_MAX    255
#define MX_HOSTS_MAX   16 /* tried at most */
#define MX_RECORDS_MAX 64 /* of one domain; more are not looked at */

struct mx_record {
	uint16_t preference;
	char host[MX_NAME_MAX + 1]; /* lower case, no dot at its end; "" is
	                             * the root: a null MX when it is alone */
};

enum mx_result {
	MX_OK,
	MX_NULL, /* the domain takes no mail: permanent, 5.1.10 */
	MX_LOOP, /* we are its best host, and not its last: permanent, 5.4.6 */
};

struct mx_list {
	size_t n;
	uint16_t preferences[MX_HOSTS_MAX]; /* ascending */
	char hosts[MX_HOSTS_MAX][MX_NAME_MAX + 1];
};

/*
 * Sort n records; equal ones in an order that seed decides. self is our own
 * host name: it and all that is worse is left out. Without records (n 0) the
 * domain is its own host (implicit MX).
 */
enum mx_result mx_order(struct mx_record *records, size_t n, struct str domain,
    struct str self, uint64_t seed, struct mx_list *ret) WARN_UNUSED;

/*
 * Append a name for the hosts and their ranks, the same for every order of
 * equals: domains with the same one share connections.
 */
void mx_key(const struct mx_list *list, struct buf *to);
