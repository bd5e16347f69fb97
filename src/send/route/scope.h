/* SPDX-License-Identifier: ISC */
/*
 * scope.h - how much a refusal shuts.
 *
 * The text of a reply to RCPT and later is often the recipient's organisation's
 * to choose (a rule of its own on its provider's servers), so it is held
 * against that domain alone: scope "domain:NAME". Only when a second
 * organisation behind the same provider refuses us, too, is it the provider's
 * word. What a provider's host says before it knows a recipient is that at
 * once.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/suffixes.h"
#include "proto/provider/provider.h"

/* Where mail goes: an MX host, or a relay with its port. */
struct scope_host {
	struct str host;
	bool is_relay;
	uint16_t port; /* of a relay */
};

/* "relay:HOST:PORT"; the provider group of an MX host; else "mx:HOST". */
void scope_put(
    const struct provider_table *t, const struct scope_host *h, struct buf *to);
/* "domain:NAME": mail to it, at whatever host of its provider. */
void scope_put_domain(struct str domain, struct buf *to);
/* Its domain; empty: it is none. */
struct str scope_domain(struct str scope);

/* Is it for the organisation of the recipient to say, what this host answers
 * to RCPT? */
bool scope_is_shared(
    const struct provider_table *t, const struct scope_host *h) WARN_UNUSED;

/* A refusal that is held against a domain. */
struct scope_witness {
	struct str domain, mx;
};
/* Do two organisations say the same of one provider? */
bool scope_agree(const struct provider_table *t, const struct suffixes *s,
    const struct scope_witness *a, const struct scope_witness *b) WARN_UNUSED;
