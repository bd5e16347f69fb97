/* SPDX-License-Identifier: ISC */
/*
 * dnsupdate_message.h - questions and updates for a name server (RFC 1035,
 * RFC 2136), and its replies.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/dnsupdate/dnsupdate_name.h"

#define DNSUPDATE_MESSAGE_MAX 65535 /* of TCP */
#define DNSUPDATE_RECORDS_MAX 1000  /* of a reply, all sections */
#define DNSUPDATE_DATA_MAX    16384 /* of a record that we send */

/* Types that are looked into; all others are bytes. */
enum {
	DNSUPDATE_TYPE_NS = 2,
	DNSUPDATE_TYPE_CNAME = 5,
	DNSUPDATE_TYPE_SOA = 6,
	DNSUPDATE_TYPE_PTR = 12,
	DNSUPDATE_TYPE_MX = 15,
	DNSUPDATE_TYPE_SRV = 33,
	DNSUPDATE_TYPE_DNSKEY = 48,
	DNSUPDATE_TYPE_TSIG = 250,
	DNSUPDATE_TYPE_ANY = 255,
};

enum {
	DNSUPDATE_CLASS_IN = 1,
	DNSUPDATE_CLASS_NONE = 254,
	DNSUPDATE_CLASS_ANY = 255,
};

/* RFC 1035, 2136, 8945: the last four stand in TSIG records only. */
enum {
	DNSUPDATE_NOERROR = 0,
	DNSUPDATE_FORMERR = 1,
	DNSUPDATE_SERVFAIL = 2,
	DNSUPDATE_NXDOMAIN = 3,
	DNSUPDATE_NOTIMP = 4,
	DNSUPDATE_REFUSED = 5,
	DNSUPDATE_YXDOMAIN = 6,
	DNSUPDATE_YXRRSET = 7,
	DNSUPDATE_NXRRSET = 8,
	DNSUPDATE_NOTAUTH = 9,
	DNSUPDATE_NOTZONE = 10,
	DNSUPDATE_BADSIG = 16,
	DNSUPDATE_BADKEY = 17,
	DNSUPDATE_BADTIME = 18,
	DNSUPDATE_BADTRUNC = 22,
};
/* "NOTAUTH"; "RCODE 77" for what is not above, in a buffer of the caller. */
const char *dnsupdate_rcode_name(unsigned rcode, char to[16]);

/* --- writing ----------------------------------------------------------------- */

/* A whole question. False when name is none. */
bool dnsupdate_put_question(
    unsigned id, struct str name, unsigned type, struct buf *to) WARN_UNUSED;

/*
 * An update of one zone, which is done as a whole or not at all: first what
 * must be so before (RFC 2136 section 2.4), then the changes (2.5). A name
 * that is none, or too much for a message, sets failed.
 */
struct dnsupdate {
	struct buf out; /* the message, after dnsupdate_finish() */
	unsigned id;
	unsigned n_before, n_changes;
	bool failed;
};

void dnsupdate_init(struct dnsupdate *u, unsigned id, struct str zone);
void dnsupdate_done(struct dnsupdate *u);
/* The records of name and type are exactly those that are named so, one call
 * each. */
void dnsupdate_if_record(
    struct dnsupdate *u, struct str name, unsigned type, struct str data);
/* There are no records of name and type. */
void dnsupdate_if_none(struct dnsupdate *u, struct str name, unsigned type);
/* There are no records of name at all. */
void dnsupdate_if_unused(struct dnsupdate *u, struct str name);
void dnsupdate_add(struct dnsupdate *u, struct str name, unsigned type,
    uint32_t ttl, struct str data);
/* This one record, others of its name and type stay. */
void dnsupdate_delete(
    struct dnsupdate *u, struct str name, unsigned type, struct str data);
/* False when something failed. */
bool dnsupdate_finish(struct dnsupdate *u) WARN_UNUSED;

/* --- reading ----------------------------------------------------------------- */

struct dnsupdate_record {
	struct str name; /* text */
	unsigned type, class;
	uint32_t ttl;
	struct str data; /* names in it are not compressed any more */
};

struct dnsupdate_tsig {
	struct str key; /* name, text */
	struct str algorithm;
	uint64_t time;
	unsigned fudge, original_id, error;
	struct str mac, other;
};

struct dnsupdate_reply {
	unsigned id, opcode, rcode;
	bool is_authoritative, is_cut;
	struct dnsupdate_record *answer, *authority;
	size_t n_answer, n_authority;
	bool has_tsig;
	struct dnsupdate_tsig tsig;
	size_t tsig_at; /* where the TSIG record begins */
};

/*
 * Read a reply; *ret points into message and the arena. False when it is
 * malformed, over the limits or no reply. A TSIG record must be the last one
 * (RFC 8945 section 5.2).
 */
bool dnsupdate_reply_parse(struct str message, struct arena *arena,
    struct dnsupdate_reply *ret) WARN_UNUSED;

/* Of SOA data: the primary's name (appended) and the serial. */
bool dnsupdate_read_soa(
    struct str data, struct buf *primary, uint32_t *ret_serial) WARN_UNUSED;
