/* SPDX-License-Identifier: ISC */
/*
 * probe_internal.h - what the kinds of probe share.
 *
 * A kind is a few functions. It begins in start(): probe_connect() for those
 * that speak over TCP, which then hear opened(), secured() behind a TLS handshake,
 * and data(). It ends by probe_ok(), probe_fail() or probe_unclear(); the time-out,
 * and a connection that ends, fail it by themselves.
 */
#pragma once

#include "net/connect.h"
#include "watch/server.h"

struct probe_kind {
	size_t state_size;
	void (*start)(struct probe *p);
	void (*opened)(struct probe *p);
	void (*secured)(struct probe *p);
	void (*data)(struct probe *p);
	/* The other side closed; NULL: that is a failure. */
	void (*ended)(struct probe *p);
	/* Time is up; NULL: that is a failure. */
	void (*late)(struct probe *p);
	/* Give back what the state holds: no callback comes after it. */
	void (*stop)(struct probe *p);
};

extern const struct probe_kind probe_tcp, probe_ping, probe_certificate,
    probe_smtp, probe_talk, probe_http, probe_dns, probe_soa, probe_blocklist,
    probe_sip, probe_roundtrip;

/* Addresses of a host, once each family answered. */
struct probe_addrs {
	struct probe *p;
	uint16_t port;
	struct resolver_query *q4, *q6;
	bool has_trouble, has_private;
	struct sockaddr_storage v[CONNECT_ADDRS_MAX];
	size_t n;
	/* n is 0: the probe was failed already, and this is not called. */
	void (*found)(struct probe *p);
};

struct probe {
	struct server *sv;
	const struct status_check *check;
	struct status_target target;
	const struct probe_kind *kind;
	void *state; /* of the kind */
	probe_fn fn;
	void *arg;
	struct buf *dialogue;
	struct loop_timer *limit;
	uint64_t began_us; /* what counts begins here */
	bool has_begun;
	uint64_t marked_us; /* end of the last stage */
	uint32_t us;        /* set by the kind; 0: until it ended */
	struct probe_stage stages[PROBE_STAGES_MAX];
	size_t n_stages;
	enum watch_outcome outcome;
	enum watch_cause cause;
	char text[PROBE_TEXT_MAX];
	uint16_t days;
	bool has_signed; /* the days are those of a signature in DNS */
	bool is_over, is_told;
	/* of probe_link.c */
	struct probe_addrs addrs;
	struct connect *connect;
	struct conn *conn;
	char tls_name[DNS_NAME_MAX + 1];
	bool is_implicit_tls;
	uint64_t took; /* bytes that the other side said, and that were read */
	void (*next)(
	    struct probe *); /* not NULL: the connection is being left */
};

/* --- probe.c --------------------------------------------------------------- */

/* Ends it well: or slow, when it took too long or the certificate ends soon; or it
 * failed, when it took longer than its limit. */
void probe_ok(struct probe *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void probe_fail(struct probe *p, enum watch_cause cause, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* It says nothing about the system. */
void probe_unclear(struct probe *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A stage ended. */
void probe_mark(struct probe *p, const char *stage);
/* A stage that did not end, since the last one that did. */
void probe_mark_open(struct probe *p, const char *stage);
/* A stage that others have measured. */
void probe_add_stage(struct probe *p, const struct probe_stage *stage);
/* For the dialogue: what ('>', '<', '*') and the text, line by line. */
void probe_tell(struct probe *p, char what, struct str text);
/* A part of what the other side said, fit for a text; in a static buffer. */
const char *probe_cut(struct str s);
/* The connection is gone at last. */
void probe_link_gone(struct probe *p);

/* --- probe_way.c ------------------------------------------------------------- */

struct probe_hop {
	char host[PROBE_HOST_MAX + 1];
	int64_t took_s;
};
/*
 * Stages of a mail with this header: a hop for each host, the mailbox. Sent and found
 * at these times by our clock. *ret_slowest: where it was for seconds, the longest of
 * them; untouched: nowhere.
 */
void probe_tell_way(struct probe *p, struct str header, uint64_t sent_s,
    uint64_t found_s, struct probe_hop *ret_slowest);

/* --- probe_link.c ------------------------------------------------------------ */

/* host is an address or a name; only the family that the check wants. */
void probe_resolve(struct probe *p, struct str host, uint16_t port,
    void (*found)(struct probe *));
/* To the check's target. */
void probe_connect(struct probe *p, bool is_implicit_tls);
/* To another host. */
void probe_connect_to(
    struct probe *p, struct str host, uint16_t port, bool is_implicit_tls);
void probe_send(struct probe *p, struct str s);
/* The dialogue shows shown instead. */
void probe_send_secret(struct probe *p, struct str s, const char *shown);
/* The other side agreed to begin TLS. */
void probe_begin_tls(struct probe *p);
struct str probe_in(struct probe *p);
void probe_took(struct probe *p, size_t n);
/* Is the certificate what the check wants? False: the probe was failed. */
bool probe_judge_certificate(struct probe *p);
/* Send what is queued and leave this connection; then next runs. */
void probe_hang_up(struct probe *p, void (*next)(struct probe *));
/* Everything of this file ends. */
void probe_link_stop(struct probe *p, bool is_rude);
