/* SPDX-License-Identifier: ISC */
/*
 * dns_server.h - a conversation with one name server, by TCP, signed.
 *
 * Everything goes over TCP: an update with keys in it does not fit into a
 * datagram, and nobody can answer in the server's place without being on the
 * way. Blocks, with deadlines.
 */
#pragma once

#include "proto/dnsupdate/dnsupdate_tsig.h"

#include <sys/socket.h>

struct dns_server {
	const struct dnsupdate_key *key; /* NULL: nothing is signed */
	struct sockaddr_storage addrs[8];
	size_t n_addrs;
	int fd;         /* -1: not connected */
	char name[128]; /* address and port of the one that is connected */
	bool was_used;  /* something was answered on this connection */
};

/* addrs: at most 8. The key stays the caller's. Connects when needed. */
void dns_server_init(struct dns_server *s, const struct dnsupdate_key *key,
    const struct sockaddr_storage *addrs, size_t n);
void dns_server_close(struct dns_server *s);

enum dns_said {
	DNS_SAID,      /* it is so, or done */
	DNS_REFUSED,   /* the server says no; ret->code says why */
	DNS_LATER,     /* no reply came, or it has a failure of its own */
	DNS_UNTRUSTED, /* a reply came, and is not surely the server's */
};
struct dns_said_what {
	struct dnsupdate_reply reply; /* lives as long as the arena */
	unsigned code; /* of TSIG, where that failed, else the reply's */
	char *error;   /* heap: what is wrong, for people, and what to do */
};

/* Ask one question; "no such name" is an answer. ret->error is set exactly
 * when the result is not DNS_SAID. */
enum dns_said dns_server_ask(struct dns_server *s, struct str name,
    unsigned type, struct arena *arena, struct dns_said_what *ret);
/* Send an update on a connection of its own; it is never sent twice. */
enum dns_said dns_server_update(struct dns_server *s, struct dnsupdate *u,
    struct arena *arena, struct dns_said_what *ret);

/* A number for a message. */
unsigned dns_server_id(void);
/* What a code means, and what to do (static). */
const char *dns_server_advice(unsigned code, bool is_update);
