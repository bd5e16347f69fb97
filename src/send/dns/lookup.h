/* SPDX-License-Identifier: ISC */
/*
 * lookup.h - what is known of a domain's mail servers, for choose.c.
 */
#pragma once

#include "send/queue/dest.h"

struct lookup;

/* Its MX hosts, or why there are none, were found and are not too old. */
bool lookup_is_known(const struct lookup *l);
/* Its hosts as a destination, straight from the usual address; NULL: there are
 * none, and lookup_verdict() says why. */
struct dest *lookup_dest(const struct lookup *l);
const struct judgement *lookup_verdict(const struct lookup *l);
/* The same hosts for another way: sets hosts, n and key of *ret, which live as
 * long as what is known. Without hosts n stays 0. */
void lookup_spec(const struct lookup *l, struct dest_spec *ret);
/* Find out; the mail comes to lookup_mail() then. */
void lookup_wait(struct lookup *l, struct mail *m);
