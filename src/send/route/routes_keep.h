/* SPDX-License-Identifier: ISC */
/*
 * routes_keep.h - the routes that the operator made, from the store's ledger
 * to send/route/route.h.
 */
#pragma once

#include "send/server.h"

struct routes_keep;

struct routes_keep *routes_keep_new(struct server *sv);
/* Read them all (again); done runs when that is done. */
void routes_keep_load(struct routes_keep *k, loop_fn done, void *arg);
/* LEDGER_CHANGED. False: malformed. */
bool routes_keep_changed(struct routes_keep *k, struct str rows) WARN_UNUSED;
