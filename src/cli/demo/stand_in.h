/* SPDX-License-Identifier: ISC */
/*
 * stand_in.h - what the demo's provider has and Mailstead is not: two name servers
 * and a telephone system. Small ones, on loopback, in a process of their own, so that
 * the demo's checks have dialogues with something.
 *
 *   stand_in.c       the process: when it begins and ends
 *   stand_in_serve.c its ports: packets and connections
 *   stand_in_zone.c  the zone, and what is answered of it
 *   stand_in_phone.c OPTIONS
 *
 * Whoever can reach loopback can say anything to them: they take little, remember
 * nothing, and have no files.
 */
#pragma once

#include "base/buf.h"

#define STAND_IN_DNS_PORT  53  /* on top of the first port of the demo */
#define STAND_IN_SIP_PORT  506 /* 5060 would be too far above it */
#define STAND_IN_PRIMARY   "127.0.0.33"
#define STAND_IN_SECONDARY "127.0.0.35"
#define STAND_IN_PHONE     "127.0.0.34"

/* --- stand_in.c ------------------------------------------------------------------ */

struct stand_in;

/* A process that waits for stand_in_start(), by us or by a process that we fork. It
 * ends when both have ended. Out of resources: NULL, errno. */
struct stand_in *stand_in_new(uint32_t first_port);
/* Open the ports. False: a message was printed. */
bool stand_in_start(struct stand_in *s) WARN_UNUSED;
/* By who made it: end it, and wait until it has ended. */
void stand_in_free(struct stand_in *s);

/* --- stand_in_serve.c ---------------------------------------------------------------- */

/* Open the ports: NULL, with a message in *ret_error, to be freed. */
struct stand_in_ports;
struct stand_in_ports *stand_in_open(uint32_t first_port, char **ret_error);
/* Serve them until the link ends. */
NORETURN void stand_in_serve(struct stand_in_ports *p, int link);

/* --- what is answered: pure ------------------------------------------------------------ */

struct stand_in_peer {
	const char *ip;
	unsigned port;
};

/*
 * The answer to one message, appended to out; nothing: there is none.
 * _packet: in is a packet of UDP. _stream: in is what has come over TCP; how much of
 * it was used, 0: it is not complete. *ret_is_over: hang up, behind the answer.
 */
void stand_in_dns_packet(struct str in, struct buf *out);
size_t stand_in_dns_stream(struct str in, struct buf *out, bool *ret_is_over);
void stand_in_sip_packet(
    struct str in, const struct stand_in_peer *peer, struct buf *out);
size_t stand_in_sip_stream(struct str in, const struct stand_in_peer *peer,
    struct buf *out, bool *ret_is_over);
