/* SPDX-License-Identifier: ISC */
/*
 * held.h - the leases of which something is here, and taking over the queue.
 *
 * A lease is held from its answer until the store has answered the results of
 * all its entries. When a store comes (back), it is told which leases these are
 * (QUEUE_TAKE), and ends all others: those of an earlier process, and those
 * whose answer was lost with the store that died.
 */
#pragma once

#include "proc/runtime.h"

/* So many fit into QUEUE_TAKE. */
#define HELD_MAX 100000

struct held;  /* a lease */
struct helds; /* all of them */

struct helds *helds_new(struct runtime *rt);
/* A lease; it goes with the last of its entries. */
struct held *held_new(struct helds *hs, uint64_t lease);
void held_add(struct held *h);
/* The store has answered the result of an entry of it; NULL is fine. */
void held_answered(struct held *h);

/* A store is there (again): fn runs when this process has taken over from all
 * before it. Nothing may be leased until then. */
void helds_take(struct helds *hs, loop_fn fn, void *arg);
/* The number of the last try to take over: what was leased before it and
 * answered behind it is not ours. */
uint64_t helds_taken(const struct helds *hs);
/* Is there room for more leases? */
bool helds_have_room(const struct helds *hs);
