/* SPDX-License-Identifier: ISC */
/*
 * dkim_sign.h - sign one message with one or two keys (RFC 6376 section 5).
 *
 * Relaxed/relaxed and SHA-256 always: nothing else survives the road, or is
 * accepted at its end. Fields that make up what a reader sees are signed
 * once more often than they occur, so that nobody can add another one (RFC
 * 6376 section 8.15).
 *
 * Layer: proto. No I/O; the clock is an argument.
 */
#pragma once

#include "proto/dkim/dkim_signature.h"

/* An RSA key for everybody, an Ed25519 key for who knows it (RFC 8463). */
#define DKIM_SIGN_KEYS_MAX 2

struct dkim_sign_key {
	struct str selector;
	const struct crypt_key *key;
};

/* Names that are signed, each as often as it occurs. */
struct dkim_sign_name {
	const char *name;
	bool is_sealed; /* and once more, so that none can be added */
};

struct dkim_sign_options {
	struct str domain;
	struct dkim_sign_key keys[DKIM_SIGN_KEYS_MAX];
	size_t keys_n;
	const struct dkim_sign_name *names; /* NULL: the usual ones */
	size_t names_n;
	uint64_t now;            /* t=, in Unix time */
	uint64_t expiry_seconds; /* x= is so much later; 0: none */
};

struct dkim_signer;

/*
 * Start with the bytes of the header; they and the options' keys and texts
 * are borrowed until dkim_signer_free(). NULL when the header is too large or
 * has more fields to sign than a signature may name.
 */
struct dkim_signer *dkim_signer_new(
    struct str header, const struct dkim_sign_options *options);
/* NULL is fine; returns NULL. */
struct dkim_signer *dkim_signer_free(struct dkim_signer *s);

/* The next part of the body, behind the empty line; lines end with CRLF. */
void dkim_signer_body(struct dkim_signer *s, struct str part);
/*
 * Append the DKIM-Signature fields, each ending with CRLF, to be put on top
 * of the header. Once. False, with nothing appended, when a key cannot sign
 * or they do not fit.
 */
bool dkim_signer_finish(struct dkim_signer *s, struct buf *to) WARN_UNUSED;

/*
 * Append the value of h= for a header: every name as often as it occurs, and
 * once more when it is sealed. False when these are too many.
 */
bool dkim_sign_list(const struct dkim_header *header,
    const struct dkim_sign_name *names, size_t names_n,
    struct buf *to) WARN_UNUSED;

/* The names that are signed when the options have none. */
const struct dkim_sign_name *dkim_sign_usual(size_t *ret_n);
