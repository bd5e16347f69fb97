/* SPDX-License-Identifier: ISC */
/*
 * ask.h - one question to one name server, for probes: over UDP, repeated each
 * second until an answer comes or the probe's time is up; and once more over
 * TCP when the answer says that it does not fit (RFC 7766 section 5).
 */
#pragma once

#include "proto/dnsmsg/dnsmsg.h"
#include "watch/probe/probe_internal.h"

/* The server's answer: raw is the message that m is about. */
typedef void (*ask_fn)(struct probe *p, struct str raw, const struct dnsmsg *m);

struct ask {
	struct probe *p;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *again;
	struct buf question;
	struct sockaddr_storage server;
	bool is_tcp;
	size_t sent;    /* over TCP, of the length and the question */
	struct buf got; /* over TCP: the length and the answer, so far */
	ask_fn fn;
};

/* In a zeroed struct. Failures of the network fail the probe. flags: DNSMSG_*. */
void ask_start(struct ask *a, struct probe *p,
    const struct sockaddr_storage *server, struct str name,
    enum dnsmsg_type type, unsigned flags, ask_fn fn);
/* Also where it was not started; it can be started again. */
void ask_stop(struct ask *a);
