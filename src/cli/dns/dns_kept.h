/* SPDX-License-Identifier: ISC */
/*
 * dns_kept.h - which records of a domain were sent by mailstead dns --update,
 * kept in the store's ledger. What stands there is ours to replace.
 */
#pragma once

#include "cli/admin.h"
#include "cli/dns/dns_plan.h"

/* Add what was sent for the domain to the sets of a plan. An exit code. */
int dns_kept_load(
    struct admin *a, struct str domain, struct dns_plan *p) WARN_UNUSED;
/* Remember what is live and ours, of each set that was not skipped. */
int dns_kept_save(
    struct admin *a, struct str domain, const struct dns_plan *p) WARN_UNUSED;

/* The value of a row: which set, and its data. Parsing adds to ours of the set
 * in the plan; false when it is malformed. */
void dns_kept_encode(
    const struct dns_set *s, const struct dns_list *data, struct buf *to);
bool dns_kept_decode(struct str value, struct dns_plan *p) WARN_UNUSED;
