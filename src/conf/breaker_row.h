/* SPDX-License-Identifier: ISC */
/*
 * breaker_row.h - rows of the ledger's table BREAKER: addresses of ours that
 * a provider refuses, for role send after a restart and for people.
 *
 * Key: scope, a blank, source. The scope is a provider group ("microsoft"), a
 * mail server ("mx:mx.example.com"), a relay ("relay:host:25") or a recipient
 * domain ("domain:example.com", send/route/scope.h); the source is
 * our address, or several with commas, or "default": the system chooses. What
 * is too long for a key is cut and ends in a hash of all of it.
 *
 * Pure: no I/O.
 */
#pragma once

#include "base/buf.h"

#define BREAKER_SCOPE_MAX    270
#define BREAKER_SOURCE_MAX   100
#define BREAKER_TEXT_MAX     1000 /* bytes of a reply */
#define BREAKER_ACCOUNTS_MAX 400  /* told apart; beyond them: "and more" */

enum breaker_writer {
	BREAKER_BY_SEND,     /* what happened */
	BREAKER_BY_OPERATOR, /* what shall be: role send takes it over */
};

struct breaker_row {
	uint8_t writer; /* enum breaker_writer */
	struct str scope, source;
	bool is_forced;
	uint64_t since_ms, next_ms, pause_ms;
	/* Recipients and accounts that went another way, or wait. */
	uint64_t messages;
	const uint64_t *accounts; /* borrowed when it is put */
	uint32_t n_accounts;
	bool has_more_accounts;
	/* Where and how it was said last. */
	struct str own_ip, mx, mx_ip, domain, reply, rule, link;
	uint32_t code;
	/* Which way mail takes instead: "relay.example:25"; empty: it waits. */
	struct str instead;
	struct str why; /* it waits: for people */
};

/* key: at most LEDGER_KEY_MAX bytes come out. */
void breaker_key_put(struct buf *to, struct str scope, struct str source);
/* Strings beyond their limits are cut. */
void breaker_row_put(struct buf *to, const struct breaker_row *row);
/* Points into value, but the accounts: into accounts. False: it is not one. */
bool breaker_row_get(struct str value, uint64_t accounts[BREAKER_ACCOUNTS_MAX],
    struct breaker_row *ret) WARN_UNUSED;
