/* SPDX-License-Identifier: ISC */
/*
 * sip.h - ask a SIP server whether it is alive: OPTIONS (RFC 3261 section 11).
 *
 * Any well-formed reply to our question is a sign of life, also a refusal.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

#define SIP_HEAD_MAX KIB(8)

struct sip_options {
	struct str host; /* whom we ask; an IPv6 address without brackets */
	uint16_t port;
	const char *transport; /* "UDP", "TCP" or "TLS" */
	struct str own;        /* our address, likewise */
	uint16_t own_port;
	struct str tag; /* random letters and digits: branch, tag, Call-ID */
};

void sip_options_put(struct buf *to, const struct sip_options *o);

enum sip_verdict {
	SIP_MORE,    /* the head is not complete (TCP, TLS) */
	SIP_REPLY,   /* *ret_code and *ret_reason are set */
	SIP_FOREIGN, /* a reply to somebody else's question */
	SIP_BAD,     /* not SIP */
};

/* ret_reason points into in. A 100 (Trying) is a reply as any other. */
enum sip_verdict sip_reply_read(struct str in, struct str tag,
    unsigned *ret_code, struct str *ret_reason) WARN_UNUSED;
