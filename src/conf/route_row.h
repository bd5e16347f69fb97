/* SPDX-License-Identifier: ISC */
/*
 * route_row.h - rows of the ledger's table ROUTE: the routes that the operator
 * made with 'mailstead route'.
 *
 * Key: the route's number, 4 bytes, big-endian: that is the order in which
 * they are looked at. Value: version 1, the route as text (route_text.h), the
 * password of its ways that sign in.
 *
 * Pure: no I/O.
 */
#pragma once

#include "base/buf.h"
#include "conf/route_text.h"

#define ROUTE_KEY_BYTES    4
#define ROUTE_NUMBER_MAX   999999
#define ROUTE_PASSWORD_MAX 1024

struct route_row {
	struct str text;     /* which parses */
	struct str password; /* a secret; empty: none */
};

void route_key_put(struct buf *to, uint32_t number);
bool route_key_get(struct str key, uint32_t *ret) WARN_UNUSED;
void route_row_put(struct buf *to, const struct route_row *row);
/* Points into value. False when it is not one, or its text no route. */
bool route_row_get(struct str value, struct route_row *ret) WARN_UNUSED;
