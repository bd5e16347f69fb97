/* SPDX-License-Identifier: ISC */
/*
 * conn_internal.h - the inside of a connection, for the files of conn.
 *
 *   conn.c        the states, the timer
 *   conn_in.c     what came, until the session takes it
 *   conn_out.c    what is to be sent
 *   conn_plain.c  bytes of a socket without TLS
 *   conn_tls.c    bytes of a socket with TLS, over a libevent bufferevent
 *
 * A transport moves bytes and reports with the conn_on_*() functions; it
 * never calls a session itself.
 */
#pragma once

#include "net/conn.h"

#include <netinet/in.h>

struct bufferevent;
struct evbuffer;

enum conn_state {
	OPEN,
	STARTING, /* sends what is left before the handshake */
	CLOSING,  /* sends what is left before the end */
	LINGER,   /* everything is sent; reads and drops until the peer ends */
	END,
};

struct conn {
	struct loop *loop;
	const struct conn_handlers *handlers;
	void *arg;
	struct loop_timer *timer;
	int fd; /* -1: the transport is gone */

	/* Plain: watch, in and out. TLS: bev, whose output out is, and ssl. */
	struct loop_fd *watch;
	struct buf in;
	size_t in_at; /* bytes at the start of in that were consumed */
	struct evbuffer *out;
	struct bufferevent *bev;
	SSL *ssl;                 /* owned by bev once it is in use there */
	struct tls_watch watches; /* its records without data */
	uint32_t empty_records;   /* of those, behind the last data */
	bool reads, writes;       /* plain: what watch waits for */

	size_t in_max, out_high, out_low;
	uint64_t idle_ms;
	uint64_t last_ms;  /* when a byte moved last */
	uint64_t fires_ms; /* when the timer fires; 0: not armed */
	uint64_t bytes_in, bytes_out;
	enum conn_state state;
	enum conn_end how;
	struct tls_expected server; /* as a client */
	bool is_client;             /* of the TLS handshake */
	bool is_tls;                /* a handshake was begun */
	bool is_ready;              /* and is done */
	bool is_paused;             /* by the session */
	bool is_queued;             /* a resume is under way */
	bool is_dirty;              /* a flush is under way */
	bool is_full;               /* output went above the high-water mark */
	bool is_stuffed;            /* input reached in_max: reading is off */
	bool is_eof;                /* the peer ended its side */
	bool is_expired;            /* timeout() runs or has run */
	bool wants_path;
	struct conn_path path; /* alert, is_reset; the rest at the end */
	char detail[80];
	char ip[INET6_ADDRSTRLEN];
	struct sockaddr_storage peer;
};

/* --- what a transport reports ------------------------------------------------- */

void conn_note_in(struct conn *c, size_t n);  /* bytes came */
void conn_note_out(struct conn *c, size_t n); /* bytes went */
void conn_on_input(struct conn *c);
/* Output became less, or there may be none: the state may change. */
void conn_on_written(struct conn *c);
void conn_on_eof(struct conn *c);
/* tls_code: OpenSSL's error, 0 for none; err: errno, 0 for none. */
void conn_on_error(struct conn *c, unsigned long tls_code, int err);
void conn_on_tls_ready(struct conn *c);

/* --- a transport's verbs ------------------------------------------------------ */

void conn_plain_begin(struct conn *c);
/* Lets go of the descriptor, and of what was not consumed. */
void conn_plain_end(struct conn *c);
void conn_plain_want_read(struct conn *c, bool want);
/* Write what the socket takes; wait for it with the rest. */
void conn_plain_flush(struct conn *c);
void conn_plain_drop_input(struct conn *c);
/* Overwrite what the last read left behind. */
void conn_plain_wipe(void);

void conn_tls_begin(struct conn *c);
void conn_tls_end(struct conn *c);
void conn_tls_want_read(struct conn *c, bool want);
/* Report already when no more than n bytes of output are left. */
void conn_tls_set_low(struct conn *c, size_t n);
void conn_tls_mute(struct conn *c); /* no more reports */
size_t conn_tls_in_bytes(struct conn *c);
struct str conn_tls_in(struct conn *c);
void conn_tls_drain(struct conn *c, size_t n);
/* The session of OpenSSL that conn_tls_begin() will use. */
SSL *conn_tls_session(struct conn *c, struct tls_context *tls);
/* The answer to STARTTLS is sent (loop_fn). */
void conn_switch_to_tls(void *arg);

/* --- either transport --------------------------------------------------------- */

static inline size_t
conn_in_bytes(struct conn *c)
{
	return c->bev ? conn_tls_in_bytes(c) : c->in.n - c->in_at;
}

static inline void
conn_want_read(struct conn *c, bool want)
{
	if (c->bev)
		conn_tls_want_read(c, want);
	else
		conn_plain_want_read(c, want);
}

/* --- states ------------------------------------------------------------------- */

/* Give the session what is there, unless it or the client must catch up. */
void conn_deliver(struct conn *c);
/* detail may be c->detail. Nothing follows but closed(). */
void conn_enter_end(struct conn *c, enum conn_end how, const char *detail);
void conn_enter_closing(struct conn *c, enum conn_end how, const char *detail);
/* CLOSING: all output is with the kernel. */
void conn_output_is_sent(struct conn *c);
