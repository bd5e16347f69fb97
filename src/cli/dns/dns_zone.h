/* SPDX-License-Identifier: ISC */
/*
 * dns_zone.h - the zone of a domain on its primary name server.
 */
#pragma once

#include "cli/dns/dns_look.h"
#include "cli/dns/dns_plan.h"
#include "cli/dns/dns_server.h"

struct dns_zone {
	char *name; /* text */
	uint32_t serial;
	bool is_signed; /* by DNSSEC: it has keys */
};
void dns_zone_done(struct dns_zone *z);

/*
 * Which host is the primary of the zone that a domain is in: the name in the
 * SOA record of the nearest zone above it. Heap; NULL with *ret_error.
 */
char *dns_zone_primary(
    struct dns_look *l, const char *domain, char **ret_error);

/* Ask the server itself for the zone that a domain is in. *ret_error (heap) is
 * set when it is not DNS_SAID. */
enum dns_said dns_zone_find(struct dns_server *s, const char *domain,
    struct dns_zone *ret, char **ret_error);

/* Read what the server has of a set, or set skipped. */
enum dns_said dns_zone_read(struct dns_server *s, const struct dns_zone *z,
    struct dns_set *set, char **ret_error);

/*
 * Wait until the other name servers of the zone have its serial, or a time is
 * over; fn is told of each how it is then. How many have not.
 */
typedef void (*dns_secondary_fn)(
    void *arg, const char *host, const char *state, bool is_current);
size_t dns_zone_secondaries(struct dns_server *primary,
    const struct dns_zone *z, struct dns_look *l, uint32_t wait_s,
    dns_secondary_fn fn, void *arg);
