/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_caps.h - what another server says it can do: its EHLO reply.
 *
 * Keywords that we have no use for are skipped, and parameters that make no
 * sense count as not given: a strange announcement must not cost a delivery.
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "base/str.h"

enum smtp_cap {
	SMTP_CAP_SIZE = 1 << 0,            /* RFC 1870 */
	SMTP_CAP_PIPELINING = 1 << 1,      /* RFC 2920 */
	SMTP_CAP_8BITMIME = 1 << 2,        /* RFC 6152 */
	SMTP_CAP_SMTPUTF8 = 1 << 3,        /* RFC 6531 */
	SMTP_CAP_DSN = 1 << 4,             /* RFC 3461 */
	SMTP_CAP_STARTTLS = 1 << 5,        /* RFC 3207 */
	SMTP_CAP_CHUNKING = 1 << 6,        /* RFC 3030 */
	SMTP_CAP_BINARYMIME = 1 << 7,      /* RFC 3030 */
	SMTP_CAP_REQUIRETLS = 1 << 8,      /* RFC 8689 */
	SMTP_CAP_FUTURERELEASE = 1 << 9,   /* RFC 4865 */
	SMTP_CAP_DELIVERBY = 1 << 10,      /* RFC 2852 */
	SMTP_CAP_MT_PRIORITY = 1 << 11,    /* RFC 6710 */
	SMTP_CAP_AUTH = 1 << 12,           /* RFC 4954 */
	SMTP_CAP_ENHANCEDSTATUS = 1 << 13, /* RFC 2034 */
	SMTP_CAP_LIMITS = 1 << 14,         /* RFC 9422 */
};

enum smtp_mechanism {
	SMTP_MECHANISM_PLAIN = 1 << 0,
	SMTP_MECHANISM_LOGIN = 1 << 1,
	SMTP_MECHANISM_OTHER = 1 << 2,
	SMTP_MECHANISM_SCRAM_SHA_256 = 1 << 3,
};

struct smtp_caps {
	unsigned has;      /* of enum smtp_cap */
	unsigned auth;     /* of enum smtp_mechanism */
	uint64_t size_max; /* SIZE; 0: no limit announced */
	uint64_t hold_max; /* FUTURERELEASE, seconds; 0: not announced */
	uint64_t by_min;   /* DELIVERBY, seconds; 0: none */
	uint32_t rcpt_max; /* LIMITS RCPTMAX; 0: none, as for the next two */
	uint32_t mail_max; /* LIMITS MAILMAX */
	uint32_t rcpt_domain_max; /* LIMITS RCPTDOMAINMAX */
};

/*
 * Read the text of a reply to EHLO or LHLO: its lines with '\n' between them,
 * codes removed. The first line is the greeting.
 */
struct smtp_caps smtp_caps_parse(struct str text) WARN_UNUSED;

/* The same, as if the capabilities in ignored had not been announced. */
struct smtp_caps smtp_caps_without(
    struct smtp_caps caps, unsigned ignored) WARN_UNUSED;

/* "PIPELINING" for one bit. */
const char *smtp_cap_str(enum smtp_cap cap);
