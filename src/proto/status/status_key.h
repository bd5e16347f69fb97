/* SPDX-License-Identifier: ISC */
/*
 * status_key.h - keys of the HTTP API: rows of the ledger's table APIKEY, whose
 * key is the id, eight digits of base 16.
 *
 * Who has one sends "mss_ID_SECRET" as a bearer token (RFC 6750). The secret is
 * shown once, when the key is made; the row has its hash.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_secret.h"
#include "proto/status/status_text.h"

#define STATUS_KEY_ID_LEN 8

/* What a key is good for: bits of status_key.scopes. */
enum status_key_scope {
	STATUS_MAY_READ = 1,        /* everything, also drafts and the log */
	STATUS_MAY_POST = 2,        /* posts and their updates */
	STATUS_MAY_SYSTEMS = 4,     /* systems, checks, maintenance */
	STATUS_MAY_SUBSCRIBERS = 8, /* read and change subscribers */
	STATUS_MAY_ALL = 15,
};

struct status_key {
	struct str name; /* what it is for, for people; not empty */
	struct str hash; /* of the secret: STATUS_SECRET_HASH bytes */
	unsigned scopes; /* at least one */
	uint64_t created_s;
	uint64_t revoked_s; /* 0: it is good */
	uint64_t expires_s; /* 0: it has no end */
};

bool status_key_is_id(struct str id) WARN_UNUSED;
/* "mss_ID_SECRET" */
void status_key_put_token(struct buf *to, struct str id, struct str secret);
bool status_key_split_token(
    struct str token, struct str *ret_id, struct str *ret_secret) WARN_UNUSED;

/* "read,posts,systems,subscribers", or "all". */
bool status_key_scopes_parse(
    struct str list, unsigned *ret, struct status_fault *fault) WARN_UNUSED;
void status_key_put_scopes(struct buf *to, unsigned scopes);

bool status_key_is_sane(
    const struct status_key *k, struct status_fault *ret) WARN_UNUSED;
void status_key_encode(const struct status_key *k, struct buf *to);
bool status_key_decode(struct str value, struct status_key *ret) WARN_UNUSED;
/* Not revoked, not at its end. */
bool status_key_is_good(const struct status_key *k, uint64_t now_s);
