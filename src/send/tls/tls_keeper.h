/* SPDX-License-Identifier: ISC */
/*
 * tls_keeper.h - the operator's rules about TLS (conf/tls_rule.h), as the
 * ledger has them now.
 */
#pragma once

#include "conf/tls_rule.h"
#include "proc/ledger.h"

struct tls_keeper;

struct tls_keeper *tls_keeper_new(struct runtime *rt);
/*
 * Read all rules anew, again and again until it is done; then run fn (may be
 * NULL): nobody should be sent to before.
 */
void tls_keeper_load(struct tls_keeper *k, loop_fn fn, void *arg);
/* LEDGER_CHANGED came, of the table POLICY. */
void tls_keeper_changed(struct tls_keeper *k, struct str rows);
enum tls_rule tls_keeper_find(
    const struct tls_keeper *k, struct str domain, struct str host);
/* Another number whenever an answer may be another one. */
uint32_t tls_keeper_generation(const struct tls_keeper *k);
