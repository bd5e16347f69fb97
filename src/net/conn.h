/* SPDX-License-Identifier: ISC */
/*
 * conn.h - a client connection: descriptor, TLS, buffers and timeouts.
 *
 * A session sees a few verbs: data arrived, output drained, TLS is on, time
 * is up, closed. Reading is paused while output is above the high-water mark,
 * so that a client which does not read cannot fill memory. Deferred death:
 * conn_close() marks; handlers are never called after closed(), and the
 * memory goes after the loop's round.
 */
#pragma once

#include "net/loop.h"
#include "net/tls.h"

#include "base/buf.h"

#include <sys/socket.h>

struct conn;

enum conn_end {
	CONN_END_EOF,     /* the client closed */
	CONN_END_RESET,   /* the connection broke */
	CONN_END_TIMEOUT, /* idle or slow: timeout() said so and closed */
	CONN_END_TLS,     /* handshake or record error */
	CONN_END_LOCAL,   /* conn_close() and all was sent, or conn_abort() */
};

struct conn_handlers {
	/* New input, or input is left and the session asked to be called again
	 * (conn_resume). Look with conn_in(), take with conn_consume(). */
	void (*data)(void *arg);
	/* Output fell below the low-water mark after conn_is_full(). */
	void (*drained)(void *arg);
	/* The TLS handshake is done. */
	void (*tls_ready)(void *arg);
	/* The time set by conn_set_timeout() passed. Say good-bye and close. */
	void (*timeout)(void *arg);
	/* Last call. */
	void (*closed)(void *arg, enum conn_end how, const char *detail);
};

struct conn_config {
	struct loop *loop;
	int fd;                              /* taken */
	const struct sockaddr_storage *peer; /* when known; copied */
	struct tls_context *tls; /* not NULL: TLS from the first byte */
	bool is_client;          /* the TLS handshake is a client's */
	/* then: whom we mean; what it points to lives until tls_ready() */
	struct tls_expected server;
	bool wants_path;          /* conn_path() will be asked */
	size_t in_max;            /* input held at most; then reading pauses */
	size_t out_high, out_low; /* water marks of output */
	const struct conn_handlers *handlers;
	void *arg;
};

struct conn *conn_new(const struct conn_config *config);

/* All input held, contiguous, valid until conn_consume() or the next event. */
struct str conn_in(struct conn *c);
void conn_consume(struct conn *c, size_t n);
/*
 * Acknowledge what came at once. A client that sends the end of its command
 * in a write of its own (Nagle) waits for that; without it, 40 ms.
 */
void conn_quick_ack(struct conn *c);
/* The same, and overwrites the bytes: they may be a password. */
void conn_consume_secret(struct conn *c, size_t n);
/* Change the limit on held input, e.g. after sign-in. */
void conn_set_in_max(struct conn *c, size_t in_max);
/* Stop and go on calling data(). conn_resume() calls it again from the loop
 * even without new input. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);

void conn_put(struct conn *c, struct str s);      /* copies */
void conn_put_buf(struct conn *c, struct buf *b); /* moves; b is empty after */
/* Lends memory: release(arg) runs when it was written, or before closed(); at
 * once when the connection has ended already. */
void conn_put_ref(struct conn *c, struct str s, loop_fn release, void *arg);
size_t conn_out_bytes(struct conn *c);
bool conn_is_full(struct conn *c); /* above the high-water mark */

/* Time without any byte moving in the direction waited for; 0: none. */
void conn_set_timeout(struct conn *c, uint64_t idle_ms);

/* STARTTLS: plaintext input that was not consumed is thrown away (command
 * injection), the output so far is sent, then the handshake begins. */
void conn_start_tls(struct conn *c, struct tls_context *tls);
bool conn_has_tls(const struct conn *c);
/* The client is an authority that looks at a challenge (RFC 8737): the handshake
 * was all, and the connection is to be closed. */
bool conn_tls_is_challenge(const struct conn *c);
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384"; NULL without TLS. */
const char *conn_tls_version(const struct conn *c);
const char *conn_tls_cipher(const struct conn *c);
/* As a client: why the certificate is not to be trusted; NULL: it is. */
const char *conn_tls_distrust(const struct conn *c);
enum tls_trust conn_tls_trust(const struct conn *c);
/* When the server's chain ends: Unix time of its first certificate that does. */
bool conn_tls_expires(const struct conn *c, uint64_t *ret) WARN_UNUSED;
/* Channel binding data of a type ("tls-exporter", "tls-unique",
 * "tls-server-end-point"); false when it does not exist here. */
bool conn_tls_binding(
    const struct conn *c, const char *type, struct buf *ret) WARN_UNUSED;

/* Peer and own address as text, no port: "192.0.2.1", "2001:db8::1", "unix". */
const char *conn_peer_ip(const struct conn *c);
const struct sockaddr_storage *conn_peer_addr(const struct conn *c);

/*
 * How the way to the peer was, to be asked within closed(). Times and counts
 * are the kernel's (TCP_INFO); 0 when they are not known: not TCP, or
 * wants_path was not set.
 */
struct conn_path {
	uint32_t rtt_us;      /* smoothed round trip */
	uint32_t retransmits; /* segments that had to be sent again */
	uint8_t alert;        /* of TLS, from the peer; 0: none */
	uint8_t own_alert;    /* that we sent (as a server); 0: none */
	/* On the wire (0x0304); of a handshake that failed: how far it came,
	 * or what the client asked for. 0: no TLS, or nothing was understood. */
	uint16_t tls_version;
	bool is_reset; /* the peer, or somebody on the way, reset it */
	/* What was sent last was repeated, and nobody has acknowledged it. */
	bool is_unanswered;
	bool had_tls; /* the handshake was done */
};
struct conn_path conn_path(const struct conn *c);

/* Send what is queued (for at most 5 s, or that long), then close; no more data()
 * calls. */
void conn_close(struct conn *c);
void conn_close_within(struct conn *c, uint64_t ms);
void conn_abort(struct conn *c); /* at once; closed() runs from the loop */
uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);
