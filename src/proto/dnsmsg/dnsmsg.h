/* SPDX-License-Identifier: ISC */
/*
 * dnsmsg.h - questions to one name server, and its answers (RFC 1035), for
 * those who want to know what that very server says. Names for anything else
 * are net/resolver's business.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

#define DNSMSG_MAX         1232 /* what we say that we take (RFC 9715) */
#define DNSMSG_RECORDS_MAX 64
#define DNSMSG_NAME_MAX    255

enum dnsmsg_type {
	DNSMSG_A = 1,
	DNSMSG_NS = 2,
	DNSMSG_CNAME = 5,
	DNSMSG_SOA = 6,
	DNSMSG_PTR = 12,
	DNSMSG_MX = 15,
	DNSMSG_TXT = 16,
	DNSMSG_AAAA = 28,
	DNSMSG_SRV = 33,
	DNSMSG_RRSIG = 46,
};

enum {
	DNSMSG_RECURSE = 1 << 0,
	DNSMSG_SIGNED = 1 << 1, /* signatures as well (RFC 3225: DO) */
};

/* A question with EDNS. flags: of those above. False: name is none. */
bool dnsmsg_ask(struct buf *to, uint16_t id, struct str name,
    enum dnsmsg_type type, unsigned flags) WARN_UNUSED;

struct dnsmsg_record {
	unsigned type;
	size_t at, n; /* its data in the message */
};

struct dnsmsg {
	uint8_t rcode;
	bool is_authoritative, is_truncated;
	size_t n; /* of the answer section */
	struct dnsmsg_record records[DNSMSG_RECORDS_MAX];
};

enum dnsmsg_verdict {
	DNSMSG_OK,
	DNSMSG_BAD,     /* malformed */
	DNSMSG_FOREIGN, /* to another question: wait for ours */
};

/* asked: the bytes of the question. */
enum dnsmsg_verdict dnsmsg_read(
    struct str msg, struct str asked, struct dnsmsg *ret) WARN_UNUSED;
/* "RCODE" as a word; never NULL. */
const char *dnsmsg_rcode(uint8_t rcode);

/*
 * The data of a record as text: "192.0.2.1", "10 mx.example.org", a TXT without
 * quotes. Names in lower case without the dot at the end. False: malformed, or
 * a type that is not above. For data that stand alone: at is 0.
 */
bool dnsmsg_put_text(struct buf *to, struct str msg, size_t at, size_t n,
    unsigned type) WARN_UNUSED;
bool dnsmsg_soa_serial(
    struct str msg, const struct dnsmsg_record *r, uint32_t *ret) WARN_UNUSED;

/* From when until when a signature holds, in seconds since 1970, which go round
 * (RFC 4034 section 3.1.5). */
struct dnsmsg_span {
	uint32_t from, until;
};
/* Of the signature over records of that type that ends last: a validator needs one
 * that holds. False: there is none, or only malformed ones. */
bool dnsmsg_signature(struct str msg, const struct dnsmsg *m, unsigned type,
    struct dnsmsg_span *ret) WARN_UNUSED;
/* What is left of it at a time; 0: it ended, or has not begun. */
uint32_t dnsmsg_span_left(const struct dnsmsg_span *s, uint64_t now_s);
/* Serial numbers go round (RFC 1982): is a behind b? */
bool dnsmsg_serial_is_behind(uint32_t a, uint32_t b);
