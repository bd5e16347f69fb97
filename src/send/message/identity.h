/* SPDX-License-Identifier: ISC */
/*
 * identity.h - in whose name a message leaves: which domains of ours may sign
 * it, the best one first.
 *
 * - What a user of ours wrote is signed by the domain of its author, so that
 *   it is aligned for DMARC (RFC 7489 section 3.1.1), else by that of the
 *   envelope's sender. The store has checked that both belong to the user;
 *   with smtp.check_from off nobody has looked at the author, whose domain
 *   then counts only when it is the sender's.
 * - What is forwarded for a stranger is sealed (ARC), by the domain of the
 *   alias, else by our host's. Nothing is claimed about its author.
 * - Bounces and reports of our own are signed by our host's domain.
 *
 * Pure.
 */
#pragma once

#include "base/arena.h"

#define IDENTITY_DOMAINS_MAX 12
/* Memory that is needed from the arena. */
#define IDENTITY_ARENA KIB(128)

enum identity_kind {
	IDENTITY_AUTHOR, /* sign: DKIM */
	IDENTITY_FORWARD /* seal: ARC */
};

struct identity_input {
	struct str header;    /* of the message */
	struct str mail_from; /* envelope */
	struct str via;       /* domain of the alias that forwards; or empty */
	uint64_t account;     /* who wrote it; 0: we did, or a stranger */
	struct str hostname;
	bool is_from_checked; /* smtp.check_from */
};

struct identity {
	enum identity_kind kind;
	struct str domains[IDENTITY_DOMAINS_MAX];
	size_t n;
};

/* Strings are in the input or in a. */
void identity_find(
    const struct identity_input *in, struct arena *a, struct identity *ret);
