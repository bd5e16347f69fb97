/* SPDX-License-Identifier: ISC */
/*
 * status_secret.h - random secrets that are told once: of API keys, and of
 * links in mails. What is kept of one is its SHA-256: it has 256 random bits,
 * so that a slow hash would add nothing.
 *
 * Layer: proto. No I/O; the caller brings the random bytes.
 */
#pragma once

#include "base/crypt.h"

#define STATUS_SECRET_RAW  32
#define STATUS_SECRET_LEN  43 /* characters of base64url, without padding */
#define STATUS_SECRET_HASH 32

void status_secret_put(
    struct buf *to, const unsigned char raw[STATUS_SECRET_RAW]);
/* Has it the form of one? */
bool status_secret_is_sane(struct str secret) WARN_UNUSED;
void status_secret_hash(
    struct str secret, unsigned char ret[STATUS_SECRET_HASH]);
/* Is it the one of that hash? Takes the same time wherever they differ. */
bool status_secret_matches(struct str secret, struct str hash) WARN_UNUSED;
/* base64url (RFC 4648 section 5) without padding. */
void status_put_base64url(struct buf *to, struct str bytes);
