/* SPDX-License-Identifier: ISC */
/*
 * connect.h - open a TCP connection to one of several addresses, soon.
 *
 * The addresses are tried in order, IPv6 and IPv4 in turn. The next one begins
 * when the one before failed, or has said nothing for a moment (RFC 8305): so
 * a family that leads nowhere costs a quarter of a second, not a minute. The
 * first connection that is open wins.
 */
#pragma once

#include "base/str.h"
#include "net/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define CONNECT_ADDRS_MAX 16

struct connect;

struct connect_config {
	struct loop *loop;
	const struct sockaddr_storage *addrs; /* IPv4 and IPv6 with ports */
	size_t n;                             /* cut at CONNECT_ADDRS_MAX */
	/* Own addresses to come from; AF_UNSPEC: the system chooses. An address
	 * of the other family is not bound. */
	struct sockaddr_storage source4, source6;
	uint64_t next_ms;  /* before the next address is begun; 0: 250 */
	uint64_t limit_ms; /* for all together */
};

struct connect_result {
	int fd;    /* non-blocking, the callee's; -1: none */
	int error; /* errno of the last address that failed */
	struct sockaddr_storage addr; /* the one connected to, or last tried */
};

/* Runs once, from the loop. */
typedef void (*connect_fn)(void *arg, const struct connect_result *r);
struct connect *connect_new(
    const struct connect_config *config, connect_fn fn, void *arg);
/* Before fn ran: it will not run. NULL is fine. */
void connect_cancel(struct connect *c);

/* Put IPv6 and IPv4 addresses in turn, each family in its order. */
void connect_interleave(struct sockaddr_storage *addrs, size_t n);
/* Loopback, unspecified, multicast, link-local: not another mail server. */
bool connect_is_local(const struct sockaddr_storage *addr);
/* That, or of a network that others cannot reach (RFC 6890): 10.0.0.0/8, fc00::/7
 * and so on, also inside of an address of a translator. */
bool connect_is_private(const struct sockaddr_storage *addr);
/* Does the host say itself that it is such a one: an address, or localhost and
 * what is below it (section 6.3 of RFC 6761)? Other names say nothing. */
bool connect_host_is_private(struct str host);
/* host is an address, in brackets or not; false: it is none. The port is 0. */
bool connect_read_ip(struct str host, struct sockaddr_storage *ret);
/* "192.0.2.1" or "2001:db8::1". */
void connect_ip(const struct sockaddr_storage *addr, char to[INET6_ADDRSTRLEN]);
