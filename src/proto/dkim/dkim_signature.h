/* SPDX-License-Identifier: ISC */
/*
 * dkim_signature.h - read a signature field, and hash what it signs.
 *
 * One grammar with three dialects: DKIM-Signature (RFC 6376 section 3.5),
 * and ARC's two, which drop some tags and add an instance (RFC 8617 sections
 * 4.1.2 and 4.1.3). Nothing is repaired: what breaks the grammar is refused.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/crypt.h"
#include "proto/dkim/dkim_canon.h"
#include "proto/dkim/dkim_header.h"

/* The words of RFC 8601 section 2.7.1. */
enum dkim_verdict {
	DKIM_PASS,
	DKIM_FAIL,      /* the signature is not true of this message */
	DKIM_POLICY,    /* true or not, it is of a kind that we do not accept */
	DKIM_NEUTRAL,   /* it uses something that we do not know */
	DKIM_TEMPERROR, /* the key could not be looked up now */
	DKIM_PERMERROR, /* it, or its key, is broken */
};
const char *dkim_verdict_str(enum dkim_verdict v);

/* A verdict and why; reason is static text, or NULL for a pass. */
struct dkim_finding {
	enum dkim_verdict verdict;
	const char *reason;
};

enum dkim_dialect {
	DKIM_SIGNATURE,
	DKIM_ARC_MESSAGE, /* ARC-Message-Signature */
	DKIM_ARC_SEAL,    /* ARC-Seal: signs no body, has no h= and no c= */
};

enum dkim_algorithm {
	DKIM_RSA_SHA1,
	DKIM_RSA_SHA256,
	DKIM_ED25519_SHA256,
};

/* Limits of one field: beyond them it is refused. */
#define DKIM_SIGNATURE_FIELD_MAX KIB(16)
#define DKIM_SIGNED_NAMES_MAX    500
#define DKIM_DOMAIN_MAX          253
#define DKIM_IDENTITY_MAX        512
#define DKIM_ARC_INSTANCE_MAX    50

struct dkim_signature {
	enum dkim_dialect dialect;
	enum dkim_algorithm algorithm;
	enum dkim_canon header_canon;
	enum dkim_canon body_canon;
	struct str algorithm_name;  /* a= */
	struct str domain;          /* d= */
	struct str selector;        /* s= */
	struct str identity;        /* i= as written; empty when absent */
	struct str names;           /* h= as written */
	struct str cv;              /* cv= of a seal */
	struct str b_first;         /* up to 8 characters of b= */
	bool is_identity_subdomain; /* the domain of i= is below d= */
	bool has_length;
	bool has_time;
	bool has_expiry;
	uint64_t length;   /* l= */
	uint64_t time;     /* t= */
	uint64_t expiry;   /* x= */
	unsigned instance; /* i= of ARC */
	struct crypt_sum body_sum;
	unsigned char bytes[CRYPT_SIGNATURE_MAX];
	size_t bytes_n;
};

/*
 * Read the value of a signature field (behind its colon). On false, *ret_why
 * says what is wrong, and *ret has those of its texts that could be read, for
 * reports; all of them borrow from value.
 */
bool dkim_signature_parse(enum dkim_dialect dialect, struct str value,
    struct dkim_signature *ret, struct dkim_finding *ret_why) WARN_UNUSED;

enum crypt_hash dkim_algorithm_hash(enum dkim_algorithm a);
enum crypt_kind dkim_algorithm_kind(enum dkim_algorithm a);
/* Is a name in h=? */
bool dkim_signature_covers(const struct dkim_signature *s, struct str name);

/* A sink that feeds a digest. */
struct dkim_sink dkim_digest_sink(struct crypt_digest *d);

/*
 * Put the signature field itself as it is signed: b= emptied (RFC 6376
 * section 3.7, step 2), in canonical form, without CRLF.
 */
void dkim_put_own_field(enum dkim_canon canon, const struct dkim_field *own,
    const struct dkim_sink *to);

/*
 * The hash that b= signs: the fields of names in order, then the signature's
 * own field. Field number except of the header is not among the former (it
 * is the own one; pass header->n when that is not there yet). Not for seals.
 */
void dkim_hash_header(const struct dkim_signature *s,
    const struct dkim_header *header, size_t except,
    const struct dkim_field *own, struct crypt_sum *ret);
