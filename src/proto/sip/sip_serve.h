/* SPDX-License-Identifier: ISC */
/*
 * sip_serve.h - the other side: a SIP request that somebody sent, and a reply to it
 * that keeps no state (RFC 3261 sections 8.2 and 11.2, RFC 3581).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/sip/sip.h"

#define SIP_BODY_MAX KIB(16)

/* Strings point into what was read; values as they stand there, with their folds. */
struct sip_request {
	struct str method;
	struct str head; /* all of it, to its empty line */
	size_t n;        /* with the body */
	struct str from, to, call_id, cseq;
};

enum sip_asked {
	SIP_ASKED_MORE, /* it is not complete */
	SIP_ASKED,      /* *ret is set */
	SIP_ASKED_BAD,  /* no request that can be answered */
};

/* in begins with it: what clients send to keep a way open is taken away before. */
enum sip_asked sip_request_read(
    struct str in, struct sip_request *ret) WARN_UNUSED;

struct sip_answer {
	unsigned code;
	const char *reason;
	const char *allow;   /* methods */
	const char *tag;     /* of us, for a To that has none */
	const char *peer_ip; /* where the request came from */
	unsigned peer_port;
};
void sip_answer_put(
    struct buf *to, const struct sip_request *r, const struct sip_answer *a);
