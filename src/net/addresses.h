/* SPDX-License-Identifier: ISC */
/*
 * addresses.h - the addresses of a host: of a name both families are asked
 * for; what is an address itself is taken as it is.
 */
#pragma once

#include "net/connect.h"
#include "net/resolver.h"

struct addresses;

/* No address, and why is not NULL: what people can be told about it. */
typedef void (*addresses_fn)(
    void *arg, const struct sockaddr_storage *addrs, size_t n, const char *why);

struct addresses_wish {
	struct loop *loop;
	struct resolver *resolver;
	const char *host; /* ASCII: a name or an address */
	uint16_t port;
	uint64_t limit_ms; /* for looking it up; 0: as long as it takes */
	/* Those that are true for it are left out; NULL: none is. */
	bool (*is_bad)(const struct sockaddr_storage *addr);
};

/* fn runs once, from the loop, with at most CONNECT_ADDRS_MAX, IPv6 and IPv4 in
 * turn. */
struct addresses *addresses_find(
    const struct addresses_wish *wish, addresses_fn fn, void *arg);
/* fn will not run; not after it ran, or within it. NULL is fine. */
void addresses_cancel(struct addresses *a);
