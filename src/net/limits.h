/* SPDX-License-Identifier: ISC */
/*
 * limits.h - how many connections an address has, and how fast it makes them.
 *
 * An address is an IPv4 address or the /64 of an IPv6 address: a network of
 * that size is one customer's. Unix sockets are not counted. Rates are token
 * buckets that hold one minute's worth. Memory is bounded: when the table is
 * full of busy addresses, a new one is refused.
 */
#pragma once

#include "base/base.h"

#include <sys/socket.h>

#define LIMITS_ADDRESSES_MAX 65536

struct limits;

struct limits_config {
	uint32_t connections;     /* at the same time; 0: no limit */
	uint32_t rate_per_minute; /* new ones; 0: no limit */
};

enum limits_answer {
	LIMITS_OK,       /* counted: limits_leave() has to follow */
	LIMITS_TOO_MANY, /* at the same time; not counted */
	LIMITS_TOO_FAST, /* not counted */
};

struct limits *limits_new(const struct limits_config *config);
void limits_free(struct limits *l);
/* New limits; what was counted stays. */
void limits_configure(struct limits *l, const struct limits_config *config);

enum limits_answer limits_enter(struct limits *l,
    const struct sockaddr_storage *addr, uint64_t now_ms) WARN_UNUSED;
/* What limits_enter() would answer; nothing is counted. Of LIMITS_TOO_FAST,
 * *ret_wait_ms says for how long it would. */
enum limits_answer limits_look(struct limits *l,
    const struct sockaddr_storage *addr, uint64_t now_ms,
    uint64_t *ret_wait_ms) WARN_UNUSED;
void limits_leave(struct limits *l, const struct sockaddr_storage *addr);
/* Addresses in the table, for tests. */
size_t limits_count(const struct limits *l);
