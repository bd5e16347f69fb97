/* SPDX-License-Identifier: ISC */
/*
 * mtasts_row.h - a policy as it is kept in the ledger's table MTASTS, under its
 * domain, until its max_age is over.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/mtasts/mtasts.h"

/* Bytes of a row: a policy, an id, numbers. */
#define MTASTS_ROW_MAX (MTASTS_POLICY_MAX + 256)

struct mtasts_row {
	uint64_t fetched; /* seconds since 1970 */
	uint64_t until;   /* from then on it does not count */
	struct str id;    /* of the TXT record that it was fetched for */
	struct str text;  /* a right policy */
};

void mtasts_row_encode(const struct mtasts_row *row, struct buf *to);
/* Points into value. False for another version, or a wrong policy. */
bool mtasts_row_decode(struct str value, struct mtasts_row *ret,
    struct mtasts_policy *ret_policy) WARN_UNUSED;
