/* SPDX-License-Identifier: ISC */
/*
 * status_agent.h - a vantage point elsewhere: a row of the ledger's table AGENT,
 * whose key is the id in lower case.
 *
 * Its life: made by an operator, with the digest of a token that is good once
 * and for a time; enrolled, with the public key that came with the token;
 * revoked, with the key kept so that people can see which one it was.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_AGENT_KEY_BYTES    32
#define STATUS_AGENT_DIGEST_BYTES 32
#define STATUS_AGENT_LABEL_MAX    64
/* Vantage points of one check, this server among them (watch_state.h). */
#define STATUS_AGENTS_MAX 15
/* The network of this server itself. */
#define STATUS_NETWORK_HERE "here"

struct status_agent {
	struct str id;      /* as typed */
	struct str network; /* those with the same label fail as one */
	struct str place;   /* for people; may be empty */
	uint64_t made_s;
	uint64_t until_s;    /* the token is good so long */
	struct str token;    /* SHA-256 of it; empty: it was used */
	struct str key;      /* Ed25519; empty: not enrolled yet */
	uint64_t enrolled_s; /* 0: not yet */
	uint64_t seen_s;     /* heard of last, to ten minutes; 0: never */
	uint64_t revoked_s;  /* 0: it is not */
};

bool status_agent_is_sane(
    const struct status_agent *a, struct status_fault *ret) WARN_UNUSED;
void status_agent_encode(const struct status_agent *a, struct buf *to);
/* Texts point into the value. False: not sane, or another version. */
bool status_agent_decode(
    struct str value, struct status_agent *ret) WARN_UNUSED;
/* It may speak: enrolled, and not revoked. */
bool status_agent_is_active(const struct status_agent *a);

/* A token is ID.SECRET: the secret 40 hexadecimal digits. */
#define STATUS_AGENT_SECRET_BYTES 20
#define STATUS_AGENT_TOKEN_MAX \
	(STATUS_ID_MAX + 1 + 2 * STATUS_AGENT_SECRET_BYTES)
void status_agent_token_format(struct buf *to, struct str id,
    const uint8_t secret[STATUS_AGENT_SECRET_BYTES]);
/* False: it is not of this form. */
bool status_agent_token_split(struct str token, struct str *ret_id) WARN_UNUSED;
