/* SPDX-License-Identifier: ISC */
/*
 * tls_count.h - TLS sessions, counted by domain and period (RFC 8460), in
 * memory and now and then in the ledger.
 *
 * Only domains that want reports are kept. A process that dies takes the last
 * minute with it; what it has written is added to what the next one writes.
 */
#pragma once

#include "proto/tlsrpt/tlsrpt_tally.h"

struct server;
struct tls_count;

struct tls_count *tls_count_new(struct server *sv);
/* domain: of the recipients, ASCII, lower case. */
void tls_count_add(struct tls_count *c, struct str domain,
    const struct tlsrpt_session *session);
/* Write what is not written: the process ends. */
void tls_count_flush(struct tls_count *c);

/* How long it takes at most until what was counted is in the ledger. */
uint64_t tls_count_delay_ms(const struct server *sv);
