/* SPDX-License-Identifier: ISC */
/*
 * reach_event.h - how one connection of a client went: what a front tells.
 *
 * A front sends one event when a connection is over, or was refused. The
 * client's address is in it for one purpose: to find its network; whoever
 * receives an event keeps the network and forgets the address. The account and
 * the organisation are numbers for telling some apart, and are kept nowhere.
 *
 * Encoded: 47 bytes, little-endian: service u8, port u16, family u8 (4 or 6),
 * address 16 bytes (IPv4: the first four), stages u8, end u8, alert u8, own
 * alert u8, version of TLS u8, round trip u32, retransmits u16, account u64,
 * organisation u64.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/wire.h"

#define REACH_EVENT_BYTES 47
#define REACH_SERVICES    16 /* numbers of services are below */

/* What a connection reached, besides that it was accepted. With TLS from the
 * first byte the greeting comes behind the handshake. */
enum reach_stage {
	REACH_GREETED = 1,
	REACH_TLS = 2,
	REACH_SIGNED_IN = 4,
	REACH_KNOWN =
	    8, /* not a stage: a device that signed in before, and did so
	                  * again, or could not */
	REACH_CUT = 16, /* nor is this: it was broken off, rather than over */
};
#define REACH_STAGES 31U

/* How it ended; what explains most comes first where several fit. */
enum reach_end {
	REACH_END_WELL,    /* said good-bye, or left with what it came for */
	REACH_END_LEFT,    /* closed by the client before that */
	REACH_END_RESET,   /* the connection broke */
	REACH_END_TIMEOUT, /* nothing came for too long */
	REACH_END_TLS,     /* the handshake failed */
	REACH_END_AUTH,    /* not signed in: wrong user or password */
	REACH_END_BAN,     /* not signed in: the address has to wait */
	REACH_END_LIMIT,   /* refused: too many connections, or too fast */
	REACH_END_SERVER,  /* we ended it: errors, or we stop */
	REACH_ENDS
};
const char *reach_end_name(enum reach_end e);

/* Versions of TLS. Of a handshake that failed: what the client asked for, or
 * what was agreed on when they came as far. */
enum reach_tls {
	REACH_TLS_NONE, /* none, or nothing that could be read */
	REACH_TLS_OLDER,
	REACH_TLS_10,
	REACH_TLS_11,
	REACH_TLS_12,
	REACH_TLS_13,
	REACH_TLS_VERSIONS
};
/* "TLSv1.3"; "none". */
const char *reach_tls_name(enum reach_tls v);
/* Of the number on the wire (0x0304); 0: none. */
enum reach_tls reach_tls_of(uint16_t wire);

enum reach_tls_how {
	REACH_TLS_DONE,
	REACH_TLS_BY_CLIENT, /* it sent an alert */
	REACH_TLS_BY_US,
	REACH_TLS_BROKE_OFF, /* without one */
};

struct reach_event {
	uint8_t service; /* enum service */
	uint16_t port;   /* of ours */
	uint8_t family;  /* 4 or 6 */
	uint8_t address[16];
	uint8_t stages; /* REACH_GREETED, ... */
	uint8_t end;    /* enum reach_end */
	uint8_t
	    alert; /* of TLS (RFC 8446 section 6), from the client; 0: none */
	uint8_t own_alert; /* that we sent; 0: none */
	uint8_t tls;       /* enum reach_tls */
	uint32_t rtt_us;   /* 0: not known */
	uint16_t retransmits;
	uint64_t account;      /* 0: not signed in */
	uint64_t organisation; /* of its domain; 0: not known */
};

void reach_event_put(struct buf *b, const struct reach_event *e);
/* The next one. False at the end; w->failed tells whether it was a bad one. */
bool reach_event_read(struct wire *w, struct reach_event *ret) WARN_UNUSED;

/* "unknown_ca", or NULL (the IANA registry of TLS alerts). */
const char *reach_alert_name(uint8_t alert);
