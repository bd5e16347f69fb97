/* SPDX-License-Identifier: ISC */
/*
 * dnsmsg_serve.h - the other side: a question that somebody sent, and an answer to it
 * (RFC 1035 section 4, RFC 6891), for a name server of a few records.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/dnsmsg/dnsmsg.h"

#define DNSMSG_NOERROR  0
#define DNSMSG_FORMERR  1
#define DNSMSG_NXDOMAIN 3
#define DNSMSG_NOTIMP   4
#define DNSMSG_REFUSED  5
#define DNSMSG_BADVERS  16 /* RFC 6891 section 9 */
#define DNSMSG_ANY      255
#define DNSMSG_CLASS_IN 1

/* Strings point into the message. */
struct dnsmsg_question {
	struct str head; /* its first 12 bytes */
	struct str
	    raw; /* name, type and class as they were sent; may be empty */
	struct str name; /* as on the wire, with its last, empty label */
	unsigned type, class;
	bool has_edns;
};

/*
 * Read one. True: it has an answer, with the rcode in *ret_rcode; DNSMSG_NOERROR is
 * that it is understood. False: it has none, for it is too short to have an id, or is
 * itself an answer.
 */
bool dnsmsg_question_read(struct str msg, struct dnsmsg_question *ret,
    unsigned *ret_rcode) WARN_UNUSED;
/* Is the name this one, or below it? Ignores case. zone: as text. */
bool dnsmsg_name_is(struct str name, const char *text);
bool dnsmsg_name_is_below(struct str name, const char *zone);

/* A record. data as text: an address, a name, "10 mx.example.org", for a SOA "ns.
 * mailbox. serial refresh retry expire minimum", for a TXT up to 255 bytes. */
struct dnsmsg_given {
	const char *name;
	enum dnsmsg_type type;
	uint32_t ttl;
	const char *data;
};

struct dnsmsg_answer {
	unsigned rcode;
	bool is_authoritative;
	const struct dnsmsg_given *const *records;
	size_t n;
	const struct dnsmsg_given *soa; /* of the authority section; or NULL */
};

/* Append the answer to q. A record of the caller's that is none is a bug. */
void dnsmsg_answer_put(struct buf *to, const struct dnsmsg_question *q,
    const struct dnsmsg_answer *a);
