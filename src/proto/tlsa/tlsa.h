/* SPDX-License-Identifier: ISC */
/*
 * tlsa.h - TLSA records, as DANE for SMTP uses them (RFC 6698, 7671, 7672).
 *
 * A set of records says which certificate or key a host shows. What they
 * prove depends on where they come from: the caller hands in only what came
 * with DNSSEC, and what a match of an issuer still needs (signatures down to
 * the host's certificate, dates, names) is the TLS library's work.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"
#include "base/crypt.h"

/*
 * Records of one set that are looked at; more make a set that cannot be
 * used. A set with all combinations that are usable has 12, twice that
 * during a change of keys.
 */
#define TLSA_RECORDS_MAX 64
/* Bytes of one record; a full certificate is the longest. */
#define TLSA_RECORD_MAX KIB(16)
/* Certificates of a chain that are looked at. */
#define TLSA_CHAIN_MAX 16

enum tlsa_usage {
	TLSA_PKIX_TA = 0, /* not for SMTP (RFC 7672 section 3.1.3) */
	TLSA_PKIX_EE = 1, /* the same */
	TLSA_DANE_TA = 2, /* an issuer in the chain */
	TLSA_DANE_EE = 3, /* the host's own certificate */
};

enum tlsa_selector {
	TLSA_CERT = 0, /* the whole certificate */
	TLSA_SPKI = 1, /* its SubjectPublicKeyInfo */
};

enum tlsa_matching {
	TLSA_FULL = 0, /* the bytes themselves */
	TLSA_SHA256 = 1,
	TLSA_SHA512 = 2,
};

/* The fields of a record; numbers may be ones that nobody has defined. */
struct tlsa_record {
	uint8_t usage;
	uint8_t selector;
	uint8_t matching;
	struct str data;
};

/*
 * Read the RDATA of a record. False when it is too short or too long; data
 * points into bytes. What is in it is judged by tlsa_is_usable().
 */
bool tlsa_parse(struct str bytes, struct tlsa_record *ret) WARN_UNUSED;
/* Write it. */
void tlsa_encode(const struct tlsa_record *record, struct buf *to);
/* As zone files have it: "3 1 1 0123..." (RFC 6698 section 2.2). */
void tlsa_put_text(const struct tlsa_record *record, struct buf *to);

/*
 * Can SMTP use it? DANE-TA or DANE-EE, a selector and a matching type that
 * are known, and data that can match at all (RFC 7672 section 3.1).
 */
bool tlsa_is_usable(const struct tlsa_record *record);

/* A certificate and its SubjectPublicKeyInfo, both DER. */
struct tlsa_cert {
	struct str der;
	struct str spki;
};

/*
 * The data of a record for a certificate: what is hashed, or copied. False
 * for a selector or a matching type that is not known.
 */
bool tlsa_put_data(uint8_t selector, uint8_t matching,
    const struct tlsa_cert *cert, struct buf *to) WARN_UNUSED;

enum tlsa_use {
	TLSA_ABSENT,   /* no records: DANE does not apply */
	TLSA_UNUSABLE, /* only unusable ones: TLS, but nobody to authenticate
	                  (RFC 7672 section 2.2) */
	TLSA_USABLE,   /* the host has to match */
};

/* What the caller has to do with a set, before it connects. */
enum tlsa_use tlsa_set_use(const struct tlsa_record *records, size_t n);

enum tlsa_verdict {
	TLSA_NO_MATCH, /* do not deliver to this host */
	/*
	 * The host's certificate: it is authenticated. Neither its dates nor
	 * its names matter (RFC 7672 section 3.1.1).
	 */
	TLSA_MATCH_EE,
	/*
	 * An issuer in the chain: the certificates below have to lead to it,
	 * with good dates, and the first of them has to be the host's by
	 * name (RFC 7672 section 3.1.2).
	 */
	TLSA_MATCH_TA,
};

struct tlsa_match {
	enum tlsa_verdict verdict;
	size_t record; /* that matched, counted from 0 */
	size_t cert;   /* in the chain: 0 for TLSA_MATCH_EE */
};

/*
 * Match a chain, the host's certificate first, against a set that is
 * TLSA_USABLE. A match of the host's certificate goes before others. Of the
 * digests with one usage and selector only the strongest kind counts (RFC
 * 7671 section 9), so that a stronger one cannot be got round.
 */
void tlsa_match(const struct tlsa_record *records, size_t n,
    const struct tlsa_cert *chain, size_t n_chain, struct tlsa_match *ret);
