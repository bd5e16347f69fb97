/* SPDX-License-Identifier: ISC */
/*
 * mime_hop.h - what a transport looks at in a header: how often a message
 * was relayed, and which fields it lacks.
 *
 * Layer: proto.
 */
#pragma once

#include "proto/mime/mime_header.h"

enum {
	MIME_LACKS_DATE = 1 << 0,
	MIME_LACKS_FROM = 1 << 1,
	MIME_LACKS_MESSAGE_ID = 1 << 2,
	/* Not a lack, but for the same reader: "TLS-Required: No" (RFC 8689
	 * section 3). */
	MIME_TLS_OPTIONAL = 1 << 3,
};

struct mime_hop {
	uint32_t received; /* fields of that name: the loop counter */
	uint32_t date, from, message_id, to, cc, bcc, sender; /* likewise */
	uint32_t delivered_to; /* fields; see mime_hop_is_delivered_to() */
	uint32_t fields;       /* of any name */
	uint64_t header_length;
	bool has_8bit;     /* a byte above 127 in the header (SMTPUTF8) */
	bool has_bad_line; /* a line that is no field */
	bool is_tls_optional;
};

/* Look at the header of message; one pass, stops at the empty line. */
void mime_hop_scan(struct str message, struct mime_hop *ret);
/* MIME_LACKS_* bits, and MIME_TLS_OPTIONAL: what RFC 5322 section 3.6 (and RFC 6409 section 8)
 * wants in a submitted message. */
unsigned mime_hop_lacks(const struct mime_hop *hop);
/* Does a Delivered-To field name this address (ASCII case is ignored)? */
bool mime_hop_is_delivered_to(struct str message, struct str address);
