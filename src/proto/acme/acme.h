/* SPDX-License-Identifier: ISC */
/*
 * acme.h - the formats of ACME (RFC 8555): what is signed and sent, and what an
 * authority answers.
 *
 *   acme_jws.c   JSON Web Signatures (RFC 7515) with ES256, key authorizations
 *   acme_read.c  directory, account, order, authorization, problem
 *   acme_text.c  addresses, Retry-After, times of renewal
 *
 * An authority is trusted with certificates, not with memory: everything has a
 * limit, and what is beyond it is no answer.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/es256.h"
#include "base/hostname.h"

#define ACME_BODY_MAX     KIB(64) /* of an answer in JSON */
#define ACME_URL_MAX      1000
#define ACME_NONCE_MAX    200
#define ACME_TOKEN_MAX    128
#define ACME_NAMES_MAX    100 /* of one certificate */
#define ACME_TYPE_MAX     100
#define ACME_DETAIL_MAX   1000
#define ACME_PROBLEM_TYPE "urn:ietf:params:acme:error:"

/* --- acme_text.c ------------------------------------------------------------- */

struct acme_url {
	char host[HOSTNAME_MAX + 1];
	uint16_t port;
	char path[ACME_URL_MAX + 1]; /* begins with "/"; with the query */
};
/* https://host[:port][/path]; no user, no fragment. *ret untouched when false. */
bool acme_url_parse(struct str s, struct acme_url *ret) WARN_UNUSED;

/* base64url, 16 to ACME_NONCE_MAX or ACME_TOKEN_MAX bytes. */
bool acme_is_nonce(struct str s);
bool acme_is_token(struct str s);

/*
 * Retry-After (RFC 9110 section 10.2.3) as seconds from now, at most
 * ACME_RETRY_MAX: a number, or a date. False when it is neither.
 */
#define ACME_RETRY_MAX (7 * 86400U)
bool acme_retry_after(
    struct str value, uint64_t now, uint32_t *ret) WARN_UNUSED;

/*
 * When to renew a certificate: with a third of its life left, and up to a
 * thirtieth of its life later by chance, so that a thousand certificates of one
 * day are not renewed in one hour. chance: any number.
 */
uint64_t acme_renew_at(uint64_t begins, uint64_t ends, uint32_t chance);

/*
 * How long to wait after so many failures in a row (1 or more), in seconds: 2
 * minutes, doubled each time, up to a day; less a quarter at most, by chance. An
 * authority that is over its limits is left alone for an hour at least, and for
 * what it asks for (retry_after; 0: nothing).
 */
uint32_t acme_pause(
    unsigned failures, bool is_limited, uint32_t retry_after, uint32_t chance);

/* --- acme_jws.c --------------------------------------------------------------- */

struct acme_jws {
	const struct es256_key *key;
	struct str kid; /* the account's address; empty: the key itself */
	struct str nonce, url;
	struct str payload; /* JSON; empty: POST-as-GET */
};
/* Append it in the flattened form. False when it cannot be signed. */
bool acme_jws_put(struct buf *to, const struct acme_jws *j) WARN_UNUSED;

/* Append the public key as a JSON Web Key, in the form that RFC 7638 hashes. */
void acme_jwk_put(struct buf *to, const struct es256_key *key);
/* token "." thumbprint (RFC 8555 section 8.1). */
void acme_authorization_put(
    struct buf *to, struct str token, const struct es256_key *key);
/* The binding of an account to one that the authority has otherwise (section
 * 7.3.4): HS256 with mac_key, raw. */
void acme_binding_put(struct buf *to, const struct es256_key *key,
    struct str kid, struct str mac_key, struct str url);

/* Payloads. names: lines. contact: an address, or empty. binding: JSON or
 * empty. der: of the request. */
void acme_put_account(
    struct buf *to, struct str contact, bool agrees, struct str binding);
void acme_put_contact(struct buf *to, struct str contact);
void acme_put_order(struct buf *to, struct str names);
void acme_put_finalize(struct buf *to, struct str der);

/* --- acme_read.c ---------------------------------------------------------------- */

struct acme_directory {
	char nonce[ACME_URL_MAX + 1], account[ACME_URL_MAX + 1];
	char order[ACME_URL_MAX + 1];
	char terms[ACME_URL_MAX + 1]; /* may be empty */
	bool wants_binding;           /* externalAccountRequired */
};
bool acme_directory_read(
    struct str json, struct acme_directory *ret) WARN_UNUSED;

/* An error document (RFC 7807), for people: its words, and those about single
 * names. Always gives something; type is empty when it is none. */
struct acme_problem {
	char type[ACME_TYPE_MAX + 1];   /* without ACME_PROBLEM_TYPE */
	char text[ACME_DETAIL_MAX + 1]; /* UTF-8, without controls */
};
void acme_problem_read(struct str json, struct acme_problem *ret);
bool acme_problem_is(const struct acme_problem *p, const char *type);

/* The first contact of an account, without "mailto:"; false: it is none. */
bool acme_account_read(
    struct str json, bool *ret_is_valid, struct buf *ret_contact) WARN_UNUSED;

enum acme_status {
	ACME_PENDING,
	ACME_READY,
	ACME_PROCESSING,
	ACME_VALID,
	ACME_INVALID, /* also deactivated, expired, revoked */
};

struct acme_order {
	enum acme_status status;
	char finalize[ACME_URL_MAX + 1];
	char certificate[ACME_URL_MAX + 1]; /* empty until it is valid */
	struct acme_problem problem;
	size_t n; /* of authorizations, at most ACME_NAMES_MAX */
	char authorizations[ACME_NAMES_MAX][ACME_URL_MAX + 1];
};
/* *ret is undefined when false. It is large: keep it on the heap. */
bool acme_order_read(struct str json, struct acme_order *ret) WARN_UNUSED;

enum acme_kind { ACME_HTTP_01, ACME_TLS_ALPN_01 };
#define ACME_KINDS 2
const char *acme_kind_str(enum acme_kind k);

struct acme_challenge {
	bool is_there;
	char url[ACME_URL_MAX + 1];
	char token[ACME_TOKEN_MAX + 1];
};

struct acme_authorization {
	enum acme_status status;
	char name[HOSTNAME_MAX + 1]; /* in lower case */
	struct acme_challenge challenges[ACME_KINDS];
	struct acme_problem problem; /* of a challenge that failed */
};
bool acme_authorization_read(
    struct str json, struct acme_authorization *ret) WARN_UNUSED;
