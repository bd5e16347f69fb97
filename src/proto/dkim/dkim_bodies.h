/* SPDX-License-Identifier: ISC */
/*
 * dkim_bodies.h - one pass over a body for all signatures of a message.
 *
 * Signatures that want the same canonical form, hash and length share one
 * computation; each canonical form is made once.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/crypt.h"
#include "proto/dkim/dkim_canon.h"

/* Different hashes of one body; a caller must not want more. */
#define DKIM_BODIES_MAX 16

struct dkim_body_want {
	enum dkim_canon canon;
	enum crypt_hash hash;
	bool has_length;
	uint64_t length; /* hash this many canonical bytes (l=) */
};

struct dkim_bodies;

struct dkim_bodies *dkim_bodies_new(void);
/* NULL is fine; returns NULL. */
struct dkim_bodies *dkim_bodies_free(struct dkim_bodies *b);

/* Before the first feed. The answer names this hash below. */
unsigned dkim_bodies_add(
    struct dkim_bodies *b, const struct dkim_body_want *want);
void dkim_bodies_feed(struct dkim_bodies *b, struct str part);
void dkim_bodies_finish(struct dkim_bodies *b);

/* After the finish. */
const struct crypt_sum *dkim_bodies_sum(
    const struct dkim_bodies *b, unsigned which);
/* Canonical bytes of the whole body, hashed or not. */
uint64_t dkim_bodies_length(const struct dkim_bodies *b, unsigned which);
