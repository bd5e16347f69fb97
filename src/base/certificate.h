/* SPDX-License-Identifier: ISC */
/*
 * certificate.h - what a certificate in PEM says, and the making of what leads
 * to one: keys, requests to an authority, the certificates of a challenge.
 *
 * Texts in, texts out: nothing of the library is seen outside. Who serves TLS
 * with them is net/tls_server.
 *
 * Layer: base. No I/O; random numbers come from the library.
 */
#pragma once

#include "base/buf.h"

/* The longest chain with all its certificates, and the longest key, in PEM. */
#define CERTIFICATE_CHAIN_MAX KIB(256)
#define CERTIFICATE_KEY_MAX   KIB(32)
/* Names of one certificate: more are not looked at. */
#define CERTIFICATE_NAMES_MAX 1000

enum certificate_kind {
	CERTIFICATE_RSA,
	CERTIFICATE_EC,
	CERTIFICATE_OTHER, /* Ed25519 and the like */
};
#define CERTIFICATE_KINDS 3
/* "RSA", "ECDSA", "other" */
const char *certificate_kind_str(enum certificate_kind k);

struct certificate_facts {
	/*
	 * The host names that it is for: its DNS names, or without any its common
	 * name; in lower case, a line feed behind each. "*.example.org" stands
	 * for one more label. What is no host name is left out. On the heap.
	 */
	char *names;
	char
	    *issuer; /* its organisation and name, or one of them; the heap's */
	uint64_t begins, ends; /* Unix time of the first certificate */
	enum certificate_kind kind;
	uint32_t bits;
	bool is_own; /* signed with its own key */
};

/*
 * Read the first certificate of a chain. False, and *ret untouched, when there
 * is none. certificate_facts_done() frees what *ret holds.
 */
bool certificate_read(
    struct str chain, struct certificate_facts *ret) WARN_UNUSED;
void certificate_facts_done(struct certificate_facts *f);

/* NULL when the key is the first certificate's, and the text of both is whole;
 * else what is wrong, for people (a literal). */
const char *certificate_fault(struct str chain, struct str key);

/* Append a new private key (P-256, or RSA with 3072 bits), PKCS #8 PEM. The
 * caller wipes it. False when the library cannot. */
bool certificate_make_key(
    enum certificate_kind kind, struct buf *to) WARN_UNUSED;

/*
 * Append a request (PKCS #10, DER) for names, lines as above, signed with key:
 * no subject, all names as alternative names (RFC 8555 section 7.4). False when
 * key is none or there are no names.
 */
bool certificate_request(
    struct str key, struct str names, struct buf *to) WARN_UNUSED;

/*
 * Append a certificate for name, signed by itself with key, PEM, good from an
 * hour ago for so many seconds. With digest: SHA-256 of a key authorization,
 * for the challenge TLS-ALPN-01 (RFC 8737 section 3); else NULL.
 */
#define CERTIFICATE_DIGEST_BYTES 32
bool certificate_self(struct str key, struct str name,
    const unsigned char *digest, uint32_t seconds, struct buf *to) WARN_UNUSED;
