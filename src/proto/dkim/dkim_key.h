/* SPDX-License-Identifier: ISC */
/*
 * dkim_key.h - the key records that domains publish (RFC 6376 section 3.6.1,
 * RFC 8463 for Ed25519), and whether one may judge a given signature.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/dkim/dkim_signature.h"

/* A longer record is refused: 4096 bits of RSA need less than 800 bytes. */
#define DKIM_RECORD_MAX 4096

/* What is good enough; the numbers are those of RFC 8301. */
struct dkim_policy {
	unsigned rsa_bits_min;       /* section 3.2: 1024 */
	bool allows_sha1;            /* section 3.1: no */
	bool allows_unsigned_body;   /* l= shorter than the body */
	uint32_t clock_skew_seconds; /* a signature may be this much from the
	                                future */
};
extern const struct dkim_policy dkim_policy_default;

struct dkim_key {
	struct crypt_key *key; /* NULL when the key was revoked */
	enum crypt_kind kind;
	struct str hashes;   /* h=, empty for any; borrows from the record */
	struct str services; /* s=, empty for any */
	bool is_testing;     /* t=y */
	bool is_strict;      /* t=s: i= may not be of a subdomain */
};

/*
 * Read a TXT record, its strings joined. False when it is no key record;
 * *ret_why says why not. The caller ends *ret with dkim_key_done() when true.
 */
bool dkim_key_parse(struct str record, struct dkim_key *ret,
    struct dkim_finding *ret_why) WARN_UNUSED;
void dkim_key_done(struct dkim_key *k);

/*
 * May this key be used for this signature? Looks at kinds, the record's
 * restrictions and policy; not at the signature's bytes.
 */
bool dkim_key_fits(const struct dkim_key *k, const struct dkim_signature *s,
    const struct dkim_policy *policy, struct dkim_finding *ret_why) WARN_UNUSED;

/*
 * Append a record for a public key, as it is to be published: "v=DKIM1;
 * k=rsa; p=...". One string; the zone's writer cuts it into pieces of 255.
 */
void dkim_key_format(const struct crypt_key *key, struct buf *to);

/* Append the name of the record: selector, "._domainkey.", domain. */
void dkim_key_name(struct str selector, struct str domain, struct buf *to);
